"""A download that goes on where it broke: RFC 9110's ranges, over the standard library."""

import json
import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final, Protocol
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mapcap.datasets.content import HEAD, describe_content
from mapcap.errors import UserError

PATIENCE: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each new try; after a try that brought anything, they begin anew."""
_BLOCK: Final = 1 << 18
_TIMEOUT: Final = 30.0
"""Seconds without a byte until a connection counts as broken."""
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may be others a moment later."""
_UNSATISFIABLE: Final = 416


class Progress(Protocol):
    """What hears of a download."""

    def begin(self, done: int, total: int | None) -> None:
        """Bytes that are there, and of how many: said again where a download starts anew."""

    def advance(self, count: int) -> None:
        """So many bytes more."""

    def broke(self, reason: str, seconds: float) -> None:
        """The connection broke; the next try is in so many seconds."""


@dataclass(frozen=True)
class _Version:
    """Which file a partial download is the beginning of."""

    url: str
    validator: str | None = None
    """Its strong ETag, or else when it was changed, as the server said it."""
    total: int | None = None


class _Broken(Exception):
    """The connection broke, or the server is not ready: another try may do."""


class _Changed(_Broken):
    """The server's file is not the one that was begun."""

    def __init__(self) -> None:
        super().__init__("the server's file is another one than was begun")


def download(
    url: str,
    file: Path,
    progress: Progress,
    *,
    patience: Sequence[float] = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Download an archive to `file`, going on with `file.part` if an earlier call left it.

    Raises:
        UserError: the server does not have it, sends something else, or cannot be reached.
        OSError: the disk is full, or cannot be written.
    """
    part, note = _beside(file)
    tries = 0
    while True:
        before = _size(part)
        try:
            _once(url, part, note, progress)
            break
        except _Broken as error:
            if isinstance(error, _Changed):
                part.unlink(missing_ok=True)
            tries = 0 if _size(part) > before else tries
            if tries == len(patience):
                raise UserError(
                    f"{url}: {error}. What came is kept, and the same command goes on from there; "
                    "or get the archive elsewhere and give it with --from FILE."
                ) from error
            progress.broke(str(error), patience[tries])
            sleep(patience[tries])
            tries += 1
    part.replace(file)
    note.unlink(missing_ok=True)


def leftovers(file: Path) -> tuple[Path, ...]:
    """Return all files that a download to `file` may have written."""
    return (file, *_beside(file))


def received(file: Path) -> int:
    """Return how many bytes of a download are there."""
    return max(_size(file), _size(_beside(file)[0]))


def _beside(file: Path) -> tuple[Path, Path]:
    return file.with_name(f"{file.name}.part"), file.with_name(f"{file.name}.note")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _once(url: str, part: Path, note: Path, progress: Progress) -> None:
    """Ask for what is missing, and append it."""
    known = _read_note(note)
    # Without the server's word on it, the size tells whether the rest belongs to this beginning.
    at = _size(part) if known.url == url and (known.validator or known.total) else 0
    if at and at == known.total:
        progress.begin(at, at)
        return
    headers = {"User-Agent": "mapcap", "Accept-Encoding": "identity"}
    if at:
        headers["Range"] = f"bytes={at}-"
        if known.validator:
            headers["If-Range"] = known.validator
    with closing(_opened(Request(url, headers=headers))) as answer:
        at, total = _place(answer, at, known)
        head = _block(answer, HEAD) if at == 0 else b""
        _require_archive(url, answer, head)
        note.write_text(json.dumps(asdict(_Version(url, _validator(answer), total))), "utf-8")
        progress.begin(at, total)
        with part.open("r+b" if at else "wb") as out:
            out.truncate(at)
            out.seek(at)
            out.write(head)
            progress.advance(len(head))
            came = at + len(head) + _copy(answer, out.write, progress)
    if total is not None and came != total:
        raise _Broken(f"the connection ended after {came:,} of {total:,} bytes")


def _opened(request: Request) -> HTTPResponse:
    """Send a request.

    Raises:
        _Broken: nobody answers, or the server is not ready.
        UserError: the server refuses.
    """
    try:
        answer: HTTPResponse = urlopen(request, timeout=_TIMEOUT)
    except HTTPError as error:
        with error:
            if error.code in _AGAIN:
                raise _Broken(f"the server says {error.code} {error.reason}") from error
            if error.code == _UNSATISFIABLE:
                raise _Changed from error
            raise UserError(
                f"{request.full_url}: the server says {error.code} {error.reason}. Get the archive "
                "elsewhere and give it with --from FILE."
            ) from error
    except (OSError, HTTPException) as error:
        raise _Broken(f"no answer ({getattr(error, 'reason', None) or error})") from error
    return answer


def _place(answer: HTTPResponse, at: int, known: _Version) -> tuple[int, int | None]:
    """Return where the bytes of an answer belong, and how many the file has."""
    if answer.status == 206:
        match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != at:
            raise _Broken("the server sent another part than was asked for")
        total = known.total if match[2] == "*" else int(match[2])
        if known.total not in (None, total):
            raise _Changed
        return at, total
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _require_archive(url: str, answer: HTTPResponse, head: bytes) -> None:
    """Refuse what a login or a hotel's network sends in place of a file, before it is written.

    Raises:
        UserError: saying what it is.
    """
    what = describe_content(head) if head else None
    page = answer.headers.get_content_type() in ("text/html", "application/xhtml+xml")
    if page or (what is not None and "archive" not in what):
        raise UserError(
            f"{url}: the server sent {'a web page' if page else what}, not an archive. Does this "
            "network ask for a login? Or get the archive elsewhere and give it with --from FILE."
        )


def _copy(answer: HTTPResponse, write: Callable[[bytes], object], progress: Progress) -> int:
    """Write what comes, and return how much it was."""
    came = 0
    while block := _block(answer, _BLOCK):
        write(block)
        came += len(block)
        progress.advance(len(block))
    return came


def _block(answer: HTTPResponse, size: int) -> bytes:
    try:
        return answer.read(size)
    except (OSError, HTTPException) as error:
        raise _Broken(f"the connection broke ({str(error) or type(error).__name__})") from error


def _validator(answer: HTTPResponse) -> str | None:
    etag = answer.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return answer.headers.get("Last-Modified")


def _read_note(note: Path) -> _Version:
    """Return what a partial download is of; of nothing, where the note is missing or damaged."""
    try:
        return _Version(**json.loads(note.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return _Version("")

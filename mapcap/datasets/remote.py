"""Photos behind URLs, as fsspec opens them: asked for like a `Path`, as far as reading goes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from errno import ENOENT
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from mapcap.errors import UserError
from mapcap.text import clean

_MARK: Final = "://"
_REMOTE: Final = re.compile(r"(?!file:)[a-z][a-z0-9+.:-]+://", re.IGNORECASE)
_PACKAGES: Final = {
    "http": "mapcap[remote]",
    "https": "mapcap[remote]",
    "s3": "mapcap[remote]",
    "gs": "gcsfs",
    "az": "adlfs",
    "memory": "fsspec",
}
"""What installs the file system of a scheme. Others of fsspec's open archives, shells and caches:
nothing that a list from somebody else should be able to ask for."""
_WRITTEN: Final = ("ETag", "etag", "Last-Modified", "LastModified", "updated", "mtime", "created")
"""What file systems call that by which a change of a file is told; the first there counts."""
_CHUNK: Final = 2**20


class Status(NamedTuple):
    """What is known of a file before it is read, under the names of `os.stat_result`."""

    st_size: int | None
    st_mtime_ns: int | None
    """A number that is another one when the file has been written: of its tag or its date."""


@dataclass(frozen=True)
class Url:
    """A file behind a URL. What cannot be reached raises OSError, as a `Path` does."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(urlsplit(self.text).path).name

    def stat(self) -> Status:
        """Return the file's size and mark, asked for once."""
        return self._status

    def answers(self) -> bool:
        """Tell whether the file's server is there, if only to say that the file is not."""
        try:
            self._ask()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def read_bytes(self, most: int) -> bytes:
        """Return the file's bytes, or of a longer one more than `most`."""
        try:
            system = self._system()
            if not self._is_http:
                data: bytes = system.cat_file(self.text, end=most + 1)
                return data
            read = bytearray()
            # A server may send what it likes: no more is taken than asked for.
            with system.open(self.text, block_size=0, size=1) as file:
                while len(read) <= most and (chunk := file.read(_CHUNK)):
                    read += chunk
            return bytes(read)
        except OSError:
            raise
        except Exception as error:  # every file system has errors of its own
            raise _failed(error) from error

    @cached_property
    def _status(self) -> Status:
        facts = self._ask()
        written = next((facts[key] for key in _WRITTEN if facts.get(key)), None)
        mark = None
        if written is not None:
            # As much as SQLite's integers hold.
            mark = int.from_bytes(sha256(str(written).encode()).digest()[:8]) >> 1
        return Status(facts.get("size"), mark)

    def _ask(self) -> Mapping[str, Any]:
        """Return what the file system says of the file now."""
        try:
            facts: Mapping[str, Any] = self._system().info(self.text)
            return facts
        except FileNotFoundError as error:
            # Of HTTP fsspec says this whatever went wrong; the cause tells what.
            status = _answer(error) if self._is_http else HTTPStatus.NOT_FOUND
            if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                raise FileNotFoundError(ENOENT, "no such file") from error
            raise _failed(error.__cause__ or error) from error
        except OSError:
            raise
        except Exception as error:  # as above
            raise _failed(error) from error

    def _system(self) -> Any:
        return import_module("fsspec").filesystem(self.text.partition(_MARK)[0].lower())

    @property
    def _is_http(self) -> bool:
        return self.text.lower().startswith("http")


def is_url(text: str) -> bool:
    """Tell whether a path is meant as a URL: `file://` and the drives of Windows are paths."""
    return _REMOTE.match(text) is not None


def check_url(text: str, where: str) -> None:
    """Refuse a URL that is not to be opened, or cannot be.

    Raises:
        UserError: starting with `where`; it names the URL and, where one is missing, the extra.
    """
    scheme = text.partition(_MARK)[0].lower()
    if not text.isprintable():
        raise UserError(f"{where}: {clean(text)[:200]} has control characters. Write it without.")
    if scheme not in _PACKAGES:
        raise UserError(
            f"{where}: {clean(text)[:200]}: URLs start with one of "
            f"{', '.join(f'{name}{_MARK}' for name in _PACKAGES if name != 'memory')}."
        )
    try:
        signed_in = scheme.startswith("http") and "@" in urlsplit(text).netloc
    except ValueError as error:
        raise UserError(f"{where}: {clean(text)[:200]} is not a URL ({error}).") from error
    if signed_in:
        raise UserError(
            f"{where}: the URL holds a user's name or password, which would be stored. Write it "
            "without, and give that in fsspec's configuration."
        )
    try:
        import_module("fsspec").get_filesystem_class(scheme)
    except ImportError as error:
        raise UserError(
            f"{where}: {clean(text)[:200]} needs a package that is not installed: "
            f"pip install '{_PACKAGES[scheme]}'."
        ) from error


def _answer(error: BaseException | None) -> int | None:
    """Return the HTTP status that a server gave, None if it gave none."""
    while error is not None:
        status = getattr(error, "status", None)
        if isinstance(status, int):
            return status
        error = error.__cause__
    return None


def _failed(error: BaseException) -> OSError:
    return OSError(f"{type(error).__name__} {clean(str(error))[:200]}".rstrip())

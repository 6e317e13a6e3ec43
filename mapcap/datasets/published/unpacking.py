"""Taking files out of a zip or tar archive that anybody may have made.

What no published data set holds is refused: names that lead out of the folder, links, devices,
names that come twice, and more bytes or files than a data set has.
"""

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from mapcap.errors import UserError
from mapcap.text import clean

_MOST_BYTES: Final = 8 << 30
_MOST_FILES: Final = 1_000_000
_LONGEST: Final = 200
"""Bytes of a name; file systems end at 255."""
_BLOCK: Final = 1 << 18
_RESERVED: Final = frozenset('<>:"|?*\\')
"""What is no part of a name on Windows, or leads elsewhere there."""
_DAMAGED: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,  # zipfile's word for an encrypted member
    ValueError,
)


@dataclass(frozen=True)
class _Member:
    """An entry of an archive that is a file."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None]


class Refused(Exception):
    """An archive that no data set is published as; the message says why."""


def unpack(
    archive: Path,
    folder: Path,
    place: Callable[[PurePosixPath], PurePosixPath | None],
    at: Callable[[int], None] = lambda position: None,
    *,
    most_bytes: int = _MOST_BYTES,
    most_files: int = _MOST_FILES,
) -> int:
    """Write the members that `place` gives a place into `folder`, and return how many.

    `at` hears how far in the archive's file the work is. Files get the usual rights, whatever the
    archive says of them.

    Raises:
        UserError: the archive is damaged, is none, or holds what is refused.
        OSError: the disk is full, or cannot be written.
    """
    count = bytes_seen = written = 0
    try:
        with archive.open("rb") as file:
            for member in _members(file):
                count, bytes_seen = count + 1, bytes_seen + member.size
                if count > most_files or bytes_seen > most_bytes:
                    raise Refused(
                        f"it holds more than {most_files:,} files or {most_bytes >> 20:,} MiB"
                    )
                target = place(_inside(member.name))
                if target is not None:
                    _write(member, folder / _inside(str(target)))
                    written += 1
                at(file.tell())
    except (Refused, *_DAMAGED) as error:
        why = clean(" ".join(str(error).split()) or type(error).__name__)
        raise UserError(
            f"{archive}: {'refused' if isinstance(error, Refused) else 'damaged'}: {why}. Fetch it "
            "again, or get it elsewhere and give it with --from FILE."
        ) from error
    return written


def _members(file: IO[bytes]) -> Iterator[_Member]:
    """Yield the files of an archive; folders are made for what is in them.

    Raises:
        Refused: for entries of any other kind, and for files that are no archive.
    """
    magic = file.read(2)
    file.seek(0)
    if magic == b"PK":
        with zipfile.ZipFile(file) as opened:
            yield from _zipped(opened)
        return
    with tarfile.open(fileobj=file, mode="r|*") as stream:
        for entry in stream:
            if entry.isdir():
                continue
            if not entry.isreg():
                raise Refused(f"{entry.name!r} is no file but a link or a device")
            yield _Member(entry.name, entry.size, lambda e=entry: stream.extractfile(e))  # type: ignore[misc]


def _zipped(opened: zipfile.ZipFile) -> Iterator[_Member]:
    for entry in opened.infolist():
        if entry.is_dir():
            continue
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise Refused(f"{entry.filename!r} is no file but a link or a device")
        yield _Member(entry.filename, entry.file_size, lambda e=entry: opened.open(e))  # type: ignore[misc]


def _inside(name: str) -> PurePosixPath:
    """Return a name of an archive as a path that stays in the folder.

    Raises:
        Refused: it does not, or is no name on some system.
    """
    path = PurePosixPath(name)
    parts = path.parts
    if (
        path.is_absolute()
        or not parts
        or ".." in parts
        or not name.isprintable()
        or _RESERVED & set(name)
        or any(len(part.encode()) > _LONGEST or part != part.rstrip(" .") for part in parts)
    ):
        raise Refused(f"the name {name[:_LONGEST]!r} leads out of the folder or is none")
    return path


def _write(member: _Member, target: Path) -> None:
    source = member.open()
    if source is None:
        raise Refused(f"{member.name!r} cannot be read")
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.size
    try:
        with source, target.open("xb") as out:
            # What an archive says of a size and what comes may differ.
            while block := source.read(min(_BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    raise Refused(f"{member.name!r} is larger than the archive says")
                out.write(block)
    except FileExistsError:
        raise Refused(f"{member.name!r} comes twice") from None
    if left:
        raise EOFError(f"{member.name!r} ends {left:,} bytes early")

"""Texts from outside: in which encoding they are, and their lines."""

import codecs
from pathlib import Path
from typing import Final

from mapcap.datasets.content import describe_content, first_bytes
from mapcap.datasets.records import shown
from mapcap.errors import UserError

_BLOCK: Final = 1 << 20
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before UTF-16, whose mark is the beginning of this one.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WINDOWS: Final = "cp1252"


def encoding_of(path: Path, option: str) -> str:
    """Return the encoding of a text: by its mark, else UTF-16 by its zeros, UTF-8, Windows-1252.

    Raises:
        UserError: naming `option`, for a file that is missing, unreadable or no text.
    """
    try:
        if not path.exists():
            raise UserError(f"{option}: {shown(path)} cannot be read: there is no such file.")
        if not path.is_file():  # a pipe would be waited for, a device read, without end
            raise UserError(f"{option}: {shown(path)} cannot be read: it is no regular file.")
        head = first_bytes(path)
        what = describe_content(head)
        if what is not None:
            raise UserError(f"{option}: {shown(path)} is no table of text but {what}.")
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding
        zeros = head[0::2].count(0), head[1::2].count(0)
        if max(zeros) > len(head) // 8 and min(zeros) <= len(head) // 64:
            return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
        return "utf-8" if _is_utf8(path) else WINDOWS
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{option}: {shown(path)} cannot be read: {shown(reason)}.") from error


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    with path.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def encoding_note(path: Path, encoding: str) -> str | None:
    """Return what to say of an encoding that was guessed; None where the file tells it."""
    if encoding != WINDOWS:
        return None
    return (
        f"{shown(path.name)} is not UTF-8: read as Windows-1252 (if names look wrong, save it as "
        "UTF-8)"
    )


def undecodable(path: Path, option: str, line: int | None = None) -> UserError:
    """Return the refusal of a text whose bytes are of no encoding that is known here."""
    place = "" if line is None else f", line {line}"
    return UserError(
        f"{option}: {shown(path)}{place}: bytes that are not UTF-8 and no Windows-1252. "
        "Save it as UTF-8."
    )


def read_text(path: Path, option: str) -> str:
    """Return a text whole.

    Raises:
        UserError: naming `option`, for a file that is missing, unreadable or no text.
    """
    encoding = encoding_of(path, option)
    try:
        return path.read_text(encoding=encoding)
    except UnicodeDecodeError as error:
        raise undecodable(path, option) from error
    except OSError as error:
        raise UserError(f"{option}: {shown(path)} cannot be read: {error.strerror}.") from error

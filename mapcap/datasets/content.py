"""What a file is by its bytes, where its place and its ending do not tell."""

import hashlib
from pathlib import Path
from typing import Final

HEAD: Final = 512
"""Bytes that tell."""
_LFS: Final = b"version https://git-lfs.github.com/spec/"
_MAGIC: Final = (
    (_LFS, "a pointer of git-lfs, not the file itself: `git lfs pull` fetches it"),
    (b"/annex/objects/", "a pointer of git-annex: `git annex get` fetches the file itself"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\x00", "an SQLite file"),
    (b"%PDF-", "a PDF"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    (b"Rar!\x1a\x07", "a RAR archive: unpack it"),
    (b"BZh", "a bzip2 archive: unpack it"),
    (b"\xfd7zXZ\x00", "an xz archive: unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive: unpack it"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file: save the sheet as CSV"),
    (b"\x93NUMPY", "a numpy array"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"GGUF", "a GGUF file, which llama.cpp reads"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"8BPS", "a Photoshop file: export it as PNG or JPEG"),
    (b"\xff\x0a", "a JPEG XL picture: convert it to PNG or JPEG"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture: convert it to PNG or JPEG"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture: convert it to PNG or JPEG"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture: convert it to PNG or JPEG"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file: develop it to JPEG"),
    (b"IIRO", "a camera's raw file: develop it to JPEG"),
    (b"IIU\x00", "a camera's raw file: develop it to JPEG"),
    (b"%!PS", "PostScript, which can carry code: convert it to PNG"),
    (b"\x00\x00\x01\x00", "an icon: convert it to PNG"),
)
_HEIF: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
_PAGES: Final = (b"<!doctype html", b"<html", b"<head", b"<body")


def describe_content(head: bytes) -> str | None:
    """Say what a file with these first bytes is, and what helps; None where they do not tell."""
    for magic, what in _MAGIC:
        if head.startswith(magic):
            return what
    if head[4:8] == b"ftyp":
        if head[8:12] in _HEIF:
            return "an HEIC photo: convert it to JPEG"
        return None if head[8:12] in (b"avif", b"avis") else "a film: take pictures out of it"
    if head[:4] == b"PK\x03\x04":
        if b"xl/" in head or b"[Content_Types].xml" in head:
            return "an Excel workbook: save the sheet as CSV"
        return "a zip archive"
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_PAGES) or (text.startswith(b"<?xml") and b"<html" in text):
        return "a web page, such as a download leaves that needed a login"
    if text.startswith(b"<svg") or (text.startswith(b"<?xml") and b"<svg" in text):
        return "an SVG drawing: draw it as PNG"
    if text.startswith(b'{"error"') or (text.startswith(b"<?xml") and b"<error" in text):
        return "an error message of the server that it came from: fetch it again"
    return None


def first_bytes(path: Path) -> bytes:
    """Return the first bytes of a regular file; nothing of what is none, which may wait for ever.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(HEAD)


def hash_file(path: Path) -> bytes:
    """Return the SHA-256 of a file's bytes.

    Raises:
        OSError: for a file that cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()

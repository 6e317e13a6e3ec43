"""Which files of a folder are pictures, and which are left behind by other programs."""

import os
from pathlib import PurePath
from typing import Final

from mapcap.datasets.content import HEAD

SUFFIXES: Final = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".mpo", ".png", ".apng", ".webp", ".gif",
        ".bmp", ".dib", ".tif", ".tiff", ".avif", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm",
        # Read by nobody here, and yet somebody's photos: recorded with the reason.
        ".heic", ".heif", ".jxl", ".jp2", ".j2k", ".psd", ".svg", ".ico", ".tga", ".dng", ".cr2",
        ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2", ".pef", ".srw",
    }
)  # fmt: skip
_OTHERS: Final = frozenset(
    {
        ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".md", ".html", ".htm",
        ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".py", ".ipynb", ".npy", ".npz", ".pt", ".pth",
        ".h5", ".mat", ".pkl", ".parquet", ".zip", ".gz", ".tar", ".7z", ".rar", ".mp4", ".mov",
        ".avi", ".mkv", ".mp3", ".wav", ".db", ".sqlite", ".log", ".ini", ".cfg", ".sh", ".bat",
        ".exe", ".dll", ".so", ".xmp", ".thm", ".aae", ".lnk", ".url", ".ds_store",
    }
)  # fmt: skip
_HELPER_FOLDERS: Final = frozenset(
    {
        "@eadir", "@tmp", "@recycle", "@recently-snapshot", "@__thumb", "#recycle", "#snapshot",
        "__macosx", "$recycle.bin", "recycler", "system volume information", "lost+found",
        "found.000", "__pycache__", "network trash folder", "temporary items", "_gsdata_",
    }
)  # fmt: skip
_HELPER_FILES: Final = frozenset(
    {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "icon\r"}
)
_HELPER_BEGINNINGS: Final = ("._", "~$", "synophoto_thumb", "synofile_thumb")
_UNFINISHED: Final = (".part", ".crdownload", ".download", ".tmp")
_MAGIC: Final = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",
    b"MM\x00*",
)


def is_helper(name: str) -> bool:
    """Tell whether a file or folder was left by a NAS, a camera, an archive or a desktop."""
    lower = name.lower()
    return (
        lower in _HELPER_FOLDERS
        or lower in _HELPER_FILES
        or lower.startswith(_HELPER_BEGINNINGS)
        or lower.endswith(_UNFINISHED)
    )


def is_picture(entry: os.DirEntry[str]) -> bool:
    """Tell whether a regular file is a picture: by its ending, or by content if that is unknown."""
    suffix = PurePath(entry.name).suffix.lower()
    if suffix in SUFFIXES:
        return is_file(entry)
    return suffix not in _OTHERS and is_file(entry) and _begins_as_picture(entry.path)


def is_file(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a regular file or a link to one: not a pipe, not a broken link."""
    try:
        return entry.is_file()
    except OSError:  # a link in a circle
        return False


def looks_like_picture(name: str) -> bool:
    """Tell by its ending alone whether a file is a picture, one that is not there perhaps."""
    return PurePath(name).suffix.lower() in SUFFIXES


def _begins_as_picture(path: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (a million files: no path objects)
            head = file.read(HEAD)
    except OSError:
        return False
    if head.startswith(_MAGIC):
        return True
    return (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:12] in (
        b"ftypavif", b"ftypavis", b"ftypheic", b"ftypmif1",
    )  # fmt: skip

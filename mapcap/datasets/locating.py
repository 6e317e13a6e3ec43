"""Photos that a table names: where they are, as other systems and programs write their paths."""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote

from mapcap.datasets.records import composed, shown

_DRIVE: Final = re.compile(r"/?[A-Za-z]:/")


def _folded(name: str) -> str:
    """Return a file's name as it is where case, Unicode form and blanks at the end do not count."""
    return composed(name).casefold().rstrip(" .")


def _of_url(written: str) -> str | None:
    """Return the path that a URL of this machine's files means; None for what is none."""
    if not written.lower().startswith("file:/"):
        return None
    # An empty host, localhost, or none at all: file:///a, file://localhost/a, file:/a.
    path = written[len("file:") :]
    path = "/" + path[2:].partition("/")[2] if path.startswith("//") else path
    return unquote(path)


class _Folder:
    """The names in a folder, listed once: a table may name a million files of it."""

    def __init__(self, path: Path) -> None:
        self.names: frozenset[str] = frozenset()
        try:
            self.names = frozenset(os.listdir(path))  # noqa: PTH208 (names alone: no paths built)
            self.listed = True
        except (OSError, ValueError):  # ValueError: a null byte
            self.listed = False
        self._alike: dict[str, list[str]] | None = None
        self._stems: dict[str, list[str]] | None = None

    def alike(self, name: str) -> str | None:
        """Return the one name that differs from `name` in case, form or blanks alone."""
        if self._alike is None:
            self._alike = {}
            for each in self.names:
                self._alike.setdefault(_folded(each), []).append(each)
        names = self._alike.get(_folded(name), [])
        return names[0] if len(names) == 1 else None

    def with_ending(self, stem: str) -> str | None:
        """Return the one name that is `stem` and an ending."""
        if self._stems is None:
            self._stems = {}
            for each in self.names:
                self._stems.setdefault(each.rpartition(".")[0], []).append(each)
        names = self._stems.get(stem, [])
        return names[0] if len(names) == 1 else None


class Finder:
    """Finds the photos that a table in `folder` names.

    A path is taken as it stands, then with the slashes of this system, then by its end where it
    begins on another machine, then without regard to case and Unicode form, then without ending.
    """

    def __init__(self, folder: Path) -> None:
        self.notes: list[str] = []
        self._folder = folder
        self._folders: dict[str, _Folder] = {}
        self._cut: tuple[str, int] | None = None

    def find(self, written: str) -> tuple[Path, str, bool]:
        """Return where a photo is, its path relative to the folder, and whether it is there."""
        slashes = written.replace("\\", "/")
        local = _of_url(slashes)
        for text in dict.fromkeys((written, slashes, *([local] if local else []))):
            path = self._folder / text
            if self._is_there(path):
                return path, PurePosixPath(text).as_posix(), True
        slashes = local or slashes
        elsewhere = slashes.startswith("/") or _DRIVE.match(slashes) is not None
        relative = self._by_end(slashes) if elsewhere else self._forgiving(slashes)
        if relative is not None:
            return self._folder / relative, relative, True
        return self._folder / slashes, PurePosixPath(slashes).as_posix(), False

    def _is_there(self, path: Path) -> bool:
        folder = self._listing(path.parent)
        return path.name in folder.names if folder.listed else os.path.isfile(path)  # noqa: PTH113

    def _listing(self, path: Path) -> _Folder:
        key = str(path)
        if key not in self._folders:
            self._folders[key] = _Folder(path)
        return self._folders[key]

    def _by_end(self, written: str) -> str | None:
        """Return a path of another machine as one from this folder, by the longest end there is."""
        parts = [part for part in written.split("/") if part]
        if self._cut is not None:
            start, cut = self._cut
            relative = self._forgiving("/".join([*([start] if start else []), *parts[cut:]]))
            if relative is not None:
                return relative
        for cut in range(len(parts)):
            for start in ("", ".."):
                relative = self._forgiving("/".join([*([start] if start else []), *parts[cut:]]))
                if relative is None:
                    continue
                if self._cut is None:
                    before = "/".join(parts[:cut])
                    place = shown((self._folder / start).resolve())
                    self.notes.append(
                        f"paths that begin with {shown(before)} are looked for in {place}"
                    )
                    self._cut = start, cut
                return relative
        return None

    def _forgiving(self, relative: str) -> str | None:
        """Return the path that is there and differs in case, form, blanks or the ending alone."""
        place, steps = self._folder, list[str]()
        parts = PurePosixPath(relative).parts
        for at, part in enumerate(parts):
            folder = self._listing(place)
            name: str | None = part
            if part != ".." and part not in folder.names:
                name = folder.alike(part)
                if name is None and at == len(parts) - 1:
                    name = folder.with_ending(part)
            if name is None:
                return None
            steps.append(name)
            place = place / name
        return "/".join(steps) if steps else None

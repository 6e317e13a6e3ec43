"""Fetching a data set: archives downloaded or given, checked, unpacked, and moved to their place.

All of it happens in OUT/.mapcap-fetch, which also records what came from where. Nothing else in OUT
is touched before the last step, and nothing is deleted that was not written there.
"""

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from mapcap.datasets.published import catalogue
from mapcap.datasets.published.catalogue import ALL, Archive, Part, Published
from mapcap.datasets.published.download import Progress, download, leftovers, received
from mapcap.datasets.published.record import (
    LOCK,
    WORK,
    Fetched,
    Source,
    is_ours,
    read_record,
    write_record,
)
from mapcap.datasets.published.unpacking import unpack
from mapcap.errors import UserError, closest

_PHOTOS: Final = frozenset({".jpg", ".jpeg"})
_BLOCK: Final = 1 << 20
_MEGA: Final = 1_000_000
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Watcher(Progress, Protocol):
    """What hears of a fetch."""

    def downloading(self, url: str, megabytes: float) -> None:
        """A download begins, of about so many megabytes."""

    def unpacking(self, file: Path, size: int) -> None:
        """An archive of so many bytes is unpacked."""

    def note(self, line: str) -> None:
        """Something to tell."""


def fetch(
    name: str, out: Path, classes: str | None, given: Sequence[Path], watcher: Watcher
) -> tuple[Fetched, bool]:
    """Bring a published data set into the folder `out`; return its record, and if it is new.

    `given` are its archives, where they are on this machine already: they are read only.

    Raises:
        UserError: unknown names, a folder that holds something else, archives that cannot be had
            or are not what they should be, or a disk with too little room.
    """
    published, part = _find_part(name, classes)
    wanted = Fetched(name, classes or ALL)
    _check_given(published, given)
    work = out / WORK
    begun = _standing(out, work, wanted)
    if begun is not None and begun.step == "done":
        return begun, False
    try:
        if begun is None or begun.step == "begun":
            if not given:
                _check_room(out, published, part, work)
            work.mkdir(parents=True, exist_ok=True)
        with _alone(work):
            return _carry_out(begun or wanted, published, part, work, given, watcher), True
    except OSError as error:
        if error.errno in _FULL:
            raise UserError(
                f"--out {out}: the disk is full. Make room, and the same command goes on; or name "
                "a folder on another disk."
            ) from error
        raise UserError(
            f"--out {out}: {error.filename or work} cannot be written ({error.strerror or error}). "
            "Mend it, and the same command goes on; or name another folder."
        ) from error


def _find_part(name: str, classes: str | None) -> tuple[Published, Part]:
    published = catalogue.CATALOGUE.get(name)
    if published is None:
        raise UserError(f"{name}: no such data set. {closest(name, catalogue.CATALOGUE)}")
    part = published.parts.get(ALL if classes is None else classes)
    if part is None:
        raise UserError(
            f"--classes {classes}: {name} comes as {' or '.join(published.parts)}; leave it out "
            "for all."
        )
    return published, part


def _check_given(published: Published, given: Sequence[Path]) -> None:
    expected = len(published.archives)
    if given and len(given) != expected:
        names = ", ".join(archive.url.rpartition("/")[2] for archive in published.archives)
        raise UserError(f"--from: give it {expected} times, once for each of {names}.")
    for path in given:
        if not path.is_file():
            raise UserError(f"--from {path}: there is no such file. Check the path.")


def _standing(out: Path, work: Path, wanted: Fetched) -> Fetched | None:
    """Return how far an earlier fetch into `out` came; None where the folder is new or empty.

    Raises:
        UserError: it holds something else.
    """
    try:
        held = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
        if out.exists() and not out.is_dir():
            raise UserError(f"--out {out}: is no folder. Name a new one.")
    except OSError as error:
        raise UserError(f"--out {out}: cannot be read ({error.strerror}). Name another.") from error
    begun = read_record(work)
    if begun is None and (held - {WORK} or not is_ours(work)):
        raise UserError(
            f"--out {out}: holds files that mapcap fetch did not write, and they are left alone. "
            "Name a new or an empty folder."
        )
    if begun is not None and (begun.dataset, begun.classes) != (wanted.dataset, wanted.classes):
        raise UserError(
            f"--out {out}: holds {begun.dataset} (classes: {begun.classes}). Name another folder."
        )
    if begun is not None and begun.step == "begun" and held - {WORK}:
        raise UserError(
            f"--out {out}: beside the download that was begun there are other files, and they are "
            "left alone. Move them, or name another folder."
        )
    return begun


def _check_room(out: Path, published: Published, part: Part, work: Path) -> None:
    """Refuse a disk on which the data set has no room, before anything is downloaded.

    Raises:
        UserError: saying how much is needed and how much there is.
    """
    whole = sum(archive.megabytes for archive in published.archives)
    there = sum(received(file) for file in _files(work, published))
    needed = max(0.0, whole - there / _MEGA) + part.megabytes
    place = next((each for each in (out, *out.absolute().parents) if each.is_dir()), Path())
    free = shutil.disk_usage(place).free / _MEGA
    if free < needed:
        raise UserError(
            f"--out {out}: about {needed:,.0f} MB are needed and {free:,.0f} MB are free. Name a "
            "folder on another disk."
        )


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Hold the folder against a second fetch, where the system has locks.

    Raises:
        UserError: another one is at work.
    """
    with (work / LOCK).open("w") as lock:
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"--out {work.parent}: another mapcap fetch is at work there. Wait for it."
            ) from None
        yield


def _carry_out(
    standing: Fetched,
    published: Published,
    part: Part,
    work: Path,
    given: Sequence[Path],
    watcher: Watcher,
) -> Fetched:
    """Do what is left to do, step by step, and record each."""
    unpacked = work / "unpacked"
    if standing.step == "begun":
        write_record(work, standing)
        sources = []
        if unpacked.is_dir() and not unpacked.is_symlink():
            shutil.rmtree(unpacked)  # what an interrupted call unpacked
        unpacked.mkdir()
        files = list(given) or _files(work, published)
        for archive, file in zip(published.archives, files, strict=True):
            sources.append(_archive(archive, file, watcher, is_given=bool(given)))
        for file in files:
            watcher.unpacking(file, file.stat().st_size)
            unpack(file, unpacked, part.place, _advancing(watcher))
        for name, text in part.texts.items():
            (unpacked / name).write_text(text, "utf-8")
        images = sum(path.suffix.lower() in _PHOTOS for path in unpacked.rglob("*"))
        _check_images(images, part, files)
        standing = replace(standing, step="unpacked", images=images, sources=tuple(sources))
        write_record(work, standing)
    _move(unpacked, work.parent)
    for file in _files(work, published):
        for each in leftovers(file):
            each.unlink(missing_ok=True)
    return write_record(work, replace(standing, step="done"))


def _files(work: Path, published: Published) -> list[Path]:
    """Return where the archives are downloaded to."""
    return [work / archive.url.rpartition("/")[2] for archive in published.archives]


def _archive(archive: Archive, file: Path, watcher: Watcher, *, is_given: bool) -> Source:
    """Download an archive unless it is there, and check it.

    Raises:
        UserError: the download has not the published checksum.
    """
    if not is_given and not file.exists():
        watcher.downloading(archive.url, archive.megabytes)
        download(archive.url, file, watcher)
    sha256, md5 = _digests(file)
    checked = archive.md5 is not None and md5 == archive.md5
    if archive.md5 is not None and not checked:
        if not is_given:
            file.unlink()
            raise UserError(
                f"{archive.url}: what came has the MD5 {md5}, and {archive.md5} is published. It "
                "is removed: fetch it again, or get it elsewhere and give it with --from FILE."
            )
        watcher.note(
            f"{file} is not the published archive (MD5 {md5}, not {archive.md5}): it is taken for "
            "what is in it"
        )
    return Source(str(file) if is_given else archive.url, file.stat().st_size, sha256, checked)


def _digests(file: Path) -> tuple[str, str]:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            sha256.update(block)
            md5.update(block)
    return sha256.hexdigest(), md5.hexdigest()


def _advancing(progress: Progress) -> Callable[[int], None]:
    """Return what turns the place in a file into progress."""
    furthest = 0

    def at(position: int) -> None:
        nonlocal furthest
        progress.advance(max(0, position - furthest))
        furthest = max(furthest, position)

    return at


def _check_images(images: int, part: Part, files: Sequence[Path]) -> None:
    if not images or (part.images is not None and images != part.images):
        expected = "some" if part.images is None else f"{part.images:,}"
        raise UserError(
            f"{', '.join(map(str, files))}: {images:,} of the data set's photos are in it, where "
            f"{expected} are expected. Is it another archive? Give the published one with "
            "--from FILE."
        )


def _move(unpacked: Path, out: Path) -> None:
    """Move what is unpacked to its place; what an interrupted call has moved is there already.

    Raises:
        UserError: something of the same name came there meanwhile.
    """
    if not unpacked.is_dir():
        return
    for path in sorted(unpacked.iterdir()):
        target = out / path.name
        if target.exists() or target.is_symlink():
            raise UserError(f"--out {target}: came there meanwhile. Move it, and fetch again.")
        path.rename(target)
    unpacked.rmdir()

"""Fifty readers while a job writes: no lock error, no traceback; and a long job's memory is flat.

The long job is one of many small photos, 500 in a class, with a CLIP of one small block, so that
its time is MapCap's own, and two readers. Its memory is looked at each second: in its second half
it holds at most a fifth more than in its first.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from scripts.prove._base import CLASSES, make_photos
from scripts.prove._calling import call, commands, faults_of, quiet_environment
from scripts.prove._forked import start, warm
from scripts.prove._small_clip import write_small_clip
from scripts.prove._tally import Tally, options

_COUNT = 1_000
_READERS, _READERS_OF_MANY = 50, 2
_PHOTOS = 100_000
_GROWTH = 1.2
_OF_A_CLASS = 500
_COLOURS = ("red", "green", "blue", "yellow", "black", "white", "grey", "brown")
_THINGS = ("dot", "stripe", "square", "cloud", "corner", "edge", "cross", "line")
_POLITE = 14
"""Readers come after the job, or that many of them leave it no processor."""


def main(argv: list[str]) -> int:
    """Read while a job writes; return 1 if a reader was refused, or memory grew."""
    parser = options("load", __doc__, _COUNT)
    parser.add_argument("--readers", type=int, default=_READERS, help="at once")
    parser.add_argument(
        "--photos", type=int, default=_PHOTOS,
        help="small photos of the long job (default %(default)s; 0: there is none)",
    )  # fmt: skip
    given = parser.parse_args(argv)
    quiet_environment()
    with tempfile.TemporaryDirectory() as folder:
        place, tally = Path(folder), Tally("load")
        photos, number = make_photos(place / "photos"), given.seed
        while tally.tried.total() < given.count:
            _job(place, _index(photos, place / f"{number}.db"), given.readers, number, tally)
            number += 1
        if given.photos:
            _job(place, _small_index(place, given.photos, number), _READERS_OF_MANY, number, tally)
        return tally.report(given.seed)


@dataclass(frozen=True)
class _Job:
    """A command that fills a store, what it does first, and whether its memory is to be flat."""

    command: list[str]
    first: Callable[[], None]
    flat: bool


def _index(photos: Path, store: Path) -> _Job:
    return _Job(["index", str(photos), "--db", str(store), "--batch-size", "4"], warm, flat=False)


def _small_index(place: Path, count: int, number: int) -> _Job:
    clip, phrases = place / "clip", place / "phrases.txt"
    phrases.write_text("\n".join(f"a {a} {b}" for a in _COLOURS for b in _THINGS))
    command = ["index", str(_small(place / "small", count)), "--db", str(place / f"{number}.db")]
    command += ["--model", f"local-dir:{clip}", "--captioner", f"phrases:{phrases}"]
    # In the child: what has computed with torch cannot be forked.
    return _Job(command, lambda: write_small_clip(clip), flat=True)


def _job(place: Path, job: _Job, readers: int, number: int, tally: Tally) -> None:
    """Let readers run commands on a store while a job fills it, and count how all of it went."""
    store, said, notes = place / f"{number}.db", place / "said", place / "notes"
    # Readers first: they load no torch.
    children = [_reader(store, notes, number * 1_000 + i) for i in range(readers)]
    memory = _watch(start(job.command, said, job.first))
    code = os.waitstatus_to_exitcode(memory.pop("code"))
    (place / "ended").touch()
    for child in children:
        os.waitpid(child, 0)
    (place / "ended").unlink()
    for line in notes.read_text().splitlines() if notes.exists() else []:
        kind, _, fault = line.partition("\t")
        if fault:
            tally.failed(kind, number, fault)
        else:
            tally.passed(kind)
    notes.unlink(missing_ok=True)
    kind = "job of many photos" if job.flat else "job"
    if code or (job.flat and memory["late"] > _GROWTH * memory["early"]):
        tally.failed(kind, number, f"{code}, {memory}: {said.read_text()[-300:]}")
    else:
        tally.passed(kind)
    print(f"{kind} {number}: MB at most {memory}", flush=True)
    for left in place.glob(f"{number}.db*"):
        left.unlink()


def _reader(store: Path, notes: Path, seed: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.nice(_POLITE)
        chance, out = random.Random(seed), store.with_name(f"out-{seed}")
        out.mkdir()
        names = (list(CLASSES), [f"{CLASSES[0]}/crow.webp"])
        while not (store.parent / "ended").exists():
            if not store.exists():
                time.sleep(0.2)
                continue
            arguments = chance.choice(commands(store, out, *names, chance)[:-1])
            done = call(*arguments)
            faults = faults_of(done, arguments)
            if "locked" in done.err or "damaged" in done.err:
                faults.append(done.err.strip())
            for left in out.iterdir():
                left.unlink()
            with notes.open("a") as file:
                file.write(f"{arguments[0]}\t{ascii('; '.join(faults)) if faults else ''}\n")
    finally:
        os._exit(0)


def _watch(writer: int) -> dict[str, int]:
    """Return the most memory of a process, in MB, in the first and second half of its life."""
    taken = list[int]()
    while True:
        ended, status = os.waitpid(writer, os.WNOHANG)
        if ended:
            break
        pages = int(Path(f"/proc/{writer}/statm").read_text().split()[1])
        taken.append(pages * os.sysconf("SC_PAGE_SIZE") >> 20)
        time.sleep(1)
    half = len(taken) // 2
    return {
        "early": max(taken[:half], default=0), "late": max(taken[half:], default=0), "code": status
    }  # fmt: skip


def _small(folder: Path, count: int) -> Path:
    """Write small noise, in the classes that the readers ask for and others."""
    chance = random.Random(0)
    names = [*CLASSES, *(f"class {n}" for n in range(len(CLASSES), count // _OF_A_CLASS))]
    for place, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for number in range(place, count, len(names)):
            picture = Image.frombytes("RGB", (8, 8), chance.randbytes(192)).resize((40, 40))
            picture.save(folder / name / f"{number}.jpg")
    return folder

"""Fifty readers while a job writes: no lock error, no traceback; and a long job's memory is flat.

The long job is one of many small photos, 500 in a class, with a CLIP of one small block, so that
its time is MapCap's own, and two readers. It takes at most a fifth more memory than one of a fifth
as many photos: of the default, both have more than the audit's sample of a run.
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
from scripts.prove._calling import SECONDS, call, commands, faults_of, quiet_environment
from scripts.prove._forked import start, warm
from scripts.prove._small_clip import write_small_clip
from scripts.prove._tally import Tally, options

_COUNT = 1_000
_READERS, _READERS_OF_MANY = 50, 2
_PHOTOS = 100_000
_GROWTH, _PART = 1.2, 5
_OF_A_CLASS = 500
_COLOURS = ("red", "green", "blue", "yellow", "black", "white", "grey", "brown")
_THINGS = ("dot", "stripe", "square", "cloud", "corner", "edge", "cross", "line")
_PATIENT = 120.0
"""Seconds of the processor that a command may take on the file of many photos: exports are long."""
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
            sizes = (given.photos // _PART, given.photos)
            few, many = (
                _job(
                    place,
                    _small_index(place, size, number + i),
                    _READERS_OF_MANY,
                    number + i,
                    tally,
                )
                for i, size in enumerate(sizes)
            )
            if many > _GROWTH * few:
                tally.failed(
                    "memory", number, f"{many} MB of {sizes[1]} photos, {few} of {sizes[0]}"
                )
            else:
                tally.passed("memory")
        return tally.report(given.seed)


@dataclass(frozen=True)
class _Job:
    """A command that fills a store, what it does first, and how long readers of it may take."""

    command: list[str]
    first: Callable[[], None]
    seconds: float = SECONDS


def _index(photos: Path, store: Path) -> _Job:
    return _Job(["index", str(photos), "--db", str(store), "--batch-size", "4"], warm)


def _small_index(place: Path, count: int, number: int) -> _Job:
    clip, phrases = place / f"clip-{number}", place / "phrases.txt"
    phrases.write_text("\n".join(f"a {a} {b}" for a in _COLOURS for b in _THINGS))
    photos = _small(place / f"small-{count}", count)
    command = ["index", str(photos), "--db", str(place / f"{number}.db")]
    command += ["--model", f"local-dir:{clip}", "--captioner", f"phrases:{phrases}"]
    # In the child: what has computed with torch cannot be forked.
    return _Job(command, lambda: write_small_clip(clip), _PATIENT)


def _job(place: Path, job: _Job, readers: int, number: int, tally: Tally) -> int:
    """Let readers run commands on a store while a job fills it; return the most MB it took."""
    store, said, notes = place / f"{number}.db", place / "said", place / "notes"
    # Readers first: they load no torch.
    children = [_reader(store, notes, number * 1_000 + i, job.seconds) for i in range(readers)]
    code, memory = _watch(start(job.command, said, job.first))
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
    if code:
        tally.failed("job", number, f"{code}: {said.read_text()[-300:]}")
    else:
        tally.passed("job")
    print(f"job {number}: {memory} MB at most", flush=True)
    for left in place.glob(f"{number}.db*"):
        left.unlink()
    return memory


def _reader(store: Path, notes: Path, seed: int, seconds: float) -> int:
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
            done = call(*arguments, seconds=seconds)
            faults = faults_of(done, arguments)
            if "locked" in done.err or "damaged" in done.err:
                faults.append(done.err.strip())
            for left in out.iterdir():
                left.unlink()
            with notes.open("a") as file:
                file.write(f"{arguments[0]}\t{ascii('; '.join(faults)) if faults else ''}\n")
    finally:
        os._exit(0)


def _watch(writer: int) -> tuple[int, int]:
    """Return how a process ended, and the most memory that it held, in MB."""
    most = 0
    while True:
        ended, status = os.waitpid(writer, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), most
        pages = int(Path(f"/proc/{writer}/statm").read_text().split()[1])
        most = max(most, pages * os.sysconf("SC_PAGE_SIZE") >> 20)
        time.sleep(1)


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

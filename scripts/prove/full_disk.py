"""A disk that is full at any write of `mapcap index`: one line, a whole file; with room it goes on.

The disk is a limit on the size of files, of the store's final size at most; on Linux as root a
small file system in memory instead (`--tmpfs`). With room again the store equals an undisturbed
run's, table by table.
"""

import random
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from scripts.prove._base import make_photos
from scripts.prove._compare import check_file, differences
from scripts.prove._forked import start, wait, warm_folder
from scripts.prove._remembered import keep, learn
from scripts.prove._tally import Tally, options

_COUNT = 100


def main(argv: list[str]) -> int:
    """Fill disks; return 1 if a run ended otherwise than told, or did not go on."""
    parser = options("full_disk", __doc__, _COUNT)
    parser.add_argument("--tmpfs", action="store_true", help="mount small file systems; needs root")
    given = parser.parse_args(argv)
    with warm_folder(remembering=True) as place:
        return prove(place, given.count, given.seed, tmpfs=given.tmpfs)


def prove(place: Path, count: int, seed: int, *, tmpfs: bool = False) -> int:
    """Run so many times into a disk that is full somewhere."""
    photos, whole, said = make_photos(place / "photos"), place / "whole.db", place / "said"
    made = place / "made"
    first = ["index", str(photos), "--db", str(whole), "--batch-size", "4"]
    code = wait(start(first, said, last=lambda: keep(made)))
    assert code == 0, said.read_text()
    learn(made)
    largest = whole.stat().st_size
    tally = Tally("full_disk")
    for number in range(seed, seed + count):
        size = random.Random(number).randint(8192, largest)
        disk = place / "disk"
        disk.mkdir()
        if tmpfs:
            _mount(disk, f"size={size}")
        store = disk / "store.db"
        arguments = ["index", str(photos), "--db", str(store), "--batch-size", "4"]
        code = wait(start(arguments, said, (lambda: None) if tmpfs else _limit(size)))
        kind = "room enough" if code == 0 else "full"
        faults = [] if code in (0, 2) else [f"ends with {code}: {said.read_text()[-300:]}"]
        if "Traceback" in said.read_text():
            faults.append(f"a traceback: {said.read_text()[-300:]}")
        if tmpfs:
            _mount(disk, "remount,size=64m")
        if store.exists() and store.stat().st_size:
            faults += check_file(store)
        code = wait(start(arguments, said))
        if code != 0:
            faults.append(f"with room again: {code}: {said.read_text()[-300:]}")
        else:
            faults += differences(whole, store)
        if faults:
            tally.failed(kind, number, "; ".join(faults[:3]))
        else:
            tally.passed(kind)
        if tmpfs:
            subprocess.run(["umount", str(disk)], check=True)
        for left in disk.iterdir():
            left.unlink()
        disk.rmdir()
    return tally.report(seed)


def _limit(size: int) -> Callable[[], None]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return limit


def _mount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(disk)], check=True)

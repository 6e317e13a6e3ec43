"""`mapcap index` in a process of its own: how long its stages took, and what it needed.

    python -m scripts.bench.indexes ARGUMENTS OF mapcap

runs the command and prints, as the last line, the process's peak of resident memory in bytes and
the seconds of the processor that it took.
"""

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from db import queries
from db.engine import open_read
from mapcap.errors import UserError
from scripts.bench.photos import write_photos

_ROOT: Final = Path(__file__).parents[2]
_STATUS: Final = Path("/proc/self/status")
_PEAK: Final = "VmHWM:"


@dataclass(frozen=True)
class Indexed:
    """One run of `mapcap index` with the embedded networks."""

    photos: int
    stages: dict[str, float]
    """Seconds of each stage; loading the networks is in none."""
    processor: float
    """Seconds of the processor, of all threads, with the loading."""
    peak_bytes: int
    """Most resident memory, of the process that indexed alone."""
    file_bytes: int
    table_bytes: dict[str, int]
    """Of each table and index, the pages it takes; nothing where SQLite is built without that."""

    @property
    def seconds(self) -> float:
        """The sum of its stages."""
        return sum(self.stages.values())


class Indexes:
    """Makes photos and indexes them, each set once; what it writes is below `folder`."""

    def __init__(self, folder: Path, device: str, side: int) -> None:
        self._folder, self._device, self._side = folder, device, side
        self._done: dict[Path, Indexed] = {}

    def photos(self, photos: int, classes: int) -> Path:
        """Return a folder of so many made-up photos."""
        folder = self._folder / f"{photos}-in-{classes}"
        if not folder.exists():
            write_photos(folder, photos, classes, self._side)
        return folder

    def once(self, photos: Path) -> Indexed:
        """Return what the last index of a folder took; index it if there was none."""
        return self._done.get(photos) or self.again(photos)

    def again(self, photos: Path) -> Indexed:
        """Index a folder into a new file.

        Raises:
            UserError: if the command fails, with the end of what it wrote.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            db = Path(folder) / "bench.db"
            arguments = ["index", str(photos), "--db", str(db), "--device", self._device]
            found = subprocess.run(
                [sys.executable, "-m", "scripts.bench.indexes", *arguments],
                cwd=_ROOT, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if found.returncode:
                raise UserError(f"mapcap {' '.join(arguments)} failed:\n{found.stderr[-2000:]}")
            peak, processor = found.stdout.splitlines()[-1].split()
            self._done[photos] = _read(db, float(processor), int(peak))
        return self._done[photos]


def _read(db: Path, processor: float, peak: int) -> Indexed:
    engine = open_read(db)
    run = queries.latest_run(engine)
    stages = queries.stages(engine, run.id)
    engine.dispose()
    photos = next(stage.total for stage in stages if stage.name == "images")
    seconds = {stage.name: stage.seconds for stage in stages}
    return Indexed(photos, seconds, processor, peak, db.stat().st_size, table_bytes(db))


def table_bytes(db: Path) -> dict[str, int]:
    """Return the bytes of each table and index of a file, the largest first."""
    query = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC"
    with closing(sqlite3.connect(db)) as connection, suppress(sqlite3.OperationalError):
        return dict(connection.execute(query).fetchall())
    return {}


def peak_bytes() -> int:
    """Return the most memory that this process has had resident."""
    if _STATUS.exists():
        # Linux: getrusage would count what the parent had before this program was loaded.
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(_PEAK))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def main() -> int:
    """Run `mapcap` with this process's arguments, print what it took, return the exit status."""
    from mapcap.cli import main as mapcap

    status = 0
    try:
        mapcap()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    print(peak_bytes(), time.process_time())
    return status


if __name__ == "__main__":
    sys.exit(main())

"""A catalogue of one data set, and someone who hears of a fetch."""

from pathlib import Path, PurePosixPath

from mapcap.datasets.published import Archive, Part, Published
from tests.datasets.published.serving import JPEG, zipped

BODY = zipped({f"top/cat/{n}.jpg": JPEG + bytes(range(256)) * 50 for n in range(300)})


class Silent:
    """Hears of a fetch and does nothing; `lines` are the notes."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def downloading(self, url: str, megabytes: float) -> None: ...
    def unpacking(self, file: Path, size: int) -> None: ...
    def begin(self, done: int, total: int | None) -> None: ...
    def advance(self, count: int) -> None: ...
    def broke(self, reason: str, seconds: float) -> None: ...
    def note(self, line: str) -> None:
        self.lines.append(line)


def below_top(member: PurePosixPath) -> PurePosixPath | None:
    return PurePosixPath(*member.parts[1:])


def made(url: str, images: int | None = 300, checksum: str | None = None) -> dict[str, Published]:
    """Return a catalogue of one data set."""
    parts = {"all": Part(below_top, 1, images, {"note.txt": "made\n"})}
    return {"cats": Published((Archive(url, 1, checksum),), parts, "anybody's", photos="")}

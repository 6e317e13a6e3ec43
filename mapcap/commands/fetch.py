"""`mapcap fetch`: a published data set as a folder."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mapcap.commands.base import Json, console, errors
from mapcap.datasets.published.catalogue import ALL, CATALOGUE
from mapcap.printing import pages
from mapcap.printing.progress import Bars
from mapcap.printing.tables import safe

_MEGA = 1_000_000


def fetch(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help=f"One of {', '.join(CATALOGUE)}.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="A new or empty folder. Default: called as the data set."
        ),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="PART",
            help="poster: of tiny-imagenet, the 25 classes of the poster with 100 photos each, "
            "under the poster's names. Default: all.",
        ),
    ] = None,
    archive: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="The archive, where this machine has it: nothing is downloaded. For each file of "
            "the data set, in their order.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Download a published data set, check it and unpack it into a folder.

    Where it breaks or is stopped, the same command goes on. A data set that is there is left alone.

    [cyan]mapcap fetch tiny-imagenet --classes poster[/]

    [cyan]mapcap fetch imagenette --from imagenette2-160.tgz --out photos/[/]
    """
    from mapcap.datasets.published import fetch as fetch_dataset

    part = "" if classes in (None, ALL) else f"-{classes}"
    folder = out or Path(f"{dataset}{part}")
    try:
        with _FetchBars(errors()) as shown:
            if dataset in CATALOGUE:
                shown.note(f"{dataset}: {CATALOGUE[dataset].terms}")
            fetched, new = fetch_dataset(dataset, folder, classes, archive or (), shown)
    except KeyboardInterrupt:
        errors().print("stopped; the same command goes on from there", style="yellow")
        raise typer.Exit(130) from None
    if json:
        pages.print_json({"out": str(folder), "new": new} | asdict(fetched))
        return
    photos = folder / CATALOGUE[dataset].photos
    there = "" if new else " already"
    line = (
        f"{fetched.images:,} images are in {folder}{there}. "
        f"Next: mapcap index {photos} --db {folder.name or dataset}.db"
    )
    console().print(safe(line), highlight=False, soft_wrap=True)


class _FetchBars:
    """A fetch on the terminal: a bar in megabytes for each file that comes or is unpacked."""

    def __init__(self, console: Console) -> None:
        self._console, self._bars = console, Bars(console)
        self._what, self._about = "", 0.0
        self._running, self._done = False, 0

    def __enter__(self) -> "_FetchBars":
        self._bars.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        if raised[0] is None:
            self._finish()
        self._bars.__exit__(None, None, None)

    def downloading(self, url: str, megabytes: float) -> None:
        """Name a download."""
        self._finish()
        self.note(f"{url}: about {megabytes:,.0f} MB")
        self._what, self._about = "download", megabytes

    def unpacking(self, file: Path, size: int) -> None:
        """Begin the bar of an archive."""
        self._finish()
        self._what = "unpack"
        self.begin(0, size)

    def begin(self, done: int, total: int | None) -> None:
        """Begin a bar, or begin it again where a download goes on after a break."""
        if self._running:
            self.advance(done - self._done)
            return
        whole = round(self._about if total is None else total / _MEGA)
        self._bars.begin(self._what, "MB", round(done / _MEGA), whole)
        self._running, self._done = True, done

    def advance(self, count: int) -> None:
        """Move the bar."""
        self._bars.advance(count / _MEGA)
        self._done += count

    def broke(self, reason: str, seconds: float) -> None:
        """Say why nothing comes."""
        self.note(f"{reason}: again in {seconds:.0f} s")

    def note(self, line: str) -> None:
        """Print a line."""
        self._console.print(safe(line), highlight=False, soft_wrap=True)

    def _finish(self) -> None:
        if self._running:
            self._bars.end()
        self._running = False

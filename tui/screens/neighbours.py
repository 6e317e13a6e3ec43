"""Regions like one region, by their embeddings, over the whole run."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from textual.widgets import Static
from textual.worker import get_current_worker

from db import queries
from db.records import Region, Vectors
from tui.opened import Opened
from tui.screens.regions import PAGE, RegionsScreen
from tui.texts import safe
from tui.widgets.record_table import Rows
from tui.widgets.region_list import Found, RegionList

# Few enough vectors that a search that is no longer wanted stops soon.
_CHUNK = 16384


class NeighboursScreen(RegionsScreen):
    """The nearest regions of other images, the most alike first."""

    COSINES = True
    HELP_TEXT = (
        "Regions of the whole run, the most alike first, by the cosine of their embeddings. "
        "Enter opens the image of one."
    )

    def __init__(self, opened: Opened, region: Region) -> None:
        super().__init__(opened)
        self._region = region

    def on_mount(self) -> None:
        """Begin the search."""
        self._tell(None)
        self.query_one(Rows).focus()
        # Once: `reload` does not repeat what may have read millions of embeddings.
        self.ask("search", self._search, self._show)

    def _search(self) -> tuple[list[Found], int]:
        """Read and compare all embeddings; StoreError if they cannot be read."""
        engine, kind = self.opened.engine, self.opened.representation
        query = queries.region_features(engine, [self._region.id], kind)
        if not query.ids.size:
            return [], 0
        stored = queries.region_embeddings(engine, self.opened.run.id, kind, chunk=_CHUNK)
        worker = get_current_worker()
        # One image has a few regions of each role; they are skipped below.
        ids, cosines, searched = nearest(
            stored, query.vectors[0], PAGE + 16, lambda: worker.is_cancelled
        )
        like = dict(zip(ids.tolist(), cosines.tolist(), strict=True))
        regions = queries.regions_by_id(engine, list(like))
        others = [region for region in regions if region.image_id != self._region.image_id]
        return [Found(region, like[region.id]) for region in others[:PAGE]], searched

    def _show(self, answer: tuple[list[Found], int]) -> None:
        found, searched = answer
        self._tell(searched)
        self.query_one(RegionList).show(found)

    def _tell(self, searched: int | None) -> None:
        title = Text.assemble(
            ("regions like ", "dim"),
            safe(self._region.caption or "this one", "bold", longest=50),
            (" of ", "dim"),
            safe(self._region.class_name, "bold", longest=40),
        )
        if searched is None:
            title.append("   searching …", style="yellow")
        elif searched:
            title.append(f"   {searched:,} regions searched", style="dim")
        else:
            title.append("   this region has no embedding yet", style="yellow")
        self.query_one("#title", Static).update(title)


def nearest(
    stored: Iterable[Vectors],
    query: NDArray[np.floating[Any]],
    k: int,
    stopped: Callable[[], bool] = lambda: False,
) -> tuple[NDArray[np.int64], NDArray[np.float32], int]:
    """Return the ids (k,) and cosines (k,) of the k nearest of all vectors, and how many were seen.

    `query` (D,) is L2-normalised, as the stored vectors are. Ends early when `stopped` says so.
    """
    ids, cosines = np.empty(0, np.int64), np.empty(0, np.float32)
    searched = 0
    wide = query.astype(np.float32)
    for chunk in stored:
        if stopped():
            break
        searched += chunk.ids.size
        # (k + n,): the best so far beside the new ones
        ids = np.concatenate([ids, chunk.ids])
        cosines = np.concatenate([cosines, chunk.vectors.astype(np.float32) @ wide])
        best = np.argsort(-cosines, kind="stable")[:k]
        ids, cosines = ids[best], cosines[best]
    return ids, cosines, searched

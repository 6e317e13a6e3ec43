"""`--decoding rerank`: of several captions of a region, the one that the CLIP finds nearest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import torch

from mapcap.colours import (
    RegionColours,
    colours_are_there,
    first_colour_is_large,
    of_the_thing_itself,
    surroundings_are_there,
)
from mapcap.networks.captioners.base import Needs, RegionBatch, features_of
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption, ClipCap
from mapcap.texts.captions import caption_cosines, tidy
from mapcap.texts.humans import names_human

BEAMS: Final = 8
"""Captions of each region that are chosen among."""
LIKELY: Final = 0.15
"""Cosines that a nat of mean log-probability weighs: a caption may be near and make no sense."""
UNTRUE: Final = 0.1
"""Cosines that it costs to name a colour of the thing that the region's pixels do not have, or one
of its surroundings that the picture does not have."""
SMALL: Final = 0.06
"""Cosines that it costs to call the thing itself by a colour that is none of its two largest."""
SURE: Final = 2 / 3
"""Share of the beams' probability that those with a human must have: to invent one is worse."""


@dataclass(frozen=True)
class RerankedCaptioner:
    """Captions features by beam search, and keeps the best of each region's beams.

    The best has the largest sum of its cosine with the region in the CLIP's joint space (CLIPScore,
    Hessel et al. 2021, arXiv 2104.08718) and `LIKELY` times its mean log-probability, less what its
    colours cost if the pixels do not bear them out. So the text tower mends what a small decoder
    does not know, which needs only to come near to the right word, and the pixels what a feature of
    the region tells too little of. Beams are all different; of draws most were the same. Whether
    there is a human is not the text tower's to say, to which a sentence with one is near to too
    much: the beams that name one are kept if they have most of the probability of all, else the
    others.
    """

    clipcap: ClipCap
    clip: Clip
    needs: ClassVar[Needs] = "coloured features"
    batch_size: ClassVar[int] = 256

    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions' features, in order.

        Raises:
            ValueError: the batch has no features.
        """
        features = features_of(batch)  # (B, D)
        rows = [
            [tidy(caption) for caption in row] for row in self.clipcap.likeliest(features, BEAMS)
        ]
        captions = [caption for row in rows for caption in row]  # region after region
        cosines = caption_cosines(
            self.clip,
            [caption.text for caption in captions],
            features.repeat_interleave(BEAMS, 0),
        )
        likely = torch.tensor([caption.log_probability for caption in captions])
        colours = batch.colours or [None] * len(rows)
        costs = torch.tensor(
            [
                _colour_cost(caption.text, seen)
                for row, seen in zip(rows, colours, strict=True)
                for caption in row
            ]
        )
        scores = (cosines + LIKELY * likely - costs).view(-1, BEAMS)  # (B, K)
        shown = torch.tensor([_agree_on_humans(row) for row in rows], dtype=torch.bool)
        best = scores.masked_fill(~shown.view(-1, BEAMS), -torch.inf).argmax(1).tolist()
        return [row[place] for row, place in zip(rows, best, strict=True)]


def _agree_on_humans(row: Sequence[Caption]) -> list[bool]:
    """Tell which of a region's beams say of a human, there or not, what is probable enough."""
    p = torch.tensor([each.log_probability * len(each.token_ids) for each in row]).softmax(0)
    named = torch.tensor([names_human(each.text) for each in row])
    agree: list[bool] = (named == (p[named].sum() > SURE)).tolist()
    return agree


def _colour_cost(text: str, seen: RegionColours | None) -> float:
    if seen is None:
        return 0.0
    untrue = colours_are_there(text, seen.region) is False
    small = first_colour_is_large(of_the_thing_itself(text), seen.region) is False
    elsewhere = surroundings_are_there(text, seen.picture) is False
    return UNTRUE * (untrue + elsewhere) + SMALL * small

"""`--decoding rerank`: of several captions of a region, the one that the CLIP finds nearest."""

from dataclasses import dataclass
from typing import ClassVar, Final

import torch

from mapcap.colours import (
    Shares,
    colours_are_there,
    first_colour_is_large,
    of_the_thing_itself,
)
from mapcap.networks.captioners.base import Needs, RegionBatch, features_of
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption, ClipCap
from mapcap.texts.captions import caption_cosines, tidy

SAMPLES: Final = 8
"""Captions that are drawn of each region, beside the greedy one."""
LIKELY: Final = 0.15
"""Cosines that a nat of mean log-probability weighs: a sample may be near and make no sense."""
UNTRUE: Final = 0.1
"""Cosines that it costs to name a colour that the region's pixels do not have."""
SMALL: Final = 0.06
"""Cosines that it costs to call the thing itself by a colour that is none of its two largest."""


@dataclass(frozen=True)
class RerankedCaptioner:
    """Captions features greedily and by nucleus samples, and keeps the best of each region's.

    The best has the largest sum of its cosine with the region in the CLIP's joint space (CLIPScore,
    Hessel et al. 2021, arXiv 2104.08718) and `LIKELY` times its mean log-probability, less
    what its colours cost if the region's pixels do not bear them out; the greedy one where sums are
    equal. So the text tower mends what a small decoder does not know, which needs only to say the
    right word now and then, and the pixels what a feature of the region tells too little of.
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
        tries = self.clipcap.tries(features, SAMPLES)
        captions = [tidy(caption) for each in tries for caption in each]  # try after try
        cosines = caption_cosines(
            self.clip, [caption.text for caption in captions], features.repeat(len(tries), 1)
        )
        likely = torch.tensor([caption.log_probability for caption in captions])
        colours = list(batch.colours or [None] * len(features)) * len(tries)
        costs = torch.tensor(
            [_cost(caption.text, each) for caption, each in zip(captions, colours, strict=True)]
        )
        scores = (cosines + LIKELY * likely - costs).view(len(tries), -1)  # (T, B)
        best = scores.argmax(0).tolist()
        return [captions[t * len(best) + i] for i, t in enumerate(best)]


def _cost(text: str, shares: Shares | None) -> float:
    if shares is None:
        return 0.0
    untrue = colours_are_there(text, shares) is False
    small = first_colour_is_large(of_the_thing_itself(text), shares) is False
    return UNTRUE * untrue + SMALL * small

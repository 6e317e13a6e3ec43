"""`--decoding rerank`: of several captions of a region, the one that the CLIP finds nearest."""

from dataclasses import dataclass
from typing import ClassVar, Final

import torch

from mapcap.networks.captioners.base import Needs, RegionBatch, features_of
from mapcap.networks.clip import Clip
from mapcap.networks.clipcap import Caption, ClipCap
from mapcap.texts.captions import caption_cosines, tidy

SAMPLES: Final = 4
"""Captions that are drawn of each region, beside the greedy one."""
LIKELY: Final = 0.18
"""Cosines that a nat of mean log-probability weighs: a sample may be near and make no sense."""


@dataclass(frozen=True)
class RerankedCaptioner:
    """Captions features greedily and by nucleus samples, and keeps the best of each region's.

    The best has the largest sum of its cosine with the region in the CLIP's joint space (CLIPScore,
    Hessel et al. 2021, arXiv 2104.08718) and `LIKELY` times its mean log-probability; the greedy
    one where sums are equal. So the text tower mends what a small decoder does not know: it needs
    only to say the right word now and then.
    """

    clipcap: ClipCap
    clip: Clip
    needs: ClassVar[Needs] = "features"
    batch_size: ClassVar[int] = 256

    def caption(self, batch: RegionBatch) -> list[Caption]:
        """Caption the regions' features, in order.

        Raises:
            ValueError: the batch has no features.
        """
        features = features_of(batch)  # (B, D)
        tries = [self.clipcap.generate(features)]
        tries += [
            self.clipcap.generate(features, method="nucleus", seed=seed) for seed in range(SAMPLES)
        ]
        captions = [tidy(caption) for each in tries for caption in each]  # try after try
        cosines = caption_cosines(
            self.clip, [caption.text for caption in captions], features.repeat(len(tries), 1)
        )
        likely = torch.tensor([caption.log_probability for caption in captions])
        scores = (cosines + LIKELY * likely).view(len(tries), -1)  # (T, B)
        best = scores.argmax(0).tolist()
        return [captions[t * len(best) + i] for i, t in enumerate(best)]

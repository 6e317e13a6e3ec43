"""What each patch says by itself: the last block without mixing, then the head, against the text.

In the last block every token attends to itself alone (as Zhou et al. 2022, arXiv 2112.01071, read
dense labels off CLIP), so that a patch's output is its own; the query of an attention pool attends
to one patch alone. Only the order of patches within an image counts: the least one is at 0.
"""

import torch
from torch import Tensor

from mapcap.attention import Interception
from mapcap.networks.last_block import read_alone
from mapcap.relevance.propagation import logit_weights
from mapcap.relevance.scene import Asked, Scene


def maps(scene: Scene, asked: Asked, start_layer: int) -> Tensor:
    """Patch by patch logits (M, gh, gw), less the least of each map; `start_layer` has no part."""
    tower = scene.tower
    count = scene.grid[0] * scene.grid[1]
    with torch.no_grad():
        if tower.reading == "pool":
            features = read_alone(tower, scene.last)  # (B * P, D)
        else:
            features = tower.head(tower.norm(_patches(scene)).flatten(0, 1))
        logits = scene.head(features)  # (B * P, K)

    def scores(target: Tensor) -> Tensor:
        weighted = logit_weights(target.repeat_interleave(count, 0), logits) * logits
        return weighted.sum(1).reshape(-1, *scene.grid)

    chosen = asked.choose(len(scene.head), scores)
    return chosen - chosen.amin((1, 2), keepdim=True)


def _patches(scene: Scene) -> Tensor:
    """The patches (B, P, width) as the last block gives them when nothing is mixed there."""
    tower = scene.tower
    tokens: list[Tensor] = []
    hook = tower.blocks[-1].register_forward_hook(lambda _block, _in, output: tokens.append(output))
    itself = Interception(lambda q, k, v, mask, scale: v, first_layer=len(tower.blocks) - 1)
    with torch.no_grad(), hook, itself:
        scene.run_again()
    return tokens[0][:, tower.prefix :]

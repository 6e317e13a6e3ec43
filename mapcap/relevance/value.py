"""What each patch says by itself: the last block without mixing, then the head, against the text.

In the last block every token attends to itself alone (as Zhou et al. 2022, arXiv 2112.01071, read
dense labels off CLIP), so that a patch's output is its own; an attention pool, and the head of a
convolutional tower, read one patch alone. Only the order of patches within an image counts: the
least one is at 0.
"""

import torch
from torch import Tensor

from mapcap.attention import Interception
from mapcap.networks.convolutional import ConvolutionalTower
from mapcap.networks.last_block import LastBlock, read_alone
from mapcap.networks.last_stage import LastStage, read_cells
from mapcap.networks.towers import VisionTower, cosine_logits
from mapcap.relevance.propagation import logit_weights
from mapcap.relevance.scene import Asked, Scene


def maps(scene: Scene, asked: Asked, start_layer: int) -> Tensor:
    """Patch by patch logits (M, gh, gw), less the least of each map; `start_layer` has no part."""
    count = scene.grid[0] * scene.grid[1]
    with torch.no_grad():
        logits = cosine_logits(scene.model, _alone(scene), scene.weights)  # (B * P, K)

    def scores(target: Tensor) -> Tensor:
        weighted = logit_weights(target.repeat_interleave(count, 0), logits) * logits
        return weighted.sum(1).reshape(-1, *scene.grid)

    chosen = asked.choose(len(scene.weights), scores)
    return chosen - chosen.amin((1, 2), keepdim=True)


def _alone(scene: Scene) -> Tensor:
    """Features (B * P, D) of each patch by itself."""
    match scene.tower, scene.last:
        case ConvolutionalTower() as tower, LastStage() as last:
            count = scene.grid[0] * scene.grid[1]
            owner = torch.arange(len(scene.images)).repeat_interleave(count)
            return read_cells(
                tower, last, owner, torch.eye(count).bool().repeat(len(scene.images), 1)
            )
        case VisionTower(reading="pool") as tower, LastBlock() as last:
            return read_alone(tower, last)
    tower = scene.transformer
    return tower.head(tower.norm(_patches(scene, tower)).flatten(0, 1))


def _patches(scene: Scene, tower: VisionTower) -> Tensor:
    """The patches (B, P, width) as the last block gives them when nothing is mixed there."""
    tokens: list[Tensor] = []
    hook = tower.blocks[-1].register_forward_hook(lambda _block, _in, output: tokens.append(output))
    itself = Interception(lambda q, k, v, mask, scale: v, first_layer=len(tower.blocks) - 1)
    with torch.no_grad(), hook, itself:
        scene.run_again()
    return tokens[0][:, tower.prefix :]

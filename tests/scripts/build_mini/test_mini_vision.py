from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor
from torch.nn import functional as F

from mapcap.representations import pooled
from scripts.build_mini.masks import with_cls
from scripts.build_mini.vision import End, load_end, save_end, tokens_before_end


def end_with_the_own_head(vit: Any) -> End:
    end = End(vit)
    with torch.no_grad():
        end.head.weight.copy_(vit.proj.T)
    return end.requires_grad_(False)


def plain_block(block: Any, x: Tensor, seen: Tensor) -> Tensor:
    """Compute one block in loops over heads, one photo (N, W); `seen` (N,) for every query."""
    width, heads = x.shape[1], block.attn.num_heads
    normed = F.layer_norm(x, (width,), block.ln_1.weight, block.ln_1.bias, 1e-6)
    q, k, v = (normed @ block.attn.in_proj_weight.T.to(x) + block.attn.in_proj_bias).chunk(3, 1)
    size, parts = width // heads, []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        logits = q[:, part] @ k[:, part].T / size**0.5
        parts.append(logits.masked_fill(~seen, -torch.inf).softmax(1) @ v[:, part])
    x = x + block.ls_1.gamma * block.attn.out_proj(torch.cat(parts, 1))
    normed = F.layer_norm(x, (width,), block.ln_2.weight, block.ln_2.bias, 1e-6)
    out: Tensor = x + block.ls_2.gamma * block.mlp(normed)
    return out


def test_both_parts_together_are_the_whole_transformer(vit: Any, images: Tensor) -> None:
    with torch.no_grad():
        features = end_with_the_own_head(vit)(tokens_before_end(vit, images))
        assert torch.allclose(features, vit(images), atol=1e-4)


def test_regions_against_plain_attention(vit: Any, images: Tensor) -> None:
    torch.manual_seed(2)
    masks = torch.rand(3, 17) < 0.5
    masks[:, 1] = True
    with torch.no_grad():
        tokens = tokens_before_end(vit, images)
        whole, found = end_with_the_own_head(vit).regions(tokens, [None, masks])
        every = torch.ones(17, dtype=torch.bool)
        for photo in range(3):
            x = tokens[photo]
            for block in vit.transformer.resblocks[-3:-1]:
                x = plain_block(block, x, every)
            for got, seen in ((whole, every), (found, masks[photo])):
                last = plain_block(vit.transformer.resblocks[-1], x, seen)[0]
                expected = vit.ln_post(last) @ vit.proj
                assert torch.allclose(got[photo], expected, atol=1e-4)


def test_where_the_last_query_looks(vit: Any, images: Tensor) -> None:
    with torch.no_grad():
        tokens = tokens_before_end(vit, images)
        end = end_with_the_own_head(vit)
        features, attention = end.looking(tokens)
        assert torch.allclose(features, end(tokens), atol=1e-4)
        for block in vit.transformer.resblocks[-3:-1]:
            tokens = block(tokens)
        last = vit.transformer.resblocks[-1]
        normed = last.ln_1(tokens).transpose(0, 1)
        _, weights = F.multi_head_attention_forward(
            normed, normed, normed, 32, last.attn.num_heads, last.attn.in_proj_weight,
            last.attn.in_proj_bias, None, None, False, 0.0, last.attn.out_proj.weight,
            last.attn.out_proj.bias,
        )  # fmt: skip
        assert weights is not None and torch.allclose(attention, weights[:, 0, 1:], atol=1e-5)


def test_regions_are_what_the_package_pools(vit: Any, images: Tensor) -> None:
    text = {"context_length": 8, "vocab_size": 20, "width": 16, "heads": 2, "layers": 1}
    vision = {"image_size": 32, "patch_size": 8, "width": 32, "layers": 5, "head_width": 8}
    clip: Any = open_clip.CLIP(embed_dim=32, vision_cfg=vision, text_cfg=text).eval()
    clip.visual = vit
    masks = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(3)) < 0.4
    masks[:, 0, 0] = True
    with torch.no_grad():
        tokens = tokens_before_end(vit, images)
        seen = torch.from_numpy(with_cls(masks.numpy()))
        (found,) = end_with_the_own_head(vit).regions(tokens, [seen])
    expected = pooled(clip, images, [mask[None] for mask in masks])
    assert torch.allclose(found, expected, atol=1e-4)


def test_the_end_is_the_mean_of_the_cycles(vit: Any, tmp_path: Path) -> None:
    cycles = [tmp_path / f"cycle{number}.pt" for number in (1, 2, 3)]
    ends = [End(vit) for _ in cycles]
    for end, path in zip(ends, cycles, strict=True):
        save_end(end, 3.0, path)
    loaded = load_end(vit, cycles)
    first, second, third = (end.head.weight for end in ends)
    mean = 0.3 * first + 0.3 * second + 0.4 * third
    assert torch.allclose(loaded.head.weight, mean, atol=1e-6)
    # As all have it.
    assert torch.allclose(next(loaded.parameters()), next(ends[0].parameters()), atol=1e-6)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_patches_that_are_left_out_are_not_read(vit: Any, images: Tensor) -> None:
    kept = [0, 3, 7]
    changed = images.clone()
    changed[:, :, 24:, 24:] = 5  # the last patch of 4 x 4
    with torch.no_grad():
        few, same = (tokens_before_end(vit, x, kept) for x in (images, changed))
        assert few.shape == (3, 4, vit.conv1.out_channels)
        assert torch.equal(few, same)
        everything = tokens_before_end(vit, images, range(16))
        assert torch.allclose(everything, tokens_before_end(vit, images), atol=1e-6)

"""Speed of the parts that MapCap exists for, each next to the plain way, in one run.

    python scripts/bench.py [--images 64] [--captions 60] [--repeats 3]

Prints the best of the repeats in seconds and the ratio to the first row of its group: on a noisy
machine only the ratios mean anything. Uses the embedded networks and the built-in sample.
"""

import argparse
import platform
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image

from mapcap.config import IndexConfig
from mapcap.datasets.sample import sample_path
from mapcap.networks.captioners import load_captioner
from mapcap.networks.clip import load_clip
from mapcap.networks.language_models import load_language_model
from mapcap.pmi import pmi_matrix
from mapcap.regions import find_regions
from mapcap.relevance import relevance_maps
from mapcap.representations import embed_regions, encode_images
from mapcap.zero_shot import class_weights

CPU = torch.device("cpu")


def best(function: Callable[[], object], repeats: int) -> float:
    """Return the shortest of several runs, in seconds, after one to warm up."""
    function()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def report(title: str, ways: dict[str, Callable[[], object]], repeats: int) -> None:
    """Time several ways to do one thing and print them."""
    print(f"\n{title}")
    first = None
    for name, function in ways.items():
        seconds = best(function, repeats)
        first = first or seconds
        print(f"  {name:<44}{seconds:9.3f} s  x{seconds / first:.2f}", flush=True)


def pairs_one_by_one(sentences: list[str], language_model: object, tokenizer: object) -> None:
    """Score every pair by a forward pass of its own, as the published code does."""
    assert callable(language_model) and callable(tokenizer)
    ids = [tokenizer(f" {sentence}")["input_ids"] for sentence in sentences]
    with torch.inference_mode():
        for context in ids:
            for sentence in ids:
                tokens = torch.tensor([[0, *context, *sentence]])
                language_model(tokens).logits[0, :-1].log_softmax(-1)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--captions", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads")
    clip = load_clip("mini", device=CPU)
    lm = load_language_model("mini", device=CPU)
    captioner = load_captioner(IndexConfig(photos=""), clip, CPU)
    paths = sorted(sample_path().glob("*/*.webp"))[:: max(1, 120 // given.images)]
    images = torch.stack([clip.preprocess(Image.open(path)) for path in paths[: given.images]])
    names = sorted({path.parent.name for path in paths})
    texts = class_weights(clip.model, clip.tokenizer, names)
    grids = relevance_maps(clip.model, images, texts, [None])[0].numpy()
    rule, most, least = IndexConfig.threshold, IndexConfig.regions, IndexConfig.min_area
    regions = [find_regions(grid, clip.size, rule, most, least) for grid in grids]
    count = sum(map(len, regions))

    def maps(targets: int, start_layer: int = -1) -> Callable[[], object]:
        return lambda: relevance_maps(clip.model, images, texts, [None] * targets, start_layer)

    def embed(representation: str) -> Callable[[], object]:
        return lambda: embed_regions(clip.model, images, grids, regions, representation)

    report(
        f"relevance, {len(images)} images",
        {
            "plain forward pass": lambda: encode_images(clip.model, images),
            "last layer, one target": maps(1),
            "last layer, three targets": maps(3),
            "all layers, one target": maps(1, 0),
        },
        given.repeats,
    )
    report(
        f"embeddings, {count} regions",
        {"pooled": embed("pooled"), "crop": embed("crop"), "blur": embed("blur")},
        given.repeats,
    )
    features = embed_regions(clip.model, images, grids, regions)
    clipcap = captioner.clipcap  # type: ignore[attr-defined]
    captions = [caption.text.strip() for caption in clipcap.generate(features)]
    report(
        f"captions, {count} regions",
        {
            "one batch": lambda: clipcap.generate(features),
            "one by one": lambda: [clipcap.generate(row[None]) for row in features],
        },
        1,
    )
    distinct = list(dict.fromkeys(captions))[: given.captions]
    tokens = np.mean([len(lm.tokenizer(f" {text}")["input_ids"]) for text in distinct])
    report(
        f"PMI, {len(distinct)} captions of {tokens:.1f} tokens",
        {
            "packed": lambda: pmi_matrix(distinct, lm.model, lm.tokenizer),
            "pair by pair": lambda: pairs_one_by_one(distinct, lm.model, lm.tokenizer),
        },
        1,
    )


if __name__ == "__main__":
    main()

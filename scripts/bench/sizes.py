"""How much the bench does: the only defaults, made for a CPU of two cores."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Sizes of all parts; each field is an option of the same name."""

    repeats: int = 3
    shapes: tuple[str, ...] = ("ViT-B-32", "ViT-B-16", "ViT-L-14")
    batch: int = 8
    photos: int = 250
    folder: str | None = None
    side: int = 64
    caption_batches: tuple[int, ...] = (1, 16, 64)
    caption_tokens: int = 12
    sentences: int = 100
    sentences_from: str | None = None
    growth_photos: tuple[int, ...] = (250, 500, 1000)
    growth_classes: tuple[int, ...] = (25, 100, 200)
    growth_captions: tuple[int, ...] = (50, 100, 200, 400)


OPTIONS = {
    "repeats": "rounds that are timed, after one to warm up",
    "shapes": "pass: CLIPs by open_clip's names",
    "batch": "pass: photos in a batch",
    "photos": "index, bytes: made-up photos",
    "folder": "index, bytes: class folders of real photos instead",
    "side": "shorter side of a made-up photo in pixels",
    "caption_batches": "captions: features in a batch",
    "caption_tokens": "captions: tokens of a caption, 67 at most in the published code",
    "sentences": "pmi: captions",
    "sentences_from": "pmi: a text file of real captions, one a line, instead of made-up ones",
    "growth_photos": "growth, memory: numbers of photos",
    "growth_classes": "growth: numbers of classes",
    "growth_captions": "growth: numbers of captions of a class",
}
"""What each size is, for --help."""

"""How well the trained end does on what is held back."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scripts.build_mini.cache import Album
from scripts.build_mini.classes import Split
from scripts.build_mini.losses import Sentences, Teacher
from scripts.build_mini.places import Places
from scripts.build_mini.shares import Material
from scripts.build_mini.vision import End, half_precision

READ = 192
"""Views that are embedded at once."""


@torch.inference_mode()
def whole(end: End, album: Album, rows: Sequence[int]) -> Tensor:
    """Embed views by all their patches: (B, D), L2-normalised."""
    parts = [np.array(rows[k : k + READ]) for k in range(0, len(rows), READ)]
    with half_precision():
        embedded = [end(album.inputs(part)).float() for part in parts]
    return F.normalize(torch.cat(embedded), dim=1)


def accuracy(z: Tensor, labels: np.ndarray, names: Tensor, among: list[int]) -> float:
    """Top-1 of embedded photos among some classes by their bare names."""
    best = (z @ names[among].T).argmax(1).numpy()
    return float((np.array(among)[best] == labels).mean())


def found_sentence(z: Tensor, subjects: np.ndarray, sentences: Sentences, nearest: int) -> float:
    """Share of photos with one of their own among their nearest of all these photos' sentences."""
    first, end = sentences.starts[subjects], sentences.starts[subjects + 1]
    rows = torch.cat([torch.arange(a, b) for a, b in zip(first, end, strict=True)])
    owner = torch.repeat_interleave(torch.arange(len(subjects)), end - first)
    best = (z @ sentences.embeddings[rows].float().T).topk(nearest).indices
    return (owner[best] == torch.arange(len(z))[:, None]).any(1).float().mean().item()


def examine(end: End, of: Material, teacher: Teacher, split: Split) -> str:
    """Say how well the end does on what is held back."""
    plain, (humans, _) = of.things[0], of.people
    held, names = of.rows[Places.THINGS].held, teacher.bank.names
    seen = accuracy(whole(end, plain, held), plain.labels[held], names, list(split.seen))
    unseen = accuracy(
        whole(end, plain, of.kept_out), plain.labels[of.kept_out], names, list(split.kept_out)
    )
    told = of.rows[Places.PEOPLE].held
    z = whole(end, humans, told)
    found = found_sentence(z, humans.labels[told], teacher.people, 10)
    return (
        f"seen classes {seen:.3f}, kept-out classes {unseen:.3f}, own sentence among ten of "
        f"{5 * len(told)} {found:.3f}"
    )

"""The head that the training begins with."""

import copy

import numpy as np
import torch

from scripts.build_mini.examining import READ
from scripts.build_mini.losses import Teacher
from scripts.build_mini.places import Places
from scripts.build_mini.shares import Material
from scripts.build_mini.vision import End

_RIDGE_PHOTOS, _RIDGE = 2_560, 0.03


@torch.no_grad()
def fit_head(end: End, of: Material, teacher: Teacher) -> None:
    """Begin with the linear head that fits the untrained features best (ridge regression)."""
    plain, (humans, _) = of.things[0], of.people
    rows = of.rows[Places.THINGS].training[:_RIDGE_PHOTOS]
    told = of.rows[Places.PEOPLE].training[: _RIDGE_PHOTOS // 2]
    *blocks, head = end
    identity = copy.deepcopy(end)
    identity.head.weight.copy_(torch.eye(len(head.weight)))
    identity.head.bias.zero_()
    raw = [
        identity(album.inputs(np.array(part[k : k + READ])))
        for album, part in ((plain, rows), (humans, told))
        for k in range(0, len(part), READ)
    ]
    x = torch.cat(raw)
    middle = x.mean(0)
    subjects = torch.from_numpy(humans.labels[told])
    sentence = teacher.people.embeddings[teacher.people.draw(subjects)].float()
    y = torch.cat([teacher.bank.centres[torch.from_numpy(plain.labels[rows])], sentence])
    centred = x - middle
    square = centred.T @ centred
    square += _RIDGE * square.diagonal().mean() * torch.eye(len(square))
    weight = torch.linalg.solve(square, centred.T @ (y - y.mean(0))).T  # (D, W)
    head.weight.copy_(weight)
    head.bias.copy_(y.mean(0) - weight @ middle)
    assert len(blocks), "the blocks themselves are left as they are"

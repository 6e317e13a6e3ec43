import numpy as np
import pytest

from scripts.build_mini.grounds import GROUNDS, SETTINGS, part_beside, parts_beside
from scripts.rendering.backgrounds import KINDS

GRID = (8, 8)


def test_every_background_has_words() -> None:
    assert set(GROUNDS) == set(KINDS)
    assert all(ground.above and ground.below for ground in GROUNDS.values())
    assert all(text.endswith(".") for texts in SETTINGS.values() for text in texts)


def test_a_part_is_told_by_where_it_lies() -> None:
    above, below = np.zeros(GRID, bool), np.zeros(GRID, bool)
    above[:3], below[6:] = True, True
    beach = GROUNDS["beach"]
    assert "the blue sky." in beach.texts(above)
    assert "a sandy beach." in beach.texts(below)
    assert beach.tells("a white cloud over clouds.", above)
    assert not beach.tells("a light blue vegetable.", above), "its colour is not enough"
    assert not beach.tells("the blue sky.", below)


@pytest.mark.parametrize("seed", range(5))
def test_a_part_beside_a_box_has_nothing_of_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    box = np.array([0.25, 0.25, 0.75, 0.75])
    part = part_beside(box, GRID, rng)
    assert part is not None and part.any()
    assert not part[2:6, 2:6].any()


def test_boxes_that_leave_no_room_are_passed_over() -> None:
    boxes = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 1.0]])
    kept, parts = parts_beside(boxes, GRID, np.random.default_rng(0))
    assert kept == [1] and parts.shape == (1, *GRID)
    assert not parts[0, :, :4].any()
    none, empty = parts_beside(boxes[:1], GRID, np.random.default_rng(0))
    assert none == [] and empty.shape == (0, *GRID)

"""Names: one thing under two of them, exchanged ones, and plain confusion, which is neither."""

from dataclasses import replace

import numpy as np
import pytest

from mapcap.audit.kinds import KINDS
from mapcap.audit.kinds.name import names
from mapcap.audit.material import Material
from tests.audit.test_audit_findings import CRANE, GOOSE, LYNX, ME, SIZE, material, unit


def drawn(mine: int, its: int, *, mixed: bool, rival: int = LYNX) -> Material:
    """40 images, of which `mine` are predicted as a rival, and `its` of the rival's 40 as ME."""
    rng = np.random.default_rng(0)
    said, back = [rival] * mine + [ME] * (40 - mine), [ME] * its + [rival] * (40 - its)
    given = material(said, ["a cat."] * 40)
    where = np.zeros((80, SIZE))
    where[40:, 1] = 0 if mixed else 9
    vectors = unit(where + 3 * np.eye(SIZE)[0] + 0.5 * rng.normal(size=(80, SIZE)))
    reference = replace(
        given.reference,
        ids=np.arange(100, 180),
        classes=np.repeat([ME, rival], 40),
        embeddings=vectors,
    )
    return replace(
        given,
        images=replace(given.images, embeddings=vectors[:40]),
        reference=replace(reference, predicted=np.array(said + back)),
    )


def test_one_thing_under_two_names() -> None:
    (found,) = names(drawn(16, 12, mixed=True))
    assert found.title == (
        "tabby and lynx may be one thing under two names: 16 of 40 are predicted as lynx, "
        "12 of its 40 as tabby"
    )
    assert found.cost.images > 10 and found.wrong == frozenset(range(16))
    assert 0.7 <= found.figures["mixed"] <= 1.3 and found.figures["names_rank"] == 1
    kind = KINDS["name"]
    assert kind.clause is not None
    assert kind.clause(found) == "may be the same thing as lynx under another name"
    lines = kind.details(found)
    assert lines[0] == "40 % are predicted as lynx, 30 % of its images as this."
    assert "hardly apart" in lines[1] and lines[2].endswith("lynx the nearest.")


@pytest.mark.parametrize(("mine", "its"), [(30, 1), (1, 30)])
def test_one_name_may_draw_nearly_all_of_both(mine: int, its: int) -> None:
    (found,) = names(drawn(mine, its, mixed=True))
    assert found.title.startswith("tabby and lynx may be one thing under two names")
    assert found.figures["given"] == mine and found.figures["taken"] == its


def test_exchanged_names() -> None:
    """Whatever the names are like: the photos are clearly apart, and both are called the other."""
    (found,) = names(drawn(36, 30, mixed=False, rival=GOOSE))
    assert found.title.startswith("tabby and goose may have exchanged their names: 36 of 40 ")
    assert found.figures["mixed"] <= 0.1
    assert "clearly apart" in KINDS["name"].details(found)[1]


@pytest.mark.parametrize(
    "given",
    [
        drawn(16, 12, mixed=False),  # a confusion of things that differ
        drawn(7, 7, mixed=True),  # of two that mix, too few
    ],
)
def test_a_confusion_is_no_matter_of_names(given: Material) -> None:
    assert not names(given)


def test_a_network_that_knows_nothing_has_no_such_finding() -> None:
    """Four classes that it cannot tell apart, predicted at random: at most 5 % of classes."""
    rng = np.random.default_rng(0)
    found, trials = 0, 100
    given = drawn(16, 12, mixed=True)
    for _ in range(trials):
        said = rng.choice([ME, LYNX, CRANE, GOOSE], 80)
        images = replace(given.images, predicted=said[:40], correct=said[:40] == ME)
        reference = replace(given.reference, predicted=said)
        found += bool(names(replace(given, images=images, reference=reference)))
    assert found <= 0.05 * trials

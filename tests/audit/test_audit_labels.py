"""Nearest images against brute force; wrong labels told from mixed classes; odd images."""

import numpy as np
import pytest

from mapcap.audit.bars import Bars, run_bars
from mapcap.audit.labels import geometry, nearest, neighbour_count, votes
from mapcap.audit.suspects import odd_images, suspects


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_neighbours_are_those_of_the_whole_matrix(chunk: int) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = rng.permutation(100)[:40].astype(np.int64)
    found = nearest(vectors[:9], ids[:9], vectors, ids, 4, chunk=chunk)
    cosines = vectors[:9].astype(np.float32) @ vectors.T.astype(np.float32)
    cosines[np.arange(9), np.arange(9)] = -np.inf  # an image is not its own neighbour
    assert np.array_equal(found, np.argsort(-cosines, axis=1)[:, :4])


def test_fewer_references_than_neighbours() -> None:
    vectors = np.eye(3)
    ids = np.arange(3)
    assert nearest(vectors, ids, vectors, ids, 10).shape == (3, 2)
    assert nearest(vectors[:1], ids[:1], vectors[:1], ids[:1], 10).shape == (1, 0)


def test_an_image_outside_the_sample_keeps_all_neighbours() -> None:
    vectors = np.eye(3)
    found = nearest(vectors[:1], np.array([9]), vectors, np.arange(3), 2)
    assert found[0, 0] == 0


def test_how_many_neighbours_vote() -> None:
    assert neighbour_count(np.array([100, 100, 4])) == 10
    assert neighbour_count(np.array([20, 20])) == 5
    assert neighbour_count(np.array([2])) == 3
    assert neighbour_count(np.empty(0, np.int64)) == 3


def test_margins_are_those_of_the_photo_and_of_four_fifths_of_its_neighbours() -> None:
    """Toward the second axis, away from the first: -1, 0 and 1 by hand; chunks change nothing."""
    axes = np.eye(3)
    places = np.array([[0, 1, 1, 1, 2], [1, 1, 1, 1, 1]])
    toward, away = np.tile(axes[1], (2, 1)), np.tile(axes[0], (2, 1))
    for chunk in (1, 8):
        own, around = geometry(axes[:2], axes, places, toward, away, chunk=chunk)
        assert own.tolist() == [-1, 1] and around.tolist() == [0, 1]
    assert geometry(axes[:2], axes, places[:, :0], toward, away)[1].tolist() == [-np.inf] * 2


KINDS, PER_KIND, SIZE = 10, 40, 24


class Made:
    """Photos around the names of ten classes; the names of the classes 2 and 3 are close."""

    def __init__(self, seed: int, swapped: int = 0) -> None:
        rng = np.random.default_rng(seed)
        names = rng.normal(size=(KINDS, SIZE))
        names[3] = names[2] + 0.4 * rng.normal(size=SIZE)
        self.names = names / np.linalg.norm(names, axis=1, keepdims=True)
        self.true = np.repeat(np.arange(KINDS), PER_KIND)
        # Every photo is as far from its name, in a direction of its own.
        photos = self.names[self.true] + rng.normal(scale=0.17, size=(len(self.true), SIZE))
        self.photos = photos / np.linalg.norm(photos, axis=1, keepdims=True)
        self.predicted = (self.photos @ self.names.T).argmax(1)
        self.labels = self.true.copy()
        self.labels[:swapped], self.labels[PER_KIND : PER_KIND + swapped] = 1, 0
        self.ids = np.arange(len(self.true))

    def bars(self) -> Bars:
        return run_bars(self.photos, self.ids, self.labels, self.predicted, self.names, seed=0)

    def doubted(self, predicted: np.ndarray | None = None) -> dict[int, np.ndarray]:
        """The doubted images of every class, by the numbers of the photos."""
        said, bars = self.predicted if predicted is None else predicted, self.bars()
        near = nearest(self.photos, self.ids, self.photos, self.ids, 10)
        own, around = geometry(
            self.photos, self.photos, near, self.names[said], self.names[self.labels]
        )
        found = {}
        for kind in range(KINDS):
            members = np.flatnonzero(self.labels == kind)
            for_it = votes(self.labels[near[members]], kind, said[members])
            marks = suspects(
                kind, said[members], -50 * own[members], own[members], around[members], for_it, bars
            )
            found[kind] = members[marks.index]
        return found


@pytest.mark.parametrize("swapped", [2, 8, 9, 12, 20])
def test_wrong_labels_are_named_up_to_every_second_one(swapped: int) -> None:
    """Of two classes' labels 5 to 50 % are exchanged: there is no cliff at a fifth."""
    named = right = 0
    for seed in range(3):
        made = Made(seed, swapped)
        found = np.concatenate(list(made.doubted().values()))
        named += len(found)
        right += int((made.labels != made.true)[found].sum())
    assert right >= 0.7 * 3 * 2 * swapped
    assert right >= 0.8 * named


def test_a_class_whose_name_fits_badly_has_no_wrong_labels() -> None:
    """All photos of a class lie nearer to another name: their labels agree with one another."""
    made = Made(0)
    made.names[[0, 1]] = made.names[[1, 0]]
    made.predicted = (made.photos @ made.names.T).argmax(1)
    assert (made.predicted[:PER_KIND] == 1).mean() > 0.8
    assert not len(made.doubted()[0])


def test_two_classes_that_mix_are_not_wrong_labels() -> None:
    mixed = doubted = 0
    for seed in range(6):
        made = Made(seed)
        cats = (made.true == 2) | (made.true == 3)
        mixed += int((made.predicted != made.true)[cats].sum())
        doubted += sum(len(made.doubted()[kind]) for kind in (2, 3))
    assert mixed > 0.1 * 6 * 2 * PER_KIND, "the two are mixed up in many photos"
    assert doubted == 0


def test_a_class_with_nothing_wrong_seldom_has_a_finding() -> None:
    """Right labels, and predictions permuted within the classes: at most 5 % have two doubts."""
    plain, permuted = [], []
    for seed in range(6):
        made = Made(seed)
        rng = np.random.default_rng(seed)
        said = np.concatenate([rng.permutation(part) for part in np.split(made.predicted, KINDS)])
        plain += [len(found) >= 2 for found in made.doubted().values()]
        permuted += [len(found) >= 2 for found in made.doubted(said).values()]
    assert np.mean(plain) <= 0.05 and np.mean(permuted) <= 0.05


def test_the_bar_is_what_chance_leaves_in_classes_of_that_size() -> None:
    """Two of n images reach the bar in 5 % of classes of independent levels."""
    rng = np.random.default_rng(0)
    bars = Bars(np.empty(0), np.empty(0), np.sort(rng.random(100_000)), 0, 0)
    for images in (20, 200):
        reached = (rng.random((4000, images)) >= bars.least(images)).sum(1) >= 2
        assert 0.035 <= reached.mean() <= 0.065


def test_the_most_doubtful_comes_first() -> None:
    """Four images are predicted as another class, and three correctly."""
    known = np.linspace(0, 1, 101)
    bars = Bars(known, known, np.empty(0), 0, 0)
    predicted = np.array([2, 3, 2, 2, 1, 1, 1])
    own = np.array([0.5, 0.9, 0.9, 0.1, 0, 0, 0])
    around = np.array([0.9, 0.8, 0.1, 0.9, 0, 0, 0])
    sure, agreed = np.full(7, -9.0), np.ones(7)
    found = suspects(1, predicted, sure, own, around, agreed, bars)
    assert found.index.tolist() == [1, 0] and found.predicted.tolist() == [3, 2]
    assert found.level == pytest.approx([0.8, 0.5], abs=0.01)
    odds = np.where(predicted == 3, -2.9, -9.0)
    unsure = suspects(1, predicted, odds, own, around, agreed, bars)
    assert unsure.index.tolist() == [0], "2.9 is less than 19 to 1"
    alone = suspects(1, predicted, sure, own, around, np.where(predicted == 2, 0.3, 1.0), bars)
    assert alone.index.tolist() == [1], "most neighbours have the label of 0, too"
    unknown = np.where(predicted == 1, 2, predicted)
    assert not suspects(1, unknown, sure, own, around, agreed, bars).index.size


def test_odd_images_are_far_from_every_name_and_from_other_photos() -> None:
    made = Made(0)
    foreign = np.random.default_rng(9).normal(size=(3, SIZE))
    foreign -= foreign @ np.linalg.pinv(made.names) @ made.names
    foreign /= np.linalg.norm(foreign, axis=1, keepdims=True)
    photos = np.concatenate([made.photos[:40], foreign])
    near = nearest(photos, np.arange(1000, 1043), made.photos, made.ids, 10)
    found = odd_images(photos, made.photos[near].mean(1), made.names, made.bars())
    assert sorted(found.tolist()) == [40, 41, 42]


def test_bars_of_a_run_without_images_doubt_nothing() -> None:
    empty = np.empty(0, np.int64)
    bars = run_bars(np.empty((0, 4)), empty, empty, empty, np.eye(4), seed=0)
    assert not suspects(
        1, np.array([2]), -9 * np.ones(1), np.ones(1), np.ones(1), np.ones(1), bars
    ).index.size

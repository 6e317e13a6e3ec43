"""Nearest images against brute force; wrong labels told from mixed classes; odd images."""

import numpy as np
import pytest

from mapcap.audit.bars import Bars, run_bars
from mapcap.audit.neighbours import nearest, neighbour_count
from mapcap.audit.suspects import Suspects, odd_images, suspects
from mapcap.audit.true_classes import true_classes


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
        return run_bars(self.photos, self.ids, self.labels, self.names, seed=0)

    def of_class(self, kind: int, bars: Bars, predicted: np.ndarray) -> Suspects:
        members = np.flatnonzero(self.labels == kind)
        correct = predicted[members] == kind
        return suspects(self.photos[members], self.ids[members], kind, correct, bars)

    def doubted(self, predicted: np.ndarray | None = None) -> dict[int, np.ndarray]:
        """The doubted images of every class, by the numbers of the photos."""
        said, bars = self.predicted if predicted is None else predicted, self.bars()
        return {
            kind: np.flatnonzero(self.labels == kind)[self.of_class(kind, bars, said).index]
            for kind in range(KINDS)
        }


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


def test_the_most_doubtful_comes_first_with_its_class() -> None:
    made = Made(1, swapped=8)
    found = made.of_class(0, made.bars(), made.predicted)
    assert len(found.index) >= 5 and set(found.seems.tolist()) == {1}
    assert np.all(np.diff(found.margin) <= 0) and found.margin[-1] > 0
    assert np.all((found.level >= 0.3) & (found.level <= 1))


def test_a_correctly_classified_image_is_not_doubted() -> None:
    made = Made(1, swapped=8)
    assert not len(made.doubted(made.labels)[0])


def test_a_class_that_the_model_does_not_know_is_no_witness() -> None:
    made = Made(1, swapped=8)
    unknown = np.where((made.labels == 0) & (made.true == 0), 5, made.predicted)
    assert not len(made.doubted(unknown)[0])


def test_odds_are_those_of_a_discriminant_without_the_photo_itself() -> None:
    """On one axis and by hand: a photo's own part in the mean of its class is taken out."""
    rng = np.random.default_rng(3)
    photos = rng.normal(size=(30, 6))
    photos /= np.linalg.norm(photos, axis=1, keepdims=True)
    labels, ids = np.repeat([0, 1, 2], 10), np.arange(30)
    names = np.eye(6)[:3]
    fitted = true_classes(photos, ids, labels, names)
    found, best = fitted.margins(photos[:1], ids[:1], labels[:1])
    placed = (photos - fitted.centre) @ fitted.axes
    scores = []
    for kind in range(3):
        weights = fitted.seems[:, kind].astype(float)
        weights[0] = 0
        mean = weights @ placed / (weights.sum() + 1)  # one photo more, at the centre
        share = (fitted.said[0, kind] - fitted.seems[0, kind]) / (fitted.said[0].sum() - 1)
        near = photos[0] @ fitted.names[kind]
        scores.append(np.log(share) + near - ((placed[0] - mean) ** 2).sum() / 40)
    assert found[0] == pytest.approx(max(scores[1:]) - scores[0], abs=1e-3)
    assert best[0] == 1 + int(np.argmax(scores[1:]))


def test_the_order_of_the_photos_changes_no_odds() -> None:
    made = Made(2, swapped=4)
    order = np.random.default_rng(0).permutation(len(made.ids))
    one = true_classes(made.photos, made.ids, made.labels, made.names)
    other = true_classes(made.photos[order], made.ids[order], made.labels[order], made.names)
    margins = [each.margins(made.photos, made.ids, made.labels)[0] for each in (one, other)]
    assert margins[0] == pytest.approx(margins[1], abs=1e-3)


def test_one_photo_of_each_class() -> None:
    """Nothing is known of what is alike within a class: rounding must not decide."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        names = rng.normal(size=(3, 384))
        names /= np.linalg.norm(names, axis=1, keepdims=True)
        photos = names / 2 + rng.normal(scale=0.03, size=names.shape)
        photos /= np.linalg.norm(photos, axis=1, keepdims=True)
        each = np.arange(2 + seed % 2)
        margins, _ = true_classes(photos[each], each, each, names).margins(photos[each], each, each)
        assert np.isfinite(margins).all() and (margins < 0).all()


def test_photos_outside_the_sample_are_judged_as_well() -> None:
    made = Made(0, swapped=10)
    half = np.arange(len(made.ids)) % 2 == 0
    fitted = true_classes(made.photos[half], made.ids[half], made.labels[half], made.names)
    margins, seems = fitted.margins(made.photos[~half], made.ids[~half], made.labels[~half])
    wrong = (made.labels != made.true)[~half]
    assert (margins[wrong] > 0).mean() >= 0.7 and (margins[~wrong] > 0).mean() <= 0.05
    doubted = wrong & (margins > 0)
    assert np.array_equal(seems[doubted], made.true[~half][doubted])


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
    bars = run_bars(np.empty((0, 4)), empty, empty, np.eye(4), seed=0)
    assert not suspects(np.eye(4)[:1], np.array([3]), 1, np.array([False]), bars).index.size


def test_a_run_of_one_class_doubts_nothing() -> None:
    photos, ids = np.eye(4), np.arange(4)
    bars = run_bars(photos, ids, np.zeros(4, np.int64), np.eye(4)[:1], seed=0)
    assert not suspects(photos, ids, 0, np.zeros(4, bool), bars).index.size

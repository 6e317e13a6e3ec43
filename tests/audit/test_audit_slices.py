"""The mixture against scipy's densities, and slices planted in a class."""

import numpy as np
import pytest
from scipy import stats

from mapcap.audit.kinds.slice import find_slices
from mapcap.audit.mixture import clusterings, fit, log_joint, principal, stability


def test_densities_are_scipys() -> None:
    rng = np.random.default_rng(0)
    points, means = rng.normal(size=(6, 3)), rng.normal(size=(2, 3))
    variances, weights = rng.uniform(0.2, 2, (2, 3)), np.array([0.3, 0.7])
    found = log_joint(points, means, variances, weights)
    for k in range(2):
        normal = stats.multivariate_normal(means[k], np.diag(variances[k]))
        assert found[:, k] == pytest.approx(np.log(weights[k]) + normal.logpdf(points))


def test_one_component_is_the_datas_own_gaussian() -> None:
    points = np.random.default_rng(1).normal([1, -2], [0.5, 3], (200, 2))
    found = fit(points, 1, seed=0)
    assert found.means[0] == pytest.approx(points.mean(0))
    assert found.variances[0] == pytest.approx(points.var(0))
    normal = stats.multivariate_normal(points.mean(0), np.diag(points.var(0)))
    assert found.log_likelihood == pytest.approx(normal.logpdf(points).sum())


def test_separate_blobs_are_the_components() -> None:
    rng = np.random.default_rng(2)
    blob = np.repeat([0, 1, 2], 30)
    points = np.array([[0, 0], [9, 0], [0, 9]])[blob] + rng.normal(size=(90, 2))
    labels = fit(points, 3, seed=0).posteriors.argmax(1)
    assert {tuple(np.unique(blob[labels == k])) for k in range(3)} == {(0,), (1,), (2,)}


def test_principal_axes_keep_distances_and_drop_the_empty() -> None:
    rng = np.random.default_rng(3)
    flat = rng.normal(size=(10, 2)) @ rng.normal(size=(2, 6))
    points = principal(flat, 5)
    assert points.shape == (10, 2)
    distances = np.linalg.norm(flat[:, None] - flat, axis=-1)
    assert np.linalg.norm(points[:, None] - points, axis=-1) == pytest.approx(distances)


def test_few_or_equal_vectors_have_no_clusters() -> None:
    assert clusterings(np.ones((5, 4)), seed=0) == []
    assert all(len(labels) == 60 for labels in clusterings(np.ones((60, 4)), seed=0))


def planted(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """60 images of two regions each; the last 15 images lie apart and are mostly wrong."""
    images = np.arange(60)
    apart = images >= 45
    owners = np.repeat(images, 2)
    centres = np.where(apart[owners][:, None], np.eye(8)[0], np.eye(8)[1])
    vectors = centres + rng.normal(0, 0.1, (120, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    wrong = np.where(apart, images < 57, images < 5)
    return vectors, owners, wrong


def test_the_planted_slice_is_found() -> None:
    vectors, owners, wrong = planted(np.random.default_rng(4))
    first = find_slices(vectors, owners, wrong, seed=0)[0]
    assert set(first.images.tolist()) == set(range(45, 60))
    assert first.wrong == 12 and first.q < 0.001
    assert first.p == pytest.approx(stats.hypergeom.sf(11, 60, 17, 15))
    assert set(owners[first.regions].tolist()) == set(range(45, 60))


def test_the_order_of_the_regions_changes_no_slice() -> None:
    vectors, owners, wrong = planted(np.random.default_rng(4))
    order = np.random.default_rng(1).permutation(len(vectors))
    one = find_slices(vectors, owners, wrong, seed=0)
    other = find_slices(vectors[order], owners[order], wrong, seed=0)
    assert [set(part.images.tolist()) for part in one] == [
        set(part.images.tolist()) for part in other
    ]
    assert set(order[other[0].regions].tolist()) == set(one[0].regions.tolist())


def test_stability_is_the_best_jaccard_index_of_each_turn() -> None:
    members = np.array([0, 1, 2])
    again = [np.array([5, 5, 5, 1, 1, 1])]
    coarse = [np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1, 1])]
    assert stability(members, [again]) == 1
    assert stability(members, [again, coarse]) == pytest.approx((1 + 3 / 4) / 2)
    assert stability(members, []) == 0


def test_of_noise_few_clusters_are_found_again() -> None:
    """Regions that lie alike everywhere are parted differently each time: most are not tested."""
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(120, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    clusters = sum(len(np.unique(labels)) for labels in clusterings(vectors, seed=0))
    found = find_slices(vectors, np.arange(120), rng.random(120) < 0.4, seed=0)
    assert len(found) <= clusters / 5


def test_errors_that_fall_on_all_alike_are_no_slice() -> None:
    vectors, owners, _ = planted(np.random.default_rng(5))
    wrong = np.random.default_rng(6).random(60) < 0.3
    assert all(part.q > 0.05 for part in find_slices(vectors, owners, wrong, seed=0))


def test_regions_of_one_image_count_once() -> None:
    """Twenty regions of one wrong image are one image, and no slice."""
    vectors, owners, wrong = planted(np.random.default_rng(7))
    lone = np.tile(np.eye(8)[5], (20, 1)) + np.random.default_rng(8).normal(0, 0.01, (20, 8))
    more = np.concatenate([vectors, lone])
    found = find_slices(more, np.concatenate([owners, np.zeros(20, int)]), wrong, seed=0)
    assert all(len(part.images) >= 3 for part in found)


def test_no_regions_no_slices() -> None:
    assert find_slices(np.empty((0, 4)), np.empty(0, int), np.ones(3, bool), seed=0) == []

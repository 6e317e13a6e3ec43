"""Copies of photos, within a class and across classes, by content and by look."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import torch
from PIL import Image

from mapcap.audit.copies import LEAST_COSINE, MOST_BITS
from mapcap.audit.findings import Finding
from mapcap.audit.hashing import hashes
from mapcap.audit.inputs import audit_inputs
from mapcap.audit.kinds import KINDS, confusion
from mapcap.audit.material import PICTURE_SIDE, Material
from mapcap.datasets.sample import sample_path
from mapcap.networks.clip import load_clip
from mapcap.representations import encode_images
from tests.audit.test_audit_findings import LYNX, ME, half_wrong


def with_copies(given: Material, pairs: dict[int, int]) -> Material:
    """Images of the reference, by place, are those of the class at another place."""
    reference, images = given.reference, given.images
    pictures, embeddings = reference.pictures.copy(), reference.embeddings.copy()
    for copy, place in pairs.items():
        pictures[copy], embeddings[copy] = images.pictures[place], images.embeddings[place]
    return replace(given, reference=replace(reference, pictures=pictures, embeddings=embeddings))


def found_in(given: Material) -> list[Finding]:
    return KINDS["duplicate"].detect(audit_inputs(given))


def test_different_photos_are_no_copies() -> None:
    assert not found_in(half_wrong())


def test_a_copy_in_another_class_names_both_paths() -> None:
    """Lynx begins at place 40 with id 500; 20 is predicted as lynx, 0 is correct."""
    (found,) = found_in(with_copies(half_wrong(), {40: 20, 41: 0}))
    assert found.title == "2 of 40 are in another class as well (lynx): 100.jpg is 501.jpg"
    assert found.figures["pairs"] == [("100.jpg", "501.jpg", False), ("120.jpg", "500.jpg", False)]
    assert found.wrong == frozenset({20}) and found.cost.images == 1
    assert set(found.images) == {100, 120}
    kind = KINDS["duplicate"]
    assert kind.clause is not None and kind.clause(found) == "2 are in lynx as well"
    lines = kind.details(found)
    assert lines[1].startswith("1 of them") and lines[2].endswith("100.jpg, 501.jpg")


def test_a_copy_that_is_predicted_as_its_other_class_may_be_no_error() -> None:
    """20 is a lynx as well, and predicted as one: the confusion with lynx costs one image less."""
    inputs = audit_inputs(with_copies(half_wrong(), {40: 20, 41: 0}))
    assert inputs.suspected == frozenset({20})
    (lynx,) = confusion.confusions(inputs.material, inputs.suspected)
    (before,) = confusion.confusions(half_wrong(), frozenset())
    assert before.cost.images - lynx.cost.images == 1


def test_copies_within_a_class_explain_no_error() -> None:
    given = half_wrong()
    files = np.array([[103, ME, 0], [107, ME, 0], [530, LYNX, 1], [531, LYNX, 1]])
    (found,) = found_in(replace(given, reference=replace(given.reference, same_files=files)))
    assert found.title == "2 of 40 are copies within the class: 103.jpg is 107.jpg"
    assert found.figures["pairs"] == [("103.jpg", "107.jpg", True)]
    assert found.is_note and not found.wrong


def test_alike_to_the_network_alone_is_no_copy() -> None:
    given = half_wrong()
    embeddings = given.reference.embeddings.copy()
    embeddings[40] = given.images.embeddings[20]
    assert not found_in(replace(given, reference=replace(given.reference, embeddings=embeddings)))


def small(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.BOX))


def test_hashes_outlast_compression_and_tell_photos_apart() -> None:
    photos, changed = [], []
    for path in sorted(sample_path().glob("bird/*"))[:8]:
        with Image.open(path) as opened:
            photo = opened.convert("RGB")
        file = BytesIO()
        photo.resize((64, 64)).point(lambda value: min(255, value * 1.1)).save(
            file, "JPEG", quality=50
        )
        photos.append(small(photo))
        changed.append(small(Image.open(file).convert("RGB")))
    distances = (63 - hashes(np.stack(photos)) @ hashes(np.stack(changed)).T) / 2
    assert np.diag(distances).max() <= MOST_BITS
    assert distances[~np.eye(8, dtype=bool)].min() > MOST_BITS


def test_the_network_sees_near_copies_as_alike() -> None:
    """The embedded network: recompressed photos are above the bar."""
    clip = load_clip("mini", None, device=torch.device("cpu"))
    photos, changed = [], []
    for path in sorted(sample_path().glob("bird/*"))[:4]:
        with Image.open(path) as opened:
            photo = opened.convert("RGB")
        file = BytesIO()
        photo.save(file, "JPEG", quality=50)
        photos.append(clip.preprocess(photo))
        changed.append(clip.preprocess(Image.open(file).convert("RGB")))
    with torch.no_grad():
        ours, theirs = (encode_images(clip.model, torch.stack(v)) for v in (photos, changed))
    assert torch.cosine_similarity(ours, theirs).min() >= LEAST_COSINE

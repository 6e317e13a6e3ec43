"""A group of images is named by what sets it apart from its class, with figures, or not at all."""

from dataclasses import replace

import numpy as np

from mapcap.audit.attributes import ATTRIBUTES
from mapcap.audit.contrast import contrasts
from mapcap.audit.kinds import KINDS
from mapcap.audit.kinds.slice import Slice, slices
from mapcap.audit.material import Material
from tests.audit.test_audit_findings import LYNX, ME, material

GROUP = np.arange(40) >= 25
SHARPNESS = [attribute.name for attribute in ATTRIBUTES].index("sharpness")


def given(captions: list[str]) -> Material:
    """Of 40 images the last 15 are the group, and the last 12 misclassified."""
    return material([ME] * 28 + [LYNX] * 12, captions)


def test_a_word_of_the_group_names_it_and_one_of_all_does_not() -> None:
    captions = ["a tabby on grass."] * 25 + ["a tabby in snow."] * 13 + ["a tabby on grass."] * 2
    made = given(captions)
    snow, *_ = contrasts(made, GROUP)
    assert (snow.text, snow.inside, snow.outside) == ("with “snow”", 13, 0)
    assert snow.q <= 0.001 and snow.gap == 13 / 15
    part = Slice(np.arange(25, 40), np.arange(25, 40), 12, 0.001, 0.01)
    (found,) = slices(made, [part])
    assert found.title == "a group with “snow”: 12 of 15 misclassified, the others 0 of 25"
    lines = KINDS["slice"].details(found)
    assert any(
        line.startswith("with “snow”: 13 of its 15, 0 of the other 25 (q ") for line in lines
    )


def test_an_attribute_of_the_group_names_it() -> None:
    made = given(["a tabby."] * 40)
    own = np.where(GROUP, 0.3, 0.8) + np.linspace(0, 0.1, 40)
    attributes = made.images.attributes.copy()
    attributes[:, SHARPNESS] = own
    elsewhere = made.reference.attributes.copy()
    elsewhere[40:, SHARPNESS] = 0.8
    made = replace(
        made,
        images=replace(made.images, attributes=attributes),
        reference=replace(made.reference, attributes=elsewhere),
    )
    blurred, *_ = contrasts(made, GROUP)
    assert (blurred.text, blurred.inside, blurred.outside) == ("of blurred ones", 15, 0)


def test_what_nothing_sets_apart_is_an_unnamed_group() -> None:
    """Not the class's own noun, nor a colour, nor a caption that one image of the group has."""
    captions = ["a cat."] * 25 + ["a dark brown tabby."] * 14 + ["a tabby with a hat."]
    made = given(captions)
    assert not contrasts(made, GROUP)
    part = Slice(np.arange(25, 40), np.arange(25, 40), 12, 0.001, 0.01)
    (found,) = slices(made, [part])
    assert found.title.startswith("an unnamed group: ")
    assert KINDS["slice"].clause is not None
    assert KINDS["slice"].clause(found) == "12 of the 15 in an unnamed group are misclassified"

"""Findings of kind `disagreement`: whose fault the errors are, by hand-made counts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from mapcap.audit.class_audit import audit_class
from mapcap.audit.inputs import audit_inputs
from mapcap.audit.kinds.disagreement import details, detect
from mapcap.audit.material import Material
from tests.audit.test_audit_findings import CRANE, LYNX, ME, material

PREDICTED = [ME] * 20 + [LYNX] * 16 + [CRANE] * 4


def seen(witness: Sequence[int], others: int = LYNX) -> Material:
    """20 of 40 right; the CLIP says `witness` of the class's images and `others` of the rest."""
    made = material(PREDICTED, ["a cat."] * 40)
    whole = np.array([*witness, *[others] * 40])
    return replace(
        made,
        images=replace(made.images, witness=np.array(witness)),
        reference=replace(made.reference, witness=whole),
    )


def test_errors_in_which_the_clip_sees_the_label_are_the_classifiers() -> None:
    (found,) = detect(audit_inputs(seen([ME] * 20 + [ME] * 15 + [CRANE] * 5)))
    assert found.title == "in 15 of the 20 errors the CLIP sees the labelled class"
    assert found.cost.images == pytest.approx(15 - 20 / 42)
    assert list(found.images) == list(range(120, 135)) and found.wrong == frozenset(range(20, 35))
    assert found.figures["said"] == {"lynx": 15}
    assert found.figures["rate"] == pytest.approx(1 / 42)
    assert details(found)[0].startswith("The fault is the classifier's")


def test_errors_in_which_both_see_another_class_are_not() -> None:
    (found,) = detect(audit_inputs(seen([ME] * 20 + [LYNX] * 16 + [ME] * 4)))
    assert found.title == "in 16 of the 20 errors the CLIP, too, sees lynx"
    assert details(found)[0].startswith("A wrong label")
    (found,) = detect(audit_inputs(seen(PREDICTED)))
    assert found.title == "in 20 of the 20 errors the CLIP, too, sees the same other class"


def test_a_clip_that_says_so_of_everything_is_no_witness() -> None:
    assert not detect(audit_inputs(seen([ME] * 40, others=ME)))
    assert not detect(audit_inputs(seen([LYNX] * 40)))


def test_without_a_witness_or_a_majority_nothing_is_said() -> None:
    assert not detect(audit_inputs(material(PREDICTED, ["a cat."] * 40)))
    assert not detect(audit_inputs(seen([ME] * 20 + [ME] * 9 + [CRANE] * 11)))


def test_unknown_probabilities_are_left_out_of_the_audit() -> None:
    made = seen([ME] * 40)
    unknown = np.full(40, np.nan)
    images = replace(made.images, confidence=unknown, margins=unknown)
    confidence = np.concatenate([unknown, np.full(40, 0.9)])
    reference = replace(made.reference, confidence=confidence)
    report = audit_class(replace(made, images=images, reference=reference))
    for name in ("mean_margin", "mean_confidence", "ece", "ece_level"):
        assert report.figures[name] is None
    assert report.figures["bins"] == [] and report.figures["accuracy"] == 1
    kinds = {found.kind for found in report.findings}
    assert {"confusion", "disagreement"} <= kinds and "label" not in kinds
    assert "the CLIP sees the labelled class" in report.line
    (lynx,) = [f for f in report.findings if f.figures.get("predicted") == "lynx"]
    assert lynx.figures["mean_confidence"] is None

"""The audit's line of a class."""

from dataclasses import replace

import numpy as np
import pytest

from mapcap.audit.class_audit import audit_class
from mapcap.audit.facts import Facts
from mapcap.audit.kind import printed
from mapcap.audit.kinds import KINDS
from mapcap.audit.line import clauses
from mapcap.audit.material import (
    Rival,
)
from mapcap.audit.words import phrases
from tests.audit.test_audit_findings import LYNX, ME, half_wrong, material


def test_the_line_says_the_first_two_causes_and_not_that_nothing_separates() -> None:
    """The errors alone have a dark background: no word tells them, and none needs to."""
    given = material([ME] * 20 + [LYNX] * 20, ["a cat."] * 40)
    dark = given.images.pictures.copy()
    dark[20:] //= 12
    report = audit_class(replace(given, images=replace(given.images, pictures=dark)))
    assert "have a dark background" in report.line
    assert "100% without" in report.line, "with the accuracies that make it a cause"
    assert "no word distinguishes" not in report.line
    kinds = [one.kind for one in report.findings]
    assert kinds.index("background") < len(kinds) and not report.findings[0].is_note
    of_line = [c.figures["kind"] for c in report.clauses if "kind" in c.figures]
    causes = [one.kind for one in report.findings if one.kind != "confusion" and not one.is_note]
    assert of_line == causes[:2]


def test_a_background_that_goes_with_no_error_is_a_note_off_the_line() -> None:
    """All the class's pictures are dark, the correct ones too."""
    given = material([ME] * 20 + [LYNX] * 20, ["a cat."] * 40)
    images = replace(given.images, pictures=given.images.pictures // 12)
    report = audit_class(replace(given, images=images))
    notes = [one.kind for one in report.findings if one.is_note]
    assert "background" in notes
    assert [one.is_note for one in report.findings] == sorted(
        one.is_note for one in report.findings
    )
    assert "background" not in report.line
    (note,) = [one for one in report.findings if one.kind == "background"]
    assert printed(KINDS["background"], note)[0] == "A note: no error of the class goes with it."


def test_the_line_of_a_class_whose_errors_a_word_marks() -> None:
    report = audit_class(half_wrong())
    assert report.line.startswith("tabby: 20 of 40 correct; 16 predicted as lynx; ")
    assert "“furry”" in report.line or "“spotless”" in report.line
    assert report.line == "tabby: " + "; ".join(clause.text for clause in report.clauses)
    assert report.clauses[1].figures["taken_for"][0]["count"] == 16
    assert "compete" not in report.line


def test_names_compete_where_nothing_else_differs() -> None:
    """Same captions, same regions, and the errors go to one class."""
    given = material([ME] * 12 + [LYNX] * 28, ["a cat."] * 40)
    same = {LYNX: Rival([phrases(["a cat."])] * 20, given.rivals[LYNX].embeddings)}
    report = audit_class(replace(given, rivals=same))
    assert "12 of 40 correct; 28 predicted as lynx" in report.line
    assert (
        "no word distinguishes misclassified from correct images: the two class names compete"
        in report.line
    )
    assert (
        "no difference shown between the regions of misclassified and correct images (cosine 0.9"
        in report.line
    )
    figures = next(c.figures for c in report.clauses if "compete" in c.text)
    assert figures["share_of_errors"] == 1 and figures["names_rank"] == 1


@pytest.mark.parametrize(
    ("p", "low", "said"),
    [
        (0.3, 0.92, "are as like the correct ones' as these are among themselves (cosine 0.94, "),
        (0.3, 0.85, "no difference shown between the regions of misclassified and correct images"),
        (0.01, 0.92, "differ from the correct ones' (cosine 0.94, halves of the correct 0.95)"),
    ],
)
def test_what_is_said_of_the_regions(p: float, low: float, said: str) -> None:
    """Sameness needs the whole interval above the yardstick; a high cosine alone shows none."""
    figures = dict.fromkeys(("predicted_images", "maps_p"), None) | {
        "regions_cosine": 0.94,
        "regions_p": p,
        "regions_low": low,
        "regions_half": 0.95,
        "regions_half_low": 0.9,
        "accuracy": None,
        "mean_confidence": None,
        "ece": None,
        "ece_level": None,
    }
    line = "; ".join(clause.text for clause in clauses(Facts("tabby", 20, 10, figures, [], [], [])))
    assert said in line


def test_an_overconfident_class_is_called_so() -> None:
    """20 of its own images and 40 others are predicted as it, with 0.70 and 0.90 on average."""
    given = material([ME] * 20, ["a cat."] * 20)
    everything = replace(given.reference, predicted=np.full(60, ME))
    report = audit_class(replace(given, reference=everything))
    assert "overconfident (confidence 0.83, accuracy 0.33 where it is predicted)" in report.line
    assert report.figures["accuracy"] == pytest.approx(1 / 3)
    assert report.figures["predicted_images"] == 60


def test_few_correct_images_are_not_overconfidence() -> None:
    """36 of 40 are errors, at 0.7; where the class is predicted, all 4 are correct, at 0.52."""
    report = audit_class(material([ME] * 4 + [LYNX] * 36, ["a cat."] * 40))
    assert "overconfident" not in report.line
    assert report.figures["accuracy"] == 1


def test_a_class_without_faults() -> None:
    given = material([ME] * 20, ["a cat."] * 20)
    names = replace(given.names, taken_for={})
    sure = replace(given.images, confidence=np.full(20, 0.95))
    reference = replace(given.reference, confidence=np.full(60, 0.95))
    report = audit_class(replace(given, names=names, images=sure, reference=reference))
    assert report.line == "tabby: 20 of 20 correct; no issue found" and report.findings == []


def test_a_class_without_images() -> None:
    report = audit_class(material([], []))
    assert report.line == "tabby: no image was predicted"
    assert report.figures["ece"] is None and report.words == []


def test_one_image_is_enough_to_go_on() -> None:
    assert audit_class(material([LYNX], ["a cat."])).line.startswith("tabby: 0 of 1 correct")

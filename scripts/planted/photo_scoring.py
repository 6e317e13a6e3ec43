"""Did the audit of a bed of photos name what was planted, and what did it name where nothing is?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mapcap.errors import UserError
from scripts.planted.photo_truth import PhotoTruth
from scripts.planted.reading import Audited
from scripts.planted.reported import Placed, Reported, Suspicion, placed, suspicion

_HURTS: Final = 0.1
"""Loss of accuracy, against the same photos without faults, from which a fault hurts."""
_MOSTLY: Final = 0.5
_ATTRIBUTES: Final[Mapping[str, tuple[tuple[str, bool], ...]]] = {
    "grey": (("chroma", False),),
    "blurred": (("sharpness", False),),
    "dark": (("brightness", False),),
    "zoomed out": (("object", False), ("detail", False)),
    "border": (("border", True),),
}
"""The attributes that name a fault, and whether it is much of them."""
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "grey": ("grey", "gray", "black and white", "monochrome", "less colourful"),
    "blurred": ("blurred", "blurry", "out of focus", "less sharp"),
    "dark": ("dark", "darker", "night", "dim"),
    "zoomed out": ("far away", "in the distance", "small", "tiny"),
    "border": ("framed", "frame", "border"),
    "logo": ("logo", "mark", "sticker", "magenta", "pink"),
}
"""Words of a background, word, concept or slice that name a fault."""
_IN_WORDS: Final = ("background", "word", "concept", "slice")
_CORNER: Final = 0.2
"""Share of the picture's side at whose upper left the logo ends at most."""
_CLAIMS: Final = ("label", "name", "duplicate", "watermark")
"""Kinds that state what is known not to be in a control, whatever its photos are like."""
_SYMPTOM: Final = "confusion"
"""A kind that counts predictions: where nothing is planted, it is as true as they are."""


@dataclass(frozen=True)
class PhotoFault(Placed):
    """Where a fault was named, and what it did to the accuracy of its class.

    `clean` is that of the same photos without faults, by their true classes.
    """

    fault: str
    class_name: str
    clean: float
    planted: float

    @property
    def hurts(self) -> bool:
        """Tell whether the accuracy falls by a tenth or more."""
        return round(self.clean - self.planted, 9) >= _HURTS


@dataclass(frozen=True)
class Alarm:
    """A finding in a control; `photos_own` if the clean index has it as well."""

    class_name: str
    kind: str
    title: str
    photos_own: bool

    @property
    def false(self) -> bool:
        """Tell whether nothing is there that it could be about."""
        return self.kind in _CLAIMS or not self.photos_own


@dataclass(frozen=True)
class PhotoScore:
    """How an audit did on a bed of photos.

    `alarms` are all findings in the controls but confusions; notes are none.
    """

    seed: int
    accuracy: float | None
    clean_accuracy: float | None
    faults: tuple[PhotoFault, ...]
    suspicion: Suspicion
    controls: int
    alarms: tuple[Alarm, ...]

    @property
    def harmful(self) -> list[PhotoFault]:
        """The faults that hurt."""
        return [fault for fault in self.faults if fault.hurts]

    @property
    def false_alarms(self) -> list[Alarm]:
        """The findings in controls that nothing there could be."""
        return [alarm for alarm in self.alarms if alarm.false]


def score_photos(truth: PhotoTruth, planted: Audited, clean: Audited) -> PhotoScore:
    """Compare the findings of each class, the first first, with what was planted.

    Args:
        truth: of the bed.
        planted: its audit.
        clean: the audit of the photos that the faults were planted in.

    Raises:
        UserError: if an audit is of other photos.
    """
    if set(planted.ids) != set(truth.photos):
        raise UserError("the file's images are not those of truth.json: index the folder beside it")
    if missing := {photo.source for photo in truth.photos.values()} - set(clean.correct):
        raise UserError(
            f"--clean: {len(missing)} of the photos are not in it, such as {min(missing)}: "
            "index the PHOTOS that the faults were planted in"
        )
    return PhotoScore(
        truth.seed,
        planted.accuracy,
        clean.accuracy,
        tuple(
            _scored(truth, name, fault, planted, clean)
            for name, (fault, _) in truth.classes.items()
            if fault is not None
        ),
        suspicion(planted.findings, truth.judged, truth.wrong_labels),
        len(truth.controls),
        tuple(
            Alarm(name, one.kind, one.title, _among(one, truth, clean.findings.get(name, ())))
            for name in truth.controls
            for one in planted.findings.get(name, ())
            if not one.is_note and one.kind != _SYMPTOM
        ),
    )


def _scored(
    truth: PhotoTruth, name: str, fault: str, planted: Audited, clean: Audited
) -> PhotoFault:
    photos = [photo for photo in truth.of_class(name) if photo.path in planted.correct]
    count = max(1, len(photos))
    found = placed(planted.findings.get(name, ()), lambda one: _says(one, name, truth))
    return PhotoFault(
        **vars(found),
        fault=fault,
        class_name=name,
        clean=sum(clean.correct[photo.source] for photo in photos) / count,
        planted=sum(planted.correct[photo.path] for photo in photos) / count,
    )


def _among(finding: Reported, truth: PhotoTruth, others: Sequence[Reported]) -> bool:
    """Tell whether the photos without faults have a finding of the kind about the same.

    About the same subject, or mostly the same photos (Jaccard index), where it has none of its own.
    """
    photos = {truth.photos[path].source for path in finding.images}
    return any(
        other.kind == finding.kind
        and not other.is_note
        and (
            other.subject == finding.subject
            or len(photos & {*other.images}) > _MOSTLY * len(photos | {*other.images})
        )
        for other in others
    )


def _says(finding: Reported, name: str, truth: PhotoTruth) -> bool:
    """Tell whether a finding names what is planted in its class.

    What falls on photos must be said of photos most of which have it.
    """
    fault, partner = truth.classes[name]
    figures = finding.figures
    match fault:
        case "swapped labels":
            return finding.kind == "label" and _mostly(finding, truth, truth.wrong_labels)
        case "duplicates":
            return finding.kind == "duplicate" and partner in figures.get("classes", ())
        case "exchanged names" | "two names":
            exchanged = fault == "exchanged names"
            return (
                finding.kind == "name"
                and figures.get("rival") == partner
                and figures.get("exchanged") == exchanged
            )
    bearing = {path for path, photo in truth.photos.items() if photo.fault == fault}
    return _mostly(finding, truth, bearing) and _tells(finding, str(fault))


def _mostly(finding: Reported, truth: PhotoTruth, wanted: set[str]) -> bool:
    images = [path for path in finding.images if path in truth.photos]
    return len(wanted.intersection(images)) > _MOSTLY * len(images)


def _tells(finding: Reported, fault: str) -> bool:
    """Tell whether a finding says a fault of photos by its attribute, mark or words."""
    figures = finding.figures
    if finding.kind == "attribute":
        return (figures["attribute"], figures["above"]) in _ATTRIBUTES.get(fault, ())
    if finding.kind == "watermark":
        x0, y0, x1, y1 = figures["box"]
        return fault == "logo" and max(x0 + x1, y0 + y1) / 2 < _CORNER
    if finding.kind not in _IN_WORDS:
        return False
    words = "|".join(map(re.escape, _WORDS[fault]))
    return re.search(rf"\b(?:{words})\b", finding.title.lower()) is not None

"""Where a screen may lead: messages that screens post and the app alone answers, with a screen.

So no screen imports another one to open it, and they may lead to each other in circles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    # Told to type checkers alone: the first screen paints before SQLAlchemy is loaded.
    from db.records import ClassName, Finding, Region, Run, Show
    from db.verdicts import Kind, Mark
    from mapcap.stats import Change
    from tui.opened import Opened


@dataclass(frozen=True)
class Among:
    """The images that next and previous go through, in the order of their margins.

    With `finding_id` they are those of a finding, in its order.
    """

    show: Show = "all"
    wrong_as: int | None = None
    descending: bool = False
    finding_id: int | None = None


@dataclass
class Navigation(Message):
    """A screen on `opened` is wanted."""

    opened: Opened


@dataclass
class OpenClass(Navigation):
    """A class; at one of its findings, or at its images predicted as a class, if that is given."""

    record: ClassName
    finding: Finding | None = None
    wrong_as: int | None = None


@dataclass
class OpenImage(Navigation):
    """An image, among those that next and previous go through."""

    image_id: int
    among: Among


@dataclass
class OpenCaption(Navigation):
    """The regions that have one of some captions, of a class or of the whole run."""

    caption_ids: Sequence[int]
    text: str
    class_id: int | None = None


@dataclass
class OpenSimilar(Navigation):
    """The regions most like one region."""

    region: Region


@dataclass
class OpenFinding(Navigation):
    """What a finding rests on: its regions, or its images."""

    finding: Finding
    images: bool


@dataclass
class OpenVerdict(Navigation):
    """One verdict on things of a kind; `offered` is the mark that the cursor begins at.

    `title` is what an older file of verdicts may call the finding.
    """

    kind: Kind
    names: Sequence[str]
    shown: str
    offered: Mark | None = None
    title: str | None = None


@dataclass
class OpenRunFindings(Navigation):
    """The findings of all classes."""


@dataclass
class OpenMatrix(Navigation):
    """The confusion matrix of the run."""


@dataclass
class OpenComparison(Navigation):
    """The run that is looked at compared with another one."""

    other: Run


@dataclass(frozen=True)
class ClassPair:
    """A class in two runs, and what changed from one to the other; None without common images."""

    older: ClassName
    newer: ClassName
    change: Change | None


@dataclass
class OpenApart(Navigation):
    """A class in two runs: the errors that one of them alone makes."""

    older: Run
    newer: Run
    pair: ClassPair


@dataclass
class OpenMetrics(Navigation):
    """The metrics of a run."""


@dataclass
class SwitchRun(Navigation):
    """Another run of the file is to be looked at."""

    run: Run

"""The model's confidence where it predicts a class, against its accuracy there."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.text import Text

from db.records import ClassAudit
from tui.texts import bar, grade, share
from tui.widgets.finding_text import Figures, chance

_MOST_BINS: Final = 20
_WIDTH: Final = 30


def calibration(audit: ClassAudit) -> Text:
    """Return the calibration of a class: figures, then a bar for each bin of confidence.

    The bar is the accuracy, the mark in it the mean confidence: level with each
    other where it is calibrated.
    """
    figures = Figures(audit.figures)
    lines = [_head(figures), Text(), *_likeness(figures)]
    stored: Any = audit.figures.get("bins")
    listed = stored if isinstance(stored, list) else []
    bins = [Figures(each) for each in listed if isinstance(each, dict)]
    drawn = [line for each in bins[:_MOST_BINS] if (line := _bin(each)) is not None]
    if drawn:
        lines += [
            Text(),
            Text.assemble(
                ("confidence  correct", "dim"), ("  │ where it would be calibrated", "dim")
            ),
            *drawn,
        ]
    return Text("\n").join(lines)


def _head(figures: Figures) -> Text:
    text = Text.assemble(("calibration error (ECE) ", "dim"))
    names: Mapping[str, str] = {
        "": "ece",
        "   by chance up to ": "ece_level",
        "   confidence ": "mean_confidence",
        "   accuracy ": "accuracy",
        "   margin ": "mean_margin",
    }
    for title, key in names.items():
        value = figures.number(key)
        text.append(title, style="dim").append("-" if value is None else f"{value:.2f}", "bold")
    confidence, accuracy = figures.number("mean_confidence"), figures.number("accuracy")
    error, level = figures.number("ece"), figures.number("ece_level")
    if confidence is not None and accuracy is not None and error is not None:
        if level is not None and error <= level:
            text.append("\nno larger than by chance where the class is predicted")
        else:
            how = "overconfident" if confidence > accuracy else "underconfident"
            gap = share(abs(confidence - accuracy))
            text.append(f"\n{how} by {gap} where the class is predicted")
    return text


def _likeness(figures: Figures) -> Iterator[Text]:
    for key, what in (("maps", "relevance maps"), ("regions", "region embeddings")):
        cosine, p = figures.number(f"{key}_cosine"), figures.number(f"{key}_p")
        if cosine is not None:
            yield Text.assemble(
                (f"similarity of {what}, misclassified to correct: ", "dim"),
                (f"cosine {cosine:.2f}", "bold"),
                (f" ({chance(p)})" if p is not None else "", "dim"),
            )


def _bin(figures: Figures) -> Text | None:
    numbers = figures.numbers("low", "high", "accuracy", "confidence", "images")
    if numbers is None:
        return None
    low, high, right, sure, images = numbers
    drawn = bar(right, _WIDTH, grade(right))
    place = min(_WIDTH - 1, int(min(1.0, max(0.0, sure)) * _WIDTH))
    drawn.plain = drawn.plain[:place] + "│" + drawn.plain[place + 1 :]
    drawn.stylize("bold white", place, place + 1)
    return Text.assemble(
        (f"{low:.1f} to {high:.1f}  ", "dim"),
        drawn,
        f" {share(right):>5}",
        (f"  {images:.0f}×", "dim"),
    )

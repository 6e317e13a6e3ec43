"""A finding in words: its kind as a tag, and the figures behind it as sentences.

The figures come from a file: whatever is missing, or of another type, is left unsaid.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.text import Text

from db.records import ClassAudit, Finding
from tui.show import safe, share

_COLOURS: Final[Mapping[str, str]] = {
    "confusion": "#ff6b6b",
    "word": "#7aa2ff",
    "slice": "#d98cff",
    "label": "#ffc94d",
    "background": "#8fd14f",
    "mark": "#4dd8e6",
}
TAG_WIDTH: Final = 12
_SIGNIFICANT: Final = 0.05
_LONGEST_LINE: Final = 2000
_TINY: Final = 0.001
_TWO: Final = 2


def tag(kind: str) -> Text:
    """Return the kind of a finding, dark on its colour, `TAG_WIDTH` cells wide."""
    shown = safe(kind, longest=TAG_WIDTH - 2).plain
    return Text.assemble((f" {shown} ", f"black on {_COLOURS.get(kind, 'white')}"))


def line_of(audit: ClassAudit, name: str) -> Text:
    """Return the audit's line without the name of the class, its numbers standing out."""
    text = safe(audit.line.removeprefix(f"{name}: "), longest=_LONGEST_LINE)
    text.highlight_regex(r"(?<![\w.])[\d.]*\d%?", "bold")
    return text


@dataclass(frozen=True)
class Figures:
    """Figures of a finding, each None unless it is there and of the type asked for."""

    found: Mapping[str, Any]

    def number(self, key: str) -> float | None:
        """Return a finite number."""
        value: Any = self.found.get(key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number and math.isfinite(value) else None

    def numbers(self, *keys: str) -> list[float] | None:
        """Return numbers, None if one of them is missing."""
        values = [self.number(key) for key in keys]
        whole = [value for value in values if value is not None]
        return whole if len(whole) == len(values) else None

    def text(self, key: str) -> Text | None:
        """Return text, fit to be shown."""
        value = self.found.get(key)
        return safe(value, "bold", longest=120) if isinstance(value, str) else None

    def pairs(self, key: str) -> list[tuple[str, float]]:
        """Return texts with a number each, from a mapping or a list of pairs."""
        value: Any = self.found.get(key)
        pairs = list(value.items()) if isinstance(value, dict) else value
        if not isinstance(pairs, list):
            return []
        whole = [pair for pair in pairs if isinstance(pair, list | tuple) and len(pair) == _TWO]
        return [
            (text, float(count))
            for text, count in whole
            if isinstance(text, str) and isinstance(count, int | float)
        ]


def told(finding: Finding) -> list[Text]:
    """Return the figures of a finding as sentences, the most telling first."""
    figures = Figures(finding.figures)
    return [*_TOLD[finding.kind](figures)] if finding.kind in _TOLD else []


def chance(value: float | None, name: str = "p") -> str:
    """Return a p or q as text, empty where there is none."""
    if value is None:
        return ""
    return f"{name} {value:.1e}" if 0 < value < _TINY else f"{name} {value:.3f}"


def _confusion(figures: Figures) -> Iterator[Text]:
    if figures.text("class") is not None:
        yield from _taken_for_this(figures)
        return
    part, name = figures.number("share_of_errors"), figures.text("predicted")
    if part is not None:
        yield Text(f"{share(part)} of the errors go there ({chance(figures.number('q'), 'q')}).")
    sure = figures.number("mean_confidence")
    if sure is not None:
        yield Text(f"The model is {share(sure)} sure of it on average.")
    doubted, count = figures.number("doubted_labels"), figures.number("count")
    if doubted and count:
        yield Text(f"{doubted:.0f} of the {count:.0f} may be labelled wrongly.", style="yellow")
    back = figures.number("taken_back")
    if back is not None and name is not None:
        yield Text.assemble(f"The other way round: {back:.0f} of ", name, ".")
    names = figures.numbers("names_cosine", "names_rank")
    if names is not None:
        nearer = f"{names[1] - 1:.0f}" if names[1] > 1 else "none"
        yield Text(f"The two names: cosine {names[0]:.2f}, {nearer} of the others nearer.")
    captions = figures.pairs("contrast_captions")
    if captions and name is not None:
        yield Text.assemble("What speaks for ", name, " there:")
        yield from (_listed(f"{count:.0f}×", caption) for caption, count in captions[:5])


def _taken_for_this(figures: Figures) -> Iterator[Text]:
    counts, name = figures.numbers("count", "said"), figures.text("class")
    if counts is not None and name is not None:
        part = share(counts[0] / counts[1]) if counts[1] else "-"
        yield Text.assemble(f"{part} of what is taken for this class is ", name, ".")
        yield Text("It is that class which fails: enter opens it.", style="dim")


def _word(figures: Figures) -> Iterator[Text]:
    counts = figures.numbers("right", "images", "right_without", "images_without")
    if counts is not None:
        yield _with_without("the word", *counts)
    tested = figures.numbers("log_odds", "z", "q")
    if tested is not None:
        yield Text(f"Log-odds {tested[0]:+.2f}, z {tested[1]:+.1f}, {chance(tested[2], 'q')}.")
    b2t = figures.numbers("b2t", "b2t_low", "b2t_high")
    if b2t is not None:
        side = "wrong" if b2t[0] > 0 else "right"
        yield (
            Text(f"CLIP finds it more in the {side} images, too:")
            if b2t[1] * b2t[2] > 0
            else (Text("CLIP sees no sure difference:"))
        )
        yield Text(f"B2T {b2t[0]:+.3f}, 95 % {b2t[1]:+.3f} to {b2t[2]:+.3f}.")


def _slice(figures: Figures) -> Iterator[Text]:
    counts = figures.numbers("wrong", "images", "wrong_without", "images_without")
    if counts is not None:
        wrong, inside, wrong_outside, outside = counts
        yield _with_without("the slice", inside - wrong, inside, outside - wrong_outside, outside)
    tested = [chance(figures.number(key), key) for key in ("p", "q")]
    if any(tested):
        yield Text(", ".join(filter(None, tested)) + ".")
    names = figures.found.get("names")
    if isinstance(names, list) and names:
        yield Text("Captions at its middle:")
        yield from (_listed("·", name) for name in names[:5] if isinstance(name, str))


def _label(figures: Figures) -> Iterator[Text]:
    near, sure = figures.number("mean_share_of_neighbours"), figures.number("mean_confidence")
    if sure is not None:
        yield Text(f"The model is {share(sure)} sure of the other class,")
    if near is not None:
        yield Text(f"and {share(near)} of the nearest images belong to it.")
    said = figures.pairs("said")
    yield from (_listed(f"{count:.0f}×", name) for name, count in said[:6])
    yield Text("l: call the marked image's label wrong.", style="dim")


def _background(figures: Figures) -> Iterator[Text]:
    yield from _shared(figures)
    apart = figures.number("deviations")
    if apart is not None:
        quality = figures.text("property") or Text("looks")
        yield Text.assemble(quality, f" {apart:+.1f} standard deviations from other classes.")


def _mark(figures: Figures) -> Iterator[Text]:
    yield from _shared(figures)
    both = figures.numbers("area", "relevance")
    if both is not None:
        yield Text(f"It covers {both[0]:.1%} of the view and has {both[1]:.1%} of the relevance.")


def _shared(figures: Figures) -> Iterator[Text]:
    shares = figures.numbers("share", "share_elsewhere")
    if shares is not None:
        found = chance(figures.number("p"))
        yield Text(f"{share(shares[0])} of the class, {share(shares[1])} of the others ({found}).")
    there, absent = figures.number("accuracy_with"), figures.number("accuracy_without")
    if there is not None and absent is not None:
        p = figures.number("accuracy_p")
        yield Text(f"{share(there)} right with it, {share(absent)} without ({chance(p)}).")
        if p is not None and p > _SIGNIFICANT:
            yield Text("So far no error follows from it: it may where it is absent.", style="dim")


def _with_without(what: str, right: float, images: float, right2: float, images2: float) -> Text:
    parts = [share(a / b) if b else "-" for a, b in ((right, images), (right2, images2))]
    return Text.assemble(
        f"With {what} ",
        (parts[0], "bold"),
        f" right ({right:.0f} of {images:.0f}), without ",
        (parts[1], "bold"),
        f" ({right2:.0f} of {images2:.0f}).",
    )


def _listed(mark: str, text: str) -> Text:
    return Text.assemble((f"  {mark:>3} ", "dim"), safe(text, longest=160))


_TOLD: Final[Mapping[str, Callable[[Figures], Iterator[Text]]]] = {
    "confusion": _confusion,
    "word": _word,
    "slice": _slice,
    "label": _label,
    "background": _background,
    "mark": _mark,
}

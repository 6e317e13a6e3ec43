"""Printing what a store holds: tables for people, JSON for scripts."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from math import isfinite
from typing import Any

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.text import Text

from db.ordering import with_photos
from db.records import (
    CaptionHit,
    ClassName,
    Confusion,
    Image,
    Region,
    Run,
    RunCounts,
    Stage,
    Summary,
    TopClass,
    WordScore,
)
from mapcap.printing.summaries import sides_table, summary_table
from mapcap.printing.tables import bar, data_table, figure, safe
from mapcap.runs.standing import classes_of
from mapcap.text import clean, counted

_LISTED = 10
"""Names that a list of things shows."""


def print_json(value: Any) -> None:
    """Print records, lists and dicts as one JSON document; arrays are left out of records."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=True))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {key: _plain(item) for key, item in pairs if not isinstance(item, np.ndarray)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        # JSON has no such number; a stored 1e999 is one.
        return None
    return value


def listed(what: str, names: Sequence[str]) -> str:
    """Return how many things are so, and the first of their names, as they may be shown."""
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return f"{len(names):,} {what}: {', '.join(map(clean, names[:_LISTED]))}{more}"


def class_table(classes: Sequence[ClassName]) -> RenderableType:
    """Return the table of classes; those without images are counted below it.

    Accuracy in per cent with its interval, the most frequent wrong class, the summary's first
    sentence; a narrow terminal goes without what is said last here, never without the accuracy.
    Without labels: the images and the sentence.
    """
    shown = with_photos(classes)
    unlabelled = any(each.correct is None for each in shown)
    table = _predicted_classes(shown) if unlabelled else _judged_classes(shown)
    left = len(classes) - len(shown)
    if not left:
        return table
    return Group(table, Text(f"{counted(left, 'class')} without images left out", "dim"))


def _predicted_classes(classes: Iterable[ClassName]) -> RenderableType:
    table = data_table("class", "images", "summary begins", right=("images",))
    for record in classes:
        table.add_row(safe(record.name), f"{record.predicted:,}", safe(record.first_sentence))
    return table


def _judged_classes(classes: Iterable[ClassName]) -> RenderableType:
    figures = ("correct", "accuracy", "95 %", "p(true)")
    texts = ("class", "top confusion", "summary begins")
    least = ("p(true)", "95 %", "summary begins", "correct", "top confusion")
    table = data_table(texts[0], *figures, *texts[1:], right=figures, short=texts, least=least)
    for record in classes:
        wrong = Text()
        if record.top_wrong_name is not None:
            wrong = Text.assemble(f"{record.top_wrong_count:,} ", safe(record.top_wrong_name))
        table.add_row(
            safe(record.name),
            f"{record.correct or 0:,}/{record.predicted:,}",
            Text.assemble(bar(record.accuracy), f" {_per_cent(record.accuracy):>4}"),
            "-" if record.accuracy is None else _interval(record),
            figure(record.mean_true_probability),
            wrong,
            safe(record.first_sentence),
        )
    return table


def _per_cent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _interval(record: ClassName) -> str:
    low, high = record.accuracy_low or 0.0, record.accuracy_high or 0.0
    return f"{100 * low:.0f}-{100 * high:.0f}"


def class_page(
    record: ClassName,
    summary: Summary | None,
    confusions: Sequence[Confusion],
    words: Sequence[WordScore],
    sides: tuple[Summary, Summary] | None,
    absent: str,
) -> RenderableType:
    """Return one class: figures, summary, what either side shares, confusions, words.

    `absent` says why, where there is no summary.
    """
    labelled = record.correct is not None
    accuracy = f"{record.correct} of {record.predicted} correct"
    if not labelled:
        accuracy = f"{counted(record.predicted, 'image')} predicted as it"
    if record.accuracy is not None:
        accuracy += f", accuracy {_per_cent(record.accuracy)} (95 % interval {_interval(record)} %)"
    head = Text.assemble((clean(record.name), "bold"), f"  {accuracy}")
    unreadable = record.images - record.readable
    parts: list[RenderableType] = [head]
    if unreadable:
        parts.append(Text(f"{unreadable} of {record.images} images could not be read", "yellow"))
    parts += [
        Text(),
        summary_table(summary, record.distinct_captions, absent, labelled=labelled),
    ]
    if sides is not None:
        parts += [Text(), sides_table(*sides)]
    if confusions:
        table = data_table("predicted as", "images", "share", right=("images", "share"))
        for confusion in confusions:
            table.add_row(
                safe(confusion.predicted_name), f"{confusion.count}", _per_cent(confusion.share)
            )
        parts += [Text(), table]
    if words:
        listed = ", ".join(f"{clean(word.word)} {word.score:.2f}" for word in words)
        parts += [Text(), Text.assemble(("words  ", "bold"), listed)]
    return Group(*parts)


def image_page(image: Image, top: Sequence[TopClass], regions: Sequence[Region]) -> RenderableType:
    """Return one image: what it was predicted as, and its regions with their captions."""
    parts: list[RenderableType] = [safe(image.path)]
    size = f"{image.width}x{image.height}" if image.width else "size unknown"
    digest = clean((image.content_hash or "")[:12])
    what = "predicted as " if image.unlabelled else "class "
    parts.append(Text.assemble(what, (clean(image.class_name), "bold"), f"  {size}  {digest}"))
    if image.error is not None:
        parts.append(Text(f"could not be read: {clean(image.error)}", "red"))
    if top:
        table = data_table("predicted as", "p", "logit", right=("p", "logit"))
        for guess in top:
            name = safe(guess.name)
            if guess.class_id == image.class_id:
                name.stylize("green")
            table.add_row(name, figure(guess.probability, 3), figure(guess.logit))
        parts += [Text(), table]
    if image.witness_name is not None:
        sure = figure(image.witness_probability, 3)
        parts.append(Text.assemble("the CLIP itself says ", safe(image.witness_name), f" ({sure})"))
    if regions:
        numbers = ("area", "mass", "cosine")
        least = ("cosine", "mass", "area", "box")
        table = data_table("map", "box", *numbers, "caption", right=numbers, least=least)
        for region in regions:
            box = " ".join(f"{edge:.0f}" for edge in region.box)
            table.add_row(
                f"{'predicted' if image.unlabelled else region.role} {region.rank}",
                box,
                figure(region.area_share),
                figure(region.mass_share),
                figure(region.cosine),
                safe(region.caption),
            )
        parts += [Text(), table]
    return Group(*parts)


def status_page(
    run: Run,
    stages: Sequence[Stage],
    counts: RunCounts,
    standing: str,
    unreadable: Sequence[tuple[str, str]],
) -> RenderableType:
    """Return how far a run is; `unreadable` are paths, each with the reason."""
    head = Text.assemble(
        (f"run {run.id}", "bold"),
        f"  {clean(standing)}  preset {clean(run.preset)}  ",
        clean(run.dataset),
    )
    # Digests are there as well, for machines.
    names = {key: name for key, name in run.networks.items() if isinstance(name, str)}
    networks = ", ".join(f"{clean(key)} {clean(name)}" for key, name in names.items())
    when = f"started {run.started:%Y-%m-%d %H:%M} on {clean(run.host)} ({clean(run.device)})"
    shares = ("reading", "computing", "writing")
    numbers = ("done", "of", "seconds", "per second", *shares)
    table = data_table("stage", *numbers, right=numbers, least=("seconds", "per second", *shares))
    for stage in stages:
        rate = figure(stage.items_per_second, 1)
        spent = [getattr(stage, share) for share in shares]
        table.add_row(
            safe(stage.name),
            f"{stage.done:,}",
            f"{stage.total:,}",
            f"{stage.seconds:.1f}",
            rate,
            *(f"{part / sum(spent):.0%}" if sum(spent) else "-" for part in spent),
        )
    accuracy = ""
    if counts.predicted and counts.correct is not None:
        accuracy = f", accuracy {_per_cent(counts.correct / counts.predicted)}"
    contents = (
        f"{classes_of(run, counts)}, {counts.images:,} images "
        f"({counts.images - counts.readable:,} unreadable){accuracy}, "
        f"{counts.regions:,} regions, {counts.captions:,} distinct captions"
    )
    notes = [Text(clean(note), "yellow") for note in run.notes]
    if unreadable:
        notes.append(Text(listed("could not be read", [path for path, _ in unreadable]), "yellow"))
    return Group(head, Text(networks), Text(when), Text(contents), *notes, Text(), table)


def hits_table(hits: Sequence[CaptionHit]) -> RenderableType:
    """Return captions that a search found, the words marked."""
    table = data_table("regions", "classes", "caption", right=("regions", "classes"))
    for hit in hits:
        # Marked before cleaning: both keep every character in its place.
        text = safe(hit.text)
        for start, end in hit.spans:
            text.stylize("bold yellow", start, end)
        table.add_row(str(hit.count), str(hit.classes), text)
    return table


def show(console: Console, page: RenderableType) -> None:
    """Print a page; in a file or a pipe no line is filled up with blanks."""
    if console.is_terminal:
        console.print(page, highlight=False)
        return
    with console.capture() as capture:
        console.print(page, highlight=False)
    lines = capture.get().splitlines()
    console.file.write("".join(f"{line.rstrip()}\n" for line in lines))

"""`mapcap audit`: why classes fail, and what changed between two runs."""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from db import queries
from db.errors import StoreError
from db.ordering import with_photos
from db.records import ClassName, Run
from mapcap.commands.base import (
    Db,
    Json,
    RunNumber,
    console,
    errors,
    open_run,
    print_page,
    source_of,
)
from mapcap.config import MOST
from mapcap.errors import UserError
from mapcap.printing import pages
from mapcap.printing.tables import safe
from mapcap.runs.lookup import find_class
from mapcap.text import clean

_EXAMPLES = 3
_WORDS = 12


def audit(
    db: Db,
    class_name: Annotated[
        str | None, typer.Argument(metavar="[CLASS]", help="Name or folder of a class.")
    ] = None,
    run: RunNumber = None,
    against: Annotated[
        int | None,
        typer.Option(
            "--against",
            metavar="N",
            min=1,
            max=MOST,
            help="Compare with run N of the file, on the same images.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say why classes fail: a line for each, the worst first, or all findings of one.

    A file that an older MapCap audited is audited again first, where MapCap's index extra is
    installed, the file may be written and its CLIP can be loaded.

    With --against, what got better and worse since another run of the file, class by class, with
    McNemar's exact test on the images that both runs predicted.

    [cyan]mapcap audit sample.db[/]

    [cyan]mapcap audit sample.db planet[/]

    [cyan]mapcap audit sample.db --run 2 --against 1[/]
    """
    engine, chosen = open_run(db, run)
    if against is None:
        _bring_up_to_date(db, engine, chosen)
    if class_name is None:
        classes = queries.classes(engine, chosen.id, sort="accuracy")
    else:
        classes = [find_class(engine, chosen.id, class_name)]
    if against is not None:
        _compare(engine, chosen, queries.run(engine, against), classes, json=json)
    elif class_name is None:
        _lines(db, engine, chosen, classes, json=json)
    else:
        _print_class(db, engine, chosen, classes[0], json=json)


def _bring_up_to_date(db: Path, engine: Engine, run: Run) -> None:
    """Audit a finished run again that an older MapCap audited, or say why that was not done."""
    from mapcap.audit.kinds import AUDIT_VERSION

    if run.status != "done" or not queries.outdated_audits(engine, run.id, AUDIT_VERSION):
        return
    if not all(find_spec(name) for name in ("open_clip", "scipy", "torch")):
        why = "mapcap[index] is not installed here"
    elif not os.access(db, os.W_OK):
        why = "the file may not be written"
    else:
        from mapcap.indexing.audit_again import audit_again

        # Nobody may hold the file when its journal is put away at the end.
        engine.dispose()
        try:
            if not audit_again(db, run, errors()):
                raise typer.Exit(130)
            return
        except (StoreError, UserError) as error:
            why = str(error)
    note = f"{db} was audited by an older MapCap, and that audit is shown: {why}"
    errors().print(clean(note), style="yellow", highlight=False, markup=False, soft_wrap=True)


def _lines(db: Path, engine: Engine, run: Run, classes: Sequence[ClassName], *, json: bool) -> None:
    from mapcap.printing.audit import lines_page

    shown = with_photos(classes)
    audits = [audited for record in shown if (audited := queries.class_audit(engine, record.id))]
    if not audits:
        raise _missing(db)
    if json:
        names = {record.id: record.name for record in classes}
        pages.print_json([{"class": names[each.class_id], "audit": each} for each in audits])
        return
    page = console()
    if (source := source_of(engine, run)) is not None:
        page.print(safe(source), highlight=False, soft_wrap=True)
    # In a pipe a class is one line, however long.
    lines = lines_page([audited.line for audited in audits])
    page.print(lines, highlight=False, soft_wrap=not page.is_terminal)


def _print_class(db: Path, engine: Engine, run: Run, record: ClassName, *, json: bool) -> None:
    from mapcap.printing.audit import audit_page

    audited = queries.class_audit(engine, record.id)
    if audited is None:
        raise _missing(db)
    findings = queries.findings(engine, record.id)
    paths = [
        [image.path for image in queries.finding_images(engine, finding.id, limit=_EXAMPLES)]
        for finding in findings
    ]
    words = queries.error_words(engine, record.id)
    if json:
        listed = [
            {"finding": finding, "images": examples}
            for finding, examples in zip(findings, paths, strict=True)
        ]
        pages.print_json({"class": record, "audit": audited, "findings": listed, "words": words})
        return
    listed_findings = list(zip(findings, paths, strict=True))
    page = audit_page(audited, listed_findings, words[:_WORDS], labelled=not run.unlabelled)
    print_page(page, source_of(engine, run))


def _missing(db: Path) -> UserError:
    return UserError(
        f"{db} holds no audit yet: run the same `mapcap index` command again, "
        "which adds what is missing"
    )


def _compare(
    engine: Engine, run: Run, other: Run, classes: Sequence[ClassName], *, json: bool
) -> None:
    from rich.console import Group
    from rich.text import Text

    from mapcap.printing.audit import changes_page
    from mapcap.printing.comparison import apart_page
    from mapcap.runs.comparison import compare, errors_apart

    if run.id == other.id:
        raise UserError(f"--against {other.id}: that is the run itself; give another run's number")
    for each in (run, other):
        if each.unlabelled:
            raise UserError(
                f"--against {other.id}: the photos of run {each.id} have no labels, so that nobody "
                "knows which of its predictions are correct"
            )
    only = classes[0].id if len(classes) == 1 else None
    comparison = compare(engine, run.id, other.id, only)
    overall = comparison.overall
    if overall is None:
        raise UserError(
            f"--against {other.id}: runs {run.id} and {other.id} share no predicted image "
            "(same path, content and class); `mapcap status` shows what they were made from"
        )
    changes = comparison.classes
    named = [(each.name, changes[each.id]) for each in classes if each.id in changes]
    apart = None if only is None else errors_apart(engine, run.id, other.id, classes[0])
    if json:
        listed = [{"class": name, "change": each} for name, each in named]
        answer = {"run": run.id, "against": other.id, "all": overall, "classes": listed}
        pages.print_json(answer if apart is None else {**answer, "apart": apart})
        return
    page = changes_page(overall, named, run, other)
    print_page(page if apart is None else Group(page, Text(), apart_page(apart, run, other)))

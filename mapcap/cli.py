"""The command line: thin, and quick to start, since torch is imported inside the commands."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer
from rich.console import Console, RenderableType
from sqlalchemy import Engine

from db import queries
from db.engine import finish, open_read, open_write
from db.errors import StoreError
from db.queries.classes import ClassSort
from db.records import Run, Sentence, Summary
from db.selection import select
from db.text import clean
from mapcap import show
from mapcap.config import PRESETS, IndexConfig, with_preset
from mapcap.errors import UserError

app = typer.Typer(
    name="mapcap",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Db = Annotated[Path, typer.Argument(metavar="DB", help="A file that `mapcap index` filled.")]
RunNumber = Annotated[
    int | None,
    typer.Option("--run", metavar="N", help="Run of the file; the newest if not given."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

_SORTS: tuple[str, ...] = get_args(ClassSort)
_PRESETS = "; ".join(f"[bold]{name}[/]: {preset.purpose}" for name, preset in PRESETS.items())


@app.callback(invoke_without_command=True)
def about(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Explain a whole class of an image classifier, in words.

    [bold]mapcap index[/] looks at every photo of a labelled data set: what CLIP takes it for,
    where it looks, and what is there, in words. It fills one SQLite file. The other commands read
    that file, on any machine, without a GPU and without torch.

    Start with the photos and networks that come with MapCap:

    [cyan]mapcap index sample --db sample.db[/]   fill a file

    [cyan]mapcap classes sample.db[/]             which classes fail, and what they are taken for

    [cyan]mapcap show sample.db insect[/]         one class: summary, confusions, words

    [cyan]mapcap browse sample.db[/]              all of it, as a terminal app
    """
    if version:
        from importlib.metadata import version as installed

        print(f"mapcap {installed('mapcap')}")
        raise typer.Exit


@app.command()
def index(
    photos: Annotated[
        str,
        typer.Argument(
            metavar="PHOTOS",
            help="A folder of class folders, the TinyImageNet layout, a CSV or Parquet file with "
            "columns path and class, or the word sample: the built-in photos.",
        ),
    ],
    db: Annotated[Path, typer.Option("--db", metavar="FILE", help="The SQLite file to fill.")],
    preset: Annotated[str, typer.Option(help=_PRESETS)] = "mini",
    model: Annotated[
        str | None,
        typer.Option(help="CLIP: an open_clip name, hf-hub:REPO, local-dir:FOLDER or mini."),
    ] = None,
    pretrained: Annotated[
        str | None, typer.Option(help="open_clip's tag of the weights, or a file of weights.")
    ] = None,
    captioner: Annotated[
        str | None,
        typer.Option(help="mini, clipcap:FILE, clipcap:hf-hub:REPO/FILE or blip:NAME."),
    ] = None,
    lm: Annotated[
        str | None, typer.Option(help="Language model of the PMI: a hub name, a folder or mini.")
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TSV or CSV: folder name, class name."),
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TSV: file, x0, y0, x1, y1 in pixels.")
    ] = None,
    limit_per_class: Annotated[
        int | None, typer.Option(metavar="N", help="At most N images of a class.")
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(help="Prompt with {} for the class name; may be repeated. Default: {}."),
    ] = None,
    templates: Annotated[
        str | None, typer.Option(metavar="openai", help="The 80 templates of the CLIP paper.")
    ] = None,
    representation: Annotated[
        str, typer.Option(help="pooled, or the poster's crop, mask, mask-all, blur, weighted.")
    ] = "pooled",
    relevance_start_layer: Annotated[
        int, typer.Option(metavar="L", help="First layer of the relevance; -1: the last alone.")
    ] = -1,
    regions: Annotated[int, typer.Option(metavar="K", help="At most K regions a map.")] = 3,
    sentences: Annotated[
        int, typer.Option(metavar="K", help="Length of the summary shown first.")
    ] = 5,
    redundancy: Annotated[
        float, typer.Option(metavar="X", help="Weight of what a new sentence repeats.")
    ] = 1.0,
    max_sentences: Annotated[
        int, typer.Option(metavar="N", help="At most N distinct captions a class in the PMI.")
    ] = IndexConfig.max_sentences,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    batch_size: Annotated[int, typer.Option(metavar="N", help="Images in a batch.")] = 64,
    json: Json = False,
) -> None:
    """Index photos: predictions, relevance, regions, captions, summaries, into one file.

    Ctrl-C stops after the batch at hand; the same command goes on where it stopped. Files that
    cannot be read are recorded and counted, and the run goes on.

    [cyan]mapcap index sample --db sample.db[/]

    [cyan]mapcap index photos/ --db photos.db --boxes boxes.tsv --limit-per-class 50[/]

    [cyan]mapcap index photos/ --db photos.db --preset poster --device cuda[/]
    """
    from mapcap.indexing import index_photos, templates_of

    config = IndexConfig(
        photos=photos if photos == "sample" else str(Path(photos).absolute()),
        names=None if names is None else str(names.absolute()),
        boxes=None if boxes is None else str(boxes.absolute()),
        limit_per_class=limit_per_class,
        templates=templates_of(template, templates),
        representation=representation,
        relevance_start_layer=relevance_start_layer,
        regions=regions,
        sentences=sentences,
        redundancy=redundancy,
        max_sentences=max_sentences,
    )
    config = with_preset(
        config, preset, model=model, pretrained=pretrained, captioner=captioner, lm=lm
    )
    finished = index_photos(config, db, device=device, batch_size=batch_size, console=_errors())
    if not finished:
        raise typer.Exit(130)
    if json:
        engine, run = _open(db, None)
        show.print_json({"run": run, "counts": queries.counts(engine, run.id)})


@app.command()
def browse(
    db: Db,
    run: RunNumber = None,
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Class to begin with.")
    ] = None,
    images: Annotated[
        str, typer.Option(help="How pictures are drawn: auto, kitty, sixel, half or off.")
    ] = "auto",
    verdicts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of your verdicts; beside DB if not given."),
    ] = None,
) -> None:
    """Walk through a file in the terminal: classes, images, regions, captions, summaries.

    The file is opened read-only, also while `mapcap index` still fills it.
    """
    from tui.app import make_app

    make_app(db, run=run, class_name=class_name, images=images, verdicts=verdicts).run()


@app.command()
def status(db: Db, json: Json = False) -> None:
    """Show the runs of a file: how far each stage is, at what rate, with which networks."""
    engine, _ = _open(db, None)
    pages = [
        (run, queries.stages(engine, run.id), queries.counts(engine, run.id))
        for run in queries.runs(engine)
    ]
    if json:
        names = ("run", "stages", "counts")
        show.print_json([dict(zip(names, page, strict=True)) for page in pages])
        return
    for page in pages:
        _print(show.status_page(*page))


@app.command()
def classes(
    db: Db,
    sort: Annotated[str, typer.Option(help=f"{', '.join(_SORTS)}.")] = "accuracy",
    descending: Annotated[bool, typer.Option("--descending", help="Largest first.")] = False,
    below: Annotated[
        float | None, typer.Option(metavar="X", help="Only classes of accuracy below X.")
    ] = None,
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """List the classes: accuracy with its interval, confusion, summary; the worst first."""
    if sort not in _SORTS:
        raise UserError(f"--sort {sort}: give one of {', '.join(_SORTS)}.")
    engine, chosen = _open(db, run)
    found = queries.classes(
        engine,
        chosen.id,
        sort=cast(ClassSort, sort),
        descending=descending,
        below=below,
    )
    if json:
        show.print_json(found)
        return
    console = _console()
    show.show(console, show.class_table(found, console.width))


@app.command(name="show")
def show_class(
    db: Db,
    class_name: Annotated[str, typer.Argument(metavar="CLASS", help="Name or folder of a class.")],
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Show one class: its figures, its summary, what it is taken for, its words."""
    engine, chosen = _open(db, run)
    found = queries.class_by_name(engine, chosen.id, class_name)
    config = IndexConfig.from_json(_json(chosen.config))
    page: dict[str, Any] = {
        "found": found,
        "summary": queries.summary(engine, found.id, config.sentences, config.redundancy),
        "confusions": queries.confusions(engine, found.id),
        "words": queries.word_scores(engine, found.id, "relevance")[:12],
    }
    if json:
        show.print_json({"class": page.pop("found"), **page})
        return
    _print(show.class_page(**page))


@app.command()
def image(
    db: Db,
    path: Annotated[str, typer.Argument(metavar="PATH", help="Path of an image, or its end.")],
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Show one image: what it was taken for, its regions and their captions."""
    engine, chosen = _open(db, run)
    found = queries.image_by_path(engine, chosen.id, path)
    page: dict[str, Any] = {
        "image": found,
        "top": queries.top_classes(engine, found.id),
        "regions": queries.regions(engine, found.id),
    }
    if json:
        show.print_json(page)
        return
    _print(show.image_page(**page))


@app.command()
def search(
    db: Db,
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="Words of a caption.")],
    in_class: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="Only captions of this class.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="At most N captions.")] = 50,
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Search the captions: all words must stand in a caption, the last one may be begun."""
    engine, chosen = _open(db, run)
    class_id = None
    if in_class is not None:
        class_id = queries.class_by_name(engine, chosen.id, in_class).id
    hits = queries.search_captions(
        engine, chosen.id, " ".join(words), class_id=class_id, limit=limit
    )
    if json:
        show.print_json(hits)
        return
    if not hits:
        _print(show.safe(f"no caption holds {' '.join(words)}"))
        return
    _print(show.hits_table(hits))


@app.command()
def summarize(
    db: Db,
    class_name: Annotated[
        str | None, typer.Argument(metavar="[CLASS]", help="One class; all if not given.")
    ] = None,
    k: Annotated[int, typer.Option("-k", "--sentences", metavar="K", help="Sentences.")] = 5,
    redundancy: Annotated[
        float, typer.Option(metavar="X", help="Weight of what a new sentence repeats.")
    ] = 1.0,
    run: RunNumber = None,
    json: Json = False,
) -> None:
    """Choose summaries anew from the stored PMI, for any length and redundancy; no network needed.

    [cyan]mapcap summarize photos.db -k 7 --redundancy 0.5[/]
    """
    if k < 1:
        raise UserError(f"-k {k}: a summary has at least one sentence.")
    if redundancy < 0:
        raise UserError(f"--redundancy {redundancy}: the weight is at least 0.")
    engine, chosen = _open(db, run)
    if class_name is None:
        wanted = queries.classes(engine, chosen.id)
    else:
        wanted = [queries.class_by_name(engine, chosen.id, class_name)]
    found = [(entry, _select(engine, entry.id, k, redundancy)) for entry in wanted]
    if json:
        show.print_json([{"class": entry.name, "summary": summary} for entry, summary in found])
        return
    for entry, summary in found:
        _print(show.safe(entry.name))
        _print(show.summary_table(summary, entry.distinct_captions))


def _select(engine: Engine, class_id: int, k: int, redundancy: float) -> Summary | None:
    """Choose a class's summary from its stored matrix."""
    pmi = queries.pmi(engine, class_id)
    if pmi is None or not pmi.texts:
        return None
    captions = {c.caption_id: c for c in queries.captions(engine, class_id, limit=10**6)}
    sentences = []
    for position, chosen in enumerate(select(pmi.matrix, pmi.counts, k, redundancy)):
        caption = captions[int(pmi.caption_ids[chosen.index])]
        sentences.append(
            Sentence(
                position,
                caption.caption_id,
                caption.text,
                chosen.relevance,
                chosen.penalty,
                chosen.score,
                caption.count,
                caption.right,
                caption.wrong,
            )
        )
    return Summary(0, class_id, k, redundancy, tuple(sentences))


@app.command()
def sample(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new or empty folder.")],
    json: Json = False,
) -> None:
    """Copy the built-in photos, their boxes and their licence into a folder."""
    from mapcap.sample import copy_sample

    copied = copy_sample(out)
    if json:
        show.print_json({"out": str(out), "pictures": copied})
        return
    _print(show.safe(f"{copied} pictures in {out}"))


@app.command()
def upgrade(db: Db) -> None:
    """Bring a file of an older MapCap up to date; a file of this version stays as it is."""
    engine, _ = _open(db, None, write=True)
    finish(engine)
    _print(show.safe(f"{db} is up to date"))


def _open(db: Path, run: int | None, *, write: bool = False) -> tuple[Engine, Run]:
    """Open a file and choose a run of it."""
    if write and not db.exists():
        raise StoreError(f"{db} does not exist: check the name")
    engine = open_write(db) if write else open_read(db)
    return engine, queries.latest_run(engine) if run is None else queries.run(engine, run)


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


def _print(page: RenderableType) -> None:
    show.show(_console(), page)


def _console() -> Console:
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        # A file or a pipe has no width: cut nothing that a person would want to search.
        console = Console(width=200)
    return console


def _errors() -> Console:
    return Console(stderr=True)


def main() -> None:
    """Run the command line: a mistake of the user's ends in one line and exit code 2."""
    try:
        app()
    except (UserError, StoreError) as error:
        _errors().print(
            f"mapcap: {clean(str(error))}",
            style="red",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)

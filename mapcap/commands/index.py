"""`mapcap index`: fill a file."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from db import queries
from mapcap.commands.base import Json, errors, open_run
from mapcap.config import IndexConfig
from mapcap.presets import PRESETS, with_preset
from mapcap.printing import pages

UNREADABLE_SHARE = 0.1
"""Share of photos that could not be read, above which the exit code says so."""
UNREADABLE = 3

_PRESETS = "; ".join(f"[bold]{name}[/]: {preset.purpose}" for name, preset in PRESETS.items())


def index(
    photos: Annotated[
        str,
        typer.Argument(
            metavar="PHOTOS",
            help="A folder of class folders, the TinyImageNet layout, a table (CSV, TSV, JSON "
            "lines, Parquet) with columns path and class, or the word sample: the built-in "
            "photos.",
        ),
    ],
    db: Annotated[Path, typer.Option("--db", metavar="FILE", help="The SQLite file to fill.")],
    preset: Annotated[str, typer.Option(help=_PRESETS)] = IndexConfig.preset,
    model: Annotated[
        str | None,
        typer.Option(
            help="CLIP: an open_clip name, hf-hub:REPO, local-dir:FOLDER, mini, or hf:NAME: CLIP "
            "or SigLIP in transformers' format, on the hub or in a folder."
        ),
    ] = None,
    pretrained: Annotated[
        str | None, typer.Option(help="open_clip's tag of the weights, or a file of weights.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Take the weights of the tag --pretrained from this file."
        ),
    ] = None,
    captioner: Annotated[
        str | None,
        typer.Option(
            help="mini, clipcap:FILE, clipcap:hf-hub:REPO/FILE, blip:NAME (BLIP, GIT), vlm:NAME (a "
            "vision-language model), or phrases or phrases:FILE: the nearest of a list. Default: "
            "the preset's; phrases if --model names another CLIP than the preset's."
        ),
    ] = None,
    prompt: Annotated[
        str, typer.Option(metavar="TEXT", help="What a vlm: captioner is asked of each region.")
    ] = IndexConfig.prompt,
    first_sentence: Annotated[
        bool,
        typer.Option(
            "--first-sentence/--whole-answer", help="How much of a vlm: captioner's answer is kept."
        ),
    ] = IndexConfig.first_sentence,
    lm: Annotated[
        str | None, typer.Option(help="Language model of the PMI: a hub name, a folder or mini.")
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TSV or CSV: folder name, class name."),
    ] = None,
    class_level: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL",
            help="Which folders are the classes where PHOTOS can be read in two ways: top (its "
            "own) or leaf (those that images lie in).",
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A table of file, x0, y0, x1, y1."),
    ] = None,
    box_format: Annotated[
        str | None,
        typer.Option(
            metavar="FORM",
            help="What the four numbers of a box are: xyxy (corners), xywh (corner, width, height) "
            "or cxcywh (centre, width, height). Default: as columns and numbers tell.",
        ),
    ] = None,
    box_units: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS",
            help="Whether boxes are in pixels or in shares of the photo's sides. Default: as the "
            "numbers tell.",
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your classifier's predictions, in place of the CLIP's: CSV, TSV, JSON lines or "
            "Parquet with the columns path and prediction (and confidence, or top1 prob1 top2 ..., "
            "or one for each class), or a matrix .npy, .npz or .safetensors.",
        ),
    ] = None,
    prediction_paths: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The photo of each row of --predictions, one a line."),
    ] = None,
    class_order: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What class numbers in --predictions, or rows of --class-weights without names, "
            "mean: the classes from 0 on, one a line. "
            "Default: the class folders sorted as torchvision and Keras do.",
        ),
    ] = None,
    class_weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your linear probe or fine-tuned head on the CLIP's image features, in place of "
            "class texts: .safetensors or .npy, classes x width, and perhaps a bias.",
        ),
    ] = None,
    features: Annotated[
        str, typer.Option(help="What --class-weights takes of the CLIP: normalised or raw.")
    ] = IndexConfig.features,
    classifier: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Your network, in place of the CLIP: timm:NAME (pretrained), timm:NAME|FILE (a "
            "checkpoint), hf:NAME or hf:FOLDER. Maps are its own; the CLIP puts them in words.",
        ),
    ] = None,
    concepts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Terms of your field, one a line, that the audit looks for in the photos beside "
            "its own vocabulary.",
        ),
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
    ] = IndexConfig.representation,
    relevance: Annotated[
        str,
        typer.Option(
            help="chefer, legrad, rollout, gradcam, value, or occlusion (slow). Convolutional "
            "towers (ResNet, ConvNeXt) have no attention for the first three."
        ),
    ] = IndexConfig.relevance,
    relevance_start_layer: Annotated[
        int, typer.Option(metavar="L", help="First layer of the relevance; -1: the last alone.")
    ] = IndexConfig.relevance_start_layer,
    regions: Annotated[
        int, typer.Option(metavar="K", help="At most K regions a map.")
    ] = IndexConfig.regions,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="What of a map is a region: mean (above its mean), half (above half of its "
            "range) or mass:Q (the share Q of its relevance). Default: mean; preset poster: half.",
        ),
    ] = None,
    sentences: Annotated[
        int, typer.Option(metavar="K", help="Length of the summary shown first.")
    ] = IndexConfig.sentences,
    redundancy: Annotated[
        float,
        typer.Option(
            "--redundancy-penalty", metavar="X", help="Lambda: weight of what a sentence repeats."
        ),
    ] = IndexConfig.redundancy,
    max_sentences: Annotated[
        int, typer.Option(metavar="N", help="At most N distinct captions a class in the PMI.")
    ] = IndexConfig.max_sentences,
    keep_artefacts: Annotated[
        bool | None,
        typer.Option(
            "--keep-artefact-captions/--no-keep-artefact-captions",
            help="Whether captions that describe the image rather than its content (background, "
            "blur) may stand in summaries. Default: no; preset poster: yes.",
        ),
    ] = None,
    class_frequency: Annotated[
        bool | None,
        typer.Option(
            "--idf/--no-idf",
            help="Whether relevance is weighted by the inverse document frequency over classes. "
            "Default: yes; preset poster: no.",
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write what happens to this file, for a night's run."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")] = "auto",
    dtype: Annotated[
        str,
        typer.Option(
            help="auto, float32, bfloat16 or float16: in what CLIP's vision tower runs forward. "
            "auto: half precision on CUDA; attention, gradients and sums are float32 always."
        ),
    ] = "auto",
    batch_size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Images in a batch, always. Default: 64 at first; more on CUDA while that fits "
            "and pays, fewer where the memory of the device runs out.",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="local: this process computes. ray: actors of a Ray cluster do, and this process "
            "writes (needs the extra ray)."
        ),
    ] = "local",
    actors: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="With --engine ray: how many actors. Default: one for each GPU."
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="With --engine ray: the cluster to join, or auto for the one of this machine. "
            "Default: one of this machine alone, started for the run.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Index photos: predictions, relevance, regions, captions, summaries, into one file.

    Ctrl-C stops after the batch at hand; the same command goes on where it stopped. Files that
    cannot be read are recorded and counted, and the run goes on; of more than a tenth, the exit
    code is 3.

    [cyan]mapcap index sample --db sample.db[/]

    [cyan]mapcap index photos/ --db photos.db --boxes boxes.tsv --limit-per-class 50[/]

    [cyan]mapcap index photos/ --db photos.db --preset poster --device cuda --log photos.log[/]

    [cyan]mapcap index photos/ --db photos.db --predictions resnet.csv[/]

    [cyan]mapcap index photos/ --db photos.db --class-weights probe.safetensors[/]

    [cyan]mapcap index photos/ --db photos.db --classifier 'timm:resnet50|mine.safetensors'[/]

    [cyan]mapcap index photos/ --db photos.db --engine ray --address auto[/]
    """
    from mapcap.audit.concepts import field_lines
    from mapcap.indexing.ray_options import ray_options
    from mapcap.indexing.start import index_photos, templates_of

    spread = ray_options(engine, actors, address, device)
    config = IndexConfig(
        photos=photos if photos == "sample" else str(Path(photos).absolute()),
        names=_absolute(names),
        class_level=class_level,
        boxes=_absolute(boxes),
        box_format=box_format,
        box_units=box_units,
        weights=_absolute(weights),
        predictions=_absolute(predictions),
        prediction_paths=_absolute(prediction_paths),
        class_order=_absolute(class_order),
        class_weights=_absolute(class_weights),
        features=features,
        classifier=_with_absolute_file(classifier),
        concepts=field_lines(concepts) if concepts else (),
        limit_per_class=limit_per_class,
        templates=templates_of(template, templates),
        representation=representation,
        relevance=relevance,
        prompt=prompt,
        first_sentence=first_sentence,
        relevance_start_layer=relevance_start_layer,
        regions=regions,
        sentences=sentences,
        redundancy=redundancy,
        max_sentences=max_sentences,
    )
    config = with_preset(
        config,
        preset,
        model=model,
        pretrained=pretrained,
        captioner=captioner,
        lm=lm,
        threshold=threshold,
        keep_artefacts=keep_artefacts,
        class_frequency=class_frequency,
    )
    config = with_absolute_paths(config)
    run_id, finished = index_photos(
        config,
        db,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        console=errors(),
        log=log,
        spread=spread,
    )
    if not finished:
        raise typer.Exit(130)
    store, run = open_run(db, run_id)
    counts = queries.counts(store, run.id)
    if json:
        pages.print_json({"run": run, "counts": counts})
    if counts.images - counts.readable > UNREADABLE_SHARE * counts.images:
        raise typer.Exit(UNREADABLE)


def _with_absolute_file(classifier: str | None) -> str | None:
    """Return `timm:NAME|FILE` with the whole path of the file, and other names as they are."""
    network, bar, file = (classifier or "").partition("|")
    return f"{network}{bar}{Path(file).absolute()}" if bar else classifier


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def with_absolute_paths(config: IndexConfig) -> IndexConfig:
    """Return a configuration whose networks in files are named by absolute paths.

    `local-dir:clip` in two folders are two networks, and so two runs.
    """

    def absolute(text: str) -> str:
        kind, colon, path = text.rpartition(":")
        place = Path(path).expanduser()
        return f"{kind}{colon}{place.absolute()}" if path and place.exists() else text

    pretrained = config.pretrained
    return replace(
        config,
        model=absolute(config.model) if config.model.startswith("local-dir:") else config.model,
        pretrained=None if pretrained is None else absolute(pretrained),
        captioner=absolute(config.captioner) if ":" in config.captioner else config.captioner,
        lm=absolute(config.lm) if config.lm != IndexConfig.lm else config.lm,
    )

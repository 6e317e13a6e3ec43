"""`mapcap index`: fill a file."""

from pathlib import Path
from typing import Annotated

import typer

from db import queries
from mapcap.commands.base import Json, errors, open_run
from mapcap.config import IndexConfig
from mapcap.presets import PRESETS, with_preset
from mapcap.printing import pages

_PRESETS = "; ".join(f"[bold]{name}[/]: {preset.purpose}" for name, preset in PRESETS.items())


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
    preset: Annotated[str, typer.Option(help=_PRESETS)] = IndexConfig.preset,
    model: Annotated[
        str | None,
        typer.Option(help="CLIP: an open_clip name, hf-hub:REPO, local-dir:FOLDER or mini."),
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
    boxes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TSV: file, x0, y0, x1, y1 in pixels.")
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
            help="What class numbers in --predictions mean: the classes from 0 on, one a line. "
            "Default: the class folders sorted as torchvision and Keras do.",
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
        str, typer.Option(help="chefer, legrad, rollout or value: from attention to relevance.")
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
    cannot be read are recorded and counted, and the run goes on.

    [cyan]mapcap index sample --db sample.db[/]

    [cyan]mapcap index photos/ --db photos.db --boxes boxes.tsv --limit-per-class 50[/]

    [cyan]mapcap index photos/ --db photos.db --preset poster --device cuda --log photos.log[/]

    [cyan]mapcap index photos/ --db photos.db --predictions resnet.csv[/]

    [cyan]mapcap index photos/ --db photos.db --engine ray --address auto[/]
    """
    from mapcap.indexing.ray_options import ray_options
    from mapcap.indexing.start import index_photos, templates_of

    spread = ray_options(engine, actors, address, device)
    config = IndexConfig(
        photos=photos if photos == "sample" else str(Path(photos).absolute()),
        names=_absolute(names),
        boxes=_absolute(boxes),
        weights=_absolute(weights),
        predictions=_absolute(predictions),
        prediction_paths=_absolute(prediction_paths),
        class_order=_absolute(class_order),
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
    if json:
        store, run = open_run(db, run_id)
        pages.print_json({"run": run, "counts": queries.counts(store, run.id)})


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())

"""`mapcap index`: fill a file."""

from dataclasses import replace
from pathlib import Path

import typer

from db import queries
from mapcap.commands.base import Json, errors, open_run, print_page
from mapcap.commands.index_options import classifier as classifier_options
from mapcap.commands.index_options import method, networks, running
from mapcap.commands.index_options import photos as photo_options
from mapcap.config import IndexConfig
from mapcap.presets import with_preset
from mapcap.printing import pages

UNREADABLE_SHARE = 0.1
"""Share of photos that could not be read, above which the exit code says so."""
UNREADABLE = 3


def index(
    photos: photo_options.Photos,
    db: running.Db,
    preset: networks.Preset = IndexConfig.preset,
    model: networks.Model = None,
    pretrained: networks.Pretrained = None,
    weights: networks.Weights = None,
    image_size: networks.ImageSize = None,
    captioner: networks.Captioner = None,
    prompt: networks.Prompt = IndexConfig.prompt,
    first_sentence: networks.FirstSentence = IndexConfig.first_sentence,
    region_view: networks.RegionView = IndexConfig.region_view,
    decoding: networks.Decoding = None,
    lm: networks.Lm = None,
    names: photo_options.Names = None,
    class_level: photo_options.ClassLevel = None,
    unlabelled: photo_options.Unlabelled = IndexConfig.unlabelled,
    boxes: photo_options.Boxes = None,
    box_format: photo_options.BoxFormat = None,
    box_units: photo_options.BoxUnits = None,
    predictions: classifier_options.Predictions = None,
    prediction_paths: classifier_options.PredictionPaths = None,
    class_order: classifier_options.ClassOrder = None,
    class_weights: classifier_options.ClassWeights = None,
    features: classifier_options.Features = IndexConfig.features,
    classifier: classifier_options.Classifier = None,
    concepts: method.Concepts = None,
    limit_per_class: photo_options.LimitPerClass = None,
    template: networks.Template = None,
    templates: networks.Templates = None,
    representation: method.Representation = IndexConfig.representation,
    relevance: method.Relevance = IndexConfig.relevance,
    relevance_start_layer: method.RelevanceStartLayer = IndexConfig.relevance_start_layer,
    regions: method.Regions = IndexConfig.regions,
    threshold: method.Threshold = None,
    sentences: method.Sentences = IndexConfig.sentences,
    redundancy: method.Redundancy = IndexConfig.redundancy,
    max_sentences: method.MaxSentences = IndexConfig.max_sentences,
    keep_artefacts: method.KeepArtefacts = None,
    class_frequency: method.ClassFrequency = None,
    log: running.Log = None,
    device: running.Device = "auto",
    dtype: running.Dtype = "auto",
    batch_size: running.BatchSize = None,
    engine: running.Engine = "local",
    actors: running.Actors = None,
    address: running.Address = None,
    dry_run: running.DryRun = False,
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
    from mapcap.indexing.logs import logging_to
    from mapcap.indexing.ray_options import ray_options
    from mapcap.indexing.start import index_photos, templates_of

    spread = ray_options(engine, actors, address, device)
    config = IndexConfig(
        photos=photos if photos == "sample" else str(Path(photos).absolute()),
        names=_absolute(names),
        class_level=class_level,
        unlabelled=unlabelled,
        boxes=_absolute(boxes),
        box_format=box_format,
        box_units=box_units,
        weights=_absolute(weights),
        image_size=image_size,
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
        region_view=region_view,
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
        decoding=decoding,
        lm=lm,
        threshold=threshold,
        keep_artefacts=keep_artefacts,
        class_frequency=class_frequency,
    )
    config = with_absolute_paths(config)
    if dry_run:
        with logging_to(log):
            _print_plan(config, device, dtype, batch_size, json=json)
        return
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


def _print_plan(
    config: IndexConfig, device: str, dtype: str, batch_size: int | None, *, json: bool
) -> None:
    from mapcap.indexing.planning import plan
    from mapcap.printing.plan import plan_page

    planned = plan(config, device=device, dtype=dtype, batch_size=batch_size, console=errors())
    if json:
        pages.print_json(planned)
        return
    print_page(plan_page(planned))


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

"""Builds the large store: the real schema and the real aggregates, rows in bulk."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from rich.progress import Progress
from sqlalchemy import Engine

from db import queries, writes
from db.engine import finish, open_write
from db.records import WordScore
from db.rows import NewClass, NewClassText, NewPmi, NewSentence, NewSummary, RunSpec
from mapcap.summaries.selection import relevances, select
from scripts.bench_browse import figures

Row: TypeAlias = dict[str, Any]

CAPTIONS = 50_000
DIMENSIONS = 384
_PER_CLASS_CAPTIONS = 160
_PMI = 128
_STAGES = ("images", "captions", "pmi", "summaries")
_LARGE = ("image", "thumbnail", "prediction", "prediction_top", "relevance", "region",
          "region_caption", "embedding")  # fmt: skip


@dataclass
class Made:
    """What has been given a number so far."""

    run_id: int
    class_ids: list[int]
    images: int = 0
    relevances: int = 0
    regions: int = 0


def build(file: Path, images: int, classes: int) -> None:
    """Build the store again, under another name until it is whole."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    for leftover in file.parent.glob(f"{unfinished.name}*"):
        leftover.unlink()
    engine = open_write(unfinished)
    spec = _spec(images, classes)
    run_id = writes.start_run(engine, spec)
    names = figures.class_names(classes)
    new = [NewClass(i, name, f"n{i:08}") for i, name in enumerate(names)]
    made = Made(run_id, writes.add_classes(engine, run_id, new))
    with Progress() as progress:
        task = progress.add_task("images", total=images)
        _fill(unfinished, made, images, lambda n: progress.advance(task, n))
        for title, work in (
            ("accuracy", writes.aggregate_accuracy),
            ("captions", writes.aggregate_captions),
        ):
            task = progress.add_task(title, total=None)
            work(engine, run_id)
            progress.update(task, total=1, completed=1)
        writes.pack_embeddings(engine, run_id, "pooled")
        task = progress.add_task("summaries", total=classes)
        for place, class_id in enumerate(made.class_ids):
            _summarise(engine, class_id, place, names[place])
            progress.advance(task)
    for position, stage in enumerate(_STAGES):
        writes.begin_stage(engine, run_id, stage, position=position, total=images, done=images)
        writes.finish_stage(engine, run_id, stage)
    writes.set_status(engine, run_id, "done")
    finish(engine)
    unfinished.rename(file)


def _spec(images: int, classes: int) -> RunSpec:
    name = f"bench {images} in {classes}"
    config = {"representation": "pooled", "sentences": 5, "redundancy": 1.0}
    return RunSpec(name, config, "bench", "made up", {}, {}, "bench", "cpu")


@contextmanager
def _bulk(file: Path) -> Iterator[sqlite3.Connection]:
    """Connect without care for crashes, the indexes of the large tables taken away meanwhile."""
    listed = ", ".join(f"'{name}'" for name in _LARGE)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -262144")
        found = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
            f"AND tbl_name IN ({listed})"
        ).fetchall()
        for name, _ in found:
            connection.execute(f'DROP INDEX "{name}"')
        yield connection
        for _, sql in found:
            connection.execute(sql)


def _fill(file: Path, made: Made, images: int, advance: Any) -> None:
    generator = np.random.default_rng(0)
    texts = figures.captions(min(CAPTIONS, max(200, images // 20)))
    pictures = figures.thumbnails(64)
    masks = figures.masks(32)
    centres = generator.normal(size=(len(made.class_ids), DIMENSIONS))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    share = np.array_split(np.arange(images), len(made.class_ids))
    with _bulk(file) as connection:
        _insert(connection, "caption", [
            {"id": n, "run_id": made.run_id, "text": text, "token_count": 8, "is_empty": False,
             "artefact": "black background" in text}
            for n, text in enumerate(texts, start=1)
        ])  # fmt: skip
        for place, part in enumerate(share):
            connection.execute("BEGIN")
            tables = _class_rows(made, place, len(part), generator, pictures, masks, len(texts))
            for table, rows in tables.items():
                _insert(connection, table, rows)
            regions = [row["id"] for row in tables["region"]]
            blobs = figures.vectors(centres[place], len(regions), generator)
            _insert(connection, "embedding", [
                {"region_id": region, "representation": "pooled", "vector": blob, "norm": 9.5}
                for region, blob in zip(regions, blobs, strict=True)
            ])  # fmt: skip
            connection.execute("COMMIT")
            advance(len(part))


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    """Insert rows of one table, each with the columns of the first."""
    if rows:
        columns, values = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
        connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", rows)


def _class_rows(
    made: Made,
    place: int,
    n: int,
    generator: np.random.Generator,
    pictures: list[bytes],
    masks: list[tuple[bytes, bytes]],
    texts: int,
) -> dict[str, list[Row]]:
    """Return the rows of all images of a class, table by table."""
    classes, class_id = made.class_ids, made.class_ids[place]
    right = generator.random(n) < generator.uniform(0.05, 0.97)
    others = [classes[(place + step) % len(classes)] for step in range(1, 11)]
    wrong_as = np.minimum(generator.geometric(0.35, n) - 1, 9)
    margins = np.where(right, 1.0, -1.0) * generator.gamma(2.0, 1.5, n)
    probability = 1 / (1 + np.exp(-margins))
    thumbs = generator.integers(len(pictures), size=n)
    ids = range(made.images + 1, made.images + n + 1)
    made.images += n
    rows: dict[str, list[Row]] = {name: [] for name in _LARGE[:-1]}
    for j, image_id in enumerate(ids):
        path = f"train/n{place:08}/images/n{place:08}_{j:06}.JPEG"
        digest = f"{image_id * 2654435761 % 2**64:016x}" * 4
        rows["image"].append({
            "id": image_id, "run_id": made.run_id, "class_id": class_id, "path": path,
            "content_hash": digest, "width": 500, "height": 375, "file_size": 100_000,
            "x0": 40.0, "y0": 30.0, "x1": 400.0, "y1": 300.0,
        })  # fmt: skip
        rows["thumbnail"].append({"image_id": image_id, "webp": pictures[thumbs[j]]})
        best = others[wrong_as[j]]
        predicted = class_id if right[j] else best
        rows["prediction"].append({
            "image_id": image_id, "class_id": class_id, "predicted_class_id": predicted,
            "correct": bool(right[j]), "true_probability": float(probability[j]),
            "true_rank": 1 if right[j] else 2, "margin": float(margins[j]),
        })  # fmt: skip
        top = [predicted, best if right[j] else class_id,
               *[other for other in others if other != best][:3]]  # fmt: skip
        rows["prediction_top"] += [
            {"image_id": image_id, "rank": rank, "class_id": other,
             "probability": 0.6 / rank, "logit": 9.0 - rank}
            for rank, other in enumerate(top, start=1)
        ]  # fmt: skip
    maps = [(image_id, role, class_id if role == "true" else others[wrong_as[j]])
            for j, image_id in enumerate(ids)
            for role in (("true",) if right[j] else ("true", "predicted", "contrast"))]  # fmt: skip
    grids = figures.grids(len(maps), generator)
    pool = generator.integers(1, texts + 1, size=_PER_CLASS_CAPTIONS)
    drawn = np.minimum(generator.geometric(0.03, 2 * len(maps)) - 1, _PER_CLASS_CAPTIONS - 1)
    for (image_id, role, target), grid in zip(maps, grids, strict=True):
        made.relevances += 1
        found = 0 if role == "contrast" else 1
        rows["relevance"].append({
            "id": made.relevances, "image_id": image_id, "role": role, "target_class_id": target,
            "grid": grid, "raw_max": 1e-3, "raw_mass": 1e-2, "region_count": found,
        })  # fmt: skip
        if found:
            made.regions += 1
            patches, mask = masks[made.regions % len(masks)]
            rows["region"].append({
                "id": made.regions, "run_id": made.run_id, "image_id": image_id, "role": role,
                "rank": 1, "x0": 60.0, "y0": 60.0, "x1": 300.0, "y1": 280.0, "area_share": 0.2,
                "mass_share": 0.6, "patch_mask": patches, "mask": mask,
            })  # fmt: skip
            caption = int(pool[drawn[len(rows["region_caption"])]])
            rows["region_caption"].append({
                "region_id": made.regions, "caption_id": caption, "class_id": class_id,
                "role": role, "log_probability": -1.2, "cosine": 0.27,
            })  # fmt: skip
    return rows


def _summarise(engine: Engine, class_id: int, place: int, name: str) -> None:
    """Give a class its text, a matrix, a summary and words."""
    generator = np.random.default_rng(place)
    writes.set_class_texts(
        engine, [NewClassText(class_id, generator.normal(size=DIMENSIONS), [(name, 1.0)])]
    )
    found = queries.pmi_candidates(engine, class_id)[:_PMI]
    if not found:
        return
    n = len(found)
    ids = np.array([each.caption_id for each in found])
    counts = np.array([each.count for each in found])
    matrix = generator.gamma(1.0, 2.0, (n, n)).astype(np.float16)
    writes.add_pmi(
        engine,
        NewPmi(class_id, ids, counts, matrix, np.ones(n), relevances(matrix, counts), n),
    )
    sentences = [
        NewSentence(int(ids[each.index]), each.relevance, each.penalty, each.score)
        for each in select(matrix, counts, 5, 1.0)
    ]
    writes.add_summaries(engine, [NewSummary(class_id, 5, 1.0, sentences)])
    words = [WordScore(f"{name} {n}", 9.0 - n, 40 - n) for n in range(12)]
    writes.add_word_scores(engine, class_id, "relevance", words)

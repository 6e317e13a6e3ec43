"""The audit with correctness permuted within classes: what changes places, what is counted."""

import json
from pathlib import Path

import numpy as np
import pytest

from db import queries
from db.engine import open_read
from mapcap.audit.material import Material
from mapcap.config import IndexConfig
from mapcap.indexing.stages.audit_reading import Source
from mapcap.indexing.stages.auditor import Auditor
from mapcap.networks.clip import load_clip
from mapcap.networks.devices import pick_device
from scripts import permute_audit
from tests.audit.conftest import CLASSES


@pytest.fixture(scope="module")
def materials(audited: Path) -> list[Material]:
    engine = open_read(audited)
    run = queries.latest_run(engine)
    config = IndexConfig.of(run.config)
    clip = load_clip(config.model, config.pretrained, config.weights, device=pick_device("cpu"))
    auditor = Auditor(Source(engine, run.id, config, clip))
    auditor.read_run()
    return [auditor.read(each.id) for each in queries.classes(engine, run.id)]


def test_predictions_change_places_within_their_class(materials: list[Material]) -> None:
    changed = list(permute_audit.permuted(materials, np.random.default_rng(0)))
    reference = changed[0].reference
    for before, after in zip(materials, changed, strict=True):
        ours, theirs = before.images, after.images
        assert sorted(zip(ours.predicted, ours.margins, strict=True)) == sorted(
            zip(theirs.predicted, theirs.margins, strict=True)
        )
        assert (theirs.correct == (theirs.predicted == before.class_id)).all()
        assert (theirs.ids == ours.ids).all() and theirs.embeddings is ours.embeddings
        rows = [reference.ids.tolist().index(number) for number in theirs.ids.tolist()]
        assert (reference.predicted[rows] == theirs.predicted).all()
    assert any(
        (before.images.correct != after.images.correct).any()
        for before, after in zip(materials, changed, strict=True)
    )


def test_it_counts_audits_and_leaves_the_file_as_it_is(
    audited: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = audited.read_bytes()
    assert permute_audit.main([str(audited), "--draws", "2", "--json"]) == 0
    null = json.loads(capsys.readouterr().out)
    assert null["audits"] == 2 * len(CLASSES)
    assert null["any"] <= sum(null["kinds"].values()) <= len(null["titles"])
    assert not {"confusion", "name"} & set(null["kinds"])
    assert audited.read_bytes() == before
    assert permute_audit.main([str(audited), "--draws", "1"]) == 0
    assert f"of {len(CLASSES)} audits of a class have a finding" in capsys.readouterr().out


def test_no_draws_are_an_error(audited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert permute_audit.main([str(audited), "--draws", "0"]) == 2
    assert "--draws is 1 or more" in capsys.readouterr().err

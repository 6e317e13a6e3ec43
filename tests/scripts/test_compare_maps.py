"""`python -m scripts.compare_maps` on a few pictures of the sample."""

import json

import pytest

from mapcap.relevance import METHODS
from scripts.compare_maps import main


def test_every_method_stands_beside_the_centre_prior(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--limit-per-class", "2", "--threshold", "mean", "--sample", "8", "--json")
    assert main(["sample", *options]) == 0
    page = json.loads(capsys.readouterr().out)
    methods = [row["method"] for row in page["rows"]]
    assert {name.split()[0] for name in methods} == {*METHODS, "centre"}
    assert methods[-1] == "centre prior" and "deletion" not in page["rows"][-1]
    for row in page["rows"]:
        assert 0 < row["energy"] < 1 and 0 < row["box-iou mean"] < 1
    assert 0 < page["photos"] <= 20


def test_photos_without_boxes_are_an_error(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err

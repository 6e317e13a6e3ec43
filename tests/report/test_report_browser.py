"""The report looked at in headless Chromium."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from db import queries
from mapcap.report.page import class_pages, pieces, read_head

PICTURES = "[...document.images].filter(i => !(i.complete && i.naturalWidth)).length"


@pytest.fixture(scope="module")
def page(filled: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with hostile names, captions and figures in every place."""
    head = read_head(filled.engine, queries.latest_run(filled.engine), ())
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_bytes(b"".join(pieces(head, class_pages(filled.engine, head))))
    return file


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_readable_at_any_width(
    page: Path, look: Callable[..., Any], width: int, dark: bool
) -> None:
    seen = look(page, width, dark=dark, ask=PICTURES)
    assert seen.page_width <= width
    assert seen.evaluated == 0, "pictures that are not shown"
    pixels = np.asarray(seen.picture, np.float32)  # (H, W, 3)
    ground = np.median(pixels.reshape(-1, 3), axis=0)
    assert (ground.mean() < 60) if dark else (ground.mean() > 220)
    # Text, bars and pictures stand in every part of the page's height.
    differs = np.abs(pixels - ground).max(axis=-1) > 60
    bands = np.array_split(differs, 10)
    assert all(0.002 < band.mean() < 0.6 for band in bands), [band.mean() for band in bands]


def test_it_asks_for_nothing_and_nothing_of_it_runs(page: Path, look: Callable[..., Any]) -> None:
    seen = look(page, 1280, ask="[window.hacked === undefined, document.scripts.length]")
    assert seen.evaluated == [True, 0]
    assert {url for url in seen.requests if not url.startswith("data:")} == {page.as_uri()}
    assert not seen.complaints


def test_what_it_says_is_in_the_document(page: Path, look: Callable[..., Any]) -> None:
    seen = look(page, 1280, ask="document.body.innerText")
    for said in ("tabby", "8 of 24 images are classified correctly", "a grey cat on a sofa."):
        assert said in seen.evaluated
    assert "<script>" in seen.evaluated, "hostile text is shown, as text"


def test_every_text_is_inside_the_window(page: Path, look: Callable[..., Any]) -> None:
    """Nothing is cut off at the right but what can be scrolled to within its own box."""
    beyond = """[...document.querySelectorAll('td, th, p, li, figcaption, h1, h2')].filter(e => {
        const box = e.getBoundingClientRect();
        return box.width > 1 && box.right > innerWidth + 1 && !e.closest('.scroll');
    }).map(e => e.outerHTML.slice(0, 200))"""
    assert look(page, 400, ask=beyond).evaluated == []

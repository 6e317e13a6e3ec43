"""The pictures in README: what the script writes stands by itself."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from scripts.screenshots import WALKS, published, shot

SVG = "{http://www.w3.org/2000/svg}"


def test_a_picture_asks_no_server_for_anything() -> None:
    fonts = '@font-face { font-family: "Fira Code"; src: url("https://server/f.woff2"); }'
    style = f"{fonts} .t {{ font-family: Fira Code, monospace; }}"
    svg = published(f'<svg xmlns="http://www.w3.org/2000/svg"><style>{style}</style></svg>')
    assert "server" not in svg
    assert "Fira" not in svg
    assert "monospace" in svg


def test_half_blocks_are_rectangles_where_they_stood() -> None:
    cell = 'class="terminal-12-r3" x="24.4" y="190.8" textLength="24.4" clip-path="url(#a)"'
    svg = published(f'<svg xmlns="http://www.w3.org/2000/svg"><text {cell}>▀▀</text></svg>')
    blocks = [
        (each.get("class"), each.get("x"), each.get("y"))
        for each in ElementTree.fromstring(svg).iter(f"{SVG}use")
    ]
    assert blocks == [("t-r3", "24.4", "172.3"), ("t-r3", "36.6", "172.3")]
    assert "▀" not in svg


def test_quarters_of_a_cell_are_rectangles_too() -> None:
    cell = 'class="terminal-12-r3" x="24.4" y="190.8" textLength="12.2"'
    svg = published(f'<svg xmlns="http://www.w3.org/2000/svg"><text {cell}>▞</text></svg>')
    blocks = [
        (each.get("href"), each.get("x"), each.get("y"))
        for each in ElementTree.fromstring(svg).iter(f"{SVG}use")
    ]
    assert blocks == [("#q", "30.5", "172.3"), ("#q", "24.4", "184.5")]


@pytest.mark.parametrize("name", WALKS)
async def test_every_walk_ends_in_a_picture(stored: Any, tmp_path: Path, name: str) -> None:
    before = stored.path.read_bytes()
    svg = await shot(stored.path, WALKS[name], tmp_path / "none.sqlite")
    words = " ".join(" ".join(text.itertext()) for text in ElementTree.fromstring(svg).iter())
    assert {"classes": "predicted as", "findings": "Words", "image": "best classes"}[name] in (
        words.replace("\N{NO-BREAK SPACE}", " ")
    )
    assert not re.search(r"(?<!xmlns=\")https?:", svg)
    assert list(tmp_path.iterdir()) == []
    assert stored.path.read_bytes() == before

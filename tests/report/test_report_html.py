"""The page is harmless and everybody can read it."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapcap.report import page as page_module
from mapcap.text import clean
from tests.report.parsing import Page


def test_nothing_is_loaded_and_nothing_runs(parsed: Page) -> None:
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "base", "video"}
    for _, attributes in parsed.elements:
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("src", "data:image/webp;base64,").startswith("data:image/webp;base64")
        assert attributes.get("href", "#").startswith("#")
        assert "url(" not in attributes.get("style", "")
    policies = [each for each in parsed.named("meta") if "http-equiv" in each]
    assert policies[0]["content"].startswith("default-src 'none'; img-src data:;")


def test_no_control_character_gets_into_the_page(source: str) -> None:
    # Line ends are the templates' own.
    lines = source.split("\n")
    assert all(clean(line) == line for line in lines)
    assert "{{ 7 * 7 }}" in source and "7*7" not in source
    assert "longlong" in source
    assert "long" * 300 not in source


def test_pictures_have_words_and_tables_have_headers(parsed: Page) -> None:
    pictures = parsed.named("img")
    # Of each class: 2 right with 2 views, 4 wrong with 4, and evidence of 4 + 2 images.
    assert len(pictures) == 4 * (2 * 2 + 4 * 4 + 6)
    assert all(each["alt"].strip() and each["width"] == each["height"] for each in pictures)
    assert any("a grey cat on a sofa." in each["alt"] for each in pictures)
    assert all(each.get("scope") for each in parsed.named("th"))
    assert parsed.named("html") == [{"lang": "en"}]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=2000))
def test_any_text_is_shown_as_text(said: str) -> None:
    template = page_module.make_environment().from_string('<p title="{{ said }}">{{ said }}</p>')
    page = Page(template.render(said=said))
    shown = said if len(said) <= 800 else said[:799] + "…"
    assert [tag for tag, _ in page.elements] == ["p"]
    assert "".join(page.text) == clean(shown) == page.named("p")[0]["title"]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours after WCAG 2."""

    def luminance(colour: str) -> float:
        digits = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_have_contrast_in_light_and_dark_and_on_paper() -> None:
    folder = Path(page_module.__file__).parent / "templates"
    blocks = re.findall(r":root \{(.*?)\}", (folder / "report.css").read_text(), re.S)
    assert len(blocks) == 3
    for block in blocks:
        colours = dict(re.findall(r"--(\w+): (#\w+);", block))
        for name, least in (("ink", 7), ("quiet", 4.5), ("right", 3), ("wrong", 3)):
            assert contrast(colours[name], colours["paper"]) >= least, (block, name)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)

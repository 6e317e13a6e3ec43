"""The pages of docs/: what is written by scripts is up to date, and links lead somewhere."""

import importlib
import re
from pathlib import Path

import pytest

from scripts.describe_tables import page

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


def test_the_tables_are_those_of_the_code() -> None:
    written = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert written == "\n".join(page()) + "\n", "run `just tables`"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100


@pytest.mark.parametrize("source", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_that_are_there(source: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", source.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        name, _, heading = target.partition("#")
        file = source.parent / name if name else source
        assert file.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.M)
            assert heading in [title.lower().replace(" ", "-") for title in titles], target


@pytest.mark.parametrize("source", PAGES, ids=lambda path: path.name)
def test_files_and_names_are_there(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:mapcap|db|tui|scripts|tests|docs)/[\w/.-]+)`", text):
        assert (ROOT / path).exists(), path
    for dotted in re.findall(r"`((?:mapcap|db|tui)(?:\.[a-z_]+)+(?:\.[A-Z]\w+)?)`", text):
        module, _, name = dotted.rpartition(".")
        try:
            importlib.import_module(dotted)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(module), name), dotted

"""The one file of statistics: what it loads, and its one level of significance."""

import subprocess
import sys
from pathlib import Path

import pytest

from db import stats as store_stats
from mapcap import stats

ROOT = Path(__file__).parents[2]


def test_the_level_and_mcnemar_need_no_scipy() -> None:
    code = (
        "import sys; sys.modules['scipy'] = None\n"
        "import mapcap.resampling\n"
        "from mapcap.stats import SIGNIFICANT, changes\n"
        "print(SIGNIFICANT, changes({1: [(False, True)] * 6})[1].sure)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.05", "True"]


def test_the_stores_intervals_are_of_the_same_level() -> None:
    assert pytest.approx(store_stats.Z) == stats.Z


def test_no_other_file_has_a_level_of_its_own() -> None:
    """Neither the quantile of the normal distribution nor a constant named after significance."""
    files = [path for room in ("mapcap", "tui", "db") for path in (ROOT / room).rglob("*.py")]
    for path in files:
        source = path.read_text("utf-8")
        if path != ROOT / "db" / "stats.py":
            assert "1.96" not in source.replace("1.95996...", ""), path
        if path != ROOT / "mapcap" / "stats.py":
            assert "SIGNIFICANT =" not in source and "SIGNIFICANT: Final =" not in source, path

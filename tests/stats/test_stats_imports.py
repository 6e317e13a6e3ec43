"""The one file of statistics: what it loads, and its one level of significance."""

import subprocess
import sys

import pytest

from db import stats as store_stats
from mapcap import stats


def test_the_level_and_mcnemar_need_no_scipy() -> None:
    code = (
        "import sys; sys.modules['scipy'] = None\n"
        "from mapcap.stats import SIGNIFICANT, changes, mean_interval\n"
        "print(SIGNIFICANT, changes({1: [(False, True)] * 6})[1].sure)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.05", "True"]


def test_the_stores_intervals_are_of_the_same_level() -> None:
    assert pytest.approx(store_stats.Z) == stats.Z

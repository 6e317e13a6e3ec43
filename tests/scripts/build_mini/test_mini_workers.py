import argparse
import os
from pathlib import Path

import pytest
import torch

from scripts.build_mini.workers import side_by_side


def note_who(part: str, given: argparse.Namespace) -> None:
    told = f"{os.getpid()} {torch.get_num_threads()}"
    (given.work / part).write_text(told, encoding="utf-8")


def refuse(part: str, _given: argparse.Namespace) -> None:
    raise ValueError(part)


def test_each_part_is_done_elsewhere_with_one_thread(tmp_path: Path) -> None:
    parts = ["one", "two", "three"]
    side_by_side(note_who, parts, argparse.Namespace(work=tmp_path, threads=2))
    told = [(tmp_path / part).read_text(encoding="utf-8").split() for part in parts]
    assert {threads for _, threads in told} == {"1"}
    assert str(os.getpid()) not in {process for process, _ in told}


def test_the_error_of_a_part_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one"):
        side_by_side(refuse, ["one"], argparse.Namespace(work=tmp_path, threads=1))

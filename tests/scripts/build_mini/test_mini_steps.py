import importlib
import re
import sys
from pathlib import Path

import pytest

from scripts.build_mini.__main__ import STEPS, main

FOLDER = Path(__file__).parents[3] / "scripts" / "build_mini"


@pytest.mark.parametrize("step", STEPS)
def test_every_step_can_be_asked_for_help(
    step: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["build_mini", step, "--help"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    assert "--work" in capsys.readouterr().out


def test_an_unknown_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["build_mini", "tain"])
    with pytest.raises(SystemExit, match="Steps, in order: sources"):
        main()


def test_the_script_runs_the_steps_with_options_they_know(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = (FOLDER / "build.sh").read_text()
    lines = re.findall(r"^ *step (\w+)(.*)$", script, re.MULTILINE)
    # Those from `assemble` to `refine` are run in turns.
    assert list(dict.fromkeys(step for step, _ in lines)) == list(STEPS)
    for step, options in lines:
        monkeypatch.setattr(sys, "argv", [step, "--help"])
        with pytest.raises(SystemExit):
            importlib.import_module(f"scripts.build_mini.{step}").main()
        known = capsys.readouterr().out
        assert all(option in known for option in re.findall(r"--\w+", options))

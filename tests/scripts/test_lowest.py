"""`python -m scripts.lowest`: the declared lower bounds, as constraints for pip."""

import pytest

from scripts.lowest import lowest, main


def test_a_bound_becomes_the_version_itself() -> None:
    asked = ["torch>=2.6,<3", "fsspec[http,s3]>=2024.6", "textual-image >= 0.8"]
    assert list(lowest(asked)) == ["torch==2.6", "fsspec==2024.6", "textual-image==0.8"]


@pytest.mark.parametrize("requirement", ["torch", "torch<3", "torch==2.6"])
def test_a_requirement_without_a_lowest_version_is_refused(requirement: str) -> None:
    with pytest.raises(ValueError, match="give a lowest version"):
        list(lowest([requirement]))


def test_the_declared_ones_are_those_that_were_run(capsys: pytest.CaptureFixture[str]) -> None:
    """open_clip before 3.3 calls what transformers 5 no longer has."""
    assert main() == 0
    lines = capsys.readouterr().out.split()
    assert {"open_clip_torch==3.3", "transformers==4.57.1", "torch==2.6"} <= set(lines)

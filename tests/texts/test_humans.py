import pytest

from mapcap.texts.humans import names_human


@pytest.mark.parametrize(
    ("text", "human"),
    [("A Man rides.", True), ("two dogs", False), ("mankind", False), ("a hand's width", True)],
)
def test_words_for_humans(text: str, human: bool) -> None:
    assert names_human(text) is human

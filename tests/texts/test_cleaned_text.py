import unicodedata

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapcap.text import clean

# A busy machine is no failure.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(st.text())
def test_cleaned_text_steers_no_terminal(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    cleaned.encode("utf-8")
    assert not {unicodedata.category(char) for char in cleaned} & {"Cc", "Cs", "Zl", "Zp"}
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not {unicodedata.bidirectional(char) for char in cleaned} & turning


def test_cleaned_text_keeps_what_people_write() -> None:
    assert clean("a\tcat,\nשלום 👩\u200d🚀 é") == "a cat, שלום 👩\u200d🚀 é"
    assert clean("\x1b[31mred\x07\u202e") == "\ufffd[31mred\ufffd\ufffd"

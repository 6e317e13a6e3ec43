"""What stands above the tabs of a class."""

from rich.text import Text

from db import queries
from tui.opened import Opened
from tui.texts import accuracy_bar, safe, share, tokens_line
from tui.widgets.class_card import verdict_line


def class_head(opened: Opened, class_id: int) -> Text:
    """Read a class's accuracy, how the model reads its name, and your verdict on it."""
    record = queries.class_record(opened.engine, class_id)
    tokens = queries.class_tokens(opened.engine, class_id)
    verdict = opened.of_class(record)
    text = safe(record.name, "bold", longest=60) + Text("  ")
    if record.correct is not None:
        text += accuracy_bar(record.accuracy, record.accuracy_low, record.accuracy_high, 12)
        text += Text(f" {share(record.accuracy)}  ")
    text += Text(f"{record.images} images  ")
    if tokens:
        text += Text("name read as ", "dim") + tokens_line(tokens)
    if verdict is not None:
        text += Text("  ") + verdict_line(verdict)
    return text

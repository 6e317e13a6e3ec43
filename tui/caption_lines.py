"""The captions of a class as lines of a table: all, page by page, or those that hold words."""

from db import queries
from tui.opened import Opened
from tui.widgets.captions_pane import Line


def caption_lines(
    opened: Opened, class_id: int, words: str, after: tuple[int, int] | None, limit: int
) -> list[Line]:
    """Read a page of captions, the most frequent first; `after` is as of `queries.captions`.

    With `words` they are those that hold all of them, from the first.
    """
    engine, summary = opened.engine, opened.summary(class_id)
    chosen = summary.id if summary is not None else None
    if words:
        matches = queries.search_class_captions(
            engine, class_id, words, summary_id=chosen, limit=limit
        )
        return [Line(*each) for each in matches]
    listed = queries.captions(engine, class_id, summary_id=chosen, after=after, limit=limit)
    return [Line(each) for each in listed]

"""The keys of a screen in its last line; help and quit come first, so that no width hides them."""

from typing import Final

from textual.app import ComposeResult
from textual.widgets import Footer

_FIRST: Final = ("help", "quit")


class Keys(Footer):
    """Textual's footer in another order, without the key of the palette, which help tells."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)

    def compose(self) -> ComposeResult:
        """Lay out the keys."""

        def place(key: object) -> int:
            action = getattr(key, "action", "")
            return _FIRST.index(action) if action in _FIRST else len(_FIRST)

        yield from sorted(super().compose(), key=place)

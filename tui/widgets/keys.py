"""The keys of a screen in its last line; help and quit come first, so that no width hides them."""

from typing import Final

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer

_FIRST: Final = ("help", "quit")


class Keys(Footer):
    """Textual's footer in another order, without the key of the palette, which help tells."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._shown: list[tuple[str, str, bool]] = []

    def compose(self) -> ComposeResult:
        """Lay out the keys."""

        def place(key: object) -> int:
            action = getattr(key, "action", "")
            return _FIRST.index(action) if action in _FIRST else len(_FIRST)

        yield from sorted(super().compose(), key=place)

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Lay the keys out again where others are offered.

        Most moves of the focus change none, and to make all anew takes longer than what they do.
        """
        offered = [
            (binding.key, binding.description, enabled)
            for _, binding, enabled, _ in screen.active_bindings.values()
            if binding.show
        ]
        # What is not laid out now, by Textual's footer, has to be at the next change.
        laid_out = screen.app.app_focus and self.is_attached and screen is self.screen
        if laid_out and offered != self._shown:
            self._shown = offered
            super().bindings_changed(screen)

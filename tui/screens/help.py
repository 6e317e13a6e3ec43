"""The keys of a screen and what it is for."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static


class HelpScreen(ModalScreen[None]):
    """A page over the screen that lists its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "dismiss", "Close", id="help.close")
    ]

    def __init__(self, text: str, bindings: Mapping[str, ActiveBinding]) -> None:
        super().__init__()
        self._text = text
        self._of_screen = bindings

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The keys of the screen, and what they do."""
        return keys_of(self._of_screen, self.app.get_key_display)

    def compose(self) -> ComposeResult:
        """Lay out the page."""
        table = Table.grid(padding=(0, 2))
        for keys, what in self.keys:
            table.add_row(Text(keys, style="bold"), Text(what))
        with VerticalScroll(id="help"):
            yield Static(Text(self._text + "\n"))
            yield Static(table)
            yield Static(Text("\nesc closes this page, ctrl+p finds any command", style="dim"))


def keys_of(
    bindings: Mapping[str, ActiveBinding], display: Callable[[Binding], str]
) -> list[tuple[str, str]]:
    """Return (keys, what they do), keys of one action together, as `display` shows them."""
    keys_of: dict[str, list[str]] = {}
    for active in bindings.values():
        binding = active.binding
        what = binding.tooltip or binding.description
        if what and binding.id is not None:  # ours
            keys_of.setdefault(what, []).append(display(binding))
    return [(" ".join(dict.fromkeys(keys)), what) for what, keys in keys_of.items()]

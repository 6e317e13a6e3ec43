"""The presets as a table."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mapcap.presets import Preset


def presets_page(presets: Mapping[str, Preset]) -> RenderableType:
    """Return a table of the presets' networks, and under it what each preset is for."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("preset", "part", "network", "download", "memory", "licence"):
        table.add_column(heading, justify="right" if heading in ("download", "memory") else "left")
    roles = ("CLIP", "captioner", "language model")
    for name, preset in presets.items():
        for row, (role, part) in enumerate(zip(roles, preset.parts, strict=True)):
            table.add_row(
                name if row == 0 else "",
                role,
                part.what,
                _size(part.download, about=part.approximate),
                _size(part.megabytes, about=part.approximate),
                part.licence,
            )
        about = any(part.approximate for part in preset.parts)
        sums = (_size(preset.download, about=about), _size(preset.megabytes, about=about))
        table.add_row("", "", "", *sums, "together")
    purposes = [Text(f"{name}: {preset.purpose}") for name, preset in presets.items()]
    return Group(table, *purposes)


def _size(megabytes: float, *, about: bool) -> str:
    if megabytes == 0:
        return "none"
    size = f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"
    return f"about {size}" if about else size

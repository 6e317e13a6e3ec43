"""Options of `mapcap index`: which networks look, describe and judge."""

from pathlib import Path
from typing import Annotated

import typer

from mapcap.presets import PRESETS

_PANEL = "Networks"
_PRESETS = "; ".join(f"[bold]{name}[/]: {preset.purpose}" for name, preset in PRESETS.items())

Preset = Annotated[str, typer.Option(help=_PRESETS, rich_help_panel=_PANEL)]

Model = Annotated[
    str | None,
    typer.Option(
        help="CLIP: an open_clip name, hf-hub:REPO, local-dir:FOLDER, mini, or hf:NAME: CLIP "
        "or SigLIP in transformers' format, on the hub or in a folder.",
        rich_help_panel=_PANEL,
    ),
]

Pretrained = Annotated[
    str | None,
    typer.Option(
        help="open_clip's tag of the weights, or a file of weights.", rich_help_panel=_PANEL
    ),
]

Weights = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Take the weights of the tag --pretrained from this file.",
        rich_help_panel=_PANEL,
    ),
]

ImageSize = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Pixels of a side that the CLIP gets, a multiple of its patches: more are finer "
        "and slower. For vision transformers of open_clip; default: as it was trained.",
        rich_help_panel=_PANEL,
    ),
]

Captioner = Annotated[
    str | None,
    typer.Option(
        help="mini, clipcap:FILE, clipcap:hf-hub:REPO/FILE, blip:NAME (BLIP, GIT), coca:MODEL/TAG "
        "(a CoCa of open_clip), vlm:NAME (a vision-language model), or phrases or phrases:FILE: "
        "the nearest of a list. Default: the preset's; phrases if --model names another CLIP than "
        "the preset's.",
        rich_help_panel=_PANEL,
    ),
]

Prompt = Annotated[
    str,
    typer.Option(
        metavar="TEXT",
        help="What a vlm: captioner is asked of each region.",
        rich_help_panel=_PANEL,
    ),
]

FirstSentence = Annotated[
    bool,
    typer.Option(
        "--first-sentence/--whole-answer",
        help="How much of a vlm: captioner's answer is kept.",
        rich_help_panel=_PANEL,
    ),
]

RegionView = Annotated[
    str,
    typer.Option(
        help="What a blip:, coca: or vlm: captioner sees of a region: crop (its box and a margin), "
        "blur (the whole photo, blurred outside of it) or box (the whole photo, a red line around "
        "it; ask for what is in the red box by --prompt).",
        rich_help_panel=_PANEL,
    ),
]

Decoding = Annotated[
    str | None,
    typer.Option(
        help="How a ClipCap (mini, clipcap:) comes to a caption: greedy, beam (the published "
        "search of five beams), nucleus (drawn, the same each time, from the likeliest tokens that "
        "have 0.9 of the probability) or rerank (of eight beams, the one that the CLIP finds "
        "nearest to the region and whose colours the pixels have). Default: greedy; preset mini: "
        "rerank.",
        rich_help_panel=_PANEL,
    ),
]

Lm = Annotated[
    str | None,
    typer.Option(
        help="Language model of the PMI: a hub name, a folder or mini.", rich_help_panel=_PANEL
    ),
]

Template = Annotated[
    list[str] | None,
    typer.Option(
        help="Prompt with {} for the class name; may be repeated. Default: {}.",
        rich_help_panel=_PANEL,
    ),
]

Templates = Annotated[
    str | None,
    typer.Option(
        metavar="openai", help="The 80 templates of the CLIP paper.", rich_help_panel=_PANEL
    ),
]

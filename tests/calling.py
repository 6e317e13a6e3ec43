"""Calling `mapcap` as a shell does, and a few photos to call it with."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from mapcap.networks.embedded import embedded

CLASSES = ("bird", "fruit", "tool")
PER_CLASS = 3
TEXT_IN_A_PICTURE = "broken.webp"


class Result(NamedTuple):
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def embedded_grid() -> tuple[int, int]:
    """Patches down and across a picture, as the embedded CLIP sees it."""
    config = json.loads((embedded("clip") / "open_clip_config.json").read_text(encoding="utf-8"))
    vision = config["model_cfg"]["vision_cfg"]
    side = vision["image_size"] // vision["patch_size"]
    return side, side


def mapcap_process(*arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start the command as a shell would, on one thread, far from the networks' hubs."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    return subprocess.Popen(
        [sys.executable, "-m", "mapcap", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def mapcap(*arguments: str | Path) -> Result:
    with mapcap_process(*arguments) as process:
        out, err = process.communicate(timeout=300)
    return Result(process.returncode, out, err)

"""The photo file itself: where it is, and the system's own viewer where there is a display."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from db.records import Image
from mapcap.overlay import place_of


def photo_file(image: Image, folder: str | None) -> Path:
    """Return the absolute path of a photo, or where it should lie if it is nowhere."""
    return place_of(image, folder).absolute()


def view(file: Path) -> str:
    """Show a photo in the system's viewer, and return what came of it, to be told."""
    if not file.is_file():
        return f"the photo is not here: {file}"
    opener = _opener()
    if opener is None:
        return f"no display here; the path is copied: {file}"
    # By a shell that does not wait: a viewer may stay as long as it is looked at.
    command = ["sh", "-c", '"$0" "$1" </dev/null >/dev/null 2>&1 &', opener, str(file)]
    subprocess.run(command, check=False, start_new_session=True)
    return f"opened {file}"


def _opener() -> str | None:
    """Return the command that opens a file as the desktop would, None without a display."""
    if sys.platform == "darwin":
        return "open"
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return shutil.which("xdg-open")
    return None

"""The small networks inside the package."""

from pathlib import Path

from mapcap.errors import UserError

MINI = "mini"
"""The name of the embedded networks in `--model`, `--captioner` and `--lm`."""

ROOT = Path(__file__).parent.parent / "data" / MINI


def embedded(part: str) -> Path:
    """Return the path of an embedded network: `clip`, `lm` or `clipcap.safetensors`.

    Raises:
        UserError: this installation has none.
    """
    path = ROOT / part
    if not path.exists():
        raise UserError(
            f"mini: the embedded networks are not in this installation ({path} is missing). "
            "Install MapCap again, build them with scripts/build_mini, or name other networks "
            "with --model, --captioner and --lm."
        )
    return path

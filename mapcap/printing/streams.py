"""The standard streams as any terminal, pipe or disk gives them: of any encoding, full, or gone."""

import codecs
import io
import os
import sys
from pathlib import Path
from typing import Any, Final

_PLAIN: Final = {
    "█": "#", "·": ".", "•": "*", "│": "|", "─": "-", "└": "+", "→": ">", "…": ".", "–": "-",
    "×": "x", "━": "=", "╸": "=", "╺": "-", "—": "-", "’": "'",
}  # fmt: skip
"""What we draw, for an encoding that has none of it: in as many columns."""
_HANDLER: Final = "mapcap.plain"


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Encode what an encoding lacks: drawings by a plain sign, all else by an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    escaped = (
        _PLAIN.get(char) or char.encode("ascii", "backslashreplace").decode("ascii")
        for char in lacking
    )
    return "".join(escaped), error.end


def prepare_streams() -> None:
    """Let the standard streams take any text; one that is closed goes nowhere."""
    codecs.register_error(_HANDLER, _plainly)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for good
            setattr(sys, name, nowhere)
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def leave_stdout() -> None:
    """Give up a standard output that cannot be written, so that Python does not try once more."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return


class Forgiving(io.TextIOBase):
    """A stream whose reader may go, or whose disk may fill: what cannot be written is left out.

    What a run says of its progress is not worth the run.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream itself."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write what can be written."""
        try:
            return int(self._stream.write(text))
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        """Pass on what was written, if it can be."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return

    def isatty(self) -> bool:
        """Tell whether the stream is a terminal."""
        try:
            return bool(self._stream.isatty())
        except (OSError, ValueError):
            return False

    def fileno(self) -> int:
        """Return the stream's number; OSError where it has none."""
        return int(self._stream.fileno())

"""MapCap: explain a whole class of an image classifier, in words.

For notebooks, `mapcap.open` reads a file that `mapcap index` filled, and `mapcap.explain` explains
photos in hand. Importing MapCap loads neither torch nor SQLAlchemy nor Pillow: what a name needs is
loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mapcap.notebook.explaining import Explanation as Explanation
    from mapcap.notebook.explaining import explain as explain
    from mapcap.notebook.store import Store as Store
    from mapcap.notebook.store import open as open

_PUBLIC: Final = {
    "Explanation": "mapcap.notebook.explaining",
    "Store": "mapcap.notebook.store",
    "explain": "mapcap.notebook.explaining",
    "open": "mapcap.notebook.store",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'mapcap' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})

"""`python -m scripts.prove NAME [--count N] [--seed S]`; without a name, the proofs are listed.

A proof is a module of this package without an underscore. Its `main(argv)` tries something many
times, prints how often by kind, with the seed that repeats it, and returns 1 if there was a fault.
`python -m scripts.prove all` runs them one after the other with their own counts.
"""

import pkgutil
import sys
from importlib import import_module
from pathlib import Path


def proofs() -> list[str]:
    """Return the names of the proofs; none is loaded, for some load torch and some may not."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return [module.name for module in modules if not module.name.startswith("_")]


def main(argv: list[str]) -> int:
    """Run the proof named first, or all; return 1 if one found a fault, 2 for a wrong name."""
    known = proofs()
    if argv[:1] == ["all"]:
        return max(int(import_module(f"scripts.prove.{name}").main(argv[1:])) for name in known)
    if not argv or argv[0] not in known:
        for name in known:
            about = import_module(f"scripts.prove.{name}").__doc__ or ""
            print(f"{name:14} {about.partition(chr(10))[0]}")
        return 2 if argv else 0
    return int(import_module(f"scripts.prove.{argv[0]}").main(argv[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

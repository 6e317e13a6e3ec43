"""Run one step: `python -m scripts.build_mini STEP --work DIR ...` (`STEP --help` says more)."""

import importlib
import sys

STEPS = (
    "sources",
    "convert",
    "emoji",
    "cache",
    "looks",
    "train",
    "features",
    "words",
    "assemble",
    "best",
    "refine",
    "evaluate",
)
"""In the order in which they build on each other."""


def main() -> None:
    """Hand the arguments on to the step."""
    step = sys.argv[1] if len(sys.argv) > 1 else ""
    if step not in STEPS:
        raise SystemExit(f"{__doc__}\nSteps, in order: {', '.join(STEPS)}.")
    sys.argv[:2] = [f"{sys.argv[0]} {step}"]
    importlib.import_module(f"scripts.build_mini.{step}").main()


if __name__ == "__main__":
    main()

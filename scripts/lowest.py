"""Write the lowest versions that pyproject.toml declares, as constraints for pip.

    python -m scripts.lowest > lowest.txt

`scripts/test.sh --lowest` installs them beside the tools and runs the tests. The tools of the
development group are left as pip chooses them: nobody who uses MapCap needs them.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

_BOUND = re.compile(r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?\s*>=\s*(?P<version>[\d.]+)")
ROOT = Path(__file__).parents[1]


def lowest(requirements: Iterable[str]) -> Iterator[str]:
    """Turn requirements such as `torch>=2.6,<3` into `torch==2.6`.

    Raises:
        ValueError: for a requirement without a lowest version, which no run could vouch for.
    """
    for requirement in requirements:
        found = _BOUND.match(requirement)
        if not found:
            raise ValueError(f"{requirement}: give a lowest version, as name>=1.2")
        yield f"{found['name']}=={found['version']}"


def main() -> int:
    """Print one constraint a line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    for line in lowest([*project["dependencies"], *(each for extra in extras for each in extra)]):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())

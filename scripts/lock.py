"""Print the versions that are installed of all that MapCap needs: requirements.lock.

    python -m scripts.lock > requirements.lock

A file of constraints: `pip install -c requirements.lock -e '.[index]'` takes these versions of what
it needs on its machine, and leaves out the others.
"""

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PROJECT: Final = Path(__file__).parents[1] / "pyproject.toml"


def asked(project: dict[str, Any]) -> list[Requirement]:
    """Return what pyproject.toml asks for: the base, every extra, every group."""
    extras = project["project"]["optional-dependencies"].values()
    groups = project["dependency-groups"].values()
    lists = [project["project"]["dependencies"], *extras, *groups]
    return [Requirement(line) for lines in lists for line in lines]


def locked(wanted: list[Requirement]) -> dict[str, str]:
    """Return the installed version of each requirement, and of what those require, by name.

    What is not installed here, because it is for another machine, is left out.
    """
    found: dict[str, str] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    waiting = list(wanted)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = frozenset(requirement.extras)
        if (name, extras) in done:
            continue
        done.add((name, extras))
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        # Not the local part (+cu130): another machine has another one.
        found[name] = installed.version.partition("+")[0]
        for line in installed.requires or ():
            below = Requirement(line)
            environments = [{"extra": extra} for extra in (*extras, "")]
            if below.marker is None or any(below.marker.evaluate(each) for each in environments):
                waiting.append(below)
    return dict(sorted(found.items()))


if __name__ == "__main__":
    needed = asked(tomllib.loads(_PROJECT.read_text(encoding="utf-8")))
    print("# python -m scripts.lock > requirements.lock")
    print("\n".join(f"{name}=={version}" for name, version in locked(needed).items()))

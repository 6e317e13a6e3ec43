"""What a proof counts and says: how often each kind was tried, and every fault with its seed."""

import argparse
import time
from collections import Counter
from dataclasses import dataclass, field

_SHOWN = 20
"""Faults that are told in full; all are counted."""
_EVERY = 60.0
"""Seconds between two lines of counts: what is cut off has told them."""


@dataclass
class Tally:
    """The counts of a proof; a case's seed alone repeats it: `--count 1 --seed SEED`."""

    proof: str
    tried: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    _told: float = field(default_factory=time.monotonic)

    def passed(self, kind: str) -> None:
        """Count a trial that held."""
        self.tried[kind] += 1
        if time.monotonic() > self._told + _EVERY:
            self._told = time.monotonic()
            print(f"so far {self._counts()}", flush=True)

    def failed(self, kind: str, seed: int, what: str) -> None:
        """Count a trial that did not hold, and say what happened."""
        self.tried[kind] += 1
        self.faults[kind] += 1
        if self.faults.total() <= _SHOWN:
            print(f"FAULT {self.proof} --seed {seed} {kind}: {what}", flush=True)

    def report(self, seed: int) -> int:
        """Print the counts by kind; return 1 if there was a fault."""
        for kind in sorted(self.tried):
            print(f"{kind:28} {self.tried[kind]:7,} tried {self.faults[kind]:5,} faults")
        print(f"{self.proof}, from seed {seed} on: {self._counts()}", flush=True)
        return int(bool(self.faults))

    def _counts(self) -> str:
        return f"{self.tried.total():,} tried, {self.faults.total():,} faults"


def options(proof: str, about: str | None, count: int) -> argparse.ArgumentParser:
    """Return the options that every proof has; `count` is how many make it one."""
    parser = argparse.ArgumentParser(prog=f"python -m scripts.prove {proof}", description=about)
    parser.add_argument("--count", type=int, default=count, help=f"trials (default {count:,})")
    parser.add_argument("--seed", type=int, default=1, help="of the first trial; the next has + 1")
    return parser

"""Every option of every command with every nonsense of its type: refused, named, nothing written.

A trial is a command with one such option. Refused is: code 2, one line, which names the option.
"""

import random
import resource
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from scripts.prove._calling import Call, call
from scripts.prove._damaged import prove_on_a_store
from scripts.prove._nonsense import Trial, make_files, trials_of
from scripts.prove._tally import Tally

_COUNT = 2_000
_MEMORY = 8 << 30
"""Bytes: what reads a device to its end is ended there."""


class Begun(Exception):
    """The command began its work: the option was accepted."""


def main(argv: list[str]) -> int:
    """Give every option nonsense; return 1 if one is not refused as it should be."""
    return prove_on_a_store("options", __doc__, _COUNT, prove, argv)


def prove(store: Path, place: Path, count: int, seed: int, only: str | None = None) -> int:
    """Try so many, in an order by chance; the seed is that of the order."""
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, resource.RLIM_INFINITY))
    tally, folder = Tally("options"), place / "given"
    folder.mkdir()
    # Torch and the networks are loaded here, not in a trial; and what is no nonsense is accepted.
    sound = Trial("index", "--regions", "3")
    assert fault_of(sound, folder, store) == "accepted", fault_of(sound, folder, store)
    trials = list(trials_of(make_files(folder)))
    random.Random(seed).shuffle(trials)
    for trial in trials[:count]:
        kind, fault = f"{trial.command} {trial.option}", fault_of(trial, folder, store)
        if fault:
            tally.failed(kind, seed, f"{trial.value[:60]!r}: {fault}")
        else:
            tally.passed(kind)
    return tally.report(seed)


def fault_of(trial: Trial, place: Path, store: Path) -> str | None:
    """Return what is wrong with how a command takes an option; None where it refuses it."""
    arguments = trial.arguments(place, store)
    before, held = _names(place), _held(store)
    with (
        patch("mapcap.indexing.filling.run_stages", side_effect=Begun),
        patch("mapcap.cli._check_terminal"),
        patch("tui.app.MapCapApp.run", side_effect=Begun),
        patch("mapcap.datasets.published.download.urlopen", side_effect=Begun),
    ):
        done = call(*arguments)
    new = [name for name in _names(place) if name not in before]
    for name in new:
        (place / name).unlink()
    if done.trouble.startswith(f"{__name__}.{Begun.__name__}"):
        return "accepted"
    if new or _held(store) != held:
        return f"wrote {new or store}: {_said(done)}"
    if done.trouble:
        return done.trouble
    if done.code != 2:
        return f"code {done.code}"
    called = ("-k", trial.option) if trial.option == "--sentences" else (trial.option,)
    if any(name in done.err.replace("\n", "") for name in called):
        return None
    return f"not named: {_said(done)}"


def _held(store: Path) -> bytes:
    """Return a store without its first bytes: they tell how often it was opened for writing."""
    return store.read_bytes()[100:]


def _names(place: Path) -> Sequence[str]:
    return sorted(each.name for each in place.iterdir())


def _said(done: Call) -> str:
    return f"{done.code} {(done.err or done.out)[:200]!r} {done.trouble}"

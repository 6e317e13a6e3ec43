"""Ctrl-C, SIGTERM and SIGHUP: finish the batch, then stop; asked again, stop at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_HANGUP = getattr(signal, "SIGHUP", None)  # Windows has none
_SIGNALS = tuple(filter(None, (signal.SIGINT, signal.SIGTERM, _HANGUP)))


@contextmanager
def stop_on_signals(announce: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether the user asked to stop.

    The first signal calls `announce`; the second one raises KeyboardInterrupt where it strikes. A
    terminal that goes says so several times, and each is the first; under nohup it is ignored. What
    was installed before is back afterwards.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked and number == _HANGUP:
            return
        if asked:
            raise KeyboardInterrupt
        asked = True
        announce()

    before = {
        number: signal.signal(number, ask)
        for number in _SIGNALS
        if number != _HANGUP or signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""The part of a stage that knows no store: it may run in this process or on another machine."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mapcap.config import IndexConfig
from mapcap.datasets import ClassLabel
from mapcap.networks.loading import Networks

Wanted = TypeVar("Wanted")
Data = TypeVar("Data")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Context:
    """What a computation has at hand wherever it runs."""

    config: IndexConfig
    source: str
    """What the photos are of, for messages."""
    classes: tuple[ClassLabel, ...]
    """In the order of the logits."""
    networks: Networks


class Computation(ABC, Generic[Wanted, Data, Result]):
    """What a stage does between fetching its items from the store and storing what came of them.

    What goes in and comes out can be pickled and holds nothing of this machine.
    """

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    def read(self, wanted: Wanted) -> Data:
        """Read what the computation needs besides; several threads may call it at once.

        Raises:
            UserError: if photos that were there cannot be read any more.
        """

    @abstractmethod
    def compute(self, data: Data, tick: Callable[[float], None]) -> Result:
        """Compute a batch; `tick` takes the share of it that is done, and may raise to stop."""

    def halves(self, data: Data) -> Sequence[tuple[int, Data]]:
        """Return a batch in two, each with the number of its items; nothing if it cannot be."""
        return ()

"""The classes that predictions speak of, as the photos' classes or as further ones."""

from collections.abc import Mapping, Sequence

from mapcap.datasets import ClassLabel
from mapcap.datasets.records import composed
from mapcap.errors import UserError, closest
from mapcap.text import clean


class Classes:
    """The photos' classes, followed by those that only the predictions name."""

    def __init__(self, photos: Sequence[ClassLabel], names: Mapping[str, str]) -> None:
        self.labels = list(photos)
        self._names = names
        self._exact: dict[str, int] = {}
        for index, class_label in enumerate(photos):
            self._exact.setdefault(class_label.label, index)
        for index, class_label in enumerate(photos):
            self._exact.setdefault(class_label.name, index)
        self._folded: dict[str, set[int]] = {}
        for text, index in self._exact.items():
            self._folded.setdefault(_fold(text), set()).add(index)

    def holds(self, key: str) -> bool:
        """Tell whether a key is exactly the label or name of a class."""
        return key in self._exact

    def find(self, key: str, where: str) -> int | None:
        """Return the class of a key: exact, then by case and underscores, then by --names.

        Raises:
            UserError: starting with `where`, if the key means several classes.
        """
        for text in (key, self._names.get(key)):
            if text is None:
                continue
            if text in self._exact:
                return self._exact[text]
            alike = self._folded.get(_fold(text), set())
            if len(alike) > 1:
                meant = " or ".join(sorted(self.labels[index].label for index in alike))
                raise UserError(f"{where}: {clean(key)} may be {meant}. Write it as it stands.")
            if alike:
                return next(iter(alike))
        return None

    def add(self, key: str, where: str) -> int:
        """Return the class of a key, which becomes a class without photos if there is none."""
        existing = self.find(key, where)
        if existing is not None:
            return existing
        label = clean(key)
        index = len(self.labels)
        self.labels.append(ClassLabel(label, clean(self._names.get(key, label)).strip() or label))
        for text in (key, label):
            self._exact[text] = index
        self._folded.setdefault(_fold(label), set()).add(index)
        return index

    def hint(self, key: str) -> str:
        """Return a sentence with the classes nearest to a key."""
        return closest(key, [class_label.label for class_label in self.labels])


def _fold(text: str) -> str:
    return " ".join(composed(text).replace("_", " ").casefold().split())

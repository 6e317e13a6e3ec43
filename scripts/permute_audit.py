"""How often an audit finds something where nothing is: correctness permuted within the classes.

    python -m scripts.permute_audit DB [--draws 20] [--seed 0] [--json]

What the model made of each photo (what it predicts, how surely) is exchanged at random among the
photos of its class, in the newest run of a file that `mapcap index` filled, and all classes are
audited again; the file stays as it is. No error then goes with anything that a photo shows, and a
finding that is no note is a false one. Confusions and names of classes count predictions, which an
exchange leaves as they are: they are left out.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from db import queries
from db.engine import open_read
from db.errors import StoreError
from mapcap.audit.class_audit import audit_class
from mapcap.audit.findings import Finding
from mapcap.audit.material import Images, Material, Reference, bars_of
from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.indexing.stages.audit_reading import Source
from mapcap.indexing.stages.auditor import Auditor
from mapcap.networks.clip import load_clip
from mapcap.networks.devices import pick_device
from mapcap.text import clean

_UNTOUCHED: Final = ("confusion", "name")


@dataclass(frozen=True)
class Null:
    """Audits of classes with correctness permuted: how many, and of how many with a finding.

    `any` is of any kind; `kinds` by kind; `titles` are the findings.
    """

    audits: int
    any: int
    kinds: dict[str, int]
    titles: list[str]


def permute_audit(db: Path, draws: int, seed: int) -> Null:
    """Audit the newest run of a file with correctness permuted, so many times.

    Raises:
        StoreError: for a file that cannot be used.
        UserError: for a network that cannot be loaded.
    """
    engine = open_read(db)
    run = queries.latest_run(engine)
    config = IndexConfig.of(run.config)
    clip = load_clip(config.model, config.pretrained, config.weights, device=pick_device("auto"))
    auditor = Auditor(Source(engine, run.id, config, clip))
    auditor.read_run()
    materials = [auditor.read(each.id) for each in queries.classes(engine, run.id)]
    audits, with_any, kinds = 0, 0, Counter[str]()
    titles: list[str] = []
    for draw in range(draws):
        for material in permuted(materials, np.random.default_rng([seed, draw])):
            found = [each for each in audit_class(material).findings if _counts(each)]
            audits += 1
            with_any += bool(found)
            kinds.update({each.kind for each in found})
            titles += [each.title for each in found]
    return Null(audits, with_any, dict(kinds), titles)


def _counts(finding: Finding) -> bool:
    return not finding.is_note and finding.kind not in _UNTOUCHED


def permuted(materials: Sequence[Material], generator: np.random.Generator) -> Iterator[Material]:
    """Give the material of the classes of a run, correctness exchanged among each class's photos.

    The run's sample has the same exchange, and the bars of its labels are measured on it.
    """
    if not materials:
        return
    images = [_exchanged(each.images, generator) for each in materials]
    reference = _agreeing(materials[0].reference, images)
    bars = bars_of(reference, materials[0].names, seed=materials[0].seed)
    for material, changed in zip(materials, images, strict=True):
        yield replace(material, images=changed, reference=reference, bars=bars)


def _exchanged(images: Images, generator: np.random.Generator) -> Images:
    order = generator.permutation(len(images))
    return replace(
        images,
        predicted=images.predicted[order],
        correct=images.correct[order],
        confidence=images.confidence[order],
        margins=images.margins[order],
        witness=images.witness[order],
    )


def _agreeing(reference: Reference, images: Sequence[Images]) -> Reference:
    """Return the run's sample with the predictions that its images have after the exchange."""
    ids = np.concatenate([each.ids for each in images])
    order = np.argsort(ids)
    rows = order[np.searchsorted(ids, reference.ids, sorter=order)]

    def taken(name: str) -> NDArray[Any]:
        values: NDArray[Any] = np.concatenate([getattr(each, name) for each in images])[rows]
        return values

    return replace(
        reference,
        predicted=taken("predicted"),
        confidence=taken("confidence"),
        witness=taken("witness"),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Permute, audit and print how many classes have a finding; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="permute_audit",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("db", type=Path, help="a file that `mapcap index` filled")
    parser.add_argument("--draws", type=int, default=20, help="exchanges (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the exchanges")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        if options.draws < 1 or options.seed < 0:
            raise UserError("--draws is 1 or more, --seed 0 or more")
        null = permute_audit(options.db, options.draws, options.seed)
    except (UserError, StoreError) as error:
        print(f"permute_audit: {clean(str(error))}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(vars(null), indent=2))
        return 0
    print(f"{null.any} of {null.audits} audits of a class have a finding", end="")
    print(f" ({null.any / null.audits:.1%})" if null.audits else "")
    for kind, count in sorted(null.kinds.items(), key=lambda pair: -pair[1]):
        print(f"{count:5d} {kind}")
    for title in null.titles:
        print(f"      {clean(title)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

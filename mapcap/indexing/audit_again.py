"""A stored run audited again with the kinds of findings of this MapCap, by its CLIP alone."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from db.engine import finish, open_write
from db.records import Run
from mapcap.config import IndexConfig
from mapcap.errors import UserError
from mapcap.indexing.stages.audit_reading import Source
from mapcap.indexing.stages.auditor import Auditor
from mapcap.indexing.stopping import stop_on_signals
from mapcap.networks.clip import load_clip
from mapcap.networks.devices import pick_device
from mapcap.printing.progress import Bars


def audit_again(db: Path, run: Run, console: Console) -> bool:
    """Audit the classes of a run that an older MapCap audited; False if the user stopped it.

    What is audited until then is stored.

    Raises:
        UserError: for a network that cannot be loaded.
        StoreError: for a file that cannot be written.
    """
    try:
        config = IndexConfig.of(run.config)
    except (KeyError, TypeError) as error:
        raise UserError(f"the configuration of run {run.id} is not whole ({error})") from error
    with console.status("loading the network, to audit again what an older MapCap audited"):
        place = pick_device("auto")
        clip = load_clip(
            config.model,
            config.pretrained,
            config.weights,
            image_size=config.image_size,
            device=place,
        )
    engine = open_write(db)
    try:
        with (
            stop_on_signals(lambda: console.print("stopping after this class")) as stopping,
            Bars(console) as bars,
        ):
            return _audit(Auditor(Source(engine, run.id, config, clip)), bars, stopping)
    except KeyboardInterrupt:
        return False
    finally:
        finish(engine)


def _audit(auditor: Auditor, bars: Bars, stopping: Callable[[], bool]) -> bool:
    pending = auditor.pending()
    bars.begin("audit", "classes", 0, len(pending))
    for class_id in pending:
        if stopping():
            return False
        auditor.store(auditor.audit(auditor.read(class_id)))
        bars.advance(1)
    bars.end()
    return True

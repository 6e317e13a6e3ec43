"""Writing a file whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mapcap.errors import UserError
from mapcap.text import clean


def check_out(out: Path, *, force: bool, keep: Path) -> None:
    """Raise UserError unless `out` may be written; `keep` is never written over.

    A file that is there already is replaced only with `force`.
    """
    name = clean(str(out))
    try:
        if out.exists():
            if not out.is_file():
                raise UserError(f"--out {name} is not a file: name a file")
            if out.samefile(keep):
                raise UserError(f"--out {name} is the file that is read: name another one")
            if not force:
                raise UserError(f"--out {name} is there already: name another file or add --force")
        elif not out.parent.is_dir():
            raise UserError(f"--out {name}: there is no folder {clean(str(out.parent))}: make it")
    except OSError as error:
        raise _unwritable(out, error) from error


@contextmanager
def whole_file(out: Path) -> Iterator[BinaryIO]:
    """Open a file beside `out` that takes its place at the end, and is removed on any error.

    Raises UserError where it cannot be written.
    """
    # Through a link to the file that it names, as any other writing would go.
    place = Path(os.path.realpath(out))
    part = place.with_name(f".{place.name[:200]}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(place)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        # On a disk that cannot be written there is none; nor is that what is to be told.
        with suppress(OSError):
            part.unlink()


def _unwritable(out: Path, error: OSError) -> UserError:
    reason = error.strerror or str(error)
    return UserError(f"--out {clean(str(out))} cannot be written ({reason}): name another place")

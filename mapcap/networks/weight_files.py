"""Files of weights before anything is loaded from them: where they are, and what they are."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mapcap.config import IndexConfig
from mapcap.datasets.content import describe_content, first_bytes
from mapcap.errors import UserError
from mapcap.networks.clip_names import HUGGING_FACE, LOCAL_DIR
from mapcap.networks.embedded import MINI

SUFFIXES: Final = (".safetensors", ".bin", ".pt", ".pth")
TOKENIZERS: Final = (
    "tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model",
    "sentencepiece.bpe.model",
)  # fmt: skip
"""Files of which a folder of transformers holds one, if it holds a tokenizer."""
_LARGEST_HEADER: Final = 100 << 20
_ZIP: Final = b"PK\x03\x04"
_PICKLES: Final = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_TEXTS: Final = "phrases"
_NOTES: Final = "__metadata__"
_PART: Final = "is the first part of a file of weights"


def places(config: IndexConfig) -> Iterator[tuple[str, Path]]:
    """Yield the files and folders that hold weights of a run, each with the option naming it."""
    given = config.captioner.partition(":")[2].removeprefix(LOCAL_DIR)
    hugging_face = (config.classifier or "").startswith(HUGGING_FACE)
    local = config.model.startswith((LOCAL_DIR, HUGGING_FACE))
    named = (
        ("--model", local, config.model.removeprefix(LOCAL_DIR).removeprefix(HUGGING_FACE)),
        ("--pretrained", config.pretrained is not None, config.pretrained or ""),
        ("--weights", config.weights is not None, config.weights or ""),
        ("--captioner", bool(given), given),
        ("--classifier", hugging_face, (config.classifier or "").removeprefix(HUGGING_FACE)),
        ("--lm", config.lm != MINI, config.lm),
    )
    for option, may_be_path, text in named:
        path = Path(text).expanduser()
        if may_be_path and path.exists():
            yield option, path


def check_weight_files(config: IndexConfig) -> None:
    """Check by their first bytes that a run's files of weights are such files, and whole.

    Raises:
        UserError: naming option and file, with what it is instead and what helps.
    """
    for option, path in places(config):
        if option == "--captioner" and config.captioner.startswith(_TEXTS):
            continue
        if path.is_file():
            files = [path]
        else:
            files = sorted(each for each in path.glob("*") if each.suffix in SUFFIXES)
        for file in files:
            fault = fault_of(file)
            if fault is not None:
                raise UserError(f"{option} {path}: {file.name} {fault}.")


def fault_of(path: Path) -> str | None:
    """Return what keeps a file from being one of weights, None if its beginning is that of one."""
    try:
        head = first_bytes(path)
        size = path.stat().st_size
        whole = not head.startswith(_ZIP) or zipfile.is_zipfile(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not head:
        return "is empty: fetch it again" if path.is_file() else "is no regular file"
    if not whole:
        return f"{_PART}: its end is missing. Fetch it again"
    if head.startswith((_ZIP, *_PICKLES)):
        return None
    if is_safetensors(head):
        return None if size >= _told_size(path, head) else f"{_PART}: fetch it again"
    what = describe_content(head)
    if what is not None:
        return f"is no file of weights but {what}"
    return "is no file of weights: neither safetensors nor what torch.save writes"


def _told_size(path: Path, head: bytes) -> int:
    """Return how many bytes a safetensors file has, as far as its header tells."""
    length = int.from_bytes(head[:8], "little")
    try:
        with path.open("rb") as file:
            tensors = json.loads(file.read(8 + length)[8:])
        ends = [each["data_offsets"][1] for name, each in tensors.items() if name != _NOTES]
        return 8 + length + max((int(end) for end in ends), default=0)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return 8 + length  # its reader will say what is wrong with it


def is_safetensors(head: bytes) -> bool:
    """Tell by its first bytes whether a file is in the form of safetensors, whatever its name."""
    return head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= _LARGEST_HEADER

"""The names of CLIPs: open_clip's with tags, hub repositories, folders, and `mini`."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import open_clip
from open_clip.transform import PreprocessCfg

from mapcap.errors import UserError, closest
from mapcap.networks.embedded import MINI, ROOT, embedded

LOCAL_DIR = "local-dir:"
HF_HUB = "hf-hub:"
HUGGING_FACE = "hf:"
"""Before a folder or repository in transformers' format."""

_QUICK = "-quickgelu"
_PREPARED = ("mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True)
class Training:
    """What weights were trained with, beside what the name of their network says."""

    quick_gelu: bool
    preprocess: tuple[tuple[str, Any], ...]
    """Mean, std, interpolation and resize mode, where they are not open_clip's usual ones."""


def check_name(name: str, pretrained: str | None, weights: str | None = None) -> Path | None:
    """Check that a CLIP of this name can be meant, and return its folder if it has one.

    Raises:
        UserError: unknown names, or weights named for a CLIP that brings its own.
    """
    if name == MINI or name.startswith((LOCAL_DIR, HF_HUB, HUGGING_FACE)):
        for option, value in (("--pretrained", pretrained), ("--weights", weights)):
            if value is not None:
                raise UserError(f"{option} {value}: {name} brings its own weights. Leave it out.")
        return folder_of(name)
    check_published(name.replace("/", "-"), pretrained, weights)
    return None


def folder_of(name: str) -> Path | None:
    """Return the folder that a CLIP's name means, if it means one."""
    if name == MINI:
        return embedded("clip")
    if name.startswith(LOCAL_DIR):
        return Path(name.removeprefix(LOCAL_DIR)).expanduser()
    return None


def identity(name: str, pretrained: str | None) -> str:
    """Return one name for a CLIP, however a run names it: `ViT-B-32/openai`, a folder, `mini`.

    QuickGELU belongs to the weights, and a hub repository of open_clip's table to its tag.
    """
    if name.startswith(LOCAL_DIR):
        folder = Path(name.removeprefix(LOCAL_DIR)).expanduser().resolve()
        return MINI if folder == (ROOT / "clip").resolve() else f"{LOCAL_DIR}{folder}"
    if name.startswith(HUGGING_FACE):
        folder = Path(name.removeprefix(HUGGING_FACE)).expanduser()
        return f"{HUGGING_FACE}{folder.resolve()}" if folder.is_dir() else name
    if name.startswith(HF_HUB):
        repository = name.removeprefix(HF_HUB)
        for model, tag in open_clip.list_pretrained():
            published = open_clip.get_pretrained_cfg(model, tag).get("hf_hub") or ""
            if published.strip("/") == repository:
                return identity(model, tag)
        return name
    if pretrained is None:
        return name
    return f"{name.replace('/', '-').removesuffix(_QUICK)}/{pretrained}"


def parted(one: str) -> tuple[str, str | None]:
    """Return model and tag of a CLIP's one name, as `identity` makes it; only tables have tags."""
    if one == MINI or one.startswith((LOCAL_DIR, HF_HUB, HUGGING_FACE)):
        return one, None
    name, slash, tag = one.rpartition("/")
    return (name, tag) if slash else (one, None)


def check_published(name: str, pretrained: str | None, weights: str | None = None) -> None:
    """Check that open_clip knows the name and the tag, or that the file of weights exists.

    A file alone does not tell how it was trained: it is taken where all tags of the name agree.

    Raises:
        UserError: otherwise, with the nearest names.
    """
    if name not in open_clip.list_models():
        hint = closest(name, open_clip.list_models())
        raise UserError(
            f"--model {name}: open_clip has no such model. {hint} "
            f"Or give {HF_HUB}REPO, {LOCAL_DIR}FOLDER, {HUGGING_FACE}NAME (transformers' format) "
            f"or {MINI}."
        )
    tags = open_clip.list_pretrained_tags_by_model(name)
    if pretrained is None:
        raise UserError(
            f"--model {name} needs weights: name them with --pretrained. "
            f"{'Available: ' + ', '.join(tags) + ', or a file.' if tags else 'Give a file.'}"
        )
    is_tag = open_clip.pretrained.is_pretrained_cfg(name, pretrained)
    if not is_tag and not Path(pretrained).is_file():
        hint = closest(pretrained, tags) if tags else "open_clip has none for this model."
        raise UserError(
            f"--pretrained {pretrained}: neither a tag of weights for {name} nor a file. {hint}"
        )
    if weights is not None and not is_tag:
        raise UserError(
            f"--weights {weights}: --pretrained {pretrained} is a file, too. Give a tag with "
            f"--pretrained, which says what the weights are: {', '.join(tags)}."
        )
    if weights is not None and not Path(weights).is_file():
        raise UserError(f"--weights {weights}: there is no such file. Check the path.")
    if not is_tag and len({training_of(name, tag) for tag in tags}) > 1:
        raise UserError(
            f"--pretrained {pretrained}: weights for {name} were trained in different ways "
            "(QuickGELU or GELU, or how photos are prepared), and a file does not say in which. "
            f"Give --pretrained TAG --weights {pretrained}, where TAG says what it is, or what it "
            f"was trained on from: {', '.join(tags)}."
        )


def training_of(name: str, pretrained: str | None) -> Training:
    """Return how the weights behind a tag were trained; of a file, what all tags agree on.

    open_clip only warns when the name's configuration says otherwise (`ViT-B-32` with `openai`);
    GELU in the place of QuickGELU changes OpenAI's maps by 2 to 7 %.
    """
    is_tag = pretrained and open_clip.pretrained.is_pretrained_cfg(name, pretrained)
    tags = [pretrained] if is_tag else open_clip.list_pretrained_tags_by_model(name)
    tag = open_clip.get_pretrained_cfg(name, tags[0]) if tags else {}
    quick = bool(tag.get("quick_gelu", open_clip.get_model_config(name).get("quick_gelu", False)))
    # A tag that names open_clip's own defaults says the same as one that names none.
    usual = asdict(PreprocessCfg())
    named = {key: tag[key] for key in _PREPARED if tag.get(key)}
    named = {k: tuple(v) if isinstance(v, list) else v for k, v in named.items()}
    prepared = {k: v for k, v in named.items() if v != usual[k]}
    return Training(quick, tuple(sorted(prepared.items())))

"""The names of CLIPs: open_clip's with tags, hub repositories, folders, and `mini`."""

from pathlib import Path

import open_clip

from mapcap.errors import UserError, closest
from mapcap.networks.embedded import MINI, ROOT, embedded

LOCAL_DIR = "local-dir:"
HF_HUB = "hf-hub:"

_QUICK = "-quickgelu"


def check_name(name: str, pretrained: str | None) -> Path | None:
    """Check that a CLIP of this name can be meant, and return its folder if it has one.

    Raises:
        UserError: unknown names, or weights named for a CLIP that brings its own.
    """
    if pretrained is not None and (name == MINI or name.startswith((LOCAL_DIR, HF_HUB))):
        raise UserError(
            f"--pretrained {pretrained}: {name} brings its own weights. Leave --pretrained out."
        )
    if name == MINI:
        return embedded("clip")
    if name.startswith(LOCAL_DIR):
        return Path(name.removeprefix(LOCAL_DIR)).expanduser()
    if not name.startswith(HF_HUB):
        check_published(name.replace("/", "-"), pretrained)
    return None


def identity(name: str, pretrained: str | None) -> str:
    """Return one name for a CLIP, however a run names it: `ViT-B-32/openai`, a folder, `mini`.

    QuickGELU belongs to the weights, and a hub repository of open_clip's table to its tag.
    """
    if name.startswith(LOCAL_DIR):
        folder = Path(name.removeprefix(LOCAL_DIR)).expanduser().resolve()
        return MINI if folder == (ROOT / "clip").resolve() else f"{LOCAL_DIR}{folder}"
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


def check_published(name: str, pretrained: str | None) -> None:
    """Check that open_clip knows the name and the tag, or that the file of weights exists.

    Raises:
        UserError: otherwise, with the nearest names.
    """
    if name not in open_clip.list_models():
        hint = closest(name, open_clip.list_models())
        raise UserError(
            f"--model {name}: open_clip has no such model. {hint} "
            f"Or give {HF_HUB}REPO, {LOCAL_DIR}FOLDER or {MINI}."
        )
    tags = open_clip.list_pretrained_tags_by_model(name)
    if pretrained is None:
        raise UserError(
            f"--model {name} needs weights: name them with --pretrained. "
            f"{'Available: ' + ', '.join(tags) + ', or a file.' if tags else 'Give a file.'}"
        )
    known = open_clip.pretrained.is_pretrained_cfg(name, pretrained)
    if not known and not Path(pretrained).is_file():
        hint = closest(pretrained, tags) if tags else "open_clip has none for this model."
        raise UserError(
            f"--pretrained {pretrained}: neither a tag of weights for {name} nor a file. {hint}"
        )


def needs_quick_gelu(name: str, pretrained: str | None) -> bool:
    """Tell whether the weights behind a tag were trained with QuickGELU.

    open_clip only warns when the name's configuration says otherwise (`ViT-B-32` with `openai`);
    GELU in its place changes OpenAI's maps by 2 to 7 %.
    """
    tag = open_clip.get_pretrained_cfg(name, pretrained) if pretrained else {}
    return bool(tag.get("quick_gelu", False))

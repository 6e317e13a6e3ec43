"""The work folder, where each step leaves what the next ones need, and the options of all steps."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Places:
    """Files and folders in the work folder."""

    ONNX: ClassVar[str] = "vit_s_focus.onnx"
    MINILM: ClassVar[str] = "minilm"
    THINGS: ClassVar[str] = "things"
    THINGS_VARIED: ClassVar[str] = "things-varied"
    THINGS_AGAIN: ClassVar[str] = "things-again"
    THINGS_PASTED: ClassVar[str] = "things-pasted"
    PEOPLE: ClassVar[str] = "people"
    PEOPLE_VARIED: ClassVar[str] = "people-varied"
    STAMPS: ClassVar[str] = "stamps"

    work: Path

    def __post_init__(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)

    @property
    def onnx(self) -> Path:
        """The vision transformer as it is published."""
        return self.work / self.ONNX

    @property
    def minilm(self) -> Path:
        """The text encoder's folder."""
        return self.work / self.MINILM

    @property
    def photos(self) -> Path:
        """The unpacked photos."""
        return self.work / "photos"

    @property
    def emoji(self) -> Path:
        """The drawn emoji, a folder a painter."""
        return self.work / "emoji"

    @property
    def vit(self) -> Path:
        """The vision transformer's weights by open_clip's names."""
        return self.work / "vit.safetensors"

    @property
    def cache(self) -> Path:
        """The albums of cached views."""
        return self.work / "cache"

    @property
    def looks(self) -> Path:
        """What the pixels of the plain photos show."""
        return self.work / "looks.jsonl"

    @property
    def caption_embeddings(self) -> Path:
        """MiniLM's embeddings of one appearance caption a plain photo."""
        return self.work / "caption_embeddings.npy"

    @property
    def cycles(self) -> tuple[Path, Path, Path]:
        """The trained end of the vision transformer after each training cycle."""
        return self.work / "cycle1.pt", self.work / "cycle2.pt", self.work / "cycle3.pt"

    @property
    def features(self) -> Path:
        """Features of pictures and parts of them."""
        return self.work / "features.npy"

    @property
    def probe(self) -> Path:
        """The probe for humans."""
        return self.work / "probe.pt"

    @property
    def pairs(self) -> Path:
        """What may be said of each feature."""
        return self.work / "pairs.jsonl"

    @property
    def best(self) -> Path:
        """Features of training pictures, each with the best caption of several."""
        return self.work / "best"

    @property
    def refined(self) -> Path:
        """The language model and the mapper after `refine`."""
        return self.work / "refined"

    def member(self, number: int) -> Path:
        """One of the networks that `refine` averages."""
        return self.work / f"member{number}.pt"

    @property
    def language_model(self) -> Path:
        """The language model's folder, tokenizer included."""
        return self.work / "lm"

    @property
    def mapper(self) -> Path:
        """The ClipCap mapper."""
        return self.work / "clipcap.pt"


def parser(description: str | None) -> argparse.ArgumentParser:
    """Make a step's parser, with the options that every step has."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--work", type=Path, required=True, help="folder for all that is made")
    return options


def add_data(options: argparse.ArgumentParser) -> None:
    """Add the option for the photos and captions."""
    options.add_argument("--data", type=Path, required=True, help="folder of photos and captions")


def add_wordnet(options: argparse.ArgumentParser) -> None:
    """Add the option for WordNet."""
    options.add_argument(
        "--wordnet",
        type=Path,
        required=True,
        help="folder of WordNet 3.0's data.noun (usr/share/wordnet in Debian's wordnet-base)",
    )


def add_stamps(options: argparse.ArgumentParser) -> None:
    """Add the option for Tux Paint's stamps."""
    options.add_argument(
        "--stamps",
        type=Path,
        required=True,
        help="folder of Tux Paint's stamps (usr/share/tuxpaint/stamps in tuxpaint-stamps-default)",
    )


def add_threads(options: argparse.ArgumentParser) -> None:
    """Add the option for the number of cores."""
    options.add_argument("--threads", type=int, default=2, help="cores to use (default 2)")

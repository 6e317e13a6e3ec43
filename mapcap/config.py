"""What a run computes: the frozen configuration stored with it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite
from typing import Any, Final, get_args, get_origin

from mapcap.errors import UserError

MOST: Final = 2**31 - 1
"""The largest number that an option takes: what counts more than there is, is a slip."""

REPRESENTATIONS = ("pooled", "crop", "mask", "mask-all", "blur", "weighted")
"""Ways from a region to an embedding: `pooled`, then the poster's five."""

RELEVANCE_METHODS = ("chefer", "gradcam", "legrad", "occlusion", "rollout", "value")
"""Ways to the relevance of patches; what they are is in `mapcap.relevance`."""

ATTENTION_METHODS = ("chefer", "legrad", "rollout")
"""Those that read attention, which towers made of convolutions do not have."""

BOX_FORMATS = ("xyxy", "xywh", "cxcywh")
"""Two corners; a corner, width and height; the centre, width and height: torchvision's names."""
BOX_UNITS = ("pixels", "shares")
CLASS_LEVELS = ("top", "leaf")
"""The folders of PHOTOS are the classes, whatever is in them; or those that images lie in."""

REGION_VIEWS = ("crop", "blur", "box")
"""What a captioner that looks at pixels sees of a region: its box and a margin; the whole photo,
the rest blurred; the whole photo with the box drawn."""

DECODINGS = ("greedy", "beam", "nucleus", "rerank")
"""How a ClipCap comes to a caption: the likeliest token each time; the published code's search of
five beams; tokens drawn from the likeliest that have 0.9 of the probability; or, of the first way's
caption and four of the third's, the one that the CLIP finds nearest to the region."""

FEATURES = ("normalised", "raw")
"""What a head on the CLIP's image features takes: their L2-normalised form, or as they are."""

_PROMPT = "Describe this in one short sentence."
_BEFORE = {
    "keep_artefacts": True,
    "class_frequency": False,
    "shared": False,
    "relevance": "chefer",
    "prompt": _PROMPT,
    "first_sentence": True,
    "region_view": "crop",
    "decoding": "greedy",
    "weights": None,
    "image_size": None,
    "concepts": (),
    "predictions": None,
    "prediction_paths": None,
    "class_order": None,
    "class_weights": None,
    "features": "normalised",
    "classifier": None,
    "predictions_digest": None,
    "box_format": None,
    "box_units": None,
    "class_level": None,
    "unlabelled": False,
}
"""What runs did before these fields existed."""
_HALF = 0.5, "half"
"""How runs wrote this rule before there were others, and how they write it now."""

MAX_SENTENCES_PER_SUMMARY = 9
"""Summaries are stored for every length from 1 to this."""


@dataclass(frozen=True, kw_only=True)
class IndexConfig:
    """Everything that decides a run's results; two runs with equal values are the same run.

    Device, dtype and batch size are not here: they change the speed, and the result by rounding.
    """

    photos: str
    """The labelled data set: an absolute path, or the word `sample`."""
    preset: str = "mini"
    """Where the parts came from that were not named one by one."""
    model: str = "mini"
    """CLIP: an open_clip name, `hf-hub:...`, `local-dir:...`, or `mini`."""
    pretrained: str | None = None
    """open_clip's tag of the weights, or a file of weights."""
    weights: str | None = None
    """A file that holds the weights of the tag `pretrained`: an absolute path."""
    image_size: int | None = None
    """Side of the picture that the CLIP gets, in pixels; None = the one it was trained with."""
    captioner: str = "mini"
    """`mini`, `clipcap:FILE`, `clipcap:hf-hub:REPO/FILE`, `blip:NAME`, `coca:MODEL/TAG`,
    `vlm:NAME`, `phrases` or `phrases:FILE`."""
    prompt: str = _PROMPT
    """What a `vlm:` captioner is asked of each region."""
    first_sentence: bool = True
    """Whether only the first sentence of a `vlm:` captioner's answer is kept."""
    region_view: str = "crop"
    """What a captioner that looks at pixels sees of a region: one of `REGION_VIEWS`."""
    decoding: str = "greedy"
    """How a ClipCap comes to a caption: one of `DECODINGS`. The preset `mini` reranks."""
    lm: str = "mini"
    """Causal language model of the PMI: a hub name, a folder, or `mini`."""
    names: str | None = None
    """File that maps folder names to class names."""
    boxes: str | None = None
    """File with one box an image."""
    box_format: str | None = None
    """What the four numbers of a box are, of `BOX_FORMATS`; None = the table tells."""
    box_units: str | None = None
    """Whether boxes are in `pixels` or `shares` of the photo's sides; None = the table tells."""
    class_level: str | None = None
    """Whether `top` or `leaf` folders are the classes; None = the layout tells."""
    unlabelled: bool = False
    """Whether nobody says what is in the photos: a photo's class is its prediction."""
    limit_per_class: int | None = None
    """At most this many images of a class; None = all."""
    templates: tuple[str, ...] = ("{}",)
    """Prompt templates; `{}` stands for the class name."""
    representation: str = "pooled"
    """How a region becomes an embedding: one of `REPRESENTATIONS`."""
    relevance: str = "chefer"
    """How patches get their relevance: one of `RELEVANCE_METHODS`."""
    relevance_start_layer: int = -1
    """First layer of the relevance product; -1 = the last layer alone, as the poster."""
    regions: int = 3
    """At most this many regions an image."""
    threshold: str = "mean"
    """Rule by which a pixel is salient: `half`, `mean` or `mass:Q` (`mapcap.regions.salient`)."""
    min_area: float = 0.01
    """Regions that cover less of the view than this share are dropped."""
    sentences: int = 5
    """Length of the summary shown first; all lengths from 1 to 9 are stored."""
    redundancy: float = 1.0
    """Lambda of the selection: the weight of what a new sentence repeats."""
    max_sentences: int = 150
    """At most this many distinct captions of a class enter its PMI matrix."""
    keep_artefacts: bool = False
    """Whether captions that describe the image rather than its content may be chosen."""
    class_frequency: bool = True
    """Whether a sentence of most classes loses to one of few: inverse class frequency."""
    shared: bool = True
    """Whether summaries take what many photos share (`select_shared`), or the poster's sums."""
    concepts: tuple[str, ...] = ()
    """Lines of a person's own concepts, which the audit looks for beside its vocabulary."""
    predictions: str | None = None
    """File of another classifier's predictions; None = there is none."""
    prediction_paths: str | None = None
    """File that names the photo of each row of a matrix of predictions."""
    class_order: str | None = None
    """File of the classes in the order of the class numbers in `predictions`, or of the rows of
    `class_weights`."""
    class_weights: str | None = None
    """File of a linear head on the CLIP's image features, which then predicts."""
    features: str = "normalised"
    """What features the head takes: one of `FEATURES`."""
    classifier: str | None = None
    """A supervised network that predicts and is explained: `timm:NAME[|FILE]`, `hf:NAME`,
    `hf:FOLDER`."""
    predictions_digest: str | None = None
    """SHA-256 of these files: other predictions under the same names are another run."""
    seed: int = 0
    """Seeds the choice of captions where a class has more than `max_sentences`."""

    def __post_init__(self) -> None:
        """Refuse values that no run could use, naming the option.

        Raises:
            UserError: for a value out of range.
        """
        from mapcap.salience import is_rule  # numpy, which the first screen does not wait for

        checks = [
            (self.representation in REPRESENTATIONS, "--representation",
             f"is one of {', '.join(REPRESENTATIONS)}"),
            (self.relevance in RELEVANCE_METHODS, "--relevance",
             f"is one of {', '.join(RELEVANCE_METHODS)}"),
            (self.region_view in REGION_VIEWS, "--region-view",
             f"is one of {', '.join(REGION_VIEWS)}"),
            (self.decoding in DECODINGS, "--decoding", f"is one of {', '.join(DECODINGS)}"),
            (1 <= self.regions <= 50, "--regions", "is between 1 and 50"),
            (is_rule(self.threshold), "--threshold",
             "is half, mean or mass:Q with Q above 0 and at most 1"),
            (1 <= self.sentences <= MAX_SENTENCES_PER_SUMMARY, "--sentences",
             f"is between 1 and {MAX_SENTENCES_PER_SUMMARY}"),
            (self.limit_per_class is None or 1 <= self.limit_per_class <= MOST,
             "--limit-per-class", f"is between 1 and {MOST:,}"),
            (0 <= self.redundancy <= MOST, "--redundancy-penalty", f"is between 0 and {MOST:,}"),
            (2 <= self.max_sentences <= MOST, "--max-sentences", f"is between 2 and {MOST:,}"),
            (-1 <= self.relevance_start_layer <= MOST, "--relevance-start-layer",
             "is -1 or the number of a layer"),
            (self.class_level in (None, *CLASS_LEVELS), "--class-level",
             f"is one of {', '.join(CLASS_LEVELS)}"),
            (self.box_format in (None, *BOX_FORMATS), "--box-format",
             f"is one of {', '.join(BOX_FORMATS)}"),
            (self.box_units in (None, *BOX_UNITS), "--box-units",
             f"is one of {', '.join(BOX_UNITS)}"),
            (self.image_size is None or 16 <= self.image_size <= 2048, "--image-size",
             "is between 16 and 2048"),
            (bool(self.templates), "--template", "is given at least once"),
            (all("{}" in template for template in self.templates), "--template",
             "holds {} where the class name goes"),
            (self.prediction_paths is None or self.predictions is not None, "--prediction-paths",
             "names the rows of --predictions FILE: give that, too"),
            (not self.unlabelled or self.predictions is not None, "--unlabelled",
             "takes the classes from --predictions FILE: give that, too"),
            (not self.unlabelled or self.class_level is None, "--unlabelled",
             "says that no folders are classes, and --class-level which ones are: leave one out"),
            (self.class_order is None or bool(self.sources), "--class-order",
             "is the order of the classes in --predictions FILE, --class-weights FILE or "
             "--classifier NAME: give one of them, too"),
            (len(self.sources) < 2, next(reversed(self.sources), ""),
             f"is a source of predictions, as {next(iter(self.sources), '')} is: give one of them"),
            (self.features in FEATURES, "--features", f"is one of {', '.join(FEATURES)}"),
            (self.features == FEATURES[0] or self.class_weights is not None, "--features",
             "says what --class-weights FILE takes: give that, too"),
        ]  # fmt: skip
        for holds, option, rule in checks:
            if not holds:
                raise UserError(f"{option}: the value {rule}.")

    @property
    def sources(self) -> dict[str, str]:
        """Where predictions come from by option; none where the CLIP predicts, zero-shot."""
        named = {
            "--predictions": self.predictions,
            "--class-weights": self.class_weights,
            "--classifier": self.classifier,
        }
        return {option: value for option, value in named.items() if value is not None}

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, in hex: the natural key of a run.

        Fields that came later are left out where they say what was done before them, so that a
        run of then is still the same run.
        """
        values = asdict(self)
        if self.threshold == _HALF[1]:
            values["threshold"] = _HALF[0]
        kept = {k: v for k, v in values.items() if k not in _BEFORE or v != _BEFORE[k]}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "IndexConfig":
        """Return the configuration that a run stored, of this version or another; unknown keys go.

        Raises:
            UserError: for one that no version stores; the file may be anybody's.
        """
        values = _BEFORE | dict(stored)
        if values.get("threshold") == _HALF[0]:
            values["threshold"] = _HALF[1]
        field_names = {field.name for field in fields(cls)}
        kept: dict[str, Any] = {key: value for key, value in values.items() if key in field_names}
        for name in ("templates", "concepts"):
            if isinstance(kept.get(name), list):
                kept[name] = tuple(map(str, kept[name]))
        types = {field.name: field.type for field in fields(cls)}
        wrong = [name for name, value in kept.items() if not _fits(value, types[name])]
        if wrong or "photos" not in kept:
            named = ", ".join(wrong) or "photos"
            raise UserError(f"the run's stored configuration is damaged: {named}")
        try:
            return cls(**kept)
        except UserError as error:
            raise UserError(f"the run's stored configuration is damaged: {error}") from error


def _fits(value: object, annotation: Any) -> bool:
    """Tell whether a value is of a field's type."""
    kinds = [get_origin(kind) or kind for kind in get_args(annotation) or (annotation,)]
    if get_origin(annotation) is tuple:
        kinds = [tuple]
    if float in kinds:
        return type(value) is int or (isinstance(value, float) and isfinite(value))
    return type(value) in kinds

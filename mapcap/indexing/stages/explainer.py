"""Who predicts the photos of a run, whose maps they are, and what the CLIP says beside."""

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from db.rows import NewImage
from mapcap.classifiers.maps import classify
from mapcap.classifiers.records import Classifier
from mapcap.explanation import Explanation, Method, explain, put_in_words
from mapcap.heads import LinearHead, text_head
from mapcap.indexing.run_head import classifier_head, head_of
from mapcap.indexing.stages.computation import Context
from mapcap.networks.geometry import View
from mapcap.zero_shot import Predictions, class_weights, predict


class Explainer:
    """Explains batches of photos by the one source of predictions that a run has."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._method = Method.of(context.config)

    @cached_property
    def texts(self) -> Tensor:
        """The classes' text embeddings (K, D) by the CLIP."""
        clip, config = self._context.networks.clip, self._context.config
        names = [class_label.name for class_label in self._context.classes]
        return class_weights(clip.model, clip.tokenizer, names, config.templates)

    @cached_property
    def _zero_shot(self) -> LinearHead:
        return text_head(self._context.networks.clip.model, self.texts)

    @cached_property
    def _head(self) -> LinearHead:
        """The head that is explained: the texts', or one that a person brought."""
        config, networks = self._context.config, self._context.networks
        if networks.classifier is not None:
            return classifier_head(config, networks.classifier, self._context.classes)
        return head_of(config, networks.clip, self._context.classes, self.texts)

    def explain(
        self,
        rows: Sequence[NewImage],
        views: Tensor,
        theirs: Tensor | None,
        true: Tensor,
        predicted: Tensor | None,
    ) -> tuple[Explanation, Predictions | None]:
        """Explain photos, and return what the CLIP itself says where it is not the classifier.

        `views` (B, 3, H, W) as the CLIP takes the photos of `rows`, `theirs` as the person's
        network does; `true` and `predicted` (B,) are their classes, `predicted` by a table.
        """
        clip, half = self._context.networks.clip, self._context.networks.half
        views = views.to(clip.device, non_blocking=True)
        other = self._context.networks.classifier
        if other is not None and theirs is not None:
            method, start_layer = self._method.relevance, self._method.start_layer
            images = theirs.to(clip.device, non_blocking=True)
            classified = classify(other, self._head, images, true, method, start_layer, half)
            pairs = self._views(other, rows)
            return put_in_words(
                clip.model, views, self._zero_shot, true, classified, pairs, self._method, half
            )
        explanation = explain(clip.model, views, self._head, true, self._method, half, predicted)
        if predicted is not None:
            return explanation, explanation.predictions
        if self._context.config.class_weights is None:
            return explanation, None
        features = torch.from_numpy(explanation.features).to(clip.device)
        return explanation, predict(self._zero_shot(features), true)

    def _views(self, other: Classifier, rows: Sequence[NewImage]) -> list[tuple[View, View]]:
        """Return what the person's network and the CLIP see of each photo."""
        sizes = [(row.width or 0, row.height or 0) for row in rows]
        clip = self._context.networks.clip
        return [(other.view(*size), clip.view(*size)) for size in sizes]

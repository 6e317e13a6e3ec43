"""Stage `zero-shot`: what the model says of every image."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from db import queries, writes
from db.rows import NewPrediction
from mapcap.representations import encode_images
from mapcap.stages.base import Job, Stage
from mapcap.stages.class_texts import class_texts
from mapcap.stages.pictures import Pictures, read_pictures
from mapcap.zero_shot import Predictions, class_logits, class_weights, predict


def weights_of(job: Job) -> Tensor:
    """Return the class weights (K, D) of a run."""
    names = [class_name.name for class_name in job.dataset.classes]
    clip = job.networks.clip
    return class_weights(clip.model, clip.tokenizer, names, job.config.templates)


class ZeroShot(Stage[Pictures]):
    """Predictions, image embeddings, and the text side of the classes."""

    name = "zero-shot"
    unit = "images"

    def total(self) -> int:  # noqa: D102
        return queries.readable_images(self.job.engine, self.job.run_id)

    def pending(self) -> Sequence[int]:  # noqa: D102
        pending = queries.pending_predictions(self.job.engine, self.job.run_id)
        if pending:
            self._weights = weights_of(self.job)
        return pending

    def read(self, items: Sequence[int]) -> Pictures:  # noqa: D102
        return read_pictures(self.job, items)

    def compute(self, data: Pictures, tick: Callable[[float], None]) -> None:  # noqa: D102
        if not data.tasks:
            return
        model = self.job.networks.clip.model
        features = encode_images(model, data.views)  # (B, D)
        targets = torch.tensor([task.class_position for task in data.tasks])
        predictions = predict(class_logits(model, features, self._weights), targets)
        ids = [task.id for task in data.tasks]
        rows = _rows(ids, predictions, self.job.class_ids, features.float().cpu().numpy())
        writes.add_predictions(self.job.engine, rows)

    def finish(self) -> None:
        """Store the figures per class and, for each class, how its name's tokens matter."""
        job = self.job
        writes.aggregate_accuracy(job.engine, job.run_id)
        if len(queries.class_embeddings(job.engine, job.run_id).ids) < len(job.class_ids):
            writes.set_class_texts(job.engine, class_texts(job, weights_of(job)))


def _rows(
    ids: Sequence[int],
    predictions: Predictions,
    class_ids: Sequence[int],
    features: np.ndarray,
) -> list[NewPrediction]:
    return [
        NewPrediction(
            image_id=image_id,
            top=[
                (class_ids[index], float(probability), float(logit))
                for index, probability, logit in zip(
                    predictions.top[row],
                    predictions.top_probabilities[row],
                    predictions.top_logits[row],
                    strict=True,
                )
            ],
            true_probability=float(predictions.true_probability[row]),
            true_rank=int(predictions.true_rank[row]),
            margin=float(predictions.margin[row]),
            feature=features[row],
        )
        for row, image_id in enumerate(ids)
    ]

"""What an explained batch becomes in the store: predictions, the CLIP's word, maps."""

from collections.abc import Sequence

import numpy as np

from db.rows import NewPrediction, NewRelevance, NewWitness
from mapcap.datasets import Prediction
from mapcap.explanation import Explanation
from mapcap.zero_shot import Predictions


def prediction_rows(
    image_ids: Sequence[int], explanation: Explanation, class_ids: Sequence[int]
) -> list[NewPrediction]:
    """Return what the run's head says."""
    scores = explanation.predictions
    classes = np.array(class_ids)[scores.top].tolist()
    top = zip(classes, scores.top_probabilities.tolist(), scores.top_logits.tolist(), strict=True)
    columns = zip(
        image_ids, top, scores.true_probability.tolist(), scores.true_rank.tolist(),
        scores.margin.tolist(), explanation.features, strict=True,
    )  # fmt: skip
    return [
        NewPrediction(image_id, list(zip(*best, strict=True)), probability, rank, margin, feature)
        for image_id, best, probability, rank, margin, feature in columns
    ]


def given_rows(
    image_ids: Sequence[int],
    given: Sequence[Prediction],
    explanation: Explanation,
    class_ids: Sequence[int],
) -> list[NewPrediction]:
    """Return what the person's own classifier says, beside the CLIP's features."""
    return [
        NewPrediction(
            image_id,
            [
                (class_ids[index], probability, logit)
                for index, probability, logit in prediction.top
            ],
            prediction.true_probability,
            prediction.true_rank,
            prediction.margin,
            feature,
        )
        for image_id, prediction, feature in zip(
            image_ids, given, explanation.features, strict=True
        )
    ]


def witness_rows(
    image_ids: Sequence[int], scores: Predictions, class_ids: Sequence[int]
) -> list[NewWitness]:
    """Return what the CLIP itself says."""
    best = zip(scores.top[:, 0].tolist(), scores.top_probabilities[:, 0].tolist(), strict=True)
    rows = zip(image_ids, best, scores.true_probability.tolist(), strict=True)
    return [NewWitness(image_id, class_ids[i], p, true) for image_id, (i, p), true in rows]


def map_rows(
    image_ids: Sequence[int], explanation: Explanation, class_ids: Sequence[int]
) -> list[NewRelevance]:
    """Return the maps with the classes that they are for."""
    maps = explanation.maps
    targets = np.array(class_ids)[maps.classes()].tolist()
    columns = zip(maps.images.tolist(), maps.roles, targets, explanation.grids, strict=True)
    return [
        NewRelevance(image_ids[image], role, target, grid) for image, role, target, grid in columns
    ]

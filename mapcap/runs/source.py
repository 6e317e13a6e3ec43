"""Where the predictions of a run come from, and through whose eyes they are explained."""

from pathlib import PurePath

from db.records import Run

ZERO_SHOT = "zero-shot"
UNLABELLED = "no labels: classes are the predicted ones"


def predicted_by(run: Run) -> str:
    """Return in few words who predicted: `resnet.csv`, or the CLIP itself, zero-shot."""
    file = run.config.get("predictions") or run.config.get("class_weights")
    network, bar, weights = str(run.config.get("classifier") or "").partition("|")
    if network:
        return f"{network}{bar}{PurePath(weights).name}"
    model = run.networks.get("model", "CLIP")
    return PurePath(str(file)).name if file else f"{model} {ZERO_SHOT}"


def is_zero_shot(run: Run) -> bool:
    """Tell whether the CLIP itself predicts, by the classes' texts."""
    return not any(map(run.config.get, ("predictions", "class_weights", "classifier")))


def source_line(run: Run, predicted: int, agreed: int | None) -> str | None:
    """Return whose predictions a run explains, and how often the CLIP agrees with them.

    `predicted` counts the images and `agreed` those of which the CLIP says the same; None for a
    run whose CLIP is the classifier.
    """
    if is_zero_shot(run):
        return None
    end = f"; {UNLABELLED}" if run.unlabelled else ""
    model, on_features = run.networks.get("model", "CLIP"), run.config.get("class_weights")
    how = "; explained by"
    if on_features:
        how = " on the features of"
    elif run.config.get("classifier"):
        how = ", by its own maps; in the words of"
    line = f"predictions: {predicted_by(run)}{how} {model}"
    if agreed is None or not predicted:
        return line + end
    witness = "whose zero-shot agrees" if on_features else "which agrees"
    return f"{line}, {witness} with it on {100 * agreed / predicted:.0f} % of the images{end}"

"""Where the predictions of a run come from, and through whose eyes they are explained."""

from pathlib import PurePath

from db.records import Run

ZERO_SHOT = "zero-shot"


def predicted_by(run: Run) -> str:
    """Return in few words who predicted: `resnet.csv`, or the CLIP itself, zero-shot."""
    file = run.config.get("predictions")
    model = run.networks.get("model", "CLIP")
    return PurePath(str(file)).name if file else f"{model} {ZERO_SHOT}"


def source_line(run: Run, predicted: int, agreed: int | None) -> str | None:
    """Return whose predictions a run explains, and how often the CLIP agrees with them.

    `predicted` counts the images and `agreed` those of which the CLIP says the same; None for a
    run whose CLIP is the classifier.
    """
    if not run.config.get("predictions"):
        return None
    line = f"predictions: {predicted_by(run)}; explained by {run.networks.get('model', 'CLIP')}"
    if agreed is None or not predicted:
        return line
    return f"{line}, which agrees with it on {100 * agreed / predicted:.0f} % of the images"

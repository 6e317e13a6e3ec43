"""Predictions from outside may lack probabilities; the CLIP's stand beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

# SQLite cannot take NOT NULL from a column: the two tables are written anew.
_STATEMENTS = (
    "ALTER TABLE class_name ADD COLUMN agreed INTEGER",
    """CREATE TABLE witness (
    image_id INTEGER NOT NULL, predicted_class_id INTEGER NOT NULL,
    probability FLOAT NOT NULL, true_probability FLOAT NOT NULL,
    CONSTRAINT pk_witness PRIMARY KEY (image_id),
    CONSTRAINT fk_witness_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT fk_witness_predicted_class_id FOREIGN KEY(predicted_class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    "CREATE INDEX ix_witness_predicted_class_id ON witness (predicted_class_id)",
    "DROP INDEX ix_prediction_class_id_correct_margin",
    "DROP INDEX ix_prediction_class_id_margin",
    "DROP INDEX ix_prediction_class_id_predicted_class_id_margin",
    "DROP INDEX ix_prediction_predicted_class_id",
    "DROP INDEX ix_prediction_top_class_id",
    "ALTER TABLE prediction RENAME TO prediction_before",
    "ALTER TABLE prediction_top RENAME TO prediction_top_before",
    """CREATE TABLE prediction (
    image_id INTEGER NOT NULL, class_id INTEGER NOT NULL,
    predicted_class_id INTEGER NOT NULL, correct BOOLEAN NOT NULL,
    true_probability FLOAT, true_rank INTEGER, margin FLOAT,
    CONSTRAINT pk_prediction PRIMARY KEY (image_id),
    CONSTRAINT fk_prediction_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT fk_prediction_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE,
    CONSTRAINT fk_prediction_predicted_class_id FOREIGN KEY(predicted_class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE TABLE prediction_top (
    image_id INTEGER NOT NULL, rank INTEGER NOT NULL, class_id INTEGER NOT NULL,
    probability FLOAT, logit FLOAT,
    CONSTRAINT pk_prediction_top PRIMARY KEY (image_id, rank),
    CONSTRAINT fk_prediction_top_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT fk_prediction_top_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
) WITHOUT ROWID""",
    """INSERT INTO prediction (image_id, class_id, predicted_class_id, correct, true_probability,
    true_rank, margin) SELECT image_id, class_id, predicted_class_id, correct, true_probability,
    true_rank, margin FROM prediction_before""",
    """INSERT INTO prediction_top (image_id, rank, class_id, probability, logit)
    SELECT image_id, rank, class_id, probability, logit FROM prediction_top_before""",
    "DROP TABLE prediction_before",
    "DROP TABLE prediction_top_before",
    """CREATE INDEX ix_prediction_class_id_correct_margin
    ON prediction (class_id, correct, margin)""",
    """CREATE INDEX ix_prediction_class_id_margin ON prediction (class_id, margin)""",
    """CREATE INDEX ix_prediction_class_id_predicted_class_id_margin
    ON prediction (class_id, predicted_class_id, margin)""",
    """CREATE INDEX ix_prediction_predicted_class_id ON prediction (predicted_class_id)""",
    """CREATE INDEX ix_prediction_top_class_id ON prediction_top (class_id)""",
)


def add_witness(connection: Connection) -> None:
    """Let probabilities be unknown, and add what the CLIP says where another one predicts."""
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement)

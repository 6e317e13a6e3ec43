"""The audit's findings and the figures of quality: tables of their own, nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Told to type checkers alone: the first screen paints before SQLAlchemy is loaded.
    from sqlalchemy import Connection

_STATEMENTS = (
    """CREATE TABLE class_audit (
    class_id INTEGER NOT NULL,
    line TEXT NOT NULL,
    clauses TEXT NOT NULL,
    figures TEXT NOT NULL,
    predicted INTEGER NOT NULL,
    region_total INTEGER NOT NULL,
    CONSTRAINT pk_class_audit PRIMARY KEY (class_id),
    CONSTRAINT fk_class_audit_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE TABLE finding (
    id INTEGER NOT NULL,
    class_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    score FLOAT NOT NULL,
    figures TEXT NOT NULL,
    CONSTRAINT pk_finding PRIMARY KEY (id),
    CONSTRAINT uq_finding_class_id_position UNIQUE (class_id, position),
    CONSTRAINT fk_finding_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE TABLE finding_image (
    finding_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    image_id INTEGER NOT NULL,
    CONSTRAINT pk_finding_image PRIMARY KEY (finding_id, position),
    CONSTRAINT fk_finding_image_finding_id FOREIGN KEY(finding_id)
        REFERENCES finding (id) ON DELETE CASCADE,
    CONSTRAINT fk_finding_image_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE INDEX ix_finding_image_image_id ON finding_image (image_id)""",
    """CREATE TABLE finding_region (
    finding_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    region_id INTEGER NOT NULL,
    CONSTRAINT pk_finding_region PRIMARY KEY (finding_id, position),
    CONSTRAINT fk_finding_region_finding_id FOREIGN KEY(finding_id)
        REFERENCES finding (id) ON DELETE CASCADE,
    CONSTRAINT fk_finding_region_region_id FOREIGN KEY(region_id)
        REFERENCES region (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE INDEX ix_finding_region_region_id ON finding_region (region_id)""",
    """CREATE TABLE error_word (
    id INTEGER NOT NULL,
    class_id INTEGER NOT NULL,
    against_class_id INTEGER,
    word TEXT NOT NULL,
    log_odds FLOAT NOT NULL,
    z FLOAT NOT NULL,
    q FLOAT NOT NULL,
    b2t FLOAT,
    b2t_low FLOAT,
    b2t_high FLOAT,
    images INTEGER NOT NULL,
    correct INTEGER NOT NULL,
    wrong INTEGER NOT NULL,
    CONSTRAINT pk_error_word PRIMARY KEY (id),
    CONSTRAINT fk_error_word_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE,
    CONSTRAINT fk_error_word_against_class_id FOREIGN KEY(against_class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_error_word_against_class_id ON error_word (against_class_id)""",
    """CREATE INDEX ix_error_word_class_id_against_class_id
    ON error_word (class_id, against_class_id)""",
    """CREATE TABLE figure (
    run_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    value FLOAT NOT NULL,
    low FLOAT,
    high FLOAT,
    n INTEGER NOT NULL,
    CONSTRAINT pk_figure PRIMARY KEY (run_id, name),
    CONSTRAINT fk_figure_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE class_figure (
    class_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    value FLOAT NOT NULL,
    CONSTRAINT pk_class_figure PRIMARY KEY (class_id, name),
    CONSTRAINT fk_class_figure_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
    """CREATE TABLE image_figure (
    image_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    value FLOAT NOT NULL,
    CONSTRAINT pk_image_figure PRIMARY KEY (image_id, name),
    CONSTRAINT fk_image_figure_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE
)
 WITHOUT ROWID""",
)


def add_audit(connection: Connection) -> None:
    """Add the tables."""
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement)

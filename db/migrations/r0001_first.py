"""The first schema: every table, and the word index over the captions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Told to type checkers alone: the first screen paints before SQLAlchemy is loaded.
    from sqlalchemy import Connection

# Plain SQL, not the metadata of db.schema: a step stays what it was when the schema goes on.
_STATEMENTS = (
    """CREATE TABLE run (
    id INTEGER NOT NULL, config_hash TEXT NOT NULL, config TEXT NOT NULL,
    preset TEXT NOT NULL, dataset TEXT NOT NULL, networks TEXT NOT NULL,
    versions TEXT NOT NULL, host TEXT NOT NULL, device TEXT NOT NULL,
    started FLOAT NOT NULL, finished FLOAT, status TEXT NOT NULL, notes TEXT NOT NULL,
    CONSTRAINT pk_run PRIMARY KEY (id),
    CONSTRAINT uq_run_config_hash UNIQUE (config_hash)
)""",
    """CREATE TABLE caption (
    id INTEGER NOT NULL, run_id INTEGER NOT NULL, text TEXT NOT NULL,
    token_count INTEGER NOT NULL, is_empty BOOLEAN NOT NULL, artefact BOOLEAN,
    CONSTRAINT pk_caption PRIMARY KEY (id),
    CONSTRAINT uq_caption_run_id_text UNIQUE (run_id, text),
    CONSTRAINT fk_caption_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
)""",
    """CREATE TABLE class_name (
    id INTEGER NOT NULL, run_id INTEGER NOT NULL, position INTEGER NOT NULL,
    name TEXT NOT NULL, label TEXT NOT NULL, images INTEGER DEFAULT '0' NOT NULL,
    readable INTEGER DEFAULT '0' NOT NULL, predicted INTEGER DEFAULT '0' NOT NULL,
    correct INTEGER DEFAULT '0' NOT NULL, accuracy FLOAT, accuracy_low FLOAT,
    accuracy_high FLOAT, mean_true_probability FLOAT, top_wrong_class_id INTEGER,
    top_wrong_count INTEGER DEFAULT '0' NOT NULL,
    distinct_captions INTEGER DEFAULT '0' NOT NULL, first_sentence TEXT,
    CONSTRAINT pk_class_name PRIMARY KEY (id),
    CONSTRAINT uq_class_name_run_id_position UNIQUE (run_id, position),
    CONSTRAINT uq_class_name_run_id_label UNIQUE (run_id, label),
    CONSTRAINT fk_class_name_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
)""",
    """CREATE TABLE stage (
    run_id INTEGER NOT NULL, name TEXT NOT NULL, position INTEGER NOT NULL,
    done INTEGER NOT NULL, total INTEGER NOT NULL, worked INTEGER NOT NULL,
    seconds FLOAT NOT NULL, status TEXT NOT NULL,
    CONSTRAINT pk_stage PRIMARY KEY (run_id, name),
    CONSTRAINT fk_stage_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
) WITHOUT ROWID""",
    """CREATE TABLE class_caption (
    class_id INTEGER NOT NULL, caption_id INTEGER NOT NULL, count INTEGER NOT NULL,
    "right" INTEGER NOT NULL, wrong INTEGER NOT NULL,
    CONSTRAINT pk_class_caption PRIMARY KEY (class_id, caption_id),
    CONSTRAINT fk_class_caption_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE,
    CONSTRAINT fk_class_caption_caption_id FOREIGN KEY(caption_id)
        REFERENCES caption (id) ON DELETE CASCADE
) WITHOUT ROWID""",
    """CREATE INDEX ix_class_caption_caption_id ON class_caption (caption_id)""",
    """CREATE INDEX ix_class_caption_class_id_count_caption_id
    ON class_caption (class_id, count, caption_id)""",
    """CREATE TABLE class_text (
    class_id INTEGER NOT NULL, embedding BLOB NOT NULL, tokens TEXT NOT NULL,
    CONSTRAINT pk_class_text PRIMARY KEY (class_id),
    CONSTRAINT fk_class_text_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE TABLE confusion (
    class_id INTEGER NOT NULL, predicted_class_id INTEGER NOT NULL, count INTEGER NOT NULL,
    CONSTRAINT pk_confusion PRIMARY KEY (class_id, predicted_class_id),
    CONSTRAINT fk_confusion_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE,
    CONSTRAINT fk_confusion_predicted_class_id FOREIGN KEY(predicted_class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
) WITHOUT ROWID""",
    """CREATE INDEX ix_confusion_predicted_class_id ON confusion (predicted_class_id)""",
    """CREATE TABLE image (
    id INTEGER NOT NULL, run_id INTEGER NOT NULL, class_id INTEGER NOT NULL,
    path TEXT NOT NULL, content_hash TEXT, width INTEGER, height INTEGER, file_size INTEGER,
    x0 FLOAT, y0 FLOAT, x1 FLOAT, y1 FLOAT, error TEXT,
    CONSTRAINT pk_image PRIMARY KEY (id),
    CONSTRAINT uq_image_run_id_path UNIQUE (run_id, path),
    CONSTRAINT fk_image_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE,
    CONSTRAINT fk_image_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_image_class_id ON image (class_id)""",
    """CREATE TABLE pmi (
    class_id INTEGER NOT NULL, caption_ids BLOB NOT NULL, counts BLOB NOT NULL,
    matrix BLOB NOT NULL, surprisal BLOB NOT NULL, relevance BLOB NOT NULL,
    distinct_total INTEGER NOT NULL, region_total INTEGER NOT NULL,
    CONSTRAINT pk_pmi PRIMARY KEY (class_id),
    CONSTRAINT fk_pmi_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE TABLE summary (
    id INTEGER NOT NULL, class_id INTEGER NOT NULL, k INTEGER NOT NULL,
    redundancy FLOAT NOT NULL,
    CONSTRAINT pk_summary PRIMARY KEY (id),
    CONSTRAINT uq_summary_class_id_k_redundancy UNIQUE (class_id, k, redundancy),
    CONSTRAINT fk_summary_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE TABLE word_score (
    class_id INTEGER NOT NULL, kind TEXT NOT NULL, word TEXT NOT NULL, score FLOAT NOT NULL,
    count INTEGER NOT NULL,
    CONSTRAINT pk_word_score PRIMARY KEY (class_id, kind, word),
    CONSTRAINT fk_word_score_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
) WITHOUT ROWID""",
    """CREATE TABLE image_embedding (
    image_id INTEGER NOT NULL, vector BLOB NOT NULL, norm FLOAT NOT NULL,
    CONSTRAINT pk_image_embedding PRIMARY KEY (image_id),
    CONSTRAINT fk_image_embedding_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE
)""",
    """CREATE TABLE prediction (
    image_id INTEGER NOT NULL, class_id INTEGER NOT NULL,
    predicted_class_id INTEGER NOT NULL, correct BOOLEAN NOT NULL,
    true_probability FLOAT NOT NULL, true_rank INTEGER NOT NULL, margin FLOAT NOT NULL,
    CONSTRAINT pk_prediction PRIMARY KEY (image_id),
    CONSTRAINT fk_prediction_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT fk_prediction_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE,
    CONSTRAINT fk_prediction_predicted_class_id FOREIGN KEY(predicted_class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_prediction_class_id_correct_margin
    ON prediction (class_id, correct, margin)""",
    """CREATE INDEX ix_prediction_class_id_margin ON prediction (class_id, margin)""",
    """CREATE INDEX ix_prediction_class_id_predicted_class_id_margin
    ON prediction (class_id, predicted_class_id, margin)""",
    """CREATE INDEX ix_prediction_predicted_class_id ON prediction (predicted_class_id)""",
    """CREATE TABLE prediction_top (
    image_id INTEGER NOT NULL, rank INTEGER NOT NULL, class_id INTEGER NOT NULL,
    probability FLOAT NOT NULL, logit FLOAT NOT NULL,
    CONSTRAINT pk_prediction_top PRIMARY KEY (image_id, rank),
    CONSTRAINT fk_prediction_top_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT fk_prediction_top_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
) WITHOUT ROWID""",
    """CREATE INDEX ix_prediction_top_class_id ON prediction_top (class_id)""",
    """CREATE TABLE region (
    id INTEGER NOT NULL, run_id INTEGER NOT NULL, image_id INTEGER NOT NULL,
    role TEXT NOT NULL, rank INTEGER NOT NULL, x0 FLOAT NOT NULL, y0 FLOAT NOT NULL,
    x1 FLOAT NOT NULL, y1 FLOAT NOT NULL, area_share FLOAT NOT NULL,
    mass_share FLOAT NOT NULL, patch_mask BLOB NOT NULL, mask BLOB NOT NULL,
    CONSTRAINT pk_region PRIMARY KEY (id),
    CONSTRAINT uq_region_image_id_role_rank UNIQUE (image_id, role, rank),
    CONSTRAINT fk_region_run_id FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE,
    CONSTRAINT fk_region_image_id FOREIGN KEY(image_id) REFERENCES image (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_region_run_id_image_id ON region (run_id, image_id)""",
    """CREATE TABLE relevance (
    id INTEGER NOT NULL, image_id INTEGER NOT NULL, role TEXT NOT NULL,
    target_class_id INTEGER NOT NULL, grid BLOB NOT NULL, raw_max FLOAT NOT NULL,
    raw_mass FLOAT NOT NULL, region_count INTEGER,
    CONSTRAINT pk_relevance PRIMARY KEY (id),
    CONSTRAINT uq_relevance_image_id_role UNIQUE (image_id, role),
    CONSTRAINT fk_relevance_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE,
    CONSTRAINT fk_relevance_target_class_id FOREIGN KEY(target_class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_relevance_target_class_id ON relevance (target_class_id)""",
    """CREATE TABLE summary_sentence (
    summary_id INTEGER NOT NULL, position INTEGER NOT NULL, caption_id INTEGER NOT NULL,
    relevance FLOAT NOT NULL, penalty FLOAT NOT NULL, score FLOAT NOT NULL,
    CONSTRAINT pk_summary_sentence PRIMARY KEY (summary_id, position),
    CONSTRAINT fk_summary_sentence_summary_id FOREIGN KEY(summary_id)
        REFERENCES summary (id) ON DELETE CASCADE,
    CONSTRAINT fk_summary_sentence_caption_id FOREIGN KEY(caption_id)
        REFERENCES caption (id) ON DELETE CASCADE
) WITHOUT ROWID""",
    """CREATE INDEX ix_summary_sentence_caption_id ON summary_sentence (caption_id)""",
    """CREATE TABLE thumbnail (
    image_id INTEGER NOT NULL, webp BLOB NOT NULL,
    CONSTRAINT pk_thumbnail PRIMARY KEY (image_id),
    CONSTRAINT fk_thumbnail_image_id FOREIGN KEY(image_id)
        REFERENCES image (id) ON DELETE CASCADE
)""",
    """CREATE TABLE embedding (
    region_id INTEGER NOT NULL, representation TEXT NOT NULL, vector BLOB NOT NULL,
    norm FLOAT NOT NULL,
    CONSTRAINT pk_embedding PRIMARY KEY (region_id, representation),
    CONSTRAINT fk_embedding_region_id FOREIGN KEY(region_id)
        REFERENCES region (id) ON DELETE CASCADE
)""",
    """CREATE TABLE region_caption (
    region_id INTEGER NOT NULL, caption_id INTEGER NOT NULL, class_id INTEGER NOT NULL,
    role TEXT NOT NULL, log_probability FLOAT NOT NULL, cosine FLOAT,
    CONSTRAINT pk_region_caption PRIMARY KEY (region_id),
    CONSTRAINT fk_region_caption_region_id FOREIGN KEY(region_id)
        REFERENCES region (id) ON DELETE CASCADE,
    CONSTRAINT fk_region_caption_caption_id FOREIGN KEY(caption_id)
        REFERENCES caption (id) ON DELETE CASCADE,
    CONSTRAINT fk_region_caption_class_id FOREIGN KEY(class_id)
        REFERENCES class_name (id) ON DELETE CASCADE
)""",
    """CREATE INDEX ix_region_caption_caption_id_class_id
    ON region_caption (caption_id, class_id)""",
    """CREATE INDEX ix_region_caption_class_id_role_caption_id
    ON region_caption (class_id, role, caption_id)""",
    """CREATE VIRTUAL TABLE caption_fts USING fts5(
    text, content = 'caption', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
)""",
    """CREATE TRIGGER caption_fts_insert AFTER INSERT ON caption BEGIN
    INSERT INTO caption_fts (rowid, text) VALUES (new.id, new.text);
END""",
    """CREATE TRIGGER caption_fts_delete AFTER DELETE ON caption BEGIN
    INSERT INTO caption_fts (caption_fts, rowid, text) VALUES ('delete', old.id, old.text);
END""",
    """CREATE TRIGGER caption_fts_update AFTER UPDATE OF text ON caption BEGIN
    INSERT INTO caption_fts (caption_fts, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO caption_fts (rowid, text) VALUES (new.id, new.text);
END""",
)


def create_tables(connection: Connection) -> None:
    """Create everything in an empty file."""
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement)

-- One text for SQLite and PostgreSQL: TEXT, BIGINT, DOUBLE PRECISION, BOOLEAN and bytes only.
-- Instants are UTC milliseconds. Bytes are written as hex text or as a column of type BYTEA, which
-- SQLite takes as a blob because its columns take any type.

CREATE TABLE device (
    name             TEXT    NOT NULL PRIMARY KEY,
    serial           TEXT    NOT NULL UNIQUE,
    -- SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal: the identity is serial and key.
    public_key       TEXT    NOT NULL,
    enrolled_at      BIGINT  NOT NULL,
    revoked_at       BIGINT,
    last_seen        BIGINT,
    -- What the device last said of itself (shared::Status as JSON); NULL if it never did.
    status           TEXT,
    settings_version BIGINT  NOT NULL DEFAULT 0,
    -- shared::message::Intervals as JSON.
    intervals        TEXT    NOT NULL DEFAULT '{}'
);

CREATE TABLE enrolment_token (
    id         TEXT   NOT NULL PRIMARY KEY,
    -- SHA-256 of the token, hexadecimal: the token itself is shown once and never stored.
    hash       TEXT   NOT NULL UNIQUE,
    note       TEXT   NOT NULL,
    uses_left  BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE account (
    name     TEXT NOT NULL PRIMARY KEY,
    -- Argon2id, PHC string.
    password TEXT NOT NULL
);

CREATE TABLE session (
    -- SHA-256 of the session's secret, hexadecimal.
    hash       TEXT   NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

-- One row for each buffer that a device ever had, changed by every batch.
CREATE TABLE buffer (
    device      TEXT   NOT NULL,
    buffer      TEXT   NOT NULL,
    -- The duplicate filter: batches of one buffer come in order, so the highest committed sequence
    -- absorbs every repeat without an index over all readings.
    high_seq    BIGINT NOT NULL,
    -- Sequences that were jumped over: the device dropped its oldest readings.
    skipped     BIGINT NOT NULL,
    -- When the server last took something new from it.
    heard_at    BIGINT NOT NULL,
    -- The newest reading of each metric, packed (store/segment.rs).
    latest      BYTEA  NOT NULL,
    -- Readings of this buffer that still lie in `recent`, and since when the oldest of them does.
    loose       BIGINT NOT NULL,
    loose_since BIGINT,
    PRIMARY KEY (device, buffer)
);

-- Small batches as they came, all metrics of a batch packed in one row: a commit appends a few rows
-- at the end, wherever its devices lie. The tidier turns them into segments when there are enough.
CREATE TABLE recent (
    device    TEXT   NOT NULL,
    buffer    TEXT   NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq  BIGINT NOT NULL,
    first_at  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    packed    BYTEA  NOT NULL,
    PRIMARY KEY (device, buffer, first_seq)
);

-- Readings of one device, metric and buffer that lie within one UTC day, packed together, so that
-- a chart reads few rows.
CREATE TABLE segment (
    device    TEXT   NOT NULL,
    metric    TEXT   NOT NULL,
    first_at  BIGINT NOT NULL,
    buffer    TEXT   NOT NULL,
    first_seq BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    last_seq  BIGINT NOT NULL,
    -- Summary, so that wide time ranges need not be unpacked: readings, of which measured, and of those:
    readings  BIGINT NOT NULL,
    measured  BIGINT NOT NULL,
    low       DOUBLE PRECISION,
    high      DOUBLE PRECISION,
    total     DOUBLE PRECISION,
    -- The readings themselves: see store/segment.rs.
    packed    BYTEA  NOT NULL,
    PRIMARY KEY (device, metric, first_at, buffer, first_seq)
);

-- Rows of batches that are no readings: kept as they came, for people to look at.
CREATE TABLE refused (
    device      TEXT   NOT NULL,
    buffer      TEXT   NOT NULL,
    seq         BIGINT NOT NULL,
    reason      TEXT   NOT NULL,
    sent        TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (device, buffer, seq)
);

-- Programs that speak to the interface with a key of their own, and what they hand in. The rules of 0001 hold.

-- A device without a board has no serial: programs hand its readings in. SQLite can't take a NOT NULL away, hence the copy.
CREATE TABLE device_without_board (
    name             TEXT    NOT NULL PRIMARY KEY,
    serial           TEXT    UNIQUE,
    public_key       TEXT    NOT NULL,
    enrolled_at      BIGINT  NOT NULL,
    revoked_at       BIGINT,
    last_seen        BIGINT,
    -- After how long without a reading it counts as offline; NULL for a device with a board, whose agent says how it is.
    silent_after_ms  BIGINT,
    status           TEXT,
    settings_version BIGINT  NOT NULL DEFAULT 0,
    intervals        TEXT    NOT NULL DEFAULT '{}',
    model            TEXT,
    quarantined_at   BIGINT,
    successor        TEXT
);
INSERT INTO device_without_board (name, serial, public_key, enrolled_at, revoked_at, last_seen, status, settings_version,
        intervals, model, quarantined_at, successor)
    SELECT name, serial, public_key, enrolled_at, revoked_at, last_seen, status, settings_version,
        intervals, model, quarantined_at, successor FROM device;
DROP TABLE device;
ALTER TABLE device_without_board RENAME TO device;

CREATE TABLE api_key (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    -- SHA-256, hexadecimal: the key itself is shown once and never stored.
    hash       TEXT   NOT NULL UNIQUE,
    -- Words of permissions with a space between.
    scopes     TEXT   NOT NULL,
    -- It hands in readings of these devices only: names with a space between; NULL: of any.
    devices    TEXT,
    made_by    TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT,
    used_at    BIGINT,
    revoked_at BIGINT
);

-- What was answered to readings that came with an `Idempotency-Key`, for whoever asks again.
CREATE TABLE answered (
    -- Who asked: an account, or 'key:' and the id of a key.
    owner   TEXT   NOT NULL,
    key     TEXT   NOT NULL,
    -- SHA-256 of what was asked, hexadecimal.
    request TEXT   NOT NULL,
    -- What became of each reading, as JSON.
    answer  TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (owner, key)
);
CREATE INDEX answered_at ON answered (at);

-- Who is let in, who waits, which certificates there are, and who did what. The rules of 0001 hold.

ALTER TABLE enrolment_token ADD COLUMN uses BIGINT NOT NULL DEFAULT 0;
-- 'registered': only boards that the registry expects; 'any': the others too. Tokens of before let in only the former.
ALTER TABLE enrolment_token ADD COLUMN admits TEXT NOT NULL DEFAULT 'registered';
-- Only names that are registered at this location; NULL: at any.
ALTER TABLE enrolment_token ADD COLUMN location TEXT;
-- Only these boards: serials with a space between; NULL: any.
ALTER TABLE enrolment_token ADD COLUMN serials TEXT;
ALTER TABLE enrolment_token ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
ALTER TABLE enrolment_token ADD COLUMN revoked_at BIGINT;
UPDATE enrolment_token SET uses = uses_left;

ALTER TABLE device ADD COLUMN model TEXT;
-- Two boards used its key: the key is worth nothing (public_key is empty) until somebody approves another.
ALTER TABLE device ADD COLUMN quarantined_at BIGINT;
-- The board that takes over its name when it first asks.
ALTER TABLE device ADD COLUMN successor TEXT;

-- Every certificate of a device, as long as it matters.
CREATE TABLE certificate (
    -- Hexadecimal.
    serial_number TEXT   NOT NULL PRIMARY KEY,
    device        TEXT   NOT NULL,
    public_key    TEXT   NOT NULL,
    -- SHA-256 of the authority that signed it.
    ca            TEXT   NOT NULL,
    issued_at     BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    revoked_at    BIGINT,
    pem           TEXT   NOT NULL
);
CREATE INDEX certificate_of_device ON certificate (device, issued_at);

-- Boards that asked for an identity and wait for somebody's approval.
CREATE TABLE waiting (
    id            TEXT   NOT NULL PRIMARY KEY,
    serial        TEXT   NOT NULL,
    public_key    TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    model         TEXT,
    address       TEXT   NOT NULL,
    copied_name   TEXT,
    copied_serial TEXT,
    token         TEXT   NOT NULL,
    first_at      BIGINT NOT NULL,
    last_at       BIGINT NOT NULL,
    -- Refused by somebody: it is not shown any more, and told so.
    refused_at    BIGINT,
    UNIQUE (serial, public_key)
);

-- What was done, by whom. Rows are only ever added.
CREATE TABLE audit (
    id      BIGINT NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    -- An account, 'device' or 'server'.
    who     TEXT   NOT NULL,
    act     TEXT   NOT NULL,
    device  TEXT,
    serial  TEXT,
    address TEXT,
    -- JSON object.
    detail  TEXT   NOT NULL
);
CREATE INDEX audit_of_device ON audit (device, id);

-- What holds for the whole fleet, by name.
CREATE TABLE policy (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

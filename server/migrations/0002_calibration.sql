-- Calibrations, what devices measure with, and history that was computed again. The rules of 0001 hold.

-- Records of calibrations. Rows are only ever added: an undo is a row of its own.
CREATE TABLE calibration (
    id          TEXT   NOT NULL PRIMARY KEY,
    device      TEXT   NOT NULL,
    metric      TEXT   NOT NULL,
    -- Counts a device's records as they arrive: the last one of a metric is in force.
    arrival     BIGINT NOT NULL,
    -- When it was made by the clock of whoever made it, how good that clock was, and when the server got it.
    made_at     BIGINT NOT NULL,
    clock       TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    -- Who, and where: 'dashboard' or 'device'.
    who         TEXT   NOT NULL,
    via         TEXT   NOT NULL,
    buffers     TEXT,
    lot         TEXT,
    -- shared::calibration::Point, Calibration and Health as JSON.
    points      TEXT   NOT NULL,
    calibration TEXT,
    health      TEXT,
    undoes      TEXT,
    -- Settings of this version are the first that contain it.
    settings    BIGINT NOT NULL,
    UNIQUE (device, metric, arrival)
);

-- What a device measures with: a row when it changed.
CREATE TABLE sensors (
    device TEXT   NOT NULL,
    metric TEXT   NOT NULL,
    since  BIGINT NOT NULL,
    -- shared::message::ProbeReport as JSON; NULL: it has no such probe any more.
    report TEXT,
    PRIMARY KEY (device, metric, since)
);

-- History computed again from the raw millivolts. What the device sent stays where it is.
CREATE TABLE revision (
    device      TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    metric      TEXT   NOT NULL,
    from_at     BIGINT NOT NULL,
    to_at       BIGINT NOT NULL,
    made_at     BIGINT NOT NULL,
    made_by     TEXT   NOT NULL,
    -- The record that all of it was computed with; NULL: the one in force at the time of each reading.
    calibration TEXT,
    readings    BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    -- SHA-256 of the results, hexadecimal. NULL until all of them are there: until then nobody sees any.
    digest      TEXT,
    PRIMARY KEY (device, number)
);

-- The readings of a revision, packed as in `segment`; each has the device, buffer, sequence and time of its original.
CREATE TABLE revised (
    device    TEXT   NOT NULL,
    metric    TEXT   NOT NULL,
    first_at  BIGINT NOT NULL,
    revision  BIGINT NOT NULL,
    buffer    TEXT   NOT NULL,
    first_seq BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    packed    BYTEA  NOT NULL,
    PRIMARY KEY (device, metric, first_at, revision, buffer, first_seq)
);

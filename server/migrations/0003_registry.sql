-- What the fleet expects, apart from `device`, which is what has come: joined by name.

CREATE TABLE registration (
    name       TEXT   NOT NULL PRIMARY KEY,
    -- The board that gets the name; NULL: reserved for whichever board comes first.
    serial     TEXT   UNIQUE,
    location   TEXT   NOT NULL,
    -- Degrees (WGS 84); both or neither.
    latitude   DOUBLE PRECISION,
    longitude  DOUBLE PRECISION,
    -- Names of metrics with a space between.
    metrics    TEXT   NOT NULL,
    notes      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

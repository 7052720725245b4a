-- Thresholds of people's own making that are ready to be set. What was set by one is a copy: it stays when the preset changes.
CREATE TABLE preset (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    -- Where the values come from, for people.
    source     TEXT   NOT NULL,
    -- Rises with each change.
    version    BIGINT NOT NULL,
    -- Thresholds by metric. JSON.
    metrics    TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,
    -- It is kept, because thresholds name it.
    removed_at BIGINT
);
CREATE UNIQUE INDEX preset_name ON preset (name) WHERE removed_at IS NULL;

-- Thresholds, alerts, outages, and what is told of them. The rules of 0001 hold.

-- Thresholds: a row for each change, so that the past can be read; the highest version of a scope and metric is in force.
-- Of a device's metric the narrowest scope counts as a whole: its own, else its location's, else the fleet's.
CREATE TABLE threshold (
    -- 'fleet', 'location' or 'device', and which ('' for the fleet).
    scope      TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    metric     TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    -- shared::rule::Threshold as JSON; NULL: taken away.
    threshold  TEXT,
    -- Id of the preset that it was filled from, if it still says the same.
    preset     TEXT,
    changed_at BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,
    PRIMARY KEY (scope, target, metric, version)
);

-- A device under rules: what holds for it and how it stands. No row: no rule, and ingest does nothing for it.
CREATE TABLE watch (
    device     TEXT   NOT NULL PRIMARY KEY,
    -- shared::rule::Thresholds in force, and how it stands under them (store::judge::Standing), as JSON.
    thresholds TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    -- When something late last came of it, while it is not decided what is told of that.
    late_at    BIGINT
);

CREATE TABLE alert (
    -- Sorts by time without a lock, and fits a float's 53 bits: milliseconds since 2025 times 4096, plus a little.
    id          BIGINT  NOT NULL PRIMARY KEY,
    -- 'rule', 'outage' or 'intake'.
    source      TEXT    NOT NULL,
    -- rule: low high rate missing fault; outage: offline location_offline fleet_offline repeated_outages; intake: external.
    kind        TEXT    NOT NULL,
    device      TEXT,
    location    TEXT,
    metric      TEXT,
    -- What makes it one: while an alert of a key is not resolved there is no second. 'rule/pi-7/ph/high'.
    dedup_key   TEXT    NOT NULL,
    -- 'warning' or 'critical': now, and at its worst.
    severity    TEXT    NOT NULL,
    worst       TEXT    NOT NULL,
    -- 'open', 'acknowledged' or 'resolved'. Reopened ones are open, and counted.
    state       TEXT    NOT NULL,
    reopened    BIGINT  NOT NULL DEFAULT 0,
    -- Since when it has been so, when that was decided, and when the server got to know (UTC ms).
    since       BIGINT  NOT NULL,
    raised_at   BIGINT  NOT NULL,
    known_at    BIGINT  NOT NULL,
    changed_at  BIGINT  NOT NULL,
    -- When it was over: by the rule's time, or by hand.
    resolved_at BIGINT,
    -- An account, or 'rule'.
    resolved_by TEXT,
    reason      TEXT,
    -- The value that decided it, the limit, and the value furthest beyond it.
    value       DOUBLE PRECISION,
    limit_value DOUBLE PRECISION,
    extreme     DOUBLE PRECISION,
    -- Word of a probe's fault; title and text of an intake alert; details of an outage. JSON object.
    detail      TEXT    NOT NULL,
    simulated   BOOLEAN NOT NULL,
    -- It began and ended before the server knew: told only in a digest.
    historical  BOOLEAN NOT NULL DEFAULT FALSE,
    -- Whether it was told, or is known not to need it. FALSE: late data, decided when its device is up to date.
    announced   BOOLEAN NOT NULL,
    read_at     BIGINT,
    read_by     TEXT,
    acked_at    BIGINT,
    acked_by    TEXT,
    assignee    TEXT,
    snoozed_until BIGINT,
    -- The alert of the location that this one belongs to.
    parent      BIGINT,
    -- The clearance that took it out of the lists; it can be restored.
    cleared     BIGINT
);
CREATE UNIQUE INDEX alert_active ON alert (dedup_key) WHERE state <> 'resolved' AND cleared IS NULL;
CREATE INDEX alert_unresolved ON alert (kind) WHERE state <> 'resolved';
CREATE INDEX alert_of_key ON alert (dedup_key, id);
CREATE INDEX alert_of_parent ON alert (parent) WHERE parent IS NOT NULL;
CREATE INDEX alert_of_device ON alert (device, id);
CREATE INDEX alert_unannounced ON alert (announced) WHERE NOT announced;
-- Alerts are kept for ever: what is asked every few seconds must not look at those that are over.
CREATE INDEX alert_current ON alert (id) WHERE state <> 'resolved' AND cleared IS NULL;
CREATE INDEX alert_unread ON alert (id) WHERE read_at IS NULL AND cleared IS NULL;
CREATE INDEX alert_of_clearance ON alert (cleared, id) WHERE cleared IS NOT NULL;
CREATE INDEX alert_cleared_key ON alert (dedup_key) WHERE state <> 'resolved' AND cleared IS NOT NULL;

-- What happened to an alert, and what people wrote about it. Rows are only ever added.
CREATE TABLE alert_event (
    alert BIGINT NOT NULL,
    -- 1, 2, 3, ... of an alert.
    seq   BIGINT NOT NULL,
    at    BIGINT NOT NULL,
    -- An account, 'rule' or 'server'.
    who   TEXT   NOT NULL,
    -- raised escalated eased cleared announced read acknowledged resolved reopened assigned snoozed noted linked
    -- cleared_away restored
    what  TEXT   NOT NULL,
    -- JSON object: severity, value, text of a note, ...
    detail TEXT  NOT NULL,
    PRIMARY KEY (alert, seq)
);

-- Alerts that were cleared out of the lists together.
CREATE TABLE clearance (
    id          BIGINT NOT NULL PRIMARY KEY,
    at          BIGINT NOT NULL,
    who         TEXT   NOT NULL,
    alerts      BIGINT NOT NULL,
    restored_at BIGINT
);

-- What is to be told, written in the transaction of what it tells of; ids are made as an alert's. Only what becomes of a row
-- changes, until it is long done and deleted.
CREATE TABLE outbox (
    id         BIGINT NOT NULL PRIMARY KEY,
    -- The same for the same news, however often it is sent: 'alert-17-1', 'digest-1763690400000'.
    idem_key   TEXT   NOT NULL UNIQUE,
    -- NULL for a digest.
    alert      BIGINT,
    -- raised escalated eased cleared acknowledged resolved reopened digest
    what       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    -- The news as it was, JSON: see notify::News.
    payload    TEXT   NOT NULL,
    -- Why it is not sent, though it is kept: 'silenced', 'snoozed', 'maintenance', 'linked', 'untold' (that it began was not sent).
    withheld   TEXT,
    -- Whether the channels and the audit log have been given it.
    spread     BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX outbox_new ON outbox (id) WHERE NOT spread;
CREATE INDEX outbox_of_alert ON outbox (alert, id);

-- How each channel fares with each news.
CREATE TABLE delivery (
    outbox   BIGINT NOT NULL,
    channel  TEXT   NOT NULL,
    -- 'pending', 'sent' or 'failed'.
    state    TEXT   NOT NULL,
    tries    BIGINT NOT NULL,
    -- When it is due, or until when whoever took it has it.
    next_at  BIGINT NOT NULL,
    done_at  BIGINT,
    -- What went wrong last.
    problem  TEXT,
    PRIMARY KEY (outbox, channel)
);
CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'pending';

-- When nobody is to be told: alerts are kept and shown all the same.
CREATE TABLE silence (
    id         BIGINT NOT NULL PRIMARY KEY,
    -- 'maintenance' or 'silence'.
    kind       TEXT   NOT NULL,
    -- As of a threshold.
    scope      TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    from_at    BIGINT NOT NULL,
    to_at      BIGINT NOT NULL,
    reason     TEXT   NOT NULL,
    made_by    TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    ended_at   BIGINT,
    ended_by   TEXT
);

-- Times in which a device was not there.
CREATE TABLE outage (
    id         BIGINT NOT NULL PRIMARY KEY,
    -- NULL: the server itself.
    device     TEXT,
    location   TEXT,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT,
    -- power network stopped agent server unknown
    cause      TEXT   NOT NULL,
    -- What that was concluded from: boot ids, the broker's word, the device's own. JSON object.
    detail     TEXT   NOT NULL,
    -- The alert that tells of it, if one does.
    alert      BIGINT
);
CREATE UNIQUE INDEX outage_open ON outage (device) WHERE ended_at IS NULL;
CREATE INDEX outage_of_device ON outage (device, started_at);
CREATE INDEX outage_ended ON outage (ended_at);
CREATE INDEX outage_of_alert ON outage (alert) WHERE alert IS NOT NULL;

-- Times in which a device was in service before another key or board got its name; since `device.enrolled_at` it is again.
CREATE TABLE service (
    device  TEXT   NOT NULL,
    from_at BIGINT NOT NULL,
    to_at   BIGINT NOT NULL,
    PRIMARY KEY (device, from_at)
);

-- Third-party systems that may hand in alerts.
CREATE TABLE intake_token (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    -- SHA-256, hexadecimal: the token itself is shown once and never stored.
    hash       TEXT   NOT NULL UNIQUE,
    made_by    TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    used_at    BIGINT,
    revoked_at BIGINT
);

-- Alerts write far more into the audit log than people do: among them the other kinds must be found.
CREATE INDEX audit_of_act ON audit (act, id);
CREATE INDEX audit_of_device_and_act ON audit (device, act, id);

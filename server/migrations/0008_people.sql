-- People who come by invitation or ask for an account, and how each wants the dashboard. The rules of 0001 hold.

-- What others call the person, if that is not the account's name.
ALTER TABLE account ADD COLUMN display_name TEXT;
-- server::preferences::Preferences as JSON.
ALTER TABLE account ADD COLUMN preferences TEXT NOT NULL DEFAULT '{}';

CREATE TABLE invitation (
    id           TEXT   NOT NULL PRIMARY KEY,
    -- SHA-256 of the secret in the link, hexadecimal: the secret itself is shown once and never stored.
    hash         TEXT   NOT NULL UNIQUE,
    role         TEXT   NOT NULL,
    -- What the person is called, and their e-mail address in small letters: the account gets both.
    name         TEXT,
    email        TEXT,
    invited_by   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    -- By somebody, or because whoever invited lost the right to.
    withdrawn_at BIGINT,
    -- The account that came of it.
    used_by      TEXT,
    used_at      BIGINT
);
CREATE INDEX invitation_of_inviter ON invitation (invited_by);

-- Accounts that somebody asks for. They are none yet: no role, and no query about accounts finds them.
CREATE TABLE sign_up (
    name         TEXT   NOT NULL PRIMARY KEY,
    -- Argon2id, PHC string.
    password     TEXT   NOT NULL,
    display_name TEXT,
    -- In small letters; perhaps another account's, which only an admin is told.
    email        TEXT,
    address      TEXT   NOT NULL,
    asked_at     BIGINT NOT NULL
);

-- Sessions that last by tokens which change, and a second factor. The rules of 0001 hold.

-- Whoever was signed in signs in once more: a session of before has no token that could be changed.
DROP TABLE session;

CREATE TABLE session (
    -- Random; names it to its owner and opens nothing.
    id         TEXT   NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    -- To within five minutes. A session that nobody uses for a week ends.
    used_at    BIGINT NOT NULL,
    -- However much it is used.
    expires_at BIGINT NOT NULL,
    address    TEXT   NOT NULL,
    -- What the browser or program calls itself, cut.
    agent      TEXT
);
CREATE INDEX session_of_account ON session (account);

-- The tokens of a session, two at a time. Those that have been changed are kept for as long as they could betray a thief.
CREATE TABLE session_token (
    -- SHA-256 of the refresh token and of the access token that came with it, hexadecimal.
    refresh      TEXT   NOT NULL PRIMARY KEY,
    access       TEXT   NOT NULL UNIQUE,
    session      TEXT   NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    -- The refresh token that these two were given for; NULL: for a password.
    parent       TEXT,
    access_until BIGINT NOT NULL,
    -- When the refresh token was first used; NULL: not yet.
    rotated_at   BIGINT
);
CREATE INDEX session_token_of_session ON session_token (session);

-- The second factor of an account (RFC 6238).
CREATE TABLE totp (
    account      TEXT   NOT NULL PRIMARY KEY REFERENCES account (name) ON DELETE CASCADE,
    -- Base32. It has to be known in the clear to check a code.
    secret       TEXT   NOT NULL,
    -- Since when it is asked for; NULL: nobody has shown a code of it yet, so it is not.
    confirmed_at BIGINT,
    -- The newest step whose code was taken: no code opens anything twice.
    last_step    BIGINT NOT NULL
);

-- For whoever has lost the telephone. SHA-256, hexadecimal; a row goes when its code is used.
CREATE TABLE recovery_code (
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    hash    TEXT NOT NULL,
    PRIMARY KEY (account, hash)
);

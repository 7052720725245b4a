-- Who may do what: a role for each account, and what its owner is shown of their own sessions. The rules of 0001 hold.

-- The least of the roles unless something else is said; whoever has an account by now could do everything.
ALTER TABLE account ADD COLUMN role TEXT NOT NULL DEFAULT 'auditor';
UPDATE account SET role = 'admin';
-- The password was made by the server: nothing else can be done until its owner has chosen another.
ALTER TABLE account ADD COLUMN must_change BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE account ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
-- Since when nobody signs in with it. No account is ever deleted: the audit log names it.
ALTER TABLE account ADD COLUMN disabled_at BIGINT;
-- In small letters.
ALTER TABLE account ADD COLUMN email TEXT;
CREATE UNIQUE INDEX account_of_email ON account (email);

ALTER TABLE session ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN address TEXT;
-- What the browser calls itself, cut.
ALTER TABLE session ADD COLUMN agent TEXT;
-- They lasted twelve hours.
UPDATE session SET created_at = expires_at - 43200000, used_at = expires_at - 43200000;
CREATE INDEX session_of_account ON session (account);

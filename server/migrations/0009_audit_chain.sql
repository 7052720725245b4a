-- The audit log as a chain of hashes (docs/decisions/0015-audit-chain.md). The rules of 0001 hold.

-- SHA-256, hexadecimal, over the row and the hash of the one before: shared::chain. The server gives the rows of before
-- theirs at its next start, up to the number below; a row that has none afterwards was not written by the server.
ALTER TABLE audit ADD COLUMN hash TEXT;
CREATE INDEX audit_unhashed ON audit (id) WHERE hash IS NULL;
INSERT INTO policy (name, value) SELECT 'audit_unchained_through', id FROM audit ORDER BY id DESC LIMIT 1;

-- The log is asked for a time and for whoever did it.
CREATE INDEX audit_of_time ON audit (at);
CREATE INDEX audit_of_who ON audit (who, id);

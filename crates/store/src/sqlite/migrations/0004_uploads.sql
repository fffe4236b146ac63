-- XEP-0363 slots and files; sha256 is null while a slot waits for its bytes.
CREATE TABLE upload (
    id         BLOB PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    media      TEXT,
    size       INTEGER NOT NULL,
    purpose    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    expires_at INTEGER,
    sha256     BLOB
) STRICT;
CREATE INDEX upload_account ON upload (account, created_at);
CREATE INDEX upload_expires ON upload (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX upload_slots ON upload (ends_at) WHERE sha256 IS NULL;

-- Rows that went, in whatever way, and whose bytes are still to be removed.
CREATE TABLE upload_leftover (
    id BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;
CREATE TRIGGER upload_gone AFTER DELETE ON upload BEGIN
    INSERT OR IGNORE INTO upload_leftover (id) VALUES (OLD.id);
END;

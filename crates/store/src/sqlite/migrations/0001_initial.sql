-- What the store knows about itself: clean, generation, folded, secret.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: the number of a deleted account must never name another one.
CREATE TABLE account (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    admin      INTEGER NOT NULL,
    disabled   INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    last_login INTEGER,
    invited_by INTEGER REFERENCES account (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX account_invited_by ON account (invited_by) WHERE invited_by IS NOT NULL;

CREATE TABLE credential (
    account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    hash       INTEGER NOT NULL,
    iterations INTEGER NOT NULL,
    salt       BLOB NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL,
    PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE reserved_name (
    name           TEXT PRIMARY KEY,
    reserved_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- version counts item changes; changes up to oldest can no longer be told apart.
CREATE TABLE roster (
    account INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    oldest  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE roster_item (
    account      INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    jid          TEXT NOT NULL,
    name         TEXT,
    subscription INTEGER NOT NULL,
    ask          INTEGER NOT NULL,
    approved     INTEGER NOT NULL,
    groups       TEXT,
    version      INTEGER NOT NULL,
    PRIMARY KEY (account, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE roster_removed (
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    jid     TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (account, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE roster_request (
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    jid     TEXT NOT NULL,
    at      INTEGER NOT NULL,
    stanza  BLOB NOT NULL,
    PRIMARY KEY (account, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE block (
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    jid     TEXT NOT NULL,
    PRIMARY KEY (account, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE archive_policy (
    account INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    policy  INTEGER NOT NULL
) STRICT;

CREATE TABLE archive_rule (
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    place   INTEGER NOT NULL,
    always  INTEGER NOT NULL,
    jid     TEXT NOT NULL,
    PRIMARY KEY (account, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE document (
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    key     TEXT NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (account, key)
) STRICT;

CREATE TABLE token (
    account     INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    client      TEXT NOT NULL,
    slot        INTEGER NOT NULL,
    mechanism   TEXT NOT NULL,
    key         BLOB NOT NULL,
    description TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    last_used   INTEGER,
    counter     INTEGER NOT NULL,
    PRIMARY KEY (account, client, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE invite (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    hash       BLOB NOT NULL UNIQUE,
    kind       INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    name       TEXT,
    subject    INTEGER REFERENCES account (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    uses       INTEGER NOT NULL,
    note       TEXT NOT NULL,
    admin      INTEGER NOT NULL,
    revoked    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX invite_created_by ON invite (created_by);
CREATE INDEX invite_subject ON invite (subject) WHERE subject IS NOT NULL;

CREATE TABLE invite_use (
    invite  INTEGER NOT NULL REFERENCES invite (id) ON DELETE CASCADE,
    account INTEGER REFERENCES account (id) ON DELETE SET NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX invite_use_invite ON invite_use (invite);
CREATE INDEX invite_use_account ON invite_use (account) WHERE account IS NOT NULL;

CREATE TABLE request (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    contact    TEXT NOT NULL,
    text       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    state      INTEGER NOT NULL DEFAULT 0,
    decided_at INTEGER
) STRICT;

CREATE TABLE session (
    id         TEXT PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    snapshot   BLOB NOT NULL
) STRICT;
CREATE INDEX session_account ON session (account);

-- The stanzas in the order of arrival, once each, with the archive rows that point to them (`refs`,
-- see sqlite/log.rs). Appending touches only the last page, however many accounts are busy.
CREATE TABLE log (
    seq    INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    refs   BLOB NOT NULL,
    stanza BLOB NOT NULL
) STRICT;
CREATE INDEX log_at ON log (at);

-- Per account the narrow rows that queries filter on. Follows the log a little behind. Addresses are
-- keyed hashes: a filter needs no more, and the row stays small. No reference to account: archives of
-- deleted accounts are removed in short transactions, see `purge`.
CREATE TABLE archive (
    account  INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    flags    INTEGER NOT NULL,
    peer     INTEGER NOT NULL,
    resource INTEGER NOT NULL,
    origin   INTEGER,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX archive_pending ON archive (account, id) WHERE flags & 2 <> 0;

-- Ids below are never given out again although their rows are gone.
CREATE TABLE archive_floor (
    account INTEGER PRIMARY KEY,
    next    INTEGER NOT NULL
) STRICT;

-- Deleted accounts whose archive is still being removed.
CREATE TABLE purge (
    account INTEGER PRIMARY KEY
) STRICT;

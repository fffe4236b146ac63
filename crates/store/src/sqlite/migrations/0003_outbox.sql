-- Stanzas for other domains that those have not acknowledged.
CREATE TABLE outbox (
    id      INTEGER PRIMARY KEY,
    local   TEXT NOT NULL,
    remote  TEXT NOT NULL,
    account INTEGER REFERENCES account (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    stanza  BLOB NOT NULL
) STRICT;
CREATE INDEX outbox_order ON outbox (remote, local, id);
CREATE INDEX outbox_account ON outbox (account) WHERE account IS NOT NULL;

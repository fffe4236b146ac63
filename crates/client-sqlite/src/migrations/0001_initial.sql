-- Everything that is kept by a name: contacts, conversations, keys, ratchets, small values.
-- `owner` and `name` are keyed hashes; `sealed` is encrypted.
CREATE TABLE item (
    id     INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL,
    owner  BLOB NOT NULL,
    name   BLOB NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (kind, owner, name)
);

-- Messages. A position is stored so that SQLite's signed numbers sort as the unsigned ones.
CREATE TABLE message (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation BLOB NOT NULL,
    position     INTEGER NOT NULL,
    origin       BLOB,
    archive      BLOB,
    sealed       BLOB NOT NULL
);
CREATE INDEX message_order ON message (conversation, position, id);
CREATE INDEX message_newest ON message (position, id);
CREATE INDEX message_origin ON message (origin) WHERE origin IS NOT NULL;
CREATE INDEX message_archive ON message (archive) WHERE archive IS NOT NULL;

-- Stanzas that must reach the server, in the order of their numbers.
CREATE TABLE outbox (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    sealed BLOB NOT NULL
);

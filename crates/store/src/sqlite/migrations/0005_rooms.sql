-- XEP-0045. AUTOINCREMENT: the archive of a room is numbered after it, and must never be another's.
CREATE TABLE room (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    creator    INTEGER REFERENCES account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    state      BLOB NOT NULL,
    visit      BLOB
) STRICT;
CREATE INDEX room_creator ON room (creator) WHERE creator IS NOT NULL;

CREATE TABLE room_affiliation (
    room        INTEGER NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    jid         TEXT NOT NULL,
    affiliation TEXT NOT NULL,
    nick        TEXT,
    reason      TEXT,
    version     INTEGER NOT NULL,
    PRIMARY KEY (room, jid)
) STRICT, WITHOUT ROWID;
CREATE INDEX room_affiliation_jid ON room_affiliation (jid);

-- UnifiedPush: addresses of the applications on a device, and what was posted to them.
CREATE TABLE endpoint (
    id          BLOB PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    application BLOB NOT NULL,
    instance    BLOB NOT NULL,
    resource    TEXT NOT NULL,
    expires_at  INTEGER NOT NULL,
    UNIQUE (account, application, instance)
) STRICT;
CREATE INDEX endpoint_expires ON endpoint (expires_at);

CREATE TABLE endpoint_message (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         BLOB NOT NULL UNIQUE,
    endpoint   BLOB NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    topic      TEXT,
    expires_at INTEGER NOT NULL,
    payload    BLOB NOT NULL
) STRICT;
CREATE INDEX endpoint_message_endpoint ON endpoint_message (endpoint, number);
CREATE INDEX endpoint_message_expires ON endpoint_message (expires_at);

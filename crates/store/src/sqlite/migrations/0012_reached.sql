-- Other domains that there was a stream with, and when the last one began, to the day.
CREATE TABLE outbox_reached (
    remote TEXT PRIMARY KEY,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_reached_at ON outbox_reached (at);

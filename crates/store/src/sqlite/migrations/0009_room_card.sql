-- What lists show of a room. Beside its state, which may be large, so that a list does not read that.
CREATE TABLE room_card (
    room         INTEGER PRIMARY KEY REFERENCES room (id) ON DELETE CASCADE,
    name         TEXT NOT NULL UNIQUE,
    title        TEXT NOT NULL,
    public       INTEGER NOT NULL,
    members_only INTEGER NOT NULL,
    persistent   INTEGER NOT NULL
) STRICT;
-- The state of the rooms that are there is JSON; what it does not say is as usual for a room.
INSERT INTO room_card (room, name, title, public, members_only, persistent)
    SELECT id, name, coalesce(json ->> '$.settings.name', ''),
           coalesce(json ->> '$.settings.public', 0) AND NOT coalesce(json ->> '$.locked', 0),
           coalesce(json ->> '$.settings.members_only', 1),
           coalesce(json ->> '$.settings.persistent', 1) AND NOT coalesce(json ->> '$.locked', 0)
    FROM (SELECT id, name, CASE json_valid(CAST(state AS TEXT)) WHEN 1 THEN CAST(state AS TEXT) ELSE '{}' END AS json
          FROM room);
CREATE INDEX room_card_public ON room_card (name) WHERE public = 1;
-- How many belong to a room, and how.
CREATE INDEX room_affiliation_kind ON room_affiliation (room, affiliation);

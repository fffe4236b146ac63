-- Conversations whose messages up to a number are deleted and go a part at a time. `conversation` is
-- the keyed hash that stands with the messages.
CREATE TABLE hidden (
    conversation BLOB PRIMARY KEY,
    last         INTEGER NOT NULL
) WITHOUT ROWID;

-- The messages that are there for everybody.
CREATE VIEW present AS
    SELECT id, conversation, position, origin, archive, sealed FROM message
    WHERE NOT EXISTS (
        SELECT 1 FROM hidden
        WHERE hidden.conversation = message.conversation AND message.id <= hidden.last
    );

-- The pubsub service of the server (XEP-0060) owns nodes like an account does, but is none: nobody
-- can have its name, because of the slash.
INSERT INTO account (id, name, admin, disabled, created_at) VALUES (0, '/pubsub', 0, 1, 0);

-- The order in which items were first published (XEP-0413); seq is that of the last publication.
ALTER TABLE pubsub_item ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
UPDATE pubsub_item SET made = seq;
CREATE INDEX pubsub_item_made ON pubsub_item (node, made);

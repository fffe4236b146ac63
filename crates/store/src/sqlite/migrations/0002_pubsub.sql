-- XEP-0060 nodes of accounts, with their own numbers so that items need not repeat long names.
CREATE TABLE pubsub_node (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    config     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (account, name)
) STRICT;

-- seq is the order of publication. bytes is what the item costs against the quota.
CREATE TABLE pubsub_item (
    seq          INTEGER PRIMARY KEY,
    node         INTEGER NOT NULL REFERENCES pubsub_node (id) ON DELETE CASCADE,
    id           TEXT NOT NULL,
    publisher    TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    payload      BLOB,
    UNIQUE (node, id)
) STRICT;
-- Order, size and age of a node's items without touching their payloads.
CREATE INDEX pubsub_item_order ON pubsub_item (node, seq, bytes, published_at);

CREATE TABLE pubsub_affiliation (
    node        INTEGER NOT NULL REFERENCES pubsub_node (id) ON DELETE CASCADE,
    jid         TEXT NOT NULL,
    affiliation TEXT NOT NULL,
    PRIMARY KEY (node, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE pubsub_subscription (
    node    INTEGER NOT NULL REFERENCES pubsub_node (id) ON DELETE CASCADE,
    jid     TEXT NOT NULL,
    pending INTEGER NOT NULL,
    deliver INTEGER NOT NULL,
    PRIMARY KEY (node, jid)
) STRICT, WITHOUT ROWID;

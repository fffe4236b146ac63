-- XEP-0357: where the devices of an account want to be woken.
CREATE TABLE push (
    account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    service    TEXT NOT NULL,
    node       TEXT NOT NULL,
    resource   TEXT NOT NULL,
    enabled_at INTEGER NOT NULL,
    details    BLOB NOT NULL,
    PRIMARY KEY (account, service, node)
) STRICT, WITHOUT ROWID;

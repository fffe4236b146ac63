-- How many days archives are kept that are not kept as long as all others; 0 for ever. `days` is what the
-- operator says, `own` what the account says, or the owners of the room. Archives are numbered as in `archive`.
-- A row stays when both are gone: what was left of such an archive by the expiry of all others is found by its
-- index alone (sqlite/archive.rs).
CREATE TABLE archive_retention (
    archive INTEGER PRIMARY KEY,
    days    INTEGER,
    own     INTEGER
) STRICT;

-- What a stanza was when it was written (checksum.rs); nothing of those from before.
ALTER TABLE log ADD COLUMN sum INTEGER;

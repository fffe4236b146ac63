-- What the files and slots of an account come to, for each purpose. It changes in the transaction in which
-- they do, so that asking costs the same however many they are, and a crash leaves it right.
CREATE TABLE upload_usage (
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    purpose INTEGER NOT NULL,
    files   INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    PRIMARY KEY (account, purpose)
) STRICT, WITHOUT ROWID;
INSERT INTO upload_usage (account, purpose, files, bytes)
    SELECT account, purpose, count(*), sum(size) FROM upload GROUP BY account, purpose;
CREATE TRIGGER upload_came AFTER INSERT ON upload BEGIN
    INSERT INTO upload_usage (account, purpose, files, bytes)
        VALUES (NEW.account, NEW.purpose, 1, NEW.size)
        ON CONFLICT (account, purpose)
        DO UPDATE SET files = files + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER upload_went AFTER DELETE ON upload BEGIN
    UPDATE upload_usage SET files = files - 1, bytes = bytes - OLD.size
        WHERE account = OLD.account AND purpose = OLD.purpose;
END;
-- The slots of one account, without its files.
CREATE INDEX upload_own_slots ON upload (account, ends_at) WHERE sha256 IS NULL;

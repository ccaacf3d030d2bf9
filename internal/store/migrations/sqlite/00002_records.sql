-- +goose Up

-- What one user received, the newest first. SQLite has one writer at a time, which waits meanwhile.
CREATE INDEX fanfare_deliveries_user ON fanfare_deliveries (user_id, at);

-- How many outcomes of a campaign are of one minute, status and code. A row stays when n is 0.
CREATE TABLE fanfare_minutes (
    campaign_id TEXT    NOT NULL,
    minute      TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    error_code  TEXT    NOT NULL,
    n           INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, minute, status, error_code)
) STRICT, WITHOUT ROWID;

-- The codes that are counted by name: those of campaign '' for all campaigns, and the first 24 others
-- of each. No row is ever removed or added to '': an outcome must leave the count that it was added to.
CREATE TABLE fanfare_codes (
    campaign_id TEXT NOT NULL,
    error_code  TEXT NOT NULL,
    PRIMARY KEY (campaign_id, error_code)
) STRICT, WITHOUT ROWID;
INSERT INTO fanfare_codes (campaign_id, error_code) VALUES
    ('', 'MALFORMED'), ('', 'OVERSIZE'), ('', 'NO_TOKEN'), ('', 'INVALID_TOKEN'), ('', 'UNFILLED'),
    ('', 'MESSAGE_TOO_LARGE'), ('', 'DEADLINE'), ('', 'OUTCOME_UNKNOWN'), ('', 'RETRIES_EXHAUSTED'),
    ('', 'OTHER'), ('', 'UNSPECIFIED_ERROR'), ('', 'INVALID_ARGUMENT'), ('', 'UNREGISTERED'),
    ('', 'SENDER_ID_MISMATCH'), ('', 'QUOTA_EXCEEDED'), ('', 'UNAVAILABLE'), ('', 'INTERNAL'),
    ('', 'THIRD_PARTY_AUTH_ERROR'), ('', 'APNS_AUTH_ERROR'), ('', 'CANCELLED'), ('', 'UNKNOWN'),
    ('', 'DEADLINE_EXCEEDED'), ('', 'NOT_FOUND'), ('', 'ALREADY_EXISTS'), ('', 'PERMISSION_DENIED'),
    ('', 'UNAUTHENTICATED'), ('', 'RESOURCE_EXHAUSTED'), ('', 'FAILED_PRECONDITION'), ('', 'ABORTED'),
    ('', 'OUT_OF_RANGE'), ('', 'UNIMPLEMENTED'), ('', 'DATA_LOSS');

DROP TRIGGER fanfare_count_inserted;
DROP TRIGGER fanfare_count_updated;
DROP TRIGGER fanfare_count_deleted;
DROP TABLE fanfare_campaign_summary;

-- A view costs no write for each row, as a second count in the triggers would.
CREATE VIEW fanfare_campaign_summary (campaign_id, sent, failed, skipped, expired, unknown) AS
SELECT campaign_id,
       sum(CASE WHEN status = 'sent' THEN n ELSE 0 END),
       sum(CASE WHEN status = 'failed' THEN n ELSE 0 END),
       sum(CASE WHEN status = 'skipped' THEN n ELSE 0 END),
       sum(CASE WHEN status = 'expired' THEN n ELSE 0 END),
       sum(CASE WHEN status = 'unknown' THEN n ELSE 0 END)
FROM fanfare_minutes GROUP BY campaign_id;

-- The rows that are there already.
INSERT INTO fanfare_codes (campaign_id, error_code)
SELECT campaign_id, error_code
FROM (SELECT campaign_id, error_code, row_number() OVER (PARTITION BY campaign_id ORDER BY error_code) AS place
      FROM (SELECT DISTINCT campaign_id, error_code FROM fanfare_deliveries
            WHERE error_code <> '' AND error_code NOT IN (SELECT error_code FROM fanfare_codes WHERE campaign_id = '')))
WHERE place <= 24;
INSERT INTO fanfare_minutes (campaign_id, minute, status, error_code, n)
SELECT campaign_id, substr(at, 1, 16) || ':00.000Z', status,
       CASE WHEN error_code = '' OR EXISTS (SELECT 1 FROM fanfare_codes AS c
                WHERE c.campaign_id IN ('', d.campaign_id) AND c.error_code = d.error_code)
            THEN error_code ELSE 'OTHER' END,
       count(*)
FROM fanfare_deliveries AS d GROUP BY 1, 2, 3, 4;

-- Most outcomes have no code, and take the short way.
-- +goose StatementBegin
CREATE TRIGGER fanfare_count_inserted AFTER INSERT ON fanfare_deliveries WHEN new.error_code = '' BEGIN
    INSERT INTO fanfare_minutes (campaign_id, minute, status, error_code, n)
    VALUES (new.campaign_id, substr(new.at, 1, 16) || ':00.000Z', new.status, '', 1)
    ON CONFLICT (campaign_id, minute, status, error_code) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER fanfare_count_inserted_code AFTER INSERT ON fanfare_deliveries WHEN new.error_code <> '' BEGIN
    INSERT INTO fanfare_codes (campaign_id, error_code)
    SELECT new.campaign_id, new.error_code
    WHERE new.error_code <> '' AND NOT EXISTS (SELECT 1 FROM fanfare_codes
            WHERE campaign_id IN ('', new.campaign_id) AND error_code = new.error_code)
        AND (SELECT count(*) FROM fanfare_codes WHERE campaign_id = new.campaign_id) < 24;
    INSERT INTO fanfare_minutes (campaign_id, minute, status, error_code, n)
    VALUES (new.campaign_id, substr(new.at, 1, 16) || ':00.000Z', new.status,
        CASE WHEN new.error_code = '' OR EXISTS (SELECT 1 FROM fanfare_codes
            WHERE campaign_id IN ('', new.campaign_id) AND error_code = new.error_code)
            THEN new.error_code ELSE 'OTHER' END, 1)
    ON CONFLICT (campaign_id, minute, status, error_code) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER fanfare_count_deleted AFTER DELETE ON fanfare_deliveries BEGIN
    UPDATE fanfare_minutes SET n = n - 1
    WHERE campaign_id = old.campaign_id AND minute = substr(old.at, 1, 16) || ':00.000Z' AND status = old.status
        AND error_code = CASE WHEN old.error_code = '' OR EXISTS (SELECT 1 FROM fanfare_codes
            WHERE campaign_id IN ('', old.campaign_id) AND error_code = old.error_code)
            THEN old.error_code ELSE 'OTHER' END;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER fanfare_count_updated AFTER UPDATE OF campaign_id, status, error_code, at ON fanfare_deliveries BEGIN
    UPDATE fanfare_minutes SET n = n - 1
    WHERE campaign_id = old.campaign_id AND minute = substr(old.at, 1, 16) || ':00.000Z' AND status = old.status
        AND error_code = CASE WHEN old.error_code = '' OR EXISTS (SELECT 1 FROM fanfare_codes
            WHERE campaign_id IN ('', old.campaign_id) AND error_code = old.error_code)
            THEN old.error_code ELSE 'OTHER' END;
    INSERT INTO fanfare_codes (campaign_id, error_code)
    SELECT new.campaign_id, new.error_code
    WHERE new.error_code <> '' AND NOT EXISTS (SELECT 1 FROM fanfare_codes
            WHERE campaign_id IN ('', new.campaign_id) AND error_code = new.error_code)
        AND (SELECT count(*) FROM fanfare_codes WHERE campaign_id = new.campaign_id) < 24;
    INSERT INTO fanfare_minutes (campaign_id, minute, status, error_code, n)
    VALUES (new.campaign_id, substr(new.at, 1, 16) || ':00.000Z', new.status,
        CASE WHEN new.error_code = '' OR EXISTS (SELECT 1 FROM fanfare_codes
            WHERE campaign_id IN ('', new.campaign_id) AND error_code = new.error_code)
            THEN new.error_code ELSE 'OTHER' END, 1)
    ON CONFLICT (campaign_id, minute, status, error_code) DO UPDATE SET n = n + 1;
END;
-- +goose StatementEnd

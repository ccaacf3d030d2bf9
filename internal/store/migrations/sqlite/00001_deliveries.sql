-- +goose Up

-- One row per outcome. Times are text, UTC with milliseconds.
CREATE TABLE fanfare_deliveries (
    campaign_id   TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    result_id     TEXT    NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('sent', 'failed', 'skipped', 'expired', 'unknown')),
    rank          INTEGER NOT NULL,
    message_id    TEXT    NOT NULL DEFAULT '',
    error_code    TEXT    NOT NULL DEFAULT '',
    error         TEXT    NOT NULL DEFAULT '',
    attempts      INTEGER NOT NULL DEFAULT 0,
    token_removed INTEGER NOT NULL DEFAULT 0,
    at            TEXT    NOT NULL,
    updated       TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    PRIMARY KEY (campaign_id, user_id, result_id)
) STRICT;

-- What operators search. The sent are left out: they are most of the rows, and no one searches them.
CREATE INDEX fanfare_deliveries_not_sent ON fanfare_deliveries (campaign_id, status, user_id, result_id)
    WHERE status <> 'sent';

CREATE TABLE fanfare_campaign_summary (
    campaign_id TEXT    NOT NULL PRIMARY KEY,
    sent        INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    skipped     INTEGER NOT NULL DEFAULT 0,
    expired     INTEGER NOT NULL DEFAULT 0,
    unknown     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER fanfare_count_inserted AFTER INSERT ON fanfare_deliveries BEGIN
    INSERT INTO fanfare_campaign_summary (campaign_id, sent, failed, skipped, expired, unknown)
    VALUES (new.campaign_id, new.status = 'sent', new.status = 'failed', new.status = 'skipped',
            new.status = 'expired', new.status = 'unknown')
    ON CONFLICT (campaign_id) DO UPDATE SET
        sent = sent + excluded.sent, failed = failed + excluded.failed, skipped = skipped + excluded.skipped,
        expired = expired + excluded.expired, unknown = unknown + excluded.unknown;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER fanfare_count_deleted AFTER DELETE ON fanfare_deliveries BEGIN
    UPDATE fanfare_campaign_summary SET
        sent = sent - (old.status = 'sent'), failed = failed - (old.status = 'failed'),
        skipped = skipped - (old.status = 'skipped'), expired = expired - (old.status = 'expired'),
        unknown = unknown - (old.status = 'unknown')
    WHERE campaign_id = old.campaign_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER fanfare_count_updated AFTER UPDATE OF campaign_id, status ON fanfare_deliveries BEGIN
    UPDATE fanfare_campaign_summary SET
        sent = sent - (old.status = 'sent'), failed = failed - (old.status = 'failed'),
        skipped = skipped - (old.status = 'skipped'), expired = expired - (old.status = 'expired'),
        unknown = unknown - (old.status = 'unknown')
    WHERE campaign_id = old.campaign_id;
    INSERT INTO fanfare_campaign_summary (campaign_id, sent, failed, skipped, expired, unknown)
    VALUES (new.campaign_id, new.status = 'sent', new.status = 'failed', new.status = 'skipped',
            new.status = 'expired', new.status = 'unknown')
    ON CONFLICT (campaign_id) DO UPDATE SET
        sent = sent + excluded.sent, failed = failed + excluded.failed, skipped = skipped + excluded.skipped,
        expired = expired + excluded.expired, unknown = unknown + excluded.unknown;
END;
-- +goose StatementEnd

-- +goose Up

-- One row per device of an outcome, if the user has several. Rows go with that of their outcome.
CREATE TABLE IF NOT EXISTS fanfare_delivery_devices (
    campaign_id   TEXT    NOT NULL,
    user_id       TEXT    NOT NULL,
    result_id     TEXT    NOT NULL,
    device        INTEGER NOT NULL,
    address       TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    platform      TEXT    NOT NULL,
    status        TEXT    NOT NULL CHECK (status IN ('sent', 'failed', 'skipped', 'expired', 'unknown')),
    rank          INTEGER NOT NULL,
    message_id    TEXT    NOT NULL,
    error_code    TEXT    NOT NULL,
    attempts      INTEGER NOT NULL,
    token_removed INTEGER NOT NULL,
    at            TEXT    NOT NULL,
    PRIMARY KEY (campaign_id, user_id, result_id, device)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER IF NOT EXISTS fanfare_delete_devices AFTER DELETE ON fanfare_deliveries BEGIN
    DELETE FROM fanfare_delivery_devices
    WHERE campaign_id = old.campaign_id AND user_id = old.user_id AND result_id = old.result_id;
END;
-- +goose StatementEnd

-- +goose Up

-- Who did what to a campaign, and when. entry_id orders the entries of one campaign by time.
CREATE TABLE IF NOT EXISTS fanfare_history (
    campaign_id TEXT    NOT NULL,
    entry_id    TEXT    NOT NULL,
    at          TEXT    NOT NULL,
    what        TEXT    NOT NULL,
    who         TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    n           INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, entry_id)
) STRICT, WITHOUT ROWID;

-- +goose Up

-- Who did what to a campaign, and when. entry_id orders the entries of one campaign by time.
CREATE TABLE IF NOT EXISTS fanfare_history (
    campaign_id text        COLLATE "C" NOT NULL,
    entry_id    text        COLLATE "C" NOT NULL,
    at          timestamptz NOT NULL,
    what        text        NOT NULL,
    who         text        NOT NULL,
    detail      text        NOT NULL,
    n           bigint      NOT NULL,
    PRIMARY KEY (campaign_id, entry_id)
);

-- +goose Up

-- One row per outcome. Ids compare by bytes: this is faster than by language, and batches are ordered so.
CREATE TABLE fanfare_deliveries (
    campaign_id   text        COLLATE "C" NOT NULL,
    user_id       text        COLLATE "C" NOT NULL,
    result_id     text        COLLATE "C" NOT NULL,
    status        text        COLLATE "C" NOT NULL CHECK (status IN ('sent', 'failed', 'skipped', 'expired', 'unknown')),
    rank          smallint    NOT NULL,
    message_id    text        NOT NULL DEFAULT '',
    error_code    text        NOT NULL DEFAULT '',
    error         text        NOT NULL DEFAULT '',
    attempts      integer     NOT NULL DEFAULT 0,
    token_removed boolean     NOT NULL DEFAULT false,
    at            timestamptz NOT NULL,
    updated       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (campaign_id, user_id, result_id)
);

-- What operators search. The sent are left out: they are most of the rows, and no one searches them.
CREATE INDEX fanfare_deliveries_not_sent ON fanfare_deliveries (campaign_id, status, user_id, result_id)
    WHERE status <> 'sent';

-- One row per campaign, so that a batch takes one lock per campaign.
CREATE TABLE fanfare_campaign_summary (
    campaign_id text   COLLATE "C" PRIMARY KEY,
    sent        bigint NOT NULL,
    failed      bigint NOT NULL,
    skipped     bigint NOT NULL,
    expired     bigint NOT NULL,
    unknown     bigint NOT NULL
);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fanfare_count_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fanfare_campaign_summary AS s (campaign_id, sent, failed, skipped, expired, unknown)
    SELECT campaign_id,
           count(*) FILTER (WHERE status = 'sent'),
           count(*) FILTER (WHERE status = 'failed'),
           count(*) FILTER (WHERE status = 'skipped'),
           count(*) FILTER (WHERE status = 'expired'),
           count(*) FILTER (WHERE status = 'unknown')
    FROM added GROUP BY campaign_id ORDER BY campaign_id
    ON CONFLICT (campaign_id) DO UPDATE SET
        sent = s.sent + excluded.sent, failed = s.failed + excluded.failed, skipped = s.skipped + excluded.skipped,
        expired = s.expired + excluded.expired, unknown = s.unknown + excluded.unknown;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- The counterpart for rows that are changed or deleted; `change` is what each of them adds to its campaign's count.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fanfare_count_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fanfare_campaign_summary AS s (campaign_id, sent, failed, skipped, expired, unknown)
    SELECT campaign_id,
           coalesce(sum(change) FILTER (WHERE status = 'sent'), 0),
           coalesce(sum(change) FILTER (WHERE status = 'failed'), 0),
           coalesce(sum(change) FILTER (WHERE status = 'skipped'), 0),
           coalesce(sum(change) FILTER (WHERE status = 'expired'), 0),
           coalesce(sum(change) FILTER (WHERE status = 'unknown'), 0)
    FROM (SELECT campaign_id, status, 1 AS change FROM added
          UNION ALL
          SELECT campaign_id, status, -1 FROM removed) AS changes
    GROUP BY campaign_id ORDER BY campaign_id
    ON CONFLICT (campaign_id) DO UPDATE SET
        sent = s.sent + excluded.sent, failed = s.failed + excluded.failed, skipped = s.skipped + excluded.skipped,
        expired = s.expired + excluded.expired, unknown = s.unknown + excluded.unknown;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fanfare_count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE fanfare_campaign_summary AS s SET
        sent = s.sent - gone.sent, failed = s.failed - gone.failed, skipped = s.skipped - gone.skipped,
        expired = s.expired - gone.expired, unknown = s.unknown - gone.unknown
    FROM (SELECT campaign_id,
                 count(*) FILTER (WHERE status = 'sent') AS sent,
                 count(*) FILTER (WHERE status = 'failed') AS failed,
                 count(*) FILTER (WHERE status = 'skipped') AS skipped,
                 count(*) FILTER (WHERE status = 'expired') AS expired,
                 count(*) FILTER (WHERE status = 'unknown') AS unknown
          FROM removed GROUP BY campaign_id) AS gone
    WHERE s.campaign_id = gone.campaign_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fanfare_count_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM fanfare_campaign_summary;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER fanfare_count_inserted AFTER INSERT ON fanfare_deliveries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION fanfare_count_inserted();
CREATE TRIGGER fanfare_count_updated AFTER UPDATE ON fanfare_deliveries
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION fanfare_count_updated();
CREATE TRIGGER fanfare_count_deleted AFTER DELETE ON fanfare_deliveries
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION fanfare_count_deleted();
CREATE TRIGGER fanfare_count_truncated AFTER TRUNCATE ON fanfare_deliveries
    FOR EACH STATEMENT EXECUTE FUNCTION fanfare_count_truncated();

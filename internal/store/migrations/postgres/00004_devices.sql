-- +goose Up

-- One row per device of an outcome, if the user has several. Rows go with that of their outcome: by
-- the triggers of fanfare_deliveries, because a foreign key would forbid TRUNCATE.
CREATE TABLE IF NOT EXISTS fanfare_delivery_devices (
    campaign_id   text        COLLATE "C" NOT NULL,
    user_id       text        COLLATE "C" NOT NULL,
    result_id     text        COLLATE "C" NOT NULL,
    device        smallint    NOT NULL,
    address       text        NOT NULL,
    kind          text        NOT NULL,
    platform      text        NOT NULL,
    status        text        COLLATE "C" NOT NULL CHECK (status IN ('sent', 'failed', 'skipped', 'expired', 'unknown')),
    rank          smallint    NOT NULL,
    message_id    text        NOT NULL,
    error_code    text        NOT NULL,
    attempts      integer     NOT NULL,
    token_removed boolean     NOT NULL,
    at            timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, user_id, result_id, device)
);

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
    UPDATE fanfare_minutes AS m SET n = m.n - gone.n
    FROM (SELECT campaign_id, date_trunc('minute', at) AS minute, status,
                 CASE WHEN fanfare_is_named(campaign_id, error_code) THEN error_code ELSE 'OTHER' END AS error_code, count(*) AS n
          FROM removed GROUP BY 1, 2, 3, 4) AS gone
    WHERE m.campaign_id = gone.campaign_id AND m.minute = gone.minute AND m.status = gone.status AND m.error_code = gone.error_code;
    DELETE FROM fanfare_delivery_devices AS d USING removed AS r
    WHERE d.campaign_id = r.campaign_id AND d.user_id = r.user_id AND d.result_id = r.result_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fanfare_count_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM fanfare_campaign_summary;
    DELETE FROM fanfare_minutes;
    DELETE FROM fanfare_codes WHERE campaign_id <> '';
    DELETE FROM fanfare_delivery_devices;
    RETURN NULL;
END $$;
-- +goose StatementEnd

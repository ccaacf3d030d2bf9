-- +goose Up

-- A session that has written and not committed runs the old functions, so this waits for it. Not
-- for long: others queue behind. The lock itself is held for milliseconds.
SET LOCAL lock_timeout = '5s';
LOCK TABLE fanfare_deliveries IN SHARE ROW EXCLUSIVE MODE;

-- How many outcomes of a campaign are of one minute, status and code. A row stays when n is 0.
CREATE TABLE fanfare_minutes (
    campaign_id text        COLLATE "C" NOT NULL,
    minute      timestamptz NOT NULL,
    status      text        COLLATE "C" NOT NULL,
    error_code  text        COLLATE "C" NOT NULL,
    n           bigint      NOT NULL,
    PRIMARY KEY (campaign_id, minute, status, error_code)
) WITH (fillfactor = 50); -- room beside each row, so that counting changes no index

-- The codes that are counted by name: those of campaign '' for all campaigns, and the first 24 others
-- of each. No row is ever removed or added to '': an outcome must leave the count that it was added to.
CREATE TABLE fanfare_codes (
    campaign_id text COLLATE "C" NOT NULL,
    error_code  text COLLATE "C" NOT NULL,
    PRIMARY KEY (campaign_id, error_code)
);
INSERT INTO fanfare_codes (campaign_id, error_code) VALUES
    ('', 'MALFORMED'), ('', 'OVERSIZE'), ('', 'NO_TOKEN'), ('', 'INVALID_TOKEN'), ('', 'UNFILLED'),
    ('', 'MESSAGE_TOO_LARGE'), ('', 'DEADLINE'), ('', 'OUTCOME_UNKNOWN'), ('', 'RETRIES_EXHAUSTED'),
    ('', 'OTHER'), ('', 'UNSPECIFIED_ERROR'), ('', 'INVALID_ARGUMENT'), ('', 'UNREGISTERED'),
    ('', 'SENDER_ID_MISMATCH'), ('', 'QUOTA_EXCEEDED'), ('', 'UNAVAILABLE'), ('', 'INTERNAL'),
    ('', 'THIRD_PARTY_AUTH_ERROR'), ('', 'APNS_AUTH_ERROR'), ('', 'CANCELLED'), ('', 'UNKNOWN'),
    ('', 'DEADLINE_EXCEEDED'), ('', 'NOT_FOUND'), ('', 'ALREADY_EXISTS'), ('', 'PERMISSION_DENIED'),
    ('', 'UNAUTHENTICATED'), ('', 'RESOURCE_EXHAUSTED'), ('', 'FAILED_PRECONDITION'), ('', 'ABORTED'),
    ('', 'OUT_OF_RANGE'), ('', 'UNIMPLEMENTED'), ('', 'DATA_LOSS');

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fanfare_is_named(campaign text, code text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT code = '' OR EXISTS (SELECT FROM fanfare_codes AS c WHERE c.campaign_id IN ('', campaign) AND c.error_code = code)
$$;
-- +goose StatementEnd

-- The campaign's row in the summary is written first: it is the lock that lets one session at a
-- time count a campaign.
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
    INSERT INTO fanfare_codes (campaign_id, error_code)
    SELECT campaign_id, error_code
    FROM (SELECT campaign_id, error_code, row_number() OVER (PARTITION BY campaign_id ORDER BY error_code)
                 + (SELECT count(*) FROM fanfare_codes AS c WHERE c.campaign_id = fresh.campaign_id) AS place
          FROM (SELECT DISTINCT campaign_id, error_code FROM added WHERE error_code <> '') AS fresh
          WHERE NOT fanfare_is_named(campaign_id, error_code)) AS placed
    WHERE place <= 24;
    INSERT INTO fanfare_minutes AS m (campaign_id, minute, status, error_code, n)
    SELECT campaign_id, minute, status, CASE WHEN fanfare_is_named(campaign_id, error_code) THEN error_code ELSE 'OTHER' END, sum(n)
    FROM (SELECT campaign_id, date_trunc('minute', at) AS minute, status, error_code, count(*) AS n
          FROM added GROUP BY 1, 2, 3, 4) AS raw
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (campaign_id, minute, status, error_code) DO UPDATE SET n = m.n + excluded.n;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- The counterpart for rows that are changed; `change` is what each of them adds to its count.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fanfare_count_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM added) THEN -- each upsert comes here, and most change nothing
        RETURN NULL;
    END IF;
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
    INSERT INTO fanfare_codes (campaign_id, error_code)
    SELECT campaign_id, error_code
    FROM (SELECT campaign_id, error_code, row_number() OVER (PARTITION BY campaign_id ORDER BY error_code)
                 + (SELECT count(*) FROM fanfare_codes AS c WHERE c.campaign_id = fresh.campaign_id) AS place
          FROM (SELECT DISTINCT campaign_id, error_code FROM added WHERE error_code <> '') AS fresh
          WHERE NOT fanfare_is_named(campaign_id, error_code)) AS placed
    WHERE place <= 24;
    INSERT INTO fanfare_minutes AS m (campaign_id, minute, status, error_code, n)
    SELECT campaign_id, date_trunc('minute', at), status,
           CASE WHEN fanfare_is_named(campaign_id, error_code) THEN error_code ELSE 'OTHER' END, sum(change)
    FROM (SELECT campaign_id, at, status, error_code, 1 AS change FROM added
          UNION ALL
          SELECT campaign_id, at, status, error_code, -1 FROM removed) AS changes
    GROUP BY 1, 2, 3, 4 HAVING sum(change) <> 0 ORDER BY 1, 2, 3, 4
    ON CONFLICT (campaign_id, minute, status, error_code) DO UPDATE SET n = m.n + excluded.n;
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
    UPDATE fanfare_minutes AS m SET n = m.n - gone.n
    FROM (SELECT campaign_id, date_trunc('minute', at) AS minute, status,
                 CASE WHEN fanfare_is_named(campaign_id, error_code) THEN error_code ELSE 'OTHER' END AS error_code, count(*) AS n
          FROM removed GROUP BY 1, 2, 3, 4) AS gone
    WHERE m.campaign_id = gone.campaign_id AND m.minute = gone.minute AND m.status = gone.status AND m.error_code = gone.error_code;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fanfare_count_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM fanfare_campaign_summary;
    DELETE FROM fanfare_minutes;
    DELETE FROM fanfare_codes WHERE campaign_id <> '';
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- What one user received, the newest first. A large table gets this index later, without a lock:
-- see index.go.
-- +goose StatementBegin
DO $$
BEGIN
    IF pg_relation_size('fanfare_deliveries') <= 64 * 1024 * 1024 THEN
        CREATE INDEX fanfare_deliveries_user ON fanfare_deliveries (user_id, at);
    END IF;
END $$;
-- +goose StatementEnd

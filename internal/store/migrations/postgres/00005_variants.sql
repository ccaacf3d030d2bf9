-- +goose Up

-- The variant of each outcome, empty without variants. The rows are not rewritten, so the lock is
-- held for milliseconds. The wait for it is short, because others queue behind.
SET LOCAL lock_timeout = '5s';
ALTER TABLE fanfare_deliveries ADD COLUMN IF NOT EXISTS variant text NOT NULL DEFAULT '';

-- +goose Up

-- The language of each text, empty for the base language. The rows are not rewritten, so the locks
-- are held for milliseconds. The wait for them is short, because others queue behind.
SET LOCAL lock_timeout = '5s';
ALTER TABLE fanfare_deliveries ADD COLUMN IF NOT EXISTS locale text NOT NULL DEFAULT '';
ALTER TABLE fanfare_delivery_devices ADD COLUMN IF NOT EXISTS locale text NOT NULL DEFAULT '';

-- +goose Up

-- The language of each text, empty for the base language. The rows are not rewritten.
ALTER TABLE fanfare_deliveries ADD COLUMN locale TEXT NOT NULL DEFAULT '';
ALTER TABLE fanfare_delivery_devices ADD COLUMN locale TEXT NOT NULL DEFAULT '';

-- +goose Up

-- The variant of each outcome, empty without variants. The rows are not rewritten.
ALTER TABLE fanfare_deliveries ADD COLUMN variant TEXT NOT NULL DEFAULT '';

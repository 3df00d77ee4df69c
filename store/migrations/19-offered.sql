-- v18 -> v19: Which people a question offered
-- Ids of derden, with spaces between, in the order of the options.
ALTER TABLE prompt ADD COLUMN offered TEXT NOT NULL DEFAULT '';

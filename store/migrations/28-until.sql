-- v27 -> v28: Tell people between which times messages may be lost
-- until_at is when everything came in again after the gap; 0: not known.
ALTER TABLE gap ADD COLUMN until_at BIGINT NOT NULL DEFAULT 0;

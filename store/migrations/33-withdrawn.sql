-- v32 -> v33: Say once that an answer was taken back in the system it came from
-- withdrawn: the practice has heard it.
ALTER TABLE answer ADD COLUMN withdrawn BOOLEAN NOT NULL DEFAULT false;

-- v22 -> v23: Know what came in after what was written later
-- overtaken: it was missing in /sync, and others in its room that were sent later had their place
-- before.
ALTER TABLE inbox ADD COLUMN overtaken BOOLEAN NOT NULL DEFAULT false;

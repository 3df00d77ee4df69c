-- v29 -> v30: Tell one wording of an answer from another
-- print is sealed, and says nothing of the words; NULL: not known.
ALTER TABLE answer ADD COLUMN print bytea;

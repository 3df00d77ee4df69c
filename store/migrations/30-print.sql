-- v29 -> v30: Tell one wording of an answer from another
-- print is sealed, and goes when the words are gone from the chat; NULL: not known.
ALTER TABLE answer ADD COLUMN print bytea;

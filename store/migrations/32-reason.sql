-- v31 -> v32: Keep why somebody called something off
-- reason is sealed, and goes with the person whom the line is about; NULL: none was given in words.
ALTER TABLE audit ADD COLUMN reason bytea;
CREATE INDEX audit_action ON audit (action, id);

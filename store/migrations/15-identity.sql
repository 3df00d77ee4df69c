-- v14 -> v15: Which cryptographic identity of a person is approved
-- Public master keys; master_key '' means the first that was seen, new_key '' that none waits.
ALTER TABLE person ADD COLUMN master_key TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN new_key TEXT NOT NULL DEFAULT '';

-- v7 -> v8: Which message key opens an event
-- session and message_index (-1 = unknown) are what an encrypted event says of its own key;
-- forgotten tells that the key was made useless for it.
ALTER TABLE ledger ADD COLUMN session TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger ADD COLUMN message_index BIGINT NOT NULL DEFAULT -1;
ALTER TABLE ledger ADD COLUMN forgotten BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX ledger_session ON ledger (session, room_id) WHERE session <> '';
CREATE INDEX ledger_spent ON ledger (session, room_id)
	WHERE session <> '' AND state IN ('verified', 'gone') AND NOT forgotten;

-- v1 -> v2: What an event is about
-- about is the event that an edit, reaction or vote is about: it goes together with that one.
ALTER TABLE ledger ADD COLUMN about TEXT NOT NULL DEFAULT '';
CREATE INDEX ledger_about ON ledger (about) WHERE about <> '';

-- What failed has to be sealed too when its chat goes.
CREATE INDEX outbox_failed_source ON outbox (source_event) WHERE state = 'failed';

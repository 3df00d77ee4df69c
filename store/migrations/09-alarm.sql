-- v8 -> v9: What staff in Beheer were told that keeps going wrong
-- size is how many things it was about when they were told.
CREATE TABLE alarm (
	kind     TEXT   NOT NULL,
	practice TEXT   NOT NULL,
	told_at  BIGINT NOT NULL,
	size     BIGINT NOT NULL,
	PRIMARY KEY (kind, practice)
);
CREATE INDEX outbox_waiting ON outbox (created_at) WHERE state IN ('queued', 'failed');
CREATE INDEX ledger_failed ON ledger (attempt) WHERE state = 'failed';
CREATE INDEX media_failed ON media (attempt) WHERE state = 'failed';

-- v9 -> v10: Messages whose key is missing
-- A parked turn is done in the inbox and waits here instead, so that it holds up nobody. While
-- told_at is 0 it also holds back what the same sender wrote after it in that room. behind is
-- the parked event that a reaction is about. next_at is when its key is looked for; 0: the one
-- before it has to be dealt with first.
CREATE TABLE parked (
	event_id TEXT    PRIMARY KEY,
	turn     BIGINT  NOT NULL,
	room_id  TEXT    NOT NULL,
	sender   TEXT    NOT NULL,
	position BIGINT  NOT NULL,
	behind   TEXT    NOT NULL DEFAULT '',
	told_at  BIGINT  NOT NULL DEFAULT 0,
	attempt  INTEGER NOT NULL DEFAULT 0,
	next_at  BIGINT  NOT NULL
);
CREATE INDEX parked_due ON parked (next_at) WHERE next_at > 0;
CREATE INDEX parked_sender ON parked (room_id, sender, position);
CREATE INDEX parked_behind ON parked (behind) WHERE behind <> '';

-- late: both sides had been told that it was missing.
ALTER TABLE held ADD COLUMN late BOOLEAN NOT NULL DEFAULT false;

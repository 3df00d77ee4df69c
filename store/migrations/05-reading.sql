-- v4 -> v5: How far people have read
-- Up to which event somebody in a room has read, and whether that has still to be shown at the
-- other side. thread is as in a receipt: '', 'main' or the thread's root. sent_at 0: not known.
CREATE TABLE reading (
	room_id  TEXT    NOT NULL,
	thread   TEXT    NOT NULL,
	event_id TEXT    NOT NULL,
	sent_at  BIGINT  NOT NULL,
	pending  BOOLEAN NOT NULL,
	attempt  INTEGER NOT NULL DEFAULT 0,
	next_at  BIGINT  NOT NULL DEFAULT 0,
	PRIMARY KEY (room_id, thread)
);
CREATE INDEX reading_pending ON reading (next_at) WHERE pending;

-- Up to which event, by the time it was sent, the bot has shown in a room that it was read.
CREATE TABLE shown (
	room_id TEXT   NOT NULL,
	thread  TEXT   NOT NULL,
	sent_at BIGINT NOT NULL,
	PRIMARY KEY (room_id, thread)
);
CREATE INDEX reading_sent ON reading (sent_at);
CREATE INDEX shown_sent ON shown (sent_at);
CREATE INDEX mirror_target_room ON mirror (target_room, at);

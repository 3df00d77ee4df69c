-- v13 -> v14: Show earlier messages to staff who come later
-- Since when someone of staff has been asked into a room: what was said before, their devices
-- have no keys for.
CREATE TABLE room_staff (
	room_id TEXT   NOT NULL,
	user_id TEXT   NOT NULL,
	since   BIGINT NOT NULL,
	PRIMARY KEY (room_id, user_id)
);
-- Until when what was said has been shown again; 0 = never.
ALTER TABLE conversation ADD COLUMN recap_at BIGINT NOT NULL DEFAULT 0;

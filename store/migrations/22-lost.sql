-- v21 -> v22: Read what is missing in another way, and say when that fails
-- known_at is until when everything had come in before the gap. lost_at is when it turned out that
-- a part of a room's events will never be read; 0: never.
ALTER TABLE gap ADD COLUMN known_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN lost_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX room_lost ON room (lost_at) WHERE lost_at > 0;

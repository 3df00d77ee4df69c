-- v3 -> v4: How far the walk through each room's history has come
-- place is where the walk goes on ("" = it has not begun), began_at when it began, walked_at
-- when the last complete one began, next_at when there is something to do.
CREATE TABLE walk (
	room_id   TEXT    PRIMARY KEY,
	place     TEXT    NOT NULL DEFAULT '',
	began_at  BIGINT  NOT NULL DEFAULT 0,
	walked_at BIGINT  NOT NULL DEFAULT 0,
	next_at   BIGINT  NOT NULL DEFAULT 0,
	attempt   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX walk_next ON walk (next_at);

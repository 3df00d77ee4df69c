-- v19 -> v20: What of a room's events could not be read yet
-- since and place are where in the homeserver's stream the gap begins and ends; entered says that
-- it is the history of a room which the bot had just come into.
CREATE TABLE gap (
	room_id TEXT    PRIMARY KEY,
	since   TEXT    NOT NULL,
	place   TEXT    NOT NULL,
	entered BOOLEAN NOT NULL DEFAULT false,
	attempt INTEGER NOT NULL DEFAULT 0,
	next_at BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX gap_next ON gap (next_at);

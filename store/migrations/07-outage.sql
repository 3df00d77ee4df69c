-- v6 -> v7: Know how long we were away
ALTER TABLE bot ADD COLUMN alive_at BIGINT NOT NULL DEFAULT 0;
-- From when until when nothing came in, as long as nobody has been told.
CREATE TABLE outage (
	from_at  BIGINT PRIMARY KEY,
	until_at BIGINT NOT NULL
);

-- v12 -> v13: Which message in the Balie is about which effect that was refused
CREATE TABLE card (
	event_id TEXT   PRIMARY KEY,
	effect   BIGINT NOT NULL,
	at       BIGINT NOT NULL
);
CREATE INDEX card_effect ON card (effect);

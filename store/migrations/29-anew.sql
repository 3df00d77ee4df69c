-- v28 -> v29: Take a new place in the homeserver's stream when the old one is lost
-- newest: the gap's place is of a stream that is no more, so it is read from the room's newest event
-- back. anew_at is when a new place was taken last; 0: never. again: what a walk found may still
-- come by itself, so the room is walked again soon.
ALTER TABLE gap ADD COLUMN newest BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE bot ADD COLUMN anew_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE walk ADD COLUMN again BOOLEAN NOT NULL DEFAULT false;

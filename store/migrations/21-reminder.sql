-- v20 -> v21: Remind people of a question that they do not answer
-- One row per person, of the question that is open: since when it is, how often they were
-- reminded of it, and when they are next (0: not planned).
CREATE TABLE reminder (
	person       TEXT    PRIMARY KEY,
	question     TEXT    NOT NULL,
	conversation TEXT    NOT NULL,
	since_at     BIGINT  NOT NULL,
	sent         INTEGER NOT NULL,
	due_at       BIGINT  NOT NULL
);
CREATE INDEX reminder_due ON reminder (due_at) WHERE due_at > 0;

-- v15 -> v16: Answers that the practice wrote in its own system
-- state is received, delivered or failed; waits is in how many messages it still has to be shown,
-- and sealed what it says until then. The id stays, so that no answer is sent twice.
CREATE TABLE answer (
	id           TEXT    PRIMARY KEY,
	lane         TEXT    NOT NULL,
	reference    TEXT    NOT NULL,
	person       TEXT    NOT NULL,
	conversation TEXT    NOT NULL,
	state        TEXT    NOT NULL,
	waits        INTEGER NOT NULL DEFAULT 0,
	sealed       bytea,
	at           BIGINT  NOT NULL
);
CREATE INDEX answer_person ON answer (person) WHERE person <> '';

-- v25 -> v26: Tell Beheer in time of who writes on without answering
-- remind_at is when a person is reminded next, tell_at when Beheer hears that something waits since
-- waits_at (0: not, or nothing, or Beheer knows); due_at is the first of the two.
ALTER TABLE reminder ADD COLUMN remind_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reminder ADD COLUMN waits_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reminder ADD COLUMN tell_at BIGINT NOT NULL DEFAULT 0;
UPDATE reminder SET remind_at = due_at;
-- An hour and a day after the question was put, as it is when the settings say nothing else. When
-- nothing is held, nothing is said.
UPDATE reminder SET waits_at = since_at, tell_at = since_at + 90000000
WHERE sent < 2 AND (question = 'whom' OR question LIKE 'derde.%' OR question LIKE 'identity.%');
UPDATE reminder SET due_at = tell_at WHERE tell_at > 0 AND (due_at = 0 OR tell_at < due_at);

-- v33 -> v34: Keep whether what was tried may have arrived all the same
-- vain: every try up to this one was certainly in vain. Of what was tried until now that is not known, but where it
-- was noted in words.
ALTER TABLE outbox ADD COLUMN vain INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET vain = attempt WHERE state = 'queued' AND error = 'in vain ' || CAST(attempt AS TEXT);

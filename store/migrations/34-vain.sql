-- v33 -> v34: Keep whether what was tried may have arrived all the same
-- vain: every try up to this one was certainly in vain. Of what was tried until now that is not known.
ALTER TABLE outbox ADD COLUMN vain INTEGER NOT NULL DEFAULT 0;

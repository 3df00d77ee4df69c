-- v23 -> v24: Find what is there already and is not known to have arrived
CREATE INDEX outbox_arriving ON outbox (event_id) WHERE event_id <> '' AND state = 'queued';

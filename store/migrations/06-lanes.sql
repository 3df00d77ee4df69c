-- v5 -> v6: Give each system of a practice its own workers
-- lane says who carries an effect out: '' is Matrix, others are one system each. The head of a
-- destination is looked for in one lane.
ALTER TABLE outbox ADD COLUMN lane TEXT NOT NULL DEFAULT '';
UPDATE outbox SET lane = COALESCE(
	(SELECT 'his:' || conversation.practice FROM conversation WHERE conversation.id = outbox.conversation), '')
WHERE destination LIKE 'his:%';
DROP INDEX outbox_head;
CREATE INDEX outbox_head ON outbox (lane, due_at, id) WHERE head;

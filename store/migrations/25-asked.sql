-- v24 -> v25: Remind also of the questions that were open before people were reminded
-- Of the question as it was put last: an hour later, and for a registration a day. That may be long
-- ago; by night, or when nothing waits for the answer, nothing is said.
INSERT INTO reminder (person, question, conversation, since_at, sent, due_at)
SELECT
	asked.id, asked.question, asked.conversation, asked.since_at, 0,
	CASE
		WHEN asked.question = 'again' THEN 0
		WHEN asked.conversation <> '' OR asked.question LIKE 'identity.%' THEN asked.since_at + 3600000
		ELSE asked.since_at + 86400000
	END
FROM (
	SELECT
		person.id, person.question,
		CASE WHEN person.question = 'whom' OR person.question LIKE 'derde.%' THEN person.current ELSE '' END AS conversation,
		COALESCE((
			SELECT MAX(prompt.asked_at) FROM prompt WHERE prompt.person = person.id AND prompt.question = person.question
		), person.changed_at) AS since_at
	FROM person WHERE person.question <> ''
) AS asked
WHERE true
ON CONFLICT (person) DO NOTHING;

-- v11 -> v12: Remember how a conversation is filed
-- edition counts how often it was filed anew, taken_at is when the practice took it up (0: not yet).
ALTER TABLE conversation ADD COLUMN edition INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN taken_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX outbox_conversation ON outbox (conversation, id) WHERE lane <> '';

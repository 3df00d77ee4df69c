-- v34 -> v35: Say in an open conversation, once, that the practice is closed
ALTER TABLE conversation ADD COLUMN hours_said_at BIGINT NOT NULL DEFAULT 0;

-- v2 -> v3: Tell conversations about care from practical ones
ALTER TABLE conversation ADD COLUMN category TEXT NOT NULL DEFAULT 'care';

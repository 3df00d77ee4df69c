-- v30 -> v31: Keep what a system calls what was filed in it
ALTER TABLE outbox ADD COLUMN reference TEXT NOT NULL DEFAULT '';

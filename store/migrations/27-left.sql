-- v26 -> v27: Remind nobody who has left the consulting room
ALTER TABLE person ADD COLUMN left_room BOOLEAN NOT NULL DEFAULT false;

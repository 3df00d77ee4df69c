-- v10 -> v11: Names that staff set themselves
ALTER TABLE staff ADD COLUMN own_name BOOLEAN NOT NULL DEFAULT false;

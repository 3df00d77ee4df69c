-- v17 -> v18: What someone sent lately is counted by the index
DROP INDEX inbox_sender;
CREATE INDEX inbox_sender ON inbox (sender, origin_at);

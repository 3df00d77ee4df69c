-- v35 -> v36: What stands for each other without having been carried
-- kind says how: '' = carried; 'advice' = a command and what it told the patient; 'answer' = the two places
-- where an answer of the practice's system was shown.
ALTER TABLE mirror ADD COLUMN kind TEXT NOT NULL DEFAULT '';

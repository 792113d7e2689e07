-- What was sealed, in one piece (domain::TotalsPacker), so that a release reads one value a chunk and
-- not every total again. NULL: the day closed before there was this column, or they were too many;
-- then the totals are read.
ALTER TABLE day_chunk ADD COLUMN totals MEDIUMBLOB NULL;

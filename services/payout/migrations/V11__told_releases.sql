-- The business date of a round's DayReleased, so that its event can be made again from this row. NULL: it
-- told of none, or is of an older version, which did not keep it.
ALTER TABLE release_round
    ADD COLUMN told_date DATE NULL,
    ADD KEY release_round_told (told_date, business_date, round);

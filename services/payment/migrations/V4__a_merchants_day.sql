-- A merchant's changes of a day: its file, and what a layout would make of it, without reading everybody's.
-- Its cost for the write path is in docs/performance.md.
ALTER TABLE journal ADD KEY by_merchant (business_date, merchant_id);

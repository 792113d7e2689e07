-- What a fresh code has in the columns that change later, and what a completed payment's journal has in
-- those of refunds and top-ups: the statements for these two, which are nearly all, leave them out. The
-- server spends more on reading a number in a statement than on storing it.
ALTER TABLE payment
    ALTER COLUMN status SET DEFAULT 1,
    ALTER COLUMN user_id SET DEFAULT 0,
    ALTER COLUMN accepted_at_us SET DEFAULT 0,
    ALTER COLUMN business_date SET DEFAULT '1970-01-01',
    ALTER COLUMN canceled_at_us SET DEFAULT 0,
    ALTER COLUMN captured SET DEFAULT 0,
    ALTER COLUMN refunded SET DEFAULT 0,
    ALTER COLUMN refund_count SET DEFAULT 0,
    ALTER COLUMN version SET DEFAULT 0,
    ALTER COLUMN last_event_id SET DEFAULT 0;

ALTER TABLE journal
    ALTER COLUMN refunded_before SET DEFAULT 0,
    ALTER COLUMN refund_id SET DEFAULT 0,
    ALTER COLUMN merchant_refund_id SET DEFAULT '',
    ALTER COLUMN source SET DEFAULT '';

-- What was released to the merchant before a journal, as its transaction saw it: so a merchant's
-- releases and journals have one order, and a transfer the days that it is made of
-- (domain/funds_trace.h). NULL: of an older version, which noted nothing and published no events of
-- transfers.
ALTER TABLE merchant_journal ADD COLUMN released BIGINT NULL;

-- Numbers the outbox rows of what happened to transfers.
ALTER TABLE ledger_gate ADD COLUMN outbox_rows BIGINT NOT NULL DEFAULT 0;

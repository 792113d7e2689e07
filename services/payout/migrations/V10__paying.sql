-- Transfers that are cancelled before the bank is told of them. An operator's reason is longer than a
-- bank's code.
ALTER TABLE transfer
    MODIFY COLUMN reason VARCHAR(255) NOT NULL DEFAULT '',
    ADD COLUMN cancelled_by VARCHAR(255) NOT NULL DEFAULT '';

-- A due date on which the merchant was held: it is paid with the next run after the hold is lifted,
-- whatever its cycle.
ALTER TABLE merchant_account ADD COLUMN missed_due TINYINT NOT NULL DEFAULT 0;

-- Transfer dates whose files the schedule has made.
CREATE TABLE IF NOT EXISTS transfer_file_day (
    transfer_date   DATE      NOT NULL,
    made_at_us      BIGINT    NOT NULL,
    PRIMARY KEY (transfer_date)
);

-- What a bank says of an account: domain::VerificationState, why, and who had it asked.
ALTER TABLE bank_account
    ADD COLUMN verification        TINYINT      NOT NULL DEFAULT 1,
    ADD COLUMN verification_reason VARCHAR(64)  NOT NULL DEFAULT '',
    ADD COLUMN verification_by     VARCHAR(255) NOT NULL DEFAULT '',
    ADD COLUMN verification_at_us  BIGINT       NULL;

-- Corrections of statements that were issued: versions, each of which corrects the one before it.
ALTER TABLE merchant_statement
    ADD COLUMN version           INT          NOT NULL DEFAULT 1,
    ADD COLUMN correction_reason VARCHAR(255) NOT NULL DEFAULT '',
    DROP PRIMARY KEY,
    ADD PRIMARY KEY (cycle_start, merchant_id, version);
ALTER TABLE merchant_statement_file
    ADD COLUMN version INT NOT NULL DEFAULT 1 AFTER merchant_id,
    DROP PRIMARY KEY,
    ADD PRIMARY KEY (cycle_start, merchant_id, version, format);

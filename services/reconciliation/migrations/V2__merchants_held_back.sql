-- Whose day payout holds back is a discrepancy of the merchant and day.
ALTER TABLE discrepancy
    -- 0 unless it is about a merchant's day.
    ADD COLUMN held_merchant BIGINT NOT NULL DEFAULT 0,
    DROP KEY discrepancy_subject,
    ADD UNIQUE KEY discrepancy_subject (business_date, kind, payment_id, version, book, bucket,
                                        held_merchant);

-- What payout told of them that was noted: effect keys of the inbox.
CREATE TABLE IF NOT EXISTS noted_hold (
    object_id     BIGINT       NOT NULL,
    version       INT UNSIGNED NOT NULL,
    content_hash  BINARY(16)   NOT NULL,
    PRIMARY KEY (object_id, version)
) ENGINE = InnoDB;

-- Totals of what was matched of a merchant's day that were computed again from the matches: by which
-- repair, what they were and what they are. A repair's rows are stored with what it changes, so it is
-- done once.
CREATE TABLE IF NOT EXISTS matched_total_repair (
    repair_key     VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tax_class      TINYINT UNSIGNED NOT NULL,
    business_date  DATE             NOT NULL,
    merchant_id    BIGINT           NOT NULL,
    currency       CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gross_before   BIGINT           NOT NULL,
    fee_before     BIGINT           NOT NULL,
    count_before   BIGINT           NOT NULL,
    gross_after    BIGINT           NOT NULL,
    fee_after      BIGINT           NOT NULL,
    count_after    BIGINT           NOT NULL,
    repaired_at_us BIGINT           NOT NULL,
    PRIMARY KEY (repair_key, tax_class)
) ENGINE = InnoDB;

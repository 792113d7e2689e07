-- Statements of merchants by invoice cycle, and what they are made of beside the ledger.

-- What of merchant_day_total is not a sale: written beside it, batch by batch, for the merchants that
-- have any.
CREATE TABLE IF NOT EXISTS merchant_day_part (
    business_date  DATE      NOT NULL,
    merchant_id    BIGINT    NOT NULL,
    -- -1: of days before this table was.
    slot           SMALLINT  NOT NULL,
    tax_class      TINYINT   NOT NULL,
    -- domain::DayPartKind
    part           TINYINT   NOT NULL,
    gross          BIGINT    NOT NULL,
    fee            BIGINT    NOT NULL,
    item_count     BIGINT    NOT NULL,
    -- The days of the payments that it is of.
    payment_first  DATE      NOT NULL,
    payment_last   DATE      NOT NULL,
    PRIMARY KEY (business_date, merchant_id, slot, tax_class, part)
);
-- The kinds are those of domain::PartOf.
INSERT IGNORE INTO merchant_day_part (business_date, merchant_id, slot, tax_class, part, gross, fee,
                                      item_count, payment_first, payment_last)
SELECT business_date, merchant_id, -1, tax_class,
       CASE WHEN kind IN (2, 3) AND gross <> 0 THEN 1
            WHEN kind IN (8, 9, 10, 11) THEN 2
            ELSE 3 END AS part_kind,
       SUM(gross), SUM(fee), COUNT(*), MIN(COALESCE(payment_date, business_date)),
       MAX(COALESCE(payment_date, business_date))
FROM accrual WHERE kind NOT IN (1, 5)
GROUP BY business_date, merchant_id, tax_class, part_kind;

-- Immutable; the latest is in force.
CREATE TABLE IF NOT EXISTS merchant_profile (
    merchant_id    BIGINT    NOT NULL,
    version        INT       NOT NULL,
    -- What invoices are addressed to.
    invoice_name   VARCHAR(120) NOT NULL,
    put_by         VARCHAR(255) NOT NULL,
    put_at_us      BIGINT    NOT NULL,
    PRIMARY KEY (merchant_id, version)
);

-- Statements that were issued: once for each cycle and merchant. Immutable.
CREATE TABLE IF NOT EXISTS merchant_statement (
    cycle_start    DATE      NOT NULL,
    merchant_id    BIGINT    NOT NULL,
    -- Of merchant_profile.
    profile        INT       NOT NULL,
    issued_on      DATE      NOT NULL,
    opening        BIGINT    NOT NULL,
    closing        BIGINT    NOT NULL,
    issued_by      VARCHAR(255) NOT NULL,
    issued_at_us   BIGINT    NOT NULL,
    PRIMARY KEY (cycle_start, merchant_id)
);

-- What was issued, byte for byte.
CREATE TABLE IF NOT EXISTS merchant_statement_file (
    cycle_start    DATE      NOT NULL,
    merchant_id    BIGINT    NOT NULL,
    -- "csv", "pdf"
    format         VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    file_hash      BINARY(32) NOT NULL,
    content        MEDIUMBLOB NOT NULL,
    PRIMARY KEY (cycle_start, merchant_id, format)
);

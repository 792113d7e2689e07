-- What changed on a day, added up by bucket of object ids and by writer (slot).
--
-- The hash sum modulo 2^128 stands in four limbs of 32 bits, hash0 the lowest, that are only added
-- to: a statement adds less than 2^32 to each, so a BIGINT holds 2^31 statements without a carry
-- being lost (one row would need 24,000 a second for a day), and strict mode refuses the next one
-- rather than wrap. Carries are taken when a day is read.
CREATE TABLE IF NOT EXISTS day_digest (
    business_date DATE NOT NULL,
    bucket SMALLINT NOT NULL,
    slot SMALLINT NOT NULL,
    row_count BIGINT NOT NULL,
    signed_gross BIGINT NOT NULL,
    hash0 BIGINT NOT NULL,
    hash1 BIGINT NOT NULL,
    hash2 BIGINT NOT NULL,
    hash3 BIGINT NOT NULL,
    PRIMARY KEY (business_date, slot, bucket)
);

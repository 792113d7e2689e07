-- Digests of buckets that were computed again from their rows, each once by its key: what was kept
-- before, and since.
CREATE TABLE IF NOT EXISTS digest_repair (
    repair_key     VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    business_date  DATE       NOT NULL,
    bucket         SMALLINT   NOT NULL,
    count_before   BIGINT     NOT NULL,
    gross_before   BIGINT     NOT NULL,
    hash_before    BINARY(16) NOT NULL,
    count_after    BIGINT     NOT NULL,
    gross_after    BIGINT     NOT NULL,
    hash_after     BINARY(16) NOT NULL,
    repaired_at_us BIGINT     NOT NULL,
    PRIMARY KEY (repair_key)
) ENGINE = InnoDB;

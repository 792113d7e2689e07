-- Messages that are committed and not yet in Kafka. A row holds all messages of one transaction for
-- one shard of objects, packed (see libs/outbox/src/packed_row.h).
CREATE TABLE IF NOT EXISTS outbox (
    shard TINYINT NOT NULL,
    -- Orders the rows of a shard; see BatchWriter::Store.
    row_id BIGINT NOT NULL,
    business_date DATE NOT NULL,
    entry_count INT NOT NULL,
    created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    entries MEDIUMBLOB NOT NULL,
    PRIMARY KEY (shard, row_id),
    KEY outbox_business_date (business_date)
);

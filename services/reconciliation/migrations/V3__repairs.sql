-- Who works on a discrepancy, and what was done to repair it.
ALTER TABLE discrepancy
    -- Empty: nobody.
    ADD COLUMN owner VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    -- The repair that has not ended; 0: none.
    ADD COLUMN open_repair INT UNSIGNED NOT NULL DEFAULT 0,
    -- The repair whose journal made up for the difference; 0: none.
    ADD COLUMN corrected_by INT UNSIGNED NOT NULL DEFAULT 0;

-- The history is chained: each step has an HMAC over itself and the step before it, by a key that is
-- not in the database. What is hashed, and how: storage/audit_chain.h.
ALTER TABLE discrepancy_step
    -- As of this step.
    ADD COLUMN owner VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    -- The repair that the step tells of; 0: of none.
    ADD COLUMN repair_number INT UNSIGNED NOT NULL DEFAULT 0,
    -- HMAC of that repair's row as of this step; zeros of none.
    ADD COLUMN repair_hash BINARY(32) NOT NULL DEFAULT '',
    -- SHA-256 of the discrepancy's evidence as of this step; zeros of a step from before it was kept.
    ADD COLUMN evidence_hash BINARY(32) NOT NULL DEFAULT '',
    ADD COLUMN chain_hash BINARY(32) NOT NULL DEFAULT '';

-- Tries to repair a discrepancy, from 1. What happens to one is a step of the discrepancy, which has
-- the row's hash.
CREATE TABLE IF NOT EXISTS repair (
    discrepancy_id    BIGINT           NOT NULL,
    number            INT UNSIGNED     NOT NULL,
    -- domain::RepairKind, domain::RepairState
    kind              TINYINT UNSIGNED NOT NULL,
    state             TINYINT UNSIGNED NOT NULL,
    requested_by      VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    decided_by        VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    reason            VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    outcome           VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- Of a correcting journal, minor units of the discrepancy's currency; 0: none.
    merchant_id       BIGINT           NOT NULL,
    amount            BIGINT           NOT NULL,
    other_merchant_id BIGINT           NOT NULL,
    other_amount      BIGINT           NOT NULL,
    -- 0 until it is so.
    requested_at_us   BIGINT           NOT NULL,
    decided_at_us     BIGINT           NOT NULL,
    carried_out_at_us BIGINT           NOT NULL,
    ended_at_us       BIGINT           NOT NULL,
    PRIMARY KEY (discrepancy_id, number),
    KEY repair_by_state (state, discrepancy_id, number)
) ENGINE = InnoDB;

-- What the policy has ordered by itself, by day in Japan.
CREATE TABLE IF NOT EXISTS automatic_repair_day (
    day     DATE         NOT NULL PRIMARY KEY,
    ordered INT UNSIGNED NOT NULL
) ENGINE = InnoDB;

-- The steps of each transaction that stored some, so that a whole discrepancy or the end of a history
-- cannot go unseen: chains of their own, one a slot. Slot 0 is of the steps that were there before.
CREATE TABLE IF NOT EXISTS audit_anchor (
    slot      SMALLINT UNSIGNED NOT NULL,
    -- From 1, without a gap.
    number    BIGINT UNSIGNED   NOT NULL,
    at_us     BIGINT            NOT NULL,
    -- A step after the other: discrepancy (8 bytes), number (4), chain_hash (32).
    steps     MEDIUMBLOB        NOT NULL,
    hash      BINARY(32)        NOT NULL,
    PRIMARY KEY (slot, number)
) ENGINE = InnoDB;

-- The end of each chain; locked by whoever adds to it, last of all.
CREATE TABLE IF NOT EXISTS audit_head (
    slot      SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
    number    BIGINT UNSIGNED   NOT NULL,
    hash      BINARY(32)        NOT NULL
) ENGINE = InnoDB;
INSERT IGNORE INTO audit_head (slot, number, hash)
SELECT tens.n * 8 + ones.n, 0, ''
FROM (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3
      UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7) AS tens
CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3
      UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7) AS ones;

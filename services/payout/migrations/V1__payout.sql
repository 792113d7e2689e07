-- The merchant ledger. Amounts are minor units of the row's currency; `_us` is microseconds since
-- 1970; a slot is a partition of payment.events.v1.

-- What one change of a payment means to its merchant. Immutable; a row is its own journal: clearing
-- -gross, pending gross - fee, fee revenue fee. Clustered by day and bucket of payment ids
-- (event::BucketOf), so that the recount scans a day by any number of even, disjoint ranges, the
-- rows of a bucket are one range, and a consumer, whose payments are in its own buckets, appends.
CREATE TABLE IF NOT EXISTS accrual (
    business_date    DATE             NOT NULL,
    bucket           SMALLINT         NOT NULL,
    payment_id       BIGINT           NOT NULL,
    version          INT UNSIGNED     NOT NULL,
    merchant_id      BIGINT           NOT NULL,
    -- domain::ChangeKind, domain::TaxClass
    kind             TINYINT          NOT NULL,
    tax_class        TINYINT          NOT NULL,
    currency         CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gross            BIGINT           NOT NULL,
    fee              BIGINT           NOT NULL,
    -- Of the payment, as its event told. NULL, as for nearly every row: the magnitude of gross, 0, and
    -- the business date.
    captured_total   BIGINT           NULL,
    refunded_before  BIGINT           NULL,
    payment_date     DATE             NULL,
    -- 0: no money moved, no plan was asked.
    plan_id          INT              NOT NULL,
    plan_version     INT              NOT NULL,
    event_id         BIGINT           NOT NULL,
    recorded_at_us   BIGINT           NOT NULL,
    -- Of the event: the same (payment, version) with another one is not a repeat.
    content_hash     BINARY(16)       NOT NULL,
    PRIMARY KEY (business_date, bucket, payment_id, version),
    -- What makes the effect of a change unique, whatever day a second event claims. Payment ids rise
    -- with time, so this grows at its end too.
    UNIQUE KEY accrual_effect (payment_id, version)
);

-- The day's sums, kept while its events come: each batch adds one row's worth a merchant.
CREATE TABLE IF NOT EXISTS merchant_day_total (
    business_date  DATE      NOT NULL,
    merchant_id    BIGINT    NOT NULL,
    slot           SMALLINT  NOT NULL,
    tax_class      TINYINT   NOT NULL,
    currency       CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gross          BIGINT    NOT NULL,
    fee            BIGINT    NOT NULL,
    item_count     BIGINT    NOT NULL,
    PRIMARY KEY (business_date, merchant_id, slot, tax_class)
);

-- Versions are never changed or deleted. `revision` rises with every version, over all plans.
CREATE TABLE IF NOT EXISTS fee_plan (
    plan_id            INT      NOT NULL,
    version            INT      NOT NULL,
    -- 0: every merchant without a plan of its own.
    merchant_id        BIGINT   NOT NULL,
    currency           CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    rate_basis_points  INT      NOT NULL,
    fixed_fee          BIGINT   NOT NULL,
    minimum_fee        BIGINT   NOT NULL,
    -- 0: none.
    maximum_fee        BIGINT   NOT NULL,
    -- Both inclusive.
    effective_from     DATE     NOT NULL,
    effective_to       DATE     NULL,
    revision           BIGINT   NOT NULL,
    put_at_us          BIGINT   NOT NULL,
    put_by             VARCHAR(255) NOT NULL,
    PRIMARY KEY (plan_id, version),
    UNIQUE KEY fee_plan_revision (revision),
    KEY fee_plan_merchant (merchant_id)
);

-- Whoever applies events of a partition locks its row first. It tells which plans there are and which
-- days have ended; whoever puts a plan locks all of them, so that no batch is under way.
CREATE TABLE IF NOT EXISTS slot_gate (
    slot             SMALLINT  NOT NULL,
    -- The last day whose mark this partition has had.
    closed_through   DATE      NULL,
    plan_revision    BIGINT    NOT NULL DEFAULT 0,
    -- Numbers the slot's outbox rows.
    outbox_rows      BIGINT    NOT NULL DEFAULT 0,
    PRIMARY KEY (slot)
);
INSERT IGNORE INTO slot_gate (slot) VALUES
    (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15),
    (16), (17), (18), (19), (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31),
    (32), (33), (34), (35), (36), (37), (38), (39), (40), (41), (42), (43), (44), (45), (46), (47),
    (48), (49), (50), (51), (52), (53), (54), (55), (56), (57), (58), (59), (60), (61), (62), (63);

-- The same for what is not of a partition. 1: days, their marks and releases. 2: dead letters.
CREATE TABLE IF NOT EXISTS payout_gate (
    id               TINYINT   NOT NULL,
    outbox_rows      BIGINT    NOT NULL DEFAULT 0,
    -- Our own marks up to this day are in the outbox or in Kafka.
    marked_through   DATE      NULL,
    -- The release that is under way, if one is: there is one at a time.
    releasing_date   DATE      NULL,
    releasing_round  INT       NULL,
    PRIMARY KEY (id)
);
INSERT IGNORE INTO payout_gate (id) VALUES (1), (2);

CREATE TABLE IF NOT EXISTS payout_day (
    business_date    DATE       NOT NULL,
    -- domain::DayState
    state            TINYINT    NOT NULL,
    -- Over the chunks below, once closed.
    seal             BINARY(32) NULL,
    merchant_count   BIGINT     NOT NULL DEFAULT 0,
    -- Rounds of release that are finished.
    rounds           INT        NOT NULL DEFAULT 0,
    closed_at_us     BIGINT     NULL,
    marked_at_us     BIGINT     NULL,
    PRIMARY KEY (business_date)
);

-- The day's totals as they were sealed at close, in runs of merchants that cover every id without gap.
CREATE TABLE IF NOT EXISTS day_chunk (
    business_date    DATE       NOT NULL,
    chunk            INT        NOT NULL,
    merchant_first   BIGINT     NOT NULL,
    merchant_last    BIGINT     NOT NULL,
    merchant_count   BIGINT     NOT NULL,
    -- domain::SealOf the totals of the run, without merchants that were still open.
    seal             BINARY(32) NOT NULL,
    PRIMARY KEY (business_date, chunk)
);

-- Merchants whose day is held back, and why. Merchant 0: an event of the day of nobody knows whom.
CREATE TABLE IF NOT EXISTS merchant_hold (
    business_date    DATE       NOT NULL,
    merchant_id      BIGINT     NOT NULL,
    -- domain::HoldReason
    reason           TINYINT    NOT NULL,
    -- 1: an event of the merchant waited when the day closed. Its totals are not in the day's seal,
    -- may still change, and get a seal of their own when they are released.
    open_at_close    TINYINT    NOT NULL,
    seal             BINARY(32) NULL,
    total_gross      BIGINT     NOT NULL,
    total_fee        BIGINT     NOT NULL,
    total_count      BIGINT     NOT NULL,
    recount_gross    BIGINT     NOT NULL,
    recount_fee      BIGINT     NOT NULL,
    recount_count    BIGINT     NOT NULL,
    note             VARCHAR(255) NOT NULL,
    held_at_us       BIGINT     NOT NULL,
    -- NULL: still held.
    released_round   INT        NULL,
    PRIMARY KEY (business_date, merchant_id)
);

CREATE TABLE IF NOT EXISTS release_round (
    business_date    DATE      NOT NULL,
    round            INT       NOT NULL,
    deep             TINYINT   NOT NULL,
    started_at_us    BIGINT    NOT NULL,
    -- NULL: under way. The sums below are of the finished round.
    finished_at_us   BIGINT    NULL,
    merchant_count   BIGINT    NOT NULL DEFAULT 0,
    held_back_count  BIGINT    NOT NULL DEFAULT 0,
    gross            BIGINT    NOT NULL DEFAULT 0,
    fee              BIGINT    NOT NULL DEFAULT 0,
    tax              BIGINT    NOT NULL DEFAULT 0,
    net              BIGINT    NOT NULL DEFAULT 0,
    PRIMARY KEY (business_date, round)
);

-- The checkpoints of a round, over chunks of day_chunk: a chunk is done in the transaction that stores
-- its releases.
CREATE TABLE IF NOT EXISTS release_chunk (
    business_date    DATE      NOT NULL,
    round            INT       NOT NULL,
    chunk            INT       NOT NULL,
    done             TINYINT   NOT NULL DEFAULT 0,
    merchant_count   BIGINT    NOT NULL DEFAULT 0,
    gross            BIGINT    NOT NULL DEFAULT 0,
    fee              BIGINT    NOT NULL DEFAULT 0,
    tax              BIGINT    NOT NULL DEFAULT 0,
    net              BIGINT    NOT NULL DEFAULT 0,
    PRIMARY KEY (business_date, round, chunk)
);

-- What a merchant got of a day: once, by the key. Immutable; a row is its own journal: pending
-- -(gross - fee), available net, consumption tax tax. gross, fee and item_count are as recounted.
CREATE TABLE IF NOT EXISTS merchant_release (
    business_date    DATE      NOT NULL,
    merchant_id      BIGINT    NOT NULL,
    tax_class        TINYINT   NOT NULL,
    round            INT       NOT NULL,
    currency         CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gross            BIGINT    NOT NULL,
    fee              BIGINT    NOT NULL,
    tax              BIGINT    NOT NULL,
    net              BIGINT    NOT NULL,
    item_count       BIGINT    NOT NULL,
    PRIMARY KEY (business_date, merchant_id, tax_class)
);

-- Sums of a merchant's releases over an invoice cycle (by its first day): what a day's tax grows from,
-- what the invoice states and, over all cycles, what became available.
CREATE TABLE IF NOT EXISTS merchant_cycle (
    cycle_start      DATE      NOT NULL,
    merchant_id      BIGINT    NOT NULL,
    tax_class        TINYINT   NOT NULL,
    currency         CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gross            BIGINT    NOT NULL,
    fee              BIGINT    NOT NULL,
    tax              BIGINT    NOT NULL,
    net              BIGINT    NOT NULL,
    PRIMARY KEY (cycle_start, merchant_id, tax_class)
);

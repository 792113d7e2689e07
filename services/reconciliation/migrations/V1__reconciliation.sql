-- How far each change of a payment has been matched. All columns are of fixed width and none is null,
-- so that the second side's coming updates the row in place; what it brings has defaults, so that the
-- statements for the first and for the second side name only what they know.
CREATE TABLE IF NOT EXISTS change_match (
    payment_id       BIGINT            NOT NULL,
    version          INT UNSIGNED      NOT NULL,
    state            TINYINT UNSIGNED  NOT NULL,
    -- In what the sides differ, as bits.
    differences      TINYINT UNSIGNED  NOT NULL DEFAULT 0,
    overdue          TINYINT UNSIGNED  NOT NULL DEFAULT 0,
    bucket           SMALLINT UNSIGNED NOT NULL DEFAULT 0,
    business_date    DATE              NOT NULL DEFAULT '1970-01-01',
    currency         CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    merchant_id      BIGINT            NOT NULL DEFAULT 0,
    -- Signed: what the merchant gained.
    gross            BIGINT            NOT NULL DEFAULT 0,
    -- While waiting for payment: the event that payout says it answers.
    payment_event_id BIGINT            NOT NULL DEFAULT 0,
    payment_content  BINARY(16)        NOT NULL DEFAULT '',
    -- 0 while waiting for payout.
    payout_event_id  BIGINT            NOT NULL DEFAULT 0,
    payout_content   BINARY(16)        NOT NULL DEFAULT '',
    -- 0 while waiting.
    matched_at_us    BIGINT            NOT NULL DEFAULT 0,
    PRIMARY KEY (payment_id, version),
    -- A bucket of a day is listed in order of the primary key, which InnoDB adds to this one.
    KEY change_match_by_day (business_date, bucket)
) ENGINE = InnoDB;

-- What was matched per day and merchant, added to batch by batch. A slot has one writer.
CREATE TABLE IF NOT EXISTS matched_day_total (
    business_date DATE              NOT NULL,
    merchant_id   BIGINT            NOT NULL,
    currency      CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    slot          SMALLINT UNSIGNED NOT NULL,
    gross         BIGINT            NOT NULL,
    item_count    BIGINT            NOT NULL,
    PRIMARY KEY (business_date, merchant_id, currency, slot)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS discrepancy (
    discrepancy_id    BIGINT            NOT NULL PRIMARY KEY,
    -- What it is about; whoever finds the same again finds this row.
    business_date     DATE              NOT NULL,
    kind              TINYINT UNSIGNED  NOT NULL,
    payment_id        BIGINT            NOT NULL,
    version           INT UNSIGNED      NOT NULL,
    -- 0 unless it is about a book's digest of a bucket.
    book              TINYINT UNSIGNED  NOT NULL,
    bucket            SMALLINT UNSIGNED NOT NULL,
    -- What was last found.
    merchant_id       BIGINT            NOT NULL,
    currency          CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payment_gross     BIGINT            NULL,
    payout_gross      BIGINT            NULL,
    evidence          VARCHAR(2000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- After the latest step.
    state             TINYINT UNSIGNED  NOT NULL,
    step_count        INT UNSIGNED      NOT NULL,
    last_event_id     BIGINT            NOT NULL,
    found_at_us       BIGINT            NOT NULL,
    -- The latest run of the day that found it; 0: only events did.
    found_by_run      INT UNSIGNED      NOT NULL,
    found_by_deep_run TINYINT UNSIGNED  NOT NULL,
    UNIQUE KEY discrepancy_subject (business_date, kind, payment_id, version, book, bucket),
    KEY discrepancy_of_change (payment_id, version),
    KEY discrepancy_by_state (state, discrepancy_id),
    KEY discrepancy_by_day (business_date, discrepancy_id)
) ENGINE = InnoDB;

-- The history: rows are only ever inserted. A step's event is a function of it and of the
-- discrepancy's subject.
CREATE TABLE IF NOT EXISTS discrepancy_step (
    discrepancy_id BIGINT           NOT NULL,
    number         INT UNSIGNED     NOT NULL,
    state          TINYINT UNSIGNED NOT NULL,
    actor          VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    note           VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    at_us          BIGINT           NOT NULL,
    event_id       BIGINT           NOT NULL,
    merchant_id    BIGINT           NOT NULL,
    currency       CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payment_gross  BIGINT           NULL,
    payout_gross   BIGINT           NULL,
    PRIMARY KEY (discrepancy_id, number)
) ENGINE = InnoDB;

-- A day of the books: 1 open (marks are missing), 2 due to be compared, 3 compared.
CREATE TABLE IF NOT EXISTS reconciliation_day (
    business_date DATE             NOT NULL PRIMARY KEY,
    state         TINYINT UNSIGNED NOT NULL,
    KEY reconciliation_day_by_state (state, business_date)
) ENGINE = InnoDB;

-- Source 1 is payment, 2 payout.
CREATE TABLE IF NOT EXISTS day_mark (
    business_date    DATE              NOT NULL,
    source           TINYINT UNSIGNED  NOT NULL,
    partition_number SMALLINT UNSIGNED NOT NULL,
    partition_count  SMALLINT UNSIGNED NOT NULL,
    received_at_us   BIGINT            NOT NULL,
    PRIMARY KEY (business_date, source, partition_number)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS day_run (
    business_date       DATE             NOT NULL,
    run_number          INT UNSIGNED     NOT NULL,
    deep                TINYINT UNSIGNED NOT NULL,
    -- 1 running, 2 equal, 3 different, 4 failed.
    state               TINYINT UNSIGNED NOT NULL,
    buckets_compared    INT UNSIGNED     NOT NULL,
    buckets_different   INT UNSIGNED     NOT NULL,
    rows_listed         BIGINT UNSIGNED  NOT NULL,
    discrepancies_found INT UNSIGNED     NOT NULL,
    started_at_us       BIGINT           NOT NULL,
    -- 0 while it runs.
    finished_at_us      BIGINT           NOT NULL,
    failure             VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- Of the event that told of its end; 0 while it runs.
    event_id            BIGINT           NOT NULL,
    PRIMARY KEY (business_date, run_number)
) ENGINE = InnoDB;

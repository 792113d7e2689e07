-- What is checked of a change beside its terms, and what payout is held against day by day.

-- Of fixed width and not null, as the other columns. What an older version noted has neither kind (0)
-- nor tax class (255), and is not checked for them.
ALTER TABLE change_match
    -- kessai.payment.v1.PaymentChanged.Kind
    ADD COLUMN kind      TINYINT UNSIGNED NOT NULL DEFAULT 0,
    -- domain::TaxClass
    ADD COLUMN tax_class TINYINT UNSIGNED NOT NULL DEFAULT 255,
    -- Signed, as payout told it.
    ADD COLUMN fee       BIGINT           NOT NULL DEFAULT 0;

-- A slot has one writer and one tax class, and those of a class are together.
ALTER TABLE matched_day_total
    ADD COLUMN tax_class TINYINT UNSIGNED NOT NULL DEFAULT 255,
    ADD COLUMN fee       BIGINT           NOT NULL DEFAULT 0;

-- discrepancy.held_merchant holds the transfer instead where the kind is about one.

-- What waits for its other side, by the time at which it was told first. A slot has one writer; rows of
-- a period sum to what still waits of it, and go when that is nothing.
CREATE TABLE IF NOT EXISTS waiting_total (
    period_start_us BIGINT            NOT NULL,
    slot            SMALLINT UNSIGNED NOT NULL,
    changes         BIGINT            NOT NULL,
    -- Of what moved, without sign.
    value           BIGINT            NOT NULL,
    PRIMARY KEY (period_start_us, slot)
) ENGINE = InnoDB;

-- What payout told of releases and transfers: effect keys of the inbox, and what is compared.
CREATE TABLE IF NOT EXISTS noted_release (
    -- The date as yyyymmdd.
    object_id       BIGINT       NOT NULL,
    version         INT UNSIGNED NOT NULL,
    content_hash    BINARY(16)   NOT NULL,
    business_date   DATE         NOT NULL,
    merchant_count  BIGINT       NOT NULL,
    gross           BIGINT       NOT NULL,
    fee             BIGINT       NOT NULL,
    tax             BIGINT       NOT NULL,
    net             BIGINT       NOT NULL,
    PRIMARY KEY (object_id, version)
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS noted_transfer_step (
    -- As its event names it.
    object_id       BIGINT       NOT NULL,
    version         INT UNSIGNED NOT NULL,
    content_hash    BINARY(16)   NOT NULL,
    business_date   DATE         NOT NULL,
    -- domain::TransferStep
    step            TINYINT UNSIGNED NOT NULL,
    merchant_id     BIGINT       NOT NULL,
    amount          BIGINT       NOT NULL,
    fee             BIGINT       NOT NULL,
    tax             BIGINT       NOT NULL,
    PRIMARY KEY (object_id, version),
    KEY noted_transfer_step_by_day (business_date, object_id, step)
) ENGINE = InnoDB;
-- A transfer as its events made it.
CREATE TABLE IF NOT EXISTS noted_transfer (
    transfer_id     BIGINT       NOT NULL PRIMARY KEY,
    -- What was told of it first.
    first_step      TINYINT UNSIGNED NOT NULL,
    business_date   DATE         NOT NULL,
    merchant_id     BIGINT       NOT NULL,
    payout_id       BIGINT       NOT NULL,
    attempt         INT UNSIGNED NOT NULL,
    amount          BIGINT       NOT NULL,
    fee             BIGINT       NOT NULL,
    tax             BIGINT       NOT NULL,
    latest_step     TINYINT UNSIGNED NOT NULL,
    -- 0: no result is awaited; 1: one is, since the transfer date; 2: and it is overdue.
    awaited         TINYINT UNSIGNED NOT NULL,
    transfer_date   DATE         NULL,
    KEY noted_transfer_awaited (awaited, transfer_date, transfer_id)
) ENGINE = InnoDB;

-- Days whose check against payout was asked for: as often as `asked`, and the checks so far answer the
-- first `answered` of them.
CREATE TABLE IF NOT EXISTS due_payout_check (
    business_date   DATE         NOT NULL PRIMARY KEY,
    asked           BIGINT       NOT NULL,
    answered        BIGINT       NOT NULL,
    is_due          TINYINT UNSIGNED NOT NULL,
    KEY due_payout_check_due (is_due, business_date)
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS payout_check (
    business_date       DATE             NOT NULL,
    check_number        INT UNSIGNED     NOT NULL,
    deep                TINYINT UNSIGNED NOT NULL,
    -- As day_run.state.
    state               TINYINT UNSIGNED NOT NULL,
    released            TINYINT UNSIGNED NOT NULL,
    transfers_compared  TINYINT UNSIGNED NOT NULL,
    buckets_different   INT UNSIGNED     NOT NULL,
    merchants_listed    BIGINT UNSIGNED  NOT NULL,
    discrepancies_found INT UNSIGNED     NOT NULL,
    started_at_us       BIGINT           NOT NULL,
    -- 0 while it runs.
    finished_at_us      BIGINT           NOT NULL,
    failure             VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (business_date, check_number)
) ENGINE = InnoDB;

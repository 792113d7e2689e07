-- The payment service's schema. Amounts are minor units of `currency`; instants are microseconds since
-- 1970 UTC; business dates are days of the books in Japan.

-- One row an executor slot. Every batch locks its own first; closing a day locks them all. Nothing
-- writes a journal or an outbox row except under a gate row.
CREATE TABLE IF NOT EXISTS gate (
    slot          SMALLINT NOT NULL,
    business_date DATE     NOT NULL,
    last_time_us  BIGINT   NOT NULL,
    PRIMARY KEY (slot)
) ENGINE = InnoDB;

INSERT IGNORE INTO gate (slot, business_date, last_time_us)
SELECT tens.n * 8 + ones.n, DATE(DATE_ADD(UTC_TIMESTAMP(), INTERVAL 9 HOUR)), 0
FROM (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3
      UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7) AS tens
CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3
      UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7) AS ones;

-- Days that left the gates. state: 2 closing (its events are on their way), 3 marked (the marks are in
-- the outbox), 4 closed (every partition has its mark).
CREATE TABLE IF NOT EXISTS business_day (
    business_date DATE    NOT NULL,
    state         TINYINT NOT NULL,
    closing_at_us BIGINT  NOT NULL,
    mark_row_id   BIGINT  NOT NULL DEFAULT 0,
    closed_at_us  BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (business_date)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS merchant (
    merchant_id      BIGINT       NOT NULL,
    name             VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    suspended        BOOLEAN      NOT NULL,
    multiple_refunds BOOLEAN      NOT NULL,
    changed_at_us    BIGINT       NOT NULL,
    PRIMARY KEY (merchant_id)
) ENGINE = InnoDB;

-- What a merchantPaymentId names now. order_key: the first 16 bytes of SHA-256 over merchant and id, so
-- that a list of keys is one short range read.
CREATE TABLE IF NOT EXISTS payment_order (
    order_key           BINARY(16)  NOT NULL,
    merchant_id         BIGINT      NOT NULL,
    merchant_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payment_id          BIGINT      NOT NULL,
    canceled_at_us      BIGINT      NOT NULL,
    PRIMARY KEY (order_key)
) ENGINE = InnoDB;

-- A payment from its code to its last refund. Columns without a default are set once, at its making.
CREATE TABLE IF NOT EXISTS payment (
    payment_id           BIGINT       NOT NULL,
    merchant_id          BIGINT       NOT NULL DEFAULT 0,
    merchant_payment_id  VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    currency             CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    amount               BIGINT       NOT NULL DEFAULT 0,
    code_salt            INT UNSIGNED NOT NULL DEFAULT 0,
    code_expires_at_us   BIGINT       NOT NULL DEFAULT 0,
    created_at_us        BIGINT       NOT NULL DEFAULT 0,
    order_description    VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    store_id             VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    terminal_id          VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    order_receipt_number VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
    requested_at_s       BIGINT       NOT NULL DEFAULT 0,
    extra_json           TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    -- What changes:
    status               TINYINT      NOT NULL,
    user_id              BIGINT       NOT NULL,
    accepted_at_us       BIGINT       NOT NULL,
    business_date        DATE         NOT NULL,
    canceled_at_us       BIGINT       NOT NULL,
    captured             BIGINT       NOT NULL,
    refunded             BIGINT       NOT NULL,
    refund_count         INT UNSIGNED NOT NULL,
    version              INT UNSIGNED NOT NULL,
    last_event_id        BIGINT       NOT NULL,
    PRIMARY KEY (payment_id)
) ENGINE = InnoDB;

-- refund_key: as order_key, over merchant, merchantRefundId and payment.
CREATE TABLE IF NOT EXISTS refund (
    refund_key         BINARY(16)   NOT NULL,
    refund_id          BIGINT       NOT NULL,
    payment_id         BIGINT       NOT NULL,
    merchant_id        BIGINT       NOT NULL,
    merchant_refund_id VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    currency           CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount             BIGINT       NOT NULL,
    accepted_at_us     BIGINT       NOT NULL,
    requested_at_s     BIGINT       NOT NULL,
    reason             VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (refund_key),
    KEY by_payment (payment_id, refund_id),
    KEY by_merchant_refund (merchant_id, merchant_refund_id, refund_id)
) ENGINE = InnoDB;

-- top_up_key: as order_key, over user and idempotency key.
CREATE TABLE IF NOT EXISTS top_up (
    top_up_key      BINARY(16)  NOT NULL,
    top_up_id       BIGINT      NOT NULL,
    user_id         BIGINT      NOT NULL,
    idempotency_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    currency        CHAR(3)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount          BIGINT      NOT NULL,
    source          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    balance_after   BIGINT      NOT NULL,
    accepted_at_us  BIGINT      NOT NULL,
    PRIMARY KEY (top_up_key)
) ENGINE = InnoDB;

-- Stored balances, of the account kinds that have one (domain/ledger.h).
CREATE TABLE IF NOT EXISTS account (
    kind          TINYINT NOT NULL,
    owner_id      BIGINT  NOT NULL,
    currency      CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    balance       BIGINT  NOT NULL,
    last_event_id BIGINT  NOT NULL,
    opened_at_us  BIGINT  NOT NULL,
    -- The owner first: a list of owners is then a range, never all of one kind.
    PRIMARY KEY (owner_id, kind),
    CONSTRAINT balance_not_negative CHECK (balance >= 0)
) ENGINE = InnoDB;

-- Immutable: one row a change, the header of its postings. Its event is made from these columns alone.
CREATE TABLE IF NOT EXISTS journal (
    object_id              BIGINT       NOT NULL,
    version                INT UNSIGNED NOT NULL,
    event_id               BIGINT       NOT NULL,
    kind                   TINYINT      NOT NULL,
    business_date          DATE         NOT NULL,
    occurred_at_us         BIGINT       NOT NULL,
    merchant_id            BIGINT       NOT NULL,
    user_id                BIGINT       NOT NULL,
    currency               CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount                 BIGINT       NOT NULL,
    merchant_payment_id    VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    store_id               VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    terminal_id            VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    order_receipt_number   VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    order_amount           BIGINT       NOT NULL,
    captured_total         BIGINT       NOT NULL,
    refunded_before        BIGINT       NOT NULL,
    payment_date           DATE         NOT NULL,
    payment_accepted_at_us BIGINT       NOT NULL,
    refund_id              BIGINT       NOT NULL,
    merchant_refund_id     VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    source                 VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- The object's bucket (libs/event), so that one bucket of a day is one range.
    bucket                 SMALLINT     NOT NULL,
    PRIMARY KEY (object_id, version),
    KEY by_day (business_date, bucket)
) ENGINE = InnoDB;

-- Immutable. Clustered by account, so a user's history and an account's sum are one range.
CREATE TABLE IF NOT EXISTS posting (
    kind          TINYINT      NOT NULL,
    owner_id      BIGINT       NOT NULL,
    event_id      BIGINT       NOT NULL,
    object_id     BIGINT       NOT NULL,
    version       INT UNSIGNED NOT NULL,
    business_date DATE         NOT NULL,
    currency      CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount        BIGINT       NOT NULL,
    balance_after BIGINT       NOT NULL,
    PRIMARY KEY (owner_id, kind, event_id)
) ENGINE = InnoDB;

-- Payout's DayReleased events that were cleared here: effect keys of the inbox.
CREATE TABLE IF NOT EXISTS release_clearing (
    object_id    BIGINT       NOT NULL,
    version      INT UNSIGNED NOT NULL,
    content_hash BINARY(16)   NOT NULL,
    PRIMARY KEY (object_id, version)
) ENGINE = InnoDB;

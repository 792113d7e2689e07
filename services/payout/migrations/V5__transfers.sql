-- Merchants' money after its release: balances, transfers to their banks, results, adjustments.
-- Amounts are minor units of the row's currency; `_us` is microseconds since 1970.

-- Whoever writes a row of merchant_journal or changes merchant_account locks this row first. It gives
-- the day of the journal, which only rises, and the numbers: of journals without a gap, and of all
-- other objects below.
CREATE TABLE IF NOT EXISTS ledger_gate (
    id             TINYINT   NOT NULL,
    business_date  DATE      NOT NULL,
    last_journal   BIGINT    NOT NULL DEFAULT 0,
    last_object    BIGINT    NOT NULL DEFAULT 0,
    PRIMARY KEY (id)
);
INSERT IGNORE INTO ledger_gate (id, business_date) VALUES (1, '2020-01-01');

-- What changed a merchant's balance, besides releases. Immutable; a row is its own journal, see
-- domain/ledger.h.
CREATE TABLE IF NOT EXISTS merchant_journal (
    journal_id      BIGINT    NOT NULL,
    business_date   DATE      NOT NULL,
    merchant_id     BIGINT    NOT NULL,
    -- domain::JournalKind
    kind            TINYINT   NOT NULL,
    -- A transfer, or an adjustment.
    object_id       BIGINT    NOT NULL,
    currency        CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount          BIGINT    NOT NULL,
    fee             BIGINT    NOT NULL,
    tax             BIGINT    NOT NULL,
    recorded_at_us  BIGINT    NOT NULL,
    PRIMARY KEY (journal_id),
    -- Nothing happens twice to a transfer or an adjustment.
    UNIQUE KEY merchant_journal_effect (object_id, kind),
    KEY merchant_journal_day (business_date, journal_id),
    KEY merchant_journal_merchant (merchant_id, journal_id)
);

-- A merchant's balances as far as merchant_journal makes them, and what is in force for it. Available
-- is the sum of its merchant_cycle.net, and moved_available.
CREATE TABLE IF NOT EXISTS merchant_account (
    merchant_id      BIGINT    NOT NULL,
    moved_available  BIGINT    NOT NULL DEFAULT 0,
    in_transit       BIGINT    NOT NULL DEFAULT 0,
    -- Versions in force of bank_account and payout_terms; 0: none, and those of all.
    bank_account     INT       NOT NULL DEFAULT 0,
    terms            INT       NOT NULL DEFAULT 0,
    open_holds       INT       NOT NULL DEFAULT 0,
    PRIMARY KEY (merchant_id)
);

-- Immutable but for its decision. One operator proposes, another confirms.
CREATE TABLE IF NOT EXISTS bank_account (
    merchant_id     BIGINT    NOT NULL,
    version         INT       NOT NULL,
    bank_code       CHAR(4) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    branch_code     CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- domain::AccountType
    account_type    TINYINT   NOT NULL,
    account_number  CHAR(7) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- Half-width kana.
    holder_kana     VARCHAR(48) NOT NULL,
    -- The master's names when it was proposed, half-width kana: what the transfer file says.
    bank_kana       VARCHAR(32) NOT NULL,
    branch_kana     VARCHAR(32) NOT NULL,
    put_by          VARCHAR(255) NOT NULL,
    put_at_us       BIGINT    NOT NULL,
    confirmed_by    VARCHAR(255) NULL,
    confirmed_at_us BIGINT    NULL,
    PRIMARY KEY (merchant_id, version)
);

-- Immutable; merchant 0: of every merchant without terms of its own.
CREATE TABLE IF NOT EXISTS payout_terms (
    merchant_id     BIGINT    NOT NULL,
    version         INT       NOT NULL,
    -- domain::PayoutCycle; weekday 1 (Monday) to 7, or 0
    cycle           TINYINT   NOT NULL,
    weekday         TINYINT   NOT NULL,
    minimum_amount  BIGINT    NOT NULL,
    -- Prices, tax-inclusive.
    transfer_fee    BIGINT    NOT NULL,
    on_demand_fee   BIGINT    NOT NULL,
    put_by          VARCHAR(255) NOT NULL,
    put_at_us       BIGINT    NOT NULL,
    PRIMARY KEY (merchant_id, version)
);
INSERT IGNORE INTO payout_terms (merchant_id, version, cycle, weekday, minimum_amount, transfer_fee,
                                 on_demand_fee, put_by, put_at_us)
VALUES (0, 1, 4, 0, 1, 0, 0, 'migration', 0);

-- While one of a merchant's is open, nothing is paid to it.
CREATE TABLE IF NOT EXISTS payout_hold (
    hold_id       BIGINT    NOT NULL,
    merchant_id   BIGINT    NOT NULL,
    -- domain::HoldCause
    cause         TINYINT   NOT NULL,
    -- The payout whose transfer did not arrive; 0: put by an operator.
    payout_id     BIGINT    NOT NULL,
    note          VARCHAR(255) NOT NULL,
    put_by        VARCHAR(255) NOT NULL,
    put_at_us     BIGINT    NOT NULL,
    lifted_by     VARCHAR(255) NULL,
    lifted_at_us  BIGINT    NULL,
    PRIMARY KEY (hold_id),
    KEY payout_hold_merchant (merchant_id, hold_id)
);

-- The making of a due date's transfers: how far it is.
CREATE TABLE IF NOT EXISTS transfer_run (
    due_date        DATE      NOT NULL,
    -- What the bank is told: the due date, or the first bank business day after it that was left.
    transfer_date   DATE      NOT NULL,
    merchants_through BIGINT  NOT NULL DEFAULT 0,
    transfer_count  BIGINT    NOT NULL DEFAULT 0,
    amount          BIGINT    NOT NULL DEFAULT 0,
    held_count      BIGINT    NOT NULL DEFAULT 0,
    below_minimum_count BIGINT NOT NULL DEFAULT 0,
    started_at_us   BIGINT    NOT NULL,
    -- NULL: under way.
    finished_at_us  BIGINT    NULL,
    PRIMARY KEY (due_date)
);

-- What is owed to be paid once, in as many attempts as it takes. Immutable.
CREATE TABLE IF NOT EXISTS payout (
    payout_id       BIGINT    NOT NULL,
    merchant_id     BIGINT    NOT NULL,
    -- "due:2026-11-30", or of whoever asked.
    request_key     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    on_demand       TINYINT   NOT NULL,
    currency        CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount          BIGINT    NOT NULL,
    fee             BIGINT    NOT NULL,
    tax             BIGINT    NOT NULL,
    requested_by    VARCHAR(255) NOT NULL,
    created_at_us   BIGINT    NOT NULL,
    PRIMARY KEY (payout_id),
    -- Nothing is paid twice.
    UNIQUE KEY payout_request (merchant_id, request_key)
);

-- One attempt of a payout.
CREATE TABLE IF NOT EXISTS transfer (
    transfer_id     BIGINT    NOT NULL,
    payout_id       BIGINT    NOT NULL,
    attempt         INT       NOT NULL,
    merchant_id     BIGINT    NOT NULL,
    -- Of bank_account.
    bank_account    INT       NOT NULL,
    transfer_date   DATE      NOT NULL,
    amount          BIGINT    NOT NULL,
    -- domain::TransferState
    state           TINYINT   NOT NULL,
    -- The bank's, of a failure or return.
    reason          VARCHAR(64) NOT NULL DEFAULT '',
    -- 0: in no file yet.
    batch_id        BIGINT    NOT NULL DEFAULT 0,
    requested_by    VARCHAR(255) NOT NULL,
    created_at_us   BIGINT    NOT NULL,
    changed_at_us   BIGINT    NOT NULL,
    PRIMARY KEY (transfer_id),
    UNIQUE KEY transfer_attempt (payout_id, attempt),
    KEY transfer_batch_rows (batch_id, transfer_date, transfer_id)
);

-- A file for the bank: a function of its transfers, so it can be made again, byte for byte.
CREATE TABLE IF NOT EXISTS transfer_batch (
    batch_id        BIGINT    NOT NULL,
    transfer_date   DATE      NOT NULL,
    transfer_count  BIGINT    NOT NULL,
    amount          BIGINT    NOT NULL,
    -- SHA-256 of the file, once it was made.
    file_hash       BINARY(32) NULL,
    created_by      VARCHAR(255) NOT NULL,
    created_at_us   BIGINT    NOT NULL,
    PRIMARY KEY (batch_id),
    KEY transfer_batch_date (transfer_date, batch_id)
);

-- Result files that were imported, by the hash of their bytes.
CREATE TABLE IF NOT EXISTS bank_result_file (
    file_hash       BINARY(32) NOT NULL,
    format          VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    settled_count   BIGINT    NOT NULL,
    settled_amount  BIGINT    NOT NULL,
    failed_count    BIGINT    NOT NULL,
    failed_amount   BIGINT    NOT NULL,
    returned_count  BIGINT    NOT NULL,
    returned_amount BIGINT    NOT NULL,
    -- Lines that said again what was known.
    repeated_count  BIGINT    NOT NULL,
    imported_by     VARCHAR(255) NOT NULL,
    imported_at_us  BIGINT    NOT NULL,
    PRIMARY KEY (file_hash)
);

-- Money given to a merchant or taken back: one operator requests, another decides.
CREATE TABLE IF NOT EXISTS adjustment (
    adjustment_id   BIGINT    NOT NULL,
    merchant_id     BIGINT    NOT NULL,
    request_key     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    currency        CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount          BIGINT    NOT NULL,
    reason          VARCHAR(255) NOT NULL,
    -- domain::AdjustmentState
    state           TINYINT   NOT NULL,
    requested_by    VARCHAR(255) NOT NULL,
    requested_at_us BIGINT    NOT NULL,
    decided_by      VARCHAR(255) NULL,
    decided_at_us   BIGINT    NULL,
    PRIMARY KEY (adjustment_id),
    UNIQUE KEY adjustment_request (merchant_id, request_key)
);

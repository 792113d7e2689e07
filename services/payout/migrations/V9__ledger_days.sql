-- What a day moved in the merchants' ledger, by domain::Account, of days that cannot change any more:
-- so that the balances before a day are some rows a day, not all of its merchants'. Made of the
-- ledger's rows when somebody asks; whatever is not here is summed again.
CREATE TABLE IF NOT EXISTS ledger_day (
    business_date  DATE      NOT NULL,
    account        TINYINT   NOT NULL,
    amount         BIGINT    NOT NULL,
    kept_at_us     BIGINT    NOT NULL,
    PRIMARY KEY (business_date, account)
);

-- What others were told of merchants whose day is held back (merchant_hold): step by step, from the close
-- or release that held them to the one that released them. Immutable; a row's event is a function of it.
CREATE TABLE IF NOT EXISTS merchant_hold_step (
    business_date    DATE          NOT NULL,
    merchant_id      BIGINT        NOT NULL,
    version          INT UNSIGNED  NOT NULL,
    -- Of the merchant and day: domain::EventObjectOfHold.
    hold_number      BIGINT        NOT NULL,
    -- domain::HoldReason; 0: released.
    reason           TINYINT       NOT NULL,
    total_gross      BIGINT        NOT NULL,
    total_fee        BIGINT        NOT NULL,
    total_count      BIGINT        NOT NULL,
    recount_gross    BIGINT        NOT NULL,
    recount_fee      BIGINT        NOT NULL,
    recount_count    BIGINT        NOT NULL,
    note             VARCHAR(255)  NOT NULL,
    -- NULL: it is held.
    released_round   INT           NULL,
    at_us            BIGINT        NOT NULL,
    PRIMARY KEY (business_date, merchant_id, version),
    UNIQUE KEY merchant_hold_step_event (hold_number, version)
);
-- Numbers them and their outbox rows.
INSERT IGNORE INTO payout_gate (id) VALUES (4);

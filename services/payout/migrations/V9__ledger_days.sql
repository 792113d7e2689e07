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

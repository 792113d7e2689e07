-- What a day that has ended moved in the customers' ledger, by domain::AccountKind over all owners: so
-- that the balances before a day are some rows a day, not all of its journals. Made of the journals when
-- somebody asks; whatever is not here is summed again.
CREATE TABLE IF NOT EXISTS ledger_day (
    business_date DATE    NOT NULL,
    account       TINYINT NOT NULL,
    amount        BIGINT  NOT NULL,
    kept_at_us    BIGINT  NOT NULL,
    PRIMARY KEY (business_date, account)
) ENGINE = InnoDB;

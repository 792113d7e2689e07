-- What parts of ended days moved, by domain::AccountKind: a part is a run of buckets (app::kDayParts).
-- Made of the journals when somebody asks for a trial balance; whatever is not here is summed again.
CREATE TABLE IF NOT EXISTS ledger_day (
    business_date DATE     NOT NULL,
    part          SMALLINT NOT NULL,
    account       TINYINT  NOT NULL,
    amount        BIGINT   NOT NULL,
    PRIMARY KEY (business_date, part, account)
) ENGINE = InnoDB;

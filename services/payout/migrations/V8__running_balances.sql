-- What every merchant's releases sum to so far (domain/running_balance.h), in pieces: a release and a
-- day's transfers need it of every merchant at once. A piece has the merchants from the first to the
-- last id; a day's pieces cover every id when its first round has ended.
CREATE TABLE IF NOT EXISTS running_balance (
    business_date    DATE      NOT NULL,
    merchant_first   BIGINT    NOT NULL,
    merchant_last    BIGINT    NOT NULL,
    balances         BLOB      NOT NULL,
    PRIMARY KEY (business_date, merchant_first)
);

-- The day whose pieces are in force. NULL: none yet; then balances follow from the release rows.
ALTER TABLE payout_gate ADD COLUMN balances_date DATE NULL;

-- Its rows followed from merchant_release, and cost a release as much again.
DROP TABLE merchant_cycle;

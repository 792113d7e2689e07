-- What a plan version has beyond its own terms. A rule's conditions are the same in all of its rows; the
-- terms of each hold from a volume of the month before on.
CREATE TABLE IF NOT EXISTS fee_plan_rule (
    plan_id            INT          NOT NULL,
    version            INT          NOT NULL,
    -- 0: the plan's own tiers.
    rule               INT          NOT NULL,
    volume_from        BIGINT       NOT NULL,
    -- The conditions; '', 0 and NULL: none.
    store_id           VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- domain::Method
    method             TINYINT      NOT NULL,
    date_from          DATE         NULL,
    date_to            DATE         NULL,
    first_days         INT          NOT NULL,
    rate_basis_points  INT          NOT NULL,
    fixed_fee          BIGINT       NOT NULL,
    minimum_fee        BIGINT       NOT NULL,
    -- 0: none.
    maximum_fee        BIGINT       NOT NULL,
    PRIMARY KEY (plan_id, version, rule, volume_from)
);

-- Merchants under shared plans (fee_plan.merchant_id -1). Never changed or deleted: of a merchant's the
-- later revision takes the days from its first one on. `revision` is counted with those of plans.
CREATE TABLE IF NOT EXISTS plan_assignment (
    merchant_id        BIGINT       NOT NULL,
    revision           BIGINT       NOT NULL,
    -- 0: no shared plan.
    plan_id            INT          NOT NULL,
    -- Both inclusive.
    effective_from     DATE         NOT NULL,
    effective_to       DATE         NULL,
    put_at_us          BIGINT       NOT NULL,
    put_by             VARCHAR(255) NOT NULL,
    PRIMARY KEY (merchant_id, revision),
    KEY plan_assignment_revision (revision),
    KEY plan_assignment_plan (plan_id, merchant_id)
);

-- What a merchant's tier follows: its gross of a month, by the days closed when it was fixed, and from
-- which day on. Only of merchants under a plan with tiers.
CREATE TABLE IF NOT EXISTS merchant_volume (
    merchant_id        BIGINT       NOT NULL,
    month_start        DATE         NOT NULL,
    volume             BIGINT       NOT NULL,
    effective_from     DATE         NOT NULL,
    revision           BIGINT       NOT NULL,
    fixed_at_us        BIGINT       NOT NULL,
    PRIMARY KEY (merchant_id, month_start),
    KEY merchant_volume_revision (revision)
);

-- Of an accrual, what its fee follows beyond the row: of few, so in a table of its own, in the order of
-- `accrual`. Splits are like '1:700 2:300', amounts by domain::Method; '': all is money.
CREATE TABLE IF NOT EXISTS accrual_detail (
    business_date      DATE         NOT NULL,
    bucket             SMALLINT     NOT NULL,
    payment_id         BIGINT       NOT NULL,
    version            INT UNSIGNED NOT NULL,
    captured_methods   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    methods            VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    store_id           VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (business_date, bucket, payment_id, version)
);

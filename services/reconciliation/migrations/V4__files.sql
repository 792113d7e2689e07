-- Layouts of merchants' files. What stands beside the versions is of all of them.
CREATE TABLE IF NOT EXISTS file_template (
    template_name     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    latest_version    INT UNSIGNED      NOT NULL,
    built_in          TINYINT UNSIGNED  NOT NULL,
    -- Since midnight in Japan: when a day's files are made.
    schedule_minutes  SMALLINT UNSIGNED NOT NULL,
    -- The last day for which scheduled runs were made.
    scheduled_through DATE              NULL
) ENGINE = InnoDB;

-- Rows are only ever inserted.
CREATE TABLE IF NOT EXISTS file_template_version (
    template_name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    version       INT UNSIGNED NOT NULL,
    yaml          MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    source        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    description   MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    put_by        VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    put_at_us     BIGINT       NOT NULL,
    PRIMARY KEY (template_name, version)
) ENGINE = InnoDB;

-- Who gets files by a template; merchant 0 is all.
CREATE TABLE IF NOT EXISTS file_assignment (
    template_name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    merchant_id   BIGINT           NOT NULL,
    -- 1 scheduled, 2 on demand, 3 not assigned.
    mode          TINYINT UNSIGNED NOT NULL,
    from_date     DATE             NOT NULL,
    put_by        VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    put_at_us     BIGINT           NOT NULL,
    PRIMARY KEY (template_name, merchant_id),
    KEY file_assignment_by_mode (template_name, mode, from_date)
) ENGINE = InnoDB;

-- Merchants that had a change on a closed day: those who get a file of a day without any too. A day is
-- noted once, after its close.
CREATE TABLE IF NOT EXISTS file_merchant (
    merchant_id BIGINT NOT NULL PRIMARY KEY,
    first_date  DATE   NOT NULL
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS file_merchant_day (
    business_date DATE NOT NULL PRIMARY KEY
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS file_run (
    run_id              BIGINT           NOT NULL PRIMARY KEY,
    template_name       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    template_version    INT UNSIGNED     NOT NULL,
    business_date       DATE             NOT NULL,
    -- 0: all that are assigned.
    merchant_id         BIGINT           NOT NULL,
    scheduled           TINYINT UNSIGNED NOT NULL,
    again_reason        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    forced              TINYINT UNSIGNED NOT NULL,
    requested_by        VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- 1 waiting, 2 running, 3 done, 4 failed and to be tried again.
    state               TINYINT UNSIGNED NOT NULL,
    merchants_done      BIGINT UNSIGNED  NOT NULL,
    merchants_refused   BIGINT UNSIGNED  NOT NULL,
    merchants_unchanged BIGINT UNSIGNED  NOT NULL,
    file_count          BIGINT UNSIGNED  NOT NULL,
    row_count           BIGINT UNSIGNED  NOT NULL,
    byte_count          BIGINT UNSIGNED  NOT NULL,
    created_at_us       BIGINT           NOT NULL,
    started_at_us       BIGINT           NOT NULL,
    finished_at_us      BIGINT           NOT NULL,
    attempts            INT UNSIGNED     NOT NULL,
    -- Why the latest attempt failed.
    reason              VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    message             VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    retry_at_us         BIGINT           NOT NULL,
    KEY file_run_by_state (state, run_id),
    KEY file_run_by_day (template_name, business_date, run_id)
) ENGINE = InnoDB;

-- What a run did for each merchant: it goes on where it was killed. When it has ended, only those remain
-- that were refused.
CREATE TABLE IF NOT EXISTS file_run_merchant (
    run_id      BIGINT           NOT NULL,
    merchant_id BIGINT           NOT NULL,
    -- 1 made, 2 refused, 3 unchanged.
    outcome     TINYINT UNSIGNED NOT NULL,
    reason      VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    message     VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (run_id, merchant_id),
    KEY file_run_merchant_by_outcome (run_id, outcome, merchant_id)
) ENGINE = InnoDB;

-- Files that are stored, whole. A row comes with the event that tells of it; only removed_at_us changes.
CREATE TABLE IF NOT EXISTS merchant_file (
    file_id          BIGINT       NOT NULL PRIMARY KEY,
    run_id           BIGINT       NOT NULL,
    merchant_id      BIGINT       NOT NULL,
    template_name    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    template_version INT UNSIGNED NOT NULL,
    business_date    DATE         NOT NULL,
    version          INT UNSIGNED NOT NULL,
    part             INT UNSIGNED NOT NULL,
    file_name        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    store_key        VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    byte_count       BIGINT UNSIGNED NOT NULL,
    sha256           BINARY(32)   NOT NULL,
    row_count        BIGINT UNSIGNED NOT NULL,
    -- Sums by column, as a message File with nothing else.
    totals           MEDIUMBLOB   NOT NULL,
    made_at_us       BIGINT       NOT NULL,
    expires_at_us    BIGINT       NOT NULL,
    -- When its content was removed; 0: it is there.
    removed_at_us    BIGINT       NOT NULL DEFAULT 0,
    UNIQUE KEY merchant_file_of_day (template_name, business_date, merchant_id, version, part),
    KEY merchant_file_by_merchant (merchant_id, business_date, file_id),
    KEY merchant_file_by_day (business_date, file_id),
    KEY merchant_file_by_expiry (removed_at_us, expires_at_us)
) ENGINE = InnoDB;

-- Each time that a file was told of. Its event is a function of this row and of the file. Rows are only
-- ever inserted.
CREATE TABLE IF NOT EXISTS merchant_file_announcement (
    file_id         BIGINT       NOT NULL,
    number          INT UNSIGNED NOT NULL,
    event_id        BIGINT       NOT NULL,
    -- Empty: it was made.
    announced_by    VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    announced_at_us BIGINT       NOT NULL,
    PRIMARY KEY (file_id, number)
) ENGINE = InnoDB;

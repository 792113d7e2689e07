-- YAML that operators put: templates of files (kind 1, by their name) and rules of accounts (kind 2, by the
-- account). Rows are only ever inserted; the highest version is in force.
CREATE TABLE IF NOT EXISTS outside_text (
    kind      TINYINT UNSIGNED NOT NULL,
    name      VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    version   INT UNSIGNED     NOT NULL,
    yaml      MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    put_by    VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    put_at_us BIGINT           NOT NULL,
    PRIMARY KEY (kind, name, version)
) ENGINE = InnoDB;

-- One import at a time.
CREATE TABLE IF NOT EXISTS statement_gate (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
INSERT IGNORE INTO statement_gate (id) VALUES (1);

-- A file that was taken in. Rows are only ever inserted.
CREATE TABLE IF NOT EXISTS statement_import (
    import_id        BIGINT           NOT NULL PRIMARY KEY,
    -- 1 csv, 2 zengin, 3 camt.053.
    format           TINYINT UNSIGNED NOT NULL,
    template_name    VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    template_version INT UNSIGNED     NOT NULL,
    sha256           BINARY(32)       NOT NULL,
    byte_count       BIGINT           NOT NULL,
    added            BIGINT           NOT NULL,
    known            BIGINT           NOT NULL,
    broken           BIGINT           NOT NULL,
    not_booked       BIGINT           NOT NULL,
    -- Names, with commas between them.
    accounts         TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    imported_by      VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    imported_at_us   BIGINT           NOT NULL,
    UNIQUE KEY statement_import_file (sha256)
) ENGINE = InnoDB;

-- Lines that could not be read (kind 1) or were known (2), the first of each kind.
CREATE TABLE IF NOT EXISTS statement_import_note (
    import_id BIGINT           NOT NULL,
    number    INT UNSIGNED     NOT NULL,
    kind      TINYINT UNSIGNED NOT NULL,
    line      BIGINT           NOT NULL,
    reason    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    message   VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    PRIMARY KEY (import_id, number)
) ENGINE = InnoDB;

-- What the file said of itself, a statement a row.
CREATE TABLE IF NOT EXISTS statement_import_part (
    import_id    BIGINT       NOT NULL,
    number       INT UNSIGNED NOT NULL,
    account      VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    statement_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    first_date   DATE         NULL,
    last_date    DATE         NULL,
    currency     CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    opening      BIGINT       NULL,
    closing      BIGINT       NULL,
    credit_count BIGINT       NOT NULL,
    credits      BIGINT       NOT NULL,
    debit_count  BIGINT       NOT NULL,
    debits       BIGINT       NOT NULL,
    unread       BIGINT       NOT NULL,
    -- What was there and right: 1 counts, 2 sums, 4 balance.
    checks       TINYINT UNSIGNED NOT NULL,
    PRIMARY KEY (import_id, number)
) ENGINE = InnoDB;

-- A movement as one side has it: 1 expected by our books, 2 booked by a statement.
CREATE TABLE IF NOT EXISTS outside_item (
    item_id       BIGINT           NOT NULL PRIMARY KEY,
    side          TINYINT UNSIGNED NOT NULL,
    account       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- 1 unmatched, 2 matched.
    state         TINYINT UNSIGNED NOT NULL,
    item_date     DATE             NOT NULL,
    amount        BIGINT           NOT NULL,
    currency      CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- 0 while it is unmatched.
    match_id      BIGINT           NOT NULL,
    -- SHA-256 of what it is known by among those of its side.
    identity      BINARY(32)       NOT NULL,
    kind          TINYINT UNSIGNED NOT NULL,
    -- The event that an expected one was made of; 0 of one that was booked.
    event_object  BIGINT           NOT NULL,
    event_version INT UNSIGNED     NOT NULL,
    event_content BINARY(16)       NOT NULL,
    -- The file and line of one that was booked; 0 of an expected one.
    import_id     BIGINT           NOT NULL,
    line          INT UNSIGNED     NOT NULL,
    value_date    DATE             NOT NULL,
    is_reversal   TINYINT UNSIGNED NOT NULL,
    counterparty  TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    text          TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- A line each: kind, tab, value.
    reference_list MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    UNIQUE KEY outside_item_identity (side, identity),
    -- Sums of unmatched items by day need no row.
    KEY outside_item_by_state (state, account, side, item_date, item_id, amount)
) ENGINE = InnoDB;

-- An account whose items are matched. It is due while imports brought items that no run has seen. Its row
-- is locked by whoever changes matches of it.
CREATE TABLE IF NOT EXISTS outside_account (
    account  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    added    BIGINT NOT NULL,
    seen     BIGINT NOT NULL
) ENGINE = InnoDB;

-- A set of items: 1 suggested, 2 matched, 3 rejected, 4 taken apart, 5 withdrawn.
CREATE TABLE IF NOT EXISTS outside_match (
    match_id      BIGINT           NOT NULL PRIMARY KEY,
    account       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    state         TINYINT UNSIGNED NOT NULL,
    -- SHA-256 of the items' ids: a set is there once.
    members       BINARY(32)       NOT NULL,
    rules_version INT UNSIGNED     NOT NULL,
    rule          VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    score         TINYINT UNSIGNED NOT NULL,
    why           VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    currency      CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    difference    BIGINT           NOT NULL,
    step_count    INT UNSIGNED     NOT NULL,
    changed_at_us BIGINT           NOT NULL,
    UNIQUE KEY outside_match_set (account, members),
    KEY outside_match_by_state (account, state, match_id)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS outside_match_item (
    match_id BIGINT           NOT NULL,
    item_id  BIGINT           NOT NULL,
    side     TINYINT UNSIGNED NOT NULL,
    PRIMARY KEY (match_id, item_id),
    KEY outside_match_of_item (item_id, match_id)
) ENGINE = InnoDB;

-- The history: rows are only ever inserted.
CREATE TABLE IF NOT EXISTS outside_match_step (
    match_id BIGINT           NOT NULL,
    number   INT UNSIGNED     NOT NULL,
    state    TINYINT UNSIGNED NOT NULL,
    actor    VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    note     VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    at_us    BIGINT           NOT NULL,
    PRIMARY KEY (match_id, number)
) ENGINE = InnoDB;

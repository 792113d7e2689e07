-- Runs of files that have left in the store, or may have, what no row of merchant_file refers to: looked
-- through when they have ended, and forgotten then.
CREATE TABLE IF NOT EXISTS file_run_sweep (
    run_id BIGINT NOT NULL PRIMARY KEY
) ENGINE = InnoDB;

-- file_run.state: 5 is cancelled, with the reason in `message`.

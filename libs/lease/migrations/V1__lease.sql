-- Who may do what only one process may do at a time. `expires_at_us` is in the database's clock.
CREATE TABLE IF NOT EXISTS lease (
    name VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    fence BIGINT NOT NULL,
    expires_at_us BIGINT NOT NULL,
    data BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (name)
);

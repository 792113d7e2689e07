-- A delivery that is sent again by hand goes on counting its attempts; its ladder of waits begins
-- anew behind those that were made before.
CREATE TABLE IF NOT EXISTS webhook_redelivery (
    delivery_id BIGINT NOT NULL,
    after_attempt INT UNSIGNED NOT NULL,
    requested_at_us BIGINT NOT NULL,
    PRIMARY KEY (delivery_id, after_attempt)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

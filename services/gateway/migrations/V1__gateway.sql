-- What the gateway owns: who may call, who an app user is, and what merchants are told.
-- Runs on MySQL 8.0, Aurora MySQL 3, MariaDB 10.11 and TiDB. Times are microseconds since 1970.

CREATE TABLE IF NOT EXISTS api_credential (
    api_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    merchant_id BIGINT NOT NULL,
    -- AES-256-GCM, bound to the key's name
    secret_box VARBINARY(512) NOT NULL,
    -- space separated
    scopes VARCHAR(512) NOT NULL,
    assumable_merchant_ids TEXT NOT NULL,
    allowed_networks TEXT NOT NULL,
    requests_per_second BIGINT NOT NULL,
    revoked TINYINT NOT NULL,
    created_at_us BIGINT NOT NULL,
    updated_at_us BIGINT NOT NULL,
    PRIMARY KEY (api_key),
    KEY api_credential_merchant (merchant_id, created_at_us),
    KEY api_credential_updated (updated_at_us)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS app_user (
    user_id BIGINT NOT NULL,
    issuer VARCHAR(255) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (user_id),
    UNIQUE KEY app_user_subject (subject, issuer)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS webhook_endpoint (
    endpoint_id BIGINT NOT NULL,
    merchant_id BIGINT NOT NULL,
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    url VARCHAR(2048) NOT NULL,
    secret_box VARBINARY(512) NOT NULL,
    enabled TINYINT NOT NULL,
    -- a deleted one is kept for its deliveries, under the name ~<endpoint_id>
    deleted TINYINT NOT NULL,
    created_at_us BIGINT NOT NULL,
    updated_at_us BIGINT NOT NULL,
    PRIMARY KEY (endpoint_id),
    UNIQUE KEY webhook_endpoint_merchant (merchant_id, name),
    KEY webhook_endpoint_updated (updated_at_us)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS webhook_delivery (
    delivery_id BIGINT NOT NULL,
    endpoint_id BIGINT NOT NULL,
    merchant_id BIGINT NOT NULL,
    -- the change it tells of; for a test the delivery's own id and version 0
    object_id BIGINT NOT NULL,
    version INT UNSIGNED NOT NULL,
    content_hash BINARY(16) NOT NULL,
    notification_type VARCHAR(64) NOT NULL,
    payload TEXT NOT NULL,
    -- 1 pending, 2 delivered, 3 dead
    state TINYINT NOT NULL,
    attempts INT UNSIGNED NOT NULL,
    -- when it is due; moved ahead by whoever claims it, so a claim ends by itself
    next_attempt_at_us BIGINT NOT NULL,
    created_at_us BIGINT NOT NULL,
    finished_at_us BIGINT NOT NULL,
    last_http_status INT NOT NULL,
    last_error VARCHAR(255) NOT NULL,
    PRIMARY KEY (delivery_id),
    UNIQUE KEY webhook_delivery_change (object_id, version, endpoint_id),
    KEY webhook_delivery_due (state, endpoint_id, next_attempt_at_us),
    KEY webhook_delivery_endpoint (endpoint_id, delivery_id),
    KEY webhook_delivery_finished (state, finished_at_us)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS webhook_attempt (
    delivery_id BIGINT NOT NULL,
    attempt INT UNSIGNED NOT NULL,
    started_at_us BIGINT NOT NULL,
    took_us BIGINT NOT NULL,
    http_status INT NOT NULL,
    error VARCHAR(255) NOT NULL,
    PRIMARY KEY (delivery_id, attempt)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

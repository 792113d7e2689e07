-- How far a consumer group has come. Advanced in the transaction that applies what it passes.
CREATE TABLE IF NOT EXISTS consumer_offset (
    consumer_group VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    topic VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    partition_no INT NOT NULL,
    next_offset BIGINT NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
    PRIMARY KEY (consumer_group, topic, partition_no)
);

-- Messages that could not be applied, as they were.
CREATE TABLE IF NOT EXISTS dead_letter (
    consumer_group VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    topic VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    partition_no INT NOT NULL,
    message_offset BIGINT NOT NULL,
    -- 1 open, 2 replayed, 3 discarded.
    state TINYINT NOT NULL,
    -- 1 while later events of the object are parked behind this one: while it is open, and after that
    -- until they have all been applied. At most one a (group, topic, object).
    blocking TINYINT NOT NULL,
    -- 0 when the message's key names no object.
    object_id BIGINT NOT NULL,
    event_type VARCHAR(190) NOT NULL,
    event_id BIGINT NOT NULL,
    version INT UNSIGNED NOT NULL,
    business_date DATE NULL,
    code TINYINT NOT NULL,
    reason VARCHAR(100) NOT NULL,
    message VARCHAR(1000) NOT NULL,
    attempts INT NOT NULL,
    failed_at_us BIGINT NOT NULL,
    traceparent VARCHAR(64) NOT NULL,
    message_key VARBINARY(1024) NOT NULL,
    message_value MEDIUMBLOB NOT NULL,
    settled_by VARCHAR(100) NOT NULL DEFAULT '',
    note VARCHAR(1000) NOT NULL DEFAULT '',
    PRIMARY KEY (consumer_group, topic, partition_no, message_offset),
    KEY dead_letter_blocking (consumer_group, topic, partition_no, blocking, object_id),
    KEY dead_letter_state (consumer_group, topic, state, business_date)
);

-- Later events of an object that has a dead letter, to be applied behind it in the order of offsets.
CREATE TABLE IF NOT EXISTS parked_event (
    consumer_group VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    topic VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    partition_no INT NOT NULL,
    message_offset BIGINT NOT NULL,
    object_id BIGINT NOT NULL,
    business_date DATE NULL,
    traceparent VARCHAR(64) NOT NULL,
    message_key VARBINARY(1024) NOT NULL,
    message_value MEDIUMBLOB NOT NULL,
    parked_at_us BIGINT NOT NULL,
    PRIMARY KEY (consumer_group, topic, partition_no, message_offset),
    KEY parked_event_object (consumer_group, topic, object_id, partition_no, message_offset),
    KEY parked_event_date (consumer_group, topic, business_date)
);

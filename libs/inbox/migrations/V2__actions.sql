-- What operators did about dead letters: who, when, why, and what came of it. Only ever added to, in the
-- transaction that did it.
CREATE TABLE IF NOT EXISTS dead_letter_action (
    consumer_group VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    topic VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    partition_no INT NOT NULL,
    message_offset BIGINT NOT NULL,
    -- 1, 2, 3, … of the dead letter.
    action_no INT NOT NULL,
    -- 2 replay, 3 discard: the state it is to get.
    kind TINYINT NOT NULL,
    operator_name VARCHAR(100) NOT NULL,
    note VARCHAR(1000) NOT NULL,
    applied INT NOT NULL,
    repeated INT NOT NULL,
    -- Left behind it.
    parked BIGINT NOT NULL,
    -- Why it stopped; empty if it did not.
    refusal VARCHAR(100) NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (consumer_group, topic, partition_no, message_offset, action_no)
);

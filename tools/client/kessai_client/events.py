"""Reads what services publish."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType

from confluent_kafka import Consumer, TopicPartition


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    timestamp_s: float


class TopicTail:
    """Everything that comes to a topic from the making of this on, in order per partition."""

    def __init__(self, brokers: str, topic: str) -> None:
        self._topic = topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": brokers,
                "group.id": "kessai-client",  # named, but never joined nor committed to
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
                "log_level": 3,
            }
        )
        described = self._consumer.list_topics(topic, timeout=10).topics[topic]
        ends = []
        for partition in described.partitions:
            end = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            ends.append(TopicPartition(topic, partition, end[1]))
        self._consumer.assign(ends)

    def __enter__(self) -> "TopicTail":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def next(self, timeout_s: float) -> Record | None:
        message = self._consumer.poll(timeout_s)
        if message is None or message.error() is not None:
            return None
        return Record(
            self._topic,
            message.partition(),
            message.offset(),
            message.key() or b"",
            message.value() or b"",
            message.timestamp()[1] / 1000,
        )

    def of_key(self, key: str, timeout_s: float) -> Record | None:
        """The next record with this key; None when there is none in time."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            record = self.next(min(left, 0.2))
            if record is not None and record.key == key.encode():
                return record
        return None

"""Makes the broker's topics as proto/topics.yaml declares them, and refuses when they differ.

Uses librdkafka's admin API in this process: no JVM has to start for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .diagnosis import Diagnosis
from .stack import ROOT

FILE = ROOT / "proto" / "topics.yaml"
_REQUIRED = {"name", "partitions", "owner", "key", "message", "description", "config"}
_CONFIG_KEYS = {"retention.ms", "cleanup.policy", "max.message.bytes"}
_TIMEOUT_S = 20


@dataclass(frozen=True)
class Topic:
    name: str
    partitions: int
    config: dict[str, str]


def load(path: Path = FILE) -> list[Topic]:
    import yaml  # Debian's python3-yaml

    document = yaml.safe_load(path.read_text())
    declared = [_topic(entry, path) for entry in document["topics"]]
    names = [topic.name for topic in declared]
    if len(set(names)) != len(names):
        raise Diagnosis(f"{path} declares a topic twice", "remove one of the two")
    return declared


def apply(brokers: str, declared: list[Topic]) -> list[str]:
    """Makes the topics that are missing; returns their names.

    Refuses when one that exists has another partition count: the partition of a key would change,
    and with it the order of an object's events.
    """
    admin = admin_client(brokers)
    existing = admin.list_topics(timeout=_TIMEOUT_S).topics
    for topic in declared:
        if topic.name in existing:
            _require_partitions(topic, len(existing[topic.name].partitions))
    missing = [topic for topic in declared if topic.name not in existing]
    if missing:
        _create(admin, missing)
    return [topic.name for topic in missing]


def admin_client(brokers: str) -> Any:
    from confluent_kafka.admin import AdminClient  # Debian's python3-confluent-kafka

    return AdminClient({"bootstrap.servers": brokers, "log_level": 2, "socket.timeout.ms": 10000})


def _create(admin: Any, missing: list[Topic]) -> None:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import NewTopic

    wanted = [
        NewTopic(topic.name, topic.partitions, replication_factor=1, config=topic.config)
        for topic in missing
    ]
    for name, outcome in admin.create_topics(wanted, operation_timeout=_TIMEOUT_S).items():
        try:
            outcome.result(timeout=_TIMEOUT_S + 10)
        except KafkaException as error:
            raise Diagnosis(
                f"Kafka refused to make the topic {name}",
                "see its log: ./kessai logs kafka",
                str(error.args[0]),
            ) from error


def _require_partitions(topic: Topic, found: int) -> None:
    if found != topic.partitions:
        raise Diagnosis(
            f"the topic {topic.name} has {found} partitions where {FILE.name} declares "
            f"{topic.partitions}",
            "a topic is never repartitioned: declare a new version of it; or, if this stack's data "
            "may go, run ./kessai reset",
        )


def _topic(entry: dict[str, Any], path: Path) -> Topic:
    name = entry.get("name", "?")
    missing = _REQUIRED - entry.keys()
    unknown = entry.keys() - _REQUIRED
    if missing or unknown:
        raise Diagnosis(
            f"{path}: topic {name}: missing {sorted(missing)}, unknown {sorted(unknown)}",
            "correct the declaration",
        )
    if entry["config"].keys() != _CONFIG_KEYS:
        raise Diagnosis(
            f"{path}: topic {name}: its config must state exactly {sorted(_CONFIG_KEYS)}",
            "correct the declaration",
        )
    if not isinstance(entry["partitions"], int) or not 1 <= entry["partitions"] <= 1000:
        raise Diagnosis(f"{path}: topic {name}: partitions must be 1 to 1000", "correct it")
    config = {key: str(value) for key, value in entry["config"].items()}
    return Topic(name, entry["partitions"], config)

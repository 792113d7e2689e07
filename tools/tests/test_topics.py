"""Goal: the declared topics are complete and what the design says. Method: read the file itself."""

import pytest

from kessai import topics
from kessai.diagnosis import Diagnosis


class FakeAdmin:
    """Answers for a broker that has some topics."""

    def __init__(self, partitions: dict[str, int]) -> None:
        self._partitions = partitions
        self.created: list[str] = []

    def list_topics(self, timeout):
        named = {
            name: type("T", (), {"partitions": range(count)})
            for name, count in self._partitions.items()
        }
        return type("Metadata", (), {"topics": named})


def test_the_file_declares_what_the_services_use():
    declared = {topic.name: topic for topic in topics.load()}
    for name in ("payment", "payout", "reconciliation"):
        assert declared[f"{name}.events.v1"].partitions == 12
    dead_letters = {name for name in declared if ".dlq." in name}
    assert dead_letters == {
        "payment.payout-events.dlq.v1",
        "payout.payment-events.dlq.v1",
        "reconciliation.payment-events.dlq.v1",
        "reconciliation.payout-events.dlq.v1",
        "gateway.payment-events.dlq.v1",
        "gateway.reconciliation-events.dlq.v1",
    }
    assert all(declared[name].partitions == 3 for name in dead_letters)


def test_a_topic_with_another_partition_count_is_refused(monkeypatch):
    monkeypatch.setattr(topics, "admin_client", lambda brokers: FakeAdmin({"a.events.v1": 6}))
    with pytest.raises(Diagnosis, match="has 6 partitions where"):
        topics.apply("broker", [topics.Topic("a.events.v1", 12, {})])


def test_topics_that_are_there_are_left_alone(monkeypatch):
    monkeypatch.setattr(topics, "admin_client", lambda brokers: FakeAdmin({"a.events.v1": 12}))
    assert topics.apply("broker", [topics.Topic("a.events.v1", 12, {})]) == []


@pytest.mark.parametrize(
    "line, word",
    [("partitions: 0", "partitions"), ("partitions: many", "partitions"), ("colour: red", "unknown")],
)
def test_a_wrong_declaration_is_named(tmp_path, line, word):
    text = """\
topics:
  - name: a.events.v1
    partitions: 12
    owner: a
    key: id
    message: M
    description: d
    config: {retention.ms: 1, cleanup.policy: delete, max.message.bytes: 1}
"""
    key = line.split(":")[0]
    lines = [row for row in text.splitlines() if row.strip().split(":")[0] != key] + [f"    {line}"]
    path = tmp_path / "topics.yaml"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(Diagnosis, match=word):
        topics.load(path)

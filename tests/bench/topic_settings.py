#!/usr/bin/env python3
"""topic_settings.py BROKERS: how durable the broker keeps our event topics, as JSON, asked of it."""

import json
import sys

from confluent_kafka.admin import AdminClient, ConfigResource

WANTED = ("min.insync.replicas", "unclean.leader.election.enable", "flush.messages", "flush.ms")


def main(brokers: str) -> int:
    admin = AdminClient({"bootstrap.servers": brokers, "log_level": 2, "socket.timeout.ms": 10000})
    topics = {
        name: topic
        for name, topic in admin.list_topics(timeout=15).topics.items()
        if name.endswith(".events.v1")
    }
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics]
    found = {}
    for resource, outcome in admin.describe_configs(resources).items():
        settings = outcome.result(timeout=15)
        partitions = topics[resource.name].partitions
        found[resource.name] = {
            "partitions": str(len(partitions)),
            "replicas": str(min(len(partition.replicas) for partition in partitions.values())),
            **{name: settings[name].value for name in WANTED if name in settings},
        }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))

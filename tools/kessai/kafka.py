"""Kafka of a stack: one node in KRaft combined mode, run from jars by the JVM."""

from __future__ import annotations

import base64
import subprocess
import uuid

from . import kafka_jars, ports
from .diagnosis import Diagnosis
from .settings import StackSettings
from .stack import HOST, Stack
from .supervisor import Process, digest

NAME = "kafka"

_CONFIG = """\
# Written by ./kessai; changes here are lost.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}

# Topics are declared in proto/topics.yaml and nowhere else.
auto.create.topics.enable=false
delete.topic.enable=true
unclean.leader.election.enable=false

# One node: every replication factor is 1. Clusters state 3, with 2 in sync.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4

# A consumer group of a test or of one machine need not wait for members to gather.
group.initial.rebalance.delay.ms=0

# A broker that was killed may come back only when its old session is over: with the usual 9 s it
# is away for 15 s or more, with these for 10 on two busy cores.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500

# Two cores are shared with everything else.
num.network.threads=2
num.io.threads=4
background.threads=2
num.recovery.threads.per.data.dir=2
log.segment.bytes=268435456
log.cleaner.dedupe.buffer.size=16777216
"""

_LOGGING = """\
# Written by ./kessai; changes here are lost.
log4j.rootLogger=WARN, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d{ISO8601} %p %c - %m%n
# The one line that says that it started, and why it could not.
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.logger.kafka.server.KafkaServer=INFO
"""


def address(stack: Stack) -> str:
    return f"{HOST}:{stack.port('kafka')}"


def prepare(stack: Stack) -> bool:
    """Writes the configuration and formats the log directory; true if that was done now."""
    (stack.config / "kafka.properties").write_text(_configuration(stack))
    (stack.config / "kafka-log4j.properties").write_text(_LOGGING)
    if (stack.data / NAME / "meta.properties").exists():
        return False
    _format(stack)
    return True


def _configuration(stack: Stack) -> str:
    return _CONFIG.format(
        host=HOST,
        port=stack.port("kafka"),
        controller_port=stack.port("kafka-controller"),
        data=stack.data / NAME,
    )


def process(stack: Stack, settings: StackSettings) -> Process:
    return Process(
        name=NAME,
        command=[
            # A small heap on two cores: the collector without threads, refinement and costly barriers
            # of its own.
            "java", f"-Xmx{settings.kafka_heap}", "-Xms128m", "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError", *_jvm(stack), "kafka.Kafka", str(stack.config / "kafka.properties"),
        ],
        listens=stack.listens(NAME),
        depends_on=[digest(_configuration(stack) + _LOGGING)],
        stop_grace_s=30,
    )  # fmt: skip


def not_ready(stack: Stack) -> str:
    """Empty when the broker answers a metadata request, else why it does not."""
    if not ports.is_open(stack.port("kafka")):
        return f"nothing listens on {address(stack)}"
    from confluent_kafka import KafkaException  # Debian's python3-confluent-kafka
    from .topics import admin_client

    try:
        metadata = admin_client(address(stack)).list_topics(timeout=5)
    except KafkaException as error:
        return str(error.args[0])
    return "" if metadata.brokers else "the broker is not registered yet"


def _jvm(stack: Stack) -> list[str]:
    return [
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        f"-Dlog4j.configuration=file:{stack.config / 'kafka-log4j.properties'}",
        "-cp",
        f"{kafka_jars.directory()}/*",
    ]


def _format(stack: Stack) -> None:
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    command = [
        "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *_jvm(stack),
        "kafka.tools.StorageTool", "format", "--ignore-formatted", f"--cluster-id={cluster_id}",
        f"--config={stack.config / 'kafka.properties'}",
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Diagnosis(
            "Kafka's log directory could not be formatted",
            "see the messages; if the cache is damaged, remove .cache and run ./kessai up again",
            (result.stdout + result.stderr).strip()[-2000:],
        )

"""The three servers of a stack (Kafka, MariaDB, Redis), brought up side by side."""

from __future__ import annotations

from typing import Sequence

from . import kafka, kafka_jars, mariadb, ports, redis, say, topics
from .lock import shared_parts
from .parallel import side_by_side
from .settings import stack_settings
from .stack import SERVICES, Stack
from .startup import serve
from .supervisor import Process, Supervisor

NAMES = (kafka.NAME, mariadb.NAME, *(redis.name(service) for service in SERVICES))


def processes(stack: Stack) -> list[Process]:
    settings = stack_settings(stack.name)
    return [
        mariadb.process(stack, settings),
        kafka.process(stack, settings),
        *redis.processes(stack, settings),
    ]


def not_ready(stack: Stack, name: str) -> str:
    """Empty when the server `name` serves, else why it does not."""
    if name == kafka.NAME:
        return kafka.not_ready(stack)
    if name == mariadb.NAME:
        return mariadb.not_ready(stack)
    return redis.not_ready(stack, name.removeprefix("redis-"))


def fetch() -> None:
    """Brings what the servers need and Debian has not: Kafka."""
    if kafka_jars.present():
        return
    with shared_parts("fetch Kafka"):
        if kafka_jars.present():  # whoever had the lock has fetched them
            return
        with say.step(f"fetch Kafka {kafka_jars.version()} with Maven"):
            kafka_jars.fetch()


def up(
    stack: Stack,
    supervisor: Supervisor,
    others: Sequence[Process] = (),
    names: Sequence[str] = NAMES,
) -> None:
    """Brings servers to serving. `others` are put under supervision but not started."""
    wanted = [process for process in processes(stack) if process.name in names]
    ours = {proc.pid for proc in supervisor.members()}
    for process in [*wanted, *others]:
        ports.require_free(process.listens, ours)
    supervisor.begin([*wanted, *others])
    steps = {
        kafka.NAME: lambda: _kafka_up(stack, supervisor),
        mariadb.NAME: lambda: _mariadb_up(stack, supervisor),
        redis.name(SERVICES[0]): lambda: _redis_up(stack, supervisor),  # all of them
    }
    side_by_side([step for name, step in steps.items() if name in names])


def _mariadb_up(stack: Stack, supervisor: Supervisor) -> None:
    settings = stack_settings(stack.name)
    already = _serves(supervisor, mariadb.NAME)
    with say.step("mariadb") as step:
        made = mariadb.prepare(stack, settings)
        _serve(stack, supervisor, mariadb.process(stack, settings))
        step.title = _outcome("mariadb", stack.port("mariadb"), already)
        step.title += ", data directory made" if made else ""


def _kafka_up(stack: Stack, supervisor: Supervisor) -> None:
    already = _serves(supervisor, kafka.NAME)
    with say.step("kafka") as step:
        formatted = kafka.prepare(stack)
        _serve(stack, supervisor, kafka.process(stack, stack_settings(stack.name)))
        step.title = _outcome("kafka", stack.port("kafka"), already)
        step.title += ", storage formatted" if formatted else ""
    with say.step("topics") as step:
        declared = topics.load()
        made = topics.apply(kafka.address(stack), declared)
        step.title = f"topics: {len(declared)} as declared, {len(made)} of them made now"


def _redis_up(stack: Stack, supervisor: Supervisor) -> None:
    settings = stack_settings(stack.name)
    with say.step("redis") as step:
        redis.prepare(stack, settings)
        instances = redis.processes(stack, settings)
        already = all(_serves(supervisor, process.name) for process in instances)
        for process in instances:
            _serve(stack, supervisor, process)
        where = ", ".join(str(port) for process in instances for port in process.listens.values())
        step.title = f"redis {'already serves' if already else 'serves'} on {where}"


def _serve(stack: Stack, supervisor: Supervisor, process: Process) -> None:
    serve(
        stack,
        supervisor,
        process,
        why_not=lambda: not_ready(stack, process.name),
        restart=supervisor.outdated(process.name),
    )


def _serves(supervisor: Supervisor, name: str) -> bool:
    return supervisor.running(name) is not None and not supervisor.outdated(name)


def _outcome(name: str, port: int, already: bool) -> str:
    return f"{name} {'already serves' if already else 'serves'} on {port}"

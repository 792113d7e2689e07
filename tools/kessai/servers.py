"""The three servers (Kafka, MariaDB, Redis) of a stack: prepared, started and awaited together."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from . import kafka, kafka_jars, mariadb, ports, redis, say, topics
from .diagnosis import Diagnosis
from .settings import stack_settings
from .stack import SERVICES, Stack, save_stack
from .supervisor import Process, Supervisor

START_TIMEOUT_S = 90.0
_ENDS_BEFORE_GIVING_UP = 3


def processes(stack: Stack) -> list[Process]:
    settings = stack_settings(stack.name)
    return [mariadb.process(stack), kafka.process(stack, settings), *redis.processes(stack)]


def names() -> list[str]:
    return [kafka.NAME, mariadb.NAME, *(redis.name(service) for service in SERVICES)]


def not_ready(stack: Stack, name: str) -> str:
    """Empty when the server `name` serves, else why it does not."""
    if name == kafka.NAME:
        return kafka.not_ready(stack)
    if name == mariadb.NAME:
        return mariadb.not_ready(stack)
    return redis.not_ready(stack, name.removeprefix("redis-"))


def up(stack: Stack, supervisor: Supervisor, others: list[Process]) -> None:
    """Brings all servers to serving, side by side. `others` are supervised but not started here."""
    save_stack(stack)
    _fetch_kafka()
    wanted = processes(stack)
    ours = {proc.pid for proc in supervisor.members()}
    for process in [*wanted, *others]:
        ports.require_free(dict(process.listens), ours)
    changed = supervisor.begin([*wanted, *others])
    jobs: list[Callable[[], None]] = [
        lambda: _mariadb_up(stack, supervisor, changed),
        lambda: _kafka_up(stack, supervisor, changed),
        lambda: _redis_up(stack, supervisor, changed),
    ]
    with ThreadPoolExecutor(len(jobs)) as pool:
        for outcome in [pool.submit(job) for job in jobs]:
            outcome.result()


def start_and_wait(
    supervisor: Supervisor,
    process: Process,
    why_not: Callable[[], str],
    log_tail: Callable[[], str],
    timeout_s: float = START_TIMEOUT_S,
) -> None:
    """Starts a process and returns when it serves; names it, with its last words, if it can't."""
    supervisor.start(process.name)
    deadline = time.monotonic() + timeout_s
    pids: set[int] = set()
    while True:
        running = supervisor.running(process.name)
        reason = why_not() if running else "it is not running"
        if running and not reason:
            return
        if running:
            pids.add(running.pid)
        if len(pids) > _ENDS_BEFORE_GIVING_UP or time.monotonic() > deadline:
            supervisor.stop(process.name, process.stop_grace_s)
            ended = "keeps ending" if len(pids) > 1 else f"did not serve within {timeout_s:.0f} s"
            raise Diagnosis(
                f"{process.name} {ended}: {reason}",
                f"its last words are above; all of them: ./kessai logs {process.name}",
                log_tail(),
            )
        time.sleep(0.1)


def log_tail(stack: Stack, name: str, lines: int = 15) -> str:
    path = stack.log / name / "current"
    if not path.exists():
        return "(it wrote nothing)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _fetch_kafka() -> None:
    if kafka_jars.present():
        return
    with say.step(f"fetch Kafka {kafka_jars.version()} with Maven"):
        kafka_jars.fetch()


def _serve(stack: Stack, supervisor: Supervisor, process: Process, changed: set[str]) -> None:
    if process.name in changed:
        supervisor.stop(process.name, process.stop_grace_s)
    start_and_wait(
        supervisor,
        process,
        lambda: not_ready(stack, process.name),
        lambda: log_tail(stack, process.name),
    )


def _mariadb_up(stack: Stack, supervisor: Supervisor, changed: set[str]) -> None:
    already = supervisor.running(mariadb.NAME) is not None and mariadb.NAME not in changed
    with say.step("mariadb") as step:
        made = mariadb.prepare(stack, stack_settings(stack.name))
        _serve(stack, supervisor, mariadb.process(stack), changed)
        step.title = _outcome("mariadb", stack.port("mariadb"), already, "data directory made" * made)


def _kafka_up(stack: Stack, supervisor: Supervisor, changed: set[str]) -> None:
    already = supervisor.running(kafka.NAME) is not None and kafka.NAME not in changed
    with say.step("kafka") as step:
        formatted = kafka.prepare(stack)
        _serve(stack, supervisor, kafka.process(stack, stack_settings(stack.name)), changed)
        step.title = _outcome("kafka", stack.port("kafka"), already, "storage formatted" * formatted)
    with say.step("topics") as step:
        declared = topics.load()
        made = topics.apply(kafka.address(stack), declared)
        step.title = f"topics: {len(declared)} as declared, {len(made)} of them made now"


def _redis_up(stack: Stack, supervisor: Supervisor, changed: set[str]) -> None:
    with say.step("redis") as step:
        redis.prepare(stack, stack_settings(stack.name))
        instances = redis.processes(stack)
        already = all(supervisor.running(process.name) for process in instances)
        for process in instances:
            _serve(stack, supervisor, process, changed)
        where = ", ".join(str(port) for process in instances for port in process.listens.values())
        step.title = f"redis {'already serves' if already else 'serves'} on {where}"


def _outcome(name: str, port: int, already: bool, extra: str) -> str:
    text = f"{name} {'already serves' if already else 'serves'} on {port}"
    return f"{text}, {extra}" if extra else text

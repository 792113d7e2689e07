"""The sub-commands: one table, one function each."""

from __future__ import annotations

import argparse
import sys
from typing import Callable

from . import kafka, mariadb, redis, say, servers
from .diagnosis import Diagnosis
from .stack import Stack, open_stack
from .supervisor import Supervisor

Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except Diagnosis as diagnosis:
        sys.stdout.flush()
        print(diagnosis.text(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("kessai: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./kessai", description="Builds and runs Kessai.")
    commands = parser.add_subparsers(required=True, metavar="command")

    part = commands.add_parser("servers", help="only Kafka, MariaDB and Redis: up, down, env")
    part.add_argument("action", choices=["up", "down", "env"])
    part.add_argument("--stack", default="dev")
    part.set_defaults(run=_servers)
    return parser


def _servers(options: argparse.Namespace) -> int:
    stack = open_stack(options.stack)
    supervisor = Supervisor(stack)
    if options.action == "up":
        servers.up(stack, supervisor, [])
    elif options.action == "down":
        return _stop(stack, supervisor)
    else:
        for name, value in test_environment(stack).items():
            say.line(f"export {name}='{value}'")
    return 0


def test_environment(stack: Stack) -> dict[str, str]:
    """How integration tests find the servers of a stack."""
    return {
        "KESSAI_TEST_MYSQL": mariadb.url(stack),
        "KESSAI_TEST_REDIS": redis.url(stack, "gateway"),
        "KESSAI_TEST_KAFKA": kafka.address(stack),
    }


def _stop(stack: Stack, supervisor: Supervisor) -> int:
    left = supervisor.stop_everything([servers.names()])
    for proc in left:
        say.warning(f"pid {proc.pid} is still there: {proc.command}")
    return 1 if left else 0

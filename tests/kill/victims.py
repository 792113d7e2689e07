"""The processes of the isolated stack, how one is killed, and how one is known to serve again."""

from __future__ import annotations

import json
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Sequence

from kessai import build, procs, servers
from kessai.services import Service, variable
from kessai.stack import SERVICES, Stack, open_stack
from kessai.supervisor import Process, Supervisor

# Redis: the gateway's. The other services' instances hold nothing yet.
VICTIMS = ("payment", "payout", "reconciliation", "gateway", "kafka", "mariadb", "redis-gateway")
# From death to serving again, on a busy machine with two cores.
_BACK_WITHIN_S = 90.0
_ENDED = re.compile(r"kessai: \S+ ended \(exit code (-?\d+), signal (\d+)\)")


class DidNotComeBack(Exception):
    """A process that was killed does not serve again."""


@dataclass(frozen=True)
class Death:
    victim: str
    at_us: int  # since 1970, just before the signal was sent
    in_flight: int  # the client's requests at that moment, by its journal


class Victims:
    """All of one stack's, by pid: nobody else's process can be hit."""

    def __init__(self, access_file: Path) -> None:
        access = json.loads(access_file.read_text())
        self._stack: Stack = open_stack(access["stack"])
        self._preset = Path(access["binaries"]).parent.name
        self._supervisor = Supervisor(self._stack)

    def kill(self, name: str) -> int:
        """SIGKILL, now: when, in microseconds since 1970. The process must be running, and is dead
        when this returns."""
        proc = self._supervisor.running(name)
        if proc is None:
            raise DidNotComeBack(f"{name} does not run, so it cannot be killed")
        at_us = time.time_ns() // 1000
        procs.send(proc, signal.SIGKILL)
        if procs.wait_gone([proc], 10):
            raise DidNotComeBack(f"{name} (pid {proc.pid}) does not die of SIGKILL")
        return at_us

    def await_serving(self, name: str) -> None:
        deadline = time.monotonic() + _BACK_WITHIN_S
        while True:
            why = self.not_serving(name)
            if not why:
                return
            if time.monotonic() > deadline:
                raise DidNotComeBack(f"{name} does not serve within {_BACK_WITHIN_S:.0f} s: {why}")
            time.sleep(0.05)

    def not_serving(self, name: str) -> str:
        """Empty when it serves, else why it does not."""
        if self._supervisor.running(name) is None:
            return "it does not run"
        if name in SERVICES:
            return Service(name, self._stack, self._preset).not_ready()
        return servers.not_ready(self._stack, name)

    def ends(self, name: str) -> dict[str, int]:
        """How often it has ended so far, by the cause that its supervisor logged."""
        causes: dict[str, int] = {}
        for file in sorted((self._stack.log / name).glob("*")):
            if file.name != "current" and not file.name.startswith("@"):
                continue
            for exit_code, number in _ENDED.findall(file.read_text(errors="replace")):
                cause = f"signal {number}" if number != "0" else f"exit code {exit_code}"
                causes[cause] = causes.get(cause, 0) + 1
        return causes

    # -- with the named fault points --------------------------------------------------------------

    def fault_points(self, service: str) -> list[str]:
        """The points compiled into the service's program of the `faults` build."""
        return sorted(Service(service, self._stack, "faults").run("fault-points", 20).split())

    def restart_armed(self, service: str, faults: Sequence[str], marks: Path) -> None:
        """Runs the service's `faults` build, to die once at each of `faults` (name:nth)."""
        armed = {"KESSAI_TEST_FAULT": ",".join(faults), "KESSAI_TEST_FAULT_DIR": str(marks)}
        self._run_instead(Service(service, self._stack, "faults"), armed)

    def restart_with(self, service: str, settings: Mapping[str, str]) -> None:
        """Runs the service with other settings, by configuration path."""
        more = {variable(path): value for path, value in settings.items()}
        self._run_instead(Service(service, self._stack, self._preset), more)

    def restart_plain(self, service: str) -> None:
        self._run_instead(Service(service, self._stack, self._preset), {})

    def _run_instead(self, service: Service, more: Mapping[str, str]) -> None:
        plain = service.process()
        process = Process(
            name=plain.name,
            command=plain.command,
            listens=plain.listens,
            environment={**plain.environment, **more},
            depends_on=plain.depends_on,
            stop_grace_s=plain.stop_grace_s,
        )
        self._supervisor.begin([process])
        self._supervisor.restart(service.name, plain.stop_grace_s)


def faults_build_is_there() -> bool:
    return all(build.binary("faults", f"kessai-{name}").exists() for name in SERVICES)

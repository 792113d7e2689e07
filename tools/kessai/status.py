"""`status` and `logs`: what the processes of a stack do."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Sequence

from . import say, servers
from .diagnosis import Diagnosis
from .services import Service, shown_overrides
from .stack import PROCESS_LISTENERS, SERVICES, Stack
from .supervisor import Supervisor


@dataclass(frozen=True)
class ProcessStatus:
    process: str
    pid: int | None
    uptime_s: float | None
    ports: list[int]
    ready: bool
    why: str  # when it is not ready
    overrides: list[str]  # of restart --set


def collect(stack: Stack) -> list[ProcessStatus]:
    supervisor = Supervisor(stack)
    return [_one(stack, supervisor, name) for name in PROCESS_LISTENERS]


def show(stack: Stack, as_json: bool) -> int:
    """Prints the table; 0 when everything is ready and watched."""
    rows = collect(stack)
    supervisor = Supervisor(stack)
    watched = supervisor.runsvdir() is not None or not supervisor.members()
    if as_json:
        say.line(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        say.line(f"stack {stack.name}, .kessai/{stack.name}, ports from {stack.port_base}")
        say.line(f"{'process':<22}{'pid':>8}  {'uptime':>9}  {'ports':<13}state")
        for row in rows:
            ports = ", ".join(str(port) for port in row.ports)
            state = "ready" if row.ready else f"not ready: {row.why}"
            pid, uptime = str(row.pid or "-"), duration(row.uptime_s)
            say.line(f"{row.process:<22}{pid:>8}  {uptime:>9}  {ports:<13}{state}")
        for row in rows:
            if row.overrides:
                say.line(
                    f"{row.process} has {', '.join(row.overrides)} by restart --set; "
                    f"./kessai restart {row.process} --clear takes it back"
                )
    if not watched:
        say.warning(
            "the supervisor of these processes has ended: nothing starts again what dies; "
            "./kessai up ends them and starts all under a new one"
        )
    return 0 if watched and all(row.ready for row in rows) else 1


def duration(seconds: float | None) -> str:
    """Two units at most: 42 s, 3 m 05 s, 2 h 10 m, 4 d 01 h."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} m"
    return f"{whole // 86400} d {whole % 86400 // 3600:02} h"


def follow_logs(stack: Stack, names: Sequence[str], follow: bool, lines: int) -> int:
    """Shows the ends of the logs with tail(1), in the place of this process."""
    for name in names:
        if name not in PROCESS_LISTENERS:
            raise Diagnosis(
                f"there is no process '{name}'", f"use one of: {', '.join(PROCESS_LISTENERS)}"
            )
    chosen = [name for name in PROCESS_LISTENERS if not names or name in names]
    files = [stack.log / name / "current" for name in chosen]
    present = [str(path) for path in files if path.exists()]
    if not present:
        raise Diagnosis("nothing has been logged", "run ./kessai up")
    options = ["-F"] if follow else []  # by name: svlogd begins a new file when one is full
    os.execvp("tail", ["tail", "-n", str(lines), *options, "--", *present])


def _one(stack: Stack, supervisor: Supervisor, name: str) -> ProcessStatus:
    ports = list(stack.listens(name).values())
    running = supervisor.running(name)
    kept = shown_overrides(stack, name) if name in SERVICES else []
    if running is None:
        why = "ended, its supervisor starts it again" if supervisor.wanted(name) else "not started"
        if supervisor.runsvdir() is None:
            why = "not started"
        return ProcessStatus(name, None, None, ports, False, why, kept)
    why = _not_ready(stack, name)
    uptime_s = round(running.uptime_s(), 1)
    return ProcessStatus(name, running.pid, uptime_s, ports, not why, why, kept)


def _not_ready(stack: Stack, name: str) -> str:
    if name in SERVICES:
        return Service(name, stack, preset="release").not_ready()
    return servers.not_ready(stack, name)

"""Processes by identity. A pid alone can be reused: one is told by pid, start time and boot."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable


@dataclass(frozen=True)
class Proc:
    pid: int
    started_ticks: int  # since boot, /proc/<pid>/stat field 22
    command: str

    def alive(self) -> bool:
        """False also for a zombie: it runs nothing and listens on nothing."""
        return _start_ticks(self.pid) == self.started_ticks

    def uptime_s(self) -> float:
        since_boot = float(Path("/proc/uptime").read_text().split()[0])
        return since_boot - self.started_ticks / os.sysconf("SC_CLK_TCK")


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def look_up(pid: int) -> Proc | None:
    ticks = _start_ticks(pid)
    if ticks is None:
        return None
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None
    command = raw.replace(b"\0", b" ").decode(errors="replace").strip()
    return Proc(pid, ticks, command or f"[{name}]")


def carrying(marker: str) -> list[Proc]:
    """Every live process whose environment has the entry `marker`, oldest first."""
    wanted = marker.encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            environment = Path(f"/proc/{entry}/environ").read_bytes()
        except OSError:
            continue  # ended meanwhile, or another user's: then not one of ours
        if wanted in environment.split(b"\0"):
            proc = look_up(int(entry))
            if proc is not None:
                found.append(proc)
    return sorted(found, key=lambda proc: proc.started_ticks)


def send(proc: Proc, number: signal.Signals) -> None:
    """Signals exactly this process, or nobody when it is gone (a pidfd can't hit a reused pid)."""
    try:
        handle = os.pidfd_open(proc.pid)
    except OSError:
        return
    try:
        if proc.alive():
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        pass
    finally:
        os.close(handle)


def wait_gone(procs: Iterable[Proc], timeout_s: float) -> list[Proc]:
    """Waits until all are gone or the time is over; returns those still there."""
    deadline = time.monotonic() + timeout_s
    left = [proc for proc in procs if proc.alive()]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [proc for proc in left if proc.alive()]
    return left


def _start_ticks(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else int(fields[19])

"""The stack's processes under Debian's runit: one runsvdir a stack, one runsv and svlogd a process.

Why runit, and how a stack's processes are told from others: docs/decisions/ (2026-11-22).
Every process starts under `setpriv --pdeathsig TERM`, so that it ends when its runsv is killed, and
under a lock that the new one waits for: there are never two of it on one data directory.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Sequence

from . import procs, say
from .diagnosis import Diagnosis
from .procs import Proc
from .stack import Stack

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOG_BYTES = 20_000_000
_LOG_FILES = 5
_OPEN_FILES = 65536


@dataclass(frozen=True)
class Process:
    """One supervised process. It gets exactly `environment` and nothing of the caller's."""

    name: str
    command: Sequence[str]
    listens: Mapping[str, int]  # listener -> port
    environment: Mapping[str, str] = field(default_factory=dict)
    depends_on: Sequence[str] = ()  # digests of files it reads: a change needs a restart
    stop_grace_s: float = 20.0


class Supervisor:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._tree = stack.directory / "sv"
        self._record = stack.directory / "supervisor.json"

    # -- what there is ------------------------------------------------------------------------

    def members(self) -> list[Proc]:
        """Every live process of this stack, supervisors and loggers included."""
        return procs.carrying(self._stack.marker)

    def runsvdir(self) -> Proc | None:
        """The stack's runsvdir, if the one that was recorded still runs."""
        try:
            record = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return None
        if record.get("boot_id") != procs.boot_id():
            return None
        proc = procs.look_up(record["pid"])
        return proc if proc and proc.started_ticks == record["started_ticks"] else None

    def running(self, name: str) -> Proc | None:
        """The process `name` itself (not its runsv), while it runs."""
        try:
            text = (self._tree / name / "supervise" / "pid").read_text().strip()
        except OSError:
            return None
        proc = procs.look_up(int(text)) if text else None
        if proc is None or not _has_marker(proc.pid, self._stack.marker):
            return None
        return proc

    def wanted(self, name: str) -> bool:
        """Whether `name` is meant to run."""
        return (self._tree / name / "run").exists() and not (self._tree / name / "down").exists()

    def outdated(self, name: str) -> bool:
        """Whether `name` runs with an older command, environment or configuration than it should."""
        proc = self.running(name)
        written = (self._tree / name / "run").stat().st_mtime
        return proc is not None and written > time.time() - proc.uptime_s() + 0.05

    def names(self) -> list[str]:
        return sorted(path.parent.name for path in self._tree.glob("*/run"))

    # -- starting -----------------------------------------------------------------------------

    def begin(self, processes: Sequence[Process]) -> None:
        """Writes every process's directory and makes sure that runsvdir watches them.

        Starts none of them, and leaves alone those that run (see `outdated`).
        """
        if self.runsvdir() is None and self.members():
            say.warning("found left-overs of an earlier run of this stack: stopping them")
            self.stop_everything()
        for process in processes:
            self._write(process)
        if self.runsvdir() is None:
            self._start_runsvdir()
        for process in processes:
            self._await_runsv(process.name)

    def start(self, name: str) -> None:
        """Asks for `name` to run, now and after every death, until `stop`."""
        (self._tree / name / "down").unlink(missing_ok=True)
        self._control(name, b"u")

    def stop(self, process_name: str, grace_s: float = 20.0) -> None:
        """Ends `process_name` with TERM, then KILL after the grace, and keeps it down."""
        (self._tree / process_name / "down").touch()
        proc = self.running(process_name)
        self._control(process_name, b"d")
        if proc is not None and procs.wait_gone([proc], grace_s):
            say.warning(f"{process_name} (pid {proc.pid}) did not end in {grace_s:.0f} s: killing it")
            procs.send(proc, signal.SIGKILL)
            procs.wait_gone([proc], 5)

    def restart(self, name: str, grace_s: float = 20.0) -> None:
        self.stop(name, grace_s)
        self.start(name)

    # -- stopping everything --------------------------------------------------------------------

    def stop_everything(self, order: Sequence[Sequence[str]] = ()) -> list[Proc]:
        """Ends all processes of this stack, group after group of `order`, then whatever is left.

        Returns what could not be ended, which is nothing unless the kernel holds a process.
        """
        top = self.runsvdir()
        if top is not None:  # first: it would start a runsv that ends again
            procs.send(top, signal.SIGTERM)
            procs.wait_gone([top], 5)
        rest = [name for name in self.names() if not any(name in group for group in order)]
        for group in [*order, rest]:
            self._stop_group([name for name in group if name in self.names()])
        self._record.unlink(missing_ok=True)
        return self._end_members()

    def _stop_group(self, names: Sequence[str], grace_s: float = 60.0) -> None:
        waiting: dict[str, Proc] = {}
        for name in names:
            (self._tree / name / "down").touch()
            proc = self.running(name)
            if proc is not None:
                waiting[name] = proc
            self._control(name, b"x", required=False)
        for name, proc in waiting.items():
            if procs.wait_gone([proc], grace_s):
                say.warning(f"{name} (pid {proc.pid}) did not end in {grace_s:.0f} s: killing it")
                procs.send(proc, signal.SIGKILL)
                procs.wait_gone([proc], 5)

    def _end_members(self) -> list[Proc]:
        """runsv and svlogd end by themselves once their process has; then TERM, then KILL."""
        left = procs.wait_gone(self.members(), 3)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for proc in left:
                say.warning(f"ending pid {proc.pid} with {number.name}: {proc.command[:80]}")
                procs.send(proc, number)
            procs.wait_gone(left, 5)
            left = self.members()
        return left

    # -- pieces ---------------------------------------------------------------------------------

    def _write(self, process: Process) -> None:
        home = self._tree / process.name
        log_directory = self._stack.log / process.name
        (home / "log").mkdir(parents=True, exist_ok=True)
        log_directory.mkdir(parents=True, exist_ok=True)
        (log_directory / "config").write_text(f"s{_LOG_BYTES}\nn{_LOG_FILES}\n")
        if not (home / "run").exists():
            (home / "down").touch()
        _write_script(home / "log" / "run", f"exec svlogd -b 16384 {shlex.quote(str(log_directory))}\n")
        _write_script(
            home / "finish",
            f'echo "kessai: {process.name} ended (exit code $1, signal $(($2 & 127)))"\n',
        )
        _write_script(home / "run", self._run_script(process))

    def _run_script(self, process: Process) -> str:
        environment = {"PATH": _PATH, "LANG": "C.UTF-8", **process.environment}
        entries = [f"{key}={value}" for key, value in environment.items()]
        words = [
            "env", "-i", self._stack.marker, *entries,
            "chpst", "-o", str(_OPEN_FILES), "-l", str(self._tree / process.name / "lock"),
            "setpriv", "--pdeathsig", "TERM",
            *process.command,
        ]  # fmt: skip
        joined = " \\\n    ".join(shlex.quote(word) for word in words)
        return (
            f"# depends on: {' '.join(process.depends_on)}\n"
            "exec 2>&1\n"
            f"cd {shlex.quote(str(self._stack.directory))} || exit 1\n"
            f"exec {joined}\n"
        )

    def _start_runsvdir(self) -> None:
        key, value = self._stack.marker.split("=", 1)
        with open(self._stack.log / "runsvdir.log", "ab") as log:
            child = subprocess.Popen(
                ["runsvdir", "-P", str(self._tree)],
                cwd=self._stack.directory,
                env={"PATH": _PATH, "LANG": "C.UTF-8", key: value},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        proc = procs.look_up(child.pid)
        if proc is None:
            raise Diagnosis("runsvdir ended at once", f"read {self._stack.log / 'runsvdir.log'}")
        record = {"pid": proc.pid, "started_ticks": proc.started_ticks, "boot_id": procs.boot_id()}
        self._record.write_text(json.dumps(record) + "\n")

    def _await_runsv(self, name: str) -> None:
        deadline = time.monotonic() + 10  # runsvdir looks for new directories every 5 s
        while not self._control(name, b"", required=False):
            if time.monotonic() > deadline:
                raise Diagnosis(
                    f"runit does not watch {name}",
                    f"read {self._stack.log / 'runsvdir.log'}; then ./kessai down and up again",
                )
            time.sleep(0.02)

    def _control(self, name: str, command: bytes, required: bool = True) -> bool:
        """Writes to the runsv of `name`. Only our runsv reads that pipe, so nobody else is hit."""
        path = self._tree / name / "supervise" / "control"
        try:
            pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            if required:
                raise Diagnosis(f"the supervisor of {name} is not running", "run ./kessai up") from None
            return False
        try:
            if command:
                os.write(pipe, command)
        finally:
            os.close(pipe)
        return True


def digest(text: str) -> str:
    """What `Process.depends_on` wants to know of a configuration."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _has_marker(pid: int, marker: str) -> bool:
    try:
        return marker.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _write_script(path: Path, body: str) -> None:
    """Writes an executable script in one step, and not at all if it already is so."""
    text = "#!/bin/sh\n# Written by ./kessai; changes here are lost.\n" + body
    if path.exists() and path.read_text() == text:
        return
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o700)
    fresh.replace(path)

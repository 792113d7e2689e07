"""`./kessai bench recon`: on a whole stack of its own, with room for the day in the database's memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Sequence

from . import bench_stack, mariadb, packages, say, up
from .diagnosis import Diagnosis
from .stack import ROOT, Stack
from .supervisor import Supervisor

PROGRAM = ROOT / "tests" / "bench" / "recon" / "recon_bench.py"
WATCHED = ("payment", "payout", "reconciliation", mariadb.NAME)
# The rows of ten million payments in three books are some 7 GiB; what does not fit is read from disk.
_BUFFER_POOL = "8G"


def main(arguments: Sequence[str]) -> int:
    if "--help" in arguments or "-h" in arguments:
        return _run(arguments)
    if _run([*arguments, "--check"]) != 0:
        return 2
    packages.install_missing()
    os.environ.setdefault("KESSAI_STACK_MYSQL_BUFFER_POOL", _BUFFER_POOL)
    with bench_stack.empty_stack() as stack:
        say.line(f"an isolated stack: .kessai/{stack.name}, ports from {stack.port_base}")
        up.whole_stack_up(stack, bench_stack.PRESET, say.Phases(), compile_first=True)
        return _run(
            ["--stack-file", str(stack.directory / "access.json"),
             "--pids", json.dumps(_pids(stack)), *arguments]
        )  # fmt: skip


def _pids(stack: Stack) -> dict[str, int]:
    supervisor = Supervisor(stack)
    found = {}
    for name in WATCHED:
        running = supervisor.running(name)
        if running is None:
            raise Diagnosis(f"{name} does not run", f"see .kessai/{stack.name}/log")
        found[name] = running.pid
    return found


def _run(arguments: Sequence[str]) -> int:
    return subprocess.run([sys.executable, str(PROGRAM), *arguments], check=False).returncode

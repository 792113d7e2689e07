"""Sub-commands whose work is done by a program of the tree: one line each in `COMMANDS`.

Such a program is called as `PROGRAM --stack-file .kessai/<stack>/access.json ARGUMENTS…` and finds
in that file whatever it needs to reach the stack (see access.py). Its exit code is the command's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from . import release_bench
from .diagnosis import Diagnosis
from .stack import ROOT, Stack, open_stack


@dataclass(frozen=True)
class External:
    name: str
    program: str  # "bin/…" in the build of the stack, or a path in the tree (.py is run by Python)
    summary: str
    needs_stack: bool = True  # the stack must be up


COMMANDS = (
    External("demo", "tools/demo/demo.py", "makes one payment and prints it as a receipt"),
    External("audit", "bin/kessai-audit", "checks the invariants on the live databases"),
    External("bench", "bin/kessai-bench", "measures payments a second, or the release of a day"),
    External("dlq", "tools/operate/dlq.py", "lists, replays and discards dead-lettered events"),
    External("day", "tools/operate/day.py", "shows and closes a business day"),
    External("release", "tools/operate/release.py", "releases a closed day to merchants"),
    External("payout", "tools/operate/payout.py", "pays merchants: accounts, transfers, results, books"),
    External("recon", "tools/operate/recon.py", "shows and works on discrepancies"),
    External("spark", "tools/operate/spark.py", "recounts or exports a closed day on Apache Spark"),
)


def find(name: str) -> External | None:
    return next((command for command in COMMANDS if command.name == name), None)


def program(command: External, stack: Stack) -> Path | None:
    """Where its program is; None while the tree has none."""
    if command.program.startswith("bin/"):
        path = Path(_access(stack).get("binaries", ROOT / "build" / "release" / "bin"))
        path = path / command.program.removeprefix("bin/")
    else:
        path = ROOT / command.program
    return path if path.exists() else None


def main(command: External, arguments: Sequence[str]) -> int:
    """`./kessai COMMAND [--stack NAME] ARGUMENTS…`"""
    if command.name == "bench" and arguments[:1] == ["release"]:
        return release_bench.main(arguments[1:])
    name = "dev"
    if len(arguments) >= 2 and arguments[0] == "--stack":
        name, arguments = arguments[1], arguments[2:]
    return run(command, open_stack(name), arguments)


def run(command: External, stack: Stack, arguments: Sequence[str], check: bool = False) -> int:
    path = program(command, stack)
    if path is None:
        raise Diagnosis(
            f"'{command.name}' has no program: {command.program} is not there",
            "build the tree with ./kessai build; if it stays so, this version has no such command",
        )
    access_file = stack.directory / "access.json"
    if command.needs_stack and not access_file.exists():
        raise Diagnosis(f"the stack '{stack.name}' is not up", "run ./kessai up")
    interpreter = [sys.executable] if path.suffix == ".py" else []
    sys.stdout.flush()
    code = subprocess.run(
        [*interpreter, str(path), "--stack-file", str(access_file), *arguments],
        env=_environment(), check=False,
    ).returncode  # fmt: skip
    if check and code != 0:
        raise Diagnosis(
            f"'{command.name}' failed with exit code {code}",
            "see its messages above, and ./kessai logs gateway, payment, payout, reconciliation",
        )
    return code


def _environment() -> dict[str, str]:
    """The caller's environment without the variables that speak to this command."""
    own = ("KESSAI_PORT_BASE", "KESSAI_STACK_")
    return {key: value for key, value in os.environ.items() if not key.startswith(own)}


def _access(stack: Stack) -> dict[str, str]:
    try:
        return dict(json.loads((stack.directory / "access.json").read_text()))
    except (OSError, ValueError):
        return {}

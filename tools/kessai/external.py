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

from . import say
from .diagnosis import Diagnosis
from .stack import ROOT, Stack, ignored_port_base, open_stack
from .supervisor import Supervisor


_END_S = 60.0  # a bench puts back what it changed


@dataclass(frozen=True)
class External:
    name: str
    program: str  # "bin/…" in the build of the stack, or a path in the tree (.py is run by Python)
    summary: str
    needs_stack: bool = True  # the stack must be up


COMMANDS = (
    External("demo", "tools/demo/demo.py", "makes one payment and prints it as a receipt; `demo payout`: a week, paid; `demo recon`: books that differ"),
    External("audit", "bin/kessai-audit", "checks the invariants on the live databases"),
    External("bench", "bin/kessai-bench", "measures payments a second, the release of a day, its comparison, or files"),
    External("dlq", "tools/operate/dlq.py", "lists, replays and discards dead-lettered events"),
    External("republish", "tools/operate/republish.py", "publishes events of payment, transfers and holds again"),
    External("day", "tools/operate/day.py", "shows and closes a business day"),
    External("release", "tools/operate/release.py", "releases a closed day to merchants"),
    External("payout", "tools/operate/payout.py", "pays merchants: fee plans, accounts, transfers, results, books"),
    External("books", "tools/operate/books.py", "shows both ledgers of a day, and whether they agree"),
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
    """`./kessai COMMAND ARGUMENTS…`, with `--stack NAME` anywhere among them."""
    name, arguments = stack_name(arguments)
    stack = open_stack(name)
    if ignored := ignored_port_base(stack):
        say.warning(ignored)
    code = run(command, stack, arguments)
    if asks_for_help(arguments):
        say.line("\n  --stack NAME            which stack (default: dev)")
    return code


def asks_for_help(arguments: Sequence[str]) -> bool:
    return "--help" in arguments or "-h" in arguments


def _environment() -> dict[str, str]:
    """The caller's environment without the variables that speak to this command."""
    own = ("KESSAI_PORT_BASE", "KESSAI_STACK_")
    return {key: value for key, value in os.environ.items() if not key.startswith(own)}


def _access(stack: Stack) -> dict[str, str]:
    try:
        return dict(json.loads((stack.directory / "access.json").read_text()))
    except (OSError, ValueError):
        return {}


def stack_name(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The stack that was named, and the arguments that are the program's."""
    name, rest = "dev", list(arguments)
    for at, argument in enumerate(rest):
        if argument == "--stack":
            if at + 1 == len(rest):
                raise Diagnosis("--stack names no stack", "write --stack NAME")
            name, rest[at : at + 2] = rest[at + 1], []
            break
        if argument.startswith("--stack="):
            name = argument.removeprefix("--stack=")
            del rest[at]
            break
    return name, rest


def run(command: External, stack: Stack, arguments: Sequence[str], check: bool = False) -> int:
    path = program(command, stack)
    if path is None:
        raise Diagnosis(
            f"'{command.name}', which {command.summary}, has no program: {command.program} is not there",
            "build the tree with ./kessai build, then --help has its options; "
            "if it stays so, this version has no such command",
        )
    access_file = stack.directory / "access.json"
    if command.needs_stack and not asks_for_help(arguments):
        if not access_file.exists() or not Supervisor(stack).members():
            named = "" if stack.name == "dev" else f" --stack {stack.name}"
            raise Diagnosis(f"the stack '{stack.name}' is not up", f"run ./kessai up{named}")
    interpreter = [sys.executable] if path.suffix == ".py" else []
    sys.stdout.flush()
    code = _code_of([*interpreter, str(path), "--stack-file", str(access_file), *arguments])
    if check and code != 0:
        raise Diagnosis(
            f"'{command.name}' failed with exit code {code}",
            "see its messages above, and ./kessai logs gateway, payment, payout, reconciliation",
        )
    return code


def _code_of(command: Sequence[str]) -> int:
    """Runs it in the foreground, and when the command is interrupted leaves it time to end in order."""
    with subprocess.Popen(command, env=_environment()) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()  # at a terminal it has heard of it already; else nobody told it
            try:
                process.wait(timeout=_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
            raise

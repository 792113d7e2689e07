"""`./kessai bench files`: on an isolated stack of its own, of which it starts MariaDB."""

from __future__ import annotations

import os
import subprocess
from typing import Sequence

from . import build, mariadb, packages, say, up
from .diagnosis import Diagnosis
from .lock import exclusive
from .release_bench import PRESET, STACK, clear
from .stack import Stack, open_stack

PROGRAM = "kessai-files-bench"


def main(arguments: Sequence[str]) -> int:
    if "--help" in arguments or "-h" in arguments:
        return _help()
    stack = open_stack(STACK, may_move=True)
    with exclusive(stack):
        packages.install_missing()
        build.build(PRESET, [PROGRAM])
        clear(stack)  # a run that was interrupted may have left something
        try:
            say.line(f"an isolated stack: .kessai/{stack.name}, ports from {stack.port_base}")
            up.servers_up(stack, PRESET, [mariadb.NAME])
            return _run(arguments, _environment(stack))
        finally:
            clear(stack)


def _help() -> int:
    """The program's own; nothing is built for it."""
    if not build.binary(PRESET, PROGRAM).exists():
        raise Diagnosis("'bench files' is not built", "./kessai build, then --help has its options")
    return _run(["--help"], {})


def _environment(stack: Stack) -> dict[str, str]:
    folder = stack.directory / "bench-files"
    folder.mkdir(exist_ok=True)
    return {
        "KESSAI_BENCH_MYSQL": mariadb.service_url(stack, "payment"),
        "KESSAI_BENCH_MYSQL_ROOT": mariadb.url(stack) + "/" + mariadb.schema("payment"),
        "KESSAI_BENCH_FOLDER": str(folder),
    }


def _run(arguments: Sequence[str], environment: dict[str, str]) -> int:
    command = [str(build.binary(PRESET, PROGRAM)), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode

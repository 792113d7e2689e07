"""`./kessai bench files`: on an isolated stack of its own, of which it starts MariaDB."""

from __future__ import annotations

import os
import subprocess
from typing import Sequence

from . import bench_stack, build, mariadb, packages, say, up
from .diagnosis import Diagnosis
from .stack import Stack

PROGRAM = "kessai-files-bench"


def main(arguments: Sequence[str]) -> int:
    if "--help" in arguments or "-h" in arguments:
        return _help()
    packages.install_missing()
    build.build(bench_stack.PRESET, [PROGRAM])
    with bench_stack.empty_stack() as stack:
        say.line(f"an isolated stack: .kessai/{stack.name}, ports from {stack.port_base}")
        up.servers_up(stack, bench_stack.PRESET, [mariadb.NAME])
        return _run(arguments, _environment(stack))


def _help() -> int:
    """The program's own; nothing is built for it."""
    if not build.binary(bench_stack.PRESET, PROGRAM).exists():
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
    command = [str(build.binary(bench_stack.PRESET, PROGRAM)), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode

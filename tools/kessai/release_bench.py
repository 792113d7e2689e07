"""`./kessai bench release`: on an isolated stack of its own, of which it starts what it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Sequence

from . import build, kafka, mariadb, packages, say, spark_environment, up
from .diagnosis import Diagnosis
from .lock import exclusive
from .stack import ROOT, Stack, open_stack

STACK = "bench"
PROGRAM = "kessai-release-bench"
PRESET = "release"
SPARK_JOB = ROOT / "tests" / "bench" / "release" / "spark_release.py"
_SPARK_MEMORY = "4g"


def main(arguments: Sequence[str]) -> int:
    if "--help" in arguments or "-h" in arguments:
        return _help()
    stack = open_stack(STACK, may_move=True)
    with exclusive(stack):
        packages.install_missing()
        build.build(PRESET, [PROGRAM])
        spark = _spark_environment() if "--spark" in arguments else {}
        clear(stack)  # a run that was interrupted may have left something
        try:
            names = [mariadb.NAME] if "--bulk" in arguments else [mariadb.NAME, kafka.NAME]
            say.line(f"an isolated stack: .kessai/{stack.name}, ports from {stack.port_base}")
            up.servers_up(stack, PRESET, names)
            return _run(arguments, {**_environment(stack), **spark})
        finally:
            clear(stack)


def _help() -> int:
    """The program's own; nothing is built for it."""
    if not build.binary(PRESET, PROGRAM).exists():
        raise Diagnosis("'bench release' is not built", "./kessai build, then --help has its options")
    return _run(["--help"], {})


def _environment(stack: Stack) -> dict[str, str]:
    return {
        "KESSAI_BENCH_MYSQL": mariadb.service_url(stack, "payout"),
        "KESSAI_BENCH_KAFKA": kafka.address(stack),
    }


def _spark_environment() -> dict[str, str]:
    spark_environment.prepare()
    command = spark_environment.submit_command(SPARK_JOB, _SPARK_MEMORY)
    return {"KESSAI_BENCH_SPARK": "\n".join(command), **spark_environment.variables()}


def _run(arguments: Sequence[str], environment: dict[str, str]) -> int:
    command = [str(build.binary(PRESET, PROGRAM)), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def clear(stack: Stack) -> None:
    if not stack.directory.exists():
        return
    if not up.stop(stack):
        raise Diagnosis("the bench's stack does not end", "see the processes named above")
    shutil.rmtree(stack.directory)

"""`./kessai bench release`: on an isolated stack of its own, of which it starts what it needs."""

from __future__ import annotations

import os
import subprocess
from typing import Sequence

from . import bench_stack, build, kafka, mariadb, packages, say, spark_environment, up
from .diagnosis import Diagnosis
from .stack import ROOT, Stack

PROGRAM = "kessai-release-bench"
SPARK_JOB = ROOT / "tests" / "bench" / "release" / "spark_release.py"
_SPARK_MEMORY = "4g"


def main(arguments: Sequence[str]) -> int:
    if "--help" in arguments or "-h" in arguments:
        return _help()
    packages.install_missing()
    build.build(bench_stack.PRESET, [PROGRAM])
    spark = _spark_environment() if "--spark" in arguments else {}
    with bench_stack.empty_stack() as stack:
        names = [mariadb.NAME] if "--bulk" in arguments else [mariadb.NAME, kafka.NAME]
        say.line(f"an isolated stack: .kessai/{stack.name}, ports from {stack.port_base}")
        up.servers_up(stack, bench_stack.PRESET, names)
        return _run(arguments, {**_environment(stack), **spark})


def _help() -> int:
    """The program's own; nothing is built for it."""
    if not build.binary(bench_stack.PRESET, PROGRAM).exists():
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
    command = [str(build.binary(bench_stack.PRESET, PROGRAM)), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode

"""Configures and compiles with CMake's presets, with progress, and says why when it fails."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import deque
from pathlib import Path
from typing import Sequence

from . import children, say
from .diagnosis import Diagnosis
from .lock import shared_parts
from .stack import ROOT

_PROGRESS = re.compile(r"^\[(\d+)/(\d+)\] ")
_JOB_BYTES = 1_500_000_000  # what one compilation of a gRPC heavy file takes at its peak


def directory(preset: str) -> Path:
    return ROOT / "build" / preset


def binary(preset: str, name: str) -> Path:
    return directory(preset) / "bin" / name


def build(preset: str, targets: Sequence[str] | None = None) -> None:
    """Compiles `targets`, or everything. The first time it configures too."""
    if targets is not None and not targets:
        raise Diagnosis("there is nothing to build", "the tree is not whole: git status")
    _require_tools()
    what = "everything" if targets is None else f"{len(targets)} programs"
    with shared_parts("build"):
        _configure(preset)
        _compile(preset, targets, what)


def programs(preset: str) -> list[str]:
    """The targets whose result is bin/kessai-…: what a stack runs."""
    _require_tools()
    with shared_parts("build"):
        _configure(preset)
    result = children.run(["ninja", "-C", str(directory(preset)), "-t", "targets", "all"])
    found = re.findall(r"^bin/(kessai-[a-z0-9-]+): ", result.stdout, re.MULTILINE)
    return sorted(set(found))


def jobs() -> int:
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(cores, memory // _JOB_BYTES))


def _compile(preset: str, targets: Sequence[str] | None, what: str) -> None:
    with say.step(f"build {what} ({preset})") as step:
        command = ["cmake", "--build", "--preset", preset, "--parallel", str(jobs())]
        if targets is not None:
            command += ["--target", *targets]
        compiled = _run_with_progress(command, step)
        if compiled == 0:
            step.title = f"build {what} ({preset}): nothing to do"
        else:
            step.title = f"build {what} ({preset}): {compiled} steps with {jobs()} at once"


def _configure(preset: str) -> None:
    if (directory(preset) / "build.ninja").exists():
        return  # ninja runs CMake again by itself when its files change
    with say.step(f"configure ({preset})"):
        result = children.run(["cmake", "--preset", preset], cwd=ROOT)
        if result.returncode != 0:
            raise Diagnosis(
                f"CMake could not configure the preset '{preset}'",
                "see its messages; the presets are listed by: cmake --list-presets",
                (result.stdout + result.stderr).strip()[-3000:],
            )


def _run_with_progress(command: Sequence[str], step: say.Step) -> int:
    """Runs ninja by CMake, reports every tenth of the way; returns the number of steps it took."""
    tail: deque[str] = deque(maxlen=60)
    total = 0
    reported = 0
    environment = {**os.environ, "NINJA_STATUS": "[%f/%t] "}
    with children.child(
        command, cwd=ROOT, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for text in process.stdout:
            progress = _PROGRESS.match(text)
            if progress is None:
                tail.append(text.rstrip())
                continue
            done, total = int(progress.group(1)), int(progress.group(2))
            if total >= 50 and done * 10 // total > reported:
                reported = done * 10 // total
                step.progress(f"{done} of {total}")
    if process.returncode != 0:
        raise Diagnosis(
            "the build failed", "see the compiler's messages and correct the code", "\n".join(tail)
        )
    return total


def _require_tools() -> None:
    for tool in ("cmake", "ninja", "g++"):
        if shutil.which(tool) is None:
            raise Diagnosis(f"'{tool}' is missing", "run ./kessai up, which installs what is missing")

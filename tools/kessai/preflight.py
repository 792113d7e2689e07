"""What must be true of the machine before anything is started, with a remedy for each."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

from .diagnosis import Diagnosis
from .stack import ROOT, Stack

GIB = 1024**3
_DISK_TO_BUILD = 5 * GIB
_DISK_TO_RUN = 2 * GIB
_MEMORY_TO_START = 3 * GIB


def check(stack: Stack, already_running: bool) -> None:
    _check_machine()
    _check_tree()
    built = (ROOT / "build").is_dir() and stack.exists
    require_disk(shutil.disk_usage(ROOT).free, _DISK_TO_RUN if built else _DISK_TO_BUILD)
    if not already_running:
        require_memory(_available_memory())


def require_disk(free_bytes: int, needed_bytes: int) -> None:
    if free_bytes < needed_bytes:
        raise Diagnosis(
            f"too little disk: {free_bytes / GIB:.1f} GiB free where the tree is, "
            f"{needed_bytes / GIB:.0f} GiB are needed",
            "free some, for instance with ./kessai reset and by removing build/",
        )


def require_memory(available_bytes: int) -> None:
    if available_bytes < _MEMORY_TO_START:
        raise Diagnosis(
            f"too little memory: {available_bytes / GIB:.1f} GiB available, "
            f"{_MEMORY_TO_START / GIB:.0f} GiB are needed",
            "end something else, or make the servers smaller: KESSAI_STACK_MYSQL_BUFFER_POOL=256M "
            "KESSAI_STACK_KAFKA_HEAP=400m (the limit stays; it leaves room for the build)",
        )


def _check_machine() -> None:
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"):
        raise Diagnosis(
            f"this is {platform.system()} on {platform.machine()}", "use Debian 12 on x86-64 or arm64"
        )


def _check_tree() -> None:
    text = str(ROOT)
    if any(character.isspace() or character in ":'\"\\$" for character in text):
        raise Diagnosis(
            f"the path of the tree, {text}, has a character that build tools stumble over",
            "clone into a path of letters, digits, '-', '_' and '.'",
        )


def _available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 1 << 62  # unknown: do not stand in the way

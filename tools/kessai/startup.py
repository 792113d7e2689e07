"""Starting one supervised process and waiting until it serves."""

from __future__ import annotations

import time
from typing import Callable

from . import parallel
from .diagnosis import Diagnosis
from .stack import Stack
from .supervisor import Process, Supervisor

START_TIMEOUT_S = 90.0
_STARTS_BEFORE_GIVING_UP = 3


def serve(
    stack: Stack,
    supervisor: Supervisor,
    process: Process,
    why_not: Callable[[], str],
    restart: bool = False,
    timeout_s: float = START_TIMEOUT_S,
    suspect: str = "",
) -> None:
    """Returns when `why_not()` is empty; a process that can't serve is named with its last words.

    `suspect` is what to look at first then.
    """
    if restart:
        supervisor.stop(process.name, process.stop_grace_s)
    supervisor.start(process.name)
    deadline = time.monotonic() + timeout_s
    pids: set[int] = set()
    reason = "it is not running"
    while True:
        running = supervisor.running(process.name)
        if running:
            pids.add(running.pid)
            reason = why_not()
            if not reason:
                return
        if len(pids) > _STARTS_BEFORE_GIVING_UP or time.monotonic() > deadline:
            break
        parallel.pause(0.1)
    last_words = log_tail(stack, process.name)
    supervisor.stop(process.name, process.stop_grace_s)
    how = f"did not serve within {timeout_s:.0f} s ({reason})"
    if len(pids) > 1:
        how = "ends again and again"
    raise Diagnosis(
        f"{process.name} {how}",
        (f"{suspect}; " if suspect else "")
        + f"its last words are above, all of them: ./kessai logs {process.name}; "
        "what it keeps is untouched, so ./kessai up tries again",
        last_words,
    )


def log_tail(stack: Stack, name: str, lines: int = 15) -> str:
    path = stack.log / name / "current"
    if not path.exists():
        return "(it wrote nothing)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])

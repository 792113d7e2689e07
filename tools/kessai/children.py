"""Programs that work for the command: none goes on when the command ends."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import Any, Iterator, Sequence

_GRACE_S = 20.0


@contextmanager
def child(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Runs it in a process group of its own, which is ended if the block is left by an exception."""
    options.setdefault("stdin", subprocess.DEVNULL)  # to read from a terminal would stop the group
    with subprocess.Popen(command, text=True, process_group=0, **options) as process:
        try:
            yield process
        except BaseException:
            end_group(process)
            raise


def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Like subprocess.run with captured output, but what the program started ends with it too."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with child(command, **pipes, **options) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def end_group(process: subprocess.Popen[Any]) -> None:
    """TERM, then KILL, to the group that `process` leads."""
    # The leader is not reaped yet, so the group's id cannot be another's.
    for number, grace_s in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            pass

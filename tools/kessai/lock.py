"""One command at a time may change a stack."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import Iterator

from .diagnosis import Diagnosis
from .stack import Stack


@contextmanager
def exclusive(stack: Stack) -> Iterator[None]:
    """Holds the stack's lock; refuses, naming the holder, when another command has it."""
    directory = stack.directory.parent
    directory.mkdir(exist_ok=True)
    path = directory / f"{stack.name}.lock"  # beside the stack: `reset` removes the stack
    with open(path, "a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Diagnosis(
                f"another ./kessai command (pid {holder}) is changing the stack '{stack.name}'",
                "wait for it to end",
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield

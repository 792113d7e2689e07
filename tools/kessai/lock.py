"""One command at a time may change a stack, and one what all stacks share."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Iterator

from . import say
from .diagnosis import Diagnosis
from .stack import CACHE, Stack


@contextmanager
def exclusive(stack: Stack) -> Iterator[None]:
    """Holds the stack's lock; refuses, naming the holder, when another command has it."""
    # The lock is beside the stack: `reset` removes the stack.
    with _opened(stack.directory.parent / f"{stack.name}.lock") as file:
        if not _taken(file):
            raise Diagnosis(
                f"another ./kessai command (pid {_holder(file)}) is changing the stack '{stack.name}'",
                "wait for it to end",
            )
        _sign(file)
        yield


@contextmanager
def shared_parts(doing: str, directory: Path = CACHE) -> Iterator[None]:
    """Holds the lock of the build, the downloads and the machine's packages; waits for its turn."""
    with _opened(directory / "shared.lock") as file:
        if not _taken(file):
            say.line(f"  … waiting to {doing}: ./kessai of pid {_holder(file)} does such a thing now")
            fcntl.flock(file, fcntl.LOCK_EX)
        _sign(file)
        yield


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    path.parent.mkdir(exist_ok=True)
    with open(path, "a+", encoding="ascii") as file:
        yield file


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "unknown"


def _sign(file: IO[str]) -> None:
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()

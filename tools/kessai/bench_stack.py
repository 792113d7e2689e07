"""The stack that benches have for themselves: empty at their start, gone at their end."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import Iterator

from . import up
from .diagnosis import Diagnosis
from .lock import exclusive
from .stack import Stack, open_stack

STACK = "bench"
PRESET = "release"


@contextmanager
def empty_stack() -> Iterator[Stack]:
    """Nothing of it is there or runs yet."""
    stack = open_stack(STACK, may_move=True)
    with exclusive(stack):
        clear(stack)  # a run that was interrupted may have left something
        try:
            yield stack
        finally:
            clear(stack)


def clear(stack: Stack) -> None:
    if not stack.directory.exists():
        return
    if not up.stop(stack):
        raise Diagnosis("the bench's stack does not end", "see the processes named above")
    shutil.rmtree(stack.directory)

"""Runs parts of a command side by side, in threads: what they wait for is other processes."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Callable, Sequence

from . import say
from .diagnosis import Diagnosis

# Set when a part failed or the command was interrupted: whoever waits gives up.
cancelled = threading.Event()


class Cancelled(Exception):
    """Raised by a part that gave up because of another."""


def side_by_side(parts: Sequence[Callable[[], None]]) -> None:
    """Returns when all parts are done; raises the first failure, after naming the others'."""
    with ThreadPoolExecutor(len(parts)) as pool:
        futures = [pool.submit(part) for part in parts]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.done() and future.exception() for future in futures):
                cancelled.set()
            wait(futures)
        except BaseException:
            cancelled.set()
            raise
    errors = [error for future in futures if (error := future.exception()) is not None]
    failures = [error for error in errors if not isinstance(error, Cancelled)]
    for other in failures[1:]:
        say.warning(other.problem if isinstance(other, Diagnosis) else repr(other))
    if failures:
        raise failures[0]


def pause(seconds: float) -> None:
    """Sleeps between two looks at something that is waited for; raises when it is over."""
    if cancelled.wait(seconds):
        raise Cancelled

"""Waiting for what happens elsewhere."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")


class TookTooLong(Exception):
    """What was waited for did not happen in time."""


def until(what: str, find: Callable[[], T | None], timeout_s: float, every_s: float = 0.01) -> T:
    """Asks `find` until it gives something; `TookTooLong` naming `what` when the time is over."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = find()
        if found is not None:
            return found
        if time.monotonic() >= deadline:
            raise TookTooLong(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(every_s)

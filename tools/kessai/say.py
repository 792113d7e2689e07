"""What the command prints while it works: one line a step, with the time the step took."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import Iterator

_lock = threading.Lock()
_LONG_STEP_S = 3.0


def line(text: str = "") -> None:
    """Prints a whole line; safe from several threads."""
    with _lock:
        print(text, flush=True)


def warning(text: str) -> None:
    with _lock:
        print(f"  ! {text}", file=sys.stderr, flush=True)


class Phases:
    """The large parts of a command and how long each took, for the split at its end."""

    def __init__(self) -> None:
        self._seconds: list[tuple[str, float]] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        line(f"{name}")
        started = time.monotonic()
        yield
        self._seconds.append((name, time.monotonic() - started))

    def split(self) -> str:
        parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self._seconds)
        return f"{parts}; together {sum(seconds for _, seconds in self._seconds):.1f} s"


class Step:
    """A step under way. `title` may be refined while it runs, to say what was really done."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.started = time.monotonic()
        self.elapsed_s = 0.0

    def progress(self, text: str) -> None:
        line(f"    {text}")


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Times a step and prints it when it ends; a long one is announced after a few seconds too."""
    current = Step(title)
    announce = threading.Timer(_LONG_STEP_S, lambda: line(f"  … {current.title}"))
    announce.daemon = True
    announce.start()
    try:
        yield current
    except BaseException:
        announce.cancel()
        line(f"  ✗ {current.title} ({_seconds(current)})")
        raise
    announce.cancel()
    current.elapsed_s = time.monotonic() - current.started
    line(f"  ✓ {current.title} ({_seconds(current)})")


def _seconds(current: Step) -> str:
    return f"{time.monotonic() - current.started:.1f} s"

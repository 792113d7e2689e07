"""What the kill tests share: the stack that `./kessai test kill` started, and what they found."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

_ROOT = Path(__file__).resolve().parents[2]
for _part in ("tools", "tools/client", "tests/kill"):
    sys.path.insert(0, str(_ROOT / _part))

from steady_load import SteadyLoad  # noqa: E402
from victims import Victims  # noqa: E402

# Shown at the end of the run, whether or not anything failed.
_TOLD: list[str] = []


class Report:
    """Says what happened: at once into a file of the run, and at the end on the screen."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._started = time.monotonic()

    def line(self, text: str) -> None:
        _TOLD.append(text)
        with open(self._file, "a", encoding="utf-8") as out:
            out.write(text + "\n")

    def seconds(self) -> float:
        return time.monotonic() - self._started


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for text in _TOLD:
        terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def seed() -> int:
    """Of everything that is left to chance: the order and moments of the deaths, and the load."""
    return int(os.environ.get("KESSAI_TEST_SEED") or time.time_ns() // 1_000_000)


@pytest.fixture(scope="session")
def stack_file() -> Path:
    return Path(os.environ["KESSAI_TEST_STACK_FILE"])


@pytest.fixture(scope="session")
def binaries() -> Path:
    return Path(os.environ["KESSAI_TEST_BINARIES"])


@pytest.fixture(scope="session")
def directory() -> Path:
    made = _ROOT / "build" / "test-results" / "kill"
    made.mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture
def report(directory: Path) -> Report:
    return Report(directory / "report.txt")


@pytest.fixture
def victims(stack_file: Path) -> Victims:
    return Victims(stack_file)


@pytest.fixture
def load(
    request: pytest.FixtureRequest, binaries: Path, stack_file: Path, directory: Path, seed: int
) -> Iterator[SteadyLoad]:
    own = directory / request.node.name
    own.mkdir(exist_ok=True)
    load = SteadyLoad(binaries, stack_file, own, seed)
    yield load
    load.abandon()

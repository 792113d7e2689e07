"""What the tests share: a stack under load, and quiet books on it to be damaged."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest

_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT / "tools"), str(_ROOT / "tools" / "client")]
sys.path.append(str(_ROOT / "tests" / "kill"))  # behind ours, which has modules of the same names

import auditing  # noqa: E402
import damages  # noqa: E402
from kessai_client import waiting  # noqa: E402
from kessai_client.bearer import Operator  # noqa: E402
from kessai_client.http import Http  # noqa: E402
from kessai_client.stack_file import StackFile  # noqa: E402
from quiet_books import QuietBooks  # noqa: E402
from rounds import Rounds  # noqa: E402
from steady_load import SteadyLoad  # noqa: E402
from tampering import Tampering  # noqa: E402
from victims import Victims  # noqa: E402

Say = Callable[[str], None]

# The later closed day is ahead of the real one, so its transfers can't be compared with payout yet, and its
# check is made again and again. In the middle of a round it would rightly find the damage, and keep it
# open until the next one.
NO_CHECKS = {"day_run.retry_first": "1h", "day_run.retry_max": "1h"}


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    """Prints at once, also while tests pass."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(text, flush=True)

    return line


@pytest.fixture(scope="session")
def stack() -> StackFile:
    return StackFile.read(os.environ["KESSAI_TEST_STACK_FILE"])


@pytest.fixture(scope="session")
def binaries() -> Path:
    return Path(os.environ["KESSAI_TEST_BINARIES"])


@pytest.fixture(scope="session")
def load(
    stack: StackFile, binaries: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SteadyLoad]:
    running = SteadyLoad(binaries, stack.path, tmp_path_factory.mktemp("load"))
    yield running
    running.end()


@pytest.fixture(scope="session")
def audit(stack: StackFile, binaries: Path, load: SteadyLoad) -> Callable[[], auditing.Result]:
    """One audit while the load goes on."""

    def run() -> auditing.Result:
        load.require_running()
        result = auditing.run(binaries, stack.path)
        load.require_running()
        return result

    return run


@pytest.fixture(scope="session")
def tampering(stack: StackFile) -> Iterator[Tampering]:
    made = Tampering(stack)
    yield made
    made.undo()
    made.close()


@pytest.fixture(scope="session")
def books(stack: StackFile, load: SteadyLoad, tampering: Tampering, say: Say) -> QuietBooks:
    http = Http(stack.url, stack.ca_file)
    made = QuietBooks(http, Operator.sign_in(http, "audit-operator"), tampering)
    reconciliation = Victims(stack.path)
    before = made.checked_at_us()
    reconciliation.restart_with("reconciliation", NO_CHECKS)
    reconciliation.await_serving("reconciliation")
    waiting.until("the check of the later day", lambda: made.checked_at_us() > before or None, 60)
    say(f"\nquiet books: closed days {made.days[0]} and {made.days[1]}, open day {made.days[2]}")
    return made


@pytest.fixture(scope="session")
def rounds(
    books: QuietBooks,
    tampering: Tampering,
    audit: Callable[[], auditing.Result],
    say: Say,
) -> Rounds:
    return Rounds(damages.of_round, books, tampering, audit, say)

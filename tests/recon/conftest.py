"""What the tests share: a closed day of many payments, made by trade on the stack."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "client"))

import recon_books  # noqa: E402
from comparison import Comparison  # noqa: E402
from kessai_client import waiting  # noqa: E402
from kessai_client.bearer import Operator, expect  # noqa: E402
from kessai_client.day_digest import RowHasher  # noqa: E402
from kessai_client.http import Http  # noqa: E402
from kessai_client.stack_file import StackFile  # noqa: E402
from stored_books import StoredBooks  # noqa: E402

PAYMENTS = 200_000
MERCHANTS = 20
FIRST_MERCHANT = 30_000_000_000
# Until all of it is in the books of all.
SETTLED_WITHIN_S = 300.0

Say = Callable[[str], None]


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    """Prints at once, also while tests pass."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(text, flush=True)

    return line


@pytest.fixture(scope="session")
def seed() -> int:
    """Of what is left to chance."""
    return int(os.environ.get("KESSAI_TEST_SEED") or time.time_ns() // 1_000_000)


@pytest.fixture(scope="session")
def stack() -> StackFile:
    return StackFile.read(os.environ["KESSAI_TEST_STACK_FILE"])


@pytest.fixture(scope="session")
def binaries() -> Path:
    return Path(os.environ["KESSAI_TEST_BINARIES"])


@pytest.fixture(scope="session")
def operator(stack: StackFile) -> Operator:
    return Operator.sign_in(Http(stack.url, stack.ca_file, timeout_s=60), "recon-operator")


@pytest.fixture(scope="session")
def hasher(stack: StackFile) -> RowHasher:
    return RowHasher(recon_books.digest_key(stack))


@pytest.fixture(scope="session")
def closed_day(
    stack: StackFile, binaries: Path, operator: Operator, seed: int, say: Say
) -> str:
    """A day of trade by payment's own executor, that went its way through everything and was found equal.

    Its changes are in all books exactly as the services write them, events in Kafka included."""
    begin = time.monotonic()
    for number in range(MERCHANTS):
        operator.put_merchant(FIRST_MERCHANT + number, f"店 {number}", multiple_refunds=True)
    said = recon_books.make(
        stack, binaries, "live", "--payments", str(PAYMENTS), "--merchants", str(MERCHANTS),
        "--first-merchant", str(FIRST_MERCHANT), "--seed", str(seed % 1_000_000),
    ).strip()  # fmt: skip
    traded = time.monotonic() - begin
    day = str(expect(operator.call("GET", "/operator/v1/days/today"), 200)["businessDate"])
    expect(operator.call("POST", f"/operator/v1/days/{day}/close", {"early": True}), 200)
    compared = Comparison(operator, day)

    def equal() -> Any | None:
        answer = operator.call("GET", f"/operator/v1/days/{day}/reconciliation")
        if answer.status != 200:
            return None  # no run yet
        run = compared.latest()
        assert run.state in ("RUNNING", "EQUAL"), f"the day is not equal before it is damaged: {run}"
        return run if run.state == "EQUAL" else None

    waiting.until(f"the comparison of {day}", equal, SETTLED_WITHIN_S, every_s=0.5)
    say(
        f"\n{day}: {said}, in {traded:.0f} s; in all books and compared after"
        f" {time.monotonic() - begin:.0f} s"
    )
    return day


@pytest.fixture(scope="session")
def comparison(operator: Operator, closed_day: str) -> Comparison:
    return Comparison(operator, closed_day)


@pytest.fixture
def equal_day(comparison: Comparison, books: StoredBooks) -> str:
    """The day, with nothing unsettled: what a test that failed has left is settled first."""
    if comparison.discrepancies():
        run = comparison.run(deep=True)
        assert run.state == "EQUAL" and not comparison.discrepancies(), run
    return comparison.date


@pytest.fixture(scope="session")
def books(stack: StackFile, closed_day: str, say: Say) -> Iterator[StoredBooks]:
    made = StoredBooks(stack, closed_day)
    say(f"{len(made.keys):,} changes to damage")
    yield made
    made.undo()
    made.close()

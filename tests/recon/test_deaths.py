"""Death of any of the three services while a damaged day is compared.

Goal: nothing that was found is lost, nothing is recorded twice, and no run stays under way: one that was
killed is marked as failed by the next, which finds all.
Method: 500 damages; while a deep run goes on reconciliation, payment or payout is killed by SIGKILL at a
moment drawn by the seed, again and again. Whatever a dead run has recorded must be among what the damages
say; the run after the last death must have found exactly that, each discrepancy with one step.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

from comparison import Comparison
from damages import Damages, as_found
from kessai_client import waiting
from kessai_client.bearer import Operator, Refused
from kessai_client.day_digest import RowHasher
from kessai_client.http import Http
from kessai_client.stack_file import StackFile
from stored_books import StoredBooks

_ROOT = Path(__file__).resolve().parents[2]
for _part in ("tools", "tests/kill"):
    sys.path.insert(0, str(_ROOT / _part))

from victims import Victims  # noqa: E402

Say = Callable[[str], None]

DAMAGES = 500
DEATHS = ("reconciliation", "payment", "payout", "reconciliation", "payout", "reconciliation")
RUNNING, FAILED = 1, 4  # day_run.state


class RunUnderWay:
    """A comparison that somebody has asked for, whatever becomes of it. Asked again until it begins: the
    turn of a run that was killed has to end first."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._thread = threading.Thread(target=self._run, name="comparison")
        self._begun = threading.Event()
        self._thread.start()

    def has_begun(self) -> None:
        self._begun.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        while not self._begun.is_set():
            try:
                self._comparison.ask(deep=True)
                return
            except (Refused, OSError):
                self._begun.wait(0.2)


def test_nothing_is_lost_or_recorded_twice(
    books: StoredBooks,
    comparison: Comparison,
    equal_day: str,
    stack: StackFile,
    hasher: RowHasher,
    seed: int,
    say: Say,
) -> None:
    choose = random.Random(seed)
    victims = Victims(stack.path)
    damages = Damages(books, hasher, random.Random(seed + 1_000))
    first = comparison.latest().number + 1
    died_in: list[str] = []
    try:
        damages.make(DAMAGES)
        expected = damages.found_by_deep_run()
        for victim in DEATHS:
            before = number_of_runs(books)
            # A connection of its own: the other one may be broken by the death.
            run = RunUnderWay(renewed(comparison, stack))
            waiting.until("the run begins", lambda: number_of_runs(books) > before or None, 90)
            run.has_begun()
            time.sleep(choose.uniform(0.0, 1.5))
            state = books.rows_of(
                "MATCHED", "SELECT state FROM day_run WHERE business_date = %s AND run_number = %s",
                books.day, before + 1,
            )[0]["state"]  # fmt: skip
            victims.kill(victim)
            run.join()
            victims.await_serving(victim)
            died_in.append(f"{victim} {'during' if state == RUNNING else 'after'} run {before + 1}")
            recorded = as_found(settled(renewed(comparison, stack).discrepancies))
            assert recorded <= expected, recorded - expected

        after = finished(renewed(comparison, stack))
        assert after.state == "DIFFERENT" and after.found == len(expected), after
        discrepancies = renewed(comparison, stack).discrepancies()
        assert as_found(discrepancies) == expected
        runs = books.rows_of(
            "MATCHED",
            "SELECT run_number, state, failure, started_at_us FROM day_run WHERE business_date = %s"
            " AND run_number >= %s ORDER BY run_number",
            books.day, first,
        )  # fmt: skip
        assert [one["run_number"] for one in runs] == list(range(first, first + len(runs)))
        assert not [one for one in runs if one["state"] == RUNNING], runs
        failed = [one for one in runs if one["state"] == FAILED]
        assert all(one["failure"] for one in failed), failed
        repeated = books.rows_of(
            "MATCHED",
            "SELECT discrepancy_id, COUNT(*) AS steps FROM discrepancy_step WHERE state = 1"
            " AND at_us >= %s GROUP BY discrepancy_id HAVING COUNT(*) > 1",
            runs[0]["started_at_us"],
        )
        assert not repeated, f"found twice: {repeated[:5]}"
    finally:
        books.undo()
    equal = finished(renewed(comparison, stack))
    assert equal.state == "EQUAL", equal
    assert not renewed(comparison, stack).discrepancies()
    say(
        f"seed {seed}: {len(died_in)} deaths ({', '.join(died_in)}): {len(failed)} runs failed,"
        f" {len(runs)} in all; each of {len(expected)} findings is recorded once"
    )


def number_of_runs(books: StoredBooks) -> int:
    found = books.rows_of(
        "MATCHED",
        "SELECT COALESCE(MAX(run_number), 0) AS number FROM day_run WHERE business_date = %s",
        books.day,
    )
    return int(found[0]["number"])


def renewed(comparison: Comparison, stack: StackFile) -> Comparison:
    http = Http(stack.url, stack.ca_file, timeout_s=60)
    return Comparison(Operator.sign_in(http, "recon-operator"), comparison.date)


def settled(ask: Callable[[], Any]) -> Any:
    """The answer, though the service has just come back."""
    return waiting.until("an answer", lambda: answer_of(ask), 60)


def finished(comparison: Comparison) -> Any:
    """A deep run to its end. Another that goes on, or a service that has just come back, is waited for."""

    def run() -> Any | None:
        try:
            outcome = comparison.run(deep=True)
        except (Refused, OSError):
            return None
        return outcome if outcome.state != "FAILED" else None

    return waiting.until("a run ends", run, 180)


def answer_of(ask: Callable[[], Any]) -> Any | None:
    try:
        return ask()
    except (Refused, OSError):
        return None

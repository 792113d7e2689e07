"""Death of reconciliation behind a bucket of a comparison, which is passed when books differ.

Goal: a run that is killed loses nothing of what it found and says nothing twice, and the next one finds all.
Method: the `faults` build of reconciliation, armed with the point. Accruals of a closed day that stand in several
buckets are taken away behind payout's back; a deep run of the day dies when it has compared one of those
buckets, and is asked for again. Put back, the same rows settle what was found.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest import Report
from kessai_client import waiting
from kessai_client.stack_file import StackFile
from test_check_points import DIFFERENT, EQUAL, FAILED, REPAIRED, compare
from test_named_points import Marks, _all, _one, _rows
from test_repair_points import LIMIT_S, MISSING_IN_PAYOUT, SERVICE, PaidDay, armed  # noqa: F401
from victims import Victims, faults_build_is_there

DAMAGED = 8
AFTER_BUCKET = "reconciliation.after_bucket"


def test_a_comparison_survives_its_bucket(
    victims: Victims, armed: None, stack_file: Path, directory: Path, seed: int, report: Report  # noqa: F811
) -> None:
    assert faults_build_is_there(), "./kessai test kill builds it"
    books = PaidDay.make(stack_file, 6_000_000_000 + seed % 1_000_000_000, payments=DAMAGED)
    stack, day = books.stack, books.day
    assert len({payment_bucket(stack, payment) for payment in books.payments}) > 2, "of several buckets"
    rows = take_away(stack, books.payments)
    runs = "SELECT run_number, state, failure FROM day_run WHERE business_date = %s ORDER BY run_number"
    before = len(_rows(stack, SERVICE, runs, day))

    marks = Marks(directory / "test_bucket_point" / f"marks-{seed}")
    victims.restart_armed(SERVICE, [f"{AFTER_BUCKET}:2"], marks.of(SERVICE))
    # Digests are as they were: only the rows tell.
    compare(books.operator, f"/operator/v1/days/{day}", deep=True)
    marks.await_strikes({(SERVICE, AFTER_BUCKET)})

    def compared_again() -> Any:
        if _rows(stack, SERVICE, runs, day)[-1][1] != DIFFERENT:
            compare(books.operator, f"/operator/v1/days/{day}", deep=True)
        return _rows(stack, SERVICE, runs, day)[-1][1] == DIFFERENT or None

    waiting.until("a run that ends", compared_again, LIMIT_S, every_s=1.0)
    ended = _rows(stack, SERVICE, runs, day)
    assert [number for number, _, _ in ended] == list(range(1, len(ended) + 1)), ended
    killed = [failure for _, state, failure in ended[before:] if state == FAILED]
    assert len(killed) == 1 and "died" in killed[0], ended
    found = _rows(
        stack, SERVICE,
        "SELECT d.payment_id, COUNT(*) FROM discrepancy d JOIN discrepancy_step s USING (discrepancy_id)"
        " WHERE d.business_date = %s AND d.kind = %s GROUP BY d.payment_id ORDER BY d.payment_id",
        day, MISSING_IN_PAYOUT,
    )  # fmt: skip
    assert found == [(payment, 1) for payment in sorted(books.payments)], found

    put_back(stack, rows)
    compare(books.operator, f"/operator/v1/days/{day}", deep=True)
    waiting.until(
        "an equal run", lambda: _rows(stack, SERVICE, runs, day)[-1][1] == EQUAL or None, LIMIT_S
    )
    states = _all(
        stack, SERVICE, "SELECT DISTINCT state FROM discrepancy WHERE business_date = %s AND kind = %s",
        day, MISSING_IN_PAYOUT,
    )  # fmt: skip
    assert states == [REPAIRED], states
    report.line(f"  {SERVICE:<16} died at {AFTER_BUCKET}, and the next run found all {DAMAGED} once")


def payment_bucket(stack: StackFile, payment: int) -> int:
    return int(_one(stack, "payout", "SELECT bucket FROM accrual WHERE payment_id = %s", payment))


def take_away(stack: StackFile, payments: list[int]) -> list[tuple[Any, ...]]:
    """The rows that were taken away."""
    root = stack.database("payout", user="root")
    with root.cursor() as cursor:
        cursor.execute("SELECT * FROM accrual WHERE payment_id IN %s", (payments,))
        rows = [tuple(row) for row in cursor.fetchall()]
        assert cursor.execute("DELETE FROM accrual WHERE payment_id IN %s", (payments,)) == len(payments)
    root.commit()
    root.close()
    return rows


def put_back(stack: StackFile, rows: list[tuple[Any, ...]]) -> None:
    root = stack.database("payout", user="root")
    with root.cursor() as cursor:
        marks = ", ".join(["%s"] * len(rows[0]))
        assert cursor.executemany(f"INSERT INTO accrual VALUES ({marks})", rows) == len(rows)
    root.commit()
    root.close()

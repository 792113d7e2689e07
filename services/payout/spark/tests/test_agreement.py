"""Goal: the service and Spark agree to the yen, whatever the accruals are read from.
Method: a generated day with every kind of change goes through the service's own code; before the service
releases it, the jobs recount it from MySQL, from Parquet and from DynamoDB behind a proxy that counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import books
import pytest
from conftest import seed
from day_of_trade import CAPTURED, DAY, DAY_BEFORE, LARGEST, REFUNDED
from payout_spark import export_job
from plans_of_trade import STORES
from servers import DynamoDb, MariaDb, Throttle
from test_skew import aggregates_and_exchanges, nodes_of

SOURCES = ("mysql", "parquet", "dynamodb")
SEGMENTS = 5


@dataclass
class Outcome:
    day: books.Day
    recounts: dict[str, books.Recounted]
    segments: set[tuple[int, int]]  # of the recount's scan
    books_before: list[Any]
    books_after: list[Any]


@pytest.fixture(scope="module")
def outcome(
    spark: Any, mariadb: MariaDb, dynamodb: DynamoDb, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    day = books.closed_day(mariadb, tmp_path_factory.mktemp("agreement"), seed(), payments=3_000)
    before = day.all_rows()
    there = books.dynamodb_arguments(dynamodb.endpoint)
    parquet = day.export("parquet-export", "--to", "parquet", "--ranges", "4")
    table = day.export("dynamodb-export", "--to", "dynamodb", "--ranges", "4", *there)
    counted = Throttle(dynamodb.endpoint, refused_part=0.0)
    there = [*books.dynamodb_arguments(counted.endpoint), "--segments", str(SEGMENTS)]
    recounts = {
        "mysql": day.recount("mysql", "--deep"),
        "parquet": day.recount("parquet", "--deep", "--export", str(parquet)),
        "dynamodb": day.recount("dynamodb", "--deep", "--export", str(table), *there),
    }
    counted.stop()
    after = day.all_rows()
    day.release(deep=True)
    return Outcome(day, recounts, counted.segments, before, after)


def test_the_day_has_all_that_there_is(outcome: Outcome) -> None:
    def rows(sql: str) -> list[Any]:
        return [value for (value,) in outcome.day.schema.rows(sql)]

    of_day = f"FROM accrual WHERE business_date = {DAY}"
    assert rows(f"SELECT DISTINCT kind {of_day} ORDER BY kind") == list(range(1, 16))
    assert rows(f"SELECT DISTINCT tax_class {of_day} ORDER BY tax_class") == [1, 2]
    assert len(rows(f"SELECT DISTINCT plan_id {of_day} AND plan_id > 0")) >= 20
    detail = f"FROM accrual_detail WHERE business_date = {DAY}"
    for column in ("captured_methods", "methods", "store_id"):
        assert rows(f"SELECT COUNT(*) > 50 {detail} AND {column} <> ''") == [1], column
    assert rows(f"SELECT COUNT(DISTINCT store_id) {detail}") == [len(STORES)]
    returned = "COALESCE(refunded_before, 0) - gross"
    for refunds in (f"{returned} < captured_total", f"{returned} = COALESCE(captured_total, -gross)"):
        assert rows(f"SELECT COUNT(*) > 50 {of_day} AND kind = {REFUNDED} AND {refunds}") == [1], refunds
    second = f"kind = {CAPTURED} AND captured_total > gross"
    assert rows(f"SELECT COUNT(*) > 20 {of_day} AND {second}") == [1]
    rules_used = outcome.day.merchants_under_rules()
    assert all(merchants >= 3 for merchants in rules_used.values()), rules_used
    assert rows(f"SELECT COUNT(*) > 100 {of_day} AND payment_date < business_date") == [1]
    assert rows(f"SELECT COUNT(*) > 50 {of_day} AND fee < 0") == [1]
    share = f"SELECT SUM(merchant_id = {LARGEST}) / COUNT(*) > 0.4 {of_day}"
    assert rows(share) == [1]
    assert not outcome.day.held_back()


@pytest.mark.parametrize("source", SOURCES)
def test_lines_are_those_of_the_service(outcome: Outcome, spark: Any, source: str) -> None:
    recount = outcome.recounts[source]
    assert recount.code == 0 and recount.report["heldBackCount"] == 0
    lines = recount.lines(spark)
    assert len(lines) > 60 and lines == outcome.day.released()
    report = recount.report
    assert report["rows"] == outcome.day.schema.rows(
        f"SELECT COUNT(*) FROM accrual WHERE business_date = {DAY}"
    )[0][0]
    sums = [report[name] for name in ("gross", "fee", "tax", "net", "item_count")]
    assert sums == [sum(line[at] for line in lines) for at in range(2, 7)]
    assert not report["releasedBefore"]


# Goal: whatever is read, what travels are sums: the largest merchant costs what the smallest costs.
@pytest.mark.parametrize("source", SOURCES)
def test_each_source_is_summed_before_the_exchange(outcome: Outcome, source: str) -> None:
    nodes = nodes_of("\n".join(outcome.recounts[source].report["plan"]))
    assert aggregates_and_exchanges(nodes) == ["final", "exchange", "partial"]
    if source == "mysql":  # four ranges of buckets for each of two cores, a task each
        assert any("numPartitions=8" in node for node in nodes)
    if source == "dynamodb":
        assert outcome.segments == {(number, SEGMENTS) for number in range(SEGMENTS)}


def test_the_jobs_change_nothing(outcome: Outcome) -> None:
    assert outcome.books_before == outcome.books_after


def test_a_released_day_is_proven_again(outcome: Outcome, spark: Any) -> None:
    again = outcome.day.recount("again", "--deep")
    assert again.code == 0 and again.report["releasedBefore"]
    assert again.lines(spark) == outcome.day.released()


# Goal: a day's tax grows from what the cycle had released before it, though it has released more since.
def test_an_earlier_day_is_proven_after_a_later_one(outcome: Outcome, spark: Any) -> None:
    earlier = outcome.day.recount("earlier", day=DAY_BEFORE)
    assert earlier.code == 0 and earlier.report["heldBackCount"] == 0
    assert earlier.lines(spark) == outcome.day.released(DAY_BEFORE)


# Goal: the fees before a day are those that the merchant had been released when it got the day, in whatever
# order its days came.
def test_days_whose_rounds_are_mixed_are_proven(
    spark: Any, mariadb: MariaDb, tmp_path: Path
) -> None:
    day = books.closed_day(mariadb, tmp_path, seed(), payments=600, release_before=False)
    on_both = (
        f"SELECT merchant_id FROM merchant_day_total WHERE business_date IN ({DAY_BEFORE}, {DAY}) AND fee > 50 "
        "GROUP BY merchant_id HAVING COUNT(DISTINCT business_date) = 2 ORDER BY merchant_id LIMIT 3"
    )
    # Each is held back on one of the days, or on both, and released of it in a further round.
    early, late, twice = [merchant for (merchant,) in day.schema.rows(on_both)]
    held = {DAY_BEFORE: (late, twice), DAY: (early, twice)}

    def add_to_fees(of_day: int, amount: int) -> None:
        merchants = ", ".join(str(one) for one in held[of_day])
        day.schema.run(
            f"UPDATE accrual SET fee = fee + {amount} WHERE business_date = {of_day} "
            f"AND merchant_id IN ({merchants})"
        )

    for of_day, merchants in held.items():
        add_to_fees(of_day, 1)
        day.release(of_day)
        assert tuple(sorted(day.held_back(of_day))) == merchants
    half = day.recount("half")
    assert half.code == 1 and set(half.held) == set(held[DAY])
    assert half.lines(spark) == day.released()
    for of_day in reversed(held):
        add_to_fees(of_day, -1)
        waiting = day.recount(f"waiting-{of_day}", day=of_day)
        assert waiting.code == 0
        day.release(of_day)
        assert waiting.lines(spark) == day.released(of_day)
    for of_day in held:
        again = day.recount(f"again-{of_day}", day=of_day)
        assert again.code == 0 and again.lines(spark) == day.released(of_day)


def test_a_day_without_trade(
    mariadb: MariaDb, dynamodb: DynamoDb, tmp_path: Path, spark: Any
) -> None:
    next_day, there = 2026_11_28, books.dynamodb_arguments(dynamodb.endpoint)
    day = books.closed_day(mariadb, tmp_path, seed=1, payments=20)
    day.schema.carry_out([f"close {next_day}"])
    prefix = f"empty-{day.schema.name}-"
    for target in ("parquet", "dynamodb"):
        arguments = [*day.arguments(next_day), "--out", str(tmp_path / target), "--to", target, *there]
        assert export_job.run([*arguments, "--ranges", "2", "--table-prefix", prefix]) == 0
    for name, more in (
        ("mysql", []),
        ("from-parquet", ["--export", str(tmp_path / "parquet")]),
        ("from-dynamodb", ["--export", str(tmp_path / "dynamodb"), *there]),
    ):
        recount = day.recount(name, "--deep", *more, day=next_day)
        assert recount.code == 0 and recount.report["rows"] == recount.report["merchants"] == 0
        assert recount.lines(spark) == []

"""Goal: sums are made before anything travels, so that the largest merchant does not matter.
Method: the physical plan, and what Spark counts of each task over the same number of rows, spread evenly
and with half of them of one merchant."""

from __future__ import annotations

import json
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

import books
import pytest
from day_of_trade import DAY
from payout_spark import accrual_rows, recount, recount_job
from payout_spark.mysql_books import Books
from pyspark.sql import functions as F

ROWS, MERCHANTS, TASKS = 400_000, 5_000, 4


def nodes_of(plan: str) -> list[str]:
    """The plan's nodes from its root to its leaf."""
    return [re.sub(r"^[\s:|+*()\d-]*", "", line) for line in plan.splitlines()]


def aggregates_and_exchanges(nodes: list[str]) -> list[str]:
    kept = [node for node in nodes if node.startswith(("HashAggregate", "Exchange", "Sort", "Object"))]
    return [
        "exchange" if node.startswith("Exchange hashpartitioning(merchant_id")
        else "partial" if "functions=[partial_sum" in node and node.startswith("HashAggregate")
        else "final" if "functions=[sum" in node and node.startswith("HashAggregate")
        else node
        for node in kept
    ]  # fmt: skip


def columns_of(scan: str) -> list[str]:
    found = re.search(r"ReadSchema: struct<(.*?)>", scan)
    assert found, scan
    return sorted(part.split(":")[0] for part in found.group(1).split(","))


@pytest.mark.parametrize("deep", (False, True))
def test_partial_sums_come_before_the_exchange(closed_day: books.Day, deep: bool) -> None:
    run = closed_day.recount(f"plan-{deep}", *(["--deep"] if deep else []))
    nodes = nodes_of("\n".join(run.report["plan"]))
    assert aggregates_and_exchanges(nodes) == ["final", "exchange", "partial"]
    # No other movement of rows: plans go to every task.
    assert not [n for n in nodes if n.startswith("Exchange") and "merchant_id" not in n]
    if not deep:
        # MySQL is asked for no more than the sums need.
        (read,) = [node for node in nodes if node.startswith("Scan JDBCRelation")]
        assert columns_of(read) == ["fee", "gross", "merchant_id", "tax_class"]


# Goal: a cycle of many days costs one sum a merchant and task, too.
def test_fees_released_before_are_summed_before_the_exchange(closed_day: books.Day, spark: Any) -> None:
    reader = closed_day.reader
    source = Books(spark, reader.jdbc_url, reader.user, reader.password)
    booked = recount.booked(spark, source, DAY, source.state_of(DAY), parts=2)
    nodes = nodes_of(recount_job.physical_plan(booked))
    assert aggregates_and_exchanges(nodes) == ["final", "exchange", "partial"]
    (read,) = [node for node in nodes if node.startswith("Scan JDBCRelation") and "merchant_release" in node]
    assert columns_of(read) == ["fee", "merchant_id", "tax_class"]


# Goal: a range of buckets is a connection and a task of its own, and together they are the day.
def test_mysql_is_read_by_ranges_of_buckets(closed_day: books.Day, spark: Any) -> None:
    reader = closed_day.reader
    source = Books(spark, reader.jdbc_url, reader.user, reader.password)
    ranges = accrual_rows.bucket_ranges(6)
    tasks = source.accruals(DAY, ("bucket", "gross"), ranges).rdd.glom().collect()
    assert len(tasks) == len(ranges) and all(tasks)
    for rows, (first, last) in zip(tasks, ranges):
        assert all(first <= row.bucket <= last for row in rows)
    assert sum(len(rows) for rows in tasks) == closed_day.schema.rows(
        f"SELECT COUNT(*) FROM accrual WHERE business_date = {DAY}"
    )[0][0]


@dataclass
class Task:
    seconds: float
    rows_out: int
    rows_in: int


def tasks_of(spark: Any, description: str) -> list[list[Task]]:
    """Of each stage that ran under the description, from Spark's event log."""
    context = spark.sparkContext
    context._jsc.sc().listenerBus().waitUntilEmpty()
    folder = Path(spark.conf.get("spark.eventLog.dir").removeprefix("file://"))
    (log,) = [path for path in folder.iterdir() if context.applicationId in path.name]
    stages: dict[int, list[Task]] = {}
    for line in log.read_text().splitlines():
        if not line.startswith('{"Event":"SparkListenerTaskEnd"') and "JobStart" not in line[:40]:
            continue
        event = json.loads(line)
        if event["Event"] == "SparkListenerJobStart":
            if event["Properties"].get("spark.job.description") == description:
                stages.update({stage: [] for stage in event["Stage IDs"] if stage not in stages})
        elif event["Stage ID"] in stages:
            metrics = event["Task Metrics"]
            read = metrics["Shuffle Read Metrics"]
            stages[event["Stage ID"]].append(
                Task(
                    (event["Task Info"]["Finish Time"] - event["Task Info"]["Launch Time"]) / 1000,
                    metrics["Shuffle Write Metrics"]["Shuffle Records Written"],
                    read["Total Records Read"],
                )
            )
    return [tasks for _, tasks in sorted(stages.items()) if tasks]


def rows_of(spark: Any, folder: Path, largest_share: float) -> Any:
    """Written first, so that making them is no part of what is looked at."""
    merchant = F.expr(
        f"IF(pmod(hash(id), 1000) < {int(largest_share * 1000)}, 1, 1 + pmod(xxhash64(id), {MERCHANTS}))"
    ).cast("bigint")
    rows = spark.range(0, ROWS, 1, TASKS).select(
        merchant.alias("merchant_id"),
        F.lit(2).cast("bigint").alias("tax_class"),
        (F.col("id") % 10_000).alias("gross"),
        (F.col("id") % 200).alias("fee"),
    )
    rows.write.parquet(str(folder))
    return spark.read.parquet(str(folder))


@pytest.fixture
def all_partitions(spark: Any) -> Iterator[None]:
    """Small partitions stay apart, as those of a large day would."""
    setting = "spark.sql.adaptive.coalescePartitions.enabled"
    spark.conf.set(setting, "false")
    yield
    spark.conf.unset(setting)


def test_half_of_all_rows_of_one_merchant_do_not_matter(
    spark: Any, all_partitions: None, tmp_path: Path
) -> None:
    found = {}
    for name, share in (("warm-up", 0.0), ("even", 0.0), ("half", 0.5)):
        rows = rows_of(spark, tmp_path / name, share)
        spark.sparkContext.setJobDescription(f"skew {name}")
        sums = recount.recounted(rows)
        result = sums.agg(F.sum("recount_count"), F.max("recount_count")).collect()[0]
        spark.sparkContext.setJobDescription(None)
        assert result[0] == ROWS
        found[name] = (int(result[1]), tasks_of(spark, f"skew {name}"))
    for name in ("even", "half"):
        largest, (scans, merges, *_) = found[name]
        seconds = [f"{task.seconds:.2f}" for task in scans], [f"{task.seconds:.2f}" for task in merges]
        print(f"{name}: the largest of {MERCHANTS} merchants has {largest} of {ROWS} rows; "
              f"scan tasks {seconds[0]} s, merge tasks {seconds[1]} s")  # fmt: skip
        # A task sends a sum a merchant at most, whatever it has seen.
        assert sum(task.rows_out for task in scans) <= len(scans) * MERCHANTS < ROWS / 5
    (even_largest, even), (half_largest, half) = found["even"], found["half"]
    assert half_largest > ROWS * 0.45 and even_largest < ROWS * 0.01
    # What travels, and what the busiest task gets of it, is no more than without the skew.
    assert sum(task.rows_out for task in half[0]) <= sum(task.rows_out for task in even[0])
    assert max(task.rows_in for task in half[1]) <= max(task.rows_in for task in even[1])
    assert len(half[1]) > 1
    assert max(task.rows_in for task in half[1]) < 2 * statistics.median(t.rows_in for t in half[1])

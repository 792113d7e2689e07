"""The release of a day on Apache Spark, measured: the job of spark_rival.h. It recounts the accruals by the
rules of services/payout/spark and writes rows of the shape of merchant_release back to MySQL; then it
recounts without writing, and over a Parquet copy of the columns that it sums.

Of a day that is the first of its cycle to be released, as the bench's is: its tax is that of its own fees.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from pathlib import Path
from typing import Callable, Sequence

_JOBS = Path(__file__).resolve().parents[3] / "services" / "payout" / "spark"
sys.path.insert(0, str(_JOBS))

from payout_spark import accrual_rows, business_date, job, recount, tax  # noqa: E402
from payout_spark.mysql_books import DRIVER, Books  # noqa: E402
from pyspark.sql import Column, DataFrame  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

_WRITERS = 2
_BATCH_ROWS = 10_000
# A batch goes to MariaDB as one command with the values of many rows: what took the place of
# rewriteBatchedStatements in the driver's third version.
_IN_BULK = "useBulkStmtsForInserts=true"


def main(arguments: Sequence[str]) -> int:
    given = _parsed(arguments)
    day = job.day(given)
    spark = job.session("release bench")
    books = job.books(spark, given)
    parts = 4 * job.partitions(spark, given)
    java = spark.sparkContext._jvm.java.lang.management.ManagementFactory
    times = {"started": java.getRuntimeMXBean().getUptime() / 1000}

    def accruals() -> DataFrame:
        ranges = accrual_rows.bucket_ranges(min(accrual_rows.BUCKETS, parts))
        return books.accruals(day, accrual_rows.FOR_SUMS, ranges)

    times["released"] = _seconds(lambda: write_release(books, accruals(), day, given.releases))
    times["recounted"] = _seconds(lambda: _drop(release_lines(accruals())))
    accruals().write.parquet(given.parquet)
    copy = spark.read.schema(accrual_rows.schema(accrual_rows.FOR_SUMS)).parquet(given.parquet)
    times["parquet_cold"] = _seconds(lambda: _drop(release_lines(copy)))
    times["parquet_warm"] = _seconds(lambda: _drop(release_lines(copy)))
    Path(given.times).write_text("".join(f"{name} {seconds:.3f}\n" for name, seconds in times.items()))
    return job.DONE


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = job.arguments(__doc__ or "")
    parser.add_argument("--releases", required=True, help="a table of the shape of merchant_release")
    parser.add_argument("--parquet", required=True, help="a new folder for the copy of the accruals")
    parser.add_argument("--times", required=True, help="a new file for what was measured")
    return job.parsed(parser, arguments)


def _seconds(work: Callable[[], None]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def _drop(frame: DataFrame) -> None:
    """Computes all of it, and keeps nothing."""
    frame.write.format("noop").mode("overwrite").save()


def release_lines(accruals: DataFrame) -> DataFrame:
    """merchant_id, tax_class, gross, fee, tax, net, item_count."""
    sums = recount.recounted(accruals).withColumn("tax", tax.invoice_tax("tax_class", "recount_fee"))
    return sums.select(
        *recount.KEYS,
        F.col("recount_gross").cast("bigint").alias("gross"),
        F.col("recount_fee").cast("bigint").alias("fee"),
        "tax",
        F.expr("CAST(recount_gross - recount_fee - tax AS BIGINT)").alias("net"),
        F.col("recount_count").alias("item_count"),
    )


def write_release(books: Books, accruals: DataFrame, day: int, releases: str) -> None:
    """Each writer has a range of merchants, in the order of the table's key."""
    lines = release_lines(accruals).repartitionByRange(_WRITERS, "merchant_id")
    lines = lines.sortWithinPartitions(*recount.KEYS).withColumn("currency", F.lit("JPY"))
    dated = lines.withColumn("business_date", _date(day)).withColumn("round", F.lit(0))
    append(books, dated, releases)


def _date(day: int) -> Column:
    return F.lit(datetime.date.fromisoformat(business_date.iso(day)))


def append(books: Books, rows: DataFrame, table: str) -> None:
    rows.write.jdbc(
        books.driver_url(_IN_BULK),
        table,
        mode="append",
        properties={
            "user": books.user,
            "password": books.password,
            "driver": DRIVER,
            "batchsize": str(_BATCH_ROWS),
        },
    )


if __name__ == "__main__":
    job.end(main)

"""Recounts a day, judges every merchant, and writes release lines and who is held back."""

from __future__ import annotations

import json
from typing import Any, Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from . import accrual_rows, deep_check, dynamodb_day, export, job, recount
from .business_date import iso
from .files import Files
from .mysql_books import Books, DayState
from .refusal import Refusal

_NAMED_MAX = 1_000  # merchants named in the report; held_back/ has all


def run(arguments: Sequence[str]) -> int:
    parser = job.arguments(__doc__ or "")
    parser.add_argument("--deep", action="store_true", help="compute each fee again")
    parser.add_argument("--export", help="read accruals from this finished export, not from MySQL")
    parser.add_argument("--segments", type=int, default=0, help="of a DynamoDB scan (0: 4 a core)")
    parser.add_argument("--out", help="a new folder for lines, held_back and report.json")
    given = job.parsed(parser, arguments)
    day = job.day(given)
    if not 0 <= given.segments <= dynamodb_day.SEGMENTS_MAX:
        raise Refusal("ARGUMENT_INVALID", f"--segments is from 1 to {dynamodb_day.SEGMENTS_MAX}, or 0")
    spark = job.session(f"payout recount {iso(day)}")
    report = Recount(spark, job.books(spark, given), day, given).run()
    print(in_words(report), flush=True)
    return job.DIFFERENT if report["heldBackCount"] else job.DONE


class Recount:
    def __init__(self, spark: SparkSession, books: Books, day: int, given: Any) -> None:
        self._spark, self._books, self._day, self._given = spark, books, day, given
        self._parts = job.partitions(spark, given)

    def run(self) -> dict[str, Any]:
        """The report, which is also written. OUTPUT_EXISTS, BOOKS_MOVED, and what Books and exports
        refuse."""
        files = Files(self._spark, self._given.out) if self._given.out else None
        if files is not None and files.exists("report.json"):
            raise Refusal("OUTPUT_EXISTS", f"{files.root} has a report already")
        state = self._books.state_of(self._day)
        rows = self._rows(state)
        sums = recount.recounted(rows, self._given.deep)
        booked = recount.booked(self._spark, self._books, self._day, state, self._parts)
        judged = recount.judged(sums, booked).persist()
        try:
            report = self._report(sums, judged)
            held = recount.held_back(judged, self._notes(rows, judged)).persist()
            report["heldBack"] = [_named(row) for row in held.orderBy("merchant_id").head(_NAMED_MAX)]
            if self._books.state_of(self._day) != state:
                raise Refusal("BOOKS_MOVED", f"{iso(self._day)} was released meanwhile; run it again")
            if files is not None:
                recount.release_lines(judged).write.mode("overwrite").parquet(files.at("lines"))
                held.write.mode("overwrite").parquet(files.at("held_back"))
                files.write("report.json", json.dumps(report, indent=1) + "\n")
            return report
        finally:
            judged.unpersist()

    def _rows(self, state: DayState) -> DataFrame:
        columns = accrual_rows.FOR_FEES if self._given.deep else accrual_rows.FOR_SUMS
        if self._given.deep:
            self._books.require_known_accruals()
        if self._given.export:
            access = job.dynamodb_access(self._given)
            segments = self._given.segments or 4 * self._spark.sparkContext.defaultParallelism
            wanted = export.identity(self._day, state)
            rows = export.read_export(
                self._spark, self._given.export, wanted, columns, access, segments
            )
        else:
            # More ranges than connections, so that one slow range does not hold up the rest.
            ranges = accrual_rows.bucket_ranges(min(accrual_rows.BUCKETS, self._parts * 4))
            rows = self._books.accruals(self._day, columns, ranges)
        if not self._given.deep:
            return rows
        return deep_check.with_faults(rows, self._books.plans())

    def _notes(self, rows: DataFrame, judged: DataFrame) -> DataFrame | None:
        """Reads the day once more, only when a fee is wrong."""
        if not self._given.deep:
            return None
        faulty = judged.where(f"reason = '{recount.FEE_DIFFERS}'").select("merchant_id").distinct()
        return recount.first_faults(rows, faulty) if faulty.head(1) else None

    def _report(self, sums: DataFrame, judged: DataFrame) -> dict[str, Any]:
        lines = recount.release_lines(judged)
        names = ("gross", "fee", "tax", "net", "item_count")
        released = lines.agg(
            F.count_distinct("merchant_id").alias("merchants"),
            *[F.coalesce(F.sum(F.col(n).cast("decimal(38,0)")), F.lit(0)).alias(n) for n in names],
        ).collect()[0]
        whole = judged.agg(
            F.coalesce(F.sum("recount_count"), F.lit(0)).alias("rows"),
            F.count_distinct(F.expr("IF(reason IS NULL, NULL, merchant_id)")).alias("held"),
            F.coalesce(F.sum(F.expr("IF(stored_rows > 0, 1L, 0L)")), F.lit(0)).alias("stored"),
        ).collect()[0]
        return {
            "day": iso(self._day),
            "accruals": self._given.export or "mysql",
            "deep": self._given.deep,
            "rows": int(whole["rows"]),
            "releasedBefore": int(whole["stored"]) > 0,
            "merchants": int(released["merchants"]),
            **{name: int(released[name]) for name in names},
            "heldBackCount": int(whole["held"]),
            "heldBack": [],
            "plan": physical_plan(sums).splitlines(),
        }


def physical_plan(frame: DataFrame) -> str:
    return str(frame._jdf.queryExecution().executedPlan().toString())


def _named(row: Any) -> dict[str, Any]:
    def sums(side: str) -> dict[str, int]:
        return {name: int(row[f"{side}_{name}"]) for name in ("gross", "fee", "count")}

    return {
        "merchant": row["merchant_id"],
        "reason": row["reason"],
        "note": row["note"] or "",
        "totals": sums("total"),
        "recount": sums("recount"),
    }


def in_words(report: dict[str, Any]) -> str:
    lines = [
        f"{report['day']}: {report['rows']} accruals, {report['merchants']} merchants come out equal, "
        f"{report['heldBackCount']} are held back",
        "gross {gross}, fee {fee}, tax {tax}, net {net}".format(**report),
    ]
    for held in report["heldBack"]:
        note = f": {held['note']}" if held["note"] else ""
        lines.append(
            f"merchant {held['merchant']} {held['reason']}{note} "
            f"(totals {_in_a_row(held['totals'])}, recount {_in_a_row(held['recount'])})"
        )
    if report["heldBackCount"] > len(report["heldBack"]):
        lines.append(f"… and {report['heldBackCount'] - len(report['heldBack'])} more")
    return "\n".join(lines)


def _in_a_row(sums: dict[str, int]) -> str:
    return "{gross}/{fee}/{count}".format(**sums)

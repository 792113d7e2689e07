"""Copies a closed day's accruals out of MySQL, once and whole: to Parquet, or to a DynamoDB day table.

The day is cut into ranges of buckets. A range is copied, checked against what was read, and then checked
off by a checkpoint; whoever runs the export again goes on after the ranges that are checked off. A range
that was left in the middle is copied again over what there is of it: a Parquet range is a folder of its
own, written anew, and its checkpoint names the files that count; a DynamoDB row is put under its key.
The manifest comes last, and without it nobody reads the export.

    OUT/export.json                  what is exported: day, seals, target
    OUT/accruals/0000-0015/*.parquet (Parquet only)
    OUT/checkpoints/0000-0015.json   rows, sums, checksum, files
    OUT/manifest.json                all of that together
"""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from . import accrual_rows, dynamodb_day
from .business_date import iso
from .exact import halves, whole
from .files import Files
from .mysql_books import Books, DayState
from .refusal import Refusal

FORMAT = 2
PARQUET, DYNAMODB = "parquet", "dynamodb"
_CHECKSUM_BITS = 64


def summary(rows: DataFrame) -> dict[str, Any]:
    """Counts, sums and a checksum of rows in whatever order: the sum modulo 2^64 of each row's xxHash64
    (Spark's, seed 42) over all columns, NULL as the lowest number."""
    columns = [
        F.coalesce(F.col(name), F.lit(-(2**63)).cast("bigint"))
        if name in accrual_rows.NULLABLE
        else F.col(name)
        for name in accrual_rows.COLUMNS
    ]
    hashed = rows.withColumn("hash", F.xxhash64(*columns))
    names = ("gross", "fee", "hash")
    sums = hashed.agg(F.count(F.lit(1)).alias("rows"), *[h for name in names for h in halves(name)])
    # Without rows there are no sums.
    found = sums.select("rows", *[F.coalesce(whole(name), F.lit(0)).alias(name) for name in names])
    row = found.collect()[0]
    return _summary(row["rows"], int(row["gross"]), int(row["fee"]), int(row["hash"]))


def _summary(rows: int, gross: int, fee: int, checksum: int) -> dict[str, Any]:
    modulus = 1 << _CHECKSUM_BITS
    return {"rows": rows, "gross": gross, "fee": fee, "checksum": f"{checksum % modulus:016x}"}


def _together(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return _summary(
        *[sum(part[name] for part in parts) for name in ("rows", "gross", "fee")],
        sum(int(part["checksum"], 16) for part in parts),
    )


def identity(day: int, state: DayState) -> dict[str, Any]:
    """What an export must be of: a merchant that was left open may have had accruals until its seal."""
    return {
        "format": FORMAT, "day": day, "seal": state.seal,
        "leftOpen": {str(merchant): seal for merchant, seal in state.left_open},
    }  # fmt: skip


class Export:
    """One target of one day. `run` may be killed at any time and run again."""

    def __init__(
        self,
        spark: SparkSession,
        books: Books,
        day: int,
        out: str,
        ranges: int,
        parts: int,
        table: str | None = None,  # of DynamoDB; without one the target is Parquet
        access: dynamodb_day.Access | None = None,
    ) -> None:
        self._spark, self._books, self._day = spark, books, day
        self._files = Files(spark, out)
        self._ranges, self._parts = ranges, parts
        self._table, self._access = table, access

    def run(self) -> dict[str, Any]:
        """The manifest. DAY_UNKNOWN, DAY_OPEN, RELEASE_RUNNING, SCHEMA_UNKNOWN; EXPORT_MISMATCH where
        another export was begun, EXPORT_DIFFERS, BOOKS_MOVED, THROTTLED."""
        state = self._books.state_of(self._day)
        self._books.require_known_accruals()
        begun = {
            **identity(self._day, state), "ranges": self._ranges,
            "target": DYNAMODB if self._table else PARQUET, "table": self._table,
        }  # fmt: skip
        self._begin(begun)
        finished = self._files.read("manifest.json")
        if finished is not None:
            return dict(json.loads(finished))
        if self._table:
            dynamodb_day.make_table(self._access, self._table)
        done = [self._copied(first, last) for first, last in accrual_rows.bucket_ranges(self._ranges)]
        manifest = {**begun, **_together(done), "parts": done}
        if self._table:
            self._require_same("the table", summary(self._scan()), manifest)
        if identity(self._day, self._books.state_of(self._day)) != identity(self._day, state):
            raise Refusal(
                "BOOKS_MOVED", f"merchants of {iso(self._day)} were sealed while it was exported"
            )
        self._files.write("manifest.json", json.dumps(manifest, indent=1) + "\n")
        return manifest

    def _begin(self, begun: dict[str, Any]) -> None:
        text = json.dumps(begun) + "\n"
        there = self._files.read("export.json")
        if there is None:
            self._files.write("export.json", text)
        elif there != text:
            raise Refusal(
                "EXPORT_MISMATCH", f"{self._files.root} holds an export of another kind: {there.strip()}"
            )

    def _copied(self, first: int, last: int) -> dict[str, Any]:
        """The range's checkpoint; copies it if there is none."""
        name = f"{first:04d}-{last:04d}"
        checkpoint = self._files.read(f"checkpoints/{name}.json")
        if checkpoint is not None:
            return dict(json.loads(checkpoint))
        rows = self._books.accruals(
            self._day, accrual_rows.COLUMNS, _cut(first, last, self._parts)
        ).persist()
        try:
            read = summary(rows)
            files = self._put(rows) if self._table else self._write(name, rows, read)
        finally:
            rows.unpersist()
        done = {"first": first, "last": last, **read, "files": files}
        self._files.write(f"checkpoints/{name}.json", json.dumps(done) + "\n")
        return done

    def _write(self, name: str, rows: DataFrame, read: dict[str, Any]) -> list[str]:
        folder = f"accruals/{name}"
        rows.write.mode("overwrite").parquet(self._files.at(folder))
        files = [
            f"{folder}/{file}" for file in self._files.list(folder) if file.endswith(".parquet")
        ]
        self._require_same(folder, summary(parquet_rows(self._spark, self._files, files)), read)
        return files

    def _put(self, rows: DataFrame) -> list[str]:
        access, table = self._access, self._table
        # Each task's count is read, so that all of them ran to their end.
        rows.rdd.mapPartitions(lambda part: dynamodb_day.put_rows(access, table, part)).sum()
        return []

    def _scan(self) -> DataFrame:
        segments = self._spark.sparkContext.defaultParallelism * 2
        return dynamodb_day.scan(
            self._spark, self._access, self._table, self._day, accrual_rows.COLUMNS, segments
        )

    def _require_same(self, what: str, written: dict[str, Any], read: dict[str, Any]) -> None:
        expected = {key: read[key] for key in written}
        if written != expected:
            raise Refusal("EXPORT_DIFFERS", f"{what} holds {written}, read were {expected}")


def _cut(first: int, last: int, parts: int) -> list[tuple[int, int]]:
    """Even sub-ranges, none empty."""
    size = last - first + 1
    parts = min(parts, size)
    edges = [first + size * part // parts for part in range(parts + 1)]
    return [(low, high - 1) for low, high in zip(edges, edges[1:])]


def parquet_rows(spark: SparkSession, files: Files, names: list[str]) -> DataFrame:
    return spark.read.schema(accrual_rows.schema()).parquet(*[files.at(name) for name in names])


def _manifest(text: str) -> dict[str, Any]:
    """Without entries, if it is no manifest of ours."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def read_export(
    spark: SparkSession,
    out: str,
    wanted: dict[str, Any],
    columns: tuple[str, ...],
    access: dynamodb_day.Access | None,
    segments: int,
) -> DataFrame:
    """The rows of a finished export of `wanted`, see `identity`. EXPORT_INCOMPLETE, EXPORT_MISMATCH."""
    files = Files(spark, out)
    text = files.read("manifest.json")
    if text is None:
        raise Refusal("EXPORT_INCOMPLETE", f"{out} has no manifest: the export is not finished")
    manifest = _manifest(text)
    held = {key: manifest.get(key) for key in wanted}
    if held != wanted:
        raise Refusal("EXPORT_MISMATCH", f"{out} holds {held}, asked for is {wanted}")
    if manifest["target"] == DYNAMODB:
        if access is None:
            raise Refusal("ARGUMENT_INVALID", f"{out} is of DynamoDB: its region is not given")
        day = manifest["day"]
        return dynamodb_day.scan(spark, access, manifest["table"], day, columns, segments)
    names = [file for part in manifest["parts"] for file in part["files"]]
    return parquet_rows(spark, files, names).select(*columns)

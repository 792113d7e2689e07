"""Exports a closed day's accruals to Parquet or to a DynamoDB day table; goes on where it ended."""

from __future__ import annotations

from typing import Sequence

from . import accrual_rows, dynamodb_day, export, job
from .business_date import iso
from .refusal import Refusal


def run(arguments: Sequence[str]) -> int:
    parser = job.arguments(__doc__ or "")
    parser.add_argument("--to", required=True, choices=(export.PARQUET, export.DYNAMODB))
    parser.add_argument(
        "--out", required=True, help="the export's folder: checkpoints, manifest and Parquet files"
    )
    parser.add_argument(
        "--ranges", type=int, default=64, help="bucket ranges, each with a checkpoint of its own"
    )
    parser.add_argument("--table-prefix", default="kessai-accrual-", help="DynamoDB: before yyyymmdd")
    given = job.parsed(parser, arguments)
    day = job.day(given)
    if not 1 <= given.ranges <= accrual_rows.BUCKETS:
        raise Refusal("ARGUMENT_INVALID", f"--ranges is from 1 to {accrual_rows.BUCKETS}")
    access, table = None, None
    if given.to == export.DYNAMODB:
        access, table = job.dynamodb_access(given), dynamodb_day.table_name(given.table_prefix, day)
        if access is None:
            raise Refusal("ARGUMENT_INVALID", "--to dynamodb needs --dynamodb-region")
    spark = job.session(f"payout export {iso(day)}")
    manifest = export.Export(
        spark, job.books(spark, given), day, given.out, given.ranges,
        job.partitions(spark, given), table, access,
    ).run()  # fmt: skip
    print(
        f"{iso(day)}: {manifest['rows']} accruals in {given.out}"
        + (f" and table {table}" if table else "")
        + f", gross {manifest['gross']}, fee {manifest['fee']}, checksum {manifest['checksum']}",
        flush=True,
    )
    return job.DONE

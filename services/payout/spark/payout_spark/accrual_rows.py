"""The accrual rows of a day, whatever they are read from: the columns of table `accrual`, with days as
numbers and all integers 64 bits wide, and beside them what of few is kept in `accrual_detail`."""

from __future__ import annotations

from pyspark.sql.types import BinaryType, LongType, StringType, StructField, StructType

BUCKETS = 1024  # event::kBuckets of the service: fixed for ever

# In the order of the table. Those that may be NULL say "as usual" by it (see the migration).
STORED = (
    "business_date", "bucket", "payment_id", "version", "merchant_id", "kind", "tax_class", "currency",
    "gross", "fee", "captured_total", "refunded_before", "payment_date", "plan_id", "plan_version",
    "event_id", "recorded_at_us", "content_hash",
)  # fmt: skip
# '' for nearly every row: all is money, and no term of the plan is of a store.
DETAILS = ("captured_methods", "methods", "store_id")
DETAIL_KEY = ("business_date", "bucket", "payment_id", "version")
COLUMNS = (*STORED, *DETAILS)
DATES = ("business_date", "payment_date")
NULLABLE = ("captured_total", "refunded_before", "payment_date")

# What the recount sums, and what the deep recount computes each fee from.
FOR_SUMS = ("merchant_id", "tax_class", "gross", "fee")
FOR_FEES = (
    *FOR_SUMS, "business_date", "payment_id", "version", "kind", "currency", "captured_total",
    "refunded_before", "payment_date", "plan_id", "plan_version", *DETAILS,
)  # fmt: skip


def _type_of(column: str) -> LongType | StringType | BinaryType:
    if column == "currency" or column in DETAILS:
        return StringType()
    return BinaryType() if column == "content_hash" else LongType()


def schema(columns: tuple[str, ...] = COLUMNS) -> StructType:
    return StructType([StructField(name, _type_of(name), name in NULLABLE) for name in columns])


def bucket_ranges(parts: int) -> list[tuple[int, int]]:
    """Cuts all buckets into so many even ranges; first and last bucket of each, both included."""
    edges = [BUCKETS * part // parts for part in range(parts + 1)]
    return [(first, end - 1) for first, end in zip(edges, edges[1:])]

"""A day's accruals as a DynamoDB table: written by batches, read by parallel scan segments.

The table of a day is PREFIX + yyyymmdd, keyed by payment id (hash) and version (range), so that writing a
row again is no second row, and the segments of a scan are even whatever the merchants are. Integers are
DynamoDB numbers, exact to 38 digits. Attributes have one letter because a scan is paid by the byte.

Every call has a bounded patience: what DynamoDB refuses for its throughput is tried again after a
random time that doubles up to a limit (full jitter), until nothing has gone through for `patience_s`.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator, Sequence, TypeVar

from pyspark.sql import DataFrame, SparkSession

from . import accrual_rows
from .refusal import Refusal

ATTRIBUTES = {
    "bucket": "b", "payment_id": "p", "version": "v", "merchant_id": "m", "kind": "k", "tax_class": "x",
    "currency": "c", "gross": "g", "fee": "f", "captured_total": "t", "refunded_before": "r",
    "payment_date": "d", "plan_id": "l", "plan_version": "n", "event_id": "e", "recorded_at_us": "a",
    "content_hash": "h", "captured_methods": "s", "methods": "w", "store_id": "o",
}  # fmt: skip
_TYPES = {"currency": "S", "content_hash": "B", **dict.fromkeys(accrual_rows.DETAILS, "S")}  # else N

SEGMENTS_MAX = 1_000_000  # of Scan
_BATCH_ITEMS = 25  # of BatchWriteItem
_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_TRANSIENT = {
    "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded",
    "InternalServerError", "ServiceUnavailable",
}  # fmt: skip
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 10.0

T = TypeVar("T")


@dataclass(frozen=True)
class Access:
    """How tasks reach DynamoDB; credentials are found as boto3 finds them, on each machine."""

    region: str
    endpoint: str | None = None
    patience_s: float = 300.0

    def client(self) -> Any:
        import boto3
        from botocore.config import Config

        # Retries are ours: bounded by time, and the same for unprocessed items.
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
        return boto3.client(
            "dynamodb", region_name=self.region, endpoint_url=self.endpoint, config=config
        )


class Backoff:
    """Waits between tries that did not get on; begins anew whenever something went through."""

    def __init__(
        self,
        patience_s: float,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._patience_s = patience_s
        self._sleep, self._now, self._chance = sleep, now, chance
        self.went_through()

    def went_through(self) -> None:
        self._tries = 0
        self._since = self._now()

    def wait(self, why: str) -> None:
        """THROTTLED when patience is at its end."""
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(self._tries, 30))
        pause = longest * self._chance()
        if self._now() + pause - self._since > self._patience_s:
            raise Refusal("THROTTLED", f"nothing went through for {self._patience_s:g} s: {why}")
        self._tries += 1
        self._sleep(pause)

    def call(self, attempt: Callable[[], T]) -> T:
        from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

        while True:
            try:
                return attempt()
            except ClientError as error:
                if error.response["Error"]["Code"] not in _TRANSIENT:
                    raise
                self.wait(error.response["Error"]["Code"])
            except (ConnectionError, HTTPClientError) as error:  # or no answer in time
                self.wait(str(error))


def table_name(prefix: str, day: int) -> str:
    """ARGUMENT_INVALID when no table can have that name."""
    name = f"{prefix}{day}"
    if not _TABLE_NAME.fullmatch(name):
        raise Refusal("ARGUMENT_INVALID", f"'{name}' is no name of a table")
    return name


def make_table(access: Access, table: str) -> None:
    """Makes the table unless it is there. TABLE_UNUSABLE when it has another key."""
    client, backoff = access.client(), Backoff(access.patience_s)
    keys = [(ATTRIBUTES["payment_id"], "HASH"), (ATTRIBUTES["version"], "RANGE")]
    try:
        backoff.call(
            lambda: client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": n, "AttributeType": "N"} for n, _ in keys],
                KeySchema=[{"AttributeName": n, "KeyType": t} for n, t in keys],
            )
        )
    except client.exceptions.ResourceInUseException:
        pass
    while True:
        found = backoff.call(lambda: client.describe_table(TableName=table))["Table"]
        if found["TableStatus"] == "ACTIVE":
            break
        backoff.wait(f"table {table} is {found['TableStatus']}")
    if [(key["AttributeName"], key["KeyType"]) for key in found["KeySchema"]] != keys:
        raise Refusal("TABLE_UNUSABLE", f"table {table} has other keys than payment and version")


def put_rows(access: Access, table: str, rows: Iterable[Sequence[Any]]) -> Iterator[int]:
    """Puts rows of accrual_rows.COLUMNS; gives how many, once they are all stored."""
    client, backoff = access.client(), Backoff(access.patience_s)
    count = 0
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append({"PutRequest": {"Item": _item(row)}})
        count += 1
        if len(batch) == _BATCH_ITEMS:
            _put(client, backoff, table, batch)
            batch = []
    if batch:
        _put(client, backoff, table, batch)
    yield count


def _put(client: Any, backoff: Backoff, table: str, batch: list[dict[str, Any]]) -> None:
    """DynamoDB may take a part of a batch and hand the rest back."""
    backoff.went_through()
    while batch:
        request = {table: batch}
        answer = backoff.call(lambda: client.batch_write_item(RequestItems=request))
        left = answer.get("UnprocessedItems", {}).get(table, [])
        if left and len(left) == len(batch):
            backoff.wait("no item of a batch was taken")
        elif left:
            backoff.went_through()
            backoff.wait("items of a batch were not taken")
        batch = left


def scan(
    spark: SparkSession, access: Access, table: str, day: int, columns: Sequence[str], segments: int
) -> DataFrame:
    """The whole table, one task a segment."""

    def read(numbers: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        for number in numbers:
            yield from scan_segment(access, table, day, columns, number, segments)

    rows = spark.sparkContext.parallelize(range(segments), segments).mapPartitions(read)
    return spark.createDataFrame(rows, accrual_rows.schema(tuple(columns)), verifySchema=False)


def scan_segment(
    access: Access, table: str, day: int, columns: Sequence[str], segment: int, segments: int
) -> Iterator[tuple[Any, ...]]:
    """Page by page (1 MB each at most), as of now: what was put before is read. EXPORT_INCOMPLETE when
    there is no such table (any more)."""
    client, backoff = access.client(), Backoff(access.patience_s)
    request: dict[str, Any] = {
        "TableName": table,
        "Segment": segment,
        "TotalSegments": segments,
        "ConsistentRead": True,
        "ProjectionExpression": ", ".join(
            ATTRIBUTES[name] for name in columns if name != "business_date"
        ),
    }
    while True:
        try:
            page = backoff.call(lambda: client.scan(**request))
        except client.exceptions.ResourceNotFoundException as error:
            raise Refusal("EXPORT_INCOMPLETE", f"there is no table {table}") from error
        backoff.went_through()
        for item in page["Items"]:
            yield tuple(day if name == "business_date" else _value(item, name) for name in columns)
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _item(row: Sequence[Any]) -> dict[str, Any]:
    item = {}
    for name, value in zip(accrual_rows.COLUMNS, row):
        if name == "business_date" or value is None or value == "":
            continue
        kind = _TYPES.get(name, "N")
        item[ATTRIBUTES[name]] = {kind: bytes(value) if kind == "B" else str(value)}
    return item


def _value(item: dict[str, Any], name: str) -> Any:
    held = item.get(ATTRIBUTES[name])
    if held is None:
        return "" if name in accrual_rows.DETAILS else None
    kind = _TYPES.get(name, "N")
    return int(held["N"]) if kind == "N" else held[kind]

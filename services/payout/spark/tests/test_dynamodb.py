"""Goal: a day table is read and written whole, whatever DynamoDB refuses on the way.
Method: a DynamoDB on this machine, behind a proxy that refuses calls as DynamoDB does."""

from __future__ import annotations

from typing import Any

import pytest
from day_of_trade import DAY
from payout_spark import accrual_rows, dynamodb_day
from payout_spark.dynamodb_day import Access, Backoff
from payout_spark.refusal import Refusal
from servers import REGION, DynamoDb, Throttle

LARGEST = 2**63 - 1


def row(payment: int, padding: int = 16) -> tuple[Any, ...]:
    usual = payment % 2
    return (
        DAY, payment % 1024, payment, 1, LARGEST - payment, 1, 2, "JPY", -LARGEST - 1 + payment, 0,
        None if usual else 5, None if usual else 0, None if usual else 2019_09_20, 1, 1, payment * 100,
        1_700_000_000_000_000, bytes([payment % 256]) * padding,
        "" if usual else "1:1 2:4", "" if usual else "2:1", "" if usual else "渋谷店",
    )  # fmt: skip


def stored(access: Access, table: str, rows: list[tuple[Any, ...]]) -> None:
    dynamodb_day.make_table(access, table)
    assert list(dynamodb_day.put_rows(access, table, rows)) == [len(rows)]


@pytest.mark.parametrize("segments", (1, 4, 7))
def test_segments_together_are_the_table(
    spark: Any, dynamodb: DynamoDb, segments: int
) -> None:
    """Rows of 4 kB, so that each segment has pages of 1 MB, and every third call is refused."""
    throttle = Throttle(dynamodb.endpoint, refused_part=1 / 3, seed=segments)
    access, table = Access(REGION, throttle.endpoint), f"segments-{segments}"
    rows = [row(payment, padding=4_000) for payment in range(1, 2_401)]
    stored(access, table, rows)
    assert throttle.refused > 10 and throttle.calls["BatchWriteItem"] > len(rows) / 25
    throttle.refused = 0
    read = dynamodb_day.scan(spark, access, table, DAY, accrual_rows.COLUMNS, segments)
    assert sorted(tuple(one) for one in read.collect()) == rows or sorted(
        (tuple(one) for one in read.collect()), key=lambda one: one[2]
    ) == sorted(rows, key=lambda one: one[2])
    assert throttle.refused > 0 and throttle.pages_with_more >= segments
    assert throttle.segments == {(number, segments) for number in range(segments)}
    throttle.stop()


def test_each_segment_has_a_part(dynamodb: DynamoDb) -> None:
    access, table = Access(REGION, dynamodb.endpoint), "parts"
    stored(access, table, [row(payment) for payment in range(1, 501)])
    parts = [
        {payment for (payment,) in dynamodb_day.scan_segment(access, table, DAY, ("payment_id",), part, 5)}
        for part in range(5)
    ]
    assert all(len(part) > 50 for part in parts)
    assert sum(len(part) for part in parts) == len(set().union(*parts)) == 500


def test_putting_again_is_no_second_row(dynamodb: DynamoDb) -> None:
    access, table = Access(REGION, dynamodb.endpoint), "again"
    for _ in range(2):
        stored(access, table, [row(payment) for payment in range(1, 61)])
    found = list(dynamodb_day.scan_segment(access, table, DAY, ("payment_id", "gross"), 0, 1))
    assert sorted(found) == [(payment, -LARGEST - 1 + payment) for payment in range(1, 61)]


def test_a_table_with_other_keys_is_refused(dynamodb: DynamoDb) -> None:
    access = Access(REGION, dynamodb.endpoint)
    access.client().create_table(
        TableName="other-keys", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
    )  # fmt: skip
    with pytest.raises(Refusal) as refused:
        dynamodb_day.make_table(access, "other-keys")
    assert refused.value.reason == "TABLE_UNUSABLE"


# Goal: a day whose table was dropped is not an empty day.
def test_a_table_that_is_not_there_is_refused(dynamodb: DynamoDb) -> None:
    access = Access(REGION, dynamodb.endpoint)
    with pytest.raises(Refusal) as refused:
        list(dynamodb_day.scan_segment(access, "dropped", DAY, ("payment_id",), 0, 1))
    assert refused.value.reason == "EXPORT_INCOMPLETE"


def test_patience_has_an_end(dynamodb: DynamoDb) -> None:
    throttle = Throttle(dynamodb.endpoint, refused_part=1.0)
    access = Access(REGION, throttle.endpoint, patience_s=0.5)
    with pytest.raises(Refusal) as refused:
        dynamodb_day.make_table(access, "never")
    assert refused.value.reason == "THROTTLED" and throttle.calls["CreateTable"] > 1
    throttle.stop()
    with pytest.raises(Refusal) as refused:
        dynamodb_day.make_table(access, "never")  # nobody listens
    assert refused.value.reason == "THROTTLED"


def test_waits_double_to_a_limit_and_begin_anew() -> None:
    time_s, waits = [0.0], []

    def sleep(pause_s: float) -> None:
        waits.append(pause_s)
        time_s[0] += pause_s

    backoff = Backoff(60.0, sleep=sleep, now=lambda: time_s[0], chance=lambda: 1.0)
    for _ in range(10):
        backoff.wait("busy")
    assert waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    backoff.went_through()
    backoff.wait("busy")
    assert waits[-1] == 0.05
    with pytest.raises(Refusal) as refused:
        for _ in range(100):
            backoff.wait("busy")
    assert refused.value.reason == "THROTTLED" and sum(waits[10:]) <= 60.0

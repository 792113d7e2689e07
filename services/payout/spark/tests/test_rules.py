"""Goal: the rules here are those of the service.
Method: against its sources' numbers and slow references in Python, without servers."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from payout_spark import accrual_rows, business_date, deep_check, exact, fee_plans, mysql_books, tax
from payout_spark.fee_plans import Plan
from payout_spark.refusal import Refusal
from pyspark.sql import functions as F
from servers import ROOT

DOMAIN = ROOT / "services" / "payout" / "domain"


def numbers_of(header: str, enum: str) -> dict[str, int]:
    body = re.search(rf"enum class {enum} [^{{]*{{(.*?)}}", (DOMAIN / header).read_text(), re.S)
    assert body
    return {name: int(number) for name, number in re.findall(r"\bk(\w+) = (\d+)", body.group(1))}


def test_stored_numbers_are_those_of_the_service() -> None:
    kinds = numbers_of("payment_change.h", "ChangeKind")
    known = {name: number for name, number in kinds.items() if number <= deep_check.EXPIRED}
    # Cashback and coupons, which no service emits yet: a deep recount says that it does not know them.
    assert set(kinds) - set(known) == {
        f"{who}{what}{back}"
        for who in ("Merchant", "Operator")
        for what in ("Cashback", "Coupon")
        for back in ("", "Returned")
    }
    assert known == {
        "Completed": deep_check.COMPLETED, "Canceled": deep_check.CANCELED,
        "Refunded": deep_check.REFUNDED, "Authorized": deep_check.AUTHORIZED,
        "Captured": deep_check.CAPTURED, "Reverted": deep_check.REVERTED,
        "Expired": deep_check.EXPIRED,
    }  # fmt: skip
    assert numbers_of("release.h", "DayState")["Open"] == mysql_books._OPEN
    assert numbers_of("release.h", "HoldReason")["EventParked"] == mysql_books._EVENT_PARKED
    amount_max = re.search(r"kMaxAmount = ([\d']+);", (DOMAIN / "payment_change.h").read_text())
    assert amount_max and int(amount_max.group(1).replace("'", "")) == fee_plans.AMOUNT_MAX
    buckets = (ROOT / "libs/event/include/kessai/event/bucket.h").read_text()
    assert f"kBuckets = {accrual_rows.BUCKETS};" in buckets


def test_tax_rates_are_those_of_the_service() -> None:
    classes = numbers_of("tax.h", "TaxClass")
    rates = re.findall(
        r"TaxRate\{TaxClass::k(\w+), \"\w+\", (\d+), (\d+),\s+BusinessDate\(std::chrono::sys_days\("
        r"year\((\d+)\) / (\d+) / (\d+)\)\)\}",
        (DOMAIN / "tax.cc").read_text(),
    )
    assert [
        tax.Rate(classes[name], int(up), int(down), int(y) * 10000 + int(m) * 100 + int(d))
        for name, up, down, y, m, d in rates
    ] == list(tax.JAPAN)


def test_invoice_tax_is_rounded_once_toward_zero(spark: Any) -> None:
    chance = random.Random(7)
    fees = [0, 9, -9, 10, -10, 11, 2**63 - 1, -(2**63) + 1]
    fees += [chance.randint(-(10**12), 10**12) for _ in range(500)]
    rows = [(rate.tax_class, str(fee)) for rate in tax.JAPAN for fee in fees]
    frame = spark.createDataFrame(rows, "tax_class bigint, text string")
    frame = frame.withColumn("fees", F.col("text").cast("decimal(38,0)"))
    found = frame.select("tax_class", "text", tax.invoice_tax("tax_class", "fees")).collect()
    of_class = {rate.tax_class: rate for rate in tax.JAPAN}
    for tax_class, text, result in found:
        rate, fee = of_class[tax_class], int(text)
        magnitude = abs(fee) * rate.numerator // rate.denominator
        assert result == (magnitude if fee >= 0 else -magnitude), (tax_class, text)


def test_tax_class_follows_the_payments_day(spark: Any) -> None:
    days = [2013_01_01, 2014_03_31, 2014_04_01, 2019_09_30, 2019_10_01, 2026_11_27]
    frame = spark.createDataFrame([(day,) for day in days], "day bigint")
    assert [row[0] for row in frame.select(tax.class_on(F.col("day"))).collect()] == [1, 1, 1, 1, 2, 2]


# Goal: sums are exact whatever rows hold: beyond 64 bits, and back again.
def test_sums_are_exact(spark: Any) -> None:
    chance = random.Random(11)
    highest, lowest = 2**63 - 1, -(2**63)
    values = [highest, highest, highest, lowest, lowest, lowest, 1, -1, 0]
    values += [chance.choice((highest, lowest, chance.randint(lowest, highest))) for _ in range(1_000)]
    for part in (values, values[:3], values[3:6], [0], [-1]):
        frame = spark.createDataFrame([(value,) for value in part], "amount bigint")
        sums = frame.repartition(3).agg(*exact.halves("amount")).select(
            exact.whole("amount"), exact.fits_64_bits(exact.whole("amount")).alias("fits")
        )  # fmt: skip
        total, fits = sums.collect()[0]
        assert int(total) == sum(part)
        assert fits == (lowest <= sum(part) <= highest)


def test_ranges_of_buckets_cover_every_bucket_once() -> None:
    for parts in (1, 3, 8, 64, 1024):
        ranges = accrual_rows.bucket_ranges(parts)
        covered = [bucket for first, last in ranges for bucket in range(first, last + 1)]
        assert covered == list(range(accrual_rows.BUCKETS)) and len(ranges) == parts


def plan(plan_id: int, version: int, first: int, last: int | None, **other: int) -> Plan:
    terms = {"rate_basis_points": 198, "fixed_fee": 0, "minimum_fee": 0, "maximum_fee": 0, **other}
    return Plan(
        plan_id=plan_id, version=version, merchant_id=7, currency="JPY", effective_from=first,
        effective_to=last, **terms,
    )  # fmt: skip


def periods(*plans: Plan) -> list[tuple[Any, ...]]:
    """(first day, last day, plan, version) in order."""
    return [row[1:5] for row in fee_plans.timeline(plans)]


def test_a_later_version_takes_its_days_from_the_earlier_ones() -> None:
    forever = fee_plans.FOREVER
    one, two = plan(1, 1, 2026_01_01, None), plan(1, 2, 2026_03_01, None)
    assert periods(one) == [(2026_01_01, forever, 1, 1)]
    assert periods(two, one) == [(2026_01_01, 2026_02_28, 1, 1), (2026_03_01, forever, 1, 2)]
    # A version from the same day or an earlier one leaves nothing of it.
    assert periods(one, two, plan(1, 3, 2026_01_01, 2026_06_30)) == [(2026_01_01, 2026_06_30, 1, 3)]
    # Other plans may follow, with days between that have none.
    other = plan(2, 1, 2026_09_01, None)
    assert periods(plan(1, 1, 2026_01_01, 2026_06_30), other) == [
        (2026_01_01, 2026_06_30, 1, 1),
        (2026_09_01, forever, 2, 1),
    ]


@pytest.mark.parametrize(
    "reason, plans",
    [
        ("PLAN_OVERLAPS", (plan(1, 1, 2026_01_01, None), plan(2, 1, 2026_05_01, None))),
        ("PLAN_INVALID", (plan(1, 1, 2026_01_01, None, rate_basis_points=10_001),)),
        ("PLAN_INVALID", (plan(1, 1, 2026_01_01, None, fixed_fee=-1),)),
        ("PLAN_INVALID", (plan(1, 1, 2026_01_01, None, minimum_fee=10, maximum_fee=9),)),
        ("PLAN_INVALID", (plan(1, 1, 2026_01_01, 2025_12_31),)),
    ],
)
def test_plans_that_the_service_never_stored_are_refused(reason: str, plans: tuple[Plan, ...]) -> None:
    with pytest.raises(Refusal) as refused:
        fee_plans.timeline(plans)
    assert refused.value.reason == reason


def test_days_are_numbers() -> None:
    assert business_date.parse("2026-11-27") == business_date.parse("20261127") == 2026_11_27
    assert business_date.iso(2026_01_02) == "2026-01-02"
    assert business_date.before(2026_03_01) == 2026_02_28
    assert business_date.cycle_start(2026_11_27) == 2026_11_01
    fullwidth = "２０２６１１２７"
    for wrong in ("", "2026-11-31", "26-11-27", "2026-11-1", "2026_112", "'; DROP", fullwidth):
        with pytest.raises(Refusal) as refused:
            business_date.parse(wrong)
        assert refused.value.reason == "ARGUMENT_INVALID"

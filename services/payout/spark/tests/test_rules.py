"""Goal: the rules here are those of the service.
Method: against its sources' numbers and slow references in Python, without servers."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from payout_spark import (
    accrual_rows, business_date, deep_check, exact, export_job, fee_plans, method_split, mysql_books,
    recount_job, tax,
)  # fmt: skip
from payout_spark.fee_plans import Plan, PlanVersion, RuleRow
from payout_spark.plans_in_force import Assignment, PlanBook, Volume
from payout_spark.refusal import Refusal
from pyspark.sql import functions as F
from servers import ROOT

DOMAIN = ROOT / "services" / "payout" / "domain"


def numbers_of(header: str, enum: str) -> dict[str, int]:
    body = re.search(rf"enum class {enum} [^{{]*{{(.*?)}}", (DOMAIN / header).read_text(), re.S)
    assert body
    return {name: int(number) for name, number in re.findall(r"\bk(\w+) = (\d+)", body.group(1))}


def upper(name: str) -> str:
    """kMerchantCashback as a constant of Python."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


def test_stored_numbers_are_those_of_the_service() -> None:
    kinds = numbers_of("payment_change.h", "ChangeKind")
    assert kinds == {name: getattr(deep_check, upper(name)) for name in kinds}
    assert sorted(kinds.values()) == list(range(1, 16))
    assert sorted(numbers_of("payment_method.h", "Method").values()) == list(fee_plans.METHODS)
    assert numbers_of("release.h", "DayState")["Open"] == mysql_books._OPEN
    assert numbers_of("release.h", "HoldReason")["EventParked"] == mysql_books._EVENT_PARKED
    amount_max = re.search(r"kMaxAmount = ([\d']+);", (DOMAIN / "payment_change.h").read_text())
    assert amount_max and int(amount_max.group(1).replace("'", "")) == fee_plans.AMOUNT_MAX
    first_days_max = re.search(r"kFirstDaysMax = ([\d']+);", (DOMAIN / "fee_rule.h").read_text())
    assert first_days_max and int(first_days_max.group(1).replace("'", "")) == fee_plans.FIRST_DAYS_MAX
    shared = re.search(r"kSharedPlan\{(-?\d+)\};", (DOMAIN / "fee_plan.h").read_text())
    assert shared and int(shared.group(1)) == fee_plans.SHARED_MERCHANT
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
        plan_id=plan_id, version=version, currency="JPY", effective_from=first, effective_to=last,
        **{"merchant_id": 7, **terms},
    )  # fmt: skip


def rule(number: int, **other: Any) -> RuleRow:
    """Of plan 1, version 1."""
    row = {
        "plan_id": 1, "version": 1, "rule": number, "volume_from": 0, "store_id": "", "method": 0,
        "date_from": None, "date_to": None, "first_days": 0, "rate_basis_points": 1, "fixed_fee": 0,
        "minimum_fee": 0, "maximum_fee": 0,
    }  # fmt: skip
    return RuleRow(**{**row, **other})


def periods(*plans: Plan) -> list[tuple[Any, ...]]:
    """(first day, last day, plan, version) in order."""
    return [row[1:5] for row in PlanBook(fee_plans.versions(plans, [])).periods()]


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


# Goal: who is assigned to a shared plan has its versions on those days, but for those of an own plan.
def test_own_plans_come_before_shared_ones() -> None:
    plans = [
        plan(1, 1, 2026_01_01, None, merchant_id=fee_plans.SHARED_MERCHANT),
        plan(1, 2, 2026_05_01, None, merchant_id=fee_plans.SHARED_MERCHANT),
        plan(2, 1, 2026_04_10, 2026_04_20),
    ]
    assignments = [Assignment(7, 4, 1, 2026_04_01, None), Assignment(7, 5, 0, 2026_06_01, None)]
    book = PlanBook(fee_plans.versions(plans, []), assignments)
    assert sorted(row[1:6] for row in book.periods()) == [
        (2026_04_01, 2026_04_09, 1, 1, 0),
        (2026_04_10, 2026_04_20, 2, 1, 0),
        (2026_04_21, 2026_04_30, 1, 1, 20),
        (2026_05_01, 2026_05_31, 1, 2, 30),
    ]
    # The same plan again right after it goes on, and after another day begins anew.
    for first, before, age in ((2026_06_01, assignments[:1], 61), (2026_07_01, assignments, 0)):
        again = PlanBook(book.versions, [*before, Assignment(7, 6, 1, first, None)])
        assert sorted(again.periods())[-1][1:6] == (first, fee_plans.FOREVER, 1, 2, age)


# Goal: within a period nothing changes that a fee follows.
def test_periods_end_where_first_days_do_and_where_another_volume_counts() -> None:
    rules = [rule(0, volume_from=100), rule(1, first_days=10)]
    volumes = [Volume(7, 2026_01_01, 50, 2026_02_02), Volume(7, 2026_02_01, 500, 2026_03_02)]
    book = PlanBook(fee_plans.versions([plan(1, 1, 2026_01_25, None)], rules), (), volumes)
    assert [(first, last, age, volume) for _, first, last, _, _, age, volume in book.periods()] == [
        (2026_01_25, 2026_02_01, 0, 0),
        (2026_02_02, 2026_02_03, 8, 50),
        (2026_02_04, 2026_03_01, 10, 50),
        (2026_03_02, fee_plans.FOREVER, 36, 500),
    ]


def test_steps_are_in_the_order_in_which_rules_apply() -> None:
    rules = [
        rule(1, method=2), rule(2, store_id="a"), rule(3, store_id="a", method=2),
        rule(4, date_to=2026_02_01),
        rule(5, date_from=2026_01_01, date_to=9999_12_31, method=3), rule(6, first_days=3),
    ]  # fmt: skip
    *_, steps = PlanVersion(plan(1, 1, 2026_01_01, None), rules).charges()
    assert [(step.store, step.method, step.first_days, step.is_campaign) for step in steps] == [
        ("", 0, 3, False), ("", 3, 0, True), ("", 0, 0, True), ("a", 2, 0, False), ("a", 0, 0, False),
        ("", 2, 0, False), ("", 0, 0, False),
    ]  # fmt: skip
    assert PlanVersion(plan(1, 1, 2026_01_01, None)).charges()[-1] is None


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
        periods(*plans)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "words, rules",
    [
        ("rate", [rule(1, rate_basis_points=10_001)]),
        ("maximum is below", [rule(0, volume_from=5, minimum_fee=2, maximum_fee=1)]),
        ("no volume", [rule(0, volume_from=-5)]),
        ("not whole", [rule(1, volume_from=5)]),
        ("not whole", [rule(1), rule(1, volume_from=5, method=2)]),
        ("no method 8", [rule(1, method=8)]),
        ("ends before it begins", [rule(1, date_from=2026_02_01, date_to=2026_01_31)]),
        ("dates and first days", [rule(1, date_from=2026_02_01, first_days=1)]),
        ("out of range", [rule(1, first_days=3_661)]),
        ("same store, method and days", [rule(1, store_id="a"), rule(2, store_id="a")]),
        ("same store, method and days", [rule(1, date_to=2026_02_01), rule(2, date_from=2026_02_01)]),
    ],
)
def test_rules_that_the_service_never_stored_are_refused(words: str, rules: list[RuleRow]) -> None:
    with pytest.raises(Refusal) as refused:
        PlanVersion(plan(1, 1, 2026_01_01, None), rules)
    assert refused.value.reason == "PLAN_INVALID" and words in refused.value.message


def test_the_plan_of_all_others_has_neither_tiers_nor_first_days() -> None:
    for one in (rule(0, volume_from=5), rule(1, first_days=5)):
        with pytest.raises(Refusal) as refused:
            PlanVersion(plan(1, 1, 2026_01_01, None, merchant_id=0), [one])
        assert refused.value.reason == "PLAN_INVALID"


# Goal: a text is a split of an amount in one form only, and no text ends the job.
def test_splits_are_read_as_the_service_reads_them(spark: Any) -> None:
    texts = {
        "": [1_000, 0, 0, 0, 0, 0, 0],
        "1:700 2:300": [700, 300, 0, 0, 0, 0, 0],
        "2:1000": [0, 1_000, 0, 0, 0, 0, 0],
        "3:1 5:2 7:997": [0, 0, 1, 0, 2, 0, 997],
        "01:0700 2:300": [700, 300, 0, 0, 0, 0, 0],
    }
    none = [
        "1:1000", "2:300 1:700", "1:700 1:300", "1:700 2:200", "1:7002:300", "1:700  2:300", " 2:1000",
        "2:1000 ", "2:1000\n", "2:0 3:1000", "2:-1 3:1001", "8:1000", "0:1000", "2", "2:", ":1000", "x",
        "2:+1000", "22:1000", "2:9999999999999 3:1", "2:99999999999999999999", "2:1000,3:0", "２:1000",
    ]  # fmt: skip
    frame = spark.createDataFrame([(text, 1_000) for text in [*texts, *none]], "text string, amount bigint")
    found = frame.selectExpr(
        "text", method_split.is_split("text", "amount"), method_split.by_method("text", "amount")
    ).collect()
    for text, is_split, amounts in found:
        assert is_split == (text in texts), text
        assert text not in texts or amounts == texts[text]


# Goal: a fee in another currency than its plan's is found, which the service reads as yen.
def test_a_currency_is_the_plans(spark: Any) -> None:
    row = {
        "merchant_id": 7, "tax_class": 2, "gross": 100, "fee": 1, "business_date": 2026_11_27,
        "payment_id": 1, "version": 1, "kind": deep_check.COMPLETED, "currency": "JPY",
        "captured_total": None, "refunded_before": None, "payment_date": None, "plan_id": 1,
        "plan_version": 1, "captured_methods": "", "methods": "", "store_id": "",
    }  # fmt: skip
    rows = [tuple({**row, "currency": one}[name] for name in accrual_rows.FOR_FEES) for one in ("JPY", "USD")]
    accruals = spark.createDataFrame(rows, accrual_rows.schema(accrual_rows.FOR_FEES))
    book = PlanBook(fee_plans.versions([plan(1, 1, 2026_01_01, None)], []))
    found = deep_check.with_faults(accruals, book).select("currency", "fault").collect()
    assert dict(found) == {"JPY": 0, "USD": deep_check.PLAN_MISSING}


# Goal: a damaged row is a fault, whatever it makes of a fee; it does not end the job.
def test_no_row_overflows_the_arithmetic_of_fees(spark: Any) -> None:
    most = fee_plans.AMOUNT_MAX
    row = {
        "merchant_id": 7, "tax_class": 2, "gross": -most, "fee": 0, "business_date": 2026_11_27,
        "payment_id": 1, "version": 2, "kind": deep_check.REFUNDED, "currency": "JPY", "captured_total": 1,
        "refunded_before": most, "payment_date": None, "plan_id": 1, "plan_version": 1,
        "captured_methods": "", "methods": "", "store_id": "",
    }  # fmt: skip
    damages: list[dict[str, Any]] = [
        {}, {"captured_methods": "2:1"}, {"captured_methods": "2:9999999999999 3:1"}, {"captured_total": -1},
    ]  # fmt: skip
    rows = [tuple({**row, **damage}[name] for name in accrual_rows.FOR_FEES) for damage in damages]
    accruals = spark.createDataFrame(rows, accrual_rows.schema(accrual_rows.FOR_FEES))
    terms = {"rate_basis_points": 10_000, "fixed_fee": most, "minimum_fee": most, "maximum_fee": 0}
    book = PlanBook(
        fee_plans.versions([plan(1, 1, 2026_01_01, None, **terms)], [rule(1, method=2, **terms)])
    )
    found = deep_check.with_faults(accruals, book).select("fault", "expected_fee").collect()
    assert [fault for fault, _ in found] == [deep_check.CHANGE_INVALID] * len(damages)


@pytest.mark.parametrize(
    "run, more",
    [
        (recount_job.run, ["--segments", "-1"]),
        (recount_job.run, ["--segments", "1000001"]),
        (export_job.run, ["--to", "parquet", "--ranges", "0"]),
        (export_job.run, ["--to", "dynamodb"]),
        (export_job.run, ["--to", "dynamodb", "--dynamodb-region", "r", "--table-prefix", "a b"]),
        (export_job.run, ["--to", "dynamodb", "--dynamodb-region", "r", "--table-prefix", "a" * 248]),
        (recount_job.run, ["--day", "2026-11-31"]),
        (recount_job.run, ["--export", ""]),
        (recount_job.run, ["--out", ""]),
        (export_job.run, ["--to", "dynamodb", "--dynamodb-region", ""]),
        *[
            (run, [*usual, *more])
            for run, usual in ((recount_job.run, []), (export_job.run, ["--to", "parquet"]))
            for more in (
                ["--partitions", "-1"], ["--partitions", "1025"], ["--patience-s", "0"],
                ["--patience-s", "-3"], ["--patience-s", "nan"], ["--patience-s", "inf"],
            )
        ],
    ],
)  # fmt: skip
def test_arguments_that_mean_nothing_are_refused_first(run: Any, more: list[str]) -> None:
    usual = ["--day", "2026-11-27", "--jdbc-url", "j", "--user", "u", "--password-file", "f", "--out", "o"]
    with pytest.raises(Refusal) as refused:
        run([*usual, *more])
    assert refused.value.reason == "ARGUMENT_INVALID"


def test_days_are_numbers() -> None:
    assert business_date.parse("2026-11-27") == business_date.parse("20261127") == 2026_11_27
    assert business_date.iso(2026_01_02) == "2026-01-02"
    assert business_date.plus_days(2026_03_01, -1) == 2026_02_28
    assert business_date.plus_days(2026_02_28, 1) == business_date.plus_days(2026_02_01, 28) == 2026_03_01
    assert business_date.plus_days(9999_12_30, 5) == 9999_12_31
    assert business_date.days_from(2026_02_28, 2026_03_01) == 1
    assert business_date.cycle_start(2026_11_27) == 2026_11_01
    fullwidth = "２０２６１１２７"
    for wrong in ("", "2026-11-31", "26-11-27", "2026-11-1", "2026_112", "'; DROP", fullwidth):
        with pytest.raises(Refusal) as refused:
            business_date.parse(wrong)
        assert refused.value.reason == "ARGUMENT_INVALID"

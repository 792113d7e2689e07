"""Goal: exactly the merchants whose rows are wrong are named, and the same as by the service.
Method: rows are damaged by SQL after the close, each kind on a merchant of its own; the jobs judge the
day, then the service releases it."""

from __future__ import annotations

from typing import Any, Callable

import books
import pytest
from day_of_trade import DAY
from payout_spark.refusal import Refusal
from plans_of_trade import UNDER_SHARED
from servers import DynamoDb

EVENT_PARKED, RECOUNT_DIFFERS, FEE_DIFFERS = 1, 2, 3  # domain::HoldReason
NAMES = {EVENT_PARKED: "EVENT_PARKED", RECOUNT_DIFFERS: "RECOUNT_DIFFERS", FEE_DIFFERS: "FEE_DIFFERS"}


def wrong(merchant: int, change: str, where: str = "1 = 1") -> str:
    return (
        f"UPDATE accrual SET {change} WHERE business_date = {DAY} AND merchant_id = {merchant} "
        f"AND {where} ORDER BY payment_id, version LIMIT 1"
    )


SALE = "kind = 1 AND fee > 5"
PAID_BY_MONEY = (
    f"{SALE} AND NOT EXISTS (SELECT 1 FROM accrual_detail d WHERE d.business_date = accrual.business_date "
    "AND d.payment_id = accrual.payment_id AND d.version = accrual.version)"
)
MOST = "9223372036854775807"


def merchants_of(day: books.Day, with_rows: int, of: str = SALE) -> list[int]:
    """Merchants with at least so many sales on the day, whose fees are not zero."""
    return [
        merchant
        for (merchant,) in day.schema.rows(
            f"SELECT merchant_id FROM accrual WHERE business_date = {DAY} AND {of} "
            f"GROUP BY merchant_id HAVING COUNT(*) >= {with_rows} ORDER BY merchant_id"
        )
    ]


def reasons(day: books.Day) -> dict[int, str]:
    """Whom the service holds back, and why."""
    return {merchant: NAMES[reason] for merchant, reason in day.held_back().items()}


@pytest.mark.parametrize("source", ("mysql", "parquet", "dynamodb"))
def test_wrong_accruals_are_named(
    small_day: Callable[..., books.Day], dynamodb: DynamoDb, spark: Any, source: str
) -> None:
    day = small_day()
    found = merchants_of(day, 1)
    assert len(found) >= 8
    damages = [
        lambda m: wrong(m, "gross = gross + 1", SALE),
        lambda m: wrong(m, "fee = fee - 1", SALE),
        lambda m: wrong(m, f"gross = {MOST}", SALE),
        lambda m: wrong(m, f"fee = -{MOST} - 1", SALE),
        lambda m: wrong(m, "tax_class = 1", SALE),
        lambda m: wrong(m, "tax_class = 77", SALE),
        lambda m: f"DELETE FROM accrual WHERE business_date = {DAY} AND merchant_id = {m} LIMIT 1",
        lambda m: f"UPDATE accrual SET merchant_id = 99 WHERE business_date = {DAY} AND merchant_id = {m}",
    ]
    hurt = found[: len(damages)]
    day.schema.run(*[damage(merchant) for damage, merchant in zip(damages, hurt)])

    there = books.dynamodb_arguments(dynamodb.endpoint)
    more: list[str] = []
    if source != "mysql":
        prefix = f"{day.schema.name}-"
        out = day.export("export", "--to", source, "--ranges", "2", "--table-prefix", prefix, *there)
        more = ["--export", str(out), *there]
    recount = day.recount("recount", *more)
    assert recount.code == 1
    assert recount.held == {merchant: "RECOUNT_DIFFERS" for merchant in [*hurt, 99]}

    day.release()
    assert recount.held == reasons(day)
    assert recount.lines(spark) == day.released()


def test_a_fee_that_sums_hide_is_found_by_the_deep_recount_only(
    small_day: Callable[..., books.Day], spark: Any
) -> None:
    day = small_day()
    merchant = merchants_of(day, 2)[-1]
    (one, fee), (other, _) = day.schema.rows(
        f"SELECT payment_id, fee FROM accrual WHERE business_date = {DAY} AND merchant_id = {merchant} "
        f"AND {SALE} ORDER BY payment_id LIMIT 2"
    )
    day.schema.run(
        f"UPDATE accrual SET fee = fee + 1 WHERE payment_id = {one} AND kind = 1",
        f"UPDATE accrual SET fee = fee - 1 WHERE payment_id = {other} AND kind = 1",
    )
    shallow = day.recount("shallow")
    assert shallow.code == 0 and not shallow.held
    deep = day.recount("deep", "--deep")
    assert deep.code == 1 and deep.held == {merchant: "FEE_DIFFERS"}
    (named,) = deep.report["heldBack"]
    assert named["note"] == f"payment {one} version 1: the fee is {fee}"
    assert named["totals"] == named["recount"]

    day.release(deep=True)
    assert deep.held == reasons(day)
    assert deep.lines(spark) == day.released()


# Goal: whatever an accrual says that the rules do not, where the sums do not show it.
def test_the_deep_recount_finds_what_the_services_does(
    small_day: Callable[..., books.Day], spark: Any
) -> None:
    day = small_day(payments=2_000)
    damages = {
        "the kind is unknown": "kind = 16",
        "the sign of gross does not fit the kind": "kind = 3",
        "its numbers do not fit each other": f"captured_total = -{MOST} - 1",
        "plan 1 version 1 was in force": "plan_version = 2",
        "plan 50 version 1 was in force": "kind = 5, payment_date = '2019-09-20'",
        "the fee is ": "kind = 5, payment_date = '2019-09-20', plan_id = 50",
        "no fee plan was in force": "kind = 5, payment_date = '2013-12-31'",
    }
    ours = [one for one in merchants_of(day, 1, PAID_BY_MONEY) if one > UNDER_SHARED[-1]]
    assert len(ours) >= len(damages)
    note_of = dict(zip(ours, damages))
    day.schema.run(*[wrong(merchant, damages[note], PAID_BY_MONEY) for merchant, note in note_of.items()])
    assert day.recount("shallow").code == 0
    deep = day.recount("deep", "--deep")
    assert deep.code == 1 and deep.held == {merchant: "FEE_DIFFERS" for merchant in note_of}
    for held in deep.report["heldBack"]:
        assert note_of[held["merchant"]] in held["note"]

    day.release(deep=True)
    assert deep.held == reasons(day)
    assert deep.lines(spark) == day.released()


def test_a_merchant_with_an_event_that_waits_is_held_back(small_day: Callable[..., books.Day]) -> None:
    day = small_day()
    merchant = merchants_of(day, 1)[0]
    for held in (merchant, 0):  # 0: of nobody knows whom
        day.schema.run(
            "INSERT INTO merchant_hold (business_date, merchant_id, reason, open_at_close, total_gross, "
            "total_fee, total_count, recount_gross, recount_fee, recount_count, note, held_at_us) "
            f"VALUES ({DAY}, {held}, {EVENT_PARKED}, 1, 0, 0, 0, 0, 0, 0, '', 0)"
        )
    recount = day.recount("recount")
    assert recount.code == 1
    assert recount.held == {0: "EVENT_PARKED", merchant: "EVENT_PARKED"}


# Goal: a line that the service released otherwise is found, and so is one that is missing.
def test_released_lines_that_differ_are_named(small_day: Callable[..., books.Day], spark: Any) -> None:
    day = small_day()
    day.release()
    one, other, *_ = merchants_of(day, 1)
    day.schema.run(
        f"UPDATE merchant_release SET tax = tax + 1, net = net - 1 WHERE business_date = {DAY} "
        f"AND merchant_id = {one} AND tax_class = 2",
        "INSERT INTO merchant_release SELECT business_date, merchant_id, 3 - tax_class, round, currency, "
        f"0, 0, 0, 0, 1 FROM merchant_release r WHERE business_date = {DAY} AND merchant_id = {other} "
        "AND NOT EXISTS (SELECT 1 FROM merchant_release o WHERE o.business_date = r.business_date "
        "AND o.merchant_id = r.merchant_id AND o.tax_class = 3 - r.tax_class)",
    )
    recount = day.recount("recount")
    assert recount.code == 1
    assert recount.held[one] == "RELEASE_DIFFERS" and set(recount.held) <= {one, other}


@pytest.mark.parametrize(
    "reason, statement",
    [
        ("SCHEMA_UNKNOWN", "ALTER TABLE fee_plan_rule ADD COLUMN user_age INT NOT NULL DEFAULT 0"),
        ("SCHEMA_UNKNOWN", "ALTER TABLE plan_assignment ADD COLUMN store_id INT NULL"),
        ("SCHEMA_UNKNOWN", "ALTER TABLE merchant_volume DROP COLUMN fixed_at_us"),
        ("SCHEMA_UNKNOWN", "ALTER TABLE accrual_detail ADD COLUMN brand INT NULL"),
        ("SCHEMA_UNKNOWN", "DROP TABLE accrual_detail"),
        ("PLAN_INVALID", "UPDATE fee_plan_rule SET method = 77 WHERE rule > 0"),
        ("PLAN_OVERLAPS", "UPDATE fee_plan SET effective_from = '2026-10-01' WHERE plan_id = 103"),
        ("DAY_OPEN", f"UPDATE payout_day SET state = 1 WHERE business_date = {DAY}"),
        ("DAY_UNKNOWN", f"DELETE FROM payout_day WHERE business_date = {DAY}"),
        ("RELEASE_RUNNING", f"UPDATE payout_gate SET releasing_date = {DAY}, releasing_round = 0"),
        ("SCHEMA_UNKNOWN", "ALTER TABLE fee_plan ADD COLUMN discount INT NOT NULL DEFAULT 0"),
        ("PLAN_INVALID", "UPDATE fee_plan SET rate_basis_points = 10001 WHERE plan_id = 101"),
    ],
)
def test_a_day_that_cannot_be_judged_is_refused(
    small_day: Callable[..., books.Day], reason: str, statement: str
) -> None:
    day = small_day()
    day.schema.run(statement)
    with pytest.raises(Refusal) as refused:
        day.recount("recount", "--deep")
    assert refused.value.reason == reason
    assert not (day.folder / "recount" / "lines").exists()


# Goal: a deep recount never passes a fee by rules that it did not read.
def test_further_rules_of_fees_are_refused_once_they_are_in_use(small_day: Callable[..., books.Day]) -> None:
    day = small_day()
    day.schema.run("CREATE TABLE fee_surcharge (plan_id INT PRIMARY KEY)")
    assert day.recount("unused", "--deep").code == 0
    day.schema.run("INSERT INTO fee_surcharge VALUES (1)")
    assert day.recount("sums").code == 0
    with pytest.raises(Refusal) as refused:
        day.recount("deep", "--deep")
    assert refused.value.reason == "SCHEMA_UNKNOWN" and "fee_surcharge" in refused.value.message


def test_an_outcome_is_not_written_over(small_day: Callable[..., books.Day]) -> None:
    day = small_day()
    day.recount("recount")
    with pytest.raises(Refusal) as refused:
        day.recount("recount")
    assert refused.value.reason == "OUTPUT_EXISTS"


# Goal: what a recount left that was killed before its report is no outcome, and in nobody's way.
def test_an_outcome_without_its_report_is_made_anew(small_day: Callable[..., books.Day], spark: Any) -> None:
    day = small_day()
    lines = day.recount("recount").lines(spark)
    (day.folder / "recount" / "report.json").unlink()
    next((day.folder / "recount" / "lines").glob("*.parquet")).unlink()
    again = day.recount("recount")
    assert again.code == 0 and again.lines(spark) == lines
    assert len(lines) > 0 and not again.held

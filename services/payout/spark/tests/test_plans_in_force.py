"""Goal: whom a plan is in force for, and what its terms follow on a day, is what the rules say.
Method: generated plans, assignments and volumes, day by day against a slow reference."""

from __future__ import annotations

from typing import Any, Callable, Iterable

from conftest import seed
from payout_spark import business_date, fee_plans
from payout_spark.fee_plans import FOREVER, SHARED_MERCHANT, Plan
from payout_spark.plans_in_force import PlanBook
from plans_of_trade import PlanRows, plans_of_trade

# Before, on and after the days on which something of the generated plans begins.
DAYS = (
    2019_09_20, 2026_10_02, 2026_10_15, 2026_11_01, 2026_11_14, 2026_11_19, 2026_11_20, 2026_11_25, 2026_11_26,
    2026_11_27, 2026_11_28, 2026_12_03,
)  # fmt: skip


def on(day: int, in_turn: Iterable[Any], turn: Callable[[Any], int]) -> Any:
    """The last in turn of those that have begun, if it has not ended."""
    begun = [one for one in sorted(in_turn, key=turn) if one.effective_from <= day]
    return begun[-1] if begun and day <= (begun[-1].effective_to or FOREVER) else None


def version_on(day: int, rows: PlanRows, merchant: int, plan_id: int) -> Plan | None:
    versions = [p for p in rows.plans if (p.merchant_id, p.plan_id) == (merchant, plan_id)]
    return on(day, versions, lambda plan: plan.version)


def assigned_on(day: int, rows: PlanRows, merchant: int) -> int:
    of_merchant = [one for one in rows.assignments if one.merchant_id == merchant]
    found = on(day, of_merchant, lambda one: one.revision)
    return found.plan_id if found else 0


def in_force(day: int, rows: PlanRows, merchant: int) -> tuple[Plan, int] | None:
    """And since when the merchant is under the plan."""
    own = {plan.plan_id for plan in rows.plans if plan.merchant_id == merchant}
    for plan_id in own:
        if found := version_on(day, rows, merchant, plan_id):
            begins = (plan.effective_from for plan in rows.plans if plan.plan_id == plan_id)
            return found, min(begins)
    plan_id = assigned_on(day, rows, merchant)
    found = version_on(day, rows, SHARED_MERCHANT, plan_id)
    if found is None:
        return None
    since = day
    while assigned_on(business_date.plus_days(since, -1), rows, merchant) == plan_id:
        since = business_date.plus_days(since, -1)
    return found, since


def test_periods_say_what_is_in_force_on_every_day() -> None:
    print(f"seed {seed()}")
    looked_at = 0
    for number in range(5):
        rows = plans_of_trade(seed() + number)
        book = PlanBook(fee_plans.versions(rows.plans, rows.rules), rows.assignments, rows.volumes)
        of_version = {(one.plan.plan_id, one.plan.version): one for one in book.versions}
        periods = book.periods()
        for merchant in range(1_002, 1_035):
            for day in DAYS:
                there = [row[3:] for row in periods if row[0] == merchant and row[1] <= day <= row[2]]
                expected = in_force(day, rows, merchant)
                if expected is None:
                    assert not there, (number, merchant, day)
                    continue
                plan, since = expected
                ((plan_id, version, age_days, volume),) = there
                assert (plan_id, version) == (plan.plan_id, plan.version), (number, merchant, day)
                under = of_version[plan_id, version]
                for days in under.first_days:
                    is_one = business_date.days_from(since, day) < days
                    assert (age_days < days) == is_one, (number, merchant, day, days)
                if under.has_tiers:
                    counted = [v for v in rows.volumes if v.merchant_id == merchant and v.effective_from <= day]
                    last = max(counted, key=lambda v: (v.effective_from, v.month_start), default=None)
                    assert volume == (last.volume if last else 0), (number, merchant, day)
                looked_at += 1
    assert looked_at > 1_000

"""The fee plans of the generated day: some that are written down, and some with rules of every kind, made
from a seed, for merchants of their own and for those under shared plans."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from typing import Any, Iterator

from payout_spark import business_date
from payout_spark.fee_plans import METHODS, SHARED_MERCHANT, Plan, PlanVersion, RuleRow, Terms
from payout_spark.plans_in_force import Assignment, Volume
from payout_spark.refusal import Refusal

STORES = ("", "shibuya", "渋谷店", "s-3")

WITH_RULES = range(1_008, 1_020)
UNDER_SHARED = range(1_020, 1_031)  # who is above has the default plan
SHARED_PLANS = range(301, 305)

# merchant, plan id, version, basis points, fixed, minimum, maximum, from, to
_WRITTEN = [
    # The default: one plan until 2019, another since 2020 (of the migration), so that old payments have one.
    (0, 50, 1, 250, 0, 0, 0, 2014_01_01, 2019_12_31),
    (1_002, 101, 1, 150, 0, 0, 0, 2015_01_01, None),
    # Takes over in the middle of the cycle.
    (1_002, 101, 2, 175, 10, 0, 0, 2026_11_27, None),
    (1_003, 102, 1, 300, 0, 30, 500, 2015_01_01, 2026_10_31),
    (1_003, 103, 1, 99, 5, 0, 0, 2026_11_01, None),
    # A version that a later one takes from its very first day.
    (1_004, 104, 1, 400, 0, 0, 0, 2026_11_01, None),
    (1_004, 104, 2, 0, 0, 0, 0, 2026_11_01, None),
    # Over: since then the default plan is in force.
    (1_005, 105, 1, 10_000, 0, 0, 0, 2015_01_01, 2026_11_26),
    (1_006, 106, 1, 0, 100, 0, 0, 2015_01_01, None),
    (1_007, 107, 1, 1, 0, 3, 3, 2015_01_01, None),
]
# Around the days of the generated payments.
_CAMPAIGN_BEGINS = (2019_09_01, 2026_10_01, 2026_10_15, 2026_11_20, 2026_11_26, 2026_11_27)
_TAKES_OVER = (2019_09_20, 2026_10_15, 2026_11_20, 2026_11_26, 2026_11_27)


@dataclass(frozen=True)
class PlanRows:
    plans: list[Plan]
    rules: list[RuleRow]
    assignments: list[Assignment]
    volumes: list[Volume]

    def statements(self) -> list[str]:
        """They are put with revisions above the migration's plan."""
        first = 2
        last = first + len(self.plans) + len(self.assignments)
        found = [
            _insert("fee_plan", plan, revision=first + number, put_at_us=0, put_by="test")
            for number, plan in enumerate(self.plans)
        ]
        found += [_insert("fee_plan_rule", rule) for rule in self.rules]
        found += [_insert("plan_assignment", one, put_at_us=0, put_by="test") for one in self.assignments]
        found += [_insert("merchant_volume", one, revision=last, fixed_at_us=0) for one in self.volumes]
        return [*found, f"UPDATE slot_gate SET plan_revision = {last}"]


def _insert(table: str, row: Any, **more: object) -> str:
    values = {field.name: getattr(row, field.name) for field in fields(row)} | more
    literals = ("NULL" if v is None else f"'{v}'" if isinstance(v, str) else str(v) for v in values.values())
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(literals)})"


def plans_of_trade(seed: int) -> PlanRows:
    chance = random.Random(f"plans {seed}")
    rows = PlanRows([_plan(*written) for written in _WRITTEN], [], [], [])
    for number, merchant in enumerate(WITH_RULES):
        begins = chance.choice((2015_01_01, 2026_11_05, 2026_11_20))
        _add_versions(chance, rows, merchant, 201 + number, begins)
    for plan_id in SHARED_PLANS:
        _add_versions(chance, rows, SHARED_MERCHANT, plan_id, 2015_01_01)
    for merchant in UNDER_SHARED:
        _assign(chance, rows, merchant)
    # Own days come before those of an assignment.
    rows.plans.append(_plan(UNDER_SHARED[0], 401, 1, 77, 7, 0, 0, 2026_11_26, 2026_11_26))
    for merchant in (*WITH_RULES, *UNDER_SHARED):
        for month, counts_from in ((2026_09_01, 2026_10_02), (2026_10_01, 2026_11_27)):
            if chance.random() < 0.7:
                volume = chance.randint(-100_000, 2_000_000)
                rows.volumes.append(Volume(merchant, month, volume, counts_from))
    return rows


def _plan(
    merchant: int, plan_id: int, version: int, rate: int, fixed: int, minimum: int, maximum: int,
    first: int, last: int | None,
) -> Plan:  # fmt: skip
    terms = Terms(rate, fixed, minimum, maximum)
    return Plan(plan_id, version, merchant, "JPY", *terms, effective_from=first, effective_to=last)


def _terms(chance: random.Random) -> Terms:
    minimum = chance.choice((0, 0, 0, chance.randint(1, 1_000)))
    return Terms(
        chance.randint(0, 10_000),
        chance.choice((0, 0, chance.randint(1, 1_000))),
        minimum,
        chance.choice((0, 0, 0, minimum + chance.randint(1, 10_000))),
    )


def _add_versions(
    chance: random.Random, rows: PlanRows, merchant: int, plan_id: int, begins: int
) -> None:
    later = sorted(day for day in _TAKES_OVER if day > begins)
    days = [begins, *sorted(chance.sample(later, min(len(later), chance.randint(0, 2))))]
    for version, first in enumerate(days, start=1):
        plan = _plan(merchant, plan_id, version, *_terms(chance), first, None)
        rules = [*_tiers(chance, RuleRow(plan_id, version, 0, 0, "", 0, None, None, 0, 0, 0, 0, 0))]
        for _ in range(chance.randint(1, 12)):
            more = _rule(chance, plan, 1 + max((row.rule for row in rules), default=0))
            try:
                PlanVersion(plan, [*rules, *more])
            except Refusal:
                continue  # overlaps another rule
            rules += more
        rows.plans.append(plan)
        rows.rules.extend(rules)


def _rule(chance: random.Random, plan: Plan, number: int) -> list[RuleRow]:
    first = last = None
    first_days = 0
    kind = chance.random()
    if kind < 0.3:
        first_days = chance.randint(1, 30)
    elif kind < 0.7:
        begins = chance.choice(_CAMPAIGN_BEGINS)
        first = begins if chance.random() < 0.8 else None
        last = business_date.plus_days(begins, chance.randint(0, 20)) if chance.random() < 0.8 else None
    method = chance.choice((0, 0, *METHODS))
    base = RuleRow(
        plan.plan_id, plan.version, number, 0, chance.choice(STORES), method, first, last, first_days,
        *_terms(chance),
    )  # fmt: skip
    return [base, *_tiers(chance, base)]


def _tiers(chance: random.Random, base: RuleRow) -> Iterator[RuleRow]:
    volume = 0
    while chance.random() < 0.5:
        volume += chance.randint(1, 1_000_000)
        values = {field.name: getattr(base, field.name) for field in fields(base)}
        yield RuleRow(**{**values, **_terms(chance)._asdict(), "volume_from": volume})


def _assign(chance: random.Random, rows: PlanRows, merchant: int) -> None:
    revision = 2 + len(_WRITTEN) + len(rows.assignments)
    begins = chance.choice((2019_01_01, 2026_10_15, 2026_11_10))
    days = [begins, *(day for day in (2026_11_20, 2026_11_26, 2026_11_27) if chance.random() < 0.5)]
    plan_id = chance.choice(SHARED_PLANS)
    for number, first in enumerate(days):
        # The same plan again goes on, none ends it.
        plan_id = chance.choice((plan_id, plan_id, chance.choice(SHARED_PLANS), 0))
        last = chance.choice((None, None, business_date.plus_days(first, chance.randint(0, 10))))
        rows.assignments.append(Assignment(merchant, revision + number, plan_id, first, last))

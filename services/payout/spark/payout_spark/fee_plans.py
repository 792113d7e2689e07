"""Fee plans as the service stores them, and what a plan version charges (services/payout/domain/fee_plan.h,
fee_rule.h). Rows only: which plan a merchant is under, plans_in_force.py says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Iterable, NamedTuple, Sequence

from pyspark.sql.types import ArrayType, LongType, StringType, StructField, StructType

from .refusal import Refusal

FOREVER = 9999_12_31
DEFAULT_MERCHANT = 0  # whose plan is that of every merchant without one
SHARED_MERCHANT = -1  # whose plans are those that merchants are assigned to
AMOUNT_MAX = 1_000_000_000_000  # domain::kMaxAmount
FIRST_DAYS_MAX = 3_660  # domain::kFirstDaysMax
METHODS = range(1, 8)  # domain::Method
_LOWEST = -(2**63)
_NO_END = 9999_99_99  # of a campaign: later than every day


class Terms(NamedTuple):
    rate_basis_points: int
    fixed_fee: int
    minimum_fee: int
    maximum_fee: int  # 0: none


@dataclass(frozen=True)
class Plan:
    """A row of `fee_plan`; days are numbers, both inclusive."""

    plan_id: int
    version: int
    merchant_id: int
    currency: str
    rate_basis_points: int
    fixed_fee: int
    minimum_fee: int
    maximum_fee: int
    effective_from: int
    effective_to: int | None

    @property
    def terms(self) -> Terms:
        return Terms(self.rate_basis_points, self.fixed_fee, self.minimum_fee, self.maximum_fee)


@dataclass(frozen=True)
class RuleRow:
    """A row of `fee_plan_rule`: terms from a volume on, of the plan (rule 0) or of one of its rules."""

    plan_id: int
    version: int
    rule: int
    volume_from: int
    store_id: str
    method: int
    date_from: int | None
    date_to: int | None
    first_days: int
    rate_basis_points: int
    fixed_fee: int
    minimum_fee: int
    maximum_fee: int

    @property
    def terms(self) -> Terms:
        return Terms(self.rate_basis_points, self.fixed_fee, self.minimum_fee, self.maximum_fee)

    @property
    def conditions(self) -> tuple[str, int, int | None, int | None, int]:
        return (self.store_id, self.method, self.date_from, self.date_to, self.first_days)


PLAN_COLUMNS = tuple(field.name for field in fields(Plan))
RULE_COLUMNS = tuple(field.name for field in fields(RuleRow))


class Step(NamedTuple):
    """What of a payment meets the conditions, and none of an earlier step's, is charged together."""

    store: str  # '': any
    method: int  # 0: any
    first_day: int
    last_day: int
    first_days: int  # under the plan; 0: no such condition
    tiers: list[tuple[int, ...]]  # volume from which on, and Terms; rising, the first covers all

    @property
    def is_campaign(self) -> bool:
        return self.first_day > 0 or self.last_day < _NO_END

    @property
    def rank(self) -> int:
        """Higher ones come before lower ones."""
        days = 2 if self.first_days else 1 if self.is_campaign else 0
        return days * 4 + (2 if self.store else 0) + (1 if self.method else 0)


def _struct(columns: Sequence[str], **other: object) -> StructType:
    return StructType([StructField(name, other.get(name, LongType()), False) for name in columns])


TERMS = _struct(Terms._fields)
_TIERS = ArrayType(_struct(("volume_from", *Terms._fields)), False)
_STEPS = ArrayType(_struct(Step._fields, store=StringType(), tiers=_TIERS), False)
# A plan version, by its own terms, or, if it has rules or tiers, by steps.
CHARGES = StructType(
    [
        *_struct(("plan_id", "version", "currency", *Terms._fields), currency=StringType()),
        StructField("steps", _STEPS, True),
    ]
)


class PlanVersion:
    """A plan version with its rules. PLAN_INVALID: what the service never stored."""

    def __init__(self, plan: Plan, rows: Sequence[RuleRow] = ()) -> None:
        self.plan = plan
        own = [row for row in rows if row.rule == 0]
        self._own_tiers = [(_LOWEST, *plan.terms), *_tiers(own)]
        self._rules = self._rules_of([row for row in rows if row.rule != 0])
        self._validate()

    @property
    def has_tiers(self) -> bool:
        return any(len(tiers) > 1 for tiers in (self._own_tiers, *(rule.tiers for rule in self._rules)))

    @property
    def first_days(self) -> set[int]:
        return {rule.first_days for rule in self._rules if rule.first_days}

    def charges(self) -> tuple[object, ...]:
        """A row of CHARGES."""
        plan = self.plan
        steps = None
        if self._rules or len(self._own_tiers) > 1:
            own = Step("", 0, 0, _NO_END, 0, self._own_tiers)
            steps = [*sorted(self._rules, key=lambda rule: -rule.rank), own]
        return (plan.plan_id, plan.version, plan.currency, *plan.terms, steps)

    def _rules_of(self, rows: Sequence[RuleRow]) -> list[Step]:
        by_number: dict[int, list[RuleRow]] = defaultdict(list)
        for row in rows:
            by_number[row.rule].append(row)
        return [self._rule(by_number[number]) for number in sorted(by_number)]

    def _rule(self, rows: Sequence[RuleRow]) -> Step:
        base = [row for row in rows if row.volume_from == 0]
        if len(base) != 1 or len({row.conditions for row in rows}) != 1:
            raise self._invalid(f"rule {rows[0].rule} is not whole")
        store, method, first, last, first_days = base[0].conditions
        tiers = [(_LOWEST, *base[0].terms), *_tiers(row for row in rows if row.volume_from != 0)]
        return Step(store, method, first or 0, last or _NO_END, first_days, tiers)

    def _validate(self) -> None:
        plan = self.plan
        if plan.effective_to is not None and plan.effective_to < plan.effective_from:
            raise self._invalid("it ends before it begins")
        for tiers in (self._own_tiers, *(rule.tiers for rule in self._rules)):
            for volume_from, *terms in tiers:
                self._validate_terms(Terms(*terms))
                if _LOWEST < volume_from <= 0:
                    raise self._invalid("a tier begins at no volume")
        for rule in self._rules:
            if rule.method and rule.method not in METHODS:
                raise self._invalid(f"there is no method {rule.method}")
            if rule.last_day < rule.first_day:
                raise self._invalid("a campaign ends before it begins")
            if not 0 <= rule.first_days <= FIRST_DAYS_MAX:
                raise self._invalid("first days are out of range")
            if rule.first_days and rule.is_campaign:
                raise self._invalid("a rule has dates and first days")
        for one, other in combinations(self._rules, 2):
            meet = one.first_day <= other.last_day and other.first_day <= one.last_day
            if meet and (one.store, one.method, one.rank) == (other.store, other.method, other.rank):
                raise self._invalid("two of its rules are of the same store, method and days")
        if plan.merchant_id == DEFAULT_MERCHANT and (self.has_tiers or self.first_days):
            raise self._invalid("the plan of all others has tiers or first days")

    def _validate_terms(self, terms: Terms) -> None:
        if not 0 <= terms.rate_basis_points <= 10_000:
            raise self._invalid("its rate is not between 0 and 100 %")
        if any(not 0 <= amount <= AMOUNT_MAX for amount in terms[1:]):
            raise self._invalid("an amount is out of range")
        if terms.maximum_fee and terms.maximum_fee < terms.minimum_fee:
            raise self._invalid("its maximum is below its minimum")

    def _invalid(self, fault: str) -> Refusal:
        return Refusal("PLAN_INVALID", f"plan {self.plan.plan_id} version {self.plan.version}: {fault}")


def _tiers(rows: Iterable[RuleRow]) -> list[tuple[int, ...]]:
    return sorted((row.volume_from, *row.terms) for row in rows)


def versions(plans: Iterable[Plan], rules: Iterable[RuleRow]) -> list[PlanVersion]:
    of_version: dict[tuple[int, int], list[RuleRow]] = defaultdict(list)
    for rule in rules:
        of_version[rule.plan_id, rule.version].append(rule)
    return [PlanVersion(plan, of_version[plan.plan_id, plan.version]) for plan in plans]

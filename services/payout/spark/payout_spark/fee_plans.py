"""Which plan version is in force for a merchant on a day: the service's PlanBook
(services/payout/domain/fee_plan.h)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Iterable, Sequence

from pyspark.sql.types import LongType, StringType, StructField, StructType

from . import business_date
from .refusal import Refusal

FOREVER = 9999_12_31
DEFAULT_MERCHANT = 0  # whose plan is that of every merchant without one of its own
AMOUNT_MAX = 1_000_000_000_000  # domain::kMaxAmount


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
    maximum_fee: int  # 0: none
    effective_from: int
    effective_to: int | None


COLUMNS = tuple(Plan.__dataclass_fields__)

# A day range of a merchant, and the terms in it.
PERIOD = StructType(
    [
        StructField(name, StringType() if name == "currency" else LongType(), False)
        for name in (
            "merchant_id", "first_day", "last_day", "plan_id", "version", "currency",
            "rate_basis_points", "fixed_fee", "minimum_fee", "maximum_fee",
        )
    ]
)  # fmt: skip


def timeline(plans: Iterable[Plan]) -> list[tuple[int | str, ...]]:
    """Rows of PERIOD: for each merchant disjoint ranges of days.

    Refused as PLAN_INVALID and PLAN_OVERLAPS: what the service never stored.
    """
    of_merchant: dict[int, dict[int, list[Plan]]] = defaultdict(lambda: defaultdict(list))
    for plan in plans:
        _validate(plan)
        of_merchant[plan.merchant_id][plan.plan_id].append(plan)
    rows: list[tuple[int | str, ...]] = []
    for merchant, by_plan in of_merchant.items():
        spans = sorted(
            (span for versions in by_plan.values() for span in _spans_of_plan(versions)),
            key=lambda span: span[0],
        )
        for (_, last, plan), (first, _, other) in zip(spans, spans[1:]):
            if first <= last:
                raise Refusal(
                    "PLAN_OVERLAPS",
                    f"plans {plan.plan_id} and {other.plan_id} of merchant {merchant} are both in "
                    f"force on {business_date.iso(first)}",
                )
        rows += [
            (merchant, first, last, plan.plan_id, plan.version, plan.currency, plan.rate_basis_points,
             plan.fixed_fee, plan.minimum_fee, plan.maximum_fee)
            for first, last, plan in spans
        ]  # fmt: skip
    return rows


def _spans_of_plan(versions: Sequence[Plan]) -> list[tuple[int, int, Plan]]:
    """A version takes every day from its first on away from the versions before it."""
    spans: list[tuple[int, int, Plan]] = []
    for plan in sorted(versions, key=lambda plan: plan.version):
        while spans and spans[-1][0] >= plan.effective_from:
            spans.pop()
        if spans and spans[-1][1] >= plan.effective_from:
            first, _, earlier = spans[-1]
            spans[-1] = (first, business_date.before(plan.effective_from), earlier)
        spans.append((plan.effective_from, plan.effective_to or FOREVER, plan))
    return spans


def _validate(plan: Plan) -> None:
    amounts = (plan.fixed_fee, plan.minimum_fee, plan.maximum_fee)
    if not 0 <= plan.rate_basis_points <= 10_000:
        fault = "its rate is not between 0 and 100 %"
    elif any(not 0 <= amount <= AMOUNT_MAX for amount in amounts):
        fault = "an amount is out of range"
    elif plan.maximum_fee and plan.maximum_fee < plan.minimum_fee:
        fault = "its maximum is below its minimum"
    elif plan.effective_to is not None and plan.effective_to < plan.effective_from:
        fault = "it ends before it begins"
    else:
        return
    raise Refusal("PLAN_INVALID", f"plan {plan.plan_id} version {plan.version}: {fault}")

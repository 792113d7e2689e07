"""Which plan version a merchant is under on a day: the service's PlanBook
(services/payout/domain/plan_book.h). Its own plan comes before the shared plan that it is assigned to, that
one before the default plan."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from typing import Any, Callable, Iterable, NamedTuple, Sequence, TypeVar

from pyspark.sql.types import LongType, StructField, StructType

from . import business_date
from .fee_plans import FOREVER, SHARED_MERCHANT, PlanVersion
from .refusal import Refusal


@dataclass(frozen=True)
class Assignment:
    """A row of `plan_assignment`. The later revision of a merchant takes the days from its first one on."""

    merchant_id: int
    revision: int
    plan_id: int  # 0: no shared plan
    effective_from: int
    effective_to: int | None


@dataclass(frozen=True)
class Volume:
    """A row of `merchant_volume`: what a tier follows from a day on."""

    merchant_id: int
    month_start: int
    volume: int
    effective_from: int


ASSIGNMENT_COLUMNS = tuple(field.name for field in fields(Assignment))
VOLUME_COLUMNS = tuple(field.name for field in fields(Volume))

# Days of a merchant (or of all others) on which neither the plan version nor what its terms follow
# changes: `age_days` is from the day on which the merchant came under the plan to the range's first.
PERIOD = StructType(
    [
        StructField(name, LongType(), False)
        for name in ("merchant_id", "first_day", "last_day", "plan_id", "version", "age_days", "volume")
    ]
)  # fmt: skip


class _Span(NamedTuple):
    """Days of a version or an assignment; both included."""

    first: int
    last: int
    since: int
    of: Any


@dataclass(frozen=True)
class PlanBook:
    """All that fees follow, in memory: a few hundred bytes for each version, assignment and volume."""

    versions: Sequence[PlanVersion]
    assignments: Sequence[Assignment] = ()
    volumes: Sequence[Volume] = ()

    def periods(self) -> list[tuple[int, ...]]:
        """Rows of PERIOD: for each merchant disjoint ranges of days. PLAN_OVERLAPS."""
        of_merchant = self._spans_of_merchants()
        shared: dict[int, list[_Span]] = defaultdict(list)
        for span in of_merchant.pop(SHARED_MERCHANT, []):
            shared[span.of.plan.plan_id].append(span)
        assigned = _grouped(self.assignments, lambda one: one.merchant_id)
        volumes = _grouped(self.volumes, lambda one: one.merchant_id)
        rows: list[tuple[int, ...]] = []
        for merchant in sorted(of_merchant.keys() | assigned.keys()):
            spans = of_merchant.get(merchant, [])
            by_assignment = _under_shared(_assigned_spans(assigned.get(merchant, [])), shared)
            for span in [*spans, *_without(by_assignment, spans)]:
                rows += _pieces(merchant, span, volumes.get(merchant, []))
        return rows

    def _spans_of_merchants(self) -> dict[int, list[_Span]]:
        """Those of its own plans, and of merchant -1 those of all shared plans; by their days."""
        by_plan = _grouped(self.versions, lambda one: (one.plan.merchant_id, one.plan.plan_id))
        found: dict[int, list[_Span]] = defaultdict(list)
        for (merchant, _), of_plan in by_plan.items():
            since = min(one.plan.effective_from for one in of_plan)
            in_order = sorted(of_plan, key=lambda one: one.plan.version)
            found[merchant] += [
                _Span(first, last, since, one)
                for first, last, one in _spans(in_order, lambda one: one.plan)
            ]
        for merchant, spans in found.items():
            spans.sort(key=lambda span: span.first)
            if merchant != SHARED_MERCHANT:
                _require_disjoint(merchant, spans)
        return found


T = TypeVar("T")


def _grouped(items: Iterable[T], key: Callable[[T], Any]) -> dict[Any, list[T]]:
    groups: dict[Any, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def _spans(in_order: Iterable[T], days_of: Callable[[T], Any]) -> list[tuple[int, int, T]]:
    """A later one takes every day from its first on away from those before it."""
    spans: list[tuple[int, int, T]] = []
    for item in in_order:
        first, last = days_of(item).effective_from, days_of(item).effective_to or FOREVER
        while spans and spans[-1][0] >= first:
            spans.pop()
        if spans and spans[-1][1] >= first:
            earlier_first, _, earlier = spans[-1]
            spans[-1] = (earlier_first, business_date.plus_days(first, -1), earlier)
        spans.append((first, last, item))
    return spans


def _require_disjoint(merchant: int, spans: Sequence[_Span]) -> None:
    for one, other in zip(spans, spans[1:]):
        if other.first <= one.last:
            raise Refusal(
                "PLAN_OVERLAPS",
                f"plans {one.of.plan.plan_id} and {other.of.plan.plan_id} of merchant {merchant} are "
                f"both in force on {business_date.iso(other.first)}",
            )


def _assigned_spans(assignments: Sequence[Assignment]) -> list[_Span]:
    """`since` is the first of the assignments to the same plan without a day between them."""
    found: list[_Span] = []
    in_order = sorted(assignments, key=lambda one: one.revision)
    for first, last, one in _spans(in_order, lambda one: one):
        goes_on = (
            found
            and found[-1].of == one.plan_id
            and business_date.plus_days(found[-1].last, 1) == first
        )
        found.append(_Span(first, last, found[-1].since if goes_on else first, one.plan_id))
    return found


def _under_shared(assigned: Sequence[_Span], shared: dict[int, list[_Span]]) -> list[_Span]:
    """The versions of the shared plans on the days of the assignments."""
    return [
        _Span(max(days.first, version.first), min(days.last, version.last), days.since, version.of)
        for days in assigned
        for version in shared.get(days.of, [])
        if days.first <= version.last and version.first <= days.last
    ]


def _without(spans: Sequence[_Span], taken: Sequence[_Span]) -> list[_Span]:
    """What the days of `taken`, which are in order and disjoint, leave of `spans`."""
    left = list(spans)
    for other in taken:
        parts: list[_Span] = []
        for span in left:
            if span.last < other.first or other.last < span.first:
                parts.append(span)
                continue
            if span.first < other.first:
                parts.append(span._replace(last=business_date.plus_days(other.first, -1)))
            if other.last < span.last:
                parts.append(span._replace(first=business_date.plus_days(other.last, 1)))
        left = parts
    return left


def _pieces(merchant: int, span: _Span, volumes: Sequence[Volume]) -> list[tuple[int, ...]]:
    """Cut where first days end and, under tiers, where another volume counts."""
    version: PlanVersion = span.of
    counted = sorted(volumes, key=lambda one: (one.effective_from, one.month_start))
    if not version.has_tiers:
        counted = []
    changes = {business_date.plus_days(span.since, days) for days in version.first_days}
    changes |= {one.effective_from for one in counted}
    firsts = [span.first, *sorted(day for day in changes if span.first < day <= span.last)]
    lasts = [*(business_date.plus_days(day, -1) for day in firsts[1:]), span.last]
    rows = []
    for first, last in zip(firsts, lasts):
        volume = next((one.volume for one in reversed(counted) if one.effective_from <= first), 0)
        age = business_date.days_from(span.since, first)
        rows.append((merchant, first, last, version.plan.plan_id, version.plan.version, age, volume))
    return rows

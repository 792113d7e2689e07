"""A generated day: what payment's events of it, and of earlier days, tell. With a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Iterator

COMPLETED, CANCELED, REFUNDED, AUTHORIZED, CAPTURED, REVERTED, EXPIRED = range(1, 8)

DAY = 2026_11_27
DAY_BEFORE = 2026_11_26
LAST_MONTH = 2026_10_15
# Under the tax rate before October 2019.
LONG_AGO = 2019_09_20

MERCHANTS = range(1_001, 1_041)
LARGEST = 1_001  # has half of all payments


@dataclass(frozen=True)
class Change:
    payment: int
    version: int
    kind: int
    merchant: int
    amount: int
    captured: int
    refunded_before: int
    day: int
    paid_on: int

    def order(self) -> str:
        """For books_worker."""
        return (
            f"change {self.payment} {self.version} {self.kind} {self.merchant} {self.amount} "
            f"{self.captured} {self.refunded_before} {self.day} {self.paid_on}"
        )


# merchant, plan id, version, basis points, fixed, minimum, maximum, from, to
PLANS = [
    # The default: one plan until 2019, another since 2020 (of the migration), so that old payments have one.
    (0, 50, 1, 250, 0, 0, 0, "2014-01-01", "2019-12-31"),
    (1_002, 101, 1, 150, 0, 0, 0, "2015-01-01", None),
    # Takes over in the middle of the cycle.
    (1_002, 101, 2, 175, 10, 0, 0, "2026-11-27", None),
    (1_003, 102, 1, 300, 0, 30, 500, "2015-01-01", "2026-10-31"),
    (1_003, 103, 1, 99, 5, 0, 0, "2026-11-01", None),
    # A version that a later one takes from its very first day.
    (1_004, 104, 1, 400, 0, 0, 0, "2026-11-01", None),
    (1_004, 104, 2, 0, 0, 0, 0, "2026-11-01", None),
    # Over: since then the default plan is in force.
    (1_005, 105, 1, 10_000, 0, 0, 0, "2015-01-01", "2026-11-26"),
    (1_006, 106, 1, 0, 100, 0, 0, "2015-01-01", None),
    (1_007, 107, 1, 1, 0, 3, 3, "2015-01-01", None),
]  # fmt: skip


def trade(seed: int, payments: int) -> list[Change]:
    """Changes of DAY_BEFORE and DAY: sales of every kind, and what becomes of payments of those days, of
    the month before and of another tax rate. An order that a topic could have."""
    chance = random.Random(seed)
    changes: list[Change] = []
    for payment in range(1_000_000, 1_000_000 + payments):
        changes += _payment(chance, payment)
    return changes


def _payment(chance: random.Random, payment: int) -> Iterator[Change]:
    merchant = LARGEST if chance.random() < 0.5 else chance.choice(MERCHANTS)
    amount = max(1, int(10 ** chance.uniform(0, 7)))
    day = chance.choice((DAY_BEFORE, DAY, DAY, DAY))
    kind = chance.random()
    if kind < 0.6:
        sale = Change(payment, 1, COMPLETED, merchant, amount, amount, 0, day, day)
        yield sale
        if chance.random() < 0.3:
            yield from _returns(chance, sale, day)
    elif kind < 0.8:
        yield from _authorized(chance, payment, merchant, amount, day)
    else:
        paid_on = chance.choice((LAST_MONTH, LONG_AGO, 2020_02_01))
        sale = Change(payment, 1, COMPLETED, merchant, amount, amount, 0, paid_on, paid_on)
        yield from _returns(chance, sale, day)


def _authorized(
    chance: random.Random, payment: int, merchant: int, amount: int, day: int
) -> Iterator[Change]:
    begun = min(day, chance.choice((DAY_BEFORE, DAY)))
    hold = Change(payment, 1, AUTHORIZED, merchant, amount, 0, 0, begun, begun)
    yield hold
    end = chance.random()
    if end < 0.2:
        yield replace(hold, version=2, kind=REVERTED, day=day)
    elif end < 0.4:
        yield replace(hold, version=2, kind=EXPIRED, day=day)
    elif end < 0.9:
        first = chance.randint(1, amount)
        capture = replace(hold, version=2, kind=CAPTURED, amount=first, captured=first, day=day)
        yield capture
        if chance.random() < 0.5:
            # In two parts, the second one larger or smaller.
            more = chance.randint(1, 1_000_000)
            capture = replace(capture, version=3, amount=more, captured=first + more, day=DAY)
            yield capture
        if chance.random() < 0.4:
            yield from _returns(chance, capture, DAY)


def _returns(chance: random.Random, sale: Change, first_day: int) -> Iterator[Change]:
    returned, version, day = 0, sale.version, first_day
    while returned < sale.captured and version < sale.version + 4:
        rest = sale.captured - returned
        version += 1
        day = DAY if chance.random() < 0.7 else day
        is_cancel = chance.random() < 0.3
        amount = rest if is_cancel else chance.randint(1, rest)
        yield replace(
            sale, version=version, kind=CANCELED if is_cancel else REFUNDED, amount=amount,
            refunded_before=returned, day=day,
        )  # fmt: skip
        returned += amount
        if chance.random() < 0.3:
            return

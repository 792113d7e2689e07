"""A generated day: what payment's events of it, and of earlier days, tell. With a seed. Methods other than the
wallet, cashback and coupons are among them, which no service emits yet."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Iterator

from plans_of_trade import STORES

COMPLETED, CANCELED, REFUNDED, AUTHORIZED, CAPTURED, REVERTED, EXPIRED = range(1, 8)
# Cashback and coupons given, by who bears them; the number after each: taken back.
BENEFITS = (8, 10, 12, 14)
METHODS = range(1, 8)

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
    store: str = ""
    # "1:700 2:300"; "": all is money.
    captured_methods: str = ""
    methods: str = ""

    def order(self) -> str:
        """For books_worker."""
        words = (self.store, self.captured_methods, self.methods)
        return (
            f"change {self.payment} {self.version} {self.kind} {self.merchant} {self.amount} "
            f"{self.captured} {self.refunded_before} {self.day} {self.paid_on} "
            + " ".join(word.replace(" ", "+") or "-" for word in words)
        )


def trade(seed: int, payments: int) -> list[Change]:
    """Changes of DAY_BEFORE and DAY: sales of every kind, and what becomes of payments of those days, of
    the month before and of another tax rate. An order that a topic could have."""
    chance = random.Random(seed)
    changes: list[Change] = []
    for payment in range(1_000_000, 1_000_000 + payments):
        changes += _payment(chance, payment)
    return changes


def split(chance: random.Random, amount: int) -> dict[int, int]:
    """An amount by methods."""
    parts: dict[int, int] = {}
    while amount and chance.random() < 0.5:
        part = chance.randint(1, amount)
        method = chance.choice(METHODS)
        parts[method] = parts.get(method, 0) + part
        amount -= part
    if amount:
        parts[1] = parts.get(1, 0) + amount
    return parts


def in_words(parts: dict[int, int]) -> str:
    if set(parts) <= {1}:
        return ""
    return " ".join(f"{method}:{parts[method]}" for method in sorted(parts))


def _payment(chance: random.Random, payment: int) -> Iterator[Change]:
    merchant = LARGEST if chance.random() < 0.5 else chance.choice(MERCHANTS)
    amount = max(1, int(10 ** chance.uniform(0, 7)))
    day = chance.choice((DAY_BEFORE, DAY, DAY, DAY))
    kind = chance.random()
    if 0.6 <= kind < 0.8:
        yield from _authorized(chance, payment, merchant, amount, day)
        return
    paid_on = day if kind < 0.6 else chance.choice((LAST_MONTH, LONG_AGO, 2020_02_01))
    parts = in_words(split(chance, amount))
    sale = Change(
        payment, 1, COMPLETED, merchant, amount, amount, 0, paid_on, paid_on, chance.choice(STORES),
        parts, parts,
    )  # fmt: skip
    last = sale
    if kind < 0.6:
        yield sale
    if kind >= 0.6 or chance.random() < 0.3:
        for last in _returns(chance, sale, day):
            yield last
    if chance.random() < 0.3:
        yield from _benefits(chance, last)


def _authorized(
    chance: random.Random, payment: int, merchant: int, amount: int, day: int
) -> Iterator[Change]:
    begun = min(day, chance.choice((DAY_BEFORE, DAY)))
    store = chance.choice(STORES)
    hold = Change(payment, 1, AUTHORIZED, merchant, amount, 0, 0, begun, begun, store)
    yield hold
    end = chance.random()
    if end < 0.2:
        yield replace(hold, version=2, kind=REVERTED, day=day)
    elif end < 0.4:
        yield replace(hold, version=2, kind=EXPIRED, day=day)
    elif end < 0.9:
        first = chance.randint(1, amount)
        whole = split(chance, first)
        capture = replace(
            hold, version=2, kind=CAPTURED, amount=first, captured=first, day=day,
            captured_methods=in_words(whole), methods=in_words(whole),
        )  # fmt: skip
        yield capture
        if chance.random() < 0.5:
            # In two parts, the second one larger or smaller.
            more = chance.randint(1, 1_000_000)
            part = split(chance, more)
            whole = {method: whole.get(method, 0) + part.get(method, 0) for method in {*whole, *part}}
            capture = replace(
                capture, version=3, amount=more, captured=first + more, day=DAY,
                captured_methods=in_words(whole), methods=in_words(part),
            )  # fmt: skip
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
        is_whole = is_cancel or chance.random() < 0.25
        amount = rest if is_whole else chance.randint(1, rest)
        # Whatever it goes back by.
        methods = in_words(split(chance, amount)) if sale.captured_methods else ""
        yield replace(
            sale, version=version, kind=CANCELED if is_cancel else REFUNDED, amount=amount,
            refunded_before=returned, day=day, methods=methods,
        )  # fmt: skip
        returned += amount
        if chance.random() < 0.3:
            return


def _benefits(chance: random.Random, last: Change) -> Iterator[Change]:
    """Behind the last change of a payment."""
    amount = chance.randint(1, last.captured)
    given = replace(
        last, version=last.version + 1, kind=chance.choice(BENEFITS), amount=amount,
        day=max(last.day, chance.choice((DAY_BEFORE, DAY))), captured_methods="", methods="",
    )  # fmt: skip
    yield given
    if chance.random() < 0.5:
        yield replace(given, version=given.version + 1, kind=given.kind + 1, day=DAY)

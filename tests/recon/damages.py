"""Damages to the books of a closed day at places drawn by a seed, and what a comparison must say of them.

A damage is of changes that no other one touches, so what it leads to does not depend on the others; only
digests are of many rows, and what is to be said of these follows from sums of what was done. `hidden`
damages leave the digest that the book keeps as it was, as somebody does who writes to a table; the others
change it too, as a service would have that recorded a row wrongly.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

from kessai_client.day_digest import DigestChange, RowHasher, bucket_of
from stored_books import BOOKS, Key, StoredBooks

PAYMENT, PAYOUT, MATCHED = BOOKS
Row = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What must be found, exactly so."""

    kind: str
    payment: int = 0
    version: int = 0
    payment_amount: int | None = None
    payout_amount: int | None = None
    book: str = ""
    bucket: int = 0


@dataclass
class Damages:
    """All of one seed."""

    books: StoredBooks
    hasher: RowHasher
    choose: random.Random
    expected: list[Found] = field(default_factory=list)
    names: dict[Found, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    _kept: dict[str, DigestChange] = field(default_factory=dict)  # what is done to kept digests
    _of_rows: dict[str, DigestChange] = field(default_factory=dict)
    _touched: set[int] = field(default_factory=set)  # payments

    def __post_init__(self) -> None:
        self._kept = {book: DigestChange(self.hasher) for book in BOOKS}
        self._of_rows = {book: DigestChange(self.hasher) for book in BOOKS}

    def make(self, count: int) -> None:
        """So many of them, all kinds alike, and stores them."""
        order = [KINDS[at % len(KINDS)] for at in range(count)]
        self.choose.shuffle(order)
        for name, damage, hidden in order:
            self._name = name
            self._hidden = hidden
            damage(self)
            self.counts[name] = self.counts.get(name, 0) + 1
        for book in BOOKS:
            self.books.change_digest(book, self._kept[book])
        self.books.store()

    # What must be found.

    def found_by_quick_run(self) -> set[Found]:
        listed = {
            bucket
            for bucket in self._buckets()
            if len({self._kept[book].of(bucket) for book in BOOKS}) > 1
        }
        return self._found_in(listed)

    def found_by_deep_run(self) -> set[Found]:
        listed = {
            bucket
            for bucket in self._buckets()
            if len(
                {self._kept[book].of(bucket) for book in BOOKS}
                | {self._of_rows[book].of(bucket) for book in BOOKS}
            ) > 1
        }  # fmt: skip
        found = self._found_in(listed)
        assert {one for one in found if one.payment} == set(self.expected), "a deep run finds all"
        return found

    def _found_in(self, listed: set[int]) -> set[Found]:
        rows = {one for one in self.expected if bucket_of(one.payment) in listed}
        return rows | {
            Found("DIGEST_DIFFERS", book=book, bucket=bucket)
            for bucket in listed
            for book in BOOKS
            if self._kept[book].of(bucket) != self._of_rows[book].of(bucket)
        }

    def _buckets(self) -> set[int]:
        return {
            bucket
            for changes in (self._kept, self._of_rows)
            for change in changes.values()
            for bucket in change.buckets()
        }

    # Places.

    def change(self) -> Key:
        """A change that nothing was done to, nor to others of its payment."""
        while True:
            key = self.choose.choice(self.books.keys)
            if key[0] not in self._touched and (key[0], key[1] + 1) not in self.books.rows:
                self._touched.add(key[0])
                return key

    def two_of_a_bucket(self) -> tuple[Key, Key]:
        """That differ in merchant and amount."""
        while True:
            one = self.change()
            for _ in range(50):
                other = self.choose.choice(self.books.of_bucket(bucket_of(one[0])))
                (merchant, gross), (other_merchant, other_gross) = (
                    self.books.rows[one], self.books.rows[other],
                )  # fmt: skip
                if (
                    other[0] not in self._touched
                    and (other[0], other[1] + 1) not in self.books.rows
                    and merchant != other_merchant
                    and gross != other_gross
                    and (gross > 0) == (other_gross > 0)
                ):
                    self._touched.add(other[0])
                    return one, other

    # What is done to rows: in the table, in what the rows sum up to, and unless it is hidden in what
    # the book keeps of them.

    def erase(self, book: str, key: Key) -> None:
        self._count(book, self.books.row(book, key), -1)
        self.books.put(book, key, None)

    def write(self, book: str, key: Key, **values: Any) -> None:
        row = self.books.row(book, key)
        self._count(book, row, -1)
        new = {**row, **values}
        self.books.put(book, key, new)
        self._count(book, new, +1)

    def add(self, book: str, key: Key, like: Key, **values: Any) -> None:
        names = self.books.key_columns(book)
        new = {
            **self.books.row(book, like), **dict(zip(names, key)), "bucket": bucket_of(key[0]), **values,
        }  # fmt: skip
        self.books.put(book, key, new)
        self._count(book, new, +1)

    def _count(self, book: str, row: Row, sign: int) -> None:
        digested = self.books.digested(book, row)
        if digested is None:
            return
        self._of_rows[book].add(digested, sign)
        if not self._hidden:
            self._kept[book].add(digested, sign)

    def expect(self, kind: str, key: Key, payment: int | None, payout: int | None) -> None:
        found = Found(kind, *key, payment_amount=payment, payout_amount=payout)
        self.expected.append(found)
        self.names[found] = self._name

    def gross(self, key: Key) -> int:
        return self.books.rows[key][1]

    def new_payment(self) -> int:
        """Of an id that there is not."""
        while True:
            payment = self.choose.choice(self.books.keys)[0] + self.choose.randrange(1, 1 << 20)
            if (payment, 1) not in self.books.rows and payment not in self._touched:
                self._touched.add(payment)
                return payment

    def damage_digest(self, book: str) -> None:
        bucket = self.choose.randrange(1024)
        what = self.choose.randrange(3)
        change = [0, 0, 0]
        change[what] = self.choose.randrange(1, 1 << (100 if what == 2 else 20))
        self._kept[book].damage(bucket, *change)


KINDS: list[tuple[str, Callable[[Damages], None], bool]] = []


def damage(name: str, hidden: tuple[bool, ...] = (True, False)) -> Callable[..., Any]:
    def add(apply: Callable[[Damages], None]) -> Callable[[Damages], None]:
        for one in hidden:
            KINDS.append((f"{name}{', behind the digest' if one else ''}", apply, one))
        return apply

    return add


@damage("accrual erased")
def accrual_erased(d: Damages) -> None:
    key = d.change()
    d.erase(PAYOUT, key)
    d.expect("MISSING_IN_PAYOUT", key, d.gross(key), None)


@damage("journal erased")
def journal_erased(d: Damages) -> None:
    key = d.change()
    d.erase(PAYMENT, key)
    d.expect("MISSING_IN_PAYMENT", key, None, d.gross(key))


@damage("accrual of another amount")
def accrual_amount(d: Damages) -> None:
    key = d.change()
    more = d.choose.choice((1, -1, 1_000, -d.gross(key)))
    d.write(PAYOUT, key, gross=d.gross(key) + more)
    d.expect("AMOUNT_DIFFERS", key, d.gross(key), d.gross(key) + more)


@damage("journal of another amount")
def journal_amount(d: Damages) -> None:
    key = d.change()
    more = d.choose.choice((1, 7, 100_000))
    d.write(PAYMENT, key, amount=d.books.row(PAYMENT, key)["amount"] + more)
    sign = 1 if d.gross(key) > 0 else -1
    d.expect("AMOUNT_DIFFERS", key, d.gross(key) + sign * more, d.gross(key))


@damage("accrual with the other sign")
def accrual_sign(d: Damages) -> None:
    key = d.change()
    d.write(PAYOUT, key, gross=-d.gross(key))
    d.expect("AMOUNT_DIFFERS", key, d.gross(key), -d.gross(key))


@damage("accrual of another merchant")
def accrual_merchant(d: Damages) -> None:
    key = d.change()
    d.write(PAYOUT, key, merchant_id=d.books.rows[key][0] + 1_000)
    d.expect("MERCHANT_DIFFERS", key, d.gross(key), d.gross(key))


@damage("accrual of another merchant and amount")
def accrual_both(d: Damages) -> None:
    key = d.change()
    d.write(PAYOUT, key, merchant_id=d.books.rows[key][0] + 1_000, gross=d.gross(key) + 5)
    for kind in ("MERCHANT_DIFFERS", "AMOUNT_DIFFERS"):
        d.expect(kind, key, d.gross(key), d.gross(key) + 5)


@damage("accrual of another date")
def accrual_date(d: Damages) -> None:
    key = d.change()
    d.write(PAYOUT, key, business_date=d.books.other_day)
    d.expect("MISSING_IN_PAYOUT", key, d.gross(key), None)


@damage("journal of another date")
def journal_date(d: Damages) -> None:
    key = d.change()
    d.write(PAYMENT, key, business_date=d.books.other_day)
    d.expect("MISSING_IN_PAYMENT", key, None, d.gross(key))


@damage("accrual added")
def accrual_added(d: Damages) -> None:
    key, like = (d.new_payment(), 1), d.change()
    d.add(PAYOUT, key, like)
    d.expect("MISSING_IN_PAYMENT", key, None, d.gross(like))


@damage("journal added")
def journal_added(d: Damages) -> None:
    key, like = (d.new_payment(), 1), d.change()
    d.add(PAYMENT, key, like)
    for kind in ("MISSING_IN_PAYOUT", "PAYMENT_EVENT_MISSING"):
        d.expect(kind, key, d.gross(like), None)


@damage("change doubled in payout")
def accrual_doubled(d: Damages) -> None:
    key = d.change()
    again = (key[0], key[1] + 1)
    d.add(PAYOUT, again, key)
    d.expect("MISSING_IN_PAYMENT", again, None, d.gross(key))


@damage("change tripled in payout")
def accrual_tripled(d: Damages) -> None:
    key = d.change()
    for more in (1, 2):
        again = (key[0], key[1] + more)
        d.add(PAYOUT, again, key)
        d.expect("MISSING_IN_PAYMENT", again, None, d.gross(key))


@damage("change doubled in payment")
def journal_doubled(d: Damages) -> None:
    key = d.change()
    again = (key[0], key[1] + 1)
    d.add(PAYMENT, again, key)
    for kind in ("MISSING_IN_PAYOUT", "PAYMENT_EVENT_MISSING"):
        d.expect(kind, again, d.gross(key), None)


@damage("amounts of two accruals of a bucket swapped")
def amounts_swapped(d: Damages) -> None:
    one, other = d.two_of_a_bucket()
    for key, by in ((one, other), (other, one)):
        d.write(PAYOUT, key, gross=d.gross(by))
        d.expect("AMOUNT_DIFFERS", key, d.gross(key), d.gross(by))


@damage("merchants of two accruals of a bucket swapped")
def merchants_swapped(d: Damages) -> None:
    one, other = d.two_of_a_bucket()
    for key, by in ((one, other), (other, one)):
        d.write(PAYOUT, key, merchant_id=d.books.rows[by][0])
        d.expect("MERCHANT_DIFFERS", key, d.gross(key), d.gross(key))


@damage("one yen moved from one journal of a bucket to another")
def yen_moved(d: Damages) -> None:
    one, other = d.two_of_a_bucket()
    sign = 1 if d.gross(one) > 0 else -1
    for key, more in ((one, 1), (other, -1)):
        d.write(PAYMENT, key, amount=d.books.row(PAYMENT, key)["amount"] + more)
        d.expect("AMOUNT_DIFFERS", key, d.gross(key) + sign * more, d.gross(key))


@damage("both sides changed alike")
def both_changed(d: Damages) -> None:
    key = d.change()
    d.write(PAYMENT, key, amount=d.books.row(PAYMENT, key)["amount"] + 11)
    gross = d.gross(key) + (11 if d.gross(key) > 0 else -11)
    d.write(PAYOUT, key, gross=gross)
    d.expect("CHANGED_IN_BOTH", key, gross, gross)


@damage("both sides' merchant changed alike")
def both_merchants(d: Damages) -> None:
    key = d.change()
    for book in (PAYMENT, PAYOUT):
        d.write(book, key, merchant_id=d.books.rows[key][0] + 1_000)
    d.expect("CHANGED_IN_BOTH", key, d.gross(key), d.gross(key))


@damage("both sides erased")
def both_erased(d: Damages) -> None:
    key = d.change()
    for book in (PAYMENT, PAYOUT):
        d.erase(book, key)
    d.expect("MISSING_IN_BOTH", key, None, None)


@damage("both sides added alike")
def both_added(d: Damages) -> None:
    key, like = (d.new_payment(), 1), d.change()
    for book in (PAYMENT, PAYOUT):
        d.add(book, key, like)
    for kind in ("PAYMENT_EVENT_MISSING", "PAYOUT_EVENT_MISSING"):
        d.expect(kind, key, d.gross(like), d.gross(like))


@damage("match erased")
def match_erased(d: Damages) -> None:
    key = d.change()
    d.erase(MATCHED, key)
    for kind in ("PAYMENT_EVENT_MISSING", "PAYOUT_EVENT_MISSING"):
        d.expect(kind, key, d.gross(key), d.gross(key))


@damage("match of another amount")
def match_amount(d: Damages) -> None:
    key = d.change()
    d.write(MATCHED, key, gross=d.gross(key) + 3)
    d.expect("CHANGED_IN_BOTH", key, d.gross(key), d.gross(key))


@damage("digest of payment", hidden=(False,))
def payment_digest(d: Damages) -> None:
    d.damage_digest(PAYMENT)


@damage("digest of payout", hidden=(False,))
def payout_digest(d: Damages) -> None:
    d.damage_digest(PAYOUT)


@damage("digest of what was matched", hidden=(False,))
def matched_digest(d: Damages) -> None:
    d.damage_digest(MATCHED)


def as_found(discrepancies: list[Mapping[str, Any]]) -> set[Found]:
    """What a run recorded, in the same words."""

    def amount(one: Mapping[str, Any], name: str) -> int | None:
        value = one.get(name)
        return None if value is None else int(value["amount"] if isinstance(value, dict) else value)

    found = set()
    for one in discrepancies:
        if one["kind"] == "DIGEST_DIFFERS":
            found.add(Found("DIGEST_DIFFERS", book=str(one["book"]).removeprefix("BOOK_"), bucket=int(one["bucket"])))
        else:
            found.add(
                Found(
                    str(one["kind"]), int(one["paymentId"]), int(one["version"]),
                    amount(one, "paymentAmount"), amount(one, "payoutAmount"),
                )
            )  # fmt: skip
    assert len(found) == len(discrepancies), "a discrepancy is recorded twice"
    return found


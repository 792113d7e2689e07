"""Damages to the books of a closed day at places drawn by a seed, and what a comparison must say of them.

A damage is of changes that no other one touches, so what it leads to does not depend on the others; only
digests are of many rows, and what is to be said of these follows from sums of what was done. A deep run has
payout compute the fees of its rows again: what it must say follows from the rows as they are (`fees.py`). `hidden`
damages leave the digest that the book keeps as it was, as somebody does who writes to a table; the others
change it too, as a service would have that recorded a row wrongly.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Callable, Mapping

from fees import COMPLETED, STANDARD_8, WrongFee, fee_of, tax_of, wrong_fee
from kessai_client.day_digest import BUCKETS, DigestChange, RowHasher, bucket_of
from stored_books import BOOKS, Key, StoredBooks

PAYMENT, PAYOUT, MATCHED = BOOKS
Row = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What must be found, exactly so. `payment` is a merchant where it is about a merchant's day."""

    kind: str
    payment: int = 0
    version: int = 0
    payment_amount: int | None = None
    payout_amount: int | None = None
    book: str = ""
    bucket: int = 0


class Proof(Enum):
    """What shows payout that it accrued a change whose row is gone: the digest that it kept of the day, or,
    where somebody changed that too, the event that it told of it and reconciliation heard."""

    DIGEST = 1
    TOLD = 2


@dataclass
class Damages:
    """All of one seed."""

    books: StoredBooks
    hasher: RowHasher
    choose: random.Random
    expected: list[Found] = field(default_factory=list)
    # Of a fee that payout told otherwise: found wherever the bucket is listed.
    told_otherwise: list[Found] = field(default_factory=list)
    # Of a fee that does not follow from its row: found by a deep run alone.
    wrong_fees: list[Found] = field(default_factory=list)
    names: dict[Found, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    # Each in a bucket of its own: then what is done about one has nothing to do with the others.
    apart: bool = False
    # Left out of rows that the policy can restore, by what shows payout that it accrued them.
    restorable: dict[Key, Proof] = field(default_factory=dict)
    untimed: set[Key] = field(default_factory=set)  # of those, when they were recorded cannot be found
    matches_changed: set[Key] = field(default_factory=set)  # in what they say of money
    published: set[Key] = field(default_factory=set)  # again, by the policy
    _kept: dict[str, DigestChange] = field(default_factory=dict)  # what is done to kept digests
    _of_rows: dict[str, DigestChange] = field(default_factory=dict)
    _touched: set[int] = field(default_factory=set)  # payments
    _buckets_taken: set[int] = field(default_factory=set)

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
        self._find_wrong_fees()
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
        found = self._found_in(listed) | set(self.told_otherwise) | set(self.wrong_fees)
        of_rows = {one for one in found if one.payment}
        assert of_rows >= set(self.expected), "a deep run finds all"
        return found

    def _found_in(self, listed: set[int]) -> set[Found]:
        compared = self.expected + self.told_otherwise
        rows = {one for one in compared if bucket_of(one.payment) in listed}
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

    # What the policy repairs by itself, and what it leaves to people.

    def left_by_policy(self) -> set[Found]:
        """Of what a deep run found. The policy restores accruals that can be proven, publishes the events of
        changes that happened and were not heard, and computes digests and totals again where the rows agree by
        then; what its repairs show to be wrong around them is repaired too."""
        assert self.apart
        return {one for one in self.found_by_deep_run() if not self._repaired(one)}

    def counted_twice(self) -> dict[int, tuple[int, int, int]]:
        """Gross, fee and number that the totals of what was matched have too much at last, by merchant: of
        changes that were heard again, where another match of the merchant was changed. Then its matches are not
        what payout's totals say, and a person has to settle that first."""
        in_doubt = {self.books.rows[key][0] for key in self.matches_changed}
        more: dict[int, tuple[int, int, int]] = {}
        for key in self.published:
            merchant, gross = self.books.rows[key]
            if merchant in in_doubt:
                had = more.get(merchant, (0, 0, 0))
                fee = self.books.row(PAYOUT, key)["fee"]
                more[merchant] = (had[0] + gross, had[1] + fee, had[2] + 1)
        return more

    def sums_left(self) -> set[Found]:
        """What the check against payout says of that."""
        found = set()
        for merchant, (gross, fee, _) in self.counted_twice().items():
            accrued = self.books.accrued(merchant)
            found.add(Found("ACCRUED_DIFFERS", merchant, 0, accrued + gross - fee, accrued))
        return found

    def found_on_the_way(self) -> set[Found]:
        """With the ends of the policy's repairs: digests that do not know of rows that are back."""
        return {
            Found("DIGEST_DIFFERS", book=PAYOUT, bucket=bucket_of(key[0]))
            for key, by in self.restorable.items()
            if by is Proof.TOLD
        }

    def _repaired(self, one: Found) -> bool:
        key = (one.payment, one.version)
        if one.kind in ("MISSING_IN_PAYOUT", "DATE_DIFFERS", "AMOUNT_DIFFERS"):
            return key in self.restorable
        if one.kind in ("PAYMENT_EVENT_MISSING", "PAYOUT_EVENT_MISSING"):
            return key in self.published
        return one.kind == "DIGEST_DIFFERS" and one.bucket not in self._buckets_left()

    def can_be_restored(self, key: Key, is_there: bool = False) -> None:
        """Payout's row is not where it was, and payment's event of it is as it was. `is_there`: somewhere else,
        with the time at which it was recorded."""
        timed = is_there or self.books.time_can_be_found(key)
        if not timed:
            self.untimed.add(key)
        if self._hidden:
            self.restorable[key] = Proof.DIGEST
        elif timed:
            self.restorable[key] = Proof.TOLD

    def _buckets_left(self) -> set[int]:
        """Whose rows differ though the policy has done what it can."""
        done = set(self.restorable) | self.published
        return {
            bucket_of(one.payment)
            for one in self.expected
            if (one.payment, one.version) not in done
        }  # fmt: skip

    def _find_wrong_fees(self) -> None:
        for key, row in self.books.changed(PAYOUT):
            if row is None or row["business_date"] != self.books.day:
                continue
            wrong = wrong_fee(row)
            if wrong is not None:
                found = fee_findings(key, row, wrong)
                self.wrong_fees += found
                self.names.update((one, "its fee does not follow from its row") for one in found)

    # Places.

    def change(self) -> Key:
        """A change that nothing was done to, nor to others of its payment."""
        while True:
            key = self.choose.choice(self.books.keys)
            if key[0] not in self._touched and (key[0], key[1] + 1) not in self.books.rows:
                if not self._take_bucket(bucket_of(key[0])):
                    continue
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

    def expect_told(self, key: Key, told: Row) -> None:
        """Payout told its fee as `told` has it, and has it as it was written."""
        row = self.books.row(PAYOUT, key)
        if (row["fee"], row["tax_class"]) == (told["fee"], told["tax_class"]):
            return
        found = []
        if row["fee"] != told["fee"]:
            found.append(
                Found("FEE_DIFFERS", *key, payment_amount=told["fee"], payout_amount=row["fee"])
            )
        if row["tax_class"] != told["tax_class"]:
            taxes = (tax_of(one["tax_class"], row["fee"]) for one in (told, row))
            found.append(Found("TAX_DIFFERS", *key, *taxes))
        self.told_otherwise += found
        self.names.update((one, self._name) for one in found)

    def gross(self, key: Key) -> int:
        return self.books.rows[key][1]

    def new_payment(self) -> int:
        """Of an id that there is not."""
        while True:
            payment = self.choose.choice(self.books.keys)[0] + self.choose.randrange(1, 1 << 20)
            if (payment, 1) not in self.books.rows and payment not in self._touched:
                if not self._take_bucket(bucket_of(payment)):
                    continue
                self._touched.add(payment)
                return payment

    def _take_bucket(self, bucket: int) -> bool:
        """Whether there may be a damage in it."""
        if self.apart and bucket in self._buckets_taken:
            return False
        self._buckets_taken.add(bucket)
        return True

    def damage_digest(self, book: str) -> None:
        bucket = self.choose.randrange(BUCKETS)
        while not self._take_bucket(bucket):
            bucket = self.choose.randrange(BUCKETS)
        what = self.choose.randrange(3)
        change = [0, 0, 0]
        change[what] = self.choose.randrange(1, 1 << (100 if what == 2 else 20))
        self._kept[book].damage(bucket, *change)


Kind = tuple[str, Callable[[Damages], None], bool]
KINDS: list[Kind] = []


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
    d.can_be_restored(key)
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
    d.can_be_restored(key, is_there=True)
    d.expect("DATE_DIFFERS", key, d.gross(key), d.gross(key))


@damage("journal of another date")
def journal_date(d: Damages) -> None:
    key = d.change()
    d.write(PAYMENT, key, business_date=d.books.other_day)
    d.expect("DATE_DIFFERS", key, d.gross(key), d.gross(key))


@damage("accrual of another date and amount")
def accrual_date_and_amount(d: Damages) -> None:
    key = d.change()
    d.write(PAYOUT, key, business_date=d.books.other_day, gross=d.gross(key) + 9)
    d.can_be_restored(key, is_there=True)
    for kind in ("DATE_DIFFERS", "AMOUNT_DIFFERS"):
        d.expect(kind, key, d.gross(key), d.gross(key) + 9)


@damage("both sides dated otherwise alike")
def both_dates(d: Damages) -> None:
    key = d.change()
    for book in (PAYMENT, PAYOUT):
        d.write(book, key, business_date=d.books.other_day)
    d.expect("CHANGED_IN_BOTH", key, d.gross(key), d.gross(key))


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
    d.published.add(key)
    for kind in ("PAYMENT_EVENT_MISSING", "PAYOUT_EVENT_MISSING"):
        d.expect(kind, key, d.gross(key), d.gross(key))


@damage("match of another amount")
def match_amount(d: Damages) -> None:
    key = d.change()
    d.write(MATCHED, key, gross=d.gross(key) + 3)
    d.matches_changed.add(key)
    d.expect("CHANGED_IN_BOTH", key, d.gross(key), d.gross(key))


@damage("accrual of another amount, with the fee of it")
def accrual_amount_and_fee(d: Damages) -> None:
    key = d.change()
    row = d.books.row(PAYOUT, key)
    while row["kind"] != COMPLETED:  # a return's fee follows its sale's amount
        key = d.change()
        row = d.books.row(PAYOUT, key)
    gross = d.gross(key) + 12_345
    d.write(PAYOUT, key, gross=gross, fee=fee_of(gross))
    d.expect("AMOUNT_DIFFERS", key, d.gross(key), gross)


# No book keeps a digest of fees: what is done to them is in no kept digest either way.
@damage("accrual of another fee", hidden=(False,))
def accrual_fee(d: Damages) -> None:
    key = d.change()
    told = d.books.row(PAYOUT, key)
    d.write(PAYOUT, key, fee=told["fee"] + d.choose.choice((1, -1, 500, -2 * told["fee"] - 1)))
    d.expect_told(key, told)


@damage("accrual of another tax class", hidden=(False,))
def accrual_tax_class(d: Damages) -> None:
    key = d.change()
    told = d.books.row(PAYOUT, key)
    d.write(PAYOUT, key, tax_class=STANDARD_8)
    d.expect_told(key, told)


@damage("accrual of another fee and tax class", hidden=(False,))
def accrual_fee_and_tax_class(d: Damages) -> None:
    key = d.change()
    told = d.books.row(PAYOUT, key)
    d.write(PAYOUT, key, fee=told["fee"] + 100, tax_class=STANDARD_8)
    d.expect_told(key, told)


@damage("fees of two accruals of a bucket swapped", hidden=(False,))
def fees_swapped(d: Damages) -> None:
    one, other = d.two_of_a_bucket()
    rows = {key: d.books.row(PAYOUT, key) for key in (one, other)}
    for key, by in ((one, other), (other, one)):
        d.write(PAYOUT, key, fee=rows[by]["fee"])
        d.expect_told(key, rows[key])


@damage("digest of payment", hidden=(False,))
def payment_digest(d: Damages) -> None:
    d.damage_digest(PAYMENT)


@damage("digest of payout", hidden=(False,))
def payout_digest(d: Damages) -> None:
    d.damage_digest(PAYOUT)


@damage("digest of what was matched", hidden=(False,))
def matched_digest(d: Damages) -> None:
    d.damage_digest(MATCHED)


def fee_findings(key: Key, row: Row, right: WrongFee) -> list[Found]:
    """As the service says it: the fee that it should be and the one that it is, and taxes of the row's."""
    found = []
    other_class = right.tax_class != row["tax_class"]
    if right.fee != row["fee"] or not other_class:
        found.append(Found("FEE_DIFFERS", *key, payment_amount=right.fee, payout_amount=row["fee"]))
    if other_class:
        found.append(
            Found(
                "TAX_DIFFERS", *key, payment_amount=tax_of(right.tax_class, row["fee"]),
                payout_amount=tax_of(row["tax_class"], row["fee"]),
            )
        )  # fmt: skip
    return found


# By the numbers of reconciliation's domain::DiscrepancyKind.
STORED_KINDS = (
    "", "MISSING_IN_PAYOUT", "MISSING_IN_PAYMENT", "AMOUNT_DIFFERS", "MERCHANT_DIFFERS", "DATE_DIFFERS",
    "CONTENT_DIFFERS", "DIGEST_DIFFERS", "PAYMENT_EVENT_MISSING", "PAYOUT_EVENT_MISSING", "MISSING_IN_BOTH",
    "CHANGED_IN_BOTH", "MERCHANT_HELD_BACK", "FEE_DIFFERS", "TAX_DIFFERS",
)  # fmt: skip


def as_stored(rows: list[Row]) -> set[Found]:
    """The same of rows of its table."""
    found = set()
    for row in rows:
        kind = STORED_KINDS[row["kind"]]
        if kind == "DIGEST_DIFFERS":
            found.add(Found(kind, book=BOOKS[row["book"] - 1], bucket=row["bucket"]))
        else:
            found.add(
                Found(
                    kind, row["payment_id"], row["version"], row["payment_gross"], row["payout_gross"],
                )
            )  # fmt: skip
    assert len(found) == len(rows), "a discrepancy is recorded twice"
    return found


def as_found(discrepancies: list[Mapping[str, Any]]) -> set[Found]:
    """What a run recorded, in the same words."""

    def amount(one: Mapping[str, Any], name: str) -> int | None:
        value = one.get(name)
        return None if value is None else int(value["amount"] if isinstance(value, dict) else value)

    found = set()
    for one in discrepancies:
        if one["kind"] == "DIGEST_DIFFERS":
            found.add(Found("DIGEST_DIFFERS", book=str(one["book"]).removeprefix("BOOK_"), bucket=int(one["bucket"])))
        elif one["kind"] == "ACCRUED_DIFFERS":
            found.add(
                Found(
                    "ACCRUED_DIFFERS", int(one["merchantId"]), 0, amount(one, "paymentAmount"),
                    amount(one, "payoutAmount"),
                )
            )  # fmt: skip
        else:
            found.add(
                Found(
                    str(one["kind"]), int(one["paymentId"]), int(one["version"]),
                    amount(one, "paymentAmount"), amount(one, "payoutAmount"),
                )
            )  # fmt: skip
    assert len(found) == len(discrepancies), "a discrepancy is recorded twice"
    return found


"""The damages: what is done to which rows, and what the audit must say of it.

Each is of rows of its own, so that several can be there at once. `keeps` says of one that it leaves
sums and counts of the damaged tables as they were: what only adds up or counts would not see it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any, Callable, Iterable

import running_balances
from kessai_client.day_digest import bucket_of
from quiet_books import (
    MERCHANT_PAYABLE,
    TAX_CLASS,
    USER_MONEY,
    QuietBooks,
    Sale,
    Subject,
    natural_key,
)
from tampering import PAYMENT, PAYOUT, RECONCILIATION, Row, Tampering

CHUNK = "seal of chunk's totals"
ACCOUNT_KINDS = range(1, 6)  # of payment's ledger


@dataclass(frozen=True)
class Named:
    """A finding that must be there, exactly so."""

    invariant: str
    what: str
    subject: Subject
    expected: str | None = None  # None: whatever it says
    found: str | None = None

    def __str__(self) -> str:
        subject = " ".join(f"{name} {value}" for name, value in self.subject.items())
        return f"{self.invariant} {self.what}: {subject}"


@dataclass(frozen=True)
class Trace:
    """What a damage leaves for the audit."""

    named: list[Named]
    # Of all its findings, those of other invariants too.
    about: list[Subject]


Apply = Callable[[QuietBooks, Tampering], Trace]


@dataclass(frozen=True)
class Damage:
    invariant: str
    name: str
    keeps: bool
    # Damages of one invariant and round are there at once.
    round: int
    apply: Apply

    def __str__(self) -> str:
        return f"{self.invariant}-{self.apply.__name__}"


ALL: list[Damage] = []


def damage(
    invariant: str, name: str, keeps: bool = False, round: int = 1
) -> Callable[[Apply], Apply]:
    def add(apply: Apply) -> Apply:
        ALL.append(Damage(invariant, name, keeps, round, apply))
        return apply

    return add


def subjects_of(*sales: Sale) -> list[Subject]:
    return [subject for sale in sales for subject in sale.subjects()]


def sums_of(*sales: Sale) -> list[Subject]:
    return [subject for sale in sales for subject in sale.of_day()]


def of_change(sale: Sale, version: int = 1) -> Subject:
    return {"object": sale.payment, "version": version}


def of_payment(sale: Sale, version: int = 1) -> Subject:
    return {"payment": sale.payment, "version": version}


def of_posting(sale: Sale, account: str, owner: int) -> Subject:
    return {**of_change(sale), "account": account, "owner": owner}


def of_user(sale: Sale) -> Subject:
    return {"account": "user_money", "owner": sale.user}


# --- M1: every journal sums to zero ---------------------------------------------------------------


@damage("M1", "a merchant's posting with the other sign")
def posting_turned(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    t.change(PAYMENT, "posting", sale.in_postings(MERCHANT_PAYABLE), amount=-sale.amount)
    subject = of_posting(sale, "merchant_payable", sale.merchant)
    return Trace(
        [
            Named("M1", "posting's amount", subject, str(sale.amount), str(-sale.amount)),
            Named("M1", "sum of all postings", {"currency": "JPY"}, "0"),
        ],
        [*subjects_of(sale), {"currency": "JPY"}],
    )


@damage("M1", "both postings of a journal gone")
def postings_gone(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    t.erase(PAYMENT, "posting", sale.in_journal())
    return Trace(
        [
            Named("M1", "posting is missing", of_posting(sale, "user_money", sale.user)),
            Named("M1", "posting is missing", of_posting(sale, "merchant_payable", sale.merchant)),
            Named("M2", "stored balance", of_user(sale), "10000", str(10_000 - sale.amount)),
        ],
        subjects_of(sale),
    )


@damage("M1", "the merchants of two journals exchanged in their postings", keeps=True)
def merchants_exchanged(books: QuietBooks, t: Tampering) -> Trace:
    one, other = books.sale(books.a), books.sale(books.b)
    where = one.in_postings(MERCHANT_PAYABLE), other.in_postings(MERCHANT_PAYABLE)
    t.exchange(PAYMENT, "posting", *where, "owner_id")
    return Trace(
        [
            Named("M1", "posting is missing", of_posting(one, "merchant_payable", one.merchant)),
            Named(
                "M1",
                "posting that no journal implies",
                of_posting(one, "merchant_payable", other.merchant),
            ),
            Named("M1", "posting is missing", of_posting(other, "merchant_payable", other.merchant)),
        ],
        subjects_of(one, other),
    )


@damage("M1", "a journal's postings moved by one yen from one user's payment to another's", keeps=True)
def yen_moved(books: QuietBooks, t: Tampering) -> Trace:
    """Every journal still sums to zero, every balance follows from its postings, and all is as much
    as it was."""
    one, other = books.sale(), books.sale()
    for sale, yen in ((one, 1), (other, -1)):
        for kind in (USER_MONEY, MERCHANT_PAYABLE):
            sign = 1 if kind == MERCHANT_PAYABLE else -1
            user = kind == USER_MONEY
            t.change(
                PAYMENT,
                "posting",
                sale.in_postings(kind),
                amount=lambda row, d=sign * yen: row["amount"] + d,
                balance_after=lambda row, d=-yen if user else 0: row["balance_after"] + d,
            )
        t.change(
            PAYMENT, "account", sale.in_accounts, balance=lambda row, d=yen: row["balance"] - d
        )
    return Trace(
        [
            Named(
                "M1",
                "posting's amount",
                of_posting(sale, account, owner),
                str(sign * sale.amount),
                str(sign * (sale.amount + yen)),
            )
            for sale, yen in ((one, 1), (other, -1))
            for account, owner, sign in (
                ("user_money", sale.user, -1),
                ("merchant_payable", sale.merchant, 1),
            )
        ],
        subjects_of(one, other),
    )


# --- M2: every stored balance is the sum of its postings ------------------------------------------


@damage("M2", "a user's balance raised")
def balance_raised(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    left = 10_000 - sale.amount
    t.change(PAYMENT, "account", sale.in_accounts, balance=left + 1_000)
    return Trace(
        [Named("M2", "stored balance", of_user(sale), str(left), str(left + 1_000))],
        subjects_of(sale),
    )


@damage("M2", "two users' balances exchanged", keeps=True)
def balances_exchanged(books: QuietBooks, t: Tampering) -> Trace:
    one, other = books.sale(), books.sale()
    t.exchange(PAYMENT, "account", one.in_accounts, other.in_accounts, "balance")
    left = [str(10_000 - sale.amount) for sale in (one, other)]
    return Trace(
        [
            Named("M2", "stored balance", of_user(one), left[0], left[1]),
            Named("M2", "stored balance", of_user(other), left[1], left[0]),
        ],
        subjects_of(one, other),
    )


@damage("M2", "a running balance in the middle of a user's postings", keeps=True)
def running_balance(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    left = 10_000 - sale.amount
    t.change(PAYMENT, "posting", sale.in_postings(USER_MONEY), balance_after=left + 7)
    subject = of_posting(sale, "user_money", sale.user)
    return Trace(
        [Named("M2", "balance after", subject, str(left), str(left + 7))], subjects_of(sale)
    )


@damage("M2", "a user's balance without its last change")
def last_event(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    before = t.one(PAYMENT, "journal", {"object_id": sale.top_up["top_up_id"]})["event_id"]
    t.change(PAYMENT, "account", sale.in_accounts, last_event_id=before)
    event = str(sale.journal["event_id"])
    return Trace([Named("M2", "last event", of_user(sale), event, str(before))], subjects_of(sale))


@damage("M2", "what is kept of an ended day of the customers' ledger moved between accounts", keeps=True)
def kept_day(books: QuietBooks, t: Tampering) -> Trace:
    day = books.days[0]
    moved = {
        int(row["kind"]): int(row["amount"])
        for row in t.rows(
            PAYMENT,
            "SELECT kind, SUM(amount) AS amount FROM posting WHERE business_date = %s GROUP BY kind",
            day,
        )
    }
    for kind in ACCOUNT_KINDS:
        amount = moved.get(kind, 0) + {USER_MONEY: 9, MERCHANT_PAYABLE: -9}.get(kind, 0)
        row = {"business_date": day, "account": kind, "amount": amount, "kept_at_us": 1}
        t.add(PAYMENT, "ledger_day", row)
    named, about = [], []
    for kind, account, yen in ((USER_MONEY, "user_money", 9), (MERCHANT_PAYABLE, "merchant_payable", -9)):
        subject = {"day": str(day), "account": account}
        found = str(moved[kind] + yen)
        named.append(Named("M2", "kept day of the customer ledger", subject, str(moved[kind]), found))
        about.append(subject)
    return Trace(named, about)


@damage("M2", "released money moved between two merchants' running balances", keeps=True)
def balances(books: QuietBooks, t: Tampering) -> Trace:
    named, about = [], []
    day = t.one(PAYOUT, "payout_gate", {"id": 1})["balances_date"]
    for merchant, yen in ((books.a, 10), (books.b, -10)):
        merchant_id = merchant.credential.merchant_id
        (piece,) = (
            row
            for row in t.find(PAYOUT, "running_balance", {"business_date": day})
            if row["merchant_first"] <= merchant_id <= row["merchant_last"]
        )
        kept = running_balances.unpack(piece["balances"])
        (balance,) = (one for one in kept if one.merchant == merchant_id)
        before = str(balance)
        balance.released += yen
        where = {"business_date": day, "merchant_first": piece["merchant_first"]}
        t.change(PAYOUT, "running_balance", where, balances=running_balances.pack(kept))
        subject = {"merchant": merchant_id, "tax class": TAX_CLASS}
        named.append(Named("M2", "running balance", subject, before, str(balance)))
        about.append(subject)
    return Trace(named, about)


def issued(t: Tampering, merchant_id: int, **values: Any) -> Subject:
    """Adds a statement of a month long before any sale, as it would be issued but for `values`: columns
    of the statement, and `pdf`, what is kept of that file."""
    key: Row = {"cycle_start": date(2001, 1, 1), "merchant_id": merchant_id}
    by: Row = {"put_by": "audit", "put_at_us": 1}
    profile: Row = {"merchant_id": merchant_id, "version": 1, "invoice_name": "甲", **by}
    t.add(PAYOUT, "merchant_profile", profile)
    pdf = values.pop("pdf", b"%PDF-1.7")
    statement: Row = {
        **key, "version": 1, "profile": 1, "issued_on": date(2001, 2, 1), "opening": 0, "closing": 0,
        "issued_by": "audit", "issued_at_us": 1, "correction_reason": "",
    }  # fmt: skip
    t.add(PAYOUT, "merchant_statement", {**statement, **values})
    csv = f"文書,番号,,,,,,,,,,,,,,200101-{merchant_id}\r\n".encode()
    for form, content, kept in (("csv", csv, csv), ("pdf", b"%PDF-1.7", pdf)):
        file: Row = {"format": form, "file_hash": hashlib.sha256(content).digest(), "content": kept}
        t.add(PAYOUT, "merchant_statement_file", {**key, "version": 1, **file})
    return {"merchant": merchant_id, "cycle": "2001-01-01", "version": 1}


@damage("M2", "a statement issued with another balance")
def statement_balance(books: QuietBooks, t: Tampering) -> Trace:
    subject = issued(t, books.a.credential.merchant_id, closing=7)
    return Trace([Named("M2", "statement's closing balance", subject, "0", "7")], [subject])


# --- M3: no customer balance is below zero --------------------------------------------------------


@damage("M3", "a stored balance below zero")
def stored_below_zero(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    t.change(PAYMENT, "account", sale.in_accounts, balance=-1)
    return Trace([Named("M3", "stored balance", of_user(sale), None, "-1")], subjects_of(sale))


@damage("M3", "a running balance below zero")
def running_below_zero(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    t.change(PAYMENT, "posting", sale.in_postings(USER_MONEY), balance_after=-5)
    subject = of_posting(sale, "user_money", sale.user)
    return Trace([Named("M3", "balance after", subject, None, "-5")], subjects_of(sale))


@damage("M3", "a user who paid before there was money: two postings exchanged", keeps=True)
def paid_before_topped_up(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    top_up = {"kind": USER_MONEY, "object_id": sale.top_up["top_up_id"], "version": 1}
    t.exchange(PAYMENT, "posting", top_up, sale.in_postings(USER_MONEY), "amount")
    t.change(PAYMENT, "posting", top_up, balance_after=-sale.amount)
    subject = {"object": sale.top_up["top_up_id"], **of_user(sale)}
    return Trace(
        [Named("M3", "balance after", subject, None, str(-sale.amount))], subjects_of(sale)
    )


@damage("M3", "more paid than there was, with journal, postings and balances that agree")
def overdrawn(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    much = 10_000 + 50
    amounts: dict[str, Any] = {"amount": much, "order_amount": much, "captured_total": much}
    t.change(PAYMENT, "journal", sale.in_journal(), **amounts)
    t.change(PAYMENT, "payment", sale.in_payments, amount=much, captured=much)
    t.change(PAYMENT, "posting", sale.in_postings(USER_MONEY), amount=-much, balance_after=-50)
    t.change(PAYMENT, "posting", sale.in_postings(MERCHANT_PAYABLE), amount=much)
    t.change(PAYMENT, "account", sale.in_accounts, balance=-50)
    return Trace(
        [
            Named("M3", "stored balance", of_user(sale), None, "-50"),
            Named("M3", "balance after", of_posting(sale, "user_money", sale.user), None, "-50"),
        ],
        subjects_of(sale),
    )


@damage("M3", "a transfer of more than its merchant had by then", keeps=True)
def paid_too_much(books: QuietBooks, t: Tampering) -> Trace:
    where = {"merchant_id": books.settled, "kind": 1}
    journal = t.one(PAYOUT, "merchant_journal", where)
    taken = journal["amount"] + journal["fee"] + journal["tax"]
    t.change(PAYOUT, "merchant_journal", where, released=taken - 1)
    subject: Subject = {"merchant": books.settled, "journal": journal["journal_id"]}
    return Trace(
        [Named("M3", "available after a transfer", subject, "not below zero", "-1")], [subject]
    )


# --- M4: one payment a (merchant, merchantPaymentId) ----------------------------------------------


@damage("M4", "two payments of one merchantPaymentId")
def paid_twice(books: QuietBooks, t: Tampering) -> Trace:
    one, other = books.sale(), books.sale()
    for table, where in (("journal", other.in_journal()), ("payment", other.in_payments)):
        t.change(PAYMENT, table, where, merchant_payment_id=one.order)
    t.erase(PAYMENT, "payment_order", other.in_orders)
    key = natural_key(one.merchant, text=one.order).hex()
    both = ", ".join(str(payment) for payment in sorted((one.payment, other.payment)))
    return Trace(
        [
            Named("M4", "paid twice", {"order key": key}, None, f"payments {both}"),
            Named("M4", "payment that its order does not name", {"payment": other.payment}),
        ],
        subjects_of(one, other),
    )


@damage("M4", "the payments of two orders exchanged", keeps=True)
def orders_exchanged(books: QuietBooks, t: Tampering) -> Trace:
    one, other = books.sale(), books.sale()
    t.exchange(PAYMENT, "payment_order", one.in_orders, other.in_orders, "payment_id")
    return Trace(
        [
            Named(
                "M4",
                "order names no payment of its own",
                {"merchant": sale.merchant, "merchantPaymentId": sale.order},
                None,
                f"payment {instead.payment}",
            )
            for sale, instead in ((one, other), (other, one))
        ],
        subjects_of(one, other),
    )


@damage("M4", "the idempotency keys of two top-ups exchanged", keeps=True)
def top_ups_exchanged(books: QuietBooks, t: Tampering) -> Trace:
    one, other = books.sale(), books.sale()
    where = [{"top_up_key": sale.top_up["top_up_key"]} for sale in (one, other)]
    t.exchange(PAYMENT, "top_up", *where, "idempotency_key")
    return Trace(
        [
            Named("M4", "top-up key", {"top-up": sale.top_up["top_up_id"]})
            for sale in (one, other)
        ],
        subjects_of(one, other),
    )


@damage("M4", "a refund's row gone, so that it could be asked for again")
def refund_gone(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale(books.a)
    refund = books.refund(sale, books.a, 100)
    t.erase(PAYMENT, "refund", {"refund_key": refund["refund_key"]})
    named = Named("M4", "refund row is missing", of_change(sale, 2), f"refund {refund['refund_id']}")
    return Trace([named], subjects_of(sale))


# --- M5: refunded <= captured <= ordered ----------------------------------------------------------


@damage("M5", "more refunded than was captured, in all rows of the refund")
def refunded_too_much(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale(books.a)
    refund = books.refund(sale, books.a, 100)
    much = sale.amount + 1
    t.change(PAYMENT, "refund", {"refund_key": refund["refund_key"]}, amount=much)
    t.change(PAYMENT, "journal", sale.in_journal(2), amount=much)
    t.change(PAYMENT, "payment", sale.in_payments, refunded=much)
    for kind, sign in ((USER_MONEY, 1), (MERCHANT_PAYABLE, -1)):
        t.change(PAYMENT, "posting", sale.in_postings(kind, 2), amount=sign * much)
    named = Named(
        "M5", "refunded beyond captured", of_payment(sale, 2), f"at most {sale.amount}", str(much)
    )
    return Trace([named], subjects_of(sale))


@damage("M5", "what two payments refunded exchanged", keeps=True)
def refunds_exchanged(books: QuietBooks, t: Tampering) -> Trace:
    one, other = books.sale(books.a), books.sale(books.a)
    books.refund(one, books.a, 100)
    books.refund(other, books.a, 150)
    t.exchange(PAYMENT, "payment", one.in_payments, other.in_payments, "refunded")
    return Trace(
        [
            Named("M5", "refunded", {"payment": one.payment}, "100", "150"),
            Named("M5", "refunded", {"payment": other.payment}, "150", "100"),
        ],
        subjects_of(one, other),
    )


@damage("M5", "more captured than was ordered")
def captured_too_much(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    t.change(PAYMENT, "payment", sale.in_payments, captured=sale.amount + 1)
    named = Named(
        "M5", "captured", {"payment": sale.payment}, str(sale.amount), str(sale.amount + 1)
    )
    return Trace([named], subjects_of(sale))


@damage("M5", "a refunded payment that says it was not", keeps=True)
def refund_forgotten(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale(books.a)
    books.refund(sale, books.a, 100)
    t.change(PAYMENT, "payment", sale.in_payments, status=2)
    named = Named("M5", "status", {"payment": sale.payment}, "REFUNDED", "COMPLETED")
    return Trace([named], subjects_of(sale))


# --- M6: every committed change is published ------------------------------------------------------


@damage("M6", "a payment that was never published, made up in all tables of payment")
def never_published(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    # Far from the ids that are given out now.
    payment, event = sale.payment + (1 << 55), int(sale.journal["event_id"]) + 1
    order = f"{sale.order}-x"
    ids: Row = {"event_id": event, "object_id": payment}
    journal = {**sale.journal, **ids, "bucket": bucket_of(payment), "merchant_payment_id": order}
    t.add(PAYMENT, "journal", journal)
    row = t.one(PAYMENT, "payment", sale.in_payments)
    made_up: Row = {
        "payment_id": payment,
        "merchant_payment_id": order,
        "last_event_id": event,
        "code_salt": 1,
    }
    t.add(PAYMENT, "payment", {**row, **made_up})
    row = t.one(PAYMENT, "payment_order", sale.in_orders)
    key = natural_key(sale.merchant, text=order)
    t.add(
        PAYMENT,
        "payment_order",
        {**row, "order_key": key, "merchant_payment_id": order, "payment_id": payment},
    )
    left = 10_000 - 2 * sale.amount
    for kind in (USER_MONEY, MERCHANT_PAYABLE):
        row = t.one(PAYMENT, "posting", sale.in_postings(kind))
        after = left if kind == USER_MONEY else 0
        t.add(PAYMENT, "posting", {**row, **ids, "balance_after": after})
    t.change(PAYMENT, "account", sale.in_accounts, balance=left, last_event_id=event)
    return Trace(
        [
            Named("M6", "event is missing", {"object": payment, "version": 1}),
            Named("M7", "accrual is missing", {"payment": payment, "version": 1}),
            Named("M8", "match is missing", {"payment": payment, "version": 1}),
        ],
        [{"object": payment}, {"payment": payment}],
    )


@damage("M6", "a published payment taken out of all tables of payment")
def taken_out(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    t.erase(PAYMENT, "journal", sale.in_journal())
    t.erase(PAYMENT, "posting", sale.in_journal())
    t.erase(PAYMENT, "payment", sale.in_payments)
    t.erase(PAYMENT, "payment_order", sale.in_orders)
    before = t.one(PAYMENT, "journal", {"object_id": sale.top_up["top_up_id"]})["event_id"]
    t.change(PAYMENT, "account", sale.in_accounts, balance=10_000, last_event_id=before)
    return Trace(
        [
            Named("M6", "event without change", of_payment(sale), "a change", "none"),
            Named("M7", "accrual without change", of_payment(sale), "a change", "none"),
            Named("M8", "match without change", of_payment(sale), "a change", "none"),
        ],
        [of_payment(sale)],
    )


@damage("M6", "the store of a published change rewritten", keeps=True)
def change_rewritten(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    for table, where in (("journal", sale.in_journal()), ("payment", sale.in_payments)):
        t.change(PAYMENT, table, where, store_id="another store")
    return Trace([Named("M6", "content of event", of_change(sale))], subjects_of(sale))


@damage("M6", "the time of a published accrual rewritten", keeps=True)
def accrual_rewritten(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    t.change(
        PAYOUT, "accrual", sale.in_accruals, recorded_at_us=lambda row: row["recorded_at_us"] + 1
    )
    return Trace([Named("M6", "content of event", of_payment(sale))], subjects_of(sale))


# --- M7: every published change is accrued once, with the fee of the plan in force ----------------


@damage("M7", "an accrual gone, and its merchant's total made to fit")
def accrual_gone(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale(books.merchant("丁"))  # nobody else adds to its total
    accrual = t.one(PAYOUT, "accrual", sale.in_accruals)
    t.erase(PAYOUT, "accrual", sale.in_accruals)
    t.change(
        PAYOUT,
        "merchant_day_total",
        sale.in_totals,
        gross=lambda row: row["gross"] - accrual["gross"],
        fee=lambda row: row["fee"] - accrual["fee"],
        item_count=lambda row: row["item_count"] - 1,
    )
    expected = f"gross {sale.amount} of merchant {sale.merchant}"
    return Trace(
        [Named("M7", "accrual is missing", of_payment(sale), expected, "none")],
        subjects_of(sale) + sums_of(sale),
    )


@damage("M7", "the fees of two accruals exchanged", keeps=True)
def fees_exchanged(books: QuietBooks, t: Tampering) -> Trace:
    one = books.sale()
    for _ in range(5):  # amounts rise: fees of 1.98 % are then not the same
        other = books.sale()
    fees = [t.one(PAYOUT, "accrual", sale.in_accruals)["fee"] for sale in (one, other)]
    t.exchange(PAYOUT, "accrual", one.in_accruals, other.in_accruals, "fee")
    return Trace(
        [
            Named("M7", "fee", of_payment(one), str(fees[0]), str(fees[1])),
            Named("M7", "fee", of_payment(other), str(fees[1]), str(fees[0])),
        ],
        subjects_of(one, other) + sums_of(one, other),
    )


@damage("M7", "an accrual that names a version of the plan that never was", keeps=True)
def another_plan(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    t.change(PAYOUT, "accrual", sale.in_accruals, plan_version=99)
    named = Named("M7", "plan in force", of_payment(sale), "plan 1 version 1", "plan 1 version 99")
    return Trace([named], subjects_of(sale))


@damage("M7", "a merchant's plan rewritten after it was in force", keeps=True)
def plan_rewritten(books: QuietBooks, t: Tampering) -> Trace:
    sales = books.sales_of(books.planned, 1)
    assert len(sales) == 3
    where = {"plan_id": books.plan_id, "version": 1}
    t.change(PAYOUT, "fee_plan", where, fixed_fee=lambda row: row["fixed_fee"] + 1)
    return Trace(
        [Named("M7", "fee", of_payment(sale)) for sale in sales], subjects_of(*sales)
    )


@damage("M7", "an accrual given to another merchant", keeps=True)
def another_merchant(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale(books.a)
    to = books.b.credential.merchant_id
    t.change(PAYOUT, "accrual", sale.in_accruals, merchant_id=to)
    named = Named("M7", "accrual's merchant", of_payment(sale), str(sale.merchant), str(to))
    to_day = {"merchant": to, "day": str(sale.day), "slot": sale.slot}
    return Trace([named], [*subjects_of(sale), *sums_of(sale), to_day])


@damage("M7", "what of a merchant's day was given back", keeps=True)
def part_of_a_day(books: QuietBooks, t: Tampering) -> Trace:
    """A refund passed off as cashback that the merchant bears: the merchant's invoice changes."""
    where = {"business_date": books.days[1], "merchant_id": books.b.credential.merchant_id}
    (row,) = t.find(PAYOUT, "merchant_day_part", where)
    t.change(PAYOUT, "merchant_day_part", where, part=2)
    day: Subject = {"merchant": where["merchant_id"], "day": str(where["business_date"])}
    text = (
        f"gross {row['gross']}, fee {row['fee']}, 1 accruals, of payments of "
        f"{row['payment_first']} to {row['payment_last']}"
    )
    return Trace(
        [
            Named("M7", "part of merchant's day", {**day, "part": "returns"}, text, "none"),
            Named("M7", "part of merchant's day", {**day, "part": "benefits"}, "none", text),
        ],
        [{**day, "part": part} for part in ("returns", "benefits")],
    )


# --- M8: payable = gross = matched, for every closed day and merchant -----------------------------


@damage("M8", "a match gone")
def match_gone(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    t.erase(RECONCILIATION, "change_match", sale.in_accruals)
    return Trace(
        [Named("M8", "match is missing", of_payment(sale))], subjects_of(sale) + sums_of(sale)
    )


@damage("M8", "matched money moved between two merchants of a closed day", keeps=True)
def matched_moved(books: QuietBooks, t: Tampering) -> Trace:
    named, about = [], []
    for merchant, yen in ((books.a, 3), (books.b, -3)):
        sale = books.sale(merchant, day=0)
        where = {"business_date": sale.day, "merchant_id": sale.merchant}
        rows = t.find(RECONCILIATION, "matched_day_total", where)
        gross = rows[0]["gross"] + yen
        t.change(
            RECONCILIATION, "matched_day_total", {**where, "slot": rows[0]["slot"]}, gross=gross
        )
        subject = {"merchant": sale.merchant, "day": str(sale.day)}
        total = sum(row["gross"] for row in rows)
        for what in ("matched total", "matched beside payable"):
            named.append(Named("M8", what, subject, str(total), str(total + yen)))
        about.append(subject)
    return Trace(named, about)


@damage("M8", "the days of two matches exchanged", keeps=True, round=2)
def match_days_exchanged(books: QuietBooks, t: Tampering) -> Trace:
    one, other = books.sale(day=0), books.sale(day=1)
    t.exchange(
        RECONCILIATION, "change_match", one.in_accruals, other.in_accruals, "business_date"
    )
    return Trace(
        [
            Named("M8", "match's business date", of_payment(one), str(one.day), str(other.day)),
            Named("M8", "match's business date", of_payment(other), str(other.day), str(one.day)),
        ],
        [
            *subjects_of(one, other),
            *sums_of(one, other),
            *one.of_day(other.day),
            *other.of_day(one.day),
        ],
    )


@damage("M8", "a bucket's hash in payment's digest of a closed day", keeps=True)
def payments_digest(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale(day=0)
    where = {"business_date": sale.day, "bucket": sale.bucket, "slot": sale.bucket % 4}
    t.change(PAYMENT, "day_digest", where, hash0=lambda row: row["hash0"] ^ 1)
    subject = {"day": str(sale.day), "bucket": sale.bucket}
    return Trace([Named("M8", "payment's kept digest", subject)], [subject])


@damage("M8", "what two merchants of a closed day were released exchanged", keeps=True)
def releases_exchanged(books: QuietBooks, t: Tampering) -> Trace:
    columns = ("gross", "fee", "tax", "net", "item_count")
    day = books.days[1]
    merchants = [merchant.credential.merchant_id for merchant in (books.a, books.planned)]
    where = [
        {"business_date": day, "merchant_id": merchant, "tax_class": TAX_CLASS}
        for merchant in merchants
    ]
    t.exchange(PAYOUT, "merchant_release", *where, *columns)
    named = [
        Named("M8", "released beside accrued", {"merchant": merchant, "day": str(day)})
        for merchant in merchants
    ]
    about: list[Subject] = [{"merchant": merchant, "day": str(day)} for merchant in merchants]
    start = str(day.replace(day=1))
    about += [{"merchant": merchant, "cycle": start} for merchant in merchants]
    about += [{"merchant": merchant, "tax class": TAX_CLASS} for merchant in merchants]
    return Trace(named, about)


@damage("M8", "a merchant held back by nobody", keeps=True)
def held_by_nobody(books: QuietBooks, t: Tampering) -> Trace:
    about = {"business_date": books.days[0], "merchant_id": 8, "held_merchant": 8}
    nothing = {"payment_id": 0, "version": 0, "book": 0, "bucket": 0, "found_by_run": 0}
    step = {"state": 1, "step_count": 1, "last_event_id": 1, "found_at_us": 1}
    row = {"discrepancy_id": 8, "kind": 12, "currency": "JPY", "evidence": "", "found_by_deep_run": 0}
    amounts = {"payment_gross": None, "payout_gross": None}
    repair = {"owner": "", "open_repair": 0, "corrected_by": 0}
    t.add(RECONCILIATION, "discrepancy", {**about, **nothing, **amounts, **step, **row, **repair})
    subject: Subject = {"merchant": 8, "day": str(books.days[0]), "discrepancy": 8}
    what = "discrepancy of a merchant that is not held back"
    return Trace([Named("M8", what, subject, "none", "open")], [subject, {"discrepancy": 8}])


# --- M9: a closed day never changes ---------------------------------------------------------------


def _sealed(books: QuietBooks, day: int, what: str = CHUNK) -> Named:
    return Named("M9", what, {"day": str(books.days[day]), "chunk": 0})


def _of_seal(books: QuietBooks, day: int) -> Subject:
    return {"day": str(books.days[day])}


@damage("M9", "a change moved into a closed day, with its postings and payment")
def moved_into_closed_day(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale()
    day = books.days[0]
    t.change(PAYMENT, "journal", sale.in_journal(), business_date=day, payment_date=day)
    t.change(PAYMENT, "payment", sale.in_payments, business_date=day)
    for kind in (USER_MONEY, MERCHANT_PAYABLE):
        t.change(PAYMENT, "posting", sale.in_postings(kind), business_date=day)
    subject = {**of_change(sale), "day": str(day)}
    return Trace(
        [Named("M9", "change after its day had ended", subject)],
        [*subjects_of(sale), *sale.of_day(day)],
    )


@damage("M9", "a sealed total changed")
def total_changed(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale(day=1)
    t.change(PAYOUT, "merchant_day_total", sale.in_totals, fee=lambda row: row["fee"] + 1)
    subject = {"merchant": sale.merchant, "day": str(sale.day), "slot": sale.slot}
    return Trace(
        [_sealed(books, 1), Named("M7", "merchant's day total", subject)],
        [subject, {**_of_seal(books, 1), "chunk": 0}],
    )


@damage("M9", "fees moved between two merchants of a sealed day", keeps=True, round=2)
def fees_moved(books: QuietBooks, t: Tampering) -> Trace:
    about: list[Subject] = [{**_of_seal(books, 0), "chunk": 0}]
    for merchant, yen in ((books.a, 1), (books.b, -1)):
        sale = books.sale(merchant, day=0)
        t.change(
            PAYOUT, "merchant_day_total", sale.in_totals, fee=lambda row, d=yen: row["fee"] + d
        )
        about.append({"merchant": sale.merchant, "day": str(sale.day), "slot": sale.slot})
    return Trace(
        [_sealed(books, 0), *(Named("M7", "merchant's day total", of) for of in about[1:])], about
    )


@damage("M9", "a seal forged", keeps=True, round=2)
def seal_forged(books: QuietBooks, t: Tampering) -> Trace:
    day = {"business_date": books.days[1]}
    t.change(PAYOUT, "day_chunk", {**day, "chunk": 0}, seal=b"forged" + bytes(26))
    forged = (b"forged" + bytes(26)).hex()
    sealed = _sealed(books, 1)
    return Trace(
        [
            Named("M9", CHUNK, sealed.subject, forged),
            Named("M9", "seal of day", _of_seal(books, 1)),
        ],
        [_of_seal(books, 1)],
    )


@damage("M9", "a merchant added to a sealed day", round=3)
def merchant_added(books: QuietBooks, t: Tampering) -> Trace:
    sale = books.sale(day=0)
    row = t.one(PAYOUT, "merchant_day_total", sale.in_totals)
    nothing: Row = {"merchant_id": 7, "gross": 0, "fee": 0, "item_count": 0}
    t.add(PAYOUT, "merchant_day_total", {**row, **nothing})
    return Trace(
        [
            _sealed(books, 0),
            _sealed(books, 0, "sealed merchants of chunk"),
            Named(
                "M8",
                "neither released nor held back",
                {"merchant": 7, "day": str(books.days[0])},
            ),
        ],
        [{**_of_seal(books, 0), "chunk": 0}, {"merchant": 7, "day": str(books.days[0])}],
    )


@damage("M9", "the seal of a day gone", keeps=True, round=3)
def seal_gone(books: QuietBooks, t: Tampering) -> Trace:
    t.change(PAYOUT, "payout_day", {"business_date": books.days[1]}, seal=None)
    return Trace(
        [Named("M9", "seal of day", _of_seal(books, 1), None, "none")], [_of_seal(books, 1)]
    )


@damage("M9", "who took a discrepancy further", keeps=True, round=4)
def step_of_another(books: QuietBooks, t: Tampering) -> Trace:
    discrepancy = books.discrepancies()[0]
    where = {"discrepancy_id": discrepancy, "number": 2}
    t.change(RECONCILIATION, "discrepancy_step", where, actor="mallory")
    subject: Subject = {"discrepancy": discrepancy, "step": 2}
    return Trace([Named("M9", "step of a discrepancy", subject)], [subject])


@damage("M9", "a discrepancy removed with its history", round=4)
def discrepancy_removed(books: QuietBooks, t: Tampering) -> Trace:
    discrepancy = books.discrepancies()[1]
    where = {"discrepancy_id": discrepancy}
    t.erase(RECONCILIATION, "discrepancy_step", where)
    t.erase(RECONCILIATION, "discrepancy", where)
    subjects: list[Subject] = [{"discrepancy": discrepancy, "step": number} for number in (1, 2)]
    what = "step of a discrepancy is missing"
    return Trace([Named("M9", what, subject) for subject in subjects], subjects)


@damage("M9", "two steps of a discrepancy exchanged", keeps=True, round=5)
def steps_exchanged(books: QuietBooks, t: Tampering) -> Trace:
    discrepancy = books.discrepancies()[0]
    steps = [{"discrepancy_id": discrepancy, "number": number} for number in (1, 2)]
    columns = ("state", "actor", "note", "at_us", "event_id", "chain_hash", "evidence_hash")
    t.exchange(RECONCILIATION, "discrepancy_step", *steps, *columns)
    subjects: list[Subject] = [{"discrepancy": discrepancy, "step": number} for number in (1, 2)]
    named = [Named("M9", "step of a discrepancy", subject) for subject in subjects]
    return Trace(named, [{"discrepancy": discrepancy}])


@damage("M9", "a step and a repair made up", round=5)
def step_made_up(books: QuietBooks, t: Tampering) -> Trace:
    discrepancy = books.discrepancies()[1]
    last = t.one(RECONCILIATION, "discrepancy_step", {"discrepancy_id": discrepancy, "number": 2})
    step = {**last, "number": 3, "state": 5, "actor": "mallory", "note": "it is fine", "repair_number": 1}
    t.add(RECONCILIATION, "discrepancy_step", step)
    t.change(
        RECONCILIATION, "discrepancy", {"discrepancy_id": discrepancy}, state=5, step_count=3
    )
    who = {"requested_by": "mallory", "decided_by": "", "reason": "it is fine", "outcome": "done"}
    money = {"merchant_id": 0, "amount": 0, "other_merchant_id": 0, "other_amount": 0}
    times = {"requested_at_us": 1, "decided_at_us": 0, "carried_out_at_us": 1, "ended_at_us": 1}
    key = {"discrepancy_id": discrepancy, "number": 1, "kind": 1, "state": 5}
    t.add(RECONCILIATION, "repair", {**key, **who, **money, **times})
    return Trace(
        [
            Named("M9", "step that was put in", {"discrepancy": discrepancy, "step": 3}),
            Named("M9", "repair", {"discrepancy": discrepancy, "repair": 1}),
        ],
        [{"discrepancy": discrepancy}],
    )


@damage("M9", "a byte of an issued statement's file", keeps=True)
def statement_file(books: QuietBooks, t: Tampering) -> Trace:
    subject = issued(t, books.b.credential.merchant_id, pdf=b"%PDF-1.8")
    found = hashlib.sha256(b"%PDF-1.8").hexdigest()
    return Trace(
        [Named("M9", "statement's file", {**subject, "format": "pdf"}, None, found)], [subject]
    )


def rounds() -> Iterable[tuple[str, int]]:
    return sorted({(one.invariant, one.round) for one in ALL})


def of_round(invariant: str, number: int) -> list[Damage]:
    return [one for one in ALL if (one.invariant, one.round) == (invariant, number)]

"""Death of reconciliation at the named points of a repair.

Goal: a repair that was asked for comes to its end and does once what it does, wherever reconciliation
dies on the way.
Method: the `faults` build of reconciliation, armed with every point around a repair's effect. A row of
payout's of a closed day is damaged behind its back, the day is compared, and a repair is asked for;
reconciliation dies once at each point, and is started again by runit. An accrual that is taken away is
put back; one that is of another merchant is made up for by a journal of two merchants, which a second
operator approves.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest
from callers import insist
from conftest import Report
from kessai_client import waiting
from kessai_client.bearer import AppUser, Operator
from kessai_client.http import Http
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile
from test_named_points import Marks, _one, _rows, operator_named
from victims import Victims, faults_build_is_there

SERVICE = "reconciliation"
POINTS = (
    "reconciliation.repair.before_effect",
    "reconciliation.repair.after_effect",
    "reconciliation.repair.after_carried_out",
)
# Between the two parts of a journal of two merchants, which payout posts.
BETWEEN_PARTS = ("payout", "payout.correction.between_parts")
LIMIT_S = 120.0
MISSING_IN_PAYOUT, MERCHANT_DIFFERS = 1, 4  # domain::DiscrepancyKind
REPAIRED = 5  # domain::RepairState
ADJUSTMENT = 5  # merchant_journal.kind


@pytest.fixture
def armed(victims: Victims) -> Iterator[list[str]]:
    """The services that run their `faults` build; at the end they run what they did before."""
    services = [SERVICE]
    yield services
    for service in services:
        victims.restart_plain(service)
        victims.await_serving(service)


@dataclass(frozen=True)
class PaidDay:
    """A closed and released day, found equal, with payments of merchants that have nothing else."""

    stack: StackFile
    http: Http
    operator: Operator
    merchants: list[int]
    payments: list[int]
    day: str

    @property
    def merchant(self) -> int:
        return self.merchants[0]

    @property
    def payment(self) -> int:
        return self.payments[0]

    @staticmethod
    def make(stack_file: Path, merchant: int, payments: int = 1) -> "PaidDay":
        return PaidDay.make_of(stack_file, [merchant], payments)

    @staticmethod
    def make_of(stack_file: Path, merchants: list[int], payments: int = 1) -> "PaidDay":
        stack = StackFile.read(stack_file)
        http = Http(stack.url, stack.ca_file, timeout_s=10)
        operator = operator_named(http, "kill-operator")
        user = AppUser.sign_in(http, f"repaired-{secrets.token_hex(4)}")
        paid = []
        for merchant in merchants:
            operator.put_merchant(merchant, "repaired")
            shop = Partner(http, operator.issue_credential(merchant, ["codes", "payments"]))
            insist("top-up", lambda: user.top_up(700 * payments), 201)
            paid += [_pay(shop, user, 700) for _ in range(payments)]
        day = str(_one(stack, "payment", "SELECT MIN(business_date) FROM gate"))
        path = f"/operator/v1/days/{day}"
        insist("close", lambda: operator.call("POST", f"{path}/close", {"early": True}), 200)
        closed = "SELECT COUNT(*) FROM payout_day WHERE business_date = %s AND state > 1"
        waiting.until(
            "payout closes the day", lambda: _one(stack, "payout", closed, day) or None, LIMIT_S
        )
        # Who is damaged before would be held back.
        insist("release", lambda: operator.call("POST", f"{path}/release"), 200, again=(409,))
        equal = "SELECT COUNT(*) FROM day_run WHERE business_date = %s AND state = 2"
        waiting.until(
            "the comparison of the day", lambda: _one(stack, SERVICE, equal, day) or None, LIMIT_S
        )
        return PaidDay(stack, http, operator, merchants, paid, day)

    def damage(self, sql: str, *values: object) -> None:
        """A row of payout's, and no more than one."""
        root = self.stack.database("payout", user="root")
        with root.cursor() as cursor:
            assert cursor.execute(sql, values) == 1, sql
        root.commit()
        root.close()

    def found(self, kind: int) -> int:
        """The discrepancy of the payment that a deep run finds."""
        path = f"/operator/v1/days/{self.day}/reconciliation"
        insist("run", lambda: self.operator.call("POST", path, {"deep": True}), 200, 202, again=(409,))
        sought = "SELECT MAX(discrepancy_id) FROM discrepancy WHERE payment_id = %s AND kind = %s"
        return int(
            waiting.until(
                "the discrepancy",
                lambda: _one(self.stack, SERVICE, sought, self.payment, kind),
                LIMIT_S,
            )
        )

    def await_end(self, discrepancy: int) -> None:
        ended = "SELECT COUNT(*) FROM repair WHERE discrepancy_id = %s AND state = %s"
        waiting.until(
            "the end of the repair",
            lambda: _one(self.stack, SERVICE, ended, discrepancy, REPAIRED) or None,
            LIMIT_S,
        )
        of_it = "SELECT COUNT(*) FROM repair WHERE discrepancy_id = %s"
        assert _one(self.stack, SERVICE, of_it, discrepancy) == 1


def _pay(shop: Partner, user: AppUser, yen: int) -> int:
    code = insist("code", lambda: shop.create_code(f"r-{secrets.token_hex(8)}", yen), 201)
    return int(insist("payment", lambda: user.pay(code["data"]["codeId"], yen), 201)["paymentId"])


def test_a_repair_survives_its_points(
    victims: Victims, armed: list[str], stack_file: Path, directory: Path, seed: int, report: Report
) -> None:
    assert faults_build_is_there(), "./kessai test kill builds it"
    books = PaidDay.make(stack_file, 3_000_000_000 + seed % 1_000_000_000)
    books.damage("DELETE FROM accrual WHERE payment_id = %s", books.payment)
    discrepancy = books.found(MISSING_IN_PAYOUT)

    marks = Marks(directory / "test_repair_points" / f"marks-{seed}")
    victims.restart_armed(SERVICE, [f"{point}:1" for point in POINTS], marks.of(SERVICE))
    wish = {"kind": "ACCRUE_AGAIN", "reason": "a disk lost it"}
    target = f"/operator/v1/discrepancies/{discrepancy}/repairs"
    repair = insist("repair", lambda: books.operator.call("POST", target, wish), 200)
    assert repair["number"] == 1
    marks.await_strikes({(SERVICE, point) for point in POINTS})
    books.await_end(discrepancy)
    count = "SELECT COUNT(*) FROM accrual WHERE payment_id = %s"
    assert _one(books.stack, "payout", count, books.payment) == 1
    totals = "SELECT SUM(item_count) FROM merchant_day_total WHERE merchant_id = %s"
    assert _one(books.stack, "payout", totals, books.merchant) == 1
    for point in POINTS:
        report.line(f"  {SERVICE:<16} died at {point}, and the repair went on")


def test_a_journal_of_two_merchants_survives_its_points(
    victims: Victims, armed: list[str], stack_file: Path, directory: Path, seed: int, report: Report
) -> None:
    assert faults_build_is_there(), "./kessai test kill builds it"
    first = 5_000_000_000 + seed % 1_000_000_000
    # Payout's ledger has nothing of a merchant to whom nothing was released.
    books = PaidDay.make_of(stack_file, [first, first + 1_000_000_000])
    other = books.merchants[1]
    change_merchant = "UPDATE accrual SET merchant_id = %s WHERE payment_id = %s"
    books.damage(change_merchant, other, books.payment)
    discrepancy = books.found(MERCHANT_DIFFERS)
    fee = _one(books.stack, "payout", "SELECT fee FROM accrual WHERE payment_id = %s", books.payment)

    target = f"/operator/v1/discrepancies/{discrepancy}/repairs"
    wish = {"kind": "CORRECTING_JOURNAL", "reason": "it was accrued for the shop next door"}
    asked = insist("repair", lambda: books.operator.call("POST", target, wish), 200)
    assert asked["number"] == 1 and asked["state"] == "REQUESTED", asked
    decision = {"approve": True, "note": "seen"}
    path = f"{target}/1/decision"
    refused = books.operator.call("POST", path, decision)
    assert refused.status == 403 and refused.json()["code"] == "SAME_OPERATOR", refused.text()
    journals = (
        "SELECT merchant_id, amount FROM merchant_journal WHERE kind = %s AND merchant_id IN (%s, %s)"
        " ORDER BY merchant_id"
    )
    of_both = (ADJUSTMENT, books.merchant, other)
    assert _rows(books.stack, "payout", journals, *of_both) == [], "nobody has approved it"

    marks = Marks(directory / "test_journal_points" / f"marks-{seed}")
    payout, between = BETWEEN_PARTS
    armed.append(payout)
    victims.restart_armed(payout, [f"{between}:1"], marks.of(payout))
    victims.await_serving(payout)
    victims.restart_armed(SERVICE, [f"{point}:1" for point in POINTS], marks.of(SERVICE))
    points = [BETWEEN_PARTS, *((SERVICE, point) for point in POINTS)]
    approver = operator_named(books.http, "kill-approver")
    insist("decision", lambda: approver.call("POST", path, decision), 200)
    marks.await_strikes(set(points))
    books.await_end(discrepancy)
    # The two are booked once, and together they move nothing in or out.
    net = 700 - fee
    assert _rows(books.stack, "payout", journals, *of_both) == [
        (books.merchant, net), (other, -net),
    ]  # fmt: skip
    state = _one(
        books.stack, SERVICE, "SELECT state FROM discrepancy WHERE discrepancy_id = %s", discrepancy
    )
    assert state == 4, f"the discrepancy is in state {state}, not repaired"
    # As it was, for whoever looks at these books next.
    books.damage(change_merchant, books.merchant, books.payment)
    for service, point in points:
        report.line(f"  {service:<16} died at {point}, and the journal was booked once for each")

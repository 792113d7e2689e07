"""Payments that nobody touches while they are damaged, on two closed days and the open one."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Mapping

from kessai_client import waiting
from kessai_client.bearer import AppUser, Operator, Refused, expect
from kessai_client.day_digest import bucket_of
from kessai_client.http import Http
from kessai_client.partner import Partner
from tampering import PAYMENT, PAYOUT, RECONCILIATION, Row, Tampering

LIMIT_S = 60.0
SALES_OF_CLOSED_DAY = 6
TOP_UP = 10_000
USER_MONEY, MERCHANT_PAYABLE = 1, 2  # kinds of accounts
TAX_CLASS = 2
COMPARED = 3  # reconciliation_day.state
REPAIRED = 5  # repair.state

Subject = Mapping[str, Any]


def natural_key(*numbers: int, text: str) -> bytes:
    """As services/payment documents order_key and its like."""
    data = b"".join(number.to_bytes(8, "little", signed=True) for number in numbers)
    return hashlib.sha256(data + text.encode()).digest()[:16]


@dataclass(frozen=True)
class Sale:
    """A payment of a user of its own, who topped up once."""

    journal: Row  # version 1
    top_up: Row

    @property
    def payment(self) -> int:
        return int(self.journal["object_id"])

    @property
    def user(self) -> int:
        return int(self.journal["user_id"])

    @property
    def merchant(self) -> int:
        return int(self.journal["merchant_id"])

    @property
    def amount(self) -> int:
        return int(self.journal["amount"])

    @property
    def day(self) -> date:
        found: date = self.journal["business_date"]
        return found

    @property
    def order(self) -> str:
        return str(self.journal["merchant_payment_id"])

    @property
    def bucket(self) -> int:
        return bucket_of(self.payment)

    @property
    def slot(self) -> int:
        return self.bucket % 12

    # Where its rows are.
    def in_journal(self, version: int = 1) -> Subject:
        return {"object_id": self.payment, "version": version}

    def in_postings(self, kind: int, version: int = 1) -> Subject:
        return {"kind": kind, **self.in_journal(version)}

    @property
    def in_payments(self) -> Subject:
        return {"payment_id": self.payment}

    @property
    def in_orders(self) -> Subject:
        return {"order_key": natural_key(self.merchant, text=self.order)}

    @property
    def in_accounts(self) -> Subject:
        return {"owner_id": self.user, "kind": USER_MONEY}

    @property
    def in_accruals(self) -> Subject:
        return {"payment_id": self.payment, "version": 1}

    @property
    def in_totals(self) -> Subject:
        return {
            "business_date": self.day,
            "merchant_id": self.merchant,
            "slot": self.slot,
            "tax_class": TAX_CLASS,
        }

    # How findings may name what goes with it.
    def subjects(self) -> list[Subject]:
        return [
            {"payment": self.payment},
            {"object": self.payment},
            {"account": "user_money", "owner": self.user},
            {"object": self.top_up["top_up_id"]},
            {"top-up": self.top_up["top_up_id"]},
            {"merchant": self.merchant, "merchantPaymentId": self.order},
            {"order key": natural_key(self.merchant, text=self.order).hex()},
        ]

    def of_day(self, day: date | None = None) -> list[Subject]:
        """Sums and digests that it is part of."""
        text = str(day or self.day)
        return [{"merchant": self.merchant, "day": text}, {"day": text, "bucket": self.bucket}]


class QuietBooks:
    """Made through the public interfaces. Every call of `sale` gives one that no other call gave."""

    def __init__(self, http: Http, operator: Operator, rows: Tampering) -> None:
        self._http = http
        self._operator = operator
        self._rows = rows
        self._sales: dict[tuple[int, date], list[Sale]] = {}
        self._sold = 0

        first = self._open_day()
        self.days = [first + timedelta(days=n) for n in range(3)]
        # Two merchants under the plan of all, one under its own from the second day on.
        self.a, self.b, self.planned = (self.merchant(name) for name in ("甲", "乙", "丙"))
        self._paid = (self.merchant("丁"), self.merchant("戊"))
        self.plan_id = self._put_plan(self.planned, self.days[1])
        for day in range(2):
            for merchant in (self.a, self.b):
                for _ in range(SALES_OF_CLOSED_DAY):
                    self._keep(self._sell(merchant))
            if day == 1:
                for _ in range(3):
                    self._keep(self._sell(self.planned))
                self.refund(self.sale(self.b, day=0), self.b, 120)
            if day == 0:
                for merchant in self._paid:
                    self._sell(merchant)
            self._close(self.days[day])
        self._pay()
        self._differ(self.sale(self.a, day=0))
        self._repair(self.sale(self.b, day=0))
        self.refund(self.sale(self.b, day=1), self.b, 150)
        expect(self.b.cancel(self.sale(self.b).order), 200, 202)

    def sale(self, merchant: Partner | None = None, day: int = 2) -> Sale:
        """One that nobody has damaged, that all books have; of `a`, unless a merchant is named."""
        of = merchant or self.a
        if day < 2:
            return self._sales[(of.credential.merchant_id, self.days[day])].pop()
        sale = self._sell(of)
        self._wait_for_match(sale.payment, 1)
        return sale

    def discrepancies(self) -> list[int]:
        """Some that were found and are gone: histories of two steps."""
        found = self._rows.rows(
            RECONCILIATION,
            "SELECT discrepancy_id FROM discrepancy WHERE step_count = 2 ORDER BY discrepancy_id",
        )
        return [int(row["discrepancy_id"]) for row in found]

    def _differ(self, sale: Sale) -> None:
        """Has an accrual and its digest differ from payment's change while its day is compared."""
        self._rows.change(PAYOUT, "accrual", sale.in_accruals, gross=lambda row: row["gross"] + 1)
        self._compare(sale.day, "DIFFERENT")
        self._rows.undo()
        self._compare(sale.day, "EQUAL")
        assert len(self.discrepancies()) >= 2, "an amount and a digest differed"

    def _repair(self, sale: Sale) -> None:
        """Has an accrual that was changed put back by reconciliation, when an operator asks for it."""
        self._rows.change(PAYOUT, "accrual", sale.in_accruals, gross=lambda row: row["gross"] + 1)
        self._compare(sale.day, "DIFFERENT")
        differs = "SELECT discrepancy_id FROM discrepancy WHERE payment_id = %s AND state = 1"
        found = self._rows.rows(RECONCILIATION, differs, sale.payment)
        assert len(found) == 1, found
        wish = {"kind": "ACCRUE_AGAIN", "reason": "somebody changed the row"}
        path = f"/operator/v1/discrepancies/{found[0]['discrepancy_id']}/repairs"
        expect(self._operator.call("POST", path, wish), 200, 201)
        repaired = "SELECT 1 FROM repair WHERE discrepancy_id = %s AND state = %s"
        waiting.until(
            "the repair's end",
            lambda: self._rows.rows(RECONCILIATION, repaired, found[0]["discrepancy_id"], REPAIRED) or None,
            LIMIT_S,
        )
        self._rows.are_undone()
        self._compare(sale.day, "EQUAL")

    def checked_at_us(self) -> int:
        """When the later closed day was last held against payout."""
        latest = "SELECT COALESCE(MAX(finished_at_us), 0) AS at FROM payout_check WHERE business_date = %s"
        return int(self._rows.rows(RECONCILIATION, latest, self.days[1])[0]["at"])

    def _compare(self, day: date, ends: str) -> None:
        path = f"/operator/v1/days/{day}/reconciliation"
        expect(self._operator.call("POST", path, {"deep": True}), 200)

        def ended() -> bool | None:
            run = expect(self._operator.call("GET", path), 200)
            return (run["state"] == ends and run["deep"]) or None

        waiting.until(f"the comparison of {day}", ended, LIMIT_S, 0.1)

    @property
    def settled(self) -> int:
        """The id of the merchant whose transfer the bank has paid."""
        return int(self._paid[0].credential.merchant_id)

    def sales_of(self, merchant: Partner, day: int) -> list[Sale]:
        """All that are left of a closed day."""
        return list(self._sales[(merchant.credential.merchant_id, self.days[day])])

    def refund(self, sale: Sale, merchant: Partner, amount: int) -> Row:
        """Of a part. Gives the refund's row when all books have it."""
        key = f"r-{secrets.token_hex(8)}"
        expect(merchant.refund(key, str(sale.payment), amount), 200, 201)
        self._wait_for_match(sale.payment, 2)
        return self._rows.one(
            PAYMENT, "refund", {"payment_id": sale.payment, "merchant_refund_id": key}
        )

    def _open_day(self) -> date:
        found = self._rows.rows(PAYMENT, "SELECT MIN(business_date) AS day FROM gate")
        day: date = found[0]["day"]
        return day

    def merchant(self, name: str) -> Partner:
        """Another one."""
        merchant_id = 20_000_000_000 + secrets.randbelow(1_000_000_000)
        self._operator.put_merchant(merchant_id, name, multiple_refunds=True)
        scopes = ["codes", "payments", "refunds"]
        return Partner(self._http, self._operator.issue_credential(merchant_id, scopes))

    def _put_plan(self, merchant: Partner, from_day: date) -> int:
        plan = {
            "merchantId": str(merchant.credential.merchant_id),
            "currency": "JPY",
            "rateBasisPoints": 300,
            "fixed": 5,
            "effectiveFrom": str(from_day),
        }
        answer = expect(self._operator.call("POST", "/operator/v1/fee-plans", plan), 200, 201)
        return int(answer["planId"])

    def _sell(self, merchant: Partner) -> Sale:
        """To a new user. Amounts rise, so that fees differ."""
        self._sold += 1
        amount = 300 + 10 * self._sold
        user = AppUser.sign_in(self._http, f"quiet-{secrets.token_hex(8)}")
        expect(user.top_up(TOP_UP), 201)
        code = expect(merchant.create_code(f"q-{secrets.token_hex(8)}", amount), 201)
        paid = expect(user.pay(code["data"]["codeId"], amount), 201)
        change = {"object_id": int(paid["paymentId"]), "version": 1}
        journal = self._rows.one(PAYMENT, "journal", change)
        return Sale(journal, self._rows.one(PAYMENT, "top_up", {"user_id": journal["user_id"]}))

    def _keep(self, sale: Sale) -> None:
        self._sales.setdefault((sale.merchant, sale.day), []).append(sale)

    def _close(self, day: date) -> None:
        """Closes and releases it, and waits until payment has cleared and all have compared it."""
        path = f"/operator/v1/days/{day}"
        expect(self._operator.call("POST", f"{path}/close", {"early": True}), 200)

        def closed() -> bool | None:
            return expect(self._operator.call("GET", path), 200)["state"] == "CLOSED" or None

        def released() -> bool | None:
            try:
                expect(self._operator.call("POST", f"{path}/release", {"deep": True}), 200)
            except Refused:
                return None  # payout does not have all of the day yet
            return True

        def there(service: str, table: str, where: Subject) -> bool | None:
            return bool(self._rows.find(service, table, where)) or None

        waiting.until(f"the close of {day}", closed, LIMIT_S, 0.1)
        waiting.until(f"the release of {day}", released, LIMIT_S, 0.1)
        cleared = {"object_id": int(day.strftime("%Y%m%d"))}
        waiting.until(
            f"the clearing of {day}", lambda: there(PAYMENT, "journal", cleared), LIMIT_S, 0.1
        )
        compared = {"business_date": day, "state": COMPARED}
        waiting.until(
            f"the comparison of {day}",
            lambda: there(RECONCILIATION, "reconciliation_day", compared),
            LIMIT_S,
            0.1,
        )
        held = self._rows.find(PAYOUT, "merchant_hold", {"business_date": day})
        assert not held, f"held back on {day}: {held}"

    def _pay(self) -> None:
        """Pays two merchants: one gets it, of the other the transfer fails and is made again. And gives
        the first one something."""
        approver = Operator.sign_in(self._http, "audit-approver")
        account = {
            "bankCode": "0001", "branchCode": "001", "accountType": 1, "accountNumber": "1234567",
            "accountHolder": "ﾐｾ",
        }  # fmt: skip
        payouts = []
        for merchant in self._paid:
            of = f"/operator/v1/merchants/{merchant.credential.merchant_id}"
            put = expect(self._operator.call("POST", f"{of}/bank-accounts", account), 200)
            expect(approver.call("POST", f"{of}/bank-accounts/{put['version']}/confirm"), 200)
            asked = {"requestKey": "audit"}
            payouts.append(expect(self._operator.call("POST", f"{of}/payouts", asked), 200))
        date = payouts[0]["transfers"][0]["transferDate"]
        files = f"/operator/v1/days/{date}/transfer-files"
        expect(self._operator.call("POST", files), 200)
        (settled, failed) = (payout["transfers"][0] for payout in payouts)
        content = "\n".join((
            "transfer_id,outcome,amount,reason",
            f"{settled['transferId']},SETTLED,{settled['amount']},",
            f"{failed['transferId']},FAILED,{failed['amount']},CLOSED",
            f"TOTAL,SETTLED,1,{settled['amount']}",
            f"TOTAL,FAILED,1,{failed['amount']}",
            "TOTAL,RETURNED,0,0", "",
        ))  # fmt: skip
        results = {"format": "csv", "content": content}
        expect(self._operator.call("POST", "/operator/v1/transfer-results", results), 200)
        again = f"/operator/v1/payouts/{payouts[1]['payoutId']}/attempts"
        expect(self._operator.call("POST", again, {"attempt": 2}), 200)
        wish = {"requestKey": "audit", "amount": 70, "reason": "a present"}
        gift = f"/operator/v1/merchants/{self._paid[0].credential.merchant_id}/adjustments"
        adjustment = expect(self._operator.call("POST", gift, wish), 200)
        decision = f"/operator/v1/adjustments/{adjustment['adjustmentId']}/decision"
        expect(approver.call("POST", decision, {"decision": "APPROVE"}), 200)

    def _wait_for_match(self, payment: int, version: int) -> None:
        where = {"payment_id": payment, "version": version, "state": 3}
        waiting.until(
            f"the match of payment {payment}",
            lambda: self._rows.find(RECONCILIATION, "change_match", where) or None,
            LIMIT_S,
        )

"""A week of trade, released day by day and paid to the bank, over the interfaces that people have.

`./kessai demo payout`, on a stack whose books begin a week or more ago (`./kessai up --first-day`): no
payment is ever dated to a day that has gone, so the week is lived day by day, and each day is closed
when its trade is done. Three merchants under different plans sell and give back; each day is released,
and whoever is due is paid by a transfer file. One transfer fails, its merchant's account is mended, and
the payout is made again. In the end there are statements, and every sum is compared with every other.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

from kessai_client.bearer import AppUser, Operator, Refused, expect
from kessai_client.http import Http
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile

DAYS = 7
STEP_LIMIT_S = 60.0
JAPAN = timezone(timedelta(hours=9))
SCOPES = ["codes", "payments", "refunds"]


class Failed(Exception):
    """The demonstration came out otherwise than it had to."""


@dataclass
class Shop:
    """A merchant of the demonstration, and what it must have come to."""

    merchant: int
    name: str
    invoice_name: str
    plan: dict[str, Any]
    terms: dict[str, Any]
    account: str
    prices: tuple[int, ...]
    partner: Partner | None = None
    sales: int = 0
    returns: int = 0
    sale_count: int = 0
    return_count: int = 0
    net: int = 0
    sent: int = 0
    paid: list[str] = field(default_factory=list)


def shops(first: date) -> list[Shop]:
    """Merchants of this week alone: plans are never changed for days that have gone."""
    merchant = int(f"{first:%Y%m%d}00")
    return [
        Shop(merchant + 1, "喫茶みどり", "株式会社みどり珈琲",
             {"rateBasisPoints": 198}, {"cycle": "DAILY", "transferFee": 165},
             "1000001", (450, 1_280, 3_600)),
        Shop(merchant + 2, "山田書店", "合同会社山田書店",
             {"rateBasisPoints": 250, "fixed": 10, "minimum": 30},
             {"cycle": "WEEKLY", "weekday": 5, "transferFee": 110},
             "1000002", (880, 2_200)),
        Shop(merchant + 3, "さくら電器", "さくら電器株式会社",
             {"rateBasisPoints": 300, "rules": [{"firstDays": 3, "rateBasisPoints": 100}]},
             {"cycle": "DAILY"},
             "1000003", (19_800, 54_780, 8_250)),
    ]  # fmt: skip


def main(stack: StackFile) -> int:
    try:
        Week(stack).live()
    except (Failed, Refused, OSError) as failure:
        print(f"the demonstration of a week failed: {failure}", file=sys.stderr)
        print("  what to do: ./kessai status, ./kessai logs payout", file=sys.stderr)
        return 1
    return 0


class Week:
    def __init__(self, stack: StackFile) -> None:
        self.stack = stack
        self.http = Http(stack.url, stack.ca_file, timeout_s=60)
        self.operator = Operator.sign_in(self.http, "demo-operator")
        self.second = Operator.sign_in(self.http, "demo-approver")
        self.shops: list[Shop] = []
        self.directory = Path(stack.content["directory"]) / "demo-payout"
        self.months: list[str] = []
        self.results = 0
        self.to_fail = True  # the first transfer to the last shop

    def live(self) -> None:
        first = self.first_day()
        self.shops = shops(first)
        self.directory.mkdir(exist_ok=True)
        self.prepare(first)
        user = AppUser.sign_in(self.http, "demo-week-user")
        for number in range(DAYS):
            self.day(first + timedelta(days=number), number, user)
        self.settle_up()
        self.show_statements(first)
        self.compare()
        self.compare_ledgers(first)
        self.audit()

    # What is asked for.

    def get(self, target: str) -> Any:
        return expect(self.operator.call("GET", f"/operator/v1/{target}"), 200)

    def post(self, target: str, content: Any = None, who: Operator | None = None) -> Any:
        answer = (who or self.operator).call("POST", f"/operator/v1/{target}", content)
        return expect(answer, 200, 201)

    def first_day(self) -> date:
        opened = date.fromisoformat(self.get("days/today")["businessDate"])
        today = datetime.now(JAPAN).date()
        if opened + timedelta(days=DAYS) > today:
            month_end = today.replace(day=1) - timedelta(days=1)
            raise Failed(
                f"the open day is {opened}: a week from there is not over. Its own stack begins in "
                f"the past: KESSAI_PORT_BASE=21000 ./kessai up --stack week --no-demo --first-day "
                f"{month_end - timedelta(days=DAYS - 1)}, then ./kessai demo payout --stack week"
            )
        return opened

    # The week.

    def prepare(self, first: date) -> None:
        print(f"\n  A WEEK from {first} ({first:%A}), of three merchants\n")
        for shop in self.shops:
            self.operator.put_merchant(shop.merchant, shop.name, multiple_refunds=True)
            credential = self.operator.issue_credential(shop.merchant, SCOPES)
            shop.partner = Partner(self.http, credential)
            wish = {"merchantId": str(shop.merchant), "currency": "JPY", "effectiveFrom": str(first)}
            self.post("fee-plans", wish | shop.plan)
            self.post("payout-terms", {"merchantId": str(shop.merchant)} | shop.terms)
            self.put_account(shop, shop.account)
            self.post(f"merchants/{shop.merchant}/profile", {"invoiceName": shop.invoice_name})
            plan = f"{shop.plan['rateBasisPoints'] / 100:.2f} %"
            if "fixed" in shop.plan:
                plan += f" and {shop.plan['fixed']} yen, at least {shop.plan['minimum']}"
            if "rules" in shop.plan:
                plan += ", 1 % in its first three days"
            cycle = shop.terms["cycle"].lower()
            print(f"    {shop.merchant}  {shop.name}: {plan}; paid {cycle},"
                  f" {shop.terms.get('transferFee', 0)} yen a payout")  # fmt: skip

    def put_account(self, shop: Shop, number: str) -> None:
        account = {
            "bankCode": "0001", "branchCode": "004", "accountType": 1, "accountNumber": number,
            "accountHolder": "カ）ミホン",
        }  # fmt: skip
        put = self.post(f"merchants/{shop.merchant}/bank-accounts", account)
        target = f"merchants/{shop.merchant}/bank-accounts/{put['version']}/confirm"
        self.post(target, who=self.second)

    def day(self, day: date, number: int, user: AppUser) -> None:
        for shop in self.shops:
            self.trade(shop, day, number, user)
        self.post(f"days/{day}/close")
        self.wait(f"{day} is released", lambda: self.released(day))
        print(f"\n  {day} {day:%a}                  gross        fee        tax        net")
        for shop in self.shops:
            of_day = self.get(f"merchants/{shop.merchant}/days/{day}")
            shop.net += of_day["net"]
            print(f"    {shop.merchant} released {of_day['gross']:>16,} {of_day['fee']:>10,}"
                  f" {of_day['tax']:>10,} {of_day['net']:>10,}")  # fmt: skip
        self.pay(day)

    def trade(self, shop: Shop, day: date, number: int, user: AppUser) -> None:
        assert shop.partner is not None
        for at, price in enumerate(shop.prices):
            amount = price + 10 * number
            expect(user.top_up(amount), 201)
            order = f"week-{day}-{shop.merchant}-{at}-{int(time.time() * 1000)}"
            code = expect(shop.partner.create_code(order, amount), 201)["data"]
            payment = expect(user.pay(str(code["codeId"]), amount), 201)
            shop.sales += amount
            shop.sale_count += 1
            if at == 0 and number % 2 == 1:
                back = amount // 3
                answer = shop.partner.refund(f"{order}-r", str(payment["paymentId"]), back)
                expect(answer, 200, 201)
                shop.returns += back
                shop.return_count += 1

    def released(self, day: date) -> bool:
        answer = self.operator.call("GET", f"/operator/v1/days/{day}/release")
        return answer.status == 200 and answer.json()["state"] == "RELEASED"

    def pay(self, day: date) -> None:
        answer = self.operator.call("POST", f"/operator/v1/days/{day}/transfers")
        if answer.status == 400 and answer.json()["code"] == "NOT_A_BUSINESS_DAY":
            print("    banks are closed")
            return
        run = expect(answer, 200)
        if run["transferCount"]:
            print(f"    due: {run['transferCount']} transfers over {run['amount']:,} yen")
            self.send(run["transferDate"])

    def send(self, transfer_date: str) -> None:
        """The files of a date, and what the bank says of the transfers in them."""
        batches = self.post(f"days/{transfer_date}/transfer-files")["batches"]
        new = [one for one in batches if not (self.directory / _file_of(one)).exists()]
        for batch in new:
            file = self.operator.call("GET", f"/operator/v1/transfer-files/{batch['batchId']}")
            if file.status != 200:
                raise Failed(f"no transfer file: {file.text()[:200]}")
            (self.directory / _file_of(batch)).write_bytes(file.body)
            print(f"    file {_file_of(batch)}: {batch['transferCount']} transfers,"
                  f" {batch['amount']:,} yen")  # fmt: skip
        lines, totals, failed = ["transfer_id,outcome,amount,reason"], {}, None
        for shop in self.shops:
            for payout in self.get(f"merchants/{shop.merchant}/payouts")["payouts"]:
                transfer = payout["transfers"][-1]
                if transfer["state"] != "IN_TRANSIT" or transfer["batchId"] == "0":
                    continue
                fails = self.to_fail and shop is self.shops[-1]
                outcome, why = ("FAILED", "NO_ACCOUNT") if fails else ("SETTLED", "")
                lines.append(f"{transfer['transferId']},{outcome},{transfer['amount']},{why}")
                count, amount = totals.get(outcome, (0, 0))
                totals[outcome] = (count + 1, amount + transfer["amount"])
                if fails:
                    self.to_fail, failed = False, (shop, payout)
                else:
                    shop.sent += transfer["amount"] + payout["fee"] + payout["tax"]
                    shop.paid.append(payout["payoutId"])
        if not totals:
            return
        for outcome in ("SETTLED", "FAILED", "RETURNED"):
            count, amount = totals.get(outcome, (0, 0))
            lines.append(f"TOTAL,{outcome},{count},{amount}")
        self.results += 1
        content = "\n".join(lines) + "\n"
        (self.directory / f"results-{self.results}.csv").write_text(content)
        taken = self.post("transfer-results", {"format": "csv", "content": content})
        print(f"    the bank: {taken['settled']['count']} settled ({taken['settled']['amount']:,} yen),"
              f" {taken['failed']['count']} failed ({taken['failed']['amount']:,} yen)")  # fmt: skip
        if failed is not None:
            self.pay_again(*failed)

    def pay_again(self, shop: Shop, payout: Any) -> None:
        held = self.get(f"payout-holds?merchantId={shop.merchant}")["holds"]
        if [one["cause"] for one in held] != ["NOT_ARRIVED"]:
            raise Failed(f"merchant {shop.merchant} is not held: {held}")
        self.put_account(shop, "2000003")
        again = self.post(f"payouts/{payout['payoutId']}/attempts", {"attempt": 2})
        states = [one["state"] for one in again["transfers"]]
        if states != ["FAILED", "IN_TRANSIT"]:
            raise Failed(f"the payout's attempts are {states}")
        print(f"    payout {payout['payoutId']} of {shop.name} failed: its account is mended, and it is made again")
        self.send(again["transfers"][1]["transferDate"])

    def settle_up(self) -> None:
        """What is still there when the week is over is paid on demand."""
        print("\n  The week is over")
        dates = set()
        for shop in self.shops:
            balance = self.get(f"merchants/{shop.merchant}/balance")
            if balance["available"] > 1_000:
                made = self.post(f"merchants/{shop.merchant}/payouts", {"requestKey": "week-end"})
                dates.add(made["transfers"][0]["transferDate"])
        for transfer_date in sorted(dates):
            self.send(transfer_date)

    # What has come of it.

    def show_statements(self, first: date) -> None:
        last = first + timedelta(days=DAYS - 1)
        this_month = datetime.now(JAPAN).date()
        months = sorted({f"{day:%Y-%m}" for day in (first, last, this_month)})
        print("\n  Statements")
        for shop in self.shops:
            for month in months:
                target = f"merchants/{shop.merchant}/statements/{month}"
                statement = self.get(target)
                if not statement["notFinal"]:
                    statement = self.post(f"{target}/issue")
                state = f"invoice {statement['number']}" if statement["number"] else "draft"
                print(f"    {shop.merchant} {month}: {statement['opening']:,} to {statement['closing']:,} yen, {state}")
                for form in ("pdf", "csv"):
                    answer = self.operator.call("GET", f"/operator/v1/{target}?format={form}")
                    if answer.status != 200:
                        raise Failed(f"no {form} of {target}: {answer.text()[:200]}")
                    (self.directory / f"statement-{month}-{shop.merchant}.{form}").write_bytes(answer.body)
        self.months = months
        print(f"    written to {self.directory}")

    def compare(self) -> None:
        """Trade, days, payouts, statements and balances say the same."""
        for shop in self.shops:
            found = [self.get(f"merchants/{shop.merchant}/statements/{month}") for month in self.months]
            sums = {
                name: sum(one["sums"][name] for one in found)
                for name in ("sales", "returns", "saleCount", "returnCount", "net", "sent", "prices",
                             "cameBack")
            }  # fmt: skip
            balance = self.get(f"merchants/{shop.merchant}/balance")
            said = {
                "sales": (sums["sales"], shop.sales),
                "returns": (sums["returns"], -shop.returns),
                "number of sales": (sums["saleCount"], shop.sale_count),
                "number of returns": (sums["returnCount"], shop.return_count),
                "released": (sums["net"], shop.net),
                "paid": (-(sums["sent"] + sums["prices"] + sums["cameBack"]), shop.sent),
                "balance": (found[-1]["closing"], balance["available"]),
                "balance from the sums": (shop.net - shop.sent, balance["available"]),
                "in transit": (found[-1]["closingInTransit"], balance["inTransit"]),
            }
            for before, after in zip(found, found[1:]):
                said[f"month {after['month']} opens with"] = (after["opening"], before["closing"])
            wrong = {name: pair for name, pair in said.items() if pair[0] != pair[1]}
            if wrong:
                raise Failed(f"merchant {shop.merchant}: {wrong}")
            print(f"    {shop.merchant} sold {shop.sales:,}, gave back {shop.returns:,}, was released {shop.net:,},"
                  f" paid {shop.sent:,}, and has {balance['available']:,} yen: all agree")  # fmt: skip
        today = datetime.now(JAPAN).date()
        total = sum(line["amount"] for line in self.get(f"days/{today}/trial-balance")["lines"])
        if total != 0:
            raise Failed(f"today's journals sum to {total}")

    def compare_ledgers(self, first: date) -> None:
        """What customers paid is what merchants are owed, on every day."""
        for number in range(DAYS):
            target = f"days/{first + timedelta(days=number)}/books"
            # Payment hears of a release a moment after it.
            self.wait(f"{target} are settled", lambda: self.get(target)["state"] != "NOT_YET")
            books = self.get(target)
            if books["state"] != "AGREES":
                raise Failed(f"{target}: {books['agreements']}")
        to_date = next(one for one in books["agreements"] if one["name"] == "PAYABLE_TO_DATE")
        print(f"\n    both ledgers agree on each of the {DAYS} days: {to_date['payment']:,} yen to merchants")

    def audit(self) -> None:
        program = Path(self.stack.content["binaries"]) / "kessai-audit"
        print("\n  The audit")
        sys.stdout.flush()
        ended = subprocess.run([str(program), "--stack-file", str(self.stack.path)], check=False)
        if ended.returncode != 0:
            raise Failed(f"the audit ended with exit code {ended.returncode}")

    @staticmethod
    def wait(what: str, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + STEP_LIMIT_S
        while not happened():
            if time.monotonic() > deadline:
                raise Failed(f"not within {STEP_LIMIT_S:.0f} s: {what}")
            time.sleep(0.1)


def _file_of(batch: Any) -> str:
    return f"transfers-{batch['transferDate']}-{batch['batchId']}.txt"

"""A day whose books come to differ: found, told apart, repaired, and equal again.

`./kessai demo recon`, on a stack whose books begin yesterday or before (`./kessai up --first-day`): a
merchant sells and gives back, and all books agree. Then somebody writes to payout's tables: one accrual has
another amount, one is gone. The day is closed and released. Payout holds the merchant back, because its
rows do not sum to its totals; a comparison by the digests sees nothing, because these were not touched; a
deep one names both changes. They are explained and repaired by the operator's command: payout puts both back from
payment's events, as it told of them before. A deep comparison settles what it does not find any more, and the
merchant is released. Then everything is audited; and the merchant's file of the day is made, fetched and read.
"""

from __future__ import annotations

import csv
import hashlib
import io
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable

from kessai_client.bearer import AppUser, Operator, Refused, expect
from kessai_client.books import MATCHED, Books
from kessai_client.http import Http
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile
from pymysql.cursors import DictCursor

STEP_LIMIT_S = 60.0
JAPAN = timezone(timedelta(hours=9))
SCOPES = ["codes", "payments", "refunds"]
PRICES = (480, 1_200, 3_600, 980, 12_800)
UNSETTLED = ("OPEN", "EXPLAINED", "REPAIRING")
TEMPLATE = "instant"
NOTES = {
    "AMOUNT_DIFFERS": "somebody wrote to payout's table: payment's event says what was paid",
    "FEE_DIFFERS": "follows from the amount that was written",
    "MISSING_IN_PAYOUT": "the accrual was removed: its event came, and its totals have it",
    "DIGEST_DIFFERS": "follows from the two accruals of these buckets",
    "MERCHANT_HELD_BACK": "payout's rows do not sum to its totals: see the accruals",
}

Row = dict[str, Any]


class Failed(Exception):
    """The demonstration came out otherwise than it had to."""


@dataclass(frozen=True)
class Damage:
    """An accrual as it was, and what has to be found of it."""

    row: Row
    found: tuple[str, ...]


def main(stack: StackFile) -> int:
    try:
        Day(stack).live()
    except (Failed, Refused, OSError) as failure:
        print(f"the demonstration of a comparison failed: {failure}", file=sys.stderr)
        print("  what to do: ./kessai status, ./kessai logs reconciliation", file=sys.stderr)
        return 1
    return 0


class Day:
    def __init__(self, stack: StackFile) -> None:
        self.stack = stack
        http = Http(stack.url, stack.ca_file, timeout_s=60)
        self.http = http
        self.operator = Operator.sign_in(http, "demo-operator")
        self.day = self.open_day()
        self.merchant = int(f"{self.day:%Y%m%d}77")
        # The administrator: nobody else could do what is done here to payout's rows.
        self.payout = stack.database("payout", user="root")

    def live(self) -> None:
        payments = self.trade()
        damaged = self.damage(payments)
        self.close()
        self.expect_run(deep=False, state="EQUAL", why="the digests that are kept were not touched")
        self.expect_run(deep=True, state="DIFFERENT", why="what the rows themselves sum up to is other")
        found = self.show_found(damaged)
        self.explain(found)
        self.repair(found, damaged)
        self.expect_run(deep=True, state="EQUAL", why="what it does not find any more is settled")
        self.release_again()
        self.expect_settled()
        self.audit()
        self.make_file()

    # What is asked for.

    def get(self, target: str) -> Any:
        return expect(self.operator.call("GET", f"/operator/v1/{target}"), 200)

    def post(self, target: str, content: Any = None) -> Any:
        return expect(self.operator.call("POST", f"/operator/v1/{target}", content), 200, 201, 202)

    def open_day(self) -> date:
        opened = date.fromisoformat(self.get("days/today")["businessDate"])
        if opened >= datetime.now(JAPAN).date():
            yesterday = datetime.now(JAPAN).date() - timedelta(days=1)
            raise Failed(
                f"the open day is {opened}, which is not over. A stack for it begins in the past: "
                f"KESSAI_PORT_BASE=22000 ./kessai up --stack recon --no-demo --first-day {yesterday}, "
                f"then ./kessai demo recon --stack recon"
            )
        return opened

    # The day.

    def trade(self) -> list[int]:
        print(f"\n  A DAY, {self.day} ({self.day:%A}), of one merchant\n")
        self.operator.put_merchant(self.merchant, "喫茶みどり", multiple_refunds=True)
        partner = Partner(self.http, self.operator.issue_credential(self.merchant, SCOPES))
        user = AppUser.sign_in(self.http, "demo-recon-user")
        payments = []
        for at, price in enumerate(PRICES):
            expect(user.top_up(price), 201)
            order = f"recon-{self.day}-{at}-{int(time.time() * 1000)}"
            code = expect(partner.create_code(order, price), 201)["data"]
            payments.append(int(expect(user.pay(str(code["codeId"]), price), 201)["paymentId"]))
        expect(partner.refund(f"{order}-r", str(payments[-1]), 800), 200, 201)
        books = Books(self.stack)
        for payment, version in [*((payment, 1) for payment in payments), (payments[-1], 2)]:
            self.wait(f"payment {payment} is matched", lambda: self.is_matched(books, payment, version))
        books.close()
        print(f"    {self.merchant} sold {sum(PRICES):,} yen in {len(PRICES)} payments and gave back 800:"
              " accrued and matched")  # fmt: skip
        return payments

    @staticmethod
    def is_matched(books: Books, payment: int, version: int) -> bool:
        match = books.match(payment, version)
        return match is not None and match.state == MATCHED

    def close(self) -> None:
        """Both sides close it, payout releases it, and reconciliation compares it, all by themselves."""
        self.post(f"days/{self.day}/close")
        self.wait(f"{self.day} is compared", self.compared)
        self.wait(f"{self.day} is released", self.released)
        self.wait("reconciliation hears who is held back", lambda: "MERCHANT_HELD_BACK" in self.kinds())
        print(f"\n  THE DAY IS CLOSED and released: payout holds merchant {self.merchant} back,"
              " because its rows do not sum to its totals")  # fmt: skip

    def compared(self) -> bool:
        answer = self.operator.call("GET", f"/operator/v1/days/{self.day}/reconciliation")
        return answer.status == 200 and answer.json()["state"] in ("EQUAL", "DIFFERENT")

    def damage(self, payments: list[int]) -> list[Damage]:
        changed, erased = (self.accrual(payment) for payment in payments[:2])
        self.execute(
            "UPDATE accrual SET gross = gross + 100 WHERE payment_id = %s AND version = 1",
            changed["payment_id"],
        )
        self.execute(
            "DELETE FROM accrual WHERE payment_id = %s AND version = 1", erased["payment_id"]
        )
        print("\n  SOMEBODY WRITES to payout's tables, beside the service\n")
        print(f"    payment {changed['payment_id']}: its accrual of {changed['gross']:,} yen"
              f" becomes {changed['gross'] + 100:,}")  # fmt: skip
        print(f"    payment {erased['payment_id']}: its accrual of {erased['gross']:,} yen is removed")
        # A fee of 480 yen is not that of 580.
        return [
            Damage(changed, ("AMOUNT_DIFFERS", "FEE_DIFFERS")), Damage(erased, ("MISSING_IN_PAYOUT",)),
        ]  # fmt: skip

    def expect_run(self, deep: bool, state: str, why: str) -> None:
        run = self.post(f"days/{self.day}/reconciliation", {"deep": deep})
        if run["state"] == "RUNNING":
            self.wait("the comparison ends", lambda: self.run()["state"] != "RUNNING")
            run = self.run()
        kind = "deep run" if deep else "run"
        if run["state"] != state:
            raise Failed(f"{kind} {run['runNumber']} ended {run['state']}, not {state}: {run['failure']}")
        print(f"\n    {kind} {run['runNumber']}: {state}, {run['bucketsDifferent']} of"
              f" {run['bucketsCompared']:,} buckets differ: {why}")  # fmt: skip

    def run(self) -> Any:
        return self.get(f"days/{self.day}/reconciliation")

    def released(self) -> bool:
        answer = self.operator.call("GET", f"/operator/v1/days/{self.day}/release")
        return answer.status == 200 and answer.json()["state"] == "RELEASED"

    def found(self, states: tuple[str, ...] = UNSETTLED) -> list[Row]:
        return [
            one
            for state in states
            for one in self.get(f"discrepancies?businessDate={self.day}&state={state}&pageSize=1000")[
                "discrepancies"
            ]
        ]

    def kinds(self) -> list[str]:
        return sorted(one["kind"] for one in self.found())

    def show_found(self, damaged: list[Damage]) -> list[Row]:
        print("\n  WHAT WAS FOUND\n")
        found = self.found()
        for one in sorted(found, key=lambda one: str(one["kind"])):
            about = f"payment {one['paymentId']}/{one['version']}" if one["paymentId"] != "0" else (
                f"merchant {one['merchantId']}" if one["merchantId"] != "0" else f"bucket {one['bucket']}"
            )  # fmt: skip
            print(f"    {one['kind']:<18} {about}\n      {one['evidence']}")
        named = {(one["kind"], int(one["paymentId"])) for one in found if one["paymentId"] != "0"}
        expected = {(kind, int(one.row["payment_id"])) for one in damaged for kind in one.found}
        if named != expected:
            raise Failed(f"found {named}, not {expected}")
        return found

    def explain(self, found: list[Row]) -> None:
        for one in found:
            wish = {"state": "EXPLAINED", "note": NOTES[str(one["kind"])]}
            target = f"/operator/v1/discrepancies/{one['discrepancyId']}"
            expect(self.operator.call("PATCH", target, wish), 200)
        print(f"\n    all {len(found)} are explained by demo-operator, each with its note")

    def repair(self, found: list[Row], damaged: list[Damage]) -> None:
        print("\n  REPAIRED by ./kessai recon repair")
        changes = [one for one in found if one["kind"] in ("AMOUNT_DIFFERS", "MISSING_IN_PAYOUT")]
        for one in sorted(changes, key=lambda one: int(one["paymentId"])):
            wish = (one["discrepancyId"], "--kind", "ACCRUE_AGAIN")
            why = ("--reason", "a row was written by hand", "--wait", f"{STEP_LIMIT_S:.0f}")
            self.recon("repair", *wish, "--preview")
            self.recon("repair", *wish, *why)
        for damage in damaged:
            now = self.accrual(damage.row["payment_id"])
            if now != damage.row:
                raise Failed(f"payout put back {now}, not {damage.row}")
        print("\n    both accruals are what they were, to the last column")

    def make_file(self) -> None:
        print("\n  THE MERCHANT'S FILE of the day, by ./kessai recon files")
        self.recon("files", "assign", TEMPLATE, str(self.merchant), "--from", str(self.day), "--on-demand")
        self.recon("files", "make", TEMPLATE, str(self.day), "--merchant", str(self.merchant))
        listed = self.get(f"files?merchantId={self.merchant}&from={self.day}&to={self.day}")["files"]
        if len(listed) != 1:
            raise Failed(f"there are {len(listed)} files of the day")
        file = listed[0]
        folder = Path(self.stack.content["directory"]) / "demo-recon"
        folder.mkdir(exist_ok=True)
        path = folder / Path(file["name"]).name
        self.recon("files", "get", file["fileId"], "-o", str(path))
        self.show_file(file, path.read_bytes())

    def show_file(self, file: Row, content: bytes) -> None:
        """As its merchant gets it: Shift_JIS, a line a payment or refund."""
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            raise Failed("the file is not the one that was made: its SHA-256 is another")
        names, *rows = csv.reader(io.StringIO(content.decode("cp932")))
        print()
        for row in rows:
            said = dict(zip(names, row))
            print(f"    {said['取引日時']}  {said['屋号']}  {said['取引ステータス']}  {int(said['取引金額']):>7,}"
                  f"  {said['支払い方法']}")  # fmt: skip
        total = sum(int(row[names.index("取引金額")]) for row in rows)
        if len(rows) != len(PRICES) + 1 or total != sum(PRICES) - 800:
            raise Failed(f"the file has {len(rows)} rows and {total} yen")
        print(f"\n    {len(rows)} rows, {total:,} yen: what was released, in Shift_JIS; its SHA-256 is right")

    def recon(self, *arguments: str) -> None:
        """The operator's command, and what it prints."""
        program = Path(__file__).resolve().parents[1] / "operate" / "recon.py"
        place = ("--stack-file", str(self.stack.path), "--operator", "demo-operator")
        ended = subprocess.run(
            [sys.executable, str(program), *place, *arguments],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        print(f"\n    $ ./kessai recon {shlex.join(arguments)}")
        for line in ended.stdout.splitlines():
            print(f"      {line}")
        if ended.returncode != 0:
            raise Failed(f"./kessai recon {arguments[0]}: exit code {ended.returncode}: {ended.stderr}")

    def release_again(self) -> None:
        released = self.post(f"days/{self.day}/release", {"deep": False})
        self.wait("the release is told", lambda: "MERCHANT_HELD_BACK" not in self.kinds())
        of_day = self.get(f"merchants/{self.merchant}/days/{self.day}")
        if of_day["gross"] != sum(PRICES) - 800:
            raise Failed(f"the merchant was released {of_day['gross']}")
        print(f"    payout releases the merchant in another round: {of_day['gross']:,} yen less"
              f" {of_day['fee']:,} fee and {of_day['tax']:,} tax; held back:"
              f" {released['heldBackCount']}")  # fmt: skip

    def expect_settled(self) -> None:
        left = self.found()
        if left:
            raise Failed(f"not settled: {[one['kind'] for one in left]}")
        settled = self.found(("REPAIRED",))
        print("\n  THE HISTORY of one of them\n")
        one = next(one for one in settled if one["kind"] == "MISSING_IN_PAYOUT")
        for step in self.get(f"discrepancies/{one['discrepancyId']}")["history"]:
            print(f"    {step['at']}  {step['state']:<10} {step['actor']:<16} {step['note'][:90]}")
        print(f"\n    all {len(settled)} discrepancies are settled: the books are equal")

    def audit(self) -> None:
        program = Path(self.stack.content["binaries"]) / "kessai-audit"
        print("\n  The audit")
        sys.stdout.flush()
        ended = subprocess.run([str(program), "--stack-file", str(self.stack.path)], check=False)
        if ended.returncode != 0:
            raise Failed(f"the audit ended with exit code {ended.returncode}")

    # Payout's rows.

    def accrual(self, payment: int) -> Row:
        with self.payout.cursor(DictCursor) as cursor:
            cursor.execute(
                "SELECT * FROM accrual WHERE payment_id = %s AND version = 1", (payment,)
            )
            return dict(cursor.fetchone() or {})

    def execute(self, sql: str, *parameters: Any) -> None:
        with self.payout.cursor() as cursor:
            cursor.execute(sql, parameters)

    @staticmethod
    def wait(what: str, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + STEP_LIMIT_S
        while not happened():
            if time.monotonic() > deadline:
                raise Failed(f"not within {STEP_LIMIT_S:.0f} s: {what}")
            time.sleep(0.1)

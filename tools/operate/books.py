"""The books of a day: both ledgers and whether they agree, the customers' ledger, and its journal.

DATE is like 2026-11-30, or `today` (the open day), or `yesterday` (the one before it). The merchants' ledger alone,
its journal and its fees: ./kessai payout books, journal, fees.
"""

from __future__ import annotations

import argparse
import csv
import sys
from typing import Any

import ledgers
import session as operate
from session import Session, path, table, yen

AGREEMENTS = {
    "PAYABLE_OF_THE_DAY": "payable to merchants, of the day",
    "PAYABLE_TO_DATE": "payable to merchants, to date",
    "RELEASES_OF_THE_DAY": "releases of the day",
}
WHY = {
    "PAYMENT_DAY_OPEN": "the day goes on",
    "PAYOUT_DAY_NOT_CLOSED": "payout does not have all of the day yet",
    "EARLIER_DAY_NOT_CLOSED": "payout does not have all of an earlier day yet",
    "PAYOUT_DAY_NOT_RELEASED": "the day is not released yet",
    "RELEASE_NOT_CLEARED": "payment has not heard of all releases yet",
    "MERCHANTS_HELD_BACK": "merchants are held back: ./kessai release DATE --dry-run",
    None: "",
}
PAYOUT_STANDS = {
    "STATE_UNSPECIFIED": "payout has heard of nothing yet", "OPEN": "the day goes on", "CLOSED": "closed",
    "RELEASING": "its release is under way", "RELEASED": "released",
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = operate.parser("books", __doc__ or "")
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    part = operate.action(actions, "day", "both ledgers of a day, and whether they agree")
    part.add_argument("date", metavar="DATE")
    part.add_argument("--csv", action="store_true", help="the accounts of both as CSV, on the standard output")
    part = operate.action(actions, "payment", "the trial balance of the customers' ledger")
    part.add_argument("date", metavar="DATE")
    part.add_argument("--csv", action="store_true", help="as CSV, on the standard output")
    part = operate.action(actions, "journal", "the customers' journals of a day as CSV, on the standard output")
    part.add_argument("date", metavar="DATE")
    options = parser.parse_args(arguments)
    return operate.run(options, {"day": day, "payment": payment, "journal": journal}[options.action])


def day(session: Session, options: argparse.Namespace) -> int:
    """0 when both balance and nothing differs; what is not there yet is no difference."""
    date = operate.day(session, options.date)
    answer = session.get(path("days", date, "books"))
    lines = {ledger: answer[ledger]["lines"] for ledger in ("payment", "payout")}
    if options.csv:
        ledgers.write_balances(date, lines)
    elif options.json:
        operate.show_json(answer)
    else:
        print(f"customer ledger on {date} ({standing(answer['payment'])})")
        print(ledgers.balance_table(lines["payment"]))
        print(f"\nmerchant ledger on {date} ({PAYOUT_STANDS[answer['payout']['state']]})")
        print(ledgers.balance_table(lines["payout"]))
        print("\n" + agreement_table(answer["agreements"]))
    wrong = [f"{ledger}'s ledger does not balance" for ledger in lines if not ledgers.balances(lines[ledger])]
    wrong += [
        f"{one['name']} differs by {yen(one['payment'] - one['payout'])}"
        + (f": {WHY[one['because']]}" if one["because"] else "")
        for one in answer["agreements"]
        if one["state"] == "DIFFERS"
    ]
    for what in wrong:
        print(f"kessai: {what}", file=sys.stderr)
    if wrong:
        print("  what to do: ./kessai recon run DATE names the payments; ./kessai audit the rows", file=sys.stderr)
    return 1 if wrong else 0


def agreement_table(agreements: list[Any]) -> str:
    rows = [
        (AGREEMENTS.get(one["name"], one["name"]), yen(one["payment"]), yen(one["payout"]), one["state"],
         WHY.get(one["because"], one["because"]))
        for one in agreements
    ]  # fmt: skip
    return table(("WHAT HAS TO AGREE", "PAYMENT", "PAYOUT", "STATE", "BECAUSE"), rows, right=(1, 2))


def standing(balance: Any) -> str:
    return "final" if balance["final"] else "the day goes on"


def payment(session: Session, options: argparse.Namespace) -> int:
    """0 when it balances."""
    date = operate.day(session, options.date)
    answer = session.get(path("days", date, "payment", "trial-balance"))
    if options.csv:
        ledgers.write_balances(date, {"payment": answer["lines"]})
    elif options.json:
        operate.show_json(answer)
    else:
        print(f"customer ledger on {date} ({standing(answer)})")
        print(ledgers.balance_table(answer["lines"]))
        print(f"cleared of the day's releases: {yen(answer['clearedGross'])} in {answer['clearedCount']:,}")
    return 0 if ledgers.balances(answer["lines"]) else 1


def journal(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    entries = session.each(path("days", date, "payment", "journal"), "entries", pageSize=1000)
    if options.json:
        operate.show_json(list(entries))
        return 0
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("business_date", "kind", "object", "version", "occurred_at", "merchant_payment", "merchant_refund",
                  "account", "owner", "amount"))  # fmt: skip
    for entry in entries:
        for posting in entry["postings"]:
            out.writerow((date, entry["kind"], entry["objectId"], entry["version"], entry["occurredAt"],
                          entry["merchantPaymentId"], entry["merchantRefundId"], posting["account"],
                          posting["ownerId"], posting["amount"]))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())

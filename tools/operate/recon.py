"""Compares the books of a day, holds payout against what was heard, and shows and works on discrepancies.

DATE is like 2026-11-22, or `yesterday` (the day before the open one).
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
from datetime import date, timedelta
from typing import Any

import files
import outside
import repairs
import session as operate
from session import Problem, Session, age, path, table, yen

POLL_S = 0.5
# What an operator says of a discrepancy, and the state it gets.
STATES = {
    "explain": "EXPLAINED",
    "repairing": "REPAIRING",
    "repaired": "REPAIRED",
    "accept": "ACCEPTED",
    "reopen": "OPEN",
}


def main(arguments: list[str] | None = None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    if files.is_meant(words):
        return files.main(words)
    parser = operate.parser("recon", __doc__ or "")
    actions = parser.add_subparsers(dest="action", metavar="action")
    part = operate.action(actions, "run", "compares the books of a closed day, and holds payout against what was heard")
    part.add_argument("date", metavar="DATE")
    part.add_argument("--deep", action="store_true", help="compute digests and fees again from the rows, and look at balances")
    part.add_argument("--timeout", type=float, default=3600, metavar="SECONDS",
                      help="how long to wait for a run that goes on (default: 3600)")  # fmt: skip
    part = operate.action(actions, "status", "how the latest comparison of a day ended")
    part.add_argument("date", metavar="DATE")
    part = operate.action(actions, "list", "discrepancies, newest first")
    part.add_argument("--day", metavar="DATE", help="only of this day")
    part.add_argument("--state", type=str.upper, default="OPEN", help="default: OPEN; ALL for all",
                      choices=("OPEN", "EXPLAINED", "REPAIRING", "REPAIRED", "ACCEPTED", "ALL"))  # fmt: skip
    part = operate.action(actions, "show", "one, with what each side says and its history")
    part.add_argument("discrepancy", metavar="ID")
    for name, state in STATES.items():
        part = operate.action(actions, name, f"takes a discrepancy to {state}")
        part.add_argument("discrepancy", metavar="ID")
        part.add_argument("--note", required=True, type=operate.reason, metavar="WHY",
                          help="why, kept in its history")  # fmt: skip
    outside.add_actions(actions)
    repairs.add_actions(actions)
    operate.action(actions, "files", "merchants' reconciliation files: ./kessai recon files --help")
    options = parser.parse_args(arguments)
    if options.action is None:
        options.action, options.day, options.state = "list", None, "OPEN"
    commands = {"run": run_day, "status": status, "list": list_all, "show": show, "outside": outside.run,
                **repairs.COMMANDS}
    return operate.run(options, commands.get(options.action, change))


def run_day(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    deadline = time.monotonic() + options.timeout
    target = path("days", date, "reconciliation")
    run = session.post(target, {"deep": options.deep})
    while is_under_way(run) and time.monotonic() < deadline:
        time.sleep(POLL_S)
        run = session.get(target)
    return show_run(run, options)


def is_under_way(run: Any) -> bool:
    """The comparison, or the check against payout that comes right after it."""
    check = run.get("payoutCheck")
    return run["state"] == "RUNNING" or bool(check and check["state"] == "RUNNING")


def status(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    return show_run(session.get(path("days", date, "reconciliation")), options)


def show_run(run: Any, options: argparse.Namespace) -> int:
    """0 when the books are equal, and payout with what was heard."""
    check = run.get("payoutCheck")
    if options.json:
        operate.show_json(run)
    else:
        kind = "deep run" if run["deep"] else "run"
        print(f"business day {run['businessDate']}: {kind} {run['runNumber']} {run['state']}")
        print(f"  buckets compared   {run['bucketsCompared']:,}, {run['bucketsDifferent']:,} differ")
        print(f"  rows listed        {run['rowsListed']:,}")
        print(f"  discrepancies      {run['discrepanciesFound']:,}")
        print(f"  began              {run['startedAt']}, ended {run['finishedAt'] or '-'}")
        if run["failure"]:
            print(f"  failed             {run['failure']}")
        if check:
            show_check(check)
        if run["discrepanciesFound"] or (check and check["discrepanciesFound"]):
            print(f"  see                ./kessai recon list --day {run['businessDate']}")
            if check and check["discrepanciesFound"] and check["transfersCompared"]:
                before = date.fromisoformat(run["businessDate"]) - timedelta(days=1)
                print(f"  of transfers       ./kessai recon list --day {before}")
    return 0 if run["state"] == "EQUAL" and (not check or check["state"] == "EQUAL") else 1


def show_check(check: Any) -> None:
    """The same day held against payout: it is checked again by itself when it is released."""
    kind = "deep check" if check["deep"] else "check"
    compared = ["totals"]
    compared.append("releases" if check["released"] else "not released yet")
    compared.append("transfers of the day before" if check["transfersCompared"] else "not yet the transfers of the day before")
    print(f"against payout: {kind} {check['checkNumber']} {check['state']}")
    print(f"  compared           {', '.join(compared)}")
    print(f"  merchants listed   {int(check['merchantsListed']):,}")
    print(f"  discrepancies      {check['discrepanciesFound']:,}")
    print(f"  began              {check['startedAt']}, ended {check['finishedAt'] or '-'}")
    if check["failure"]:
        print(f"  failed             {check['failure']}")


def list_all(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.day) if options.day else None
    state = None if options.state == "ALL" else options.state
    found = session.pages(
        "/operator/v1/discrepancies", "discrepancies", state=state, businessDate=date, pageSize=1000
    )
    if options.json:
        operate.show_json(found)
    elif found:
        rows = [
            (one["discrepancyId"], one["kind"], one["state"], *subject(one), one["businessDate"],
             one["merchantId"], yen(one["paymentAmount"]),
             yen(one["payoutAmount"]), age(one["foundAt"]))
            for one in found
        ]  # fmt: skip
        head = ("DISCREPANCY", "KIND", "STATE", "ABOUT", "V", "DAY", "MERCHANT", "PAYMENT SAYS",
                "PAYOUT SAYS", "AGE")  # fmt: skip
        print(table(head, rows, right=(4, 7, 8, 9)))
    else:
        print("no discrepancies" + ("" if state is None else f" that are {state.lower()}"))
    return 0


def subject(one: Any) -> tuple[str, object]:
    """What a discrepancy is about beside its day and merchant, and the version of a payment's change."""
    if one["paymentId"] != "0":
        return one["paymentId"], one["version"]
    if one.get("transferId", "0") != "0":
        return f"transfer {one['transferId']}", "-"
    if one["kind"] == "DIGEST_DIFFERS":
        return f"bucket {one['bucket']}", "-"
    return "-", "-"


def show(session: Session, options: argparse.Namespace) -> int:
    return show_one(session.get(path("discrepancies", options.discrepancy)), options)


def change(session: Session, options: argparse.Namespace) -> int:
    wish = {"state": STATES[options.action], "note": options.note}
    return show_one(session.patch(path("discrepancies", options.discrepancy), wish), options)


def show_one(one: Any, options: argparse.Namespace) -> int:
    if options.json:
        operate.show_json(one)
        return 0
    print(f"discrepancy {one['discrepancyId']}: {one['kind']}, {one['state']}")
    if one.get("transferId", "0") != "0":
        print(f"  transfer  {one['transferId']} of {one['businessDate']}")
    elif one["paymentId"] == "0":  # of a digest, or a merchant's day
        print(f"  day       {one['businessDate']}")
        if one["kind"] == "DIGEST_DIFFERS":
            print(f"  digest    of bucket {one['bucket']}")
    else:
        print(f"  change    payment {one['paymentId']} version {one['version']} of {one['businessDate']}")
    print(f"  merchant  {one['merchantId']}")
    print(f"  payment   {yen(one['paymentAmount'])}")
    print(f"  payout    {yen(one['payoutAmount'])}")
    print(f"  evidence  {one['evidence'] or '-'}")
    print(f"  owner     {one['owner'] or '-'}")
    if one["openRepair"]:
        print(f"  repair    {one['openRepair']} is under way: ./kessai recon repairs {one['discrepancyId']}")
    for head, words in (("means", one.get("meaning")), ("do", one.get("whatToDo"))):
        if words:
            lines = textwrap.wrap(words, 88)
            print(f"  {head:<9} " + ("\n" + " " * 12).join(lines))
    rows = [(step["at"], step["state"], step["actor"], step["note"]) for step in one["history"]]
    if rows:
        print("\n" + table(("WHEN", "STATE", "WHO", "WHY"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())

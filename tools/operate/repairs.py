"""`./kessai recon`: who works on a discrepancy, and repairs of it."""

from __future__ import annotations

import argparse
import time
from typing import Any

import session as operate
from session import Session, age, path, table, yen

POLL_S = 0.5
KINDS = ("PUBLISH_AGAIN", "ACCRUE_AGAIN", "RECOMPUTE_TOTAL", "CORRECTING_JOURNAL")
STATES = ("REQUESTED", "DECLINED", "PENDING", "VERIFYING", "REPAIRED", "WITHOUT_EFFECT", "FAILED")
# Nothing more happens to it.
ENDS = ("DECLINED", "REPAIRED", "WITHOUT_EFFECT", "FAILED")


def add_actions(actions: Any) -> None:
    part = operate.action(actions, "assign", "gives a discrepancy to somebody, or to nobody (-)")
    part.add_argument("discrepancy", metavar="ID")
    part.add_argument("owner", metavar="WHO")
    _note(part, "--note")
    part = operate.action(actions, "repair", "has a discrepancy repaired, or shows what that would do")
    part.add_argument("discrepancy", metavar="ID")
    part.add_argument("--kind", required=True, type=str.upper, choices=KINDS)
    part.add_argument("--reason", type=operate.reason, metavar="WHY",
                      help="why, kept in its history")  # fmt: skip
    part.add_argument("--amount", type=int, metavar="YEN",
                      help="of a correcting journal, instead of what follows from the difference; "
                           "negative: taken from the merchant")  # fmt: skip
    part.add_argument("--preview", action="store_true", help="only say what it would do")
    part.add_argument("--wait", type=float, default=0, metavar="SECONDS",
                      help="wait so long for its end (default: 0)")  # fmt: skip
    for name, what in (("approve", "approves"), ("decline", "declines")):
        part = operate.action(actions, name, f"{what} a repair that moves money")
        part.add_argument("discrepancy", metavar="ID")
        part.add_argument("number", metavar="REPAIR", help="its number: ./kessai recon repairs")
        _note(part, "--note")
    part = operate.action(actions, "repairs", "repairs, newest first")
    part.add_argument("discrepancy", metavar="ID", nargs="?", help="only of this discrepancy")
    part.add_argument("--state", type=str.upper, choices=STATES, help="only these")


def _note(part: argparse.ArgumentParser, name: str) -> None:
    part.add_argument(name, required=True, type=operate.reason, metavar="WHY",
                      help="why, kept in its history")  # fmt: skip


def assign(session: Session, options: argparse.Namespace) -> int:
    owner = "" if options.owner == "-" else options.owner
    wish = {"owner": owner, "note": options.note}
    one = session.put(path("discrepancies", options.discrepancy, "owner"), wish)
    if options.json:
        operate.show_json(one)
    else:
        print(f"discrepancy {one['discrepancyId']}: {one['owner'] or 'nobody'} works on it")
    return 0


def repair(session: Session, options: argparse.Namespace) -> int:
    """0 unless it ended in vain while we waited."""
    wish: dict[str, Any] = {"kind": options.kind}
    if options.reason is not None:
        wish["reason"] = options.reason
    if options.amount is not None:
        wish["amount"] = options.amount
    target = path("discrepancies", options.discrepancy, "repairs")
    if options.preview:
        return show_preview(session.post(target + "/preview", wish), options)
    if options.reason is None:
        raise operate.Misuse("--reason WHY is kept in its history: it is needed")
    made = session.post(target, wish)
    deadline = time.monotonic() + options.wait
    while made["state"] not in (*ENDS, "REQUESTED") and time.monotonic() < deadline:
        time.sleep(POLL_S)
        found = session.get("/operator/v1/repairs", discrepancyId=options.discrepancy, pageSize=100)
        made = next(one for one in found["repairs"] if one["number"] == made["number"])
    show_one(made, options)
    return 1 if made["state"] in ("WITHOUT_EFFECT", "FAILED") else 0


def decide(session: Session, options: argparse.Namespace) -> int:
    target = path("discrepancies", options.discrepancy, "repairs", options.number, "decision")
    wish = {"approve": options.action == "approve", "note": options.note}
    show_one(session.post(target, wish), options)
    return 0


def list_repairs(session: Session, options: argparse.Namespace) -> int:
    found = session.pages(
        "/operator/v1/repairs", "repairs", state=options.state, discrepancyId=options.discrepancy,
        pageSize=1000,
    )  # fmt: skip
    if options.json:
        operate.show_json(found)
    elif found:
        rows = [
            (one["discrepancyId"], one["number"], one["kind"], one["state"], one["requestedBy"],
             one["decidedBy"] or "-", _money(one), age(one["requestedAt"]), one["outcome"] or "-")
            for one in found
        ]  # fmt: skip
        head = ("DISCREPANCY", "REPAIR", "KIND", "STATE", "ASKED FOR BY", "DECIDED BY", "MONEY", "AGE",
                "OUTCOME")  # fmt: skip
        print(table(head, rows, right=(1,)))
    else:
        print("no repairs")
    return 0


def show_preview(plan: Any, options: argparse.Namespace) -> int:
    if options.json:
        operate.show_json(plan)
        return 0
    print(f"discrepancy {plan['discrepancyId']}: {plan['kind']} would do this, and has done nothing yet:")
    print(f"  {plan['what']}")
    if plan["needsApproval"]:
        print("  it moves money: another operator has to approve it (./kessai recon approve)")
    return 0


def show_one(one: Any, options: argparse.Namespace) -> None:
    if options.json:
        operate.show_json(one)
        return
    print(f"discrepancy {one['discrepancyId']}, repair {one['number']}: {one['kind']}, {one['state']}")
    print(f"  asked for   by {one['requestedBy']}: {one['reason']}")
    if one["decidedBy"]:
        print(f"  decided     by {one['decidedBy']}")
    if one["corrections"]:
        print(f"  money       {_money(one)}")
    if one["outcome"]:
        print(f"  outcome     {one['outcome']}")
    if one["state"] == "REQUESTED":
        print("  next        another operator: ./kessai recon approve "
              f"{one['discrepancyId']} {one['number']} --note WHY --operator NAME")  # fmt: skip
    elif one["state"] not in ENDS:
        print(f"  next        ./kessai recon repairs {one['discrepancyId']} tells how it ended")


def _money(one: Any) -> str:
    legs = [f"{leg['merchantId']}: {yen(leg['amount'])}" for leg in one["corrections"]]
    return ", ".join(legs) or "-"


COMMANDS = {
    "assign": assign,
    "repair": repair,
    "approve": decide,
    "decline": decide,
    "repairs": list_repairs,
}

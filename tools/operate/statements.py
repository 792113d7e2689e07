"""The part of `./kessai payout` that is about statements: merchants' names on them, months, their issue.

MONTH is like 2026-11.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from pathlib import Path
from typing import Any

import session as operate
from session import Misuse, Problem, Session, path, table, yen

FORMATS = ("csv", "pdf")


def add_actions(actions: Any) -> None:
    part = operate.action(actions, "profile", "what a merchant is called on its statements")
    part.add_argument("merchant", metavar="MERCHANT")
    part = operate.action(actions, "put-profile", "decides what a merchant is called on its statements, from now on")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("--invoice-name", required=True, metavar="NAME")
    part = operate.action(actions, "statement", "a merchant's month; with --format as a file")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("month", metavar="MONTH")
    part.add_argument("--format", action="append", choices=FORMATS, default=[], help="may be given twice")
    part.add_argument("--version", type=int, metavar="N", help="1 as it was issued first, from 2 its corrections")
    part.add_argument("--directory", default=".", metavar="DIR")
    part = operate.action(actions, "issue-statements", "issues a month's statements of all merchants that have a profile")
    part.add_argument("month", metavar="MONTH")
    part = operate.action(actions, "correct-statement", "issues a correction beside a statement that was issued")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("month", metavar="MONTH")
    part.add_argument("--version", type=int, required=True, metavar="N", help="the correction's, from 2")
    part.add_argument("--reason", required=True, type=operate.reason, help="stands on the paper")
    part = operate.action(actions, "issue-statement", "makes a month's statement final; again changes nothing")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("month", metavar="MONTH")


def profile(session: Session, options: argparse.Namespace) -> int:
    return _show_profile(options, session.get(path("merchants", options.merchant, "profile")))


def put_profile(session: Session, options: argparse.Namespace) -> int:
    wish = {"invoiceName": options.invoice_name}
    return _show_profile(options, session.post(path("merchants", options.merchant, "profile"), wish))


def statement(session: Session, options: argparse.Namespace) -> int:
    target = _path(options)
    version = "" if options.version is None else f"version={options.version}"
    answer = session.get(target + (f"?{version}" if version else ""))
    lines = _lines(answer)
    known = {file["format"]: file["fileHash"] for file in answer["files"]}
    for form in options.format:
        content = session.content(f"{target}?format={form}" + (f"&{version}" if version else ""))
        if known.get(form) not in (None, hashlib.sha256(content).hexdigest()):
            raise Problem(0, "STATEMENT_FILE_DAMAGED", f"the {form} is not the one that was issued")
        kind = "statement" if answer["number"] else "draft"
        corrected = f"-{answer['version']}" if answer["version"] > 1 else ""
        written = Path(options.directory) / f"{kind}-{options.month}-{options.merchant}{corrected}.{form}"
        written.write_bytes(content)
        lines.append(str(written))
    return _show(options, answer, lines)


def issue(session: Session, options: argparse.Namespace) -> int:
    answer = session.post(_path(options, "issue"))
    return _show(options, answer, _lines(answer))


def issue_all(session: Session, options: argparse.Namespace) -> int:
    """0 when none is left that should have one."""
    target = path("statements", _month(options), "issue")
    sums = {"issuedCount": 0, "notFinalCount": 0, "emptyCount": 0}
    refused: list[Any] = []
    after = "0"
    while True:
        answer = session.post(target, {} if after == "0" else {"afterMerchantId": after})
        for name in sums:
            sums[name] += answer[name]
        refused += answer["refused"]
        after = answer["nextMerchantId"]
        if after == "0":
            break
    lines = [
        f"statements of {options.month}: {sums['issuedCount']:,} issued",
        f"  can still change  {sums['notFinalCount']:,}",
        f"  nothing in it     {sums['emptyCount']:,}",
        *(f"  merchant {one['merchantId']}: {one['message']} ({one['reason']})" for one in refused),
    ]
    _show(options, {**sums, "refused": refused}, lines)
    return 1 if refused or sums["notFinalCount"] else 0


def correct(session: Session, options: argparse.Namespace) -> int:
    wish = {"version": options.version, "reason": options.reason}
    answer = session.post(_path(options, "corrections"), wish)
    return _show(options, answer, _lines(answer))


def _month(options: argparse.Namespace) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", options.month):
        raise Misuse(f"'{options.month}' is no month like 2026-11")
    return str(options.month)


def _path(options: argparse.Namespace, *more: str) -> str:
    return path("merchants", options.merchant, "statements", _month(options), *more)


def _lines(answer: Any) -> list[str]:
    sums = answer["sums"]
    rows = [
        ("opening", yen(answer["opening"])),
        (f"sales ({sums['saleCount']:,})", yen(sums["sales"])),
        (f"returns ({sums['returnCount']:,})", yen(sums["returns"])),
        ("cashback and coupons", yen(sums["benefits"])),
        ("fees", yen(sums["fee"])),
        ("consumption tax", yen(sums["tax"])),
        ("sent", yen(sums["sent"])),
        ("prices of payouts", yen(sums["prices"])),
        ("came back", yen(sums["cameBack"])),
        ("adjusted", yen(sums["adjusted"])),
        ("closing", yen(answer["closing"])),
        ("in transit beside it", yen(answer["closingInTransit"])),
    ]
    if answer["number"]:
        state = f"statement {answer['number']}, issued on {answer['issuedOnDate']} by {answer['issuedBy']}"
        if answer["corrects"]:
            state += f"; corrects {answer['corrects']}: {answer['correctionReason']}"
    else:
        state = f"draft for {answer['recipient'] or 'a merchant without a profile'}: "
        state += answer["notFinal"] or "it can be issued"
    return [state, table(("", "AMOUNT"), rows, right=(1,))]


def _show_profile(options: argparse.Namespace, answer: Any) -> int:
    said = f"merchant {answer['merchantId']} is '{answer['invoiceName']}' (version {answer['version']})"
    return _show(options, answer, [said])


def _show(options: argparse.Namespace, answer: Any, lines: list[str]) -> int:
    if options.json:
        operate.show_json(answer)
    else:
        print("\n".join(lines))
    return 0


COMMANDS = {
    "profile": profile, "put-profile": put_profile, "statement": statement, "issue-statement": issue,
    "issue-statements": issue_all, "correct-statement": correct,
}  # fmt: skip

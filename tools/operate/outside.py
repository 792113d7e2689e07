"""The part of `./kessai recon` that is about accounts outside: statements of banks and networks.

Accounts are named as outside.accounts of reconciliation's configuration names them.
"""

from __future__ import annotations

import argparse
import base64
from pathlib import Path
from typing import Any

import session as operate
from session import Misuse, Session, path, table, yen

STATES = ("SUGGESTED", "MATCHED", "REJECTED", "TAKEN_APART", "WITHDRAWN", "ALL")
DECISIONS = {"confirm": "CONFIRM", "reject": "REJECT", "unmatch": "UNMATCH"}
FORMATS = {"csv": "CSV", "zengin": "ZENGIN", "camt053": "CAMT053"}
NOTES_SHOWN = 20


def add_actions(actions: Any) -> None:
    """Adds `outside` with its own actions; without one it shows the summary."""
    part = operate.action(actions, "outside", "statements of banks and networks against our books")
    parts = part.add_subparsers(dest="part", metavar="action")
    operate.action(parts, "summary", "what is unmatched, by account and age; 1 if something is overdue")
    one = operate.action(parts, "put-template", "how files of separated values are to be read")
    one.add_argument("name", metavar="NAME")
    one.add_argument("file", metavar="FILE.yaml")
    one = operate.action(parts, "template", "a template in force")
    one.add_argument("name", metavar="NAME")
    one = operate.action(parts, "put-rules", "by which an account's items are matched")
    one.add_argument("account", metavar="ACCOUNT")
    one.add_argument("file", metavar="FILE.yaml")
    one = operate.action(parts, "rules", "the rules in force")
    one.add_argument("account", metavar="ACCOUNT")
    one = operate.action(parts, "import", "takes in a statement file and matches what it brought")
    one.add_argument("file", metavar="FILE")
    one.add_argument("--format", choices=tuple(FORMATS), default="csv", help="default: csv")
    one.add_argument("--template", metavar="NAME", help="of csv")
    one.add_argument("--account", metavar="ACCOUNT", help="refuse the file if it is of another one")
    one.add_argument("--western-years", action="store_true",
                     help="of zengin: years are the last two digits of the Western year")  # fmt: skip
    operate.action(parts, "imports", "files that were taken in, newest first")
    one = operate.action(parts, "show-import", "one of them, with its broken and known lines")
    one.add_argument("import_id", metavar="IMPORT")
    one = operate.action(parts, "run", "matches an account's unmatched items; again changes nothing")
    one.add_argument("account", metavar="ACCOUNT")
    one.add_argument("--from", dest="first", metavar="DATE", help="only items of these days")
    one.add_argument("--to", dest="last", metavar="DATE")
    one = operate.action(parts, "list", "matches and suggestions, newest first")
    one.add_argument("--account", metavar="ACCOUNT")
    one.add_argument("--state", type=str.upper, choices=STATES, default="ALL", help="default: ALL")
    one = operate.action(parts, "suggestions", "what waits for a person")
    one.add_argument("--account", metavar="ACCOUNT")
    one = operate.action(parts, "unmatched", "an account's unmatched items, oldest first")
    one.add_argument("account", metavar="ACCOUNT")
    one.add_argument("--side", choices=("expected", "booked"), help="default: both")
    one.add_argument("--overdue", action="store_true", help="only those that are overdue")
    one = operate.action(parts, "show", "a match or suggestion, with its items and history")
    one.add_argument("match", metavar="MATCH")
    one = operate.action(parts, "match", "says that items belong together, or explains one by itself")
    one.add_argument("items", metavar="ITEM", nargs="+")
    one.add_argument("--note", required=True, metavar="WHY", type=operate.reason,
                     help="why, kept in its history")  # fmt: skip
    for name, summary in (("confirm", "says that the items of a suggestion belong together"),
                          ("reject", "says that they don't"),
                          ("unmatch", "takes a match apart: its items are unmatched again")):  # fmt: skip
        one = operate.action(parts, name, summary)
        one.add_argument("match", metavar="MATCH")
        one.add_argument("--note", required=name != "confirm", metavar="WHY",
                         type=operate.reason, help="why, kept in its history")  # fmt: skip


def run(session: Session, options: argparse.Namespace) -> int:
    commands = {
        None: summary, "summary": summary, "put-template": put_template, "template": template,
        "put-rules": put_rules, "rules": rules, "import": take_in, "imports": imports,
        "show-import": show_import, "run": run_account, "list": list_matches,
        "suggestions": suggestions, "unmatched": unmatched, "show": show, "match": match_items,
    }  # fmt: skip
    return commands.get(options.part, decide)(session, options)


def of_account(options: argparse.Namespace, *more: str) -> str:
    return path("outside", "accounts", options.account, *more)


def read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} cannot be read: {error}") from None


def put_template(session: Session, options: argparse.Namespace) -> int:
    target = path("outside", "templates", options.name)
    return show_text(options, session.put(target, {"yaml": read(options.file)}), "template")


def put_rules(session: Session, options: argparse.Namespace) -> int:
    stored = session.put(of_account(options, "rules"), {"yaml": read(options.file)})
    return show_text(options, stored, "rules of")


def show_text(options: argparse.Namespace, stored: Any, what: str) -> int:
    if options.json:
        operate.show_json(stored)
    else:
        print(f"{what} {stored['name']}: version {stored['version']} is in force")
    return 0


def template(session: Session, options: argparse.Namespace) -> int:
    return show_yaml(options, session.get(path("outside", "templates", options.name)))


def rules(session: Session, options: argparse.Namespace) -> int:
    return show_yaml(options, session.get(of_account(options, "rules")))


def show_yaml(options: argparse.Namespace, stored: Any) -> int:
    if options.json:
        operate.show_json(stored)
    else:
        print(f"# version {stored['version']}, put by {stored['putBy']} at {stored['putAt']}")
        print(stored["yaml"].rstrip("\n"))
    return 0


def take_in(session: Session, options: argparse.Namespace) -> int:
    """0 unless lines were broken, or an account could not be matched."""
    if (options.format == "csv") != (options.template is not None):
        raise Misuse("--template NAME belongs to --format csv, and csv needs it")
    try:
        content = Path(options.file).read_bytes()
    except OSError as error:
        raise Misuse(f"{options.file} cannot be read: {error}") from None
    if not content:
        raise Misuse(f"{options.file} is empty")
    wish = {
        "format": FORMATS[options.format],
        "template": options.template,
        "account": options.account,
        "westernYears": options.western_years,
        "contentBase64": base64.b64encode(content).decode("ascii"),
    }
    outcome = session.post("/operator/v1/outside/imports", wish)
    imported = outcome["imported"]
    if options.json:
        operate.show_json(outcome)
    else:
        if outcome["repeatedFile"]:
            print("the file had been taken in before; this is what became of it then:")
        show_one_import(imported)
        for done in outcome["runs"]:
            show_run(done)
        for one in outcome["notMatched"]:
            print(f"account {one['account']} was not matched: {one['message']} ({one['reason']})")
    return 1 if imported["broken"] or outcome["notMatched"] else 0


def show_one_import(one: Any) -> None:
    with_template = f", template {one['templateName']} {one['templateVersion']}" if one["templateName"] else ""
    print(f"import {one['importId']}: {one['format']}{with_template}, of {', '.join(one['accounts']) or 'no account'}")
    print(f"  by           {one['importedBy']} at {one['importedAt']}")
    print(f"  new items    {one['added']:,}")
    print(f"  known        {one['known']:,}, an earlier file had them")
    print(f"  broken       {one['broken']:,} lines, which are no items")
    if one["notBooked"]:
        print(f"  not booked   {one['notBooked']:,}, announced or given up")
    for part in one["parts"]:
        checked = [name for name in ("counts", "sums", "balance") if part[f"{name}Checked"]]
        days = f"{part['firstDate'] or '-'} to {part['lastDate'] or '-'}"
        print(f"  statement    {part['accountNumber']} {part['statementRef']} {days}: "
              f"in {yen(part['credits'])}, out {yen(part['debits'])}; "
              f"checked: {', '.join(checked) or 'nothing'}")  # fmt: skip
    for kind in ("BROKEN", "KNOWN"):
        notes = [note for note in one["notes"] if note["kind"] == kind]
        for note in notes[:NOTES_SHOWN]:
            why = f": {note['message']} ({note['reason']})" if note["reason"] else ""
            print(f"  line {note['line']} {kind.lower()}{why}")
        if len(notes) > NOTES_SHOWN:
            print(f"  … and {len(notes) - NOTES_SHOWN} more: ./kessai recon outside show-import {one['importId']} --json")


def imports(session: Session, options: argparse.Namespace) -> int:
    found = session.pages("/operator/v1/outside/imports", "imports", pageSize=1000)
    if options.json:
        operate.show_json(found)
    elif found:
        rows = [(one["importId"], one["format"], ",".join(one["accounts"]), f"{one['added']:,}",
                 f"{one['known']:,}", f"{one['broken']:,}", one["importedBy"], operate.age(one["importedAt"]))
                for one in found]  # fmt: skip
        head = ("IMPORT", "FORMAT", "ACCOUNTS", "NEW", "KNOWN", "BROKEN", "BY", "AGE")
        print(table(head, rows, right=(3, 4, 5, 7)))
    else:
        print("no files were taken in")
    return 0


def show_import(session: Session, options: argparse.Namespace) -> int:
    one = session.get(path("outside", "imports", options.import_id))
    if options.json:
        operate.show_json(one)
    else:
        show_one_import(one)
    return 0


def run_account(session: Session, options: argparse.Namespace) -> int:
    wish = {name: operate.day(session, text)
            for name, text in (("firstDate", options.first), ("lastDate", options.last)) if text}  # fmt: skip
    done = session.post(of_account(options, "run"), wish or None)
    if options.json:
        operate.show_json(done)
    else:
        show_run(done)
    return 0


def show_run(done: Any) -> None:
    print(f"account {done['account']}, rules {done['rulesVersion']}: "
          f"{done['expectedCount']:,} expected and {done['bookedCount']:,} booked items")  # fmt: skip
    print(f"  matched      {done['matchesMade']:,}")
    print(f"  suggested    {done['suggestionsMade']:,}, {done['suggestionsWithdrawn']:,} withdrawn")
    if done["boundsReached"]:
        print(f"  bounds       reached {done['boundsReached']:,} times: what is there was suggested, not matched")
    if done["suggestionsLeftOut"]:
        print(f"  left out     {done['suggestionsLeftOut']:,} suggestions worse than those: decide on some, then run again")
    if done["suggestionsMade"]:
        print(f"  see          ./kessai recon outside suggestions --account {done['account']}")


def suggestions(session: Session, options: argparse.Namespace) -> int:
    options.state = "SUGGESTED"
    return list_matches(session, options)


def list_matches(session: Session, options: argparse.Namespace) -> int:
    state = None if options.state == "ALL" else options.state
    found = session.pages("/operator/v1/outside/matches", "matches", account=options.account,
                          state=state, pageSize=1000)  # fmt: skip
    if options.json:
        operate.show_json(found)
    elif found:
        rows = [(one["matchId"], one["account"], one["state"], one["rule"], one["score"],
                 yen(sum_of(one, "EXPECTED")), yen(sum_of(one, "BOOKED")), one["why"],
                 operate.age(one["changedAt"])) for one in found]  # fmt: skip
        head = ("MATCH", "ACCOUNT", "STATE", "RULE", "SCORE", "EXPECTED", "BOOKED", "WHY", "AGE")
        print(table(head, rows, right=(4, 5, 6, 8)))
    else:
        print("no matches" + ("" if state is None else f" that are {state.lower().replace('_', ' ')}"))
    return 0


def sum_of(one: Any, side: str) -> int:
    return sum(item["amount"] for item in one["items"] if item["side"] == side)


def unmatched(session: Session, options: argparse.Namespace) -> int:
    """1 if something is overdue."""
    sides = (options.side,) if options.side else ("expected", "booked")
    found = [item for side in sides
             for item in session.pages(of_account(options, "unmatched"), "items", side=side.upper(), pageSize=1000)
             if item["overdue"] or not options.overdue]  # fmt: skip
    if options.json:
        operate.show_json(found)
    elif found:
        print(items_table(found))
    else:
        print("nothing is " + ("overdue" if options.overdue else "unmatched"))
    return 1 if any(item["overdue"] for item in found) else 0


def items_table(items: list[Any]) -> str:
    rows = [(item["itemId"], item["side"], item["itemDate"], yen(item["amount"]),
             ("OVERDUE " if item["overdue"] else "") + f"{item['ageDays']} d",
             " ".join(reference["value"] for reference in item["references"]) or "-",
             origin(item), " ".join(part for part in (item["counterparty"], item["text"]) if part) or "-")
            for item in items]  # fmt: skip
    head = ("ITEM", "SIDE", "DAY", "AMOUNT", "AGE", "REFERENCES", "FROM", "TEXT")
    return table(head, rows, right=(3, 4))


def origin(item: Any) -> str:
    """Where an item is from: what was expected, or the file and line."""
    if item["side"] == "BOOKED":
        return f"import {item['importId']} line {item['line']}"
    return f"{item['expects']} {item['eventObjectId']}/{item['eventVersion']}"


def show(session: Session, options: argparse.Namespace) -> int:
    return show_match(options, session.get(path("outside", "matches", options.match)))


def match_items(session: Session, options: argparse.Namespace) -> int:
    wish = {"itemIds": options.items, "note": options.note}
    return show_match(options, session.post("/operator/v1/outside/matches", wish))


def decide(session: Session, options: argparse.Namespace) -> int:
    wish = {"decision": DECISIONS[options.part], "note": options.note or ""}
    return show_match(options, session.post(path("outside", "matches", options.match, "decision"), wish))


def show_match(options: argparse.Namespace, one: Any) -> int:
    if options.json:
        operate.show_json(one)
        return 0
    print(f"match {one['matchId']} of {one['account']}: {one['state']}")
    if one["rule"]:
        print(f"  rule       \"{one['rule']}\" of rules {one['rulesVersion']}, score {one['score']}")
    print(f"  why        {one['why']}")
    print(f"  difference {yen(one['difference'])}")
    print("\n" + items_table(one["items"]))
    rows = [(step["at"], step["state"], step["actor"], step["note"] or "-") for step in one["history"]]
    print("\n" + table(("WHEN", "STATE", "WHO", "WHY"), rows))
    return 0


def summary(session: Session, options: argparse.Namespace) -> int:
    """1 if something is overdue."""
    accounts = session.get("/operator/v1/outside/summary")["accounts"]
    sides = [(account, name, account[name]) for account in accounts for name in ("expected", "booked")]
    if options.json:
        operate.show_json(accounts)
    elif accounts:
        ages = [bucket["age"] for bucket in accounts[0]["expected"]["buckets"]]
        rows = [(account["account"], name.upper(), f"{side['count']:,}", yen(side["value"]),
                 *[f"{bucket['count']:,}" for bucket in side["buckets"]],
                 f"{side['overdueCount']:,}", yen(side["overdueValue"]),
                 f"{side['oldestDays']} d" if side["count"] else "-")
                for account, name, side in sides]  # fmt: skip
        head = ("ACCOUNT", "SIDE", "UNMATCHED", "VALUE", *[f"{age} D" for age in ages], "OVERDUE",
                "VALUE", "OLDEST")  # fmt: skip
        print(table(head, rows, right=tuple(range(2, len(head)))))
        for account in accounts:
            if account["rulesVersion"] == 0:
                print(f"account {account['account']} has no rules: ./kessai recon outside put-rules")
            elif account["runDue"]:
                print(f"account {account['account']} waits for a run: ./kessai recon outside run {account['account']}")
    else:
        print("no accounts are configured: outside.accounts of reconciliation")
    return 1 if any(side["overdueCount"] for _, _, side in sides) else 0

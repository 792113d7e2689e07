"""The part of `./kessai payout` that is about fee plans: what there is, what is put, what it would change.

OWNER is a merchant, `shared` (a plan of all that are assigned to it), or `default` (everybody else's). What
options have no name for, rules and tiers, stands in a JSON file, in the form that /docs shows.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import session as operate
from session import Misuse, Session, path, table, yen

CURRENCY = "JPY"
TERMS = (("rateBasisPoints", "basis_points"), ("fixed", "fixed"), ("minimum", "minimum"), ("maximum", "maximum"))


def add_actions(actions: Any) -> None:
    part = operate.action(actions, "plans", "fee plans with all their versions, who put them, and who is under them")
    part.add_argument("owner", nargs="?", default="default", metavar="OWNER",
                      help="a merchant, shared, or default: everybody else's")  # fmt: skip
    part = _with_plan(operate.action(actions, "put-plan", "puts a fee plan, or the next version of one, from a day to come"))
    part.add_argument("--from", dest="first", metavar="DATE", help="its first day, tomorrow at the earliest")
    part.add_argument("--to", dest="last", metavar="DATE", help="its last day")
    part = _with_plan(operate.action(actions, "preview-plan", "what a month's fees would have been under a plan; changes nothing"))
    part.add_argument("--from", dest="first", metavar="DATE", help="the first day (default: all of last month)")
    part.add_argument("--to", dest="last", metavar="DATE", help="the last day, at most 31")
    part.add_argument("--merchant", action="append", default=[], metavar="MERCHANT",
                      help="as if it had been under the plan; may be given again")  # fmt: skip
    part = operate.action(actions, "assign-plan", "puts merchants under a shared plan, all or none")
    part.add_argument("plan", metavar="PLAN|none", help="none: under no shared plan any more")
    part.add_argument("merchants", nargs="+", metavar="MERCHANT")
    part.add_argument("--from", dest="first", required=True, metavar="DATE", help="the first day")
    part.add_argument("--to", dest="last", metavar="DATE", help="the last day")


def _with_plan(part: argparse.ArgumentParser) -> argparse.ArgumentParser:
    part.add_argument("owner", metavar="OWNER", help="a merchant, shared, or default: everybody else's")
    part.add_argument("--plan", metavar="PLAN", help="it is this one's next version")
    part.add_argument("--basis-points", type=int, metavar="N", help="of the amount: 198 is 1.98 %%")
    part.add_argument("--fixed", type=int, metavar="YEN", help="beside the rate, of each payment")
    part.add_argument("--minimum", type=int, metavar="YEN", help="of each payment's fee")
    part.add_argument("--maximum", type=int, metavar="YEN", help="of each payment's fee; 0: none")
    part.add_argument("--file", metavar="FILE", help="JSON with what else there is: rules, tiers")
    return part


def plans(session: Session, options: argparse.Namespace) -> int:
    owner = _owner(options.owner)
    targets = {"default": path("fee-plans", "default"), "shared": path("fee-plans")}
    answer = _all(session, targets.get(owner) or path("merchants", owner, "fee-plans"))
    rows = [row for plan in answer["plans"] for row in _rows(plan)]
    head = ("PLAN", "VERSION", "FROM", "TO", "FOR", "TERMS", "PUT BY")
    nothing = "no shared plan" if owner == "shared" else "no plan of its own: ./kessai payout plans has everybody else's"
    lines = [table(head, rows) if rows else nothing]
    if answer["assignments"]:
        found = [
            (one["merchantId"], "none" if one["planId"] == "0" else one["planId"], one["effectiveFrom"],
             one["effectiveTo"] or "-", one["putBy"])
            for one in answer["assignments"]
        ]  # fmt: skip
        lines += ["", "under shared plans", table(("MERCHANT", "PLAN", "FROM", "TO", "PUT BY"), found)]
    if answer["volumes"]:
        volumes = [(one["monthDate"][:7], yen(one["volume"]), one["effectiveFrom"]) for one in answer["volumes"]]
        lines += ["", "what tiers follow", table(("MONTH", "VOLUME", "COUNTS FROM"), volumes, right=(1,))]
    return _show(options, answer, lines)


def put(session: Session, options: argparse.Namespace) -> int:
    wish = _wish(options)
    for name, given in (("effectiveFrom", options.first), ("effectiveTo", options.last)):
        if given is not None:
            wish[name] = operate.day(session, given)
    if "effectiveFrom" not in wish:
        raise Misuse("a plan begins on some day: --from")
    answer = session.post(path("fee-plans"), wish)
    until = f" to {answer['effectiveTo']}" if answer["effectiveTo"] else ""
    return _show(options, answer, [
        f"plan {answer['planId']} version {answer['version']} of {_whose(answer)}, from "
        f"{answer['effectiveFrom']}{until}:",
        *(f"  {what}: {terms}" for *_, what, terms, _ in _rows(answer)),
    ])  # fmt: skip


def preview(session: Session, options: argparse.Namespace) -> int:
    wish = _wish(options)
    if options.merchant:
        wish["merchantIds"] = options.merchant
    for name, given in (("fromDate", options.first), ("toDate", options.last)):
        if given is not None:
            wish[name] = operate.day(session, given)
    answer = session.post(path("fee-plans", "preview"), wish)
    lines = [
        f"{answer['fromDate']} to {answer['toDate']}: {answer['merchantCount']:,} merchants, "
        f"{answer['accrualCount']:,} changes of payments over {yen(answer['gross'])}",
        f"  fees as they were   {yen(answer['feeThen'])}",
        f"  under this plan     {yen(answer['feeNow'])}",
        f"  difference          {yen(answer['difference'])}",
    ]
    if answer["withoutStoreCount"]:
        lines.append(f"  of no known store   {answer['withoutStoreCount']:,}: the plans of then did not ask for it")
    rows = [
        (one["merchantId"], f"{one['accrualCount']:,}",
         *(yen(one[name]) for name in ("gross", "feeThen", "feeNow", "difference")))
        for one in answer["merchants"]
    ]  # fmt: skip
    if rows:
        head = ("MERCHANT", "CHANGES", "GROSS", "FEE THEN", "UNDER THIS", "DIFFERENCE")
        lines.append(table(head, rows, right=range(1, 6)))
    if answer["merchantCount"] > len(rows):
        lines.append(f"these are the {len(rows):,} with the largest difference")
    return _show(options, answer, lines)


def assign(session: Session, options: argparse.Namespace) -> int:
    wish: dict[str, Any] = {"merchantIds": options.merchants, "effectiveFrom": operate.day(session, options.first)}
    if options.plan != "none":
        wish["planId"] = options.plan
    if options.last is not None:
        wish["effectiveTo"] = operate.day(session, options.last)
    answer = session.post(path("fee-plan-assignments"), wish)
    under = "no shared plan" if options.plan == "none" else f"plan {options.plan}"
    return _show(options, answer, [
        f"merchant {one['merchantId']} is under {under} from {one['effectiveFrom']}"
        + (f" to {one['effectiveTo']}" if one["effectiveTo"] else "")
        for one in answer["assignments"]
    ])  # fmt: skip


def _all(session: Session, target: str) -> dict[str, list[Any]]:
    """Plans, assignments and volumes, page by page."""
    found: dict[str, list[Any]] = {"plans": [], "assignments": [], "volumes": []}
    token = ""
    while True:
        page = session.get(target, pageToken=token)
        for name, items in found.items():
            items += page[name]
        token = page.get("nextPageToken", "")
        if not token:
            break
    found["plans"].sort(key=lambda plan: (int(plan["planId"]), plan["version"]))
    return found


def _wish(options: argparse.Namespace) -> dict[str, Any]:
    """The plan of the file, with what stands in options in its place."""
    wish: dict[str, Any] = {"currency": CURRENCY} | _from_file(options.file)
    owner = _owner(options.owner)
    if owner == "shared":
        wish["shared"] = True
    elif owner != "default":
        wish["merchantId"] = owner
    if options.plan is not None:
        wish["planId"] = options.plan
    for field, option in TERMS:
        if getattr(options, option) is not None:
            wish[field] = getattr(options, option)
    if "rateBasisPoints" not in wish:
        raise Misuse("a plan has a rate: --basis-points, 0 if it has none")
    return wish


def _from_file(name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    try:
        content = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise Misuse(f"'{name}' cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise Misuse(f"'{name}' is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise Misuse(f"'{name}' holds no JSON object")
    if twice := {"merchantId", "shared", "planId"} & content.keys():
        raise Misuse(f"'{name}' says {', '.join(sorted(twice))}: OWNER and --plan say whose plan it is")
    return content


def _owner(text: str) -> str:
    if text not in ("default", "shared") and not re.fullmatch(r"[1-9]\d{0,18}", text):
        raise Misuse(f"'{text}' is neither a merchant's number, nor shared, nor default")
    return text


def _whose(plan: Any) -> str:
    if plan["merchantId"] != "0":
        return f"merchant {plan['merchantId']}"
    return "all that are assigned to it" if plan["shared"] else "all without another"


def _rows(plan: Any) -> list[tuple[str, ...]]:
    """A line a rule, as they apply, one for what none is for, and one a tier of each."""
    head = (plan["planId"], str(plan["version"]), plan["effectiveFrom"], plan["effectiveTo"] or "-")
    rows: list[tuple[str, ...]] = []
    for what, terms, tiers in [
        *((_condition(rule), rule["terms"], rule["tiers"]) for rule in sorted(plan["rules"], key=_comes_first)),
        ("all else" if plan["rules"] else "all", plan, plan["tiers"]),
    ]:
        of_plan = (*head, what) if not rows else ("", "", "", "", what)
        rows.append((*of_plan, _terms(terms), plan["putBy"] if not rows else ""))
        for tier in (tiers or {"tiers": []})["tiers"]:
            above = f"{what}, from {yen(tier['volumeFrom'])} a month"
            rows.append(("", "", "", "", above, _terms(tier["terms"]), ""))
    return rows


def _comes_first(rule: Any) -> tuple[bool, ...]:
    """The order in which rules apply, where several do."""
    dated = bool(rule["fromDate"] or rule["toDate"])
    of_method = rule["method"] != "METHOD_UNSPECIFIED"
    return not rule["firstDays"], not dated, not rule["storeId"], not of_method


def _condition(rule: Any) -> str:
    parts = []
    if rule["firstDays"]:
        parts.append(f"first {rule['firstDays']} days")
    if rule["fromDate"] or rule["toDate"]:
        parts.append(f"{rule['fromDate'] or ''} to {rule['toDate'] or ''}".strip())
    if rule["storeId"]:
        parts.append(f"store {rule['storeId']}")
    if rule["method"] != "METHOD_UNSPECIFIED":
        parts.append(rule["method"])
    return ", ".join(parts) or "all"


def _terms(terms: Any) -> str:
    said = f"{terms['rateBasisPoints'] / 100:.2f} %"
    if terms["fixed"]:
        said += f" and {yen(terms['fixed'])}"
    if terms["minimum"]:
        said += f", at least {yen(terms['minimum'])}"
    if terms["maximum"]:
        said += f", at most {yen(terms['maximum'])}"
    return said


def _show(options: argparse.Namespace, answer: Any, lines: list[str]) -> int:
    if options.json:
        operate.show_json(answer)
    else:
        print("\n".join(lines))
    return 0


COMMANDS = {"plans": plans, "put-plan": put, "preview-plan": preview, "assign-plan": assign}

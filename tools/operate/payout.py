"""Pays merchants: fee plans, bank accounts, terms, transfers to the bank and what became of them, adjustments, books.

DATE is like 2026-11-30, or `today` (the open day), or `yesterday` (the one before it). What takes two
operators names them by --operator.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import sys
from pathlib import Path
from typing import Any

import fee_plans
import ledgers
import session as operate
import statements
from session import Misuse, Problem, Session, path, table, yen

CYCLES = ("daily", "weekly", "twice-a-month", "month-end", "on-demand")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ACCOUNT_TYPES = {"ordinary": 1, "current": 2, "savings": 4}


def main(arguments: list[str] | None = None) -> int:
    parser = operate.parser("payout", __doc__ or "")
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)

    fee_plans.add_actions(actions)

    part = operate.action(actions, "accounts", "a merchant's bank accounts")
    part.add_argument("merchant", metavar="MERCHANT")
    part = operate.action(actions, "put-account", "proposes the account that a merchant is paid to")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("--bank", required=True, metavar="CODE", help="four digits")
    part.add_argument("--branch", required=True, metavar="CODE", help="three digits")
    part.add_argument("--type", choices=tuple(ACCOUNT_TYPES), default="ordinary")
    part.add_argument("--number", required=True, metavar="DIGITS", help="seven digits")
    part.add_argument("--holder", required=True, metavar="KANA")
    part = operate.action(actions, "verify-account", "has the bank asked whether there is such an account")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("version", metavar="VERSION")
    part = operate.action(actions, "confirm-account", "confirms what another operator proposed")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("version", metavar="VERSION")

    part = operate.action(actions, "terms", "when a merchant is paid, and what it costs")
    part.add_argument("merchant", metavar="MERCHANT")
    part = operate.action(actions, "put-terms", "decides when a merchant is paid, from now on")
    part.add_argument("merchant", metavar="MERCHANT|all", help="all: those without their own")
    part.add_argument("--cycle", required=True, choices=CYCLES)
    part.add_argument("--weekday", choices=WEEKDAYS, help="of a weekly cycle")
    part.add_argument("--minimum", type=int, default=1, metavar="YEN")
    part.add_argument("--fee", type=int, default=0, metavar="YEN", help="of every payout, tax included")
    part.add_argument("--on-demand-fee", type=int, default=0, metavar="YEN", help="on top of it")

    part = operate.action(actions, "holds", "open holds, newest first")
    part.add_argument("merchant", metavar="MERCHANT", nargs="?", help="of this one only")
    part = operate.action(actions, "hold", "pays a merchant nothing until the hold is lifted")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("--note", required=True, type=operate.reason, help="why")
    part = operate.action(actions, "lift", "lifts a hold")
    part.add_argument("hold", metavar="HOLD")

    part = operate.action(actions, "run", "makes the transfers of a due date; again goes on or changes nothing")
    part.add_argument("date", metavar="DATE")
    part = operate.action(actions, "files", "writes the files of a transfer date for the bank, each once")
    part.add_argument("date", metavar="DATE")
    part.add_argument("--again", action="append", default=[], metavar="FILE",
                      help="the number of one to write though it was taken before: only if the bank surely has not "
                      "got it; may be given again")  # fmt: skip
    part.add_argument("--directory", default=".", metavar="DIR")
    part = operate.action(actions, "results", "takes in a result file of the bank")
    part.add_argument("file", metavar="FILE")
    part.add_argument(
        "--format",
        default="csv",
        help="csv, or zengin-statement: the paying account's statement (入出金取引明細)",
    )

    part = operate.action(actions, "balance", "what a merchant is owed, and what is on its way to it")
    part.add_argument("merchant", metavar="MERCHANT")
    part = operate.action(actions, "list", "a merchant's payouts, newest first")
    part.add_argument("merchant", metavar="MERCHANT")
    part = operate.action(actions, "show", "a payout with all its attempts")
    part.add_argument("payout", metavar="PAYOUT")
    part = operate.action(actions, "trace", "what a transfer is made of: days, adjustments, prices")
    part.add_argument("transfer", metavar="TRANSFER")
    part.add_argument("--payments", action="store_true", help="also every accrual of its days")
    part = operate.action(actions, "trace-payment", "in which transfers a payment is")
    part.add_argument("payment", metavar="PAYMENT")
    part = operate.action(actions, "request", "pays a merchant now; the same key is paid once")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("--key", required=True)
    part = operate.action(actions, "reissue", "makes a payout again that failed or came back")
    part.add_argument("payout", metavar="PAYOUT")
    part.add_argument("--attempt", type=int, required=True, metavar="N", help="the new one's number")

    part = operate.action(actions, "cancel", "takes back a transfer that is in no file yet, with its price")
    part.add_argument("transfer", metavar="TRANSFER")
    part.add_argument("--reason", required=True, type=operate.reason)

    part = operate.action(actions, "adjust", "asks for money to be given to a merchant, or taken")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("amount", type=int, metavar="YEN", help="negative: taken")
    part.add_argument("--reason", required=True, type=operate.reason)
    part.add_argument("--key", required=True, help="the same key is done once")
    part = operate.action(actions, "approve", "approves what another operator asked for")
    part.add_argument("adjustment", metavar="ADJUSTMENT")
    part = operate.action(actions, "decline", "declines an adjustment")
    part.add_argument("adjustment", metavar="ADJUSTMENT")
    part = operate.action(actions, "adjustments", "adjustments, newest first")
    part.add_argument("--merchant", metavar="MERCHANT")

    statements.add_actions(actions)

    part = operate.action(actions, "books", "the trial balance of a day")
    part.add_argument("date", metavar="DATE")
    part.add_argument("--csv", action="store_true", help="as CSV, on the standard output")
    part = operate.action(actions, "fees", "the fees of a day by plan and tax rate, and its tax")
    part.add_argument("date", metavar="DATE")
    part.add_argument("--csv", action="store_true", help="the lines by plan as CSV, on the standard output")
    part = operate.action(actions, "journal", "the journals of a day as CSV, on the standard output")
    part.add_argument("date", metavar="DATE")

    options = parser.parse_args(arguments)
    return operate.run(options, COMMANDS[options.action])


def show(options: argparse.Namespace, answer: Any, lines: list[str]) -> int:
    if options.json:
        operate.show_json(answer)
    else:
        print("\n".join(lines))
    return 0


def of_merchant(options: argparse.Namespace, *parts: str) -> str:
    return path("merchants", options.merchant, *parts)


def accounts(session: Session, options: argparse.Namespace) -> int:
    answer = session.get(of_merchant(options, "bank-accounts"))
    in_force = max((one["version"] for one in answer["accounts"] if one["confirmedBy"]), default=0)
    rows = [(*account_row(one), "yes" if one["version"] == in_force else "-") for one in answer["accounts"]]
    head = ("VERSION", "BANK", "BRANCH", "TYPE", "NUMBER", "HOLDER", "PUT BY", "CONFIRMED BY", "BANK SAYS", "PAID TO")
    return show(options, answer, [table(head, rows) if rows else "no bank account"])


def account_row(one: Any) -> tuple[str, ...]:
    types = {number: name for name, number in ACCOUNT_TYPES.items()}
    return (
        str(one["version"]), f"{one['bankCode']} {one['bankName']}",
        f"{one['branchCode']} {one['branchName']}", types.get(one["accountType"], "?"),
        one["accountNumber"], one["accountHolder"], one["putBy"], one["confirmedBy"] or "-",
        verification(one),
    )  # fmt: skip


def verification(account: Any) -> str:
    return " ".join(filter(None, (account["verification"], account["verificationReason"])))


def put_account(session: Session, options: argparse.Namespace) -> int:
    answer = session.post(of_merchant(options, "bank-accounts"), {
        "bankCode": options.bank, "branchCode": options.branch,
        "accountType": ACCOUNT_TYPES[options.type], "accountNumber": options.number,
        "accountHolder": options.holder,
    })  # fmt: skip
    said = f"version {answer['version']} of merchant {options.merchant}: {answer['accountHolder']}"
    said += " (confirmed)" if answer["confirmedBy"] else "; another operator has to confirm it"
    return show(options, answer, [said])


def verify_account(session: Session, options: argparse.Namespace) -> int:
    """0 when the bank says that there is such an account, of that holder."""
    answer = session.post(of_merchant(options, "bank-accounts", options.version, "verify"))
    verified = answer["verification"] == "VERIFIED"
    said = f"version {answer['version']} of merchant {options.merchant} is {verification(answer)}"
    if answer["verification"] == "UNAVAILABLE":
        said += "; the bank did not say: ask again"
    show(options, answer, [said])
    return 0 if verified else 1


def confirm_account(session: Session, options: argparse.Namespace) -> int:
    answer = session.post(of_merchant(options, "bank-accounts", options.version, "confirm"))
    return show(options, answer, [f"merchant {options.merchant} is paid to version {answer['version']} now"])


def terms(session: Session, options: argparse.Namespace) -> int:
    return show_terms(options, session.get(of_merchant(options, "payout-terms")))


def put_terms(session: Session, options: argparse.Namespace) -> int:
    wish = {
        "cycle": options.cycle.upper().replace("-", "_"),
        "weekday": 0 if options.weekday is None else WEEKDAYS.index(options.weekday) + 1,
        "minimumAmount": options.minimum, "transferFee": options.fee, "onDemandFee": options.on_demand_fee,
    }  # fmt: skip
    if options.merchant != "all":
        wish["merchantId"] = options.merchant
    return show_terms(options, session.post(path("payout-terms"), wish))


def show_terms(options: argparse.Namespace, answer: Any) -> int:
    own = answer["merchantId"] != "0"
    cycle = answer["cycle"].lower().replace("_", " ")
    if answer["weekday"]:
        cycle += f" on {WEEKDAYS[answer['weekday'] - 1]}"
    return show(options, answer, [
        f"terms     version {answer['version']}, " + ("its own" if own else "of all without their own"),
        f"cycle     {cycle}",
        f"minimum   {yen(answer['minimumAmount'])}",
        f"fee       {yen(answer['transferFee'])}, on demand {yen(answer['onDemandFee'])} more",
    ])  # fmt: skip


def holds(session: Session, options: argparse.Namespace) -> int:
    found = session.pages(path("payout-holds"), "holds", merchantId=options.merchant)
    rows = [
        (one["holdId"], one["merchantId"], "-" if one["payoutId"] == "0" else one["payoutId"], one["putBy"],
         one["note"])
        for one in found
    ]  # fmt: skip
    head = ("HOLD", "MERCHANT", "PAYOUT", "PUT BY", "NOTE")
    return show(options, found, [table(head, rows) if rows else "no open hold"])


def hold(session: Session, options: argparse.Namespace) -> int:
    answer = session.post(of_merchant(options, "payout-holds"), {"note": options.note})
    return show(options, answer, [f"hold {answer['holdId']}: merchant {options.merchant} is paid nothing"])


def lift(session: Session, options: argparse.Namespace) -> int:
    answer = session.post(path("payout-holds", options.hold, "lift"))
    return show(options, answer, [f"hold {answer['holdId']} is lifted"])


def run(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    answer = session.post(path("days", date, "transfers"))
    return show(options, answer, [
        f"due on {answer['dueDate']}: {answer['transferCount']:,} transfers over {yen(answer['amount'])}",
        f"  transfer date  {answer['transferDate']}",
        f"  held           {answer['heldCount']:,}",
        f"  below minimum  {answer['belowMinimumCount']:,}",
    ])  # fmt: skip


def files(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    directory = Path(options.directory)
    if not directory.is_dir():
        raise Misuse(f"--directory: there is no directory '{directory}'; make it first")
    answer = session.post(path("days", date, "transfer-files"))
    if unknown := set(options.again) - {batch["batchId"] for batch in answer["batches"]}:
        raise Misuse(f"{date} has no file {', '.join(sorted(unknown))}")
    lines = []
    for batch in answer["batches"]:
        sums = f"{batch['transferCount']:,} transfers over {yen(batch['amount'])}"
        try:
            again = "?again=true" if batch["batchId"] in options.again else ""
            content = session.content(path("transfer-files", batch["batchId"]) + again)
        except Problem as problem:
            if problem.code != "TRANSFER_FILE_TAKEN":
                raise
            lines.append(f"file {batch['batchId']} ({sums}) was taken before; if the bank has not got it: --again {batch['batchId']}")
            continue
        known = batch["fileHash"]
        if known and hashlib.sha256(content).hexdigest() != known:
            raise Problem(0, "TRANSFER_FILE_DIFFERS", f"batch {batch['batchId']} came as another file")
        target = directory / f"transfers-{batch['transferDate']}-{batch['batchId']}.txt"
        target.write_bytes(content)
        lines.append(f"{target}: {sums}")
    return show(options, answer, lines or [f"no transfers on {date}"])


def results(session: Session, options: argparse.Namespace) -> int:
    body = {"format": options.format, **result_file(options.file)}
    answer = session.post(path("transfer-results"), body)
    lines = [
        f"{name:<9} {answer[name]['count']:,} over {yen(answer[name]['amount'])}"
        for name in ("settled", "failed", "returned")
    ]
    return show(options, answer, [*lines, f"known     {answer['repeatedCount']:,}"])


def result_file(name: str) -> dict[str, str]:
    """As it is, line ends too: it is known again by its bytes. Statements of banks are no UTF-8."""
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise Misuse(f"'{name}' cannot be read: {error.strerror}") from None
    try:
        return {"content": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"contentBase64": base64.b64encode(content).decode("ascii")}


def balance(session: Session, options: argparse.Namespace) -> int:
    answer = session.get(of_merchant(options, "balance"))
    debt = ", which the next days' releases pay off" if answer["available"] < 0 else ""
    return show(options, answer, [
        f"merchant {answer['merchantId']}",
        f"  pending     {yen(answer['pending'])}, of days that are not released yet",
        f"  available   {yen(answer['available'])}{debt}",
        f"  in transit  {yen(answer['inTransit'])}",
    ])  # fmt: skip


def list_all(session: Session, options: argparse.Namespace) -> int:
    payouts = session.pages(of_merchant(options, "payouts"), "payouts")
    rows = [
        (one["payoutId"], one["requestKey"], yen(one["amount"]), yen(one["fee"] + one["tax"]),
         one["transfers"][-1]["state"], str(len(one["transfers"])))
        for one in payouts
    ]  # fmt: skip
    head = ("PAYOUT", "FOR", "AMOUNT", "PRICE", "STATE", "ATTEMPTS")
    return show(options, payouts, [table(head, rows, right=(2, 3, 5)) if rows else "no payouts"])


def show_payout(session: Session, options: argparse.Namespace) -> int:
    return show_one(options, session.get(path("payouts", options.payout)))


def request(session: Session, options: argparse.Namespace) -> int:
    return show_one(options, session.post(of_merchant(options, "payouts"), {"requestKey": options.key}))


def reissue(session: Session, options: argparse.Namespace) -> int:
    target = path("payouts", options.payout, "attempts")
    payout = session.post(target, {"attempt": options.attempt})
    status = show_one(options, payout)
    *before, latest = payout["transfers"]
    if not options.json and before and before[-1]["bankAccountVersion"] == latest["bankAccountVersion"]:
        print(
            f"note: it goes to the account that attempt {before[-1]['attempt']} failed to reach; if that is wrong, "
            f"cancel transfer {latest['transferId']} and confirm another account first"
        )
    return status


def cancel(session: Session, options: argparse.Namespace) -> int:
    target = path("transfers", options.transfer, "cancel")
    return show_one(options, session.post(target, {"reason": options.reason}))


def show_one(options: argparse.Namespace, payout: Any) -> int:
    rows = [
        (one["transferId"], str(one["attempt"]), one["transferDate"], one["state"], one["reason"] or "-",
         str(one["bankAccountVersion"]), "-" if one["batchId"] == "0" else one["batchId"], one["requestedBy"])
        for one in payout["transfers"]
    ]  # fmt: skip
    head = ("TRANSFER", "ATTEMPT", "DATE", "STATE", "REASON", "ACCOUNT", "FILE", "BY")
    price = f"{yen(payout['fee'])} and {yen(payout['tax'])} tax"
    if payout["cancelled"]:
        price += ", given back"
    return show(options, payout, [
        f"payout {payout['payoutId']} of merchant {payout['merchantId']}: {yen(payout['amount'])}, for {price}",
        table(head, rows),
    ])  # fmt: skip


def trace(session: Session, options: argparse.Namespace) -> int:
    answer = session.get(path("transfers", options.transfer, "trace"))
    transfer, parts = answer["transfer"], answer["parts"]
    rows = [
        (part_name(part), yen(part["amount"]), *of_release(part)) for part in parts
    ]  # fmt: skip
    head = ("OF", "AMOUNT", "DAY'S GROSS", "FEE", "TAX", "NET", "ACCRUALS")
    lines = [
        f"transfer {transfer['transferId']} of payout {answer['payoutId']} to merchant "
        f"{answer['merchantId']}, attempt {transfer['attempt']}: {transfer['state']}",
        table(head, rows, right=range(1, 7)),
        f"in all {yen(sum(part['amount'] for part in parts))}",
    ]
    if options.payments:
        answer["accruals"] = {}
        for part in parts:
            if part["kind"] != "RELEASE":
                continue
            day = part["businessDate"]
            found = session.pages(
                path("merchants", answer["merchantId"], "days", day, "accruals"), "accruals"
            )
            answer["accruals"][day] = found
            lines += ["", f"accruals of {day}", accrual_table(found)]
    return show(options, answer, lines)


def part_name(part: Any) -> str:
    if part["kind"] == "RELEASE":
        return str(part["businessDate"])
    what = "price of transfer" if part["kind"] == "PRICE" else "adjustment"
    return f"{what} {part['objectId']}"


def of_release(part: Any) -> tuple[str, ...]:
    if part["kind"] != "RELEASE":
        return ("-",) * 5
    sums = [yen(part[name]) for name in ("gross", "fee", "tax", "net")]
    return (*sums, f"{part['accrualCount']:,}")


def accrual_table(accruals: list[Any]) -> str:
    rows = [
        (one["paymentId"], str(one["version"]), one["businessDate"], yen(one["gross"]), yen(one["fee"]))
        for one in accruals
    ]
    return table(("PAYMENT", "VERSION", "DAY", "GROSS", "FEE"), rows, right=(1, 3, 4))


def trace_payment(session: Session, options: argparse.Namespace) -> int:
    answer = session.get(path("payments", options.payment, "trace"))
    lines = [
        f"payment {answer['paymentId']} of merchant {answer['merchantId']}",
        accrual_table(answer["accruals"]),
    ]
    for day in answer["days"]:
        if not day["released"]:
            lines.append(f"\n{day['businessDate']}: not released yet")
            continue
        lines.append(f"\n{day['businessDate']}: {yen(day['net'])} were released of the day")
        rows = [
            (one["transfer"]["transferId"], one["payoutId"], one["transfer"]["transferDate"],
             one["transfer"]["state"], yen(one["amount"]))
            for one in day["paid"]
        ]  # fmt: skip
        if rows:
            head = ("TRANSFER", "PAYOUT", "DATE", "STATE", "OF THE DAY")
            lines.append(table(head, rows, right=(4,)))
        if day["left"] or not rows:
            lines.append(f"in no transfer: {yen(day['left'])}")
    return show(options, answer, lines)


def adjust(session: Session, options: argparse.Namespace) -> int:
    wish = {"requestKey": options.key, "amount": options.amount, "reason": options.reason}
    return show_adjustment(options, session.post(of_merchant(options, "adjustments"), wish))


def decide(session: Session, options: argparse.Namespace) -> int:
    target = path("adjustments", options.adjustment, "decision")
    return show_adjustment(options, session.post(target, {"decision": options.action.upper()}))


def show_adjustment(options: argparse.Namespace, answer: Any) -> int:
    return show(options, answer, [
        f"adjustment {answer['adjustmentId']} of merchant {answer['merchantId']}: {yen(answer['amount'])}, "
        f"{answer['state']}" + ("; another operator has to approve it" if answer["state"] == "REQUESTED" else ""),
    ])  # fmt: skip


def adjustments(session: Session, options: argparse.Namespace) -> int:
    found = session.pages(path("adjustments"), "adjustments", merchantId=options.merchant)
    rows = [
        (one["adjustmentId"], one["merchantId"], yen(one["amount"]), one["state"], one["requestedBy"],
         one["decidedBy"] or "-", one["reason"])
        for one in found
    ]  # fmt: skip
    head = ("ADJUSTMENT", "MERCHANT", "AMOUNT", "STATE", "REQUESTED BY", "DECIDED BY", "REASON")
    return show(options, found, [table(head, rows, right=(2,)) if rows else "no adjustments"])


def books(session: Session, options: argparse.Namespace) -> int:
    """0 when they balance."""
    date = operate.day(session, options.date)
    answer = session.get(path("days", date, "trial-balance"))
    if options.csv:
        ledgers.write_balances(date, {"payout": answer["lines"]})
        return 0 if ledgers.balances(answer["lines"]) else 1
    state = "final" if answer["final"] else "the day goes on"
    if not answer["final"] and answer["journalsFinal"]:
        state = "journals are final"
    show(options, answer, [f"merchant ledger on {date} ({state})", ledgers.balance_table(answer["lines"])])
    return 0 if ledgers.balances(answer["lines"]) else 1


def fees(session: Session, options: argparse.Namespace) -> int:
    """0 when the rows say what is booked."""
    date = operate.day(session, options.date)
    answer = session.get(path("days", date, "fees"))
    agree = all(rate["sums"]["fee"] == rate["bookedFee"] for rate in answer["rates"])
    if options.csv:
        fees_as_csv(date, answer)
    else:
        show(options, answer, fee_lines(date, answer))
    if not agree:
        print("kessai: the accrual rows are not what is booked: ./kessai release DATE --deep --dry-run tells whose",
              file=sys.stderr)  # fmt: skip
    return 0 if agree else 1


FEE_SUMS = ("accrualCount", "gross", "charged", "returnCount", "givenBack", "fee")


def fees_as_csv(date: str, answer: Any) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("business_date", "owner", "merchant", "plan", "version", "plans", "tax_class", "accruals", "gross",
                  "charged", "returns", "given_back", "fee"))  # fmt: skip
    for line in answer["lines"]:
        out.writerow((date, line["owner"], line["merchantId"], line["planId"], line["planVersion"], line["planCount"],
                      line["taxClass"], *(line["sums"][name] for name in FEE_SUMS)))  # fmt: skip


def fee_lines(date: str, answer: Any) -> list[str]:
    state = "final" if answer["final"] else "it may still change"
    shown = [f"fees of {date} ({state})"]
    rows = [(plan_name(line), line["taxClass"], *fee_cells(line["sums"])) for line in answer["lines"]]
    head = ("ACCRUALS", "GROSS", "CHARGED", "RETURNS", "GIVEN BACK", "FEE")
    if rows:
        shown.append(table(("PLAN", "RATE", *head), rows, right=range(2, 8)))
    rates = [
        (rate["taxClass"], *fee_cells(rate["sums"]), yen(rate["releasedFee"]), yen(rate["tax"]))
        for rate in answer["rates"]
    ]
    if rates:
        shown += ["", table(("RATE", *head, "RELEASED FEE", "TAX"), rates, right=range(1, 9))]
    prices = answer["payoutPrices"]
    return [
        *shown, "",
        f"price of {prices['count']:,} payouts  {yen(prices['fee'])}, tax {yen(prices['tax'])}",
        f"fee revenue       {yen(answer['feeRevenue'])}",
        f"consumption tax   {yen(answer['consumptionTax'])}",
    ]  # fmt: skip


def fee_cells(sums: Any) -> tuple[str, ...]:
    return tuple(
        f"{sums[name]:,}" if name.endswith("Count") else yen(sums[name]) for name in FEE_SUMS
    )


def plan_name(line: Any) -> str:
    if line["owner"] == "NOBODY":
        return "no plan"
    if line["planId"] == "0":
        return f"{line['planCount']:,} own plans"
    of = f" of merchant {line['merchantId']}" if line["owner"] == "MERCHANT" else f", {line['owner'].lower()}"
    return f"{line['planId']} version {line['planVersion']}{of}"


def journal(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    found = session.each(path("days", date, "journal"), "entries", pageSize=1000)
    if options.json:
        operate.show_json(list(found))
        return 0
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("business_date", "kind", "journal", "object", "merchant", "account", "amount"))
    for entry in found:
        for posting in entry["postings"]:
            out.writerow((date, entry["kind"], entry["journalId"], entry["objectId"], entry["merchantId"],
                          posting["account"], posting["amount"]))  # fmt: skip
    return 0


COMMANDS = {
    "accounts": accounts, "put-account": put_account, "verify-account": verify_account,
    "confirm-account": confirm_account,
    "terms": terms, "put-terms": put_terms, "holds": holds, "hold": hold, "lift": lift,
    "run": run, "files": files, "results": results, "balance": balance,
    "list": list_all, "show": show_payout, "request": request, "reissue": reissue, "cancel": cancel,
    "trace": trace, "trace-payment": trace_payment,
    "adjust": adjust, "approve": decide, "decline": decide, "adjustments": adjustments,
    "books": books, "fees": fees, "journal": journal,
    **fee_plans.COMMANDS, **statements.COMMANDS,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

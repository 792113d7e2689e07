"""What the operator's commands share: signing in, asking the gateway, dates, tables and refusals."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence
from urllib.parse import quote, urlencode

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))

from kessai_client.bearer import Operator, Refused  # noqa: E402
from kessai_client.http import Answer, Http  # noqa: E402

# What a refusal's code means for whoever typed the command.
REMEDIES = {
    "DAY_NOT_CURRENT": "./kessai day status shows which day is open",
    "DAY_NOT_OVER": "nothing: it closes by itself at midnight in Japan; to close it all the same, "
    "with its date and for good: ./kessai day close DATE --early",
    "CHANGE_UNKNOWN": "an event is named by its object and version, OBJECT/VERSION: ./kessai audit and "
    "./kessai recon show name them",
    "DAY_OPEN": "a day closes when it is over, or by ./kessai day close DATE; all have heard a moment later",
    "DAY_UNKNOWN": "payout has not heard of that day: ./kessai day status DATE",
    "RELEASE_RUNNING": "wait for it; ./kessai release DATE --progress shows how far it is",
    "NOTHING_TO_RESUME": "./kessai release DATE begins one, or releases those that were held back",
    "RUN_RUNNING": "wait for it: ./kessai recon status DATE",
    "RUN_UNKNOWN": "it was never compared: ./kessai recon run DATE",
    "DEAD_LETTER_UNKNOWN": "./kessai dlq --state all lists those there are",
    "DEAD_LETTER_SETTLED": "nothing is left to do; ./kessai dlq show NAME has its history",
    "TOPIC_NOT_CONSUMED": "names are SERVICE/TOPIC/PARTITION/OFFSET, as ./kessai dlq lists them",
    "SCOPE_MISSING": "the operator's roles do not allow it: operator_auth.roles of the gateway",
    "UNAVAILABLE": "./kessai status shows which process is not ready",
    "PLAN_IN_PAST": "it begins tomorrow at the earliest, and later than the open day: fees that were charged stay",
    "PLAN_OVERLAPS": "./kessai payout plans MERCHANT shows what there is; --plan PLAN puts the next version of it",
    "PLAN_UNKNOWN": "./kessai payout plans shared lists those that merchants can be put under",
    "PREVIEW_TOO_LARGE": "fewer days: --from and --to",
    "NOT_A_BUSINESS_DAY": "banks are closed then; run the next day on which they are not: it pays who was due meanwhile",
    "NOTHING_TO_PAY": "./kessai payout balance MERCHANT; what is paid is above the price and the minimum of its terms",
    "SAME_OPERATOR": "somebody else has to: --operator NAME",
    "TRACE_UNKNOWN": "nothing: the merchant was paid by a version that noted too little to tell",
    "BANK_ACCOUNT_MISSING": "./kessai payout put-account, and another operator confirms it",
    "BANK_ACCOUNT_UNVERIFIED": "./kessai payout verify-account MERCHANT VERSION, until its bank has verified it",
    "VERIFIER_MISSING": "accounts.verifier_url of payout says where a bank is asked",
    "TRANSFER_IN_FILE": "the bank may have it: its result tells what becomes of it",
    "PAYOUT_CANCELLED": "nothing is owed for it: the next due date, or payout request, pays what is available",
    "PAYOUT_HELD": "./kessai payout holds MERCHANT shows why; lift, or reissue what failed",
    "PROFILE_MISSING": "./kessai payout put-profile MERCHANT --invoice-name NAME",
    "STATEMENT_NOT_FINAL": "./kessai day status DATE and ./kessai release DATE --help; a month has to be over first",
    "STATEMENT_NOT_ISSUED": "there is nothing to correct: ./kessai payout issue-statement MERCHANT MONTH",
    "STATEMENT_UNCHANGED": "put what it should say first: ./kessai payout put-profile, or statements.* of payout",
    "STATEMENT_OUT_OF_TURN": "./kessai payout statement MERCHANT MONTH shows the latest version",
    "STATEMENT_FILE_DAMAGED": "do not send it; ./kessai audit tells which rows were changed",
    "TRANSFER_FILE_DIFFERS": "do not send it; ./kessai audit tells which rows were changed",
    "RESULT_FILE_IMPORTED": "nothing is left to do",
    "DUE_DATE_TOO_OLD": "./kessai payout run with the latest due date: it pays all that is available",
    "TRANSFER_DATE_TOO_EARLY": "the transfer date is what ./kessai payout run said",
    "OUTCOME_UNKNOWN": "./kessai status shows which process is not ready; then the same again",
    "OUTSIDE_ACCOUNT_UNKNOWN": "./kessai recon outside lists the accounts; outside.accounts of reconciliation makes them",
    "OUTSIDE_RULES_MISSING": "./kessai recon outside put-rules ACCOUNT FILE.yaml",
    "OUTSIDE_RUN_TOO_LARGE": "fewer days: --from and --to",
    "OUTSIDE_MATCH_UNKNOWN": "./kessai recon outside list lists those there are",
    "OUTSIDE_ITEM_UNKNOWN": "./kessai recon outside unmatched ACCOUNT lists items",
    "OUTSIDE_STATE_NOT_ALLOWED": "./kessai recon outside show MATCH shows where it stands",
    "OUTSIDE_ITEM_MATCHED": "./kessai recon outside show MATCH names the items; unmatch what took them first",
    "STATEMENT_TEMPLATE_UNKNOWN": "./kessai recon outside put-template NAME FILE.yaml",
    "STATEMENT_ACCOUNT_WRONG": "outside.accounts of reconciliation has the accounts and their numbers",
    "STATEMENT_FILE_MALFORMED": "--format says which kind of file it is; nothing of it was taken in",
    "BODY_TOO_LARGE": "a smaller file, or limits.result_bytes_max of the gateway",
    "STATEMENT_FILE_TOO_LARGE": "fewer days in a file, or outside.file_bytes_max and limits.result_bytes_max",
    "STATEMENT_ENCODING_WRONG": "a template's `encoding` says how separated values are written; camt.053 is UTF-8",
    "STATEMENT_TOTALS_WRONG": "nothing of it was taken in: ask the bank for the file again",
    "STATEMENT_FILE_INCOMPLETE": "nothing of it was taken in: ask the bank for the file again",
    "TEMPLATE_UNKNOWN": "./kessai recon files templates lists those there are",
    "TEMPLATE_BUILT_IN": "./kessai recon files template NAME > FILE, and put it under a name of its own",
    "MERCHANT_UNKNOWN": "a merchant is there once PUT /operator/v1/merchants/ID named it",
    "FILES_NOT_ASSIGNED": "./kessai recon files assign TEMPLATE MERCHANT… --from DATE",
    "DAY_NOT_CLOSED": "a day closes when it is over, or by ./kessai day close DATE; its files can be made a moment later",
    "FILE_RUN_RUNNING": "wait for it: ./kessai recon files runs",
    "FILE_RUN_ENDED": "it is done: ./kessai recon files again makes its files anew",
    "DAY_NOT_KEPT": "files.keep_records of reconciliation says how long it is known what there was",
    "FILES_NOT_MADE": "./kessai recon files make TEMPLATE DATE makes them first",
    "FILE_UNKNOWN": "./kessai recon files list",
    "FILE_EXPIRED": "its content is kept for files.keep of reconciliation; ./kessai recon files again makes it anew",
    "FILE_DAMAGED": "do not send it; ./kessai recon files again --force makes a new version of it",
    "STORE_FULL": "make room where file_store of reconciliation says; the run goes on by itself",
    "STORE_GONE": "file_store of reconciliation says where files are kept: is it mounted, is it there?",
    "DISCREPANCY_UNKNOWN": "./kessai recon list --state ALL lists those there are",
    "STATE_NOT_ALLOWED": "./kessai recon show ID shows where it stands",
    "REPAIR_NOT_ALLOWED": "./kessai recon show ID has the evidence; recon repair --help the kinds there are",
    "ALREADY_REPAIRED": "nothing is left to do",
    "REPAIR_UNDER_WAY": "./kessai recon repairs ID shows how far it is",
    "REPAIR_UNKNOWN": "./kessai recon repairs ID lists those there are",
    "REPAIR_DECIDED": "./kessai recon repairs ID shows who decided, and what came of it",
    "EVENT_DIFFERS": "./kessai audit names the row of payment that was changed",
    "DAY_CLOSED": "a correcting journal is the way: --kind CORRECTING_JOURNAL",
}


class Problem(Exception):
    """The stack refused, as problem details; `retry_after_s` when it says that asking again helps."""

    def __init__(
        self, status: int, code: str, detail: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{detail} ({code})" if detail else code)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s


class Misuse(Exception):
    """The command's own arguments make no sense."""


class Session:
    """Asks the gateway's operator interface. `send` is Http.send of whoever is signed in."""

    def __init__(self, send: Callable[..., Answer]) -> None:
        self._send = send

    @staticmethod
    def open(stack_file: str, operator: str) -> "Session":
        gateway = json.loads(Path(stack_file).read_text())
        http = Http(gateway["gateway"]["url"], gateway["tls"]["ca_file"], timeout_s=40)
        try:
            return Session(Operator.sign_in(http, operator).call)
        except Refused as error:
            raise Problem(0, "SIGN_IN_FAILED", str(error)) from error

    def get(self, path: str, **query: Any) -> Any:
        asked = {name: value for name, value in query.items() if value not in (None, "")}
        try:
            return self._answer(self._send("GET", path + ("?" + urlencode(asked) if asked else "")))
        except Problem as problem:
            if problem.code == "OUTCOME_UNKNOWN":  # of a read there is no outcome to wonder about
                detail = "the service that knows does not answer"
                raise Problem(problem.status, "UNAVAILABLE", detail) from None
            raise

    def content(self, path: str) -> bytes:
        """The bytes of a file."""
        answer = self._send("GET", path)
        if answer.status // 100 != 2:
            self._answer(answer)
        return answer.body

    def save(self, path: str, sink: Callable[[bytes], object]) -> None:
        """Gives the bytes of a file to `sink` as they come; whether they are all is its to know."""
        answer = self._send("GET", path, sink=sink)
        if answer.status // 100 != 2:
            self._answer(answer)

    def post(self, path: str, content: Any = None) -> Any:
        return self._answer(self._send("POST", path, content))

    def put(self, path: str, content: Any) -> Any:
        return self._answer(self._send("PUT", path, content))

    def patch(self, path: str, content: Any) -> Any:
        return self._answer(self._send("PATCH", path, content))

    def pages(self, path: str, items: str, **query: Any) -> list[Any]:
        """All of a list that comes in pages."""
        return list(self.each(path, items, **query))

    def each(self, path: str, items: str, **query: Any) -> Iterator[Any]:
        """The same one by one, a page at a time: for lists that are long."""
        token = ""
        while True:
            page = self.get(path, **query, pageToken=token)
            yield from page[items]
            token = page["nextPageToken"]
            if not token:
                return

    @staticmethod
    def _answer(answer: Answer) -> Any:
        try:
            content = answer.json()
        except ValueError:
            content = {}
        if answer.status // 100 == 2:
            return content
        wait = answer.headers.get("retry-after", "")
        raise Problem(
            answer.status,
            str(content.get("code", f"HTTP_{answer.status}")),
            str(content.get("detail", answer.text()[:300])),
            float(wait) if wait.isdecimal() else None,  # a date is never sent
        )


def parser(prog: str, summary: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=f"./kessai {prog}", description=summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    made.add_argument("--stack-file", required=True, help=argparse.SUPPRESS)
    made.set_defaults(operator=default_operator(), json=False)
    _shared_arguments(made)
    return made


def action(actions: Any, name: str, summary: str) -> argparse.ArgumentParser:
    """One of a command's actions; what all take may stand before or behind it."""
    part: argparse.ArgumentParser = actions.add_parser(name, help=summary, description=summary)
    _shared_arguments(part)
    return part


def reason(text: str) -> str:
    """The type of an argument that says why: one that says nothing is refused."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is kept for those who ask later: say why")
    return text


def _shared_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument("--operator", default=argparse.SUPPRESS, metavar="NAME",
                      help=f"who does it, for the audit trail (default: {default_operator()})")  # fmt: skip
    part.add_argument("--json", action="store_true", default=argparse.SUPPRESS,
                      help="print the answers as JSON")  # fmt: skip


def default_operator() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def run(options: argparse.Namespace, command: Callable[[Session, argparse.Namespace], int]) -> int:
    """Runs a command; what stops it is told in one line, with what to do about it."""
    try:
        return command(Session.open(options.stack_file, options.operator), options)
    except Problem as problem:
        text, remedy = str(problem), REMEDIES.get(problem.code, "")
    except Misuse as error:
        text, remedy = str(error), "--help shows how"
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        text, remedy = f"the gateway cannot be reached: {error}", "./kessai status; ./kessai up"
    sys.stdout.flush()
    print(f"kessai: {text}", file=sys.stderr)
    if remedy:
        print(f"  what to do: {remedy}", file=sys.stderr)
    return 1


def day(session: Session, text: str) -> str:
    """"2026-11-22" of what was typed: a date, `today` (the open day) or `yesterday` (before it)."""
    if text in ("today", "yesterday"):
        opened = date.fromisoformat(session.get("/operator/v1/days/today")["businessDate"])
        return str(opened if text == "today" else opened - timedelta(days=1))
    try:
        return str(date.fromisoformat(text))
    except ValueError:
        raise Misuse(f"'{text}' is no date like 2026-11-22, today or yesterday") from None


def path(*parts: str) -> str:
    return "/operator/v1/" + "/".join(quote(part, safe="") for part in parts)


def age(instant: str | None, now: datetime | None = None) -> str:
    """How long ago an RFC 3339 time was: "5 s", "12 m", "3 h", "4 d"."""
    if not instant:
        return "-"
    then = datetime.fromisoformat(instant.replace("Z", "+00:00"))
    seconds = max(0, int(((now or datetime.now(timezone.utc)) - then).total_seconds()))
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "m"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86_400} d"


def yen(amount: int | None) -> str:
    return "-" if amount is None else f"{amount:,} yen"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Columns as wide as they need; those of `right` end together."""
    lines = [list(head), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    shown = []
    for line in lines:
        cells = [
            cell.rjust(widths[at]) if at in right else cell.ljust(widths[at])
            for at, cell in enumerate(line)
        ]
        shown.append("  ".join(cells).rstrip())
    return "\n".join(shown)


def show_json(content: Any) -> None:
    print(json.dumps(content, indent=2, ensure_ascii=False))

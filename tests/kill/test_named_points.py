"""Death at the named points: between commit and reply, publish and delete, apply and offset.

Goal: the moments at which a death is hardest to get right are hit, each of them, not by luck.
Method: the `faults` build of the services, in which each of these moments has a name. Every service is
armed with all of its points, dies once at each, at a pass drawn by the seed, and is started again by
runit, under the same load and with the same judgement as at random moments. Meanwhile users sign in, a
fee plan is put, the day is closed, released and compared, and merchants are paid, so that the points of
those are passed.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import random
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from callers import NewUsers, insist
from conftest import Report
from kessai_client import waiting
from kessai_client.bearer import Operator
from kessai_client.http import Http
from kessai_client.stack_file import StackFile
from steady_load import SteadyLoad
from test_random_deaths import AND_ALSO, PAYMENTS_PER_S
from verdict import judge, only_deaths_of_ours
from victims import Death, Victims, faults_build_is_there

# Service and point -> between which passes it strikes. Those of the load are passed all the time.
OFTEN = (5, 60)
# An outbox that is delivered is emptied every two seconds.
SELDOM = (1, 8)
ONCE = (1, 1)
POINTS = {
    "payment": {
        "payment.after_commit": OFTEN,
        "outbox.after_publish": SELDOM,
        "inbox.after_apply": OFTEN,
        "inbox.after_commit": OFTEN,
        "payment.close_day.after_commit": ONCE,
    },
    "payout": {
        "outbox.after_publish": SELDOM,
        "inbox.after_apply": OFTEN,
        "inbox.after_commit": OFTEN,
        "payout.accrue.before_commit": OFTEN,
        "payout.accrue.after_commit": OFTEN,
        "payout.plan.after_commit": ONCE,
        "payout.close.before_commit": ONCE,
        "payout.close.after_commit": ONCE,
        "payout.release.before_chunk_commit": ONCE,
        "payout.release.after_chunk_commit": ONCE,
        "payout.release.before_finish": ONCE,
        "payout.release.after_finish": ONCE,
        "payout.transfers.before_chunk_commit": ONCE,
        "payout.transfers.after_chunk_commit": ONCE,
        "payout.cancel.before_commit": ONCE,
        "payout.results.before_commit": ONCE,
    },
    "reconciliation": {
        "inbox.after_apply": OFTEN,
        "inbox.after_commit": OFTEN,
        "outbox.after_publish": ONCE,
        "reconciliation.before_run_finished": ONCE,
        "reconciliation.after_run_finished": ONCE,
        "reconciliation.before_payout_check_finished": ONCE,
        "reconciliation.import.after_chunk": ONCE,
        "reconciliation.import.before_commit": ONCE,
        "reconciliation.import.after_commit": ONCE,
        "reconciliation.outside_run.before_commit": ONCE,
        "reconciliation.file_run_ordered": ONCE,
        "reconciliation.file_stored": ONCE,
        "reconciliation.files_noted": ONCE,
        "reconciliation.before_file_run_ended": ONCE,
    },
    "gateway": {
        "gateway.sign_in.after_commit": (2, 20),
        "inbox.after_apply": OFTEN,
        "inbox.after_commit": OFTEN,
    },
}
# Not passed while all is well: the gateway's outbox has dead letters only, a bucket is compared row by
# row when books differ, and only then is there something to repair (test_repair_points.py) or to find
# against payout (test_check_points.py).
# Files' contents are kept longer than a test runs.
NOT_PASSED = {
    "gateway": {"outbox.after_publish"},
    "payout": {"payout.correction.between_parts"},
    "reconciliation": {
        "reconciliation.after_bucket",
        "reconciliation.after_payout_findings",
        "reconciliation.file_content_removed",
        "reconciliation.repair.before_effect",
        "reconciliation.repair.after_effect",
        "reconciliation.repair.after_carried_out",
    },
}

_STRIKES_WITHIN_S = 120.0
# A file's time is that of the kernel's last tick.
_TICK_US = 5_000


class Marks:
    """What struck: a point leaves a file before it kills."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.deaths: dict[tuple[str, str], int] = {}  # when, in microseconds since 1970

    def of(self, service: str) -> Path:
        made = self._directory / service
        made.mkdir(parents=True, exist_ok=True)
        return made

    def look(self) -> None:
        for service in POINTS:
            for file in self.of(service).iterdir():
                point = file.name.rpartition(".")[0]
                at_us = file.stat().st_mtime_ns // 1000 + _TICK_US
                self.deaths[(service, point)] = at_us

    def await_strikes(self, wanted: set[tuple[str, str]]) -> None:
        deadline = time.monotonic() + _STRIKES_WITHIN_S
        while True:
            self.look()
            missing = wanted - set(self.deaths)
            if not missing:
                return
            assert time.monotonic() < deadline, f"never reached: {sorted(missing)}"
            time.sleep(0.02)


@pytest.fixture
def armed(victims: Victims) -> Iterator[list[str]]:
    """Services that run their `faults` build; at the end they run what they did before."""
    services: list[str] = []
    yield services
    for service in services:
        victims.restart_plain(service)
        victims.await_serving(service)


def hot(service: str) -> set[tuple[str, str]]:
    return {(service, point) for point, passes in POINTS[service].items() if passes is not ONCE}


def test_named_points(
    victims: Victims,
    armed: list[str],
    load: SteadyLoad,
    binaries: Path,
    stack_file: Path,
    directory: Path,
    seed: int,
    report: Report,
) -> None:
    assert faults_build_is_there(), "./kessai test kill builds it"
    for service, points in POINTS.items():
        named = set(points) | NOT_PASSED.get(service, set())
        assert named == set(victims.fault_points(service)), f"{service} has other points than these"
    chance = random.Random(seed)
    report.line(f"kill -9 at the named points, seed {seed}")
    stack = StackFile.read(stack_file)
    http = Http(stack.url, stack.ca_file, timeout_s=10)
    before = {name: victims.ends(name) for name in POINTS}
    load.start(PAYMENTS_PER_S, AND_ALSO)
    load.await_requests(500)

    marks = Marks(directory / "test_named_points" / f"marks-{seed}")
    for service, points in POINTS.items():
        faults = [f"{point}:{chance.randint(*passes)}" for point, passes in points.items()]
        armed.append(service)
        victims.restart_armed(service, faults, marks.of(service))
    users = NewUsers(http, f"kill-{seed}")
    users.start()
    try:
        marks.await_strikes(set().union(*(hot(service) for service in POINTS)))
        operate(stack, http, seed, marks, report)
    finally:
        users.stop()
    report.line(f"  {users.finish()} users signed in, each is one")
    everything = {(service, point) for service, points in POINTS.items() for point in points}
    marks.await_strikes(everything)
    for service in POINTS:
        victims.await_serving(service)

    deaths: list[Death] = []
    for (service, point), at_us in sorted(marks.deaths.items()):
        deaths.append(Death(service, at_us, load.tail.in_flight_at(at_us)))
        report.line(f"  {service:<16} died at {point:<38} in flight {deaths[-1].in_flight}")
    # A moment without a request under way is possible here: the pass was chosen, not the moment.
    judge(load, [death for death in deaths if death.in_flight > 0], binaries, stack_file, report)
    assert load.tail.in_flight_at(marks.deaths[("payment", "payment.after_commit")]) > 0
    killed = {service: len(points) for service, points in POINTS.items()}
    only_deaths_of_ours(victims, before, killed, stopped=1)


def operate(stack: StackFile, http: Http, seed: int, marks: Marks, report: Report) -> None:
    """What finance does: puts a plan, closes the day, releases it, has it compared, and pays merchants."""
    operator = operator_named(http, "kill-operator")
    day = str(_one(stack, "payment", "SELECT MIN(business_date) FROM gate"))

    merchant = 2_000_000_000 + seed % 1_000_000_000
    plan = {
        "merchantId": str(merchant),
        "currency": "JPY",
        "rateBasisPoints": 250,
        "effectiveFrom": str(datetime.date.fromisoformat(day) + datetime.timedelta(days=10)),
    }
    insist("fee plan", lambda: operator.call("POST", "/operator/v1/fee-plans", plan), 200)
    versions = _one(stack, "payout", "SELECT COUNT(*) FROM fee_plan WHERE merchant_id = %s", merchant)
    assert versions == 1, f"the plan was put {versions} times"

    path = f"/operator/v1/days/{day}"
    insist("close", lambda: operator.call("POST", f"{path}/close", {"early": True}), 200)
    count = "SELECT COUNT(*) FROM"
    waiting.until(
        "payout closes the day",
        lambda: _one(stack, "payout", f"{count} payout_day WHERE business_date = %s AND state > 1", day)
        or None,
        _STRIKES_WITHIN_S,
    )
    # 409 while a release is under way: also that of a process which has just died.
    insist("release", lambda: operator.call("POST", f"{path}/release"), 200, again=(409,))
    rounds = f"{count} release_round WHERE business_date = %s"
    waiting.until(
        "the release ends",
        lambda: _one(stack, "payout", f"{rounds} AND finished_at_us IS NOT NULL", day) or None,
        _STRIKES_WITHIN_S,
    )
    assert _one(stack, "payout", rounds, day) == 1, "the day was released more than once"
    waiting.until(
        "reconciliation finds the day equal",
        lambda: _one(
            stack, "reconciliation", f"{count} day_run WHERE business_date = %s AND state = 2", day
        )
        or None,
        _STRIKES_WITHIN_S,
    )
    marks.look()
    report.line(f"  {day} closed, released and compared")
    make_files(stack, operator, day, report)
    pay_merchants(stack, operator, operator_named(http, "kill-approver"), day, report)
    take_in_statement(stack, operator, report)
    marks.look()


def operator_named(http: Http, name: str) -> Operator:
    token = insist(
        "operator's token",
        lambda: http.send(
            "POST",
            "/dev/v1/operator-token",
            {"Content-Type": "application/json"},
            json.dumps({"sub": name}).encode(),
        ),
        200,
    )["token"]
    return Operator(http, str(token))


def make_files(stack: StackFile, operator: Operator, day: str, report: Report) -> None:
    """Each merchant's file of the day, asked for until all are made; each is made, and told of, once."""
    everybody = {"mode": "ON_DEMAND", "fromDate": day}
    assign = "/operator/v1/file-templates/instant/assignments"
    insist("assignment", lambda: operator.call("PUT", assign, everybody), 200)
    order = {"template": "instant", "businessDate": day}
    run = insist("files", lambda: operator.call("POST", "/operator/v1/file-runs", order), 200)
    path = f"/operator/v1/file-runs/{run['runId']}"

    def ended() -> Any:
        said = insist("run of files", lambda: operator.call("GET", path), 200)
        return said if said["state"] == "DONE" else None

    run = waiting.until("the files are made", ended, _STRIKES_WITHIN_S)
    totals = "SELECT DISTINCT merchant_id FROM matched_day_total WHERE business_date"
    # Of those who were paid before, but not on this day, an empty file is made.
    known = set(_all(stack, "reconciliation", f"{totals} <= %s", day))
    paid = set(_all(stack, "reconciliation", f"{totals} = %s", day))
    merchants = len(known)
    made = _rows(stack, "reconciliation", "SELECT merchant_id, row_count, version FROM merchant_file")
    assert len(made) == merchants and {merchant for merchant, _, _ in made} == known, made
    assert {merchant for merchant, rows, _ in made if rows > 0} == paid != set(), made
    assert all(version == 1 for _, _, version in made), made
    assert (run["files"], run["merchantsDone"], run["merchantsRefused"]) == (merchants, merchants, 0), run
    assert run["rows"] == sum(rows for _, rows, _ in made) > 0, run
    told = _rows(stack, "reconciliation", "SELECT file_id, number FROM merchant_file_announcement")
    assert len(told) == merchants and all(number == 1 for _, number in told), told
    for file in insist("list", lambda: operator.call("GET", "/operator/v1/files"), 200)["files"][:5]:
        content = operator.call("GET", f"/operator/v1/files/{file['fileId']}/content")
        assert content.status == 200, content.text()
        assert hashlib.sha256(content.body).hexdigest() == file["sha256"], file
    # What attempts that were killed had stored is swept when the run has ended.
    waiting.until("the store has what is known, and no more",
                  lambda: True if _stored(stack) == merchants else None, _STRIKES_WITHIN_S)  # fmt: skip
    report.line(f"  {merchants} merchants' files made, {run['rows']} rows, in {run['attempts']} attempts")


def _stored(stack: StackFile) -> int:
    """Whole files in the store; halves are in a folder whose name begins with a dot."""
    files = Path(stack.content["directory"]) / "data" / "files"
    return sum(1 for file in files.rglob("*") if file.is_file() and not file.relative_to(files).parts[0].startswith("."))


PAID_MERCHANTS = 4


def pay_merchants(
    stack: StackFile, operator: Operator, approver: Operator, day: str, report: Report
) -> None:
    """Transfers of some that the day was released to, and the bank's results, each asked for until it
    is answered; and nothing is done twice."""
    merchants = _all(
        stack, "payout",
        "SELECT merchant_id FROM merchant_release WHERE business_date = %s AND net > 0 "
        "ORDER BY merchant_id LIMIT %s", day, PAID_MERCHANTS,
    )  # fmt: skip
    assert len(merchants) == PAID_MERCHANTS, f"the day was released to {merchants} only"
    account = {
        "bankCode": "0001", "branchCode": "001", "accountType": 1, "accountNumber": "1234567",
        "accountHolder": "ﾐｾ",
    }  # fmt: skip
    for merchant in merchants:
        path = f"/operator/v1/merchants/{merchant}/bank-accounts"
        put = insist("account", lambda: operator.call("POST", path, account), 200)
        confirm = f"{path}/{put['version']}/confirm"
        insist("confirmation", lambda: approver.call("POST", confirm), 200)
        terms = {"merchantId": str(merchant), "cycle": "DAILY"}
        insist("terms", lambda: operator.call("POST", "/operator/v1/payout-terms", terms), 200)

    run = make_transfers(operator)
    assert run["transferCount"] == PAID_MERCHANTS, run
    made = "SELECT transfer_id, amount FROM transfer ORDER BY transfer_id"
    transfers = _rows(stack, "payout", made)
    assert len(transfers) == PAID_MERCHANTS, f"{len(transfers)} transfers of {PAID_MERCHANTS} payouts"
    assert sum(amount for _, amount in transfers) == run["amount"]

    (cancelled, _), (failed, failed_amount), *settled = transfers
    cancel = f"/operator/v1/transfers/{cancelled}/cancel"
    insist("cancellation", lambda: operator.call("POST", cancel, {"reason": "not wanted"}), 200)
    files = f"/operator/v1/days/{run['transferDate']}/transfer-files"
    insist("files", lambda: operator.call("POST", files), 200)
    lines = ["transfer_id,outcome,amount,reason", f"{failed},FAILED,{failed_amount},CLOSED"]
    lines += [f"{transfer},SETTLED,{amount}," for transfer, amount in settled]
    lines += [
        f"TOTAL,SETTLED,{len(settled)},{sum(amount for _, amount in settled)}",
        f"TOTAL,FAILED,1,{failed_amount}", "TOTAL,RETURNED,0,0", "",
    ]  # fmt: skip
    file = {"format": "csv", "content": "\n".join(lines)}
    results = insist("results", lambda: operator.call("POST", "/operator/v1/transfer-results", file), 200, 409)
    # Refused if the answer to the first was lost: its journals tell that it was taken in.
    if results.get("code") != "RESULT_FILE_IMPORTED":
        assert results["settled"]["count"] == len(settled) and results["failed"]["count"] == 1, results
    journals = _rows(stack, "payout", "SELECT kind, COUNT(*) FROM merchant_journal GROUP BY kind ORDER BY kind")
    assert journals == [(1, PAID_MERCHANTS), (2, len(settled)), (3, 1), (8, 1)], journals
    report.line(f"  {PAID_MERCHANTS} merchants paid, one in vain, and one not after all")


OUTSIDE = "/operator/v1/outside"
BANK_TEMPLATE = """
name: bank
encoding: utf_8
account: 0001-001-1-0000001
date: yyyy-MM-dd
columns: {booked: day, amount: amount, references: [edi]}
"""
BANK_RULES = """
rules:
  - {name: reference, action: match, reference_equal: true, days_before: 5, days_after: 5}
"""


def take_in_statement(stack: StackFile, operator: Operator, report: Report) -> None:
    """The bank's statement with what left for merchants and what came back of it, asked for until it is
    answered: it is taken in once, and each transfer is matched once."""
    template = {"yaml": BANK_TEMPLATE}
    insist("template", lambda: operator.call("PUT", f"{OUTSIDE}/templates/bank", template), 200)
    rules = {"yaml": BANK_RULES}
    insist("rules", lambda: operator.call("PUT", f"{OUTSIDE}/accounts/main-bank/rules", rules), 200)
    expected = "SELECT item_date, amount, event_object FROM outside_item WHERE side = 1"

    # All but the one that was cancelled left, and one of them came back.
    def all_of_them() -> list[tuple[Any, ...]] | None:
        rows = _rows(stack, "reconciliation", expected)
        return rows if len(rows) == PAID_MERCHANTS else None

    moved = waiting.until("what moves outside is expected", all_of_them, _STRIKES_WITHIN_S)
    lines = ["day,amount,edi"]
    lines += [f"{day},{amount},{event - (1 << 40):020}" for day, amount, event in moved]
    file = {"format": "CSV", "template": "bank", "content": "\n".join(lines) + "\n"}
    outcome = insist("statement", lambda: operator.call("POST", f"{OUTSIDE}/imports", file), 200)
    assert outcome["imported"]["added"] == PAID_MERCHANTS, outcome
    count = "SELECT COUNT(*) FROM"
    waiting.until(
        "the statement is matched",
        lambda: _one(stack, "reconciliation", f"{count} outside_match WHERE state = 2") == PAID_MERCHANTS
        or None,
        _STRIKES_WITHIN_S,
    )
    assert _one(stack, "reconciliation", f"{count} statement_import") == 1
    assert _one(stack, "reconciliation", f"{count} outside_item WHERE side = 2") == PAID_MERCHANTS
    unmatched = _one(stack, "reconciliation", f"{count} outside_item WHERE state = 1")
    assert unmatched == 0, f"{unmatched} items are unmatched"
    report.line(f"  a statement with {PAID_MERCHANTS} movements taken in and matched")


def make_transfers(operator: Operator) -> Any:
    """Of the next day on which banks are open."""
    today = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=9)).date()
    for ahead in range(8):
        due = f"/operator/v1/days/{today + datetime.timedelta(days=ahead)}/transfers"
        answer: dict[str, Any] = {}

        def ask(target: str = due, into: dict[str, Any] = answer) -> Any:
            said = operator.call("POST", target)
            into["refused"] = said.status == 400 and said.json()["code"] == "NOT_A_BUSINESS_DAY"
            return said

        made = insist("transfers", ask, 200, 400)
        if not answer["refused"]:
            return made
    raise AssertionError("no bank is open for a week")


def _one(stack: StackFile, service: str, sql: str, *values: object) -> Any:
    """The first column of the first row."""
    rows = _rows(stack, service, sql, *values)
    return rows[0][0] if rows else None


def _all(stack: StackFile, service: str, sql: str, *values: object) -> list[Any]:
    """The first column of every row."""
    return [row[0] for row in _rows(stack, service, sql, *values)]


def _rows(stack: StackFile, service: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    session = stack.database(service)
    try:
        with session.cursor() as cursor:
            cursor.execute(sql, values)
            return [tuple(row) for row in cursor.fetchall()]
    finally:
        session.close()

"""Death at the named points: between commit and reply, publish and delete, apply and offset.

Goal: the moments at which a death is hardest to get right are hit, each of them, not by luck.
Method: the `faults` build of the services, in which each of these moments has a name. Every service is
armed with all of its points, dies once at each, at a pass drawn by the seed, and is started again by
runit, under the same load and with the same judgement as at random moments. Meanwhile users sign in, a
fee plan is put, and the day is closed, released and compared, so that the points of those are passed.
"""

from __future__ import annotations

import datetime
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
    },
    "reconciliation": {
        "inbox.after_apply": OFTEN,
        "inbox.after_commit": OFTEN,
        "outbox.after_publish": ONCE,
        "reconciliation.before_run_finished": ONCE,
        "reconciliation.after_run_finished": ONCE,
    },
    "gateway": {
        "gateway.sign_in.after_commit": (2, 20),
        "inbox.after_apply": OFTEN,
        "inbox.after_commit": OFTEN,
    },
}
# Not passed while all is well: the gateway's outbox has dead letters only, and a bucket is compared
# row by row when books differ.
# Nobody is paid meanwhile: payout's integration test kills the making of transfers and an import.
NOT_PASSED = {
    "gateway": {"outbox.after_publish"},
    "payout": {
        "payout.results.before_commit",
        "payout.transfers.before_chunk_commit",
        "payout.transfers.after_chunk_commit",
    },
    "reconciliation": {"reconciliation.after_bucket"},
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
    """What finance does: puts a plan, closes the day, releases it and has it compared."""
    token = insist(
        "operator's token",
        lambda: http.send(
            "POST",
            "/dev/v1/operator-token",
            {"Content-Type": "application/json"},
            b'{"sub":"kill-operator"}',
        ),
        200,
    )["token"]
    operator = Operator(http, str(token))
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


def _one(stack: StackFile, service: str, sql: str, *values: object) -> Any:
    """The first column of the first row."""
    session = stack.database(service)
    try:
        with session.cursor() as cursor:
            cursor.execute(sql, values)
            row = cursor.fetchone()
            return None if row is None else row[0]
    finally:
        session.close()

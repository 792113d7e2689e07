"""Death of reconciliation at the named points of a repair.

Goal: a repair that was asked for comes to its end and does once what it does, wherever reconciliation
dies on the way.
Method: the `faults` build of reconciliation, armed with every point around a repair's effect. An accrual
of a closed day is taken away behind payout's back, the day is compared, and a repair puts it back;
reconciliation dies once at each point, and is started again by runit.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Iterator

import pytest
from callers import insist
from conftest import Report
from kessai_client import waiting
from kessai_client.bearer import AppUser
from kessai_client.http import Http
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile
from test_named_points import Marks, _one, operator_named
from victims import Victims, faults_build_is_there

SERVICE = "reconciliation"
# The fourth, between the two legs of a journal, is passed by a repair of MERCHANT_DIFFERS only.
POINTS = (
    "reconciliation.repair.before_effect",
    "reconciliation.repair.after_effect",
    "reconciliation.repair.after_carried_out",
)
LIMIT_S = 120.0


@pytest.fixture
def armed(victims: Victims) -> Iterator[None]:
    """At the end it runs what it did before."""
    yield
    victims.restart_plain(SERVICE)
    victims.await_serving(SERVICE)


def test_a_repair_survives_its_points(
    victims: Victims, armed: None, stack_file: Path, directory: Path, seed: int, report: Report
) -> None:
    assert faults_build_is_there(), "./kessai test kill builds it"
    stack = StackFile.read(stack_file)
    http = Http(stack.url, stack.ca_file, timeout_s=10)
    operator = operator_named(http, "kill-operator")
    merchant_id = 3_000_000_000 + seed % 1_000_000_000
    operator.put_merchant(merchant_id, "repaired")
    merchant = Partner(http, operator.issue_credential(merchant_id, ["codes", "payments"]))
    user = AppUser.sign_in(http, f"repaired-{secrets.token_hex(4)}")
    insist("top-up", lambda: user.top_up(1_000), 201)
    code = insist("code", lambda: merchant.create_code(f"r-{secrets.token_hex(8)}", 700), 201)
    paid = insist("payment", lambda: user.pay(code["data"]["codeId"], 700), 201)
    payment = int(paid["paymentId"])

    day = str(_one(stack, "payment", "SELECT MIN(business_date) FROM gate"))
    path = f"/operator/v1/days/{day}"
    insist("close", lambda: operator.call("POST", f"{path}/close", {"early": True}), 200)
    waiting.until(
        "the comparison of the day",
        lambda: _one(
            stack, SERVICE,
            "SELECT COUNT(*) FROM day_run WHERE business_date = %s AND state = 2", day,
        ) or None,
        LIMIT_S,
    )  # fmt: skip
    root = stack.database("payout", user="root")
    with root.cursor() as cursor:
        assert cursor.execute("DELETE FROM accrual WHERE payment_id = %s", (payment,)) == 1
    root.commit()
    insist("run", lambda: operator.call("POST", f"{path}/reconciliation", {"deep": True}), 200)
    lost = "SELECT COALESCE(MAX(discrepancy_id), 0) FROM discrepancy WHERE payment_id = %s AND kind = 1"
    discrepancy = waiting.until(
        "the discrepancy", lambda: _one(stack, SERVICE, lost, payment) or None, LIMIT_S
    )

    marks = Marks(directory / "test_repair_points" / f"marks-{seed}")
    victims.restart_armed(SERVICE, [f"{point}:1" for point in POINTS], marks.of(SERVICE))
    wish = {"kind": "ACCRUE_AGAIN", "reason": "a disk lost it"}
    target = f"/operator/v1/discrepancies/{discrepancy}/repairs"
    repair = insist("repair", lambda: operator.call("POST", target, wish), 200)
    assert repair["number"] == 1
    marks.await_strikes({(SERVICE, point) for point in POINTS})
    ended = "SELECT COUNT(*) FROM repair WHERE discrepancy_id = %s AND state = 5"
    waiting.until(
        "the end of the repair", lambda: _one(stack, SERVICE, ended, discrepancy) or None, LIMIT_S
    )
    assert _one(stack, SERVICE, "SELECT COUNT(*) FROM repair WHERE discrepancy_id = %s", discrepancy) == 1
    assert _one(stack, "payout", "SELECT COUNT(*) FROM accrual WHERE payment_id = %s", payment) == 1
    assert _one(stack, "payout", "SELECT SUM(item_count) FROM merchant_day_total WHERE merchant_id = %s",
                merchant_id) == 1  # fmt: skip
    for point in POINTS:
        report.line(f"  {SERVICE:<16} died at {point}, and the repair went on")

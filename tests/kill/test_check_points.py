"""Death of reconciliation at the named points of a check against payout.

Goal: a check that finds something says so once, wherever reconciliation dies on the way, and the check that
was killed is marked as failed and made again.
Method: the `faults` build of reconciliation, armed with both points of a check. Of a closed and compared day,
what was matched of one merchant is changed in reconciliation's own totals, and the day is compared again:
reconciliation dies when what the check found is recorded, and, in the check after it, before that one's end is.
Put back, the same totals settle it.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from callers import insist
from conftest import Report
from kessai_client import waiting
from kessai_client.bearer import AppUser
from kessai_client.http import Http
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile
from test_named_points import Marks, _all, _one, _rows, operator_named
from test_repair_points import LIMIT_S, SERVICE, armed  # noqa: F401
from victims import Victims, faults_build_is_there

POINTS = ("reconciliation.after_payout_findings", "reconciliation.before_payout_check_finished")
ACCRUED_DIFFERS = 18  # domain::DiscrepancyKind
EQUAL, DIFFERENT, FAILED = 2, 3, 4  # payout_check.state
OPEN, REPAIRED = 1, 4  # domain::DiscrepancyState


def test_a_check_survives_its_points(
    victims: Victims, armed: None, stack_file: Path, directory: Path, seed: int, report: Report  # noqa: F811
) -> None:
    assert faults_build_is_there(), "./kessai test kill builds it"
    stack = StackFile.read(stack_file)
    http = Http(stack.url, stack.ca_file, timeout_s=10)
    operator = operator_named(http, "kill-operator")
    merchant_id = 4_000_000_000 + seed % 1_000_000_000
    operator.put_merchant(merchant_id, "checked")
    merchant = Partner(http, operator.issue_credential(merchant_id, ["codes", "payments"]))
    user = AppUser.sign_in(http, f"checked-{secrets.token_hex(4)}")
    insist("top-up", lambda: user.top_up(1_000), 201)
    code = insist("code", lambda: merchant.create_code(f"c-{secrets.token_hex(8)}", 700), 201)
    insist("payment", lambda: user.pay(code["data"]["codeId"], 700), 201)

    day = str(_one(stack, "payment", "SELECT MIN(business_date) FROM gate"))
    path = f"/operator/v1/days/{day}"
    insist("close", lambda: operator.call("POST", f"{path}/close", {"early": True}), 200)

    def checked_as(state: int) -> Any:
        latest = "SELECT state FROM payout_check WHERE business_date = %s ORDER BY check_number DESC LIMIT 1"
        return _one(stack, SERVICE, latest, day) == state or None

    waiting.until("the first check", lambda: checked_as(EQUAL), LIMIT_S)
    change_total(stack, day, merchant_id, +1)
    marks = Marks(directory / "test_check_points" / f"marks-{seed}")
    victims.restart_armed(SERVICE, [f"{point}:1" for point in POINTS], marks.of(SERVICE))
    compare(operator, path)
    marks.await_strikes({(SERVICE, point) for point in POINTS})
    waiting.until("the check's end", lambda: checked_as(DIFFERENT), LIMIT_S)

    checks = _rows(
        stack, SERVICE,
        "SELECT check_number, state, failure FROM payout_check WHERE business_date = %s ORDER BY check_number", day,
    )  # fmt: skip
    assert [number for number, _, _ in checks] == list(range(1, len(checks) + 1)), checks
    killed = [failure for _, state, failure in checks if state == FAILED]
    assert len(killed) == len(POINTS) and all("died" in failure for failure in killed), checks
    of_merchant = (
        "SELECT {} FROM discrepancy WHERE business_date = %s AND kind = %s AND merchant_id = %s"
    )
    found = _all(stack, SERVICE, of_merchant.format("discrepancy_id"), day, ACCRUED_DIFFERS, merchant_id)
    assert len(found) == 1, found
    steps = _all(stack, SERVICE, "SELECT state FROM discrepancy_step WHERE discrepancy_id = %s", found[0])
    assert steps == [OPEN], f"it was recorded {len(steps)} times"

    change_total(stack, day, merchant_id, -1)
    compare(operator, path)
    waiting.until("the last check", lambda: checked_as(EQUAL), LIMIT_S)
    state = _one(stack, SERVICE, of_merchant.format("state"), day, ACCRUED_DIFFERS, merchant_id)
    assert state == REPAIRED, state
    for point in POINTS:
        report.line(f"  {SERVICE:<16} died at {point}, and the day was checked again")


def compare(operator: Any, path: str, deep: bool = False) -> None:
    """Asked for until it begins; each run has the day checked against payout."""
    wish = {"deep": deep}
    insist("run", lambda: operator.call("POST", f"{path}/reconciliation", wish), 200, 202, again=(409,))


def change_total(stack: StackFile, day: str, merchant: int, yen: int) -> None:
    root = stack.database(SERVICE, user="root")
    with root.cursor() as cursor:
        done = cursor.execute(
            "UPDATE matched_day_total SET gross = gross + %s"
            " WHERE business_date = %s AND merchant_id = %s LIMIT 1",
            (yen, day, merchant),
        )
    root.commit()
    root.close()
    assert done == 1

"""Goal: the operator's commands ask for the right thing, show it, and say what is wrong.

Method: each command's own main, over a gateway that answers what the test says and notes what it was
asked; the real one is in tests/e2e.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "operate"))

import books  # noqa: E402
import day  # noqa: E402
import dlq  # noqa: E402
import payout  # noqa: E402
import recon  # noqa: E402
import release  # noqa: E402
import repairs  # noqa: E402
import republish  # noqa: E402
import session as operate  # noqa: E402
from kessai_client.http import Answer  # noqa: E402

LETTERS = "/operator/v1/services/payout/dead-letters"
OF_ONE = LETTERS + "/payment.events.v1/7/1234"
LETTER = {
    "deadLetter": "payment.events.v1/7/1234", "topic": "payment.events.v1", "partition": 7,
    "offset": 1234, "state": "OPEN", "objectId": "99", "type": "payment.Captured", "version": 1,
    "eventId": "5", "businessDate": "2026-11-22", "code": "INTERNAL", "reason": "SQL_ERROR",
    "message": "no", "attempts": 1, "failedAt": "2026-11-22T00:00:00Z", "parked": 2,
    "settledBy": "", "note": "", "traceparent": "",
}  # fmt: skip
SETTLED = {"applied": 3, "repeated": 0, "stoppedBy": None, "parked": 0}


class Gateway:
    """Answers by "METHOD path"; what was asked is in `asked`."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, object]]] = {}
        self.headers: dict[int, dict[str, str]] = {}  # by the answer's status
        self.asked: list[tuple[str, object]] = []

    def says(self, call: str, *contents: object, status: int = 200) -> None:
        self.answers[call] = [(status, content) for content in contents]

    def refuses(self, call: str, status: int, code: str, detail: str = "because") -> None:
        self.says(call, {"code": code, "detail": detail}, status=status)

    def send(self, method: str, target: str, content: object = None) -> Answer:
        call = f"{method} {target.split('?')[0]}"
        self.asked.append((f"{method} {target}", content))
        assert call in self.answers, f"nobody expected {call}"
        answers = self.answers[call]
        status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return Answer(status, self.headers.get(status, {}), json.dumps(answer).encode())


@pytest.fixture
def gateway(monkeypatch):
    made = Gateway()
    monkeypatch.setattr(operate.Session, "open", lambda *_: operate.Session(made.send))
    made.says("GET /operator/v1/days/today", {"businessDate": "2026-11-22", "state": "OPEN"})
    return made


def run(command, *arguments):
    return command.main(["--stack-file", "none", *arguments])


def no_letters(gateway, *services):
    for service in services:
        target = f"GET /operator/v1/services/{service}/dead-letters"
        gateway.says(target, {"deadLetters": [], "nextPageToken": ""})


def test_dead_letters_of_every_service_are_listed_page_by_page(gateway, capsys):
    no_letters(gateway, "payment", "reconciliation", "gateway")
    second = {**LETTER, "deadLetter": "payment.events.v1/8/1", "type": ""}
    gateway.says(
        f"GET {LETTERS}",
        {"deadLetters": [LETTER], "nextPageToken": "payment.events.v1/7/1234"},
        {"deadLetters": [second], "nextPageToken": ""},
    )
    assert run(dlq) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].split()[:2] == ["payout/payment.events.v1/7/1234", "99"]
    assert "SQL_ERROR" in lines[1] and lines[1].endswith("2")
    assert "unreadable" in lines[2]
    assert any("state=OPEN" in call for call, _ in gateway.asked)


def test_no_dead_letters_is_said(gateway, capsys):
    no_letters(gateway, *dlq.SERVICES)
    assert run(dlq, "list", "--payment", "99") == 0
    assert capsys.readouterr().out == "no dead letters that are open\n"
    assert all("objectId=99" in call for call, _ in gateway.asked)


def test_a_service_that_is_down_hides_none_of_the_others(gateway, capsys):
    no_letters(gateway, "payment", "reconciliation")
    gateway.says(f"GET {LETTERS}", {"deadLetters": [LETTER], "nextPageToken": ""})
    gateway.refuses("GET /operator/v1/services/gateway/dead-letters", 503, "UNAVAILABLE")
    assert run(dlq) == 1
    shown = capsys.readouterr()
    assert "payout/payment.events.v1/7/1234" in shown.out
    assert "gateway did not answer" in shown.err


def test_one_is_shown_with_what_waits_and_its_history(gateway, capsys):
    gateway.says(
        f"GET {OF_ONE}",
        {
            "deadLetter": LETTER, "key": b"99".hex(), "value": b"a\x00b".hex(), "valueBytes": 3,
            "parked": [{"topic": "payment.events.v1", "partition": 7, "offset": 1300, "version": 2,
                        "type": "payment.Refunded", "businessDate": None, "parkedAt": None}],
            "history": [{"kind": "REPLAY", "operator": "aiko", "note": "", "applied": 0,
                         "repeated": 0, "parked": 1, "refusal": "SQL_ERROR", "at": "2026-11-22T01:00:00Z"}],
        },
    )  # fmt: skip
    assert run(dlq, "show", "payout/payment.events.v1/7/1234") == 0
    shown = capsys.readouterr().out
    assert "INTERNAL SQL_ERROR: no" in shown and "3 bytes: a.b" in shown
    assert "payment.events.v1/7/1300" in shown and "payment.Refunded v2" in shown
    assert "aiko" in shown and "0 applied, then SQL_ERROR" in shown


def test_replay_says_what_was_applied(gateway, capsys):
    gateway.says(f"POST {OF_ONE}/replay", SETTLED)
    assert run(dlq, "replay", "payout/payment.events.v1/7/1234", "--note", "repaired") == 0
    assert gateway.asked == [(f"POST {OF_ONE}/replay", {"note": "repaired"})]
    assert "3 events applied" in capsys.readouterr().out


def test_replay_of_a_payment_goes_to_every_service_that_has_it(gateway):
    no_letters(gateway, "payment", "reconciliation", "gateway")
    gateway.says(f"GET {LETTERS}", {"deadLetters": [LETTER], "nextPageToken": ""})
    gateway.says(f"POST {OF_ONE}/replay", SETTLED)
    assert run(dlq, "replay", "--payment", "99") == 0
    assert gateway.asked[-1][0] == f"POST {OF_ONE}/replay"


def test_what_is_refused_again_ends_with_an_error(gateway, capsys):
    gateway.says(f"POST {OF_ONE}/replay", {**SETTLED, "applied": 0, "stoppedBy": LETTER, "parked": 2})
    assert run(dlq, "replay", "payout/payment.events.v1/7/1234") == 1
    assert "refused again: payout/payment.events.v1/7/1234 INTERNAL SQL_ERROR" in capsys.readouterr().err


def test_discard_needs_a_reason(gateway, capsys):
    with pytest.raises(SystemExit):
        run(dlq, "discard", "payout/payment.events.v1/7/1234")
    assert "--reason" in capsys.readouterr().err
    gateway.says(f"POST {OF_ONE}/discard", SETTLED)
    assert run(dlq, "discard", "payout/payment.events.v1/7/1234", "--reason", "sent twice") == 0
    assert gateway.asked[-1] == (f"POST {OF_ONE}/discard", {"note": "sent twice"})


@pytest.mark.parametrize(
    "command, arguments",
    [(dlq, ["discard", "payout/payment.events.v1/7/1234", "--reason", ""]),
     (recon, ["accept", "12", "--note", " "])],
)  # fmt: skip
def test_a_reason_that_says_nothing_is_refused(gateway, capsys, command, arguments):
    with pytest.raises(SystemExit):
        run(command, *arguments)
    assert "say why" in capsys.readouterr().err
    assert gateway.asked == []


@pytest.mark.parametrize("name", ["payment.events.v1/7/1234", "nobody/a/1/2", "payout//1/2", "x"])
def test_a_wrong_name_is_explained(gateway, capsys, name):
    assert run(dlq, "show", name) == 1
    assert "names no dead letter: SERVICE/TOPIC/PARTITION/OFFSET" in capsys.readouterr().err
    assert gateway.asked == []


def test_a_refusal_is_shown_with_its_remedy(gateway, capsys):
    gateway.refuses(f"POST {OF_ONE}/replay", 409, "DEAD_LETTER_SETTLED", "payment.events.v1/7/1234")
    assert run(dlq, "replay", "payout/payment.events.v1/7/1234") == 1
    assert capsys.readouterr().err.splitlines() == [
        "kessai: payment.events.v1/7/1234 (DEAD_LETTER_SETTLED)",
        "  what to do: nothing is left to do; ./kessai dlq show NAME has its history",
    ]


PAYOUT_DAY = {"businessDate": "2026-11-21", "state": "CLOSED", "seal": "ab", "heldBackCount": 0}


def test_a_day_is_closed_and_waited_for(gateway, capsys):
    gateway.says("POST /operator/v1/days/2026-11-21/close", {"state": "CLOSING"})
    gateway.says("GET /operator/v1/days/2026-11-21", {"state": "CLOSING"}, {"state": "CLOSED"})
    gateway.answers["GET /operator/v1/days/2026-11-21/release"] = [
        (404, {"code": "DAY_UNKNOWN", "detail": ""}), (200, PAYOUT_DAY),
    ]  # fmt: skip
    assert run(day, "close", "yesterday") == 0
    assert "closed in payment, CLOSED in payout" in capsys.readouterr().out


def test_a_day_that_is_not_over_in_japan_is_closed_only_when_asked_for(gateway, capsys):
    why = "2026-11-22 is not over in Japan, where it is 2026-11-22"
    gateway.refuses("POST /operator/v1/days/2026-11-22/close", 409, "DAY_NOT_OVER", why)
    assert run(day, "close", "today") == 1
    shown = capsys.readouterr().err
    assert f"{why} (DAY_NOT_OVER)" in shown
    assert "./kessai day close DATE --early" in shown
    assert gateway.asked[-1][1] == {"early": False}


def test_an_early_close_is_asked_for(gateway):
    gateway.says("POST /operator/v1/days/2026-11-22/close", {"state": "CLOSING"})
    gateway.says("GET /operator/v1/days/2026-11-22", {"state": "CLOSED"})
    gateway.says("GET /operator/v1/days/2026-11-22/release", PAYOUT_DAY)
    assert run(day, "close", "2026-11-22", "--early") == 0
    assert ("POST /operator/v1/days/2026-11-22/close", {"early": True}) in gateway.asked


def test_a_close_that_takes_too_long_says_where_it_stands(gateway, capsys):
    gateway.says("POST /operator/v1/days/2026-11-21/close", {"state": "CLOSING"})
    gateway.says("GET /operator/v1/days/2026-11-21", {"state": "CLOSING"})
    gateway.refuses("GET /operator/v1/days/2026-11-21/release", 404, "DAY_UNKNOWN")
    assert run(day, "close", "2026-11-21", "--timeout", "0.01") == 1
    assert "2026-11-21 is CLOSING in payment and unknown in payout" in capsys.readouterr().err


def test_a_read_that_nobody_answers_has_no_unknown_outcome(gateway, capsys):
    gateway.says("GET /operator/v1/days/2026-11-22", {"state": "OPEN"})
    gateway.refuses("GET /operator/v1/days/2026-11-22/release", 504, "OUTCOME_UNKNOWN", "Not known.")
    assert run(day) == 1
    assert capsys.readouterr().err.splitlines() == [
        "kessai: the service that knows does not answer (UNAVAILABLE)",
        "  what to do: ./kessai status shows which process is not ready",
    ]


def test_a_discrepancy_that_is_none_is_told_where_they_are(gateway, capsys):
    gateway.refuses("GET /operator/v1/discrepancies/1", 404, "DISCREPANCY_UNKNOWN")
    assert run(recon, "show", "1") == 1
    assert "./kessai recon list --state ALL" in capsys.readouterr().err


def test_the_status_of_a_day_is_that_of_every_service(gateway, capsys):
    gateway.says("GET /operator/v1/days/2026-11-22", {"state": "OPEN"})
    gateway.refuses("GET /operator/v1/days/2026-11-22/release", 404, "DAY_UNKNOWN")
    gateway.refuses("GET /operator/v1/days/2026-11-22/reconciliation", 404, "RUN_UNKNOWN")
    assert run(day) == 0
    shown = capsys.readouterr().out
    assert "business day 2026-11-22" in shown and "not compared yet" in shown


def test_a_date_that_is_none_is_refused(gateway, capsys):
    assert run(day, "close", "22.11.2026") == 1
    assert "'22.11.2026' is no date like 2026-11-22" in capsys.readouterr().err


SUMS = {
    "merchantCount": 2, "heldBackCount": 0, "gross": 1000, "fee": 19, "tax": 1, "net": 980, "heldBack": [],
    "releasedFaultCount": 0, "releasedFaults": [],
}  # fmt: skip
RELEASE = "/operator/v1/days/2026-11-21/release"


def test_a_dry_run_changes_nothing(gateway, capsys):
    gateway.says(f"POST {RELEASE}", SUMS)
    assert run(release, "2026-11-21", "--dry-run") == 0
    assert gateway.asked == [(f"POST {RELEASE}", {"deep": False, "dryRun": True})]
    shown = capsys.readouterr().out
    assert "would be released now" in shown and "980 yen" in shown


def test_a_release_that_goes_on_is_waited_for_visibly(gateway, monkeypatch, capsys):
    slept = []
    monkeypatch.setattr(release.time, "sleep", slept.append)
    gateway.headers[409] = {"retry-after": "1"}
    running = {"code": "RELEASE_RUNNING", "detail": "another has the turn until 12:00:05"}
    gateway.answers[f"POST {RELEASE}"] = [
        (504, {"code": "OUTCOME_UNKNOWN", "detail": ""}), (409, running), (409, running), (200, SUMS),
    ]  # fmt: skip
    assert run(release, "2026-11-21", "--deep") == 0
    assert [content for _, content in gateway.asked] == [{"deep": True, "dryRun": False}] * 4
    assert slept == [release.POLL_S, 1.0, 1.0]
    shown = capsys.readouterr()
    assert "1,000 yen" in shown.out
    assert shown.err.splitlines() == [
        "kessai: OUTCOME_UNKNOWN; asking again",
        "kessai: another has the turn until 12:00:05 (RELEASE_RUNNING); asking again",
    ]


def test_a_release_is_not_waited_for_beyond_the_timeout(gateway, capsys):
    gateway.refuses(f"POST {RELEASE}", 409, "RELEASE_RUNNING", "another has the turn until 12:00:05")
    assert run(release, "2026-11-21", "--timeout", "-1") == 1
    assert len(gateway.asked) == 1
    assert "until 12:00:05 (RELEASE_RUNNING)" in capsys.readouterr().err


def test_merchants_held_back_are_named_and_the_exit_code_says_so(gateway, capsys):
    gateway.says(f"POST {RELEASE}", {**SUMS, "heldBackCount": 1})
    gateway.says(
        "GET /operator/v1/days/2026-11-21/held-back",
        {"merchants": [{"merchantId": "7", "reason": "EVENT_PARKED", "note": "an event waits",
                        "totals": {"gross": 10}, "recounted": None}], "more": False},
    )  # fmt: skip
    assert run(release, "2026-11-21") == 1
    shown = capsys.readouterr()
    assert "EVENT_PARKED" in shown.out and "10 yen" in shown.out
    assert "docs/operations.md" in shown.err


def test_a_dry_run_names_whom_a_release_would_hold_back(gateway, capsys):
    held = {"merchantId": "7", "reason": "FEE_DIFFERS", "note": "payment 3 version 1: the fee is 24",
            "totals": {"gross": 10}, "recounted": {"gross": 10}}  # fmt: skip
    gateway.says(f"POST {RELEASE}", {**SUMS, "heldBackCount": 1_001, "heldBack": [held]})
    assert run(release, "2026-11-21", "--deep", "--dry-run") == 1
    assert len(gateway.asked) == 1
    shown = capsys.readouterr().out
    assert "FEE_DIFFERS" in shown and "the fee is 24" in shown
    assert "held back  1,001" in shown and "these are 1 of them" in shown


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_a_wrong_fee_that_was_released_is_named_and_is_no_success(gateway, capsys, dry_run):
    fault = {"merchantId": "7", "note": "payment 3 version 1: the fee is 24"}
    gateway.says(f"POST {RELEASE}", {**SUMS, "releasedFaultCount": 1, "releasedFaults": [fault]})
    assert run(release, "2026-11-21", "--deep", *dry_run) == 1
    shown = capsys.readouterr()
    assert "released with a wrong accrual  1" in shown.out and "the fee is 24" in shown.out
    assert "held back" not in shown.out and "payout adjust" in shown.err


def test_an_open_day_is_not_released(gateway, capsys):
    gateway.refuses("POST /operator/v1/days/2026-11-22/release", 409, "DAY_OPEN", "is not closed")
    assert run(release, "today") == 1
    assert "./kessai day close DATE" in capsys.readouterr().err


PAID = {
    "payoutId": "12", "merchantId": "7", "requestKey": "due:2026-11-30", "amount": 8900, "fee": 100,
    "tax": 10, "transfers": [
        {"transferId": "13", "attempt": 1, "transferDate": "2026-11-30", "state": "FAILED",
         "reason": "CLOSED", "bankAccountVersion": 1, "batchId": "14", "requestedBy": "aiko"},
        {"transferId": "15", "attempt": 2, "transferDate": "2026-12-01", "state": "IN_TRANSIT",
         "reason": "", "bankAccountVersion": 2, "batchId": "0", "requestedBy": "ken"},
    ], "cancelled": False,
}  # fmt: skip


PLAN = {
    "planId": "31", "version": 2, "merchantId": "7", "currency": "JPY", "rateBasisPoints": 198, "fixed": 10,
    "minimum": 30, "maximum": 0, "effectiveFrom": "2026-12-01", "effectiveTo": None, "shared": False,
    "tiers": {"tiers": [{"volumeFrom": 1_000_000, "terms": {
        "rateBasisPoints": 150, "fixed": 0, "minimum": 0, "maximum": 500}}]},
    "rules": [{
        "storeId": "", "method": "POINT", "fromDate": None, "toDate": None, "firstDays": 0,
        "terms": {"rateBasisPoints": 100, "fixed": 0, "minimum": 0, "maximum": 0}, "tiers": None,
    }, {
        "storeId": "s1", "method": "METHOD_UNSPECIFIED", "fromDate": None, "toDate": None, "firstDays": 60,
        "terms": {"rateBasisPoints": 0, "fixed": 0, "minimum": 0, "maximum": 0}, "tiers": None,
    }],
    "putAt": "2026-11-22T00:00:00Z", "putBy": "aiko",
}  # fmt: skip


def test_a_merchants_plans_are_shown_with_rules_tiers_and_who_put_them(gateway, capsys):
    assignment = {"merchantId": "7", "planId": "0", "effectiveFrom": "2026-12-05", "effectiveTo": None, "putBy": "ken"}
    volume = {"monthDate": "2026-10-01", "volume": 2_000_000, "effectiveFrom": "2026-11-02"}
    target = "GET /operator/v1/merchants/7/fee-plans"
    gateway.says(
        target,
        {"plans": [PLAN], "assignments": [], "volumes": [volume], "nextPageToken": "9"},
        {"plans": [], "assignments": [assignment], "volumes": [], "nextPageToken": ""},
    )
    assert run(payout, "plans", "7") == 0
    assert [call for call, _ in gateway.asked] == [target, target + "?pageToken=9"]
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[1].split() == ["31", "2", "2026-12-01", "-", "first", "60", "days,", "store", "s1", "0.00", "%", "aiko"]
    assert lines[2].split() == ["POINT", "1.00", "%"]
    assert "all else" in lines[3] and lines[3].endswith("1.98 % and 10 yen, at least 30 yen")
    assert "from 1,000,000 yen a month" in lines[4] and lines[4].endswith("1.50 %, at most 500 yen")
    assert "7         none  2026-12-05" in shown and "2026-10  2,000,000 yen  2026-11-02" in shown


def test_shared_and_default_plans_are_asked_for_by_name(gateway, capsys):
    nothing = {"plans": [], "assignments": [], "volumes": []}
    gateway.says("GET /operator/v1/fee-plans", nothing)
    gateway.says("GET /operator/v1/fee-plans/default", {**nothing, "plans": [{**PLAN, "rules": [], "tiers": None}]})
    gateway.says("GET /operator/v1/merchants/8/fee-plans", nothing)
    assert run(payout, "plans", "shared") == 0 and run(payout, "plans", "8") == 0
    assert capsys.readouterr().out == "no shared plan\nno plan of its own: ./kessai payout plans has everybody else's\n"
    assert run(payout, "plans") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[4:7] == ["all", "1.98", "%"]
    assert run(payout, "plans", "mine") == 1
    assert "neither a merchant's number" in capsys.readouterr().err


def test_a_plan_is_put_from_options_and_a_file(gateway, capsys, tmp_path):
    gateway.says("POST /operator/v1/fee-plans", PLAN)
    file = tmp_path / "plan.json"
    file.write_text('{"rateBasisPoints": 1, "rules": [{"firstDays": 60, "rateBasisPoints": 0}]}')
    assert run(payout, "put-plan", "7", "--plan", "31", "--basis-points", "198", "--fixed", "10",
               "--from", "2026-12-01", "--file", str(file)) == 0  # fmt: skip
    assert gateway.asked == [("POST /operator/v1/fee-plans", {
        "currency": "JPY", "merchantId": "7", "planId": "31", "rateBasisPoints": 198, "fixed": 10,
        "effectiveFrom": "2026-12-01", "rules": [{"firstDays": 60, "rateBasisPoints": 0}],
    })]  # fmt: skip
    assert capsys.readouterr().out.startswith("plan 31 version 2 of merchant 7, from 2026-12-01:\n")
    assert run(payout, "put-plan", "shared", "--basis-points", "0", "--from", "2026-12-01") == 0
    assert gateway.asked[1][1] == {
        "currency": "JPY", "shared": True, "rateBasisPoints": 0, "effectiveFrom": "2026-12-01"
    }  # fmt: skip


@pytest.mark.parametrize("content, said", [
    ("[]", "holds no JSON object"), ("{", "is no JSON"), ('{"merchantId": "8"}', "OWNER and --plan say whose"),
    ("{}", "--basis-points"), ('{"rateBasisPoints": 1}', "--from"),
])  # fmt: skip
def test_a_plan_that_says_too_little_or_twice_is_not_sent(gateway, capsys, tmp_path, content, said):
    file = tmp_path / "plan.json"
    file.write_text(content)
    assert run(payout, "put-plan", "7", "--file", str(file)) == 1
    assert said in capsys.readouterr().err
    assert gateway.asked == []


def test_a_preview_shows_what_the_month_would_have_cost(gateway, capsys):
    merchant = {"merchantId": "7", "accrualCount": 3, "gross": 9_000, "feeThen": 178, "feeNow": 90, "difference": -88}
    answer = {
        **merchant, "fromDate": "2026-10-01", "toDate": "2026-10-31", "merchantCount": 2, "withoutStoreCount": 1,
        "merchants": [merchant],
    }  # fmt: skip
    gateway.says("POST /operator/v1/fee-plans/preview", answer)
    assert run(payout, "preview-plan", "default", "--basis-points", "100", "--merchant", "7", "--merchant", "8",
               "--from", "2026-10-01", "--to", "2026-10-31") == 0  # fmt: skip
    assert gateway.asked == [("POST /operator/v1/fee-plans/preview", {
        "currency": "JPY", "rateBasisPoints": 100, "merchantIds": ["7", "8"], "fromDate": "2026-10-01",
        "toDate": "2026-10-31",
    })]  # fmt: skip
    shown = capsys.readouterr().out
    assert "difference          -88 yen" in shown and "of no known store   1" in shown
    assert "these are the 1 with the largest difference" in shown


def test_merchants_are_put_under_a_shared_plan_and_out_of_it(gateway, capsys):
    one = {"merchantId": "7", "planId": "31", "effectiveFrom": "2026-12-01", "effectiveTo": None, "putBy": "aiko"}
    gateway.says("POST /operator/v1/fee-plan-assignments", {"assignments": [one]})
    assert run(payout, "assign-plan", "31", "7", "--from", "2026-12-01") == 0
    assert capsys.readouterr().out == "merchant 7 is under plan 31 from 2026-12-01\n"
    assert run(payout, "assign-plan", "none", "7", "8", "--from", "2026-12-01", "--to", "2026-12-31") == 0
    assert [content for _, content in gateway.asked] == [
        {"planId": "31", "merchantIds": ["7"], "effectiveFrom": "2026-12-01"},
        {"merchantIds": ["7", "8"], "effectiveFrom": "2026-12-01", "effectiveTo": "2026-12-31"},
    ]


def test_a_balance_says_a_debt_by_name(gateway, capsys):
    target = "GET /operator/v1/merchants/7/balance"
    gateway.says(target, {"merchantId": "7", "pending": 90, "available": -500, "inTransit": 0})
    assert run(payout, "balance", "7") == 0
    shown = capsys.readouterr().out
    assert "90 yen, of days that are not released yet" in shown
    assert "-500 yen, which the next days' releases pay off" in shown


def test_a_payout_is_shown_with_its_attempts(gateway, capsys):
    gateway.says("POST /operator/v1/payouts/12/attempts", PAID)
    assert run(payout, "reissue", "12", "--attempt", "2") == 0
    assert gateway.asked == [("POST /operator/v1/payouts/12/attempts", {"attempt": 2})]
    shown = capsys.readouterr().out
    assert "8,900 yen" in shown and "CLOSED" in shown and "IN_TRANSIT" in shown
    assert "note: it goes to the account that attempt 1" not in shown
    first, second = PAID["transfers"]
    same = PAID | {"transfers": [first, second | {"bankAccountVersion": first["bankAccountVersion"]}]}
    gateway.says("POST /operator/v1/payouts/12/attempts", same)
    assert run(payout, "reissue", "12", "--attempt", "2") == 0
    assert "note: it goes to the account that attempt 1 failed to reach" in capsys.readouterr().out
    gateway.says("GET /operator/v1/merchants/7/payouts", {"payouts": [PAID], "nextPageToken": ""})
    assert run(payout, "list", "7") == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [
        "12", "due:2026-11-30", "8,900", "yen", "110", "yen", "IN_TRANSIT", "2"
    ]  # fmt: skip


def test_a_transfer_is_cancelled_with_a_reason(gateway, capsys):
    only = {**PAID, "cancelled": True, "transfers": [
        {**PAID["transfers"][0], "state": "CANCELLED", "reason": "typed twice", "batchId": "0"}
    ]}  # fmt: skip
    gateway.says("POST /operator/v1/transfers/13/cancel", only)
    assert run(payout, "cancel", "13", "--reason", "typed twice") == 0
    assert gateway.asked == [("POST /operator/v1/transfers/13/cancel", {"reason": "typed twice"})]
    shown = capsys.readouterr().out
    assert "CANCELLED" in shown and "given back" in shown
    gateway.refuses("POST /operator/v1/transfers/13/cancel", 409, "TRANSFER_IN_FILE")
    assert run(payout, "cancel", "13", "--reason", "typed twice") == 1
    assert "the bank may have it" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(payout, "cancel", "13")


def test_accounts_say_which_of_them_is_paid_to(gateway, capsys):
    def account(version, confirmed_by):
        return {
            "version": version, "bankCode": "0001", "bankName": "ﾐｽﾞﾎ", "branchCode": "004", "branchName": "ﾏﾙﾉｳﾁ",
            "accountType": 1, "accountNumber": "1234567", "accountHolder": "ﾐｾ", "putBy": "aiko",
            "confirmedBy": confirmed_by, "verification": "UNVERIFIED", "verificationReason": "",
        }  # fmt: skip

    target = "GET /operator/v1/merchants/7/bank-accounts"
    gateway.says(target, {"accounts": [account(1, "ken"), account(2, "ken"), account(3, "")]})
    assert run(payout, "accounts", "7") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["-", "yes", "-"]
    gateway.says(target, {"accounts": [account(1, "")]})
    assert run(payout, "accounts", "7") == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("-")


def test_an_account_is_verified_or_the_exit_code_says_so(gateway, capsys):
    target = "POST /operator/v1/merchants/7/bank-accounts/2/verify"
    for verification, reason, status in (
        ("VERIFIED", "", 0), ("REFUSED", "HOLDER_DIFFERS", 1), ("UNAVAILABLE", "VERIFIER_FAILED", 1),
    ):  # fmt: skip
        gateway.says(target, {"version": 2, "verification": verification, "verificationReason": reason})
        assert run(payout, "verify-account", "7", "2") == status
        shown = capsys.readouterr().out
        assert f"is {verification} {reason}".strip() in shown
        assert ("ask again" in shown) == (verification == "UNAVAILABLE")
    gateway.refuses("POST /operator/v1/merchants/7/bank-accounts/2/confirm", 409, "BANK_ACCOUNT_UNVERIFIED")
    assert run(payout, "confirm-account", "7", "2") == 1
    assert "verify-account" in capsys.readouterr().err


def test_what_takes_two_operators_says_so(gateway, capsys):
    account = {"version": 2, "accountHolder": "ﾐｾ", "confirmedBy": ""}
    gateway.says("POST /operator/v1/merchants/7/bank-accounts", account)
    assert run(payout, "put-account", "7", "--bank", "0001", "--branch", "001", "--number", "1234567",
               "--holder", "ミセ", "--type", "current") == 0  # fmt: skip
    assert gateway.asked[0][1] == {
        "bankCode": "0001", "branchCode": "001", "accountType": 2, "accountNumber": "1234567",
        "accountHolder": "ミセ",
    }  # fmt: skip
    assert "another operator has to confirm it" in capsys.readouterr().out
    gateway.refuses("POST /operator/v1/adjustments/9/decision", 403, "SAME_OPERATOR")
    assert run(payout, "approve", "9") == 1
    assert gateway.asked[-1][1] == {"decision": "APPROVE"}
    assert "--operator NAME" in capsys.readouterr().err


def test_terms_are_put_as_typed(gateway, capsys):
    answer = {"merchantId": "0", "version": 2, "cycle": "WEEKLY", "weekday": 5, "minimumAmount": 1,
              "transferFee": 110, "onDemandFee": 0}  # fmt: skip
    gateway.says("POST /operator/v1/payout-terms", answer)
    assert run(payout, "put-terms", "all", "--cycle", "weekly", "--weekday", "fri", "--fee", "110") == 0
    assert gateway.asked[0][1] == {
        "cycle": "WEEKLY", "weekday": 5, "minimumAmount": 1, "transferFee": 110, "onDemandFee": 0,
    }  # fmt: skip
    assert "weekly on fri" in capsys.readouterr().out


def test_files_are_written_unless_they_are_others(gateway, tmp_path, capsys):
    content = json.dumps("records").encode()
    batch = {"batchId": "14", "transferDate": "2026-11-30", "transferCount": 1, "amount": 8900, "fileHash": ""}
    gateway.says("POST /operator/v1/days/2026-11-30/transfer-files", {"batches": [batch]})
    gateway.says("GET /operator/v1/transfer-files/14", "records")
    assert run(payout, "files", "2026-11-30", "--directory", str(tmp_path)) == 0
    assert (tmp_path / "transfers-2026-11-30-14.txt").read_bytes() == content
    batch["fileHash"] = hashlib.sha256(content).hexdigest()
    gateway.says("GET /operator/v1/transfer-files/14", "others")
    assert run(payout, "files", "2026-11-30", "--directory", str(tmp_path), "--again", "14") == 1
    assert "do not send it" in capsys.readouterr().err
    assert (tmp_path / "transfers-2026-11-30-14.txt").read_bytes() == content


def test_a_file_that_the_bank_may_have_is_not_written_again_unasked(gateway, tmp_path, capsys):
    first = {"batchId": "14", "transferDate": "2026-11-30", "transferCount": 1, "amount": 8900,
             "fileHash": hashlib.sha256(b'"records"').hexdigest()}  # fmt: skip
    second = {**first, "batchId": "15", "fileHash": ""}
    gateway.says("POST /operator/v1/days/2026-11-30/transfer-files", {"batches": [first, second]})
    gateway.refuses("GET /operator/v1/transfer-files/14", 409, "TRANSFER_FILE_TAKEN")
    gateway.says("GET /operator/v1/transfer-files/15", "records")
    assert run(payout, "files", "2026-11-30", "--directory", str(tmp_path)) == 0
    assert [written.name for written in tmp_path.iterdir()] == ["transfers-2026-11-30-15.txt"]
    assert "file 14 (1 transfers over 8,900 yen) was taken before" in capsys.readouterr().out
    gateway.says("GET /operator/v1/transfer-files/14", "records")
    gateway.refuses("GET /operator/v1/transfer-files/15", 409, "TRANSFER_FILE_TAKEN")
    assert run(payout, "files", "2026-11-30", "--directory", str(tmp_path), "--again", "14") == 0
    assert len(list(tmp_path.iterdir())) == 2
    assert [call for call, _ in gateway.asked[-2:]] == [
        "GET /operator/v1/transfer-files/14?again=true", "GET /operator/v1/transfer-files/15"
    ]  # fmt: skip
    assert run(payout, "files", "2026-11-30", "--directory", str(tmp_path), "--again", "16") == 1
    assert "2026-11-30 has no file 16" in capsys.readouterr().err


def test_holds_are_of_all_merchants_or_of_one(gateway, capsys):
    held = {"holdId": "16", "merchantId": "7", "payoutId": "12", "cause": "NOT_ARRIVED", "putBy": "aiko",
            "note": "transfer 13 FAILED CLOSED"}  # fmt: skip
    target = "GET /operator/v1/payout-holds"
    gateway.says(target, {"holds": [held], "nextPageToken": "16"}, {"holds": [held], "nextPageToken": ""})
    assert run(payout, "holds") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == ["16", "7", "12", "aiko"]
    assert [call for call, _ in gateway.asked] == [target, target + "?pageToken=16"]
    gateway.says(target, {"holds": [], "nextPageToken": ""})
    assert run(payout, "holds", "7") == 0
    assert gateway.asked[-1][0] == target + "?merchantId=7"
    assert "no open hold" in capsys.readouterr().out


def test_a_result_file_is_sent_as_it_is(gateway, tmp_path, capsys):
    answer = {name: {"count": 1, "amount": 5} for name in ("settled", "failed", "returned")}
    gateway.says("POST /operator/v1/transfer-results", {**answer, "repeatedCount": 0})
    results = tmp_path / "results.csv"
    results.write_bytes(b"transfer_id,outcome\r\n1,SETTLED\r\n")
    assert run(payout, "results", str(results)) == 0
    content = "transfer_id,outcome\r\n1,SETTLED\r\n"
    assert gateway.asked[-1][1] == {"format": "csv", "content": content}
    assert "settled   1 over 5 yen" in capsys.readouterr().out
    told = "aiko imported the file before: settled 1 over 5"
    gateway.refuses("POST /operator/v1/transfer-results", 409, "RESULT_FILE_IMPORTED", told)
    assert run(payout, "results", str(results)) == 1
    said = capsys.readouterr().err
    assert told in said and "nothing is left to do" in said


def test_a_statement_of_the_bank_is_sent_as_it_is(gateway, tmp_path):
    answer = {name: {"count": 0, "amount": 0} for name in ("settled", "failed", "returned")}
    gateway.says("POST /operator/v1/transfer-results", {**answer, "repeatedCount": 0})
    statement = tmp_path / "statement.txt"
    content = "ｶ)ｹﾂｻｲ\r\n".encode("cp932")
    statement.write_bytes(content)
    assert run(payout, "results", str(statement), "--format", "zengin-statement") == 0
    sent = gateway.asked[-1][1]
    assert sent.keys() == {"format", "contentBase64"} and sent["format"] == "zengin-statement"
    assert base64.b64decode(sent["contentBase64"]) == content


def test_files_that_cannot_be_read_or_written_are_no_fault_of_the_gateway(gateway, tmp_path, capsys):
    for command in (
        ["results", str(tmp_path / "none.csv")], ["results", str(tmp_path)],
        ["files", "2026-11-30", "--directory", str(tmp_path / "none")],
    ):  # fmt: skip
        assert run(payout, *command) == 1
        said = capsys.readouterr().err
        assert str(tmp_path) in said and "gateway" not in said
    assert gateway.asked == []


STATEMENT = {
    "merchantId": "7", "month": 202611, "number": "", "notFinal": "2026-11-30 is not closed",
    "recipient": "株式会社みせ", "issuedOnDate": None, "issuedBy": "", "opening": 0, "closing": 9783,
    "openingInTransit": 0, "closingInTransit": 0, "rates": [], "files": [],
    "version": 0, "corrects": "", "correctionReason": "",
    "sums": {"saleCount": 1, "returnCount": 0, "sales": 10000, "returns": 0, "benefits": 0, "fee": -198,
             "tax": -19, "net": 9783, "sent": 0, "prices": 0, "cameBack": 0, "adjusted": 0},
}  # fmt: skip
OF_MONTH = "/operator/v1/merchants/7/statements/2026-11"


def test_a_statement_is_shown_and_written(gateway, tmp_path, capsys):
    gateway.says(f"GET {OF_MONTH}", STATEMENT, "draft bytes")
    assert run(payout, "statement", "7", "2026-11", "--format", "pdf", "--directory", str(tmp_path)) == 0
    assert (tmp_path / "draft-2026-11-7.pdf").read_bytes() == b'"draft bytes"'
    assert gateway.asked[-1][0] == f"GET {OF_MONTH}?format=pdf"
    shown = capsys.readouterr().out
    assert "2026-11-30 is not closed" in shown and "-198 yen" in shown and "9,783 yen" in shown
    content = json.dumps("bytes").encode()
    issued = STATEMENT | {
        "number": "202611-7", "notFinal": "", "issuedOnDate": "2026-12-01", "issuedBy": "aiko",
        "files": [{"format": "csv", "fileHash": hashlib.sha256(content).hexdigest()}],
    }  # fmt: skip
    gateway.says(f"GET {OF_MONTH}", issued, "bytes")
    assert run(payout, "statement", "7", "2026-11", "--format", "csv", "--directory", str(tmp_path)) == 0
    assert (tmp_path / "statement-2026-11-7.csv").read_bytes() == content
    gateway.says(f"GET {OF_MONTH}", issued, "others")
    assert run(payout, "statement", "7", "2026-11", "--format", "csv", "--directory", str(tmp_path)) == 1
    assert "do not send it" in capsys.readouterr().err
    assert (tmp_path / "statement-2026-11-7.csv").read_bytes() == content


def test_a_statement_is_issued_for_a_month_that_is_one(gateway, capsys):
    gateway.refuses(f"POST {OF_MONTH}/issue", 422, "PROFILE_MISSING")
    assert run(payout, "issue-statement", "7", "2026-11") == 1
    assert "put-profile" in capsys.readouterr().err
    for month in ("2026-13", "202611", "2026-11-30"):
        assert run(payout, "issue-statement", "7", month) == 1
        assert "is no month" in capsys.readouterr().err
    name = {"merchantId": "7", "version": 1, "invoiceName": "株式会社みせ"}
    gateway.says("POST /operator/v1/merchants/7/profile", name)
    assert run(payout, "put-profile", "7", "--invoice-name", "株式会社みせ") == 0
    assert gateway.asked[-1][1] == {"invoiceName": "株式会社みせ"}
    assert "version 1" in capsys.readouterr().out


def test_a_months_statements_are_issued_to_the_end(gateway, capsys):
    target = "POST /operator/v1/statements/2026-11/issue"
    sums = {"issuedCount": 90, "notFinalCount": 0, "emptyCount": 4, "refused": [], "nextMerchantId": "77"}
    gateway.says(target, sums, {**sums, "issuedCount": 3, "nextMerchantId": "0"})
    assert run(payout, "issue-statements", "2026-11") == 0
    assert gateway.asked == [(target, {}), (target, {"afterMerchantId": "77"})]
    shown = capsys.readouterr().out
    assert "93 issued" in shown and "nothing in it     8" in shown
    damaged = {"merchantId": "8", "reason": "STATEMENT_DIFFERS", "message": "rows differ"}
    gateway.says(target, {**sums, "notFinalCount": 1, "refused": [damaged], "nextMerchantId": "0"})
    assert run(payout, "issue-statements", "2026-11") == 1
    shown = capsys.readouterr().out
    assert "can still change  1" in shown and "merchant 8: rows differ (STATEMENT_DIFFERS)" in shown
    assert run(payout, "issue-statements", "2026-13") == 1


def test_a_correction_names_what_it_corrects(gateway, tmp_path, capsys):
    corrected = STATEMENT | {
        "number": "202611-7-2", "notFinal": "", "issuedOnDate": "2026-12-05", "issuedBy": "ken", "version": 2,
        "corrects": "202611-7", "correctionReason": "宛名の誤り",
    }  # fmt: skip
    gateway.says(f"POST {OF_MONTH}/corrections", corrected)
    assert run(payout, "correct-statement", "7", "2026-11", "--version", "2", "--reason", "宛名の誤り") == 0
    assert gateway.asked[-1][1] == {"version": 2, "reason": "宛名の誤り"}
    assert "corrects 202611-7: 宛名の誤り" in capsys.readouterr().out
    gateway.says(f"GET {OF_MONTH}", corrected, "bytes")
    assert run(payout, "statement", "7", "2026-11", "--version", "2", "--format", "pdf",
               "--directory", str(tmp_path)) == 0  # fmt: skip
    assert [call for call, _ in gateway.asked[-2:]] == [
        f"GET {OF_MONTH}?version=2", f"GET {OF_MONTH}?format=pdf&version=2"
    ]  # fmt: skip
    assert (tmp_path / "statement-2026-11-7-2.pdf").exists()
    gateway.refuses(f"POST {OF_MONTH}/corrections", 409, "STATEMENT_UNCHANGED")
    assert run(payout, "correct-statement", "7", "2026-11", "--version", "3", "--reason", "again") == 1
    assert "put-profile" in capsys.readouterr().err


def test_books_that_do_not_balance_are_an_error(gateway, capsys):
    lines = [
        {"account": "AVAILABLE", "opening": 700, "amount": -500, "closing": 200},
        {"account": "IN_TRANSIT", "opening": -700, "amount": 500, "closing": -200},
    ]
    target = "GET /operator/v1/days/2026-11-30/trial-balance"
    gateway.says(target, {"lines": lines, "journalsFinal": True, "final": False})
    assert run(payout, "books", "2026-11-30") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "merchant ledger on 2026-11-30 (journals are final)"
    assert shown[2].split() == ["AVAILABLE", "700", "yen", "-500", "yen", "200", "yen"]
    for damaged in ({"opening": 701}, {"amount": -501}, {"closing": 201}):
        gateway.says(target, {"lines": [{**lines[0], **damaged}, lines[1]], "journalsFinal": True, "final": True})
        assert run(payout, "books", "2026-11-30") == 1
        assert "TOTAL" in capsys.readouterr().out


CUSTOMER_LINES = [
    {"account": "USER_MONEY", "opening": 700, "amount": -500, "closing": 200},
    {"account": "MERCHANT_PAYABLE", "opening": -700, "amount": 500, "closing": -200},
]
MERCHANT_LINES = [
    {"account": "CLEARING", "opening": 700, "amount": -500, "closing": 200},
    {"account": "PENDING", "opening": -700, "amount": 500, "closing": -200},
]


def day_books(state="AGREES", because=None, accrued=500, payment=CUSTOMER_LINES):
    return {
        "businessDate": "2026-11-30", "state": state,
        "payment": {"lines": payment, "final": True},
        "payout": {"lines": MERCHANT_LINES, "state": "RELEASED"},
        "agreements": [{"name": "PAYABLE_OF_THE_DAY", "payment": 500, "payout": accrued, "state": state,
                        "because": because}],
    }  # fmt: skip


def test_both_ledgers_are_shown_with_what_differs(gateway, capsys):
    target = "GET /operator/v1/days/2026-11-30/books"
    gateway.says(target, day_books())
    assert run(books, "day", "2026-11-30") == 0
    shown = capsys.readouterr()
    assert "customer ledger on 2026-11-30 (final)" in shown.out
    assert "merchant ledger on 2026-11-30 (released)" in shown.out
    assert "payable to merchants, of the day  500 yen  500 yen  AGREES" in shown.out
    assert shown.err == ""

    gateway.says(target, day_books("NOT_YET", "PAYOUT_DAY_NOT_CLOSED", accrued=480))
    assert run(books, "day", "2026-11-30") == 0
    assert "NOT_YET  payout does not have all of the day yet" in capsys.readouterr().out

    gateway.says(target, day_books("DIFFERS", "MERCHANTS_HELD_BACK", accrued=480))
    assert run(books, "day", "2026-11-30") == 1
    assert "PAYABLE_OF_THE_DAY differs by 20 yen: merchants are held back" in capsys.readouterr().err
    gateway.says(target, day_books("DIFFERS", None, accrued=510))
    assert run(books, "day", "2026-11-30", "--csv") == 1
    assert "PAYABLE_OF_THE_DAY differs by -10 yen\n" in capsys.readouterr().err

    damaged = [{**CUSTOMER_LINES[0], "closing": 201}, CUSTOMER_LINES[1]]
    gateway.says(target, day_books(payment=damaged))
    assert run(books, "day", "2026-11-30") == 1
    assert "payment's ledger does not balance" in capsys.readouterr().err


def test_balances_are_exported(gateway, capsys):
    gateway.says("GET /operator/v1/days/2026-11-30/books", day_books())
    assert run(books, "day", "2026-11-30", "--csv") == 0
    assert capsys.readouterr().out.splitlines() == [
        "business_date,ledger,account,opening,moved,closing",
        "2026-11-30,payment,USER_MONEY,700,-500,200",
        "2026-11-30,payment,MERCHANT_PAYABLE,-700,500,-200",
        "2026-11-30,payout,CLEARING,700,-500,200",
        "2026-11-30,payout,PENDING,-700,500,-200",
    ]
    of_payment = "GET /operator/v1/days/2026-11-30/payment/trial-balance"
    answer = {"lines": CUSTOMER_LINES, "final": False, "clearedGross": 400, "clearedCount": 1}
    gateway.says(of_payment, answer)
    assert run(books, "payment", "2026-11-30", "--csv") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert run(books, "payment", "2026-11-30") == 0
    shown = capsys.readouterr().out
    assert "customer ledger on 2026-11-30 (the day goes on)" in shown
    assert "cleared of the day's releases: 400 yen in 1" in shown
    gateway.says(of_payment, {**answer, "lines": CUSTOMER_LINES[:1]})
    assert run(books, "payment", "2026-11-30") == 1
    gateway.says(
        "GET /operator/v1/days/2026-11-30/trial-balance",
        {"lines": MERCHANT_LINES, "journalsFinal": True, "final": True},
    )
    capsys.readouterr()
    assert run(payout, "books", "2026-11-30", "--csv") == 0
    assert capsys.readouterr().out.splitlines()[1] == "2026-11-30,payout,CLEARING,700,-500,200"


def test_the_customers_journal_is_exported_page_by_page(gateway, capsys):
    entry = {
        "kind": "REFUNDED", "objectId": "9", "version": 2, "occurredAt": "2026-11-30T01:00:00Z",
        "merchantPaymentId": "o-1", "merchantRefundId": "r-1",
        "postings": [{"account": "USER_MONEY", "ownerId": "42", "amount": 5},
                     {"account": "MERCHANT_PAYABLE", "ownerId": "7", "amount": -5}],
    }  # fmt: skip
    gateway.says(
        "GET /operator/v1/days/2026-11-30/payment/journal",
        {"entries": [entry], "nextPageToken": "17-9-2"}, {"entries": [entry], "nextPageToken": ""},
    )  # fmt: skip
    assert run(books, "journal", "2026-11-30") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("business_date,kind,object,version")
    assert lines[1] == "2026-11-30,REFUNDED,9,2,2026-11-30T01:00:00Z,o-1,r-1,USER_MONEY,42,5"
    assert len(lines) == 5
    assert any("pageToken=17-9-2" in call for call, _ in gateway.asked)


FEE_SUMS = {"accrualCount": 3, "gross": 9_000, "charged": 200, "returnCount": 1, "givenBack": -20, "fee": 180}
FEE_REPORT = {
    "businessDate": "2026-11-30", "currency": "JPY", "state": "RELEASED", "final": True,
    "lines": [
        {"owner": "DEFAULT", "merchantId": "0", "planId": "1", "planVersion": 2, "planCount": 1,
         "taxClass": "standard_10", "sums": FEE_SUMS},
        {"owner": "MERCHANT", "merchantId": "7", "planId": "9", "planVersion": 1, "planCount": 1,
         "taxClass": "standard_10", "sums": FEE_SUMS},
        {"owner": "MERCHANT", "merchantId": "0", "planId": "0", "planVersion": 0, "planCount": 1200,
         "taxClass": "standard_10", "sums": FEE_SUMS},
        {"owner": "NOBODY", "merchantId": "0", "planId": "0", "planVersion": 0, "planCount": 0,
         "taxClass": "standard_10", "sums": FEE_SUMS},
    ],
    "rates": [{"taxClass": "standard_10", "percent": 10, "sums": FEE_SUMS, "bookedFee": 180,
               "releasedFee": 180, "tax": 18}],
    "payoutPrices": {"count": 2, "fee": 200, "tax": 20}, "feeRevenue": 380, "consumptionTax": 38,
}  # fmt: skip


def test_fees_are_shown_by_plan_and_rate(gateway, capsys):
    gateway.says("GET /operator/v1/days/2026-11-30/fees", FEE_REPORT)
    assert run(payout, "fees", "2026-11-30") == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[0] == "fees of 2026-11-30 (final)"
    assert lines[2].startswith("1 version 2, default") and "-20 yen" in lines[2]
    assert lines[3].startswith("9 version 1 of merchant 7")
    assert lines[4].startswith("1,200 own plans") and lines[5].startswith("no plan")
    assert "price of 2 payouts  200 yen, tax 20 yen" in shown
    assert "consumption tax   38 yen" in shown
    assert run(payout, "fees", "2026-11-30", "--csv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("business_date,owner,merchant,plan")
    assert lines[2] == "2026-11-30,MERCHANT,7,9,1,1,standard_10,3,9000,200,1,-20,180"


def test_fees_of_damaged_rows_are_an_error(gateway, capsys):
    rate = {**FEE_REPORT["rates"][0], "bookedFee": 181}
    gateway.says("GET /operator/v1/days/2026-11-30/fees", {**FEE_REPORT, "rates": [rate]})
    assert run(payout, "fees", "2026-11-30") == 1
    assert "not what is booked" in capsys.readouterr().err


def test_the_journal_is_exported_page_by_page(gateway, capsys):
    entry = {"kind": "ADJUSTMENT", "journalId": "3", "objectId": "9", "merchantId": "7",
             "postings": [{"account": "ADJUSTMENTS", "amount": -5}, {"account": "AVAILABLE", "amount": 5}]}  # fmt: skip
    gateway.says(
        "GET /operator/v1/days/2026-11-30/journal",
        {"entries": [entry], "nextPageToken": "j3"}, {"entries": [entry], "nextPageToken": ""},
    )  # fmt: skip
    assert run(payout, "journal", "2026-11-30") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "business_date,kind,journal,object,merchant,account,amount"
    assert lines[1] == "2026-11-30,ADJUSTMENT,3,9,7,ADJUSTMENTS,-5"
    assert len(lines) == 5
    assert any("pageToken=j3" in call for call, _ in gateway.asked)


RUN = {
    "businessDate": "2026-11-21", "state": "EQUAL", "bucketsCompared": 1024, "bucketsDifferent": 0,
    "rowsListed": 0, "discrepanciesFound": 0, "deep": False, "startedAt": "2026-11-22T00:00:00Z",
    "finishedAt": None, "runNumber": 1, "failure": "",
}  # fmt: skip
RECON = "/operator/v1/days/2026-11-21/reconciliation"


def test_a_comparison_is_followed_to_its_end(gateway, monkeypatch, capsys):
    monkeypatch.setattr(recon, "POLL_S", 0.0)
    gateway.says(f"POST {RECON}", {**RUN, "state": "RUNNING"})
    gateway.says(f"GET {RECON}", {**RUN, "state": "RUNNING"}, RUN)
    assert run(recon, "run", "yesterday", "--deep") == 0
    assert "run 1 EQUAL" in capsys.readouterr().out
    assert (f"POST {RECON}", {"deep": True}) in gateway.asked


def test_different_books_are_an_error(gateway, capsys):
    gateway.says(f"GET {RECON}", {**RUN, "state": "DIFFERENT", "discrepanciesFound": 2})
    assert run(recon, "status", "2026-11-21") == 1
    assert "./kessai recon list --day 2026-11-21" in capsys.readouterr().out


DISCREPANCY = {
    "discrepancyId": "12", "kind": "MISSING_IN_PAYOUT", "state": "OPEN", "paymentId": "99",
    "version": 1, "businessDate": "2026-11-21", "merchantId": "7", "currency": "JPY",
    "paymentAmount": 1000, "payoutAmount": None, "evidence": "", "history": [],
    "foundAt": "2026-11-22T00:00:00Z", "owner": "", "openRepair": 0,
}  # fmt: skip
REPAIR = {
    "discrepancyId": "12", "number": 1, "kind": "CORRECTING_JOURNAL", "state": "REQUESTED",
    "requestedBy": "aiko", "decidedBy": "", "reason": "it was paid twice", "outcome": "",
    "corrections": [{"merchantId": "7", "amount": -980}], "requestedAt": "2026-11-22T01:00:00Z",
    "decidedAt": None, "carriedOutAt": None, "endedAt": None,
}  # fmt: skip
REPAIRS = "/operator/v1/discrepancies/12/repairs"


def test_a_repair_is_previewed_asked_for_and_followed(gateway, monkeypatch, capsys):
    monkeypatch.setattr(repairs, "POLL_S", 0.0)
    plan = {"discrepancyId": "12", "kind": "PUBLISH_AGAIN", "what": "payout publishes", "corrections": [],
            "needsApproval": False}  # fmt: skip
    gateway.says(f"POST {REPAIRS}/preview", plan)
    assert run(recon, "repair", "12", "--kind", "publish_again", "--preview") == 0
    assert gateway.asked[-1][1] == {"kind": "PUBLISH_AGAIN"}
    assert "payout publishes" in capsys.readouterr().out

    assert run(recon, "repair", "12", "--kind", "PUBLISH_AGAIN") == 1
    assert "--reason" in capsys.readouterr().err
    pending = {**REPAIR, "kind": "PUBLISH_AGAIN", "state": "PENDING", "corrections": []}
    done = {**pending, "state": "REPAIRED", "outcome": "seen"}
    gateway.says(f"POST {REPAIRS}", pending)
    page = {"repairs": [done], "nextPageToken": ""}
    gateway.says("GET /operator/v1/repairs", page)
    asked = ("repair", "12", "--kind", "PUBLISH_AGAIN", "--reason", "a disk", "--wait", "5")
    assert run(recon, *asked) == 0
    assert (f"POST {REPAIRS}", {"kind": "PUBLISH_AGAIN", "reason": "a disk"}) in gateway.asked
    assert "REPAIRED" in capsys.readouterr().out
    gateway.says("GET /operator/v1/repairs", {**page, "repairs": [{**done, "state": "FAILED"}]})
    assert run(recon, *asked) == 1


def test_money_waits_for_another_operator(gateway, capsys):
    gateway.says(f"POST {REPAIRS}", REPAIR)
    wish = ("repair", "12", "--kind", "CORRECTING_JOURNAL", "--reason", "it was paid twice")
    assert run(recon, *wish, "--amount", "-980") == 0
    assert gateway.asked[-1][1]["amount"] == -980
    shown = capsys.readouterr().out
    assert "7: -980 yen" in shown and "./kessai recon approve 12 1" in shown
    gateway.refuses(f"POST {REPAIRS}/1/decision", 403, "SAME_OPERATOR")
    assert run(recon, "approve", "12", "1", "--note", "fine") == 1
    assert "somebody else" in capsys.readouterr().err
    gateway.says(f"POST {REPAIRS}/1/decision", {**REPAIR, "state": "DECLINED", "decidedBy": "ken"})
    assert run(recon, "decline", "12", "1", "--note", "no") == 0
    assert gateway.asked[-1][1] == {"approve": False, "note": "no"}
    gateway.says("GET /operator/v1/repairs", {"repairs": [REPAIR], "nextPageToken": ""})
    assert run(recon, "repairs", "12", "--state", "requested") == 0
    assert "state=REQUESTED" in gateway.asked[-1][0] and "discrepancyId=12" in gateway.asked[-1][0]


def test_a_discrepancy_is_given_to_somebody(gateway, capsys):
    gateway.says("PUT /operator/v1/discrepancies/12/owner", {**DISCREPANCY, "owner": "ken"})
    assert run(recon, "assign", "12", "ken", "--note", "knows the merchant") == 0
    assert gateway.asked[-1][1] == {"owner": "ken", "note": "knows the merchant"}
    assert "ken works on it" in capsys.readouterr().out
    gateway.says("PUT /operator/v1/discrepancies/12/owner", DISCREPANCY)
    assert run(recon, "assign", "12", "-", "--note", "on leave") == 0
    assert gateway.asked[-1][1]["owner"] == ""


CHECK = {
    "checkNumber": 2, "state": "EQUAL", "deep": False, "released": True, "transfersCompared": True,
    "bucketsDifferent": 0, "merchantsListed": 0, "discrepanciesFound": 0,
    "startedAt": "2026-11-22T00:00:00Z", "finishedAt": "2026-11-22T00:00:01Z", "failure": "",
}  # fmt: skip


def test_the_check_against_payout_is_shown_and_counts(gateway, capsys):
    gateway.says(f"GET {RECON}", {**RUN, "payoutCheck": CHECK})
    assert run(recon, "status", "2026-11-21") == 0
    shown = capsys.readouterr().out
    assert "against payout: check 2 EQUAL" in shown
    assert "totals, releases, transfers of the day before" in shown
    worse = {**CHECK, "state": "DIFFERENT", "discrepanciesFound": 3, "released": False}
    gateway.says(f"GET {RECON}", {**RUN, "payoutCheck": worse})
    assert run(recon, "status", "2026-11-21") == 1
    shown = capsys.readouterr().out
    assert "totals, not released yet" in shown and "recon list --day 2026-11-21" in shown


def test_a_discrepancy_says_what_it_means_and_what_to_do(gateway, capsys):
    late = {**DISCREPANCY, "kind": "RESULT_OVERDUE", "paymentId": "0", "version": 0, "transferId": "44",
            "meaning": "No result came.", "whatToDo": "Ask the bank. " * 12}  # fmt: skip
    gateway.says("GET /operator/v1/discrepancies/12", late)
    assert run(recon, "show", "12") == 0
    shown = capsys.readouterr().out
    assert "transfer  44 of 2026-11-21" in shown
    assert "means     No result came." in shown
    assert "do        Ask the bank." in shown and max(map(len, shown.splitlines())) <= 100


def test_a_list_names_what_each_discrepancy_is_about(gateway, capsys):
    none = {**DISCREPANCY, "paymentId": "0", "version": 0}
    gateway.says("GET /operator/v1/discrepancies", {"discrepancies": [
        DISCREPANCY, {**none, "kind": "RESULT_OVERDUE", "transferId": "44"},
        {**none, "kind": "DIGEST_DIFFERS", "bucket": 586}, {**none, "kind": "MERCHANT_HELD_BACK"},
    ], "nextPageToken": ""})  # fmt: skip
    assert run(recon, "list") == 0
    _, change, transfer, digest, merchant = capsys.readouterr().out.splitlines()
    assert f" {DISCREPANCY['paymentId']} " in change
    assert " transfer 44 " in transfer and " bucket 586 " in digest
    assert merchant.split()[3:5] == ["-", "-"]


def test_discrepancies_are_listed_and_changed_with_a_note(gateway, capsys):
    gateway.says("GET /operator/v1/discrepancies", {"discrepancies": [DISCREPANCY], "nextPageToken": ""})
    assert run(recon, "list", "--day", "2026-11-21") == 0
    assert "state=OPEN" in gateway.asked[-1][0] and "businessDate=2026-11-21" in gateway.asked[-1][0]
    assert "MISSING_IN_PAYOUT" in capsys.readouterr().out
    step = {"at": "2026-11-22T01:00:00Z", "state": "ACCEPTED", "actor": "aiko", "note": "known"}
    gateway.says("PATCH /operator/v1/discrepancies/12", {**DISCREPANCY, "history": [step]})
    assert run(recon, "accept", "12", "--note", "known") == 0
    assert gateway.asked[-1][1] == {"state": "ACCEPTED", "note": "known"}
    assert "aiko" in capsys.readouterr().out


def test_a_merchant_held_back_is_shown_with_its_day(gateway, capsys):
    held = {**DISCREPANCY, "kind": "MERCHANT_HELD_BACK", "paymentId": "0", "version": 0,
            "paymentAmount": None, "payoutAmount": 900, "evidence": "RECOUNT_DIFFERS: it differs"}  # fmt: skip
    gateway.says("GET /operator/v1/discrepancies/12", held)
    assert run(recon, "show", "12") == 0
    shown = capsys.readouterr().out
    assert "day       2026-11-21" in shown and "payment 0" not in shown
    assert "merchant  7" in shown and "RECOUNT_DIFFERS" in shown


def test_answers_can_be_had_as_json(gateway, capsys):
    gateway.says(f"POST {RELEASE}", SUMS)
    assert run(release, "--json", "2026-11-21") == 0
    assert json.loads(capsys.readouterr().out)["release"] == SUMS
    no_letters(gateway, *dlq.SERVICES)
    for arguments in (["--json", "list"], ["list", "--json"], ["--json"]):
        assert run(dlq, *arguments) == 0
        assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("command", [day, dlq, recon, release])
def test_help_says_what_it_does(command, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: ./kessai ") and "--stack-file" not in shown


@pytest.mark.parametrize(
    "seconds, text", [(5, "5 s"), (300, "5 m"), (7200 * 2, "4 h"), (86_400 * 3, "3 d")]
)
def test_ages_are_short(seconds, text):
    then = datetime.fromtimestamp(1_800_000_000 - seconds, timezone.utc)
    now = datetime.fromtimestamp(1_800_000_000, timezone.utc)
    assert operate.age(then.isoformat().replace("+00:00", "Z"), now) == text


REPUBLISH = "POST /operator/v1/events/republish"


def test_events_are_published_again_each_once_and_with_the_reason(gateway, capsys):
    gateway.says(REPUBLISH, {"published": 2})
    assert run(republish, "123/1", "9/2", "123/1", "--reason", "the audit misses them") == 0
    assert capsys.readouterr().out == "2 events are published again\n"
    assert gateway.asked == [
        (
            REPUBLISH,
            {
                "changes": [{"objectId": "123", "version": 1}, {"objectId": "9", "version": 2}],
                "reason": "the audit misses them",
            },
        )
    ]


def test_events_of_payout_are_asked_of_payout(gateway, capsys):
    to_payout = "POST /operator/v1/payout-events/republish"
    gateway.says(REPUBLISH, {"published": 1})
    gateway.says(to_payout, {"published": 2})
    transfer, hold = (1 << 40) + 7, (1 << 41) + 512
    # The first date was released, the second is none.
    events = (f"{transfer}/1", "123/1", f"{hold}/2", "20261122/1", "20261399/1")
    assert run(republish, *events, "--reason", "missed") == 0
    assert capsys.readouterr().out == "3 events are published again\n"
    assert [(call, wish["changes"]) for call, wish in gateway.asked] == [
        (REPUBLISH, [{"objectId": "123", "version": 1}, {"objectId": "20261399", "version": 1}]),
        (
            to_payout,
            [
                {"objectId": str(transfer), "version": 1},
                {"objectId": str(hold), "version": 2},
                {"objectId": "20261122", "version": 1},
            ],
        ),
    ]


def test_many_events_are_published_in_requests_that_payment_takes(gateway, capsys):
    gateway.says(REPUBLISH, {"published": 1000}, {"published": 1})
    assert run(republish, *[f"{one}/1" for one in range(1, 1002)], "--reason", "all") == 0
    assert [len(wish["changes"]) for _, wish in gateway.asked] == [1000, 1]
    assert "1001 events" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["123", "123/", "/1", "0/1", "1/0", "a/b", "1/1/1"])
def test_what_names_no_event_is_refused(gateway, capsys, name):
    assert run(republish, name, "--reason", "try") == 1
    assert f"'{name}' names no event" in capsys.readouterr().err
    assert gateway.asked == []


def test_an_event_that_is_not_there_is_told_where_they_are(gateway, capsys):
    gateway.refuses(REPUBLISH, 404, "CHANGE_UNKNOWN", "1 of the changes do not exist")
    assert run(republish, "7/9", "--reason", "try") == 1
    assert "./kessai recon show" in capsys.readouterr().err


def test_nothing_is_published_again_without_a_reason(gateway):
    with pytest.raises(SystemExit):
        run(republish, "7/9", "--reason", " ")
    assert gateway.asked == []


TRANSFER = {
    "transferId": "21", "attempt": 1, "bankAccountVersion": 1, "transferDate": "2026-11-30", "amount": 96_000,
    "state": "SETTLED", "reason": "", "batchId": "3", "requestedBy": "aiko",
}  # fmt: skip
TRACE = {
    "payoutId": "20", "merchantId": "7", "transfer": TRANSFER,
    "parts": [
        {"kind": "RELEASE", "businessDate": "2026-11-22", "objectId": "0", "amount": 97_822,
         "gross": 100_000, "fee": 1_980, "tax": 198, "net": 97_822, "accrualCount": 1},
        {"kind": "ADJUSTMENT", "businessDate": None, "objectId": "9", "amount": -1_712,
         "gross": 0, "fee": 0, "tax": 0, "net": 0, "accrualCount": 0},
        {"kind": "PRICE", "businessDate": None, "objectId": "21", "amount": -110,
         "gross": 0, "fee": 0, "tax": 0, "net": 0, "accrualCount": 0},
    ],
}  # fmt: skip
ACCRUAL = {"paymentId": "1", "version": 1, "businessDate": "2026-11-22", "gross": 100_000, "fee": 1_980}


def test_a_transfer_is_traced_to_its_payments(gateway, capsys):
    gateway.says("GET /operator/v1/transfers/21/trace", TRACE)
    gateway.says(
        "GET /operator/v1/merchants/7/days/2026-11-22/accruals",
        {"accruals": [], "nextPageToken": "32.0.0"}, {"accruals": [ACCRUAL], "nextPageToken": ""},
    )  # fmt: skip
    assert run(payout, "trace", "21", "--payments") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "transfer 21 of payout 20 to merchant 7, attempt 1: SETTLED"
    assert lines[2].split() == [
        "2026-11-22", "97,822", "yen", "100,000", "yen", "1,980", "yen", "198", "yen", "97,822", "yen", "1",
    ]  # fmt: skip
    assert lines[3].startswith("adjustment 9") and "-1,712 yen" in lines[3]
    assert lines[4].startswith("price of transfer 21") and "-110 yen" in lines[4]
    assert lines[5] == "in all 96,000 yen"
    assert lines[-1].split()[:3] == ["1", "1", "2026-11-22"]
    assert any("pageToken=32.0.0" in call for call, _ in gateway.asked)


def test_a_transfer_alone_lists_no_payments(gateway, capsys):
    gateway.says("GET /operator/v1/transfers/21/trace", TRACE)
    assert run(payout, "trace", "21", "--json") == 0
    assert json.loads(capsys.readouterr().out) == TRACE


def test_a_payment_is_traced_to_its_transfers(gateway, capsys):
    days = [
        {"businessDate": "2026-11-22", "released": True, "net": 97_822, "left": 0,
         "paid": [{"payoutId": "20", "transfer": TRANSFER, "amount": 97_822}]},
        {"businessDate": "2026-11-23", "released": True, "net": -500, "left": -500, "paid": []},
        {"businessDate": "2026-11-24", "released": False, "net": 0, "left": 0, "paid": []},
    ]  # fmt: skip
    answer = {"paymentId": "1", "merchantId": "7", "accruals": [ACCRUAL], "days": days}
    gateway.says("GET /operator/v1/payments/1/trace", answer)
    assert run(payout, "trace-payment", "1") == 0
    shown = capsys.readouterr().out
    assert "2026-11-22: 97,822 yen were released of the day" in shown
    assert "21        20      2026-11-30  SETTLED  97,822 yen" in shown
    assert "2026-11-23: -500 yen were released of the day\nin no transfer: -500 yen" in shown
    assert shown.endswith("2026-11-24: not released yet\n")


PROGRESS = "GET /operator/v1/days/2026-11-21/release/progress"
STANDS = {
    "businessDate": "2026-11-21", "state": "RELEASING", "round": 0, "deep": False,
    "startedAt": "2026-11-21T15:00:05Z", "finishedAt": None, "readAt": "2026-11-21T15:00:07Z",
    "chunksDone": 1, "chunkCount": 2, "merchantsDone": 20_000, "merchantCount": 30_001,
    "releasedCount": 19_999, "gross": 500, "net": 490, "merchantsPerSecond": 10_000,
    "chunks": [
        {"chunk": 0, "merchantCount": 20_000, "done": True, "releasedCount": 19_999, "gross": 500, "net": 490},
        {"chunk": 1, "merchantCount": 10_001, "done": False, "releasedCount": 0, "gross": 0, "net": 0},
    ],
}  # fmt: skip


def test_how_far_a_release_is_is_said_while_it_runs(gateway, monkeypatch, capsys):
    monkeypatch.setattr(release, "PROGRESS_S", 0.01)
    said = threading.Event()
    recounting = {**STANDS, "chunksDone": 0, "merchantsDone": 0, "merchantsPerSecond": 0}
    gateway.says(PROGRESS, recounting, recounting, STANDS)
    send = gateway.send

    def slowly(method, target, content=None):
        if method == "POST":  # answered when the last progress was asked for, and once more
            assert said.wait(10)
        elif len(gateway.answers[PROGRESS]) == 1:
            said.set()
        return send(method, target, content)

    monkeypatch.setattr(operate.Session, "open", lambda *_: operate.Session(slowly))
    gateway.says(f"POST {RELEASE}", SUMS)
    assert run(release, "2026-11-21") == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "kessai: recounting",
        "kessai: 1 of 2 chunks, 20,000 of 30,001 merchants, 10,000 a second, some 2 s left",
    ]


def test_only_a_release_that_was_begun_is_resumed(gateway, capsys):
    gateway.says(PROGRESS, {**STANDS, "state": "CLOSED", "chunkCount": 0, "chunks": []}, STANDS)
    assert run(release, "2026-11-21", "--resume") == 1
    shown = capsys.readouterr().err
    assert "no release of 2026-11-21 is under way: it is CLOSED (NOTHING_TO_RESUME)" in shown
    assert "./kessai release DATE begins one" in shown
    gateway.says(f"POST {RELEASE}", SUMS)
    assert run(release, "2026-11-21", "--resume") == 0
    assert gateway.asked[-1] == (f"POST {RELEASE}", {"deep": False, "dryRun": False})
    with pytest.raises(SystemExit):
        run(release, "2026-11-21", "--resume", "--dry-run")


def test_the_progress_of_a_release_is_shown_chunk_by_chunk(gateway, capsys):
    gateway.says(PROGRESS, STANDS)
    assert run(release, "2026-11-21", "--progress") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "business day 2026-11-21: RELEASING, round 0"
    assert lines[2].split() == ["chunks", "1", "of", "2"]
    assert lines[-2].split() == ["0", "20,000", "done", "19,999", "500", "yen", "490", "yen"]
    assert lines[-1].split() == ["1", "10,001", "-", "0", "0", "yen", "0", "yen"]
    gateway.says(PROGRESS, {**STANDS, "state": "CLOSED", "chunkCount": 0, "chunks": []})
    assert run(release, "2026-11-21", "--progress") == 0
    assert "CLOSED, no release was begun" in capsys.readouterr().out

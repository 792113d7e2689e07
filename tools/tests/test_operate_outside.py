"""Goal: `./kessai recon outside` asks for the right thing, shows it, and says what is wrong.

Method: that of test_operate.py, whose gateway answers what the test says.
"""

from __future__ import annotations

import base64
import json

import pytest
from test_operate import gateway, recon, run  # noqa: F401

OUTSIDE = "/operator/v1/outside"
ITEM = {
    "itemId": "5", "side": "BOOKED", "account": "main-bank", "amount": -1000, "currency": "JPY",
    "itemDate": "2026-11-20", "references": [{"kind": "EDI情報", "value": "77"}], "counterparty": "ﾔﾏﾀﾞ",
    "text": "paid", "matchId": "0", "expects": "EXPECTS_UNSPECIFIED", "eventObjectId": "0",
    "eventVersion": 0, "importId": "9", "line": 3, "valueDate": "2026-11-20", "reversal": False,
    "ageDays": 9, "age": "8-30", "overdue": True,
}  # fmt: skip
EXPECTED = {**ITEM, "itemId": "4", "side": "EXPECTED", "expects": "TRANSFER_SENT",
            "eventObjectId": "1099511627853", "eventVersion": 2, "overdue": False}  # fmt: skip
MATCH = {
    "matchId": "12", "account": "main-bank", "state": "SUGGESTED", "rulesVersion": 1, "rule": "amount",
    "score": 45, "why": "same amount; 1 days apart", "difference": 0, "currency": "JPY",
    "changedAt": "2026-11-22T00:00:00Z", "items": [EXPECTED, ITEM],
    "history": [{"state": "SUGGESTED", "actor": "aiko", "note": "rule", "at": "2026-11-22T00:00:00Z"}],
}  # fmt: skip
RUN = {
    "account": "main-bank", "rulesVersion": 1, "expectedCount": 3, "bookedCount": 2, "matchesMade": 1,
    "suggestionsMade": 1, "suggestionsWithdrawn": 0, "boundsReached": 0, "suggestionsLeftOut": 0,
}  # fmt: skip
IMPORT = {
    "importId": "9", "format": "CSV", "templateName": "bank", "templateVersion": 2, "sha256": "00",
    "byteCount": 10, "added": 2, "known": 1, "broken": 0, "notBooked": 0, "accounts": ["main-bank"],
    "importedBy": "aiko", "importedAt": "2026-11-22T00:00:00Z", "notes": [],
    "parts": [{"accountNumber": "1", "statementRef": "", "firstDate": "2026-11-20", "lastDate": None,
               "currency": "JPY", "opening": None, "closing": None, "creditCount": 0, "credits": 0,
               "debitCount": 2, "debits": 3000, "unread": 0, "countsChecked": False,
               "sumsChecked": False, "balanceChecked": True}],
}  # fmt: skip


def outside(*arguments):
    return run(recon, "outside", *arguments)


def test_templates_and_rules_are_put_from_files(gateway, capsys, tmp_path):  # noqa: F811
    file = tmp_path / "bank.yaml"
    file.write_text("name: bank\n")
    stored = {"name": "bank", "version": 2, "yaml": "name: bank\n", "putBy": "aiko", "putAt": "2026-11-22T00:00:00Z"}
    gateway.says(f"PUT {OUTSIDE}/templates/bank", stored)
    assert outside("put-template", "bank", str(file)) == 0
    assert "version 2" in capsys.readouterr().out
    gateway.says(f"GET {OUTSIDE}/templates/bank", stored)
    assert outside("template", "bank") == 0
    assert "name: bank" in capsys.readouterr().out
    gateway.says(f"PUT {OUTSIDE}/accounts/main-bank/rules", {**stored, "name": "main-bank"})
    assert outside("put-rules", "main-bank", str(file)) == 0
    assert gateway.asked[-1] == (f"PUT {OUTSIDE}/accounts/main-bank/rules", {"yaml": "name: bank\n"})
    gateway.refuses(f"PUT {OUTSIDE}/accounts/main-bank/rules", 400, "CONFIG_INVALID", "rules:2: has no name")
    assert outside("put-rules", "main-bank", str(file)) == 1
    assert "rules:2: has no name" in capsys.readouterr().err
    assert outside("put-rules", "main-bank", str(tmp_path / "none")) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_file_is_taken_in_as_its_bytes_and_what_became_of_it_is_shown(gateway, capsys, tmp_path):  # noqa: F811
    file = tmp_path / "statement"
    file.write_bytes(b"\x83\x65\n")
    outcome = {"imported": IMPORT, "repeatedFile": False, "runs": [RUN], "notMatched": []}
    gateway.says(f"POST {OUTSIDE}/imports", outcome)
    assert outside("import", str(file), "--template", "bank", "--account", "main-bank") == 0
    asked = gateway.asked[-1][1]
    assert base64.b64decode(asked["contentBase64"]) == b"\x83\x65\n"
    assert (asked["format"], asked["template"], asked["account"]) == ("CSV", "bank", "main-bank")
    out = capsys.readouterr().out
    assert "new items    2" in out and "checked: balance" in out and "matched      1" in out
    assert "recon outside suggestions --account main-bank" in out

    note = {"kind": "BROKEN", "line": 4, "reason": "DATE_MALFORMED", "message": "no day"}
    broken = {**IMPORT, "broken": 1, "notes": [note]}
    refused = {"account": "main-bank", "reason": "OUTSIDE_RULES_MISSING", "message": "no rules"}
    gateway.says(f"POST {OUTSIDE}/imports",
                 {"imported": broken, "repeatedFile": True, "runs": [], "notMatched": [refused]})  # fmt: skip
    assert outside("import", str(file), "--format", "zengin", "--western-years") == 1
    assert gateway.asked[-1][1]["westernYears"] is True
    out = capsys.readouterr().out
    assert "had been taken in before" in out and "line 4 broken: no day (DATE_MALFORMED)" in out
    assert "was not matched: no rules" in out


def test_csv_needs_a_template_and_the_others_have_none(gateway, capsys, tmp_path):  # noqa: F811
    file = tmp_path / "statement"
    file.write_bytes(b"x")
    assert outside("import", str(file)) == 1
    assert outside("import", str(file), "--format", "zengin", "--template", "bank") == 1
    assert "--template NAME belongs to" in capsys.readouterr().err
    assert gateway.asked == []


def test_a_refused_file_says_what_to_do(gateway, capsys, tmp_path):  # noqa: F811
    file = tmp_path / "statement"
    file.write_bytes(b"x")
    gateway.refuses(f"POST {OUTSIDE}/imports", 400, "STATEMENT_TOTALS_WRONG", "line 9: the sum is 5")
    assert outside("import", str(file), "--template", "bank") == 1
    err = capsys.readouterr().err
    assert "line 9: the sum is 5" in err and "ask the bank" in err


def test_imports_are_listed_and_shown(gateway, capsys):  # noqa: F811
    gateway.says(f"GET {OUTSIDE}/imports", {"imports": [IMPORT], "nextPageToken": ""})
    assert outside("imports") == 0
    assert "main-bank" in capsys.readouterr().out
    notes = [{"kind": "KNOWN", "line": line, "reason": "", "message": ""} for line in range(30)]
    gateway.says(f"GET {OUTSIDE}/imports/9", {**IMPORT, "notes": notes})
    assert outside("show-import", "9") == 0
    assert "and 10 more" in capsys.readouterr().out


def test_an_account_is_run_over_all_days_or_some(gateway, capsys):  # noqa: F811
    gateway.says(f"POST {OUTSIDE}/accounts/main-bank/run", {**RUN, "boundsReached": 2})
    assert outside("run", "main-bank") == 0
    assert gateway.asked[-1][1] is None
    assert "reached 2 times" in capsys.readouterr().out
    assert outside("run", "main-bank", "--from", "2026-11-20", "--to", "today") == 0
    assert gateway.asked[-1][1] == {"firstDate": "2026-11-20", "lastDate": "2026-11-22"}
    gateway.refuses(f"POST {OUTSIDE}/accounts/main-bank/run", 429, "OUTSIDE_RUN_TOO_LARGE")
    assert outside("run", "main-bank") == 1
    assert "--from and --to" in capsys.readouterr().err


def test_suggestions_are_listed_and_decided(gateway, capsys):  # noqa: F811
    gateway.says(f"GET {OUTSIDE}/matches", {"matches": [MATCH], "nextPageToken": ""})
    assert outside("suggestions", "--account", "main-bank") == 0
    assert "account=main-bank&state=SUGGESTED" in gateway.asked[-1][0]
    out = capsys.readouterr().out
    assert "-1,000 yen" in out and "same amount" in out
    assert outside("list") == 0
    assert "state" not in gateway.asked[-1][0]

    gateway.says(f"GET {OUTSIDE}/matches/12", MATCH)
    assert outside("show", "12") == 0
    out = capsys.readouterr().out
    assert "TRANSFER_SENT 1099511627853/2" in out and "import 9 line 3" in out and "aiko" in out

    gateway.says(f"POST {OUTSIDE}/matches/12/decision", {**MATCH, "state": "MATCHED"})
    assert outside("confirm", "12") == 0
    assert gateway.asked[-1][1] == {"decision": "CONFIRM", "note": ""}
    assert outside("reject", "12", "--note", "not that") == 0
    assert gateway.asked[-1][1] == {"decision": "REJECT", "note": "not that"}
    assert outside("unmatch", "12", "--note", "wrong customer") == 0
    assert gateway.asked[-1][1] == {"decision": "UNMATCH", "note": "wrong customer"}


def test_items_are_put_together_by_hand(gateway, capsys):  # noqa: F811
    gateway.says(f"POST {OUTSIDE}/matches", {**MATCH, "state": "MATCHED", "rule": "", "why": "put together by hand"})
    assert outside("match", "4", "5", "--note", "one file") == 0
    assert gateway.asked[-1][1] == {"itemIds": ["4", "5"], "note": "one file"}
    out = capsys.readouterr().out
    assert "by hand" in out and "rules 1" not in out


@pytest.mark.parametrize("arguments", [["match", "4"], ["reject", "12"], ["unmatch", "12", "--note", " "], ["confirm"]])
def test_a_decision_without_a_reason_is_refused(gateway, arguments, capsys):  # noqa: F811
    with pytest.raises(SystemExit) as refused:
        outside(*arguments)
    assert refused.value.code == 2
    assert gateway.asked == []


def test_unmatched_items_of_both_sides_are_listed(gateway, capsys):  # noqa: F811
    unmatched = f"GET {OUTSIDE}/accounts/main-bank/unmatched"
    gateway.says(unmatched, {"items": [EXPECTED], "nextPageToken": ""}, {"items": [ITEM], "nextPageToken": ""})
    assert outside("unmatched", "main-bank") == 1
    out = capsys.readouterr().out
    assert "OVERDUE 9 d" in out and "TRANSFER_SENT" in out
    assert ["side=EXPECTED" in asked[0] for asked in gateway.asked[-2:]] == [True, False]
    gateway.says(unmatched, {"items": [EXPECTED], "nextPageToken": ""})
    assert outside("unmatched", "main-bank", "--side", "expected", "--overdue") == 0
    assert "nothing is overdue" in capsys.readouterr().out


def test_the_summary_says_what_is_overdue_and_what_is_missing(gateway, capsys):  # noqa: F811
    side = {"count": 0, "value": 0, "overdueCount": 0, "overdueValue": 0, "oldestDays": 0,
            "buckets": [{"age": age, "count": 0, "value": 0} for age in ("0-1", "2-3", "4-7", "8-30", "31+")]}  # fmt: skip
    account = {"account": "main-bank", "accountNumber": "1", "expected": side, "booked": side,
               "overdueDays": 5, "runDue": True, "rulesVersion": 1}  # fmt: skip
    gateway.says(f"GET {OUTSIDE}/summary", {"accounts": [account]})
    assert outside() == 0
    assert "waits for a run" in capsys.readouterr().out
    late = {**account, "rulesVersion": 0,
            "booked": {**side, "count": 1, "value": 5, "overdueCount": 1, "overdueValue": 5, "oldestDays": 9}}  # fmt: skip
    gateway.says(f"GET {OUTSIDE}/summary", {"accounts": [late]})
    assert outside("summary") == 1
    out = capsys.readouterr().out
    assert "9 d" in out and "has no rules" in out
    assert outside("summary", "--json") == 1
    assert json.loads(capsys.readouterr().out)[0]["account"] == "main-bank"
    gateway.says(f"GET {OUTSIDE}/summary", {"accounts": []})
    assert outside("summary") == 0
    assert "outside.accounts" in capsys.readouterr().out

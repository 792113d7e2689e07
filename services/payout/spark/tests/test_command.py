"""Goal: the jobs as an operator runs them say what they found, and end so that a program can tell.
Method: spark-submit, with the account that may only read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable

import books
from day_of_trade import DAY
from test_damage import SALE, merchants_of, wrong
from test_export import ended, submit


def test_the_recount_names_who_differs(small_day: Callable[..., books.Day], tmp_path: Path) -> None:
    day = small_day()
    merchant = merchants_of(day, 1)[0]
    day.schema.run(wrong(merchant, "fee = fee + 3", SALE))
    out, log = tmp_path / "out", tmp_path / "log"
    arguments = [*day.arguments(), "--deep", "--out", str(out)]
    assert ended(submit("recount_day.py", arguments, log)) == 1, log.read_text()[-3000:]
    assert f"merchant {merchant} RECOUNT_DIFFERS" in log.read_text()
    report = json.loads((out / "report.json").read_text())
    assert [held["merchant"] for held in report["heldBack"]] == [merchant]
    assert day.reader.password not in log.read_text()


def test_a_refusal_is_named(small_day: Callable[..., books.Day], tmp_path: Path) -> None:
    day = small_day()
    day.schema.run(f"UPDATE payout_day SET state = 1 WHERE business_date = {DAY}")
    log = tmp_path / "log"
    assert ended(submit("recount_day.py", day.arguments(), log)) == 2
    assert "refused: DAY_OPEN: 2026-11-27 is not closed" in log.read_text()


def test_a_refusal_of_a_task_is_named(small_day: Callable[..., books.Day], tmp_path: Path) -> None:
    day, log = small_day(), tmp_path / "log"
    arguments = [
        *day.arguments(), "--to", "dynamodb", "--out", str(tmp_path / "out"), "--patience-s", "0.5",
        *books.dynamodb_arguments("http://127.0.0.1:1"),
    ]  # fmt: skip
    assert ended(submit("export_day.py", arguments, log)) == 2
    assert "refused: THROTTLED: nothing went through for 0.5 s" in log.read_text()


# Goal: what nobody foresaw does not look like a verdict.
def test_an_error_is_neither_a_difference_nor_a_refusal(
    small_day: Callable[..., books.Day], tmp_path: Path
) -> None:
    day, log = small_day(), tmp_path / "log"
    arguments = day.arguments()
    arguments[arguments.index("--jdbc-url") + 1] = "jdbc:mysql://127.0.0.1:1/nowhere"
    assert ended(submit("recount_day.py", arguments, log)) == 3
    assert "Traceback" in log.read_text()

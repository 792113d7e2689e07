"""Goal: a week of trade comes out to the yen: released, paid, one transfer again, on statements, audited.

Method: `./kessai demo payout` as a user runs it, on a stack of its own whose books begin in the past; then
its files are read as a stranger reads them, and summed again.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
STACK = "e2e-week"
PORT_BASE = "24500"
JAPAN = timezone(timedelta(hours=9))


def kessai(*arguments: str, timeout_s: float = 300) -> str:
    done = subprocess.run(
        ["./kessai", *arguments, "--stack", STACK], cwd=ROOT, capture_output=True, text=True,
        timeout=timeout_s, env={**os.environ, "KESSAI_PORT_BASE": PORT_BASE}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def last_month() -> date:
    """Its last day."""
    return datetime.now(JAPAN).date().replace(day=1) - timedelta(days=1)


def first_day() -> date:
    return last_month() - timedelta(days=6)


def merchants() -> list[int]:
    return [int(f"{first_day():%Y%m%d}00") + number for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def week() -> Iterator[tuple[str, Path]]:
    """What the demonstration printed, and where it wrote."""
    preset = Path(os.environ["KESSAI_TEST_BINARIES"]).parent.name
    kessai("reset", "--yes")
    try:
        kessai("up", "--preset", preset, "--no-build", "--no-demo", "--first-day", str(first_day()))
        yield kessai("demo", "payout"), ROOT / ".kessai" / STACK / "demo-payout"
    finally:
        kessai("reset", "--yes")


def statement(directory: Path, month: str, merchant: int) -> list[dict[str, str]]:
    file = directory / f"statement-{month}-{merchant}.csv"
    with open(file, encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def test_it_ends_with_sums_that_agree_and_a_clean_audit(week: tuple[str, Path]) -> None:
    printed, _ = week
    assert printed.count("all agree") == len(merchants())
    assert "both ledgers agree on each of the 7 days" in printed
    assert re.search(r"payout \d+ of さくら電器 failed: .* made again", printed)
    days = re.findall(r"^ +(\d+) released ", printed, re.MULTILINE)
    assert sorted(days) == sorted(7 * [str(merchant) for merchant in merchants()])


def test_the_books_are_exported_whole(week: tuple[str, Path]) -> None:
    for day in (f"{first_day()}", f"{last_month()}"):
        lines = list(csv.DictReader(kessai("books", "day", day, "--csv").splitlines()))
        for side in ("opening", "moved", "closing"):
            for ledger in ("payment", "payout"):
                assert sum(int(line[side]) for line in lines if line["ledger"] == ledger) == 0
        moved = {line["account"]: int(line["moved"]) for line in lines}
        assert moved["MERCHANT_PAYABLE"] == -moved["CLEARING"] > 0
        journals = csv.DictReader(kessai("books", "journal", day).splitlines())
        listed: dict[str, int] = {}
        for line in journals:
            listed[line["account"]] = listed.get(line["account"], 0) + int(line["amount"])
        of_payment = {line["account"]: int(line["moved"]) for line in lines if line["ledger"] == "payment"}
        assert {account: amount for account, amount in of_payment.items() if amount} == {
            account: amount for account, amount in listed.items() if amount
        }


def test_statements_lead_from_balance_to_balance(week: tuple[str, Path]) -> None:
    _, directory = week
    months = (f"{last_month():%Y-%m}", f"{datetime.now(JAPAN).date():%Y-%m}")
    for merchant in merchants():
        closing = 0
        for month in months:
            rows = statement(directory, month, merchant)
            of = {row["項目"]: int(row["残高"]) for row in rows if row["区分"] == "残高"}
            assert of["前月繰越"] == closing
            changes = [row for row in rows if row["区分"] in ("日別", "入出金")]
            for row in changes:
                parts = ("売上", "返金", "販促費", "手数料", "消費税", "振込・調整額")
                assert sum(int(row[part] or 0) for part in parts) == int(row["増減"]), row
            closing += sum(int(row["増減"]) for row in changes)
            assert of["月末残高"] == closing
            # One rounding for the month, of what its days sum to.
            fee = -sum(int(row["手数料"]) for row in changes if row["区分"] == "日別")
            tax = -sum(int(row["消費税"]) for row in changes if row["区分"] == "日別")
            assert tax == fee * 10 // 100


def test_the_months_that_are_over_are_invoices(week: tuple[str, Path]) -> None:
    _, directory = week
    month = f"{last_month():%Y-%m}"
    for merchant in merchants():
        rows = statement(directory, month, merchant)
        texts = {row["項目"]: row["摘要"] for row in rows if row["区分"] == "文書"}
        assert texts["状態"] == "確定"
        assert texts["番号"] == f"{month.replace('-', '')}-{merchant}"
        assert texts["登録番号"].startswith("T")
        paper = subprocess.run(
            ["pdftotext", "-layout", str(directory / f"statement-{month}-{merchant}.pdf"), "-"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert "適格請求書" in paper and texts["宛名"] in paper and texts["登録番号"] in paper


def test_a_payout_is_on_its_statement_with_both_attempts(week: tuple[str, Path]) -> None:
    _, directory = week
    rows = statement(directory, f"{datetime.now(JAPAN).date():%Y-%m}", merchants()[2])
    moves = [(row["項目"], row["番号"]) for row in rows if row["区分"] == "入出金"]
    failed = next(number for item, number in moves if item == "振込不能")
    assert moves[:4] == [
        ("振込", failed), ("振込不能", failed), ("振込", f"{failed}-2"), ("振込完了", f"{failed}-2"),
    ]  # fmt: skip

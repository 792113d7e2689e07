"""Goal: a day whose books come to differ is found, told apart, repaired, equal again, and audited; and its
merchant gets a file of it.

Method: `./kessai demo recon` as a user runs it, on a stack of its own whose books begin yesterday; then the
operator's command says the same.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import subprocess
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
STACK = "e2e-recon"
PORT_BASE = "24000"
JAPAN = timezone(timedelta(hours=9))


def kessai(*arguments: str, codes: tuple[int, ...] = (0,), timeout_s: float = 300) -> str:
    done = subprocess.run(
        ["./kessai", *arguments, "--stack", STACK], cwd=ROOT, capture_output=True, text=True,
        timeout=timeout_s, env={**os.environ, "KESSAI_PORT_BASE": PORT_BASE}, check=False,
    )  # fmt: skip
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


def yesterday() -> date:
    return datetime.now(JAPAN).date() - timedelta(days=1)


@pytest.fixture(scope="module")
def printed() -> Iterator[str]:
    """By the demonstration."""
    preset = Path(os.environ["KESSAI_TEST_BINARIES"]).parent.name
    kessai("reset", "--yes")
    try:
        kessai("up", "--preset", preset, "--no-build", "--no-demo", "--first-day", str(yesterday()))
        yield kessai("demo", "recon")
    finally:
        kessai("reset", "--yes")


def test_it_ends_with_equal_books_and_a_clean_audit(printed: str) -> None:
    runs = re.findall(r"^ +(deep run|run) \d+: (\w+), (\d+) of 1,024 buckets", printed, re.MULTILINE)
    assert [(kind, state) for kind, state, _ in runs] == [
        ("run", "EQUAL"), ("deep run", "DIFFERENT"), ("deep run", "EQUAL"),
    ]  # fmt: skip
    assert int(runs[1][2]) in (1, 2)  # two accruals, unless both are of one bucket
    assert "audit clean" in printed


def test_each_change_is_named_once(printed: str) -> None:
    changed, erased = re.findall(r"^ +payment (\d+): its accrual", printed, re.MULTILINE)
    of_each = (("AMOUNT_DIFFERS", changed), ("FEE_DIFFERS", changed), ("MISSING_IN_PAYOUT", erased))
    for kind, payment in of_each:
        assert re.findall(rf"^ +{kind} +payment (\d+)/1$", printed, re.MULTILINE) == [payment]
    assert len(re.findall(r"^ +MERCHANT_HELD_BACK ", printed, re.MULTILINE)) == 1


def test_the_operators_command_says_the_same(printed: str) -> None:
    assert "EQUAL" in kessai("recon", "status", str(yesterday()))
    assert "no discrepancies" in kessai("recon", "list", "--day", str(yesterday()))
    listed = kessai("recon", "list", "--day", str(yesterday()), "--state", "repaired")
    kinds = ("AMOUNT_DIFFERS", "FEE_DIFFERS", "MISSING_IN_PAYOUT", "DIGEST_DIFFERS", "MERCHANT_HELD_BACK")
    for kind in kinds:
        assert kind in listed, listed


def test_both_changes_are_repaired_by_the_command(printed: str) -> None:
    assert len(re.findall(r"^ +\$ ./kessai recon repair \d+ .* --preview$", printed, re.MULTILINE)) == 2
    ended = re.findall(r"^ +discrepancy \d+, repair 1: ACCRUE_AGAIN, (\w+)$", printed, re.MULTILINE)
    assert ended == ["REPAIRED", "REPAIRED"], printed
    assert "both accruals are what they were, to the last column" in printed
    assert kessai("recon", "repairs").count("ACCRUE_AGAIN") == 2


def test_the_merchant_has_its_file(printed: str, tmp_path: Path) -> None:
    files = json.loads(kessai("recon", "files", "list", "--day", str(yesterday()), "--json"))
    assert [one["rows"] for one in files] == [6]
    path = tmp_path / "file.csv"
    kessai("recon", "files", "get", files[0]["fileId"], "-o", str(path))
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == files[0]["sha256"]
    shown = list(csv.DictReader(content.decode("cp932").splitlines()))
    assert {row["屋号"] for row in shown} == {"喫茶みどり"}
    assert sum(int(row["取引金額"]) for row in shown) == 18_260
    assert "6 rows, 18,260 yen" in printed

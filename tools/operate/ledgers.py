"""How trial balances show, of either ledger: as a table, or as CSV."""

from __future__ import annotations

import csv
import sys
from typing import Any, Sequence

from session import table, yen

SIDES = ("opening", "amount", "closing")


def totals(lines: Sequence[Any]) -> list[int]:
    """Of openings, amounts and closings: zero, or the ledger is damaged."""
    return [sum(line[side] for line in lines) for side in SIDES]


def balances(lines: Sequence[Any]) -> bool:
    return not any(totals(lines))


def balance_table(lines: Sequence[Any]) -> str:
    rows = [(line["account"], *(yen(line[side]) for side in SIDES)) for line in lines]
    rows.append(("TOTAL", *map(yen, totals(lines))))
    return table(("ACCOUNT", "OPENING", "MOVED", "CLOSING"), rows, right=(1, 2, 3))


def write_balances(date: str, ledgers: dict[str, Sequence[Any]]) -> None:
    """The lines of each ledger as CSV, on the standard output."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("business_date", "ledger", "account", "opening", "moved", "closing"))
    for ledger, lines in ledgers.items():
        for line in lines:
            out.writerow((date, ledger, line["account"], *(line[side] for side in SIDES)))

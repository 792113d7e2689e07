"""What the services' books say, read with the user that can only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .stack_file import StackFile

MATCHED = 3  # reconciliation's MatchState


@dataclass(frozen=True)
class Accrual:
    gross: int
    fee: int
    recorded_at_s: float


@dataclass(frozen=True)
class Match:
    state: int
    matched_at_s: float


class Books:
    def __init__(self, stack: StackFile) -> None:
        self._payment = stack.database("payment")
        self._payout = stack.database("payout")
        self._reconciliation = stack.database("reconciliation")

    def close(self) -> None:
        for session in (self._payment, self._payout, self._reconciliation):
            session.close()

    def accrual(self, payment_id: int, version: int = 1) -> Accrual | None:
        row = _one(
            self._payout,
            "SELECT gross, fee, recorded_at_us FROM accrual WHERE payment_id = %s AND version = %s",
            (payment_id, version),
        )
        return None if row is None else Accrual(row[0], row[1], row[2] / 1e6)

    def match(self, payment_id: int, version: int = 1) -> Match | None:
        """Once both sides have come."""
        row = _one(
            self._reconciliation,
            "SELECT state, matched_at_us FROM change_match"
            " WHERE payment_id = %s AND version = %s AND matched_at_us > 0",
            (payment_id, version),
        )
        return None if row is None else Match(row[0], row[1] / 1e6)

    def changes_of(self, payment_id: int) -> int:
        """How many changes of money a payment has had."""
        row = _one(
            self._payment, "SELECT COUNT(*) FROM journal WHERE object_id = %s", (payment_id,)
        )
        return int(row[0]) if row else 0

    def imbalances(self) -> list[str]:
        """What is wrong with the customer ledger; empty when it balances.

        One statement each, so that each sees one state of the database under load too.
        """
        wrong = []
        for what, sql in _RULES:
            with self._payment.cursor() as cursor:
                cursor.execute(sql)
                wrong += [f"{what}: {row}" for row in cursor.fetchall()]
        return wrong


_RULES = (
    (
        "a journal that does not sum to zero (event, currency, sum)",
        "SELECT event_id, currency, SUM(amount) FROM posting"
        " GROUP BY event_id, currency HAVING SUM(amount) <> 0 LIMIT 20",
    ),
    (
        "a change without postings, or postings without a change (object, version)",
        # Postings have no index by change, so both tables are read once and grouped.
        "SELECT object_id, version FROM ("
        "  SELECT object_id, version, event_id, 1 AS journals, 0 AS posted FROM journal"
        "  UNION ALL SELECT DISTINCT object_id, version, event_id, 0, 1 FROM posting) u"
        " GROUP BY object_id, version, event_id"
        " HAVING SUM(journals) <> 1 OR SUM(posted) <> 1 LIMIT 20",
    ),
    (
        "a balance that is not the sum of its postings (kind, owner, stored, sum)",
        "SELECT a.kind, a.owner_id, a.balance, COALESCE(s.total, 0) FROM account a LEFT JOIN"
        " (SELECT kind, owner_id, currency, SUM(amount) AS total FROM posting"
        "  GROUP BY kind, owner_id, currency) s"
        " ON s.kind = a.kind AND s.owner_id = a.owner_id AND s.currency = a.currency"
        " WHERE a.balance <> COALESCE(s.total, 0) LIMIT 20",
    ),
    (
        "a balance below zero (kind, owner, balance)",
        "SELECT kind, owner_id, balance FROM account WHERE balance < 0 LIMIT 20",
    ),
    (
        "a payment refunded beyond what it captured (payment, captured, refunded)",
        "SELECT payment_id, captured, refunded FROM payment"
        " WHERE refunded > captured OR captured > amount LIMIT 20",
    ),
)


def _one(session: Any, sql: str, parameters: tuple[Any, ...]) -> tuple[Any, ...] | None:
    with session.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row

"""Differences between payment's and payout's books, as if payout or payment had recorded it so.

Rows and the digest that is kept of them change together, so a run that only looks at the digests finds
them too.
"""

from __future__ import annotations

from typing import Any

from kessai_client.day_digest import DigestChange, DigestedRow, RowHasher
from kessai_client.stack_file import StackFile

FIRST_PAYMENT = 7_000_000_000_000
Change = tuple[int, int]  # payment, version


class Planter:
    """Plants more and more, spread over the day."""

    def __init__(self, stack: StackFile, hasher: RowHasher, date: str, payments: int) -> None:
        self._sessions = {name: stack.database(name, user="root") for name in ("payment", "payout")}
        self._hasher = hasher
        self._date = date
        self._payments = payments
        self.planted: set[Change] = set()

    def plant_up_to(self, count: int) -> None:
        """Until there are so many."""
        changes = {name: DigestChange(self._hasher) for name in self._sessions}
        for session in self._sessions.values():
            session.begin()
        step = self._payments / max(count, 1)
        at = 0
        while len(self.planted) < count:
            payment = FIRST_PAYMENT + int(at * step) % self._payments
            at += 1
            if at > count:  # those that were there before are in the way
                payment = FIRST_PAYMENT + (int(at * step) + at) % self._payments
            if (payment, 1) not in self.planted:
                self._plant(payment, len(self.planted) % 3, changes)
                self.planted.add((payment, 1))
        for name, session in self._sessions.items():
            changes[name].store(session, self._date)
            session.commit()

    def _plant(self, payment: int, kind: int, changes: dict[str, DigestChange]) -> None:
        payout = self._sessions["payout"]
        row = self._row(payment)
        if kind == 0:
            _execute(payout, "UPDATE accrual SET gross = gross + 1", "payment_id", payment)
            changes["payout"].remove(row)
            changes["payout"].add(DigestedRow(row.payment, 1, row.day, row.merchant, row.gross + 1))
        elif kind == 1:
            _execute(payout, "DELETE FROM accrual", "payment_id", payment)
            changes["payout"].remove(row)
        else:
            _execute(self._sessions["payment"], "DELETE FROM journal", "object_id", payment)
            changes["payment"].remove(row)

    def _row(self, payment: int) -> DigestedRow:
        with self._sessions["payout"].cursor() as cursor:
            cursor.execute(
                "SELECT merchant_id, gross FROM accrual WHERE payment_id = %s AND version = 1",
                (payment,),
            )
            merchant, gross = cursor.fetchone()
        return DigestedRow(payment, 1, int(self._date.replace("-", "")), merchant, gross)


def _execute(session: Any, statement: str, key: str, payment: int) -> None:
    with session.cursor() as cursor:
        done = cursor.execute(f"{statement} WHERE {key} = %s AND version = 1", (payment,))
        assert done == 1, f"{statement}: {done} rows"

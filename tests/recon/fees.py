"""The fee and the tax of an accrual, computed again from its row: as payout documents them, written a second time.

Every merchant of these tests has the default plan, and everything is paid with money of the wallet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

RATE_BASIS_POINTS = 198  # of payout's migration V2
COMPLETED, CANCELED = 1, 2  # payout's domain::ChangeKind
STANDARD_8, STANDARD_10 = 1, 2  # payout's domain::TaxClass


@dataclass(frozen=True)
class WrongFee:
    """What it should be."""

    fee: int
    tax_class: int


def fee_of(amount: int) -> int:
    return amount * RATE_BASIS_POINTS // 10_000


def tax_of(tax_class: int, fee: int) -> int:
    """What is less than one is dropped, whatever the sign."""
    percent = {STANDARD_8: 8, STANDARD_10: 10}.get(tax_class, 0)
    tax = abs(fee) * percent // 100
    return tax if fee >= 0 else -tax


def wrong_fee(row: Mapping[str, Any]) -> WrongFee | None:
    """What the row's fee should be, if its fee, tax class or sign does not follow from it.

    Of what no payment can be (nothing moved, more returned than was captured) it should be zero."""
    gross = row["gross"]
    amount = abs(gross)
    captured = amount if row["captured_total"] is None else row["captured_total"]
    returned_before = row["refunded_before"] or 0
    if row["kind"] == COMPLETED:
        can_be = amount > 0 and captured == amount and returned_before == 0
        fee, right_sign = fee_of(captured), gross > 0
    else:
        left = captured - returned_before
        can_be = 0 < amount <= left and (row["kind"] != CANCELED or amount == left)
        fee, right_sign = -fee_returned(captured, returned_before, amount), gross < 0
    if not can_be:
        return WrongFee(0, STANDARD_10)
    if right_sign and (fee, STANDARD_10) == (row["fee"], row["tax_class"]):
        return None
    return WrongFee(fee, STANDARD_10)


def fee_returned(captured: int, before: int, amount: int) -> int:
    if captured <= 0:
        return 0
    fee = fee_of(captured)
    return fee * (before + amount) // captured - fee * before // captured

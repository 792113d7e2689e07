"""Payout's running balances: what its rows of running_balance hold, for whoever changes them."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Balance:
    merchant: int
    tax_class: int
    # Years since 0 times twelve, and months of the year since January.
    month: int
    fee: int
    released: int

    def __str__(self) -> str:
        year, month = divmod(self.month, 12)
        return f"released {self.released}, fees {self.fee} in {year:04}-{month + 1:02}-01"


def _numbers(packed: bytes) -> Iterator[int]:
    number, shift = 0, 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number, shift = 0, 0


def _signed(number: int) -> int:
    return number // 2 if number % 2 == 0 else -(number + 1) // 2


def _packed(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _packed_signed(number: int) -> bytes:
    return _packed(2 * number if number >= 0 else -2 * number - 1)


def unpack(packed: bytes) -> list[Balance]:
    numbers = list(_numbers(packed))
    balances, merchant, month = [], 0, 0
    for i in range(0, len(numbers), 5):
        growth, tax_class, months, fee, released = numbers[i : i + 5]
        merchant += _signed(growth)
        month += _signed(months)
        balances.append(Balance(merchant, tax_class, month, _signed(fee), _signed(released)))
    return balances


def pack(balances: list[Balance]) -> bytes:
    packed, merchant, month = b"", 0, 0
    for balance in balances:
        packed += _packed_signed(balance.merchant - merchant) + _packed(balance.tax_class)
        packed += _packed_signed(balance.month - month) + _packed_signed(balance.fee)
        packed += _packed_signed(balance.released)
        merchant, month = balance.merchant, balance.month
    return packed

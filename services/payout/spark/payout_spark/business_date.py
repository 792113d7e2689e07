"""Business dates are numbers, yyyymmdd, as the service writes them: no time zone can shift one."""

from __future__ import annotations

import datetime

from .refusal import Refusal


def parse(text: str) -> int:
    """`2026-11-28` or `20261128`; refused as ARGUMENT_INVALID when there is no such day."""
    digits = text.replace("-", "") if len(text) == 10 else text
    try:
        if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
            raise ValueError("not eight digits")
        datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError as error:
        raise Refusal("ARGUMENT_INVALID", f"'{text}' is not a day ({error})") from error
    return int(digits)


def iso(day: int) -> str:
    """`2026-11-28`, as SQL takes it."""
    return f"{day // 10000:04d}-{day // 100 % 100:02d}-{day % 100:02d}"


def plus_days(day: int, days: int) -> int:
    """Never beyond the last day that there is."""
    ordinal = min(_date(day).toordinal() + days, datetime.date.max.toordinal())
    date = datetime.date.fromordinal(ordinal)
    return date.year * 10000 + date.month * 100 + date.day


def days_from(first: int, day: int) -> int:
    return _date(day).toordinal() - _date(first).toordinal()


def _date(day: int) -> datetime.date:
    return datetime.date(day // 10000, day // 100 % 100, day % 100)


def cycle_start(day: int) -> int:
    """The first day of the invoice cycle that `day` is of: the calendar month."""
    return day // 100 * 100 + 1

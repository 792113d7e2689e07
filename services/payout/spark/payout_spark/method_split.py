"""How an amount splits over methods, as `accrual_detail` keeps it: '1:700 2:300', in order of the methods;
'': all is money (services/payout/domain/payment_method.h). Expressions of Spark SQL over such texts."""

from __future__ import annotations

from .fee_plans import METHODS

# Digits that no sum of them overflows with: what is longer is above every amount.
_AMOUNT = "0*[1-9][0-9]{0,12}"
# The one form of a split: each method once, in their order, positive, and not all of it money. A blank
# stands between two parts only.
_FORM = (
    "^(?! )(?!0*1:[0-9]+\\\\z)"
    + "".join(f"(?:(?:^| )0*{method}:{_AMOUNT})?" for method in METHODS)
    + "\\\\z"
)


def by_method(text: str, amount: str) -> str:
    """An array of the amounts of all methods. Of a text that is no split: some amounts."""
    parts = ", ".join(
        f"CAST(CONCAT('0', REGEXP_EXTRACT({text}, '(?:^| )0*{method}:0*([0-9]{{1,13}})(?: |\\\\z)', 1)) "
        "AS BIGINT)"
        for method in METHODS
    )
    nothing = ", ".join("0L" for _ in METHODS[1:])
    return f"IF({text} = '', ARRAY({amount}, {nothing}), ARRAY({parts}))"


def is_split(text: str, amount: str) -> str:
    """Whether a text is a split of `amount`, in its one form."""
    total = total_of(by_method(text, amount))
    return f"({text} = '' OR ({text} RLIKE '{_FORM}' AND {total} = {amount}))"


def without(whole: str, part: str) -> str:
    """What is left of an array of by_method without another."""
    return f"ZIP_WITH({whole}, {part}, (of_whole, of_part) -> of_whole - of_part)"


def total_of(amounts: str) -> str:
    return f"AGGREGATE({amounts}, 0L, (total, one) -> total + one)"

"""Consumption tax, by the service's rule (services/payout/domain/tax.h): dated standard rates, one
rounding per invoice and rate, toward zero. A fee given back keeps the rate of its payment.

Sources: National Tax Agency, No. 6303 (rates and their days) and No. 6371 (one rounding per invoice and
rate); Consumption Tax Act, article 38 (returns).
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F


@dataclass(frozen=True)
class Rate:
    tax_class: int  # as stored
    numerator: int
    denominator: int
    effective_from: int


# In order of their days; the first one covers all days before, too. A test compares the numbers with
# the service's table.
JAPAN = (Rate(1, 8, 100, 2014_04_01), Rate(2, 10, 100, 2019_10_01))


def class_on(day: Column) -> Column:
    """The class of a payment's day."""
    found = F.lit(JAPAN[0].tax_class)
    for rate in JAPAN[1:]:
        found = F.when(day >= rate.effective_from, F.lit(rate.tax_class)).otherwise(found)
    return found.cast("bigint")


def is_class(tax_class: Column) -> Column:
    return tax_class.isin([rate.tax_class for rate in JAPAN])


def invoice_tax(tax_class: str, fees: str) -> Column:
    """The tax of an invoice, of columns by name: `fees` × rate, rounded toward zero, once. `fees` is a
    DECIMAL that fits 64 bits; NULL for a class that there is not."""
    cases = " ".join(
        f"WHEN {rate.tax_class} THEN CAST({fees} AS DECIMAL(20,0)) * {rate.numerator} "
        f"DIV {rate.denominator}"
        for rate in JAPAN
    )
    return F.expr(f"CASE {tax_class} {cases} END")

"""Sums that are exact whatever the rows hold.

A damaged row may hold any 64-bit number, and must make its merchant differ, not the job fail or a sum
wrap. Decimal sums would do, and cost Spark its fixed-width aggregation buffers. So a sum is kept as two
64-bit sums, of the upper and the lower 32 bits, which cannot overflow below 2^31 rows of a group; with
ANSI arithmetic more rows than that end the job with an error, never with a wrong sum.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

_LOW_BITS = 0xFFFFFFFF
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def halves(name: str) -> list[Column]:
    """The two aggregates of a BIGINT column, for `whole`."""
    return [
        F.sum(F.shiftright(F.col(name), 32)).alias(f"{name}_upper"),
        F.sum(F.col(name).bitwiseAND(F.lit(_LOW_BITS).cast("bigint"))).alias(f"{name}_lower"),
    ]


def whole(name: str) -> Column:
    """Their value as DECIMAL(38, 0)."""
    upper = F.col(f"{name}_upper").cast("decimal(20,0)") * F.lit(_LOW_BITS + 1).cast("decimal(10,0)")
    return (upper + F.col(f"{name}_lower").cast("decimal(20,0)")).cast("decimal(38,0)").alias(name)


def fits_64_bits(number: Column) -> Column:
    return number.between(_decimal(_LOWEST), _decimal(_HIGHEST))


def _decimal(number: int) -> Column:
    return F.lit(str(number)).cast("decimal(38,0)")

"""The recount of a day and its release lines, by the rules of the service (services/payout/README.md,
"Release" and "Consumption tax").

Two steps, as in the service: tasks sum what they see by merchant and tax class in memory of their own,
whoever the merchant is (Spark's partial aggregation); only these sums travel to be joined with what the
books say. The largest merchant is one sum a task, so it does not matter.
"""

from __future__ import annotations

from functools import reduce
from typing import Sequence

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from . import deep_check, tax
from .exact import fits_64_bits, halves, whole
from .mysql_books import Books, DayState, Round

KEYS = ("merchant_id", "tax_class")

# Why a merchant is not released. Those of the service have its names; RELEASE_DIFFERS is a merchant
# that the service has released, with other lines than these.
EVENT_PARKED, RECOUNT_DIFFERS = "EVENT_PARKED", "RECOUNT_DIFFERS"
FEE_DIFFERS, RELEASE_DIFFERS = "FEE_DIFFERS", "RELEASE_DIFFERS"

# What the books say of a merchant and tax class. Amounts may be damaged and are summed exactly.
_AMOUNTS = (
    "total_gross", "total_fee", "total_count", "earlier_fee", "stored_gross", "stored_fee", "stored_tax",
    "stored_net", "stored_count",
)  # fmt: skip
_COUNTS = ("total_rows", "stored_rows", "parked")


def recounted(accruals: DataFrame, with_faults: bool = False) -> DataFrame:
    """Sums of accrual rows by merchant and tax class: recount_gross, recount_fee, recount_count, and
    faults, how many of them are wrong, if they were looked at (column `fault`)."""
    faulty = F.sum(F.expr("IF(fault <> 0, 1L, 0L)")) if with_faults else F.lit(0).cast("bigint")
    sums = accruals.groupBy(*KEYS).agg(
        *halves("gross"), *halves("fee"), F.count(F.lit(1)).alias("recount_count"),
        faulty.alias("faults"),
    )  # fmt: skip
    return sums.select(
        *KEYS,
        whole("gross").alias("recount_gross"),
        whole("fee").alias("recount_fee"),
        "recount_count",
        "faults",
    )


def booked(spark: SparkSession, books: Books, day: int, state: DayState, parts: int) -> DataFrame:
    """What the books say, by merchant and tax class: the day's totals, what the cycle had released
    before the day, and the day's lines where the service has released it."""
    parked = [(merchant, 0) for merchant in books.parked_merchants(day)]
    pieces = [
        _piece(
            books.totals(day, parts),
            total_gross="gross", total_fee="fee", total_count="item_count", total_rows="1",
        ),
        _piece(spark.createDataFrame(parked, "merchant_id bigint, tax_class bigint"), parked="1"),
    ]  # fmt: skip
    before = state.days_before(day)
    if before:
        pieces.append(_piece(books.released_fees(day, before, parts), earlier_fee="fee"))
    since = state.rounds_since(day)
    if since:
        releases = books.releases(day, sorted({one.day for one in since}), parts).persist()
        own = releases.where(F.col("business_date") == day)
        pieces.append(
            _piece(
                own, stored_gross="gross", stored_fee="fee", stored_tax="tax", stored_net="net",
                stored_count="item_count", stored_rows="1",
            )
        )  # fmt: skip
        others = releases.where(F.col("business_date") != day)
        pieces.append(_piece(_earlier(spark, others, own, since), earlier_fee="fee"))
    sums = reduce(DataFrame.unionByName, pieces).groupBy(*KEYS).agg(
        *[half for name in _AMOUNTS for half in halves(name)],
        *[F.sum(name).alias(name) for name in _COUNTS],
    )  # fmt: skip
    return sums.select(*KEYS, *[whole(name) for name in _AMOUNTS], *_COUNTS)


def _piece(frame: DataFrame, **expressions: str) -> DataFrame:
    values = {name: F.lit(0) for name in (*_AMOUNTS, *_COUNTS)}
    values.update({name: F.expr(text) for name, text in expressions.items()})
    return frame.select(*KEYS, *[value.cast("bigint").alias(name) for name, value in values.items()])


def _earlier(
    spark: SparkSession, others: DataFrame, own: DataFrame, since: Sequence[Round]
) -> DataFrame:
    """Of other days' releases those that a merchant had before it had this day's; all of them, if it was
    not released on this day."""
    rounds = spark.createDataFrame(
        [(one.day, one.number, at) for at, one in enumerate(since)],
        "business_date bigint, round bigint, place bigint",
    )
    # Without a place: by a round before this day's first.
    placed = others.join(F.broadcast(rounds), ["business_date", "round"], "left")
    own_place = (
        own.join(F.broadcast(rounds), ["business_date", "round"])
        .groupBy("merchant_id")
        .agg(F.min("place").alias("own_place"))
    )
    placed = placed.join(own_place, "merchant_id", "left")
    return placed.where("own_place IS NULL OR place IS NULL OR place < own_place").select(*KEYS, "fee")


def judged(recount: DataFrame, books: DataFrame) -> DataFrame:
    """Each merchant and tax class that either side has, with its line (tax, net) and `reason`, why the
    merchant is not released (NULL: it is)."""
    both = recount.join(books, list(KEYS), "full_outer")
    both = both.select(*KEYS, *[_or_zero(both, name) for name in both.columns if name not in KEYS])
    both = both.where("recount_count > 0 OR total_rows > 0 OR stored_rows > 0 OR parked > 0")
    lines = _with_lines(both)
    lines = lines.withColumn(
        "differs",
        F.expr(
            "(recount_count > 0) <> (total_rows > 0) OR recount_gross <> total_gross "
            "OR recount_fee <> total_fee OR recount_count <> total_count"
        ),
    )
    is_stored = "stored_gross = recount_gross AND stored_fee = recount_fee AND stored_tax <=> tax "
    is_stored += "AND stored_net <=> net AND stored_count = recount_count"
    # Of a released merchant each line of the recount is stored, and no other.
    lines = lines.withColumn(
        "stored_differs", F.expr(f"(recount_count > 0 OR stored_rows > 0) AND NOT ({is_stored})")
    )
    return lines.withColumn("reason", _reason())


def _or_zero(frame: DataFrame, name: str) -> Column:
    return F.coalesce(F.col(name), F.lit(0).cast(frame.schema[name].dataType)).alias(name)


def _with_lines(both: DataFrame) -> DataFrame:
    """The tax is what the cycle's rounded tax grows by; net is gross − fee − tax. `line_fault` says why
    there is no line: both mean damaged rows."""
    lines = both.withColumn("fees_before", F.col("earlier_fee"))
    lines = lines.withColumn("fees_after", F.expr("fees_before + recount_fee"))
    fits = fits_64_bits(F.col("fees_before")) & fits_64_bits(F.col("fees_after"))
    fits = fits & fits_64_bits(-F.col("fees_before")) & fits_64_bits(-F.col("fees_after"))
    fits = fits & fits_64_bits(F.col("recount_gross")) & fits_64_bits(F.col("recount_fee"))
    lines = lines.withColumn("fits", fits)
    for name in ("before", "after"):
        lines = lines.withColumn(name, F.expr(f"IF(fits, fees_{name}, 0)"))
    day_tax = tax.invoice_tax("tax_class", "after") - tax.invoice_tax("tax_class", "before")
    lines = lines.withColumn("tax", day_tax.cast("decimal(38,0)"))
    lines = lines.withColumn("net", F.expr("CAST(recount_gross - recount_fee - tax AS DECIMAL(38,0))"))
    return lines.withColumn(
        "line_fault",
        F.when(F.col("recount_count") == 0, None)
        .when(~tax.is_class(F.col("tax_class")), F.expr("CONCAT('no tax class ', tax_class)"))
        .when(~F.col("fits") | ~fits_64_bits(F.col("net")), "the amounts do not fit 64 bits"),
    )


def _reason() -> Column:
    """Of the merchant: the same in all its tax classes, the first that applies."""
    merchant = Window.partitionBy("merchant_id")

    def any_is(condition: str) -> Column:
        return F.max(F.expr(condition)).over(merchant)

    return (
        F.when(any_is("parked > 0"), EVENT_PARKED)
        .when(any_is("differs"), RECOUNT_DIFFERS)
        .when(any_is("faults > 0 OR line_fault IS NOT NULL"), FEE_DIFFERS)
        .when(any_is("stored_rows > 0") & any_is("stored_differs"), RELEASE_DIFFERS)
    )


def release_lines(day: DataFrame) -> DataFrame:
    """The columns of merchant_release, of all merchants that are not held back."""
    released = day.where("reason IS NULL AND recount_count > 0")
    return released.select(
        *KEYS,
        *[
            F.col(source).cast("bigint").alias(name)
            for name, source in (
                ("gross", "recount_gross"), ("fee", "recount_fee"), ("tax", "tax"), ("net", "net"),
                ("item_count", "recount_count"),
            )
        ],
    )  # fmt: skip


def held_back(day: DataFrame, notes: DataFrame | None = None) -> DataFrame:
    """One row a merchant: why, what the totals and the recount say over all tax classes, and a note."""
    sums = [
        F.sum(name).cast("decimal(38,0)").alias(name)
        for name in (
            "total_gross", "total_fee", "total_count", "recount_gross", "recount_fee", "recount_count",
        )
    ]  # fmt: skip
    held = day.where("reason IS NOT NULL").groupBy("merchant_id")
    found = held.agg(F.first("reason").alias("reason"), F.min("line_fault").alias("note"), *sums)
    if notes is None:
        return found
    found = found.join(notes.withColumnRenamed("note", "seen"), "merchant_id", "left")
    is_fee = F.col("reason") == FEE_DIFFERS
    note = F.when(is_fee, F.coalesce(F.col("seen"), F.col("note"))).otherwise(F.col("note"))
    return found.withColumn("note", note).drop("seen")


def first_faults(checked: DataFrame, merchants: DataFrame) -> DataFrame:
    """In words, the wrong accrual of each merchant with the lowest payment id."""
    wrong = checked.where("fault <> 0").join(F.broadcast(merchants), "merchant_id", "left_semi")
    first = F.min(F.struct("payment_id", "version", deep_check.in_words().alias("note")))
    return wrong.groupBy("merchant_id").agg(first.getField("note").alias("note"))

"""The deep recount: each accrual computed again from what its row keeps and the plan in force on its
payment's day, as the service's FindFault does (services/payout/domain/accrual.h). Expressions of Spark
SQL over 64-bit integers; products that need more are DECIMAL, without fraction."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from . import fee_plans, tax
from .fee_plans import AMOUNT_MAX, DEFAULT_MERCHANT

# The kinds of changes by number (services/payout/domain/payment_change.h).
COMPLETED, CANCELED, REFUNDED, AUTHORIZED, CAPTURED, REVERTED, EXPIRED = range(1, 8)

# What can be wrong with an accrual, in the order in which it is looked for. `fault` is a number, so that
# counting faults keeps the aggregation's buffers of fixed width; 0: nothing.
KIND_UNKNOWN, GROSS_OUT_OF_RANGE, SIGN_WRONG, CHANGE_INVALID = 1, 2, 3, 4
PLAN_MISSING, PLAN_DIFFERS, FEE_DIFFERS, CLASS_DIFFERS = 5, 6, 7, 8

_SIGN = (
    f"CASE WHEN kind IN ({COMPLETED}, {CAPTURED}) THEN 1L "
    f"WHEN kind IN ({CANCELED}, {REFUNDED}) THEN -1L ELSE 0L END"
)
_IN_RANGE = f"gross BETWEEN -{AMOUNT_MAX} AND {AMOUNT_MAX}"
# What is out of range has its fault, and becomes a number that no later expression overflows with:
# Spark may evaluate one before it knows whether it is asked for.
_AMOUNT = f"IF({_IN_RANGE}, ABS(gross), 0L)"
_CAPTURED = (
    f"IF(COALESCE(captured_total, 0L) BETWEEN 0 AND {AMOUNT_MAX}, "
    "COALESCE(captured_total, amount), -1L)"
)
_RETURNED = (
    f"IF(COALESCE(refunded_before, 0L) BETWEEN 0 AND {AMOUNT_MAX}, "
    "COALESCE(refunded_before, 0L), -1L)"
)
_VALID = f"""
    payment_id > 0 AND version > 0 AND merchant_id > 0 AND paid_on <= business_date
    AND captured >= 0 AND returned >= 0
    AND (sign = 0 OR amount > 0)
    AND (sign <= 0 OR returned = 0)
    AND (kind <> {COMPLETED} OR (captured = amount AND paid_on = business_date))
    AND (kind <> {CAPTURED} OR captured >= amount)
    AND (sign >= 0 OR (captured > 0 AND amount <= captured - returned))
    AND (kind <> {CANCELED} OR amount = captured - returned)"""


def _fee_of(amount: str) -> str:
    """FeeOf (services/payout/domain/fee_terms.h): amount × rate stays below 2^63."""
    return (
        f"CASE WHEN {amount} = 0 THEN 0L ELSE LEAST("
        f"GREATEST({amount} * terms.rate_basis_points DIV 10000 + terms.fixed_fee, terms.minimum_fee), "
        f"IF(terms.maximum_fee = 0, 9223372036854775807, terms.maximum_fee)) END"
    )


def _share(fee: str, refunded: str) -> str:
    """floor(fee × refunded ÷ captured), which are not negative."""
    return (
        f"(CAST({fee} AS DECIMAL(19,0)) * CAST({refunded} AS DECIMAL(19,0)) "
        "DIV GREATEST(captured, 1L))"
    )


def with_faults(accruals: DataFrame, periods: DataFrame) -> DataFrame:
    """Adds `fault`, and `expected`: the terms in force, the fee and the tax class by the rules.

    `accruals` has the columns FOR_FEES, `periods` is of fee_plans.PERIOD. Its periods are few against a
    day's accruals, so every task gets them all, and no merchant's rows are moved for the join.
    """
    rows = _with_terms(_as_changes(accruals), periods)
    rows = rows.withColumn("fee_of_all", F.expr(_fee_of("captured")))
    rows = rows.withColumn("fee_of_rest", F.expr(_fee_of("(captured - amount)")))
    rows = rows.withColumn(
        "expected_fee",
        F.expr(
            f"""CASE WHEN sign = 0 THEN 0L
                WHEN sign > 0 THEN fee_of_all - fee_of_rest
                ELSE {_share("fee_of_all", "returned")}
                     - {_share("fee_of_all", "(returned + amount)")} END"""
        ),
    )
    rows = rows.withColumn("expected_class", tax.class_on(F.col("paid_on")))
    return rows.withColumn("fault", _fault())


def _as_changes(accruals: DataFrame) -> DataFrame:
    """What the row says of its payment, its NULLs filled in as the service reads them."""
    rows = accruals.withColumn("sign", F.expr(_SIGN))
    rows = rows.withColumn("amount", F.expr(_AMOUNT))
    rows = rows.withColumn("captured", F.expr(_CAPTURED))
    rows = rows.withColumn("returned", F.expr(_RETURNED))
    rows = rows.withColumn("paid_on", F.expr("COALESCE(payment_date, business_date)"))
    return rows.withColumn("valid", F.expr(_VALID))


def _with_terms(rows: DataFrame, periods: DataFrame) -> DataFrame:
    """Adds `terms`: the merchant's own plan in force, else the default one, else NULL."""
    fields = ("plan_id", "version", "currency", *fee_plans.PERIOD.names[6:])
    of_day = F.struct(*[F.col(name) for name in fields])
    own = periods.where(F.col("merchant_id") != DEFAULT_MERCHANT).select(
        F.col("merchant_id").alias("owner"),
        F.col("first_day").alias("own_first"),
        F.col("last_day").alias("own_last"),
        of_day.alias("own_terms"),
    )
    default = periods.where(F.col("merchant_id") == DEFAULT_MERCHANT).select(
        F.col("first_day").alias("default_first"),
        F.col("last_day").alias("default_last"),
        of_day.alias("default_terms"),
    )
    is_own = (F.col("merchant_id") == F.col("owner")) & F.col("paid_on").between(
        F.col("own_first"), F.col("own_last")
    )
    is_default = F.col("paid_on").between(F.col("default_first"), F.col("default_last"))
    joined = rows.join(F.broadcast(own), is_own, "left")
    joined = joined.join(F.broadcast(default), is_default, "left")
    return joined.withColumn("terms", F.coalesce(F.col("own_terms"), F.col("default_terms")))


def _fault() -> Column:
    return F.expr(
        f"""CASE
            WHEN kind NOT BETWEEN {COMPLETED} AND {EXPIRED} THEN {KIND_UNKNOWN}
            WHEN NOT ({_IN_RANGE}) THEN {GROSS_OUT_OF_RANGE}
            WHEN gross <> sign * amount THEN {SIGN_WRONG}
            WHEN NOT valid THEN {CHANGE_INVALID}
            WHEN sign <> 0 AND (terms IS NULL OR terms.currency <> currency) THEN {PLAN_MISSING}
            WHEN plan_id <> IF(sign = 0, 0L, terms.plan_id)
                 OR plan_version <> IF(sign = 0, 0L, terms.version) THEN {PLAN_DIFFERS}
            WHEN fee <> expected_fee THEN {FEE_DIFFERS}
            WHEN tax_class <> expected_class THEN {CLASS_DIFFERS}
            ELSE 0 END"""
    )


def in_words() -> Column:
    """The fault of a row of `with_faults`, with what it should be."""
    described = (
        F.when(F.col("fault") == KIND_UNKNOWN, F.lit("the kind is unknown"))
        .when(F.col("fault") == GROSS_OUT_OF_RANGE, F.lit("gross is out of range"))
        .when(F.col("fault") == SIGN_WRONG, F.lit("the sign of gross does not fit the kind"))
        .when(F.col("fault") == CHANGE_INVALID, F.lit("its numbers do not fit each other"))
        .when(F.col("fault") == PLAN_MISSING, F.lit("no fee plan was in force"))
        .when(
            F.col("fault") == PLAN_DIFFERS,
            F.expr(
                "IF(sign = 0, 'no plan is asked where no money moves', "
                "CONCAT('plan ', terms.plan_id, ' version ', terms.version, ' was in force'))"
            ),
        )
        .when(F.col("fault") == FEE_DIFFERS, F.expr("CONCAT('the fee is ', expected_fee)"))
        .when(F.col("fault") == CLASS_DIFFERS, F.lit("the tax class is another"))
    )
    where = F.expr("CONCAT('payment ', payment_id, ' version ', version, ': ')")
    return F.concat(where, described)

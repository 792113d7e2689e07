"""The deep recount: each accrual computed again from what is kept of it and the plan in force on its
payment's day, as the service's FindFault does (services/payout/domain/accrual.h). Expressions of Spark
SQL over 64-bit integers; products that need more are DECIMAL, without fraction."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from . import fee_plans, plans_in_force, tax
from .fee_plans import AMOUNT_MAX, DEFAULT_MERCHANT
from .method_split import by_method, is_split, total_of, without
from .plans_in_force import PlanBook

# The kinds of changes by number (services/payout/domain/payment_change.h).
COMPLETED, CANCELED, REFUNDED, AUTHORIZED, CAPTURED, REVERTED, EXPIRED = range(1, 8)
# Cashback and coupons, by who bears them, given and taken back.
MERCHANT_CASHBACK, MERCHANT_CASHBACK_RETURNED, MERCHANT_COUPON, MERCHANT_COUPON_RETURNED = range(8, 12)
OPERATOR_CASHBACK, OPERATOR_CASHBACK_RETURNED, OPERATOR_COUPON, OPERATOR_COUPON_RETURNED = range(12, 16)

# What can be wrong with an accrual, in the order in which it is looked for. `fault` is a number, so that
# counting faults keeps the aggregation's buffers of fixed width; 0: nothing.
KIND_UNKNOWN, GROSS_OUT_OF_RANGE, SIGN_WRONG, CHANGE_INVALID = 1, 2, 3, 4
PLAN_MISSING, PLAN_DIFFERS, FEE_DIFFERS, CLASS_DIFFERS = 5, 6, 7, 8


def _any_of(*kinds: int) -> str:
    return f"kind IN ({', '.join(str(kind) for kind in kinds)})"


_SIGN = (
    f"CASE WHEN {_any_of(COMPLETED, CAPTURED, MERCHANT_CASHBACK_RETURNED, MERCHANT_COUPON_RETURNED)} "
    f"THEN 1L WHEN {_any_of(CANCELED, REFUNDED, MERCHANT_CASHBACK, MERCHANT_COUPON)} THEN -1L ELSE 0L END"
)
_HAS_FEE = _any_of(COMPLETED, CANCELED, REFUNDED, CAPTURED)
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
_WHOLE = by_method("captured_methods", "captured")
_PART = by_method("methods", "amount")
_IS_PART = (
    "((captured_methods = '' AND methods = '') "
    f"OR FORALL({without(_WHOLE, _PART)}, left_of_method -> left_of_method >= 0))"
)
_VALID_SALE = f"""returned = 0 AND IF(kind = {COMPLETED},
    captured = amount AND paid_on = business_date,
    captured >= amount AND {_IS_PART})"""
_VALID_RETURN = f"""captured > 0 AND amount <= captured - returned
    AND (kind <> {CANCELED} OR amount = captured - returned)"""
_VALID = f"""
    payment_id > 0 AND version > 0 AND merchant_id > 0 AND paid_on <= business_date
    AND captured >= 0 AND returned >= 0
    AND (sign = 0 OR amount > 0)
    AND CASE WHEN kind >= {MERCHANT_CASHBACK} THEN amount <= captured
             WHEN sign = 0 THEN TRUE
             ELSE {is_split("captured_methods", "captured")} AND {is_split("methods", "amount")}
                  AND IF(sign > 0, {_VALID_SALE}, {_VALID_RETURN}) END"""


def _fee_by(terms: str, amount: str) -> str:
    """FeeOf (services/payout/domain/fee_terms.h): amount × rate stays below 2^63."""
    return (
        f"CASE WHEN {amount} = 0 THEN 0L ELSE LEAST("
        f"GREATEST({amount} * {terms}.rate_basis_points DIV 10000 + {terms}.fixed_fee, "
        f"{terms}.minimum_fee), "
        f"IF({terms}.maximum_fee = 0, 9223372036854775807, {terms}.maximum_fee)) END"
    )


# The steps of the plan whose conditions on the payment hold, in their order, by method and terms. What
# follows the volume and the days under the plan is the same on all days of a period.
_STEPS = """TRANSFORM(
    FILTER(charges.steps, step -> (step.store = '' OR step.store = store_id)
        AND paid_on BETWEEN step.first_day AND step.last_day
        AND (step.first_days = 0 OR in_force.age_days < step.first_days)),
    step -> NAMED_STRUCT(
        'method', step.method,
        'terms', ELEMENT_AT(FILTER(step.tiers, tier -> tier.volume_from <= in_force.volume), -1)))"""


def _fee_of(amount: str, amounts: str) -> str:
    """FeeOf (services/payout/domain/fee_plan.h): each step charges together what of the amounts by method
    falls under it, and the later ones what it leaves."""
    falls_under = "(step.method = 0 OR step.method = at + 1)"
    taken = total_of(f"TRANSFORM(sofar.amounts, (one, at) -> IF({falls_under}, one, 0L))")
    left = f"TRANSFORM(sofar.amounts, (one, at) -> IF({falls_under}, 0L, one))"
    by_steps = f"""AGGREGATE(steps, NAMED_STRUCT('fee', 0L, 'amounts', {amounts}),
        (sofar, step) -> NAMED_STRUCT(
            'fee', sofar.fee + {_fee_by("step.terms", taken)}, 'amounts', {left}),
        sofar -> sofar.fee)"""
    return f"CASE WHEN steps IS NULL THEN {_fee_by('charges', amount)} ELSE {by_steps} END"


def _share(fee: str, refunded: str) -> str:
    """floor(fee × refunded ÷ captured), which are not negative. Of a change that is not valid some number."""
    return (
        f"(CAST({fee} AS DECIMAL(19,0)) * CAST(LEAST({refunded}, captured) AS DECIMAL(19,0)) "
        "DIV GREATEST(captured, 1L))"
    )


_EXPECTED_FEE = f"""CASE
    WHEN NOT has_fee THEN 0L
    WHEN sign > 0 THEN fee_of_all - fee_of_rest
    ELSE {_share("fee_of_all", "returned")} - {_share("fee_of_all", "(returned + amount)")} END"""


def with_faults(accruals: DataFrame, plans: PlanBook) -> DataFrame:
    """Adds `fault`, and `expected_fee` and `expected_class`, what they are by the rules; `accruals` has the
    columns FOR_FEES. Plans are few against a day's accruals, so every task gets them all, and no merchant's
    rows are moved for the joins."""
    rows = _with_charges(_as_changes(accruals), plans)
    rows = rows.withColumn("steps", F.expr(f"IF(has_fee, {_STEPS}, NULL)"))
    rows = rows.withColumn("fee_of_all", F.expr(_fee_of("captured", _WHOLE)))
    of_rest = _fee_of("(captured - amount)", without(_WHOLE, _PART))
    rows = rows.withColumn("fee_of_rest", F.expr(f"IF(sign <= 0 OR captured = amount, 0L, {of_rest})"))
    rows = rows.withColumn("expected_fee", F.expr(_EXPECTED_FEE))
    rows = rows.withColumn("expected_class", tax.class_on(F.col("paid_on")))
    return rows.withColumn("fault", _fault())


def _as_changes(accruals: DataFrame) -> DataFrame:
    """What the row says of its payment, its NULLs filled in as the service reads them."""
    rows = accruals.withColumn("sign", F.expr(_SIGN)).withColumn("has_fee", F.expr(_HAS_FEE))
    rows = rows.withColumn("amount", F.expr(_AMOUNT))
    rows = rows.withColumn("captured", F.expr(_CAPTURED))
    rows = rows.withColumn("returned", F.expr(_RETURNED))
    rows = rows.withColumn("paid_on", F.expr("COALESCE(payment_date, business_date)"))
    return rows.withColumn("valid", F.expr(_VALID))


def _with_charges(rows: DataFrame, plans: PlanBook) -> DataFrame:
    """Adds `in_force`, the merchant's period or else that of all others, and `charges`, the terms of its
    plan version; NULL without a plan."""
    spark = rows.sparkSession
    periods = spark.createDataFrame(plans.periods(), plans_in_force.PERIOD)
    charges = spark.createDataFrame([one.charges() for one in plans.versions], fee_plans.CHARGES)
    of_day = F.struct("plan_id", "version", "age_days", "volume")
    own = periods.where(F.col("merchant_id") != DEFAULT_MERCHANT).select(
        F.col("merchant_id").alias("owner"),
        F.col("first_day").alias("own_first"),
        F.col("last_day").alias("own_last"),
        of_day.alias("own"),
    )
    default = periods.where(F.col("merchant_id") == DEFAULT_MERCHANT).select(
        F.col("first_day").alias("default_first"),
        F.col("last_day").alias("default_last"),
        of_day.alias("default"),
    )
    of_version = charges.select(F.struct(*charges.columns).alias("charges"))
    is_own = (F.col("merchant_id") == F.col("owner")) & F.col("paid_on").between(
        F.col("own_first"), F.col("own_last")
    )
    is_default = F.col("paid_on").between(F.col("default_first"), F.col("default_last"))
    is_version = (F.col("in_force.plan_id") == F.col("charges.plan_id")) & (
        F.col("in_force.version") == F.col("charges.version")
    )
    joined = rows.join(F.broadcast(own), is_own, "left")
    joined = joined.join(F.broadcast(default), is_default, "left")
    joined = joined.withColumn("in_force", F.coalesce("own", "default"))
    return joined.join(F.broadcast(of_version), is_version, "left")


def _fault() -> Column:
    return F.expr(
        f"""CASE
            WHEN kind NOT BETWEEN {COMPLETED} AND {OPERATOR_COUPON_RETURNED} THEN {KIND_UNKNOWN}
            WHEN NOT ({_IN_RANGE}) THEN {GROSS_OUT_OF_RANGE}
            WHEN gross <> sign * amount THEN {SIGN_WRONG}
            WHEN NOT valid THEN {CHANGE_INVALID}
            WHEN has_fee AND (charges IS NULL OR charges.currency <> currency) THEN {PLAN_MISSING}
            WHEN plan_id <> IF(has_fee, charges.plan_id, 0L)
                 OR plan_version <> IF(has_fee, charges.version, 0L) THEN {PLAN_DIFFERS}
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
                "IF(has_fee, CONCAT('plan ', charges.plan_id, ' version ', charges.version, "
                "' was in force'), 'no plan is asked of what has no fee')"
            ),
        )
        .when(F.col("fault") == FEE_DIFFERS, F.expr("CONCAT('the fee is ', expected_fee)"))
        .when(F.col("fault") == CLASS_DIFFERS, F.lit("the tax class is another"))
    )
    where = F.expr("CONCAT('payment ', payment_id, ' version ', version, ': ')")
    return F.concat(where, described)

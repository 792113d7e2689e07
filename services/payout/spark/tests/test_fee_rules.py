"""Goal: the deep recount finds exactly the accruals that the service's finds, and says the same of them.
Method: a generated day with every kind of change under plans of every kind, accrued by the service; then
hundreds of its rows, and of those that fees follow, are damaged by chance, and both look at each accrual."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any, Callable

import books
import pytest
from conftest import seed
from day_of_trade import DAY
from payout_spark import accrual_rows, deep_check
from payout_spark.mysql_books import Books
from plans_of_trade import STORES
from servers import MariaDb

Key = tuple[int, int]
DAMAGES = 600

# What both say in the same words; of the rest only that it is wrong.
SAME_WORDS = (
    "the kind is unknown", "gross is out of range", "the sign of gross", "plan ", "the fee is ",
    "the tax class",
)  # fmt: skip


def found_by_the_service(day: books.Day) -> dict[Key, str]:
    found = {}
    for line in day.schema.carry_out([f"faults {DAY}"]):
        _, payment, version, words = line.split(" ", 3)
        found[int(payment), int(version)] = words
    return found


def found_by_spark(spark: Any, day: books.Day) -> dict[Key, str]:
    reader = Books(spark, day.reader.jdbc_url, day.reader.user, day.reader.password)
    rows = reader.accruals(DAY, accrual_rows.FOR_FEES, accrual_rows.bucket_ranges(2))
    checked = deep_check.with_faults(rows, reader.plans()).where("fault <> 0")
    found = checked.select("payment_id", "version", deep_check.in_words()).collect()
    return {(payment, version): words.split(": ", 1)[1] for payment, version, words in found}


def agreed(spark: Any, day: books.Day) -> dict[Key, str]:
    ours, theirs = found_by_spark(spark, day), found_by_the_service(day)
    assert ours.keys() == theirs.keys(), {
        key: (ours.get(key), theirs.get(key)) for key in list(ours.keys() ^ theirs.keys())[:10]
    }
    for key, words in ours.items():
        assert (words == "no fee plan was in force") == ("PLAN_MISSING" in theirs[key]), (key, words)
        if words == "no plan is asked of what has no fee":
            words = "plan 0 version 0 was in force"
        assert words == theirs[key] or not words.startswith(SAME_WORDS), (key, words, theirs[key])
        assert words == theirs[key] or not theirs[key].startswith(SAME_WORDS), (key, words, theirs[key])
    return ours


def test_fees_by_every_rule_are_found_right(
    spark: Any, mariadb: MariaDb, tmp_path: Path
) -> None:
    day = books.closed_day(mariadb, tmp_path, seed(), payments=4_000)
    assert agreed(spark, day) == {}
    used = day.merchants_under_rules()
    assert all(merchants >= 5 for merchants in used.values()), used


@pytest.mark.parametrize("round_of_chance", range(2))
def test_damaged_accruals_are_the_services(
    spark: Any, mariadb: MariaDb, tmp_path: Path, round_of_chance: int
) -> None:
    chance = random.Random(f"damages {seed()} {round_of_chance}")
    print(f"seed {seed()}")
    day = books.closed_day(mariadb, tmp_path, seed() + round_of_chance, payments=4_000)
    keys, details = (
        day.schema.rows(
            f"SELECT bucket, payment_id, version FROM {table} WHERE business_date = {DAY} "
            "ORDER BY payment_id, version"
        )
        for table in ("accrual", "accrual_detail")
    )
    day.schema.run(
        *[_damage_row(chance, where(key)) for key in chance.sample(keys, DAMAGES)],
        *[_damage_detail(chance, where(key)) for key in chance.sample(details, DAMAGES // 3)],
        *[_new_detail(chance, key) for key in chance.sample(sorted({*keys} - {*details}), 60)],
    )
    found = agreed(spark, day)
    kinds = Counter(re.sub(r"-?\d+", "N", words) for words in found.values())
    # Every kind of fault is among them.
    assert len(found) > DAMAGES / 2 and len(kinds) >= 8, kinds


def where(key: tuple[int, ...]) -> str:
    bucket, payment, version = key
    return (
        f"business_date = {DAY} AND bucket = {bucket} AND payment_id = {payment} AND version = {version}"
    )


def _damage_row(chance: random.Random, condition: str) -> str:
    change = chance.choice(
        (
            "fee = fee + 1", "fee = fee - 1", "fee = -fee", "gross = gross + 1", "gross = -gross",
            "gross = gross * 1000000", "tax_class = 3 - tax_class", "tax_class = 77",
            "plan_version = plan_version + 1", "plan_id = plan_id + 1", "plan_id = 0, plan_version = 0",
            "version = version + 50", f"kind = {chance.randint(0, 17)}",
            f"kind = {chance.randint(8, 15)}, fee = 0, plan_id = 0, plan_version = 0",
            "captured_total = NULL", "captured_total = COALESCE(captured_total, ABS(gross)) + 1",
            "captured_total = ABS(gross)", "captured_total = -1", "refunded_before = 1",
            "refunded_before = NULL",
            f"refunded_before = COALESCE(captured_total, ABS(gross)) - {chance.randint(0, 2)}",
            f"payment_date = business_date - INTERVAL {chance.randint(-1, 60)} DAY", "payment_date = NULL",
            "payment_date = '2013-12-31'", f"merchant_id = {chance.randint(1_000, 1_040)}",
            "merchant_id = -1",
        )
    )  # fmt: skip
    return f"UPDATE accrual SET {change} WHERE {condition}"


def _damage_detail(chance: random.Random, condition: str) -> str:
    if chance.random() < 0.2:
        return f"DELETE FROM accrual_detail WHERE {condition}"
    return f"UPDATE accrual_detail SET {_changed_detail(chance)} WHERE {condition}"


def _changed_detail(chance: random.Random) -> str:
    texts = (
        "''", "'x'", "'1:1'", "'2:5'", "'7:1 2:3'", "CONCAT(captured_methods, ' ')",
        "REPLACE(captured_methods, '2:', '3:')", "REPLACE(methods, '1:', '4:')", "methods",
        "captured_methods",
        "'99999999999999999999:1'", "'1:99999999999999999999'",
    )  # fmt: skip
    column = chance.choice(("captured_methods", "methods", "store_id"))
    return f"{column} = " + (
        f"'{chance.choice((*STORES, 'elsewhere'))}'" if column == "store_id" else chance.choice(texts)
    )


def _new_detail(chance: random.Random, key: tuple[int, ...]) -> str:
    methods = chance.choice(("", "2:1", "1:1 2:1"))
    return (
        "INSERT INTO accrual_detail VALUES "
        f"({DAY}, {key[0]}, {key[1]}, {key[2]}, '{methods}', '', '{chance.choice(STORES)}')"
    )


# Goal: what fees follow beside the accruals is looked at too.
@pytest.mark.parametrize(
    "damage",
    (
        "UPDATE fee_plan_rule SET rate_basis_points = 10000 - rate_basis_points",
        "UPDATE fee_plan_rule SET volume_from = volume_from + 700000 WHERE volume_from > 0",
        "UPDATE fee_plan_rule SET first_days = 3000 WHERE first_days > 0",
        "UPDATE fee_plan_rule SET store_id = 's-4' WHERE store_id = 's-3'",
        "UPDATE fee_plan_rule SET date_to = date_from WHERE date_from IS NOT NULL",
        "DELETE FROM plan_assignment WHERE revision % 2 = 0",
        "UPDATE plan_assignment SET effective_from = effective_from + INTERVAL 1 DAY",
        "UPDATE merchant_volume SET volume = volume + 500000",
        "DELETE FROM merchant_volume",
        "UPDATE merchant_volume SET effective_from = '2026-11-28' WHERE effective_from = '2026-11-27'",
        "DELETE FROM accrual_detail",
        "UPDATE fee_plan SET effective_from = effective_from + INTERVAL 1 DAY WHERE plan_id BETWEEN 201 AND 304",
    ),
)
def test_other_terms_than_at_the_time_are_the_services(
    small_day: Callable[..., books.Day], spark: Any, damage: str
) -> None:
    day = small_day()
    day.schema.run(damage)
    assert agreed(spark, day)

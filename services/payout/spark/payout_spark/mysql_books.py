"""The service's tables, read over JDBC. Nothing is ever written: an account with SELECT is enough.

What has a row a payment is read in ranges of buckets, which are ranges of the table's primary key, and
what has a row a merchant in the ranges that the day was sealed in, which cover every merchant id. Each
range is a task with a connection of its own. A closed day does not change, so it need not be read in one
transaction; what may change (a release under way) is refused, and looked at again at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Sequence

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from . import accrual_rows, business_date, fee_plans, plans_in_force
from .fee_plans import Plan, RuleRow
from .plans_in_force import Assignment, PlanBook, Volume
from .refusal import Refusal

_OPEN = 1  # domain::DayState
_EVENT_PARKED = 1  # domain::HoldReason
DRIVER = "org.mariadb.jdbc.Driver"
_FETCH_ROWS = 10_000
_WHO_PUT_IT = ("revision", "put_at_us", "put_by")
# What fees follow, by table, and what is not read of it.
_FEE_TABLES = {
    "fee_plan": (fee_plans.PLAN_COLUMNS, _WHO_PUT_IT),
    "fee_plan_rule": (fee_plans.RULE_COLUMNS, ()),
    "plan_assignment": (plans_in_force.ASSIGNMENT_COLUMNS, _WHO_PUT_IT[1:]),
    "merchant_volume": (plans_in_force.VOLUME_COLUMNS, ("revision", "fixed_at_us")),
}
_FEE_DATES = ("effective_from", "effective_to", "date_from", "date_to", "month_start")
_ACCRUAL_TABLES = {
    "accrual": accrual_rows.STORED,
    "accrual_detail": (*accrual_rows.DETAIL_KEY, *accrual_rows.DETAILS),
}


@dataclass(frozen=True)
class Round:
    """One pass of the service over a day that released merchants."""

    day: int
    number: int
    started_at_us: int


@dataclass(frozen=True)
class DayState:
    """What must not change while a job reads the day."""

    seal: str
    rounds: tuple[Round, ...]  # of the day's cycle, in the order in which they began
    # Merchants that were left open when the day closed, and so are not in its seal: accruals of theirs
    # may still come until they have a seal of their own.
    left_open: tuple[tuple[int, str | None], ...] = ()

    def days_before(self, day: int) -> list[int]:
        """Days of the cycle that were released, and by no round since this day's first."""
        since = {one.day for one in self.rounds_since(day)}
        return sorted({one.day for one in self.rounds} - since)

    def rounds_since(self, day: int) -> list[Round]:
        """Rounds that began with or after the day's first; none if it was not released yet."""
        own = [one.started_at_us for one in self.rounds if one.day == day]
        return [one for one in self.rounds if own and one.started_at_us >= own[0]]


@dataclass(frozen=True)
class Books:
    spark: SparkSession
    url: str  # jdbc:mysql://HOST:PORT/SCHEMA?…, for Connector/J of MariaDB
    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        # With jdbc:mariadb: Spark quotes names by double quotes, which MySQL reads as texts.
        if not re.fullmatch(r"jdbc:mysql://[^/?]+/[\w$-]+(\?.*)?", self.url):
            raise Refusal("ARGUMENT_INVALID", "the JDBC URL is not jdbc:mysql://HOST:PORT/SCHEMA")

    def driver_url(self, *options: str) -> str:
        separator = "&" if "?" in self.url else "?"
        return f"{self.url}{separator}{'&'.join(('permitMysqlScheme', *options))}"

    def state_of(self, day: int) -> DayState:
        """DAY_UNKNOWN, DAY_OPEN, or RELEASE_RUNNING while a round is under way."""
        date = business_date.iso(day)
        days = self._rows(
            f"SELECT state, LOWER(HEX(seal)) AS seal FROM payout_day WHERE business_date = '{date}'"
        )
        if not days:
            raise Refusal("DAY_UNKNOWN", f"nothing is known of {date}")
        if days[0].state == _OPEN:
            raise Refusal("DAY_OPEN", f"{date} is not closed")
        if self._rows("SELECT releasing_round FROM payout_gate WHERE releasing_date IS NOT NULL"):
            raise Refusal("RELEASE_RUNNING", "a release is under way; try again when it is done")
        cycle = business_date.iso(business_date.cycle_start(day))
        rounds = self._rows(
            f"SELECT {_as_number('business_date')}, round, started_at_us FROM release_round "
            f"WHERE business_date BETWEEN '{cycle}' AND LAST_DAY('{cycle}')"
        )
        in_order = sorted(
            (Round(int(row.business_date), int(row["round"]), int(row.started_at_us)) for row in rounds),
            key=lambda one: (one.started_at_us, one.day, one.number),
        )
        left_open = self._rows(
            "SELECT merchant_id, LOWER(HEX(seal)) AS seal FROM merchant_hold "
            f"WHERE business_date = '{date}' AND open_at_close = 1"
        )
        seals = sorted((int(row.merchant_id), row.seal) for row in left_open)
        return DayState(days[0].seal, tuple(in_order), tuple(seals))

    def accruals(
        self, day: int, columns: Sequence[str], ranges: Sequence[tuple[int, int]]
    ) -> DataFrame:
        """The day's rows of the buckets in `ranges`, one task each."""
        names = [_of_accrual(name) for name in columns]
        if "bucket" not in columns:
            names.append("a.bucket")
        details = ""
        if set(columns) & set(accrual_rows.DETAILS):
            on = " AND ".join(f"d.{name} = a.{name}" for name in accrual_rows.DETAIL_KEY)
            details = f" LEFT JOIN accrual_detail d ON {on}"
        sql = (
            f"SELECT {', '.join(names)} FROM accrual a{details} "
            f"WHERE a.business_date = '{business_date.iso(day)}'"
        )
        frame = self._frame(sql, [f"bucket BETWEEN {first} AND {last}" for first, last in ranges])
        return _typed(frame, accrual_rows.schema(tuple(columns)))

    def totals(self, day: int, parts: int) -> DataFrame:
        """merchant_id, tax_class, gross, fee, item_count: one row a slot."""
        sql = (
            "SELECT merchant_id, tax_class, gross, fee, item_count FROM merchant_day_total "
            f"WHERE business_date = '{business_date.iso(day)}'"
        )
        return _all_longs(self._frame(sql, self._merchant_ranges(day, parts)))

    def released_fees(self, day: int, of_days: Sequence[int], parts: int) -> DataFrame:
        """merchant_id, tax_class, fee: one row a merchant, class and day of these days."""
        return self._of_releases("merchant_id, tax_class, fee", day, of_days, parts)

    def releases(self, day: int, of_days: Sequence[int], parts: int) -> DataFrame:
        """Rows of merchant_release of these days, with days as numbers."""
        columns = (
            f"{_as_number('business_date')}, merchant_id, tax_class, round, gross, fee, tax, net, item_count"
        )
        return self._of_releases(columns, day, of_days, parts)

    def _of_releases(self, columns: str, day: int, of_days: Sequence[int], parts: int) -> DataFrame:
        """Of days, which are not none. A task has all of them of its merchants, as many ranges of the
        primary key as there are days: so its partial sums are one row a merchant, not one a day."""
        days = ", ".join(f"'{business_date.iso(one)}'" for one in of_days)
        sql = f"SELECT {columns} FROM merchant_release WHERE business_date IN ({days})"
        return _all_longs(self._frame(sql, self._merchant_ranges(day, parts)))

    def parked_merchants(self, day: int) -> list[int]:
        """Whose events of the day waited when the service looked last, and who are held back for it."""
        rows = self._rows(
            f"SELECT merchant_id FROM merchant_hold WHERE business_date = '{business_date.iso(day)}' "
            f"AND released_round IS NULL AND (open_at_close = 1 OR reason = {_EVENT_PARKED})"
        )
        return sorted(int(row.merchant_id) for row in rows)

    def plans(self) -> PlanBook:
        """All versions, assignments and volumes. SCHEMA_UNKNOWN when fees follow more than these rules
        know, PLAN_INVALID. What is put meanwhile is of days without accruals yet."""
        for table, (columns, not_read) in _FEE_TABLES.items():
            self._require_columns(table, {*columns, *not_read})
        self._require_no_further_rules()
        # In this order: a plan is stored together with its rules.
        plans = [Plan(*values) for values in self._all_of("fee_plan")]
        rules = [RuleRow(*values) for values in self._all_of("fee_plan_rule")]
        return PlanBook(
            fee_plans.versions(plans, rules),
            [Assignment(*values) for values in self._all_of("plan_assignment")],
            [Volume(*values) for values in self._all_of("merchant_volume")],
        )

    def require_known_accruals(self) -> None:
        """SCHEMA_UNKNOWN when accruals have columns that would be left out, or lack some."""
        for table, columns in _ACCRUAL_TABLES.items():
            self._require_columns(table, set(columns))

    def _all_of(self, table: str) -> list[list[Any]]:
        columns, _ = _FEE_TABLES[table]
        names = [_as_number(name) if name in _FEE_DATES else name for name in columns]
        rows = self._rows(f"SELECT {', '.join(names)} FROM {table}")
        return [
            [value if value is None or isinstance(value, str) else int(value) for value in row]
            for row in rows
        ]

    def _require_no_further_rules(self) -> None:
        """What is said of fees, plans and accruals beside the known tables must not be in use."""
        tables = self._rows(
            "SELECT table_name AS table_name FROM information_schema.tables "
            "WHERE table_schema = DATABASE()"
        )
        for (name,) in tables:
            is_of_fees = name.startswith(("fee_", "plan_", "accrual_"))
            is_known = name in _FEE_TABLES or name in _ACCRUAL_TABLES
            if is_of_fees and not is_known and self._rows(f"SELECT 1 AS one FROM `{name}` LIMIT 1"):
                raise Refusal("SCHEMA_UNKNOWN", f"fees may follow table {name}, which is not read here")

    def _require_columns(self, table: str, known: set[str]) -> None:
        rows = self._rows(
            "SELECT LOWER(column_name) AS column_name FROM information_schema.columns "
            f"WHERE table_schema = DATABASE() AND table_name = '{table}'"
        )
        there = {row.column_name for row in rows}
        if there != known:
            raise Refusal(
                "SCHEMA_UNKNOWN",
                f"table {table} differs from what these rules know, in {sorted(there ^ known)}",
            )

    def _merchant_ranges(self, day: int, parts: int) -> list[str]:
        rows = self._rows(
            f"SELECT merchant_first FROM day_chunk WHERE business_date = '{business_date.iso(day)}'"
        )
        firsts = sorted(int(row.merchant_first) for row in rows)
        firsts = firsts[1 :: max(1, len(firsts) // parts)]
        if not firsts:
            return ["1 = 1"]
        inner = [
            f"merchant_id >= {first} AND merchant_id < {after}"
            for first, after in zip(firsts, firsts[1:])
        ]
        return [f"merchant_id < {firsts[0]}", *inner, f"merchant_id >= {firsts[-1]}"]

    def _rows(self, sql: str) -> list[Row]:
        return self._frame(sql, ["1 = 1"]).collect()

    def _frame(self, sql: str, predicates: list[str]) -> DataFrame:
        """One task for each predicate, on columns of `sql`."""
        return self.spark.read.jdbc(
            self.driver_url(),
            f"({sql}) AS picked",
            predicates=predicates,
            properties={
                "user": self.user,
                "password": self.password,
                "driver": DRIVER,
                "fetchsize": str(_FETCH_ROWS),  # streamed, not gathered in the driver
            },
        )


def _of_accrual(column: str) -> str:
    if column in accrual_rows.DETAILS:
        return f"COALESCE(d.{column}, '') AS {column}"
    return _as_number(column, "a.") if column in accrual_rows.DATES else f"a.{column}"


def _as_number(column: str, table: str = "") -> str:
    date = f"{table}{column}"
    return f"YEAR({date}) * 10000 + MONTH({date}) * 100 + DAYOFMONTH({date}) AS {column}"


def _typed(frame: DataFrame, schema: accrual_rows.StructType) -> DataFrame:
    return frame.select(*[F.col(part.name).cast(part.dataType) for part in schema.fields])


def _all_longs(frame: DataFrame) -> DataFrame:
    return frame.select(*[F.col(name).cast("bigint").alias(name) for name in frame.columns])

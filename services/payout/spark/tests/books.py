"""A generated day in the service's own tables, made by its own code, and the jobs over it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from day_of_trade import DAY, DAY_BEFORE, trade
from payout_spark import business_date, export_job, recount_job
from plans_of_trade import plans_of_trade
from servers import REGION, MariaDb, Schema

LINE = ("merchant_id", "tax_class", "gross", "fee", "tax", "net", "item_count")


@dataclass(frozen=True)
class Day:
    schema: Schema
    reader: Schema  # the jobs' account: SELECT, and nothing else
    folder: Path

    def arguments(self, day: int = DAY) -> list[str]:
        password = self.folder / "password"
        password.write_text(self.reader.password + "\n")
        return [
            "--day", business_date.iso(day), "--jdbc-url", self.reader.jdbc_url,
            "--user", self.reader.user, "--password-file", str(password),
        ]  # fmt: skip

    def recount(self, name: str, *more: str, day: int = DAY) -> Recounted:
        """Runs the job in this process; `name` is of a folder that is not there yet."""
        out = self.folder / name
        code = recount_job.run([*self.arguments(day), "--out", str(out), *more])
        return Recounted(code, out)

    def export(self, name: str, *more: str) -> Path:
        out = self.folder / name
        assert export_job.run([*self.arguments(), "--out", str(out), *more]) == 0
        return out

    def released(self, day: int = DAY) -> list[tuple[int, ...]]:
        """The lines that the service has released, in order."""
        columns = ", ".join(LINE)
        return self.schema.rows(
            f"SELECT {columns} FROM merchant_release WHERE business_date = {day} "
            "ORDER BY merchant_id, tax_class"
        )

    def held_back(self, day: int = DAY) -> dict[int, str]:
        """Whom the service holds back, by reason number."""
        return dict(
            self.schema.rows(
                "SELECT merchant_id, reason FROM merchant_hold "
                f"WHERE business_date = {day} AND released_round IS NULL"
            )
        )

    def merchants_under_rules(self) -> dict[str, int]:
        """How many have accruals of DAY by plan versions with a rule of each condition."""
        conditions = {
            "store": "r.store_id <> ''", "method": "r.method <> 0", "first days": "r.first_days > 0",
            "campaign": "r.date_from IS NOT NULL", "tier": "r.volume_from > 0",
        }  # fmt: skip
        return {
            name: self.schema.rows(
                "SELECT COUNT(DISTINCT a.merchant_id) FROM accrual a JOIN fee_plan_rule r USING (plan_id) "
                f"WHERE a.business_date = {DAY} AND r.version = a.plan_version AND {condition}"
            )[0][0]
            for name, condition in conditions.items()
        }

    def release(self, day: int = DAY, deep: bool = False) -> None:
        self.schema.carry_out([f"release {day}{' deep' if deep else ''}"])

    def all_rows(self) -> list[Any]:
        """Everything in every table, to see that nothing changed."""
        tables = [name for (name,) in self.schema.rows("SHOW TABLES")]
        return [self.schema.rows(f"CHECKSUM TABLE {table} EXTENDED") for table in tables]


@dataclass(frozen=True)
class Recounted:
    code: int
    out: Path

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads((self.out / "report.json").read_text()))

    @property
    def held(self) -> dict[int, str]:
        return {held["merchant"]: held["reason"] for held in self.report["heldBack"]}

    def lines(self, spark: Any) -> list[tuple[int, ...]]:
        frame = spark.read.parquet(str(self.out / "lines")).select(*LINE)
        return sorted(tuple(row) for row in frame.collect())


def dynamodb_arguments(endpoint: str) -> list[str]:
    return ["--dynamodb-region", REGION, "--dynamodb-endpoint", endpoint]


def closed_day(
    mariadb: MariaDb, folder: Path, seed: int, payments: int, close: bool = True,
    release_before: bool = True,
) -> Day:  # fmt: skip
    """Both days closed, the day before released too; but for what is not wanted."""
    schema = mariadb.schema()
    schema.carry_out([])
    schema.run(*plans_of_trade(seed).statements())
    orders = [change.order() for change in trade(seed, payments)]
    orders += ["deliver", f"close {DAY_BEFORE}"]
    if release_before:
        orders.append(f"release {DAY_BEFORE}")
    schema.carry_out([*orders, f"close {DAY}"] if close else orders)
    return Day(schema, schema.reader(), folder)


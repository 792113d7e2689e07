"""Goal: what Spark writes as a rival of the release bench (tests/bench/release) is what the service released.
Method: the bench's job on a day that is the first of its cycle, into tables of the shape of the real ones."""

from __future__ import annotations

import importlib.util
from typing import Any, Callable

import books
from day_of_trade import DAY, DAY_BEFORE
from payout_spark.mysql_books import Books
from servers import ROOT, MariaDb

JOB = ROOT / "tests" / "bench" / "release" / "spark_release.py"


def job() -> Any:
    found = importlib.util.spec_from_file_location("spark_release", JOB)
    assert found and found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_rows_are_the_releases(small_day: Callable[..., books.Day], spark: Any) -> None:
    day = small_day()
    # As if nothing of the cycle had been released before.
    day.schema.run(
        f"DELETE FROM release_round WHERE business_date = {DAY_BEFORE}",
        f"DELETE FROM merchant_release WHERE business_date = {DAY_BEFORE}", "DELETE FROM merchant_cycle",
    )  # fmt: skip
    day.release()
    # Only merchants with trade of the day have a row of the cycle now.
    day.schema.run(
        "CREATE TABLE bench_release LIKE merchant_release", "CREATE TABLE bench_cycle LIKE merchant_cycle"
    )
    times = day.folder / "times"
    password = day.folder / "writer"
    password.write_text(day.schema.password)
    arguments = [
        *day.arguments(), "--releases", "bench_release", "--cycles", "bench_cycle",
        "--parquet", str(day.folder / "copy"), "--times", str(times),
    ]  # fmt: skip
    arguments[arguments.index("--user") + 1] = day.schema.user
    arguments[arguments.index("--password-file") + 1] = str(password)
    assert job().main(arguments) == 0

    for real, written, key in (
        ("merchant_release", "bench_release", f"business_date = {DAY}"),
        ("merchant_cycle", "bench_cycle", "TRUE"),
    ):
        rows = day.schema.rows(f"SELECT * FROM {written} ORDER BY merchant_id, tax_class")
        assert len(rows) > 40
        assert rows == day.schema.rows(f"SELECT * FROM {real} WHERE {key} ORDER BY merchant_id, tax_class")
    measured = dict(line.split() for line in times.read_text().splitlines())
    assert list(measured) == ["started", "released", "recounted", "parquet_cold", "parquet_warm"]
    assert all(float(seconds) > 0 for seconds in measured.values())


# Goal: Spark competes by what is quick there: a batch is one command, not one a row.
def test_rows_go_back_in_bulk(spark: Any, mariadb: MariaDb) -> None:
    rows = 20_000
    schema = mariadb.schema()
    schema.run("CREATE TABLE written (id BIGINT PRIMARY KEY)")

    def commands() -> int:
        ((_, count),) = schema.rows("SHOW GLOBAL STATUS LIKE 'Questions'")
        return int(count)

    before = commands()
    writer = Books(spark, schema.jdbc_url, schema.user, schema.password)
    job().append(writer, spark.range(rows).repartition(2), "written")
    assert commands() - before < rows / 20
    assert schema.rows("SELECT COUNT(*), SUM(id) FROM written") == [(rows, rows * (rows - 1) // 2)]

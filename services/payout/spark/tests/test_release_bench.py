"""Goal: what Spark writes as a rival of the release bench (tests/bench/release) is what the service released.
Method: the bench's job on a day that is the first of its cycle, into a table of the shape of the real one."""

from __future__ import annotations

import importlib.util
from typing import Any, Callable

import books
from day_of_trade import DAY
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
    day = small_day(release_before=False)
    day.release()
    day.schema.run("CREATE TABLE bench_release LIKE merchant_release")
    times = day.folder / "times"
    password = day.folder / "writer"
    password.write_text(day.schema.password)
    arguments = [
        *day.arguments(), "--releases", "bench_release", "--parquet", str(day.folder / "copy"),
        "--times", str(times),
    ]  # fmt: skip
    arguments[arguments.index("--user") + 1] = day.schema.user
    arguments[arguments.index("--password-file") + 1] = str(password)
    assert job().main(arguments) == 0

    rows = day.schema.rows("SELECT * FROM bench_release ORDER BY merchant_id, tax_class")
    assert len(rows) > 40
    assert rows == day.schema.rows(
        f"SELECT * FROM merchant_release WHERE business_date = {DAY} ORDER BY merchant_id, tax_class"
    )
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

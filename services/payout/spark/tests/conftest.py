"""One Spark, one MariaDB and one DynamoDB for all tests; a day of trade where a test asks for one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# Spark's tasks are other processes of the same Python.
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
# Of a DynamoDB on this machine.
os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_EC2_METADATA_DISABLED="true")

import books  # noqa: E402
import servers  # noqa: E402

CACHE = servers.ROOT / ".cache" / "spark"


def seed() -> int:
    return int(os.environ.get("KESSAI_TEST_SEED", "20261127"))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from payout_spark import job
    from pyspark.sql import SparkSession

    scratch = tmp_path_factory.mktemp("spark")
    events = scratch / "events"
    events.mkdir()
    builder = SparkSession.builder.master("local[2]")
    for name, value in {
        "spark.driver.memory": "1g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.local.dir": str(scratch / "local"),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": f"file://{events}",
        "spark.jars": ",".join(str(jar) for jar in (CACHE / "jars").glob("*.jar")),
    }.items():
        builder = builder.config(name, value)
    builder.getOrCreate()
    session = job.session("tests")
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.MariaDb]:
    yield from servers.ending(servers.MariaDb(tmp_path_factory.mktemp("mariadb")))


@pytest.fixture(scope="session")
def dynamodb() -> Iterator[servers.DynamoDb]:
    yield from servers.ending(servers.DynamoDb(CACHE / "node" / "node_modules"))


@pytest.fixture(scope="session")
def closed_day(
    spark: Any, mariadb: servers.MariaDb, tmp_path_factory: pytest.TempPathFactory
) -> books.Day:
    """DAY closed and not released, the day before released: by the service. Read only."""
    print(f"seed {seed()}")
    return books.closed_day(mariadb, tmp_path_factory.mktemp("day"), seed(), payments=3_000)


@pytest.fixture
def small_day(spark: Any, mariadb: servers.MariaDb, tmp_path: Path) -> Callable[..., books.Day]:
    """Makes such a day, small, for a test that changes it."""
    return lambda **given: books.closed_day(mariadb, tmp_path, seed(), **{"payments": 600, **given})

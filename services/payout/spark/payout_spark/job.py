"""What both jobs are called with, their session, and how they end: 0 done, 1 merchants differ, 2 refused,
3 broken off by an error that is none of these."""

from __future__ import annotations

import argparse
import atexit
import math
import re
import shutil
import sys
import tempfile
import traceback
import zipfile
from pathlib import Path
from typing import Callable, Sequence

from pyspark.sql import SparkSession

from . import business_date, dynamodb_day
from .mysql_books import Books
from .refusal import Refusal

DONE, DIFFERENT, REFUSED, BROKEN = 0, 1, 2, 3
_PARTITIONS_MAX = 1024


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--day", required=True, help="the business day, YYYY-MM-DD")
    parser.add_argument(
        "--jdbc-url", required=True, help="jdbc:mysql://HOST:PORT/SCHEMA, with TLS options as it needs"
    )
    parser.add_argument("--user", required=True, help="an account with SELECT on payout's schema")
    parser.add_argument("--password-file", required=True, help="the first line is the password")
    parser.add_argument(
        "--partitions", type=int, default=0,
        help="tasks that read MySQL (0: cores); of accruals four times as many",
    )  # fmt: skip
    parser.add_argument("--dynamodb-region", help="where the day tables of DynamoDB are")
    parser.add_argument("--dynamodb-endpoint", help="another endpoint than the region's")
    parser.add_argument(
        "--patience-s", type=float, default=300.0, help="how long DynamoDB may take nothing at all"
    )
    return parser


def parsed(parser: argparse.ArgumentParser, given: Sequence[str]) -> argparse.Namespace:
    """ARGUMENT_INVALID for what no job can do anything with. What the parser does not know ends the
    program as REFUSED."""
    found = parser.parse_args(given)
    for name, value in vars(found).items():
        if value == "":  # a variable of a shell that was not set
            raise Refusal("ARGUMENT_INVALID", f"--{name.replace('_', '-')} is empty")
    if not 0 <= found.partitions <= _PARTITIONS_MAX:
        raise Refusal("ARGUMENT_INVALID", f"--partitions is from 1 to {_PARTITIONS_MAX}, or 0")
    if not 0 < found.patience_s < math.inf:
        raise Refusal("ARGUMENT_INVALID", "--patience-s is not a time")
    return found


def session(name: str) -> SparkSession:
    """Exact arithmetic: what does not fit its type ends the job, and is never wrapped or NULL."""
    spark = (
        SparkSession.builder.appName(name)
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    spark.conf.set("spark.sql.ansi.enabled", "true")
    _send_package(spark)
    return spark


def _send_package(spark: SparkSession) -> None:
    """Gives the tasks this package, unless it came to the driver as a zip by --py-files."""
    folder = Path(__file__).resolve().parent
    if not folder.is_dir():
        return
    # Served to executors from here for as long as the session lasts.
    scratch = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    package = Path(scratch) / f"{folder.name}.zip"
    with zipfile.ZipFile(package, "w") as packed:
        for source in sorted(folder.glob("*.py")):
            packed.write(source, f"{folder.name}/{source.name}")
    spark.sparkContext.addPyFile(str(package))


def books(spark: SparkSession, given: argparse.Namespace) -> Books:
    try:
        password = Path(given.password_file).read_text().split("\n")[0]
    except (OSError, UnicodeError) as error:
        raise Refusal("ARGUMENT_INVALID", f"the password file: {error}") from error
    return Books(spark, given.jdbc_url, given.user, password)


def day(given: argparse.Namespace) -> int:
    return business_date.parse(given.day)


def partitions(spark: SparkSession, given: argparse.Namespace) -> int:
    return given.partitions or max(2, spark.sparkContext.defaultParallelism)


def dynamodb_access(given: argparse.Namespace) -> dynamodb_day.Access | None:
    if not given.dynamodb_region:
        return None
    return dynamodb_day.Access(given.dynamodb_region, given.dynamodb_endpoint, given.patience_s)


def end(run: Callable[[Sequence[str]], int]) -> None:
    """The last words of a job's program."""
    try:
        code = run(sys.argv[1:])
    except Refusal as refusal:
        code = REFUSED
        print(f"refused: {refusal}", file=sys.stderr)
    except Exception as error:  # Python's own code for these would be 1
        refused = _refused_by_a_task(error)
        code = BROKEN if refused is None else REFUSED
        print(f"refused: {refused}" if refused else traceback.format_exc(), file=sys.stderr)
    sys.stdout.flush()
    sys.exit(code)


def _refused_by_a_task(error: Exception) -> str | None:
    """A task's refusal reaches the driver as text within Spark's own exception."""
    found = re.search(r"payout_spark\.refusal\.Refusal: (.*)", str(error))
    return found.group(1) if found else None

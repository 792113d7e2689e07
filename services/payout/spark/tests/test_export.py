"""Goal: an export has every accrual of the day once, however often it was killed, or it is not read.
Method: real exports to Parquet and DynamoDB, killed by SIGKILL wherever chance has it, in the middle of files
and batches, and before the manifest; and run again, against the rows in MySQL."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import books
import pytest
from conftest import CACHE, seed
from day_of_trade import DAY
from payout_spark import accrual_rows, dynamodb_day, export
from payout_spark.files import Files
from payout_spark.refusal import Refusal
from servers import REGION, DynamoDb, MariaDb, Throttle

JOBS = Path(__file__).resolve().parents[1]
RANGES = 10
# Kills by chance, each with one of so many calls of DynamoDB, or paths that appear in the folder. A range takes more
# than ten of either: the first is in the middle of one, and together they do not reach the end.
STEPS_MAX = (8, 40, 40)
# Seconds on an idle machine; this is when one that does not end is given up.
ENDS_WITHIN_S = 900


def submit(job: str, arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """The job as an operator runs it."""
    command = [
        str(Path(sys.executable).parent / "spark-submit"), "--master", "local[2]",
        "--driver-memory", "1g", "--conf", "spark.ui.enabled=false",
        "--conf", "spark.sql.shuffle.partitions=4", "--conf", f"spark.local.dir={log.parent}/local",
        "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1",
        "--jars", ",".join(str(jar) for jar in (CACHE / "jars").glob("*.jar")),
        str(JOBS / job), *arguments,
    ]  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SPARK_")}
    environment["TMPDIR"] = str(log.parent)  # what a killed one leaves goes with the test's folder
    with open(log, "ab") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, process_group=0
        )


def ended(process: subprocess.Popen[bytes]) -> int:
    """Its exit code."""
    try:
        return process.wait(ENDS_WITHIN_S)
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """It and its JVM, at once, unless it has ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def paths_seen(folder: Path) -> Callable[[], int]:
    """How many paths were ever there when one looked: drafts and what Spark has not committed too."""
    seen: set[str] = set()

    def count() -> int:
        seen.update(f"{where}/{name}" for where, _, names in os.walk(folder) for name in (".", *names))
        return len(seen)

    return count


def moments(target: str, out: Path, throttle: Throttle) -> Iterator[Callable[[], bool]]:
    """In which exports die, one after the other: by chance, right after a checkpoint, and between the last one
    and the manifest. Made when the export begins."""
    chance = random.Random(f"kills {seed()} {target}")

    def checked_off() -> int:
        return len(list(out.glob("checkpoints/*.json")))

    for most in STEPS_MAX:
        steps = paths_seen(out) if target == "parquet" else throttle.calls.total
        yield at_least(steps() + chance.randint(1, most), steps)
    yield at_least(checked_off() + 1, checked_off)
    yield at_least(RANGES, checked_off)


def at_least(enough: int, count: Callable[[], int]) -> Callable[[], bool]:
    return lambda: count() >= enough


def kill_when(process: subprocess.Popen[bytes], holds: Callable[[], bool], log: Path) -> None:
    """In the moment in which it holds."""
    deadline = time.monotonic() + ENDS_WITHIN_S
    try:
        while not holds():
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, "the export does not get on"
            time.sleep(0.001)
    finally:
        kill(process)


def mysql_rows(day: books.Day) -> list[tuple[Any, ...]]:
    def read(name: str) -> str:
        if name in accrual_rows.DETAILS:
            return f"COALESCE(d.{name}, '')"
        date = f"CAST(DATE_FORMAT(a.{name}, '%Y%m%d') AS SIGNED)"
        return date if name in accrual_rows.DATES else f"a.{name}"

    rows = day.schema.rows(
        f"SELECT {', '.join(read(name) for name in accrual_rows.COLUMNS)} FROM accrual a "
        f"LEFT JOIN accrual_detail d USING ({', '.join(accrual_rows.DETAIL_KEY)}) "
        f"WHERE a.business_date = {DAY}"
    )
    return sorted(rows, key=lambda row: row[2:4])


def exported_rows(spark: Any, out: Path, endpoint: str) -> list[tuple[Any, ...]]:
    begun = json.loads((out / "export.json").read_text())
    identity = {name: begun[name] for name in ("format", "day", "seal", "leftOpen")}
    access = dynamodb_day.Access(REGION, endpoint)
    rows = export.read_export(spark, str(out), identity, accrual_rows.COLUMNS, access, 3)
    return sorted((tuple(row) for row in rows.collect()), key=lambda row: row[2:4])


@pytest.mark.parametrize("target", ("parquet", "dynamodb"))
def test_a_killed_export_goes_on_and_has_every_row_once(
    closed_day: books.Day, dynamodb: DynamoDb, spark: Any, tmp_path: Path, target: str
) -> None:
    out, log = tmp_path / "export", tmp_path / "log"
    throttle = Throttle(dynamodb.endpoint, refused_part=0.2)
    arguments = [
        *closed_day.arguments(), "--to", target, "--out", str(out), "--ranges", str(RANGES),
        "--table-prefix", f"killed-{closed_day.schema.name}-",
        *books.dynamodb_arguments(throttle.endpoint),
    ]  # fmt: skip
    print(f"seed {seed()}")

    def checkpoints() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in out.glob("checkpoints/*.json")}

    done: dict[str, int] = {}
    kills_amid_a_range = 0
    for holds in moments(target, out, throttle):
        process = submit("export_day.py", arguments, log)
        kill_when(process, holds, log)
        # What was checked off was not done again.
        assert done.items() <= checkpoints().items()
        kills_amid_a_range += len(done) == len(checkpoints()) < RANGES
        done = checkpoints()
        if (out / "manifest.json").exists():  # it was quicker than the last kill
            assert len(done) == RANGES
            continue
        with pytest.raises(Refusal) as refused:
            closed_day.recount("never", "--export", str(out))
        assert refused.value.reason == "EXPORT_INCOMPLETE"
    assert len(done) == RANGES and kills_amid_a_range > 0

    process = submit("export_day.py", arguments, log)
    assert ended(process) == 0, log.read_text()[-3000:]
    assert checkpoints() == done
    expected = mysql_rows(closed_day)
    assert exported_rows(spark, out, dynamodb.endpoint) == expected
    assert all(any(row[at] for row in expected) for at in (-3, -2, -1))  # details among them
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["rows"] == len(expected) > 2_000
    assert manifest["gross"] == sum(row[8] for row in expected)
    assert manifest["fee"] == sum(row[9] for row in expected)
    assert sum(part["rows"] for part in manifest["parts"]) == manifest["rows"]
    if target == "dynamodb":
        assert throttle.refused > 0
    throttle.stop()

    # Without a kill it would have been the same.
    other = closed_day.export(f"whole-{target}", "--to", "parquet", "--ranges", "2")
    whole = json.loads((other / "manifest.json").read_text())
    for name in ("rows", "gross", "fee", "checksum"):
        assert manifest[name] == whole[name]


def test_a_finished_export_is_left_alone(closed_day: books.Day, tmp_path: Path) -> None:
    arguments = [*closed_day.arguments(), "--to", "parquet", "--out", str(tmp_path / "export")]
    from payout_spark import export_job

    assert export_job.run([*arguments, "--ranges", "2"]) == 0

    def files() -> dict[str, int]:
        return {str(f): f.stat().st_mtime_ns for f in (tmp_path / "export").rglob("*") if f.is_file()}

    before = files()
    assert export_job.run([*arguments, "--ranges", "2"]) == 0
    assert files() == before
    with pytest.raises(Refusal) as refused:
        export_job.run([*arguments, "--ranges", "3"])
    assert refused.value.reason == "EXPORT_MISMATCH"
    assert files() == before


def test_an_open_day_is_refused(mariadb: MariaDb, tmp_path: Path, spark: Any) -> None:
    day = books.closed_day(mariadb, tmp_path, seed=1, payments=20, close=False)
    for job, more in ((day.recount, ()), (day.export, ("--to", "parquet"))):
        with pytest.raises(Refusal) as refused:
            job("out", *more)
        assert refused.value.reason in ("DAY_OPEN", "DAY_UNKNOWN")
        assert not (tmp_path / "out").exists()


def test_an_export_of_another_seal_is_refused(small_day: Callable[..., books.Day]) -> None:
    day = small_day()
    out = day.export("export", "--to", "parquet", "--ranges", "1")
    day.schema.run(f"UPDATE payout_day SET seal = REPEAT('x', 32) WHERE business_date = {DAY}")
    with pytest.raises(Refusal) as refused:
        day.recount("recount", "--export", str(out))
    assert refused.value.reason == "EXPORT_MISMATCH"


# Goal: an export that lacks what came of a merchant after it is not taken for the day.
# Method: a merchant is left open, its day is exported, and then its event is applied and it is sealed.
def test_an_export_before_a_merchant_that_was_left_open_is_sealed_is_refused(
    small_day: Callable[..., books.Day]
) -> None:
    day = small_day()
    ((merchant,),) = day.schema.rows(f"SELECT MAX(merchant_id) FROM accrual WHERE business_date = {DAY}")
    day.schema.run(
        "INSERT INTO merchant_hold (business_date, merchant_id, reason, open_at_close, total_gross, "
        "total_fee, total_count, recount_gross, recount_fee, recount_count, note, held_at_us) "
        f"VALUES ({DAY}, {merchant}, 1, 1, 0, 0, 0, 0, 0, 0, '', 0)"
    )
    arguments = ("--to", "parquet", "--ranges", "2")
    early = day.export("early", *arguments)
    assert day.recount("while-open", "--export", str(early)).held == {merchant: "EVENT_PARKED"}
    day.schema.run(
        f"INSERT INTO accrual SELECT business_date, bucket, payment_id, 99, {merchant}, 4, tax_class, "
        "currency, 0, 0, NULL, NULL, NULL, 0, 0, 1, recorded_at_us, content_hash FROM accrual "
        f"WHERE business_date = {DAY} AND merchant_id = {merchant} AND tax_class = 2 LIMIT 1",
        f"UPDATE merchant_day_total SET item_count = item_count + 1 WHERE business_date = {DAY} "
        f"AND merchant_id = {merchant} AND tax_class = 2 ORDER BY slot LIMIT 1",
        f"UPDATE merchant_hold SET seal = REPEAT('x', 32), released_round = 0 WHERE business_date = {DAY}",
    )
    for job, more in ((day.recount, ("--export", str(early))), (day.export, arguments)):
        with pytest.raises(Refusal) as refused:
            job("early" if job == day.export else "late", *more)
        assert refused.value.reason == "EXPORT_MISMATCH"
    late = day.export("anew", *arguments)
    assert not day.recount("of-the-new-one", "--export", str(late)).held


# Goal: a day whose export is not whole, or is none, is not read as a smaller day.
@pytest.mark.parametrize(
    "reason, manifest",
    [
        ("EXPORT_INCOMPLETE", None), ("EXPORT_MISMATCH", "{}"), ("EXPORT_MISMATCH", "[]"),
        ("EXPORT_MISMATCH", "of another program"),
    ],
)  # fmt: skip
def test_a_folder_that_is_no_export_is_refused(
    closed_day: books.Day, tmp_path: Path, reason: str, manifest: str | None
) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(Refusal) as refused:
        closed_day.recount("never", "--export", str(tmp_path))
    assert refused.value.reason == reason


def test_an_export_to_dynamodb_is_not_read_without_a_region(
    closed_day: books.Day, dynamodb: DynamoDb
) -> None:
    there = books.dynamodb_arguments(dynamodb.endpoint)
    prefix = f"region-{closed_day.schema.name}-"
    out = closed_day.export("region", "--to", "dynamodb", "--ranges", "1", "--table-prefix", prefix, *there)
    with pytest.raises(Refusal) as refused:
        closed_day.recount("never", "--export", str(out))
    assert refused.value.reason == "ARGUMENT_INVALID" and "region" in refused.value.message


@pytest.mark.parametrize(
    "argument, value",
    [
        ("--jdbc-url", "jdbc:mariadb://127.0.0.1:3306/kessai_payout"),
        ("--jdbc-url", "jdbc:mysql://127.0.0.1:3306"),
        ("--password-file", "/nowhere/password"),
        ("--out", "nowhere://bucket/out"),
        ("--out", "/"),
    ],
)
def test_what_cannot_be_reached_is_refused_by_name(
    closed_day: books.Day, argument: str, value: str
) -> None:
    for job, more in ((closed_day.recount, ()), (closed_day.export, ("--to", "parquet"))):
        with pytest.raises(Refusal) as refused:
            job("unreachable", *more, argument, value)
        assert refused.value.reason == "ARGUMENT_INVALID"
    assert not (closed_day.folder / "unreachable").exists()


def test_columns_that_would_be_left_out_are_refused(small_day: Callable[..., books.Day]) -> None:
    day = small_day()
    day.schema.run("ALTER TABLE accrual ADD COLUMN store_id BIGINT NULL")
    with pytest.raises(Refusal) as refused:
        day.export("export", "--to", "parquet")
    assert refused.value.reason == "SCHEMA_UNKNOWN" and "store_id" in refused.value.message


# Goal: a table that holds a row which the day has not is no export of it.
def test_a_foreign_row_in_the_table_is_found(
    small_day: Callable[..., books.Day], dynamodb: DynamoDb
) -> None:
    day = small_day()
    prefix = f"foreign-{day.schema.name}-"
    table, access = f"{prefix}{DAY}", dynamodb_day.Access(REGION, dynamodb.endpoint)
    row = list(mysql_rows(day)[0])
    row[2] = 1  # payment_id
    dynamodb_day.make_table(access, table)
    assert list(dynamodb_day.put_rows(access, table, [row])) == [1]
    there = books.dynamodb_arguments(dynamodb.endpoint)
    with pytest.raises(Refusal) as refused:
        day.export("export", "--to", "dynamodb", "--ranges", "1", "--table-prefix", prefix, *there)
    assert refused.value.reason == "EXPORT_DIFFERS"
    assert not (day.folder / "export" / "manifest.json").exists()


def test_files_appear_whole(spark: Any, tmp_path: Path) -> None:
    files = Files(spark, str(tmp_path / "new"))
    assert files.read("a/b.json") is None and files.list("a") == []
    files.write("a/b.json", "決済\n")
    assert files.read("a/b.json") == "決済\n" and files.list("a") == ["b.json"]

"""Recounts or exports a closed business day on Apache Spark, on this machine.

    ./kessai spark recount --day DATE [--deep] [--out DIR] [--export DIR]
    ./kessai spark export --day DATE --to parquet --out DIR

Reads the stack's payout schema by an account that may only read. What Spark needs is fetched the first
time (some 900 MB, into .cache/spark). The other options are of the jobs: see services/payout/spark.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kessai import spark_environment  # noqa: E402
from kessai.diagnosis import Diagnosis  # noqa: E402

_JOBS = {"recount": "recount_day.py", "export": "export_day.py"}
_MASTER, _MEMORY = "local[2]", "2g"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="./kessai spark", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack-file", required=True, help=argparse.SUPPRESS)
    parser.add_argument("job", choices=sorted(_JOBS))
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the job")
    options = parser.parse_args(arguments)
    try:
        spark_environment.prepare()
    except Diagnosis as diagnosis:
        print(diagnosis.text(), file=sys.stderr)
        return 2
    access = json.loads(Path(options.stack_file).read_text())
    command = [*submit_command(_JOBS[options.job]), *reading(access), *options.options]
    python = str(spark_environment.python())
    environment = {**os.environ, "PYSPARK_PYTHON": python, "PYSPARK_DRIVER_PYTHON": python}
    return subprocess.run(command, env=environment, check=False).returncode


def submit_command(job: str) -> list[str]:
    """spark-submit of the fetched PySpark, on this machine only."""
    jars = ",".join(str(jar) for jar in sorted(spark_environment.jars()))
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "8",
    }
    confs = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    submit = spark_environment.python().parent / "spark-submit"
    log = spark_environment.HERE / "quiet_log.properties"
    java = f"-Dlog4j2.configurationFile=file:{log}"
    return [
        str(submit), "--master", _MASTER, "--driver-memory", _MEMORY, "--driver-java-options", java,
        "--jars", jars, *confs, str(spark_environment.HERE / job),
    ]  # fmt: skip


def reading(access: dict) -> list[str]:
    mysql = access["mysql"]
    user = mysql["users"]["audit"]
    return [
        "--jdbc-url", f"jdbc:mysql://{mysql['host']}:{mysql['port']}/{mysql['schemas']['payout']}",
        "--user", user["user"], "--password-file", user["password_file"],
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

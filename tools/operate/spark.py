"""Recounts or exports a closed business day on Apache Spark, on this machine.

    ./kessai spark recount --day DATE [--deep] [--out DIR] [--export DIR]
    ./kessai spark export --day DATE --to parquet --out DIR

Reads the stack's payout schema by an account that may only read. What Spark needs is fetched the first
time (some 430 MB, into .cache/spark). The other options are of the jobs: see services/payout/spark.
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
    submit = spark_environment.submit_command(spark_environment.HERE / _JOBS[options.job])
    command = [*submit, *reading(access), *options.options]
    environment = {**os.environ, **spark_environment.variables()}
    return subprocess.run(command, env=environment, check=False).returncode


def reading(access: dict) -> list[str]:
    mysql = access["mysql"]
    user = mysql["users"]["audit"]
    return [
        "--jdbc-url", f"jdbc:mysql://{mysql['host']}:{mysql['port']}/{mysql['schemas']['payout']}",
        "--user", user["user"], "--password-file", user["password_file"],
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

"""What the Spark jobs of payout run with: an environment of Python with PySpark, the JDBC driver, and for
their tests a DynamoDB on this machine. Made when somebody asks for the jobs or runs their tests, not before:
it is some 430 MB."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Sequence

from . import say
from .diagnosis import Diagnosis
from .stack import CACHE, ROOT

HERE = ROOT / "services" / "payout" / "spark"
_FETCHED_WITHIN_S = 600  # by each client; all of it takes less than a minute with a good line
_PINS = (
    HERE / "requirements.txt",
    HERE / "pom.xml",
    HERE / "tests" / "package.json",
    HERE / "tests" / "package-lock.json",
)


def directory() -> Path:
    return CACHE / "spark"


def python() -> Path:
    """The interpreter; with Debian's packages beside what is pinned, for pytest and PyMySQL."""
    return directory() / "venv" / "bin" / "python"


def jars() -> list[Path]:
    """The JDBC driver, for spark-submit."""
    return list((directory() / "jars").glob("*.jar"))


def present() -> bool:
    stamp = directory() / ".complete"
    return stamp.exists() and stamp.read_text() == _pins()


def prepare() -> None:
    """Fetches what is missing; by one process at a time, all of it or nothing."""
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / "spark.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if present():
            return
        shutil.rmtree(directory(), ignore_errors=True)
        directory().mkdir()
        with say.step("fetch Spark with pip, Maven and npm"):
            _fetch_python()
            _fetch_driver()
            _fetch_dynamodb()
        (directory() / ".complete").write_text(_pins())


def submit_command(script: Path, memory: str = "2g", shuffle_partitions: int = 8) -> list[str]:
    """Runs a job on this machine only, on two cores; its arguments follow."""
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(shuffle_partitions),
    }
    confs = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    java = f"-Dlog4j2.configurationFile=file:{HERE / 'quiet_log.properties'}"
    return [
        str(python().parent / "spark-submit"), "--master", "local[2]", "--driver-memory", memory,
        "--driver-java-options", java, "--jars", ",".join(str(jar) for jar in sorted(jars())),
        *confs, str(script),
    ]  # fmt: skip


def variables() -> dict[str, str]:
    """Of a process that submits jobs: drivers and their tasks are of one Python."""
    return {"PYSPARK_PYTHON": str(python()), "PYSPARK_DRIVER_PYTHON": str(python())}


def _pins() -> str:
    return "".join(path.read_text() for path in _PINS)


def _fetch_python() -> None:
    _run([sys.executable, "-m", "venv", "--system-site-packages", str(directory() / "venv")])
    # No newer releases of anything: what is named is all there is.
    _run(
        [str(python()), "-m", "pip", "install", "--quiet", "--no-deps", "--no-cache-dir",
         "--disable-pip-version-check", "--ignore-installed", "-r", str(HERE / "requirements.txt")]
    )  # fmt: skip


def _fetch_driver() -> None:
    _run(
        ["mvn", "--batch-mode", "--no-transfer-progress", "--quiet", "-Dstyle.color=never",
         f"-Dmaven.repo.local={CACHE / 'm2'}", "--file", str(HERE / "pom.xml"),
         "dependency:copy-dependencies", "-DincludeScope=runtime",
         f"-DoutputDirectory={directory() / 'jars'}"]
    )  # fmt: skip


def _fetch_dynamodb() -> None:
    folder = directory() / "node"
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "tests" / name, folder)
    _run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)


def _run(command: Sequence[str], where: Path | None = None) -> None:
    try:
        result = subprocess.run(
            command, cwd=where, capture_output=True, text=True, check=False, timeout=_FETCHED_WITHIN_S
        )
        failed, words = result.returncode != 0, result.stdout + result.stderr
    except subprocess.TimeoutExpired:
        failed, words = True, f"it did not end within {_FETCHED_WITHIN_S} s"
    if failed:
        raise Diagnosis(
            f"'{command[0]}' could not fetch what Spark needs",
            "check that this machine reaches PyPI, Maven Central and npm's registry (mirrors and "
            "proxies are set in each client's own settings), then run it again",
            words.strip()[-2000:],
        )

"""An S3 that is not ours, for the tests of the store of files: moto's server in an environment of Python
of its own. Made when the tests that need it are run; it is some 140 MB."""

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

PINS = ROOT / "libs" / "filestore" / "tests" / "requirements.txt"
_FETCHED_WITHIN_S = 600


def python() -> Path:
    return CACHE / "s3" / "bin" / "python"


def present() -> bool:
    stamp = CACHE / "s3" / ".complete"
    return stamp.exists() and stamp.read_text() == PINS.read_text()


def prepare() -> None:
    """Fetches what is missing; by one process at a time, all of it or nothing."""
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / "s3.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if present():
            return
        shutil.rmtree(CACHE / "s3", ignore_errors=True)
        with say.step("fetch an S3 for tests with pip"):
            _run([sys.executable, "-m", "venv", str(CACHE / "s3")])
            # No newer releases of anything: what is named is all there is.
            _run(
                [str(python()), "-m", "pip", "install", "--quiet", "--no-deps", "--no-cache-dir",
                 "--disable-pip-version-check", "-r", str(PINS)]
            )  # fmt: skip
        (CACHE / "s3" / ".complete").write_text(PINS.read_text())


def _run(command: Sequence[str]) -> None:
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_FETCHED_WITHIN_S
        )
        failed, words = result.returncode != 0, result.stdout + result.stderr
    except subprocess.TimeoutExpired:
        failed, words = True, f"it did not end within {_FETCHED_WITHIN_S} s"
    if failed:
        raise Diagnosis(
            "pip could not fetch the S3 that tests run against",
            "check that this machine reaches PyPI (mirrors and proxies are set in pip's own settings), "
            "then run it again",
            words.strip()[-2000:],
        )

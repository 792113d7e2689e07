"""Goal: `./kessai spark` starts the right job over the stack, and what it needs is fetched once and whole.

Method: its own main, with the start of programs noted instead of done; the jobs are tested beside them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kessai import spark_environment
from kessai.diagnosis import Diagnosis

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "operate"))

import spark  # noqa: E402

ACCESS = {
    "mysql": {
        "host": "127.0.0.1", "port": 17306, "schemas": {"payout": "kessai_payout"},
        "users": {"audit": {"user": "kessai_audit", "password_file": "secrets/mysql-audit"}},
    }
}  # fmt: skip


@pytest.fixture
def started(monkeypatch):
    """The programs that were started, in order."""
    commands: list[list[str]] = []

    def run(command, **_):
        commands.append(list(command))
        return subprocess.CompletedProcess(command, 1, "", "no network")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_a_job_reads_the_stack_by_the_account_that_only_reads(started, monkeypatch, tmp_path):
    monkeypatch.setattr(spark_environment, "prepare", lambda: None)
    (tmp_path / "access.json").write_text(json.dumps(ACCESS))
    stack = ["--stack-file", str(tmp_path / "access.json")]
    assert spark.main([*stack, "recount", "--day", "2026-11-27", "--deep"]) == 1  # as the job ends
    (command,) = started
    assert Path(command[0]).name == "spark-submit"
    job = next(word for word in command if word.endswith(".py"))
    assert Path(job) == spark_environment.HERE / "recount_day.py" and Path(job).exists()
    assert command[command.index(job) + 1 :] == [
        "--jdbc-url", "jdbc:mysql://127.0.0.1:17306/kessai_payout", "--user", "kessai_audit",
        "--password-file", "secrets/mysql-audit", "--day", "2026-11-27", "--deep",
    ]  # fmt: skip


def test_what_could_not_be_fetched_is_said_and_tried_again(started, monkeypatch, tmp_path):
    monkeypatch.setattr(spark_environment, "CACHE", tmp_path)
    for _ in range(2):
        with pytest.raises(Diagnosis, match="could not fetch what Spark needs") as caught:
            spark_environment.prepare()
        assert "no network" in caught.value.details
        assert not spark_environment.present()
    assert len(started) == 2


def test_a_client_that_hangs_is_given_up(monkeypatch):
    def run(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(Diagnosis, match="'npm' could not fetch") as caught:
        spark_environment._run(["npm", "ci"])
    assert "did not end within 600 s" in caught.value.details


def test_it_is_fetched_once_for_the_same_pins(monkeypatch, tmp_path):
    fetched: list[list[str]] = []
    monkeypatch.setattr(spark_environment, "CACHE", tmp_path)
    monkeypatch.setattr(spark_environment, "_run", lambda command, where=None: fetched.append(command))
    spark_environment.prepare()
    count = len(fetched)
    spark_environment.prepare()
    assert count == len(fetched) > 0 and spark_environment.present()
    monkeypatch.setattr(spark_environment, "_pins", lambda: "others")
    assert not spark_environment.present()
    spark_environment.prepare()
    assert len(fetched) == 2 * count

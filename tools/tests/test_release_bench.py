"""Goal: `bench release` runs on servers of its own, starts no more than it needs, and leaves nothing.
Method: the command's parts, with those that start processes replaced by records of the call."""

from pathlib import Path

import pytest

from kessai import commands, external, release_bench, spark_environment, stack
from kessai.diagnosis import Diagnosis


@pytest.fixture
def calls(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    monkeypatch.setattr(release_bench.packages, "install_missing", lambda: None)
    monkeypatch.setattr(release_bench.build, "build", lambda preset, targets: None)

    def servers_up(which, preset, names):
        which.directory.mkdir(parents=True)
        made.append(("servers", which.port_base, tuple(names)))

    def run(arguments, environment):
        made.append(("run", tuple(arguments), sorted(environment)))
        return 3

    monkeypatch.setattr(release_bench.up, "servers_up", servers_up)
    monkeypatch.setattr(release_bench.up, "stop", lambda which: made.append(("stop",)) or True)
    monkeypatch.setattr(release_bench, "_environment", lambda which: {"A": "1"})
    monkeypatch.setattr(release_bench, "_run", run)
    return made


def test_bench_release_is_not_run_on_the_stack_that_is_up(monkeypatch):
    seen = []
    monkeypatch.setattr(release_bench, "main", lambda arguments: seen.append(list(arguments)) or 0)
    monkeypatch.setattr(external, "run", lambda *_: pytest.fail("that is for other benches"))
    assert commands.main(["bench", "release", "--bulk", "--json"]) == 0
    assert seen == [["--bulk", "--json"]]


def test_help_builds_nothing_and_needs_no_server(calls, tmp_path, monkeypatch):
    program = tmp_path / "kessai-release-bench"
    monkeypatch.setattr(release_bench.build, "binary", lambda preset, name: program)
    monkeypatch.setattr(release_bench.build, "build", lambda *_: pytest.fail("nobody asked for that"))
    with pytest.raises(Diagnosis) as refused:
        release_bench.main(["--bulk", "--help"])
    assert "./kessai build" in refused.value.remedy
    program.touch()
    assert release_bench.main(["-h"]) == 3
    assert calls == [("run", ("--help",), [])]


def test_bulk_needs_no_kafka(calls, tmp_path):
    assert release_bench.main(["--bulk"]) == 3
    assert calls == [("servers", 28000, ("mariadb",)), ("run", ("--bulk",), ["A"]), ("stop",)]
    assert not (tmp_path / ".kessai" / "bench").exists()


def test_ingestion_needs_kafka(calls):
    release_bench.main([])
    assert calls[0] == ("servers", 28000, ("mariadb", "kafka"))


def test_spark_is_fetched_when_it_is_asked_for(calls, monkeypatch):
    monkeypatch.setattr(spark_environment, "prepare", lambda: calls.append(("prepare",)))
    release_bench.main(["--bulk", "--spark"])
    assert calls[0] == ("prepare",)
    assert calls[2] == (
        "run", ("--bulk", "--spark"), ["A", "KESSAI_BENCH_SPARK", "PYSPARK_DRIVER_PYTHON", "PYSPARK_PYTHON"]
    )  # fmt: skip


def test_what_is_submitted_to_spark_is_there(monkeypatch):
    monkeypatch.setattr(spark_environment, "prepare", lambda: None)
    words = release_bench._spark_environment()["KESSAI_BENCH_SPARK"].split("\n")
    assert words[0].endswith("/spark-submit") and Path(words[-1]).is_file()


def test_what_an_interrupted_run_left_is_removed_first(calls, tmp_path):
    (tmp_path / ".kessai" / "bench" / "data").mkdir(parents=True)
    release_bench.main(["--bulk"])
    assert [call[0] for call in calls] == ["stop", "servers", "run", "stop"]


def test_a_failure_leaves_nothing_either(calls, tmp_path, monkeypatch):
    def fail(*_):
        raise Diagnosis("no", "nothing")

    monkeypatch.setattr(release_bench, "_run", fail)
    with pytest.raises(Diagnosis):
        release_bench.main(["--bulk"])
    assert not (tmp_path / ".kessai" / "bench").exists()

"""Goal: `bench files` runs on a MariaDB of its own, and leaves nothing.
Method: the command's parts, with those that start processes replaced by records of the call."""

import pytest

from kessai import commands, external, files_bench, stack
from kessai.diagnosis import Diagnosis


@pytest.fixture
def calls(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    monkeypatch.setattr(files_bench.packages, "install_missing", lambda: None)
    monkeypatch.setattr(files_bench.build, "build", lambda preset, targets: None)

    def servers_up(which, preset, names):
        which.directory.mkdir(parents=True)
        made.append(("servers", which.port_base, tuple(names)))

    def run(arguments, environment):
        made.append(("run", tuple(arguments), sorted(environment)))
        return 3

    monkeypatch.setattr(files_bench.up, "servers_up", servers_up)
    monkeypatch.setattr(files_bench.up, "stop", lambda which: made.append(("stop",)) or True)
    monkeypatch.setattr(files_bench.mariadb, "service_url", lambda which, service: "mysql://s/" + service)
    monkeypatch.setattr(files_bench.mariadb, "url", lambda which: "mysql://root")
    monkeypatch.setattr(files_bench, "_run", run)
    return made


def test_bench_files_is_not_run_on_the_stack_that_is_up(monkeypatch):
    seen = []
    monkeypatch.setattr(files_bench, "main", lambda arguments: seen.append(list(arguments)) or 0)
    monkeypatch.setattr(external, "run", lambda *_: pytest.fail("that is for other benches"))
    assert commands.main(["bench", "files", "--rows", "5"]) == 0
    assert seen == [["--rows", "5"]]


def test_it_needs_no_kafka_and_leaves_nothing(calls, tmp_path):
    assert files_bench.main(["--rows", "5"]) == 3
    environment = ["KESSAI_BENCH_FOLDER", "KESSAI_BENCH_MYSQL", "KESSAI_BENCH_MYSQL_ROOT"]
    assert calls == [
        ("servers", 28000, ("mariadb",)),
        ("run", ("--rows", "5"), environment),
        ("stop",),
    ]
    assert not (tmp_path / ".kessai" / "bench").exists()


def test_help_builds_nothing_and_needs_no_server(calls, tmp_path, monkeypatch):
    program = tmp_path / "kessai-files-bench"
    monkeypatch.setattr(files_bench.build, "binary", lambda preset, name: program)
    monkeypatch.setattr(files_bench.build, "build", lambda *_: pytest.fail("nobody asked for that"))
    with pytest.raises(Diagnosis):
        files_bench.main(["--help"])
    program.touch()
    assert files_bench.main(["-h"]) == 3
    assert calls == [("run", ("--help",), [])]

"""Goal: `bench recon` runs on a stack of its own, refuses bad arguments before it, and leaves nothing.
Method: the command's parts, with those that start processes replaced by records of the call."""

import os
from types import SimpleNamespace

import pytest

from kessai import bench_stack, commands, external, recon_bench, stack
from kessai.diagnosis import Diagnosis


@pytest.fixture
def calls(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    monkeypatch.setenv("KESSAI_STACK_MYSQL_BUFFER_POOL", "1G")
    monkeypatch.setattr(recon_bench.packages, "install_missing", lambda: None)

    def stack_up(which, preset, phases, compile_first):
        which.directory.mkdir(parents=True)
        made.append(("up", which.port_base, preset, compile_first))

    monkeypatch.setattr(recon_bench.up, "whole_stack_up", stack_up)
    monkeypatch.setattr(bench_stack.up, "stop", lambda which: made.append(("stop",)) or True)
    monkeypatch.setattr(
        recon_bench, "Supervisor", lambda which: SimpleNamespace(running=lambda _: SimpleNamespace(pid=7))
    )
    return made


def test_it_is_not_run_on_the_stack_that_is_up(monkeypatch):
    seen = []
    monkeypatch.setattr(recon_bench, "main", lambda arguments: seen.append(list(arguments)) or 0)
    monkeypatch.setattr(external, "run", lambda *_: pytest.fail("that is for other benches"))
    assert commands.main(["bench", "recon", "--payments", "9"]) == 0
    assert seen == [["--payments", "9"]]


def test_it_has_a_whole_stack_and_leaves_nothing(calls, tmp_path, monkeypatch):
    runs = []
    monkeypatch.setattr(recon_bench, "_run", lambda arguments: runs.append(list(arguments)) or 0)
    assert recon_bench.main(["--payments", "9"]) == 0
    assert calls == [("up", 28000, "release", True), ("stop",)]
    assert runs[0] == ["--payments", "9", "--check"]
    assert runs[1][:2] == ["--stack-file", str(tmp_path / ".kessai" / "bench" / "access.json")]
    assert runs[1][-2:] == ["--payments", "9"]
    assert not (tmp_path / ".kessai" / "bench").exists()


@pytest.mark.parametrize(
    "wrong", [["--payments", "0"], ["--differences", "5", "1"], ["--differences", "9", "--payments", "9"], ["--what"]]
)
def test_what_is_wrong_is_refused_before_anything_is_started(calls, wrong):
    assert recon_bench.main(wrong) == 2
    assert calls == []


def test_a_service_that_does_not_run_is_named(calls, monkeypatch):
    monkeypatch.setattr(recon_bench, "_run", lambda _: 0)
    monkeypatch.setattr(recon_bench, "Supervisor", lambda which: SimpleNamespace(running=lambda _: None))
    with pytest.raises(Diagnosis, match="payment does not run"):
        recon_bench.main([])
    assert calls[-1] == ("stop",)


def test_the_database_has_room_for_the_day_unless_told_otherwise(calls, monkeypatch):
    monkeypatch.setattr(recon_bench, "_run", lambda _: 0)
    recon_bench.main([])
    assert os.environ["KESSAI_STACK_MYSQL_BUFFER_POOL"] == "1G"

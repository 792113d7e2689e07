"""Goal: a stack's processes live, come back and end, and nobody else's are touched.

Method: real runit trees in a temporary directory, with sleep(1) as the supervised process.
"""

import os
import signal
import subprocess
import time
import uuid

import pytest

from kessai import procs, status
from kessai.ports import free_base, listeners, owner, require_free
from kessai.diagnosis import Diagnosis
from kessai.stack import Stack, save_stack
from kessai.supervisor import Process, Supervisor

DEADLINE_S = 20


def eventually(condition):
    """Waits for a truthy answer under a deadline, and returns it."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come true in time")


@pytest.fixture
def stack(tmp_path):
    made = Stack("t", 0, tmp_path / "stack", uuid.uuid4().hex)
    save_stack(made)
    yield made
    assert Supervisor(made).stop_everything() == []


def sleeper(name="sleeper", seconds="1000"):
    return Process(name=name, command=["sleep", seconds], listens={})


def test_a_killed_process_comes_back_and_down_leaves_nothing(stack):
    supervisor = Supervisor(stack)
    supervisor.begin([sleeper()])
    supervisor.start("sleeper")
    first = eventually(lambda: supervisor.running("sleeper"))
    eventually(lambda: first.alive() and "sleep" in procs.look_up(first.pid).command)
    os.kill(first.pid, signal.SIGKILL)
    second = eventually(
        lambda: (now := supervisor.running("sleeper")) and now.pid != first.pid and now
    )
    assert supervisor.members()
    assert supervisor.stop_everything() == []
    assert not second.alive()
    assert supervisor.members() == []


def test_a_process_ends_with_its_supervisor_and_is_never_there_twice(stack):
    supervisor = Supervisor(stack)
    supervisor.begin([sleeper()])
    supervisor.start("sleeper")
    first = eventually(lambda: supervisor.running("sleeper"))
    parent = int((procs.Path(f"/proc/{first.pid}/stat").read_text().rsplit(")", 1)[1]).split()[1])
    eventually(lambda: procs.look_up(first.pid).command.startswith("sleep"))
    os.kill(parent, signal.SIGKILL)
    eventually(lambda: not first.alive())
    second = eventually(lambda: supervisor.running("sleeper"))
    assert second.pid != first.pid
    sleeping = [proc for proc in supervisor.members() if proc.command.startswith("sleep ")]
    assert len(sleeping) <= 1


def test_left_overs_of_a_killed_runsvdir_are_ended_by_the_next_begin(stack):
    supervisor = Supervisor(stack)
    supervisor.begin([sleeper()])
    supervisor.start("sleeper")
    first = eventually(lambda: supervisor.running("sleeper"))
    os.kill(supervisor.runsvdir().pid, signal.SIGKILL)
    eventually(lambda: supervisor.runsvdir() is None)
    assert first.alive()
    supervisor.begin([sleeper()])
    assert not first.alive()
    supervisor.start("sleeper")
    assert eventually(lambda: supervisor.running("sleeper"))


def test_processes_that_nobody_watches_are_no_ready_stack(stack, monkeypatch, capsys):
    supervisor = Supervisor(stack)
    supervisor.begin([sleeper()])
    monkeypatch.setattr(status, "collect", lambda stack: [])
    assert status.show(stack, as_json=False) == 0
    os.kill(supervisor.runsvdir().pid, signal.SIGKILL)
    eventually(lambda: supervisor.runsvdir() is None)
    assert supervisor.members()
    assert status.show(stack, as_json=False) == 1
    assert "the supervisor of these processes has ended" in capsys.readouterr().err


def test_a_process_that_ignores_term_is_killed_after_its_grace(stack):
    stubborn = Process(
        name="stubborn", command=["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], listens={}
    )
    supervisor = Supervisor(stack)
    supervisor.begin([stubborn])
    supervisor.start("stubborn")
    proc = eventually(lambda: supervisor.running("stubborn"))
    eventually(lambda: procs.look_up(proc.pid).command.startswith("sh -c"))
    supervisor.stop("stubborn", grace_s=0.5)
    assert not proc.alive()


def test_a_changed_command_is_noticed(stack):
    supervisor = Supervisor(stack)
    supervisor.begin([sleeper()])
    supervisor.start("sleeper")
    eventually(lambda: supervisor.running("sleeper"))
    supervisor.begin([sleeper()])
    assert not supervisor.outdated("sleeper")
    time.sleep(0.2)  # the age of the process is known to 10 ms
    supervisor.begin([sleeper(seconds="2000")])
    assert supervisor.outdated("sleeper")


def test_processes_of_others_are_not_members(stack):
    other = subprocess.Popen(["sleep", "1000"], env={"STACK_OF_KESSAI": "another"})
    try:
        supervisor = Supervisor(stack)
        supervisor.begin([sleeper()])
        assert other.pid not in {proc.pid for proc in supervisor.members()}
        assert supervisor.stop_everything() == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_reused_pid_is_not_signalled():
    child = subprocess.Popen(["sleep", "1000"])
    try:
        real = procs.look_up(child.pid)
        stale = procs.Proc(real.pid, real.started_ticks - 1, real.command)
        assert not stale.alive()
        procs.send(stale, signal.SIGKILL)
        assert child.poll() is None and real.alive()
    finally:
        child.kill()
        child.wait()


def test_the_holder_of_a_port_is_named():
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert owner(listeners()[port]).pid == os.getpid()
        require_free({"x": port}, ours={os.getpid()})
        with pytest.raises(Diagnosis, match=f"in use by pid {os.getpid()}"):
            require_free({"x": port}, ours=set())
        free = free_base(listeners())
        assert not any(free <= taken < free + 1000 for taken in listeners())
    assert free_base({18000, 19999}) not in (18000, 19000)
    require_free({"x": port}, ours=set())

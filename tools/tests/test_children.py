"""Goal: nothing goes on when a command ends, and two commands don't build at once.

Method: real processes: a child with a child of its own, and locks held by another process.
"""

import subprocess
import sys
import time

import pytest

from kessai import children, lock, procs

DEADLINE_S = 20


def eventually(condition):
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")


def test_what_a_child_started_ends_with_the_command():
    script = "sleep 1000 & echo $!; wait"
    with pytest.raises(KeyboardInterrupt):
        with children.child(["sh", "-c", script], stdout=subprocess.PIPE) as process:
            grandchild = procs.look_up(int(process.stdout.readline()))
            assert grandchild.alive()
            raise KeyboardInterrupt
    assert process.returncode is not None
    eventually(lambda: not grandchild.alive())


def test_a_child_that_ends_by_itself_is_told_by_its_code_and_words():
    result = children.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")


def test_a_command_waits_for_the_build_of_another(tmp_path, capsys):
    holding = "\n".join([
        "import sys, time", "from pathlib import Path", "from kessai import lock",
        "with lock.shared_parts('build', Path(sys.argv[1])):",
        "    print('held', flush=True)", "    sys.stdin.readline()",
    ])  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(tmp_path)], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)},
    ) as holder:  # fmt: skip
        assert holder.stdout.readline() == "held\n"
        waiter = subprocess.Popen(
            [sys.executable, "-c", holding, str(tmp_path)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)},
        )  # fmt: skip
        said = waiter.stdout.readline()
        assert "waiting to build" in said and f"pid {holder.pid}" in said
        holder.communicate("\n")
        assert waiter.stdout.readline() == "held\n"
        waiter.communicate("\n")
    assert waiter.returncode == 0
    with lock.shared_parts("build", tmp_path):
        assert capsys.readouterr().out == ""

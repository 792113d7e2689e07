"""Goal: the command line does what its help says. Method: call its parts without a stack."""

import json
import time
from datetime import date

import pytest

from kessai import build, commands, external, mariadb, packages, preflight, say, services, status
from kessai import stack as stacks
from kessai import suites, up
from kessai.diagnosis import Diagnosis


def test_help_names_every_command(capsys):
    assert commands.main(["help"]) == 0
    shown = capsys.readouterr().out
    for name in ("up", "down", "status", "logs", "restart", "reset", "build", "test"):
        assert f"    {name} " in shown
    for command in external.COMMANDS:
        assert command.name in shown


def test_a_command_without_its_program_says_what_is_missing(capsys, monkeypatch):
    absent = external.External("absent", "bin/kessai-absent", "is not there")
    monkeypatch.setattr(external, "COMMANDS", (absent,))
    assert commands.main(["absent", "--json"]) == 1
    assert "bin/kessai-absent is not there" in capsys.readouterr().err


@pytest.fixture
def shower(tmp_path, monkeypatch):
    """A command whose program prints its arguments; the tree is an empty folder."""
    (tmp_path / "show.py").write_text("import sys; print(*sys.argv[3:])")
    monkeypatch.setattr(stacks, "ROOT", tmp_path)
    monkeypatch.setattr(external, "ROOT", tmp_path)
    monkeypatch.setattr(external, "COMMANDS", (external.External("show", "show.py", "shows"),))
    return tmp_path


def test_a_command_that_works_on_a_stack_says_at_once_that_none_is_up(shower, capsys):
    assert commands.main(["show"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "kessai: the stack 'dev' is not up", "  what to do: run ./kessai up",
    ]  # fmt: skip
    stack = stacks.open_stack("other", environment={"KESSAI_PORT_BASE": "21000"}, may_move=True)
    stacks.save_stack(stack)
    (stack.directory / "access.json").write_text("{}")  # it was up once
    assert commands.main(["show", "--stack", "other"]) == 1
    assert "run ./kessai up --stack other" in capsys.readouterr().err


def test_help_of_such_a_command_needs_no_stack_and_names_the_stack_option(shower, capfd):
    assert commands.main(["show", "--help"]) == 0
    shown = capfd.readouterr().out
    assert shown.startswith("--help\n") and "--stack NAME" in shown


def test_help_of_bench_names_those_with_servers_of_their_own(shower, capfd, monkeypatch):
    bench = (external.External("bench", "show.py", "measures"),)
    monkeypatch.setattr(external, "COMMANDS", bench)
    assert commands.main(["bench", "--help"]) == 0
    shown = capfd.readouterr().out
    for name in ("release", "recon", "files"):
        assert f"./kessai bench {name} --help" in shown
    assert commands.main(["bench", "files", "--help"]) == 0
    assert "./kessai bench files" in capfd.readouterr().out


@pytest.mark.parametrize(
    "typed, name, rest",
    [
        (["list", "--stack", "b", "--json"], "b", ["list", "--json"]),
        (["--stack=b", "list"], "b", ["list"]),
        (["list", "--stack", "b"], "b", ["list"]),
        (["list"], "dev", ["list"]),
    ],
)
def test_the_stack_may_be_named_anywhere(typed, name, rest):
    assert external.stack_name(typed) == (name, rest)


def test_a_stack_option_without_a_name_is_refused(capsys):
    assert commands.main(["day", "--stack"]) == 1
    assert "--stack names no stack" in capsys.readouterr().err


@pytest.mark.parametrize("answer, code", [("no", 1), ("", 1), ("yes", 0)])
def test_reset_asks_at_a_terminal(shower, monkeypatch, capsys, answer, code):
    stack = stacks.open_stack("dev", environment={})
    stacks.save_stack(stack)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert commands.main(["reset"]) == code
    assert stack.directory.exists() == (code == 1)


@pytest.mark.parametrize("arguments, terminal", [(["--yes"], True), ([], False)])
def test_reset_asks_nobody_who_cannot_or_need_not_answer(shower, monkeypatch, arguments, terminal):
    stack = stacks.open_stack("dev", environment={})
    stacks.save_stack(stack)
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    assert commands.main(["reset", *arguments]) == 0
    assert not stack.directory.exists()


def test_a_stack_that_moves_says_so_and_one_that_stays_says_what_is_ignored(
    shower, monkeypatch, capsys
):
    stacks.save_stack(stacks.open_stack("dev", environment={}))
    monkeypatch.setenv("KESSAI_PORT_BASE", "22000")
    monkeypatch.setattr(commands.up, "whole_stack_up", lambda *_, **__: None)
    monkeypatch.setattr(commands.up, "show_access", lambda *_: None)
    assert commands.main(["up", "--no-demo"]) == 0
    assert "moves from the ports from 17000 to those from 22000" in capsys.readouterr().out
    commands.main(["status"])
    shown = capsys.readouterr()
    assert "KESSAI_PORT_BASE=22000 is ignored" in shown.err and "ports from 17000" in shown.out


@pytest.mark.parametrize("text", ["2999-01-01", "2026-10-32", "yesterday"])
def test_books_begin_on_a_day_that_is_over(text, capsys):
    with pytest.raises(SystemExit):
        commands.main(["up", "--stack", "week", "--first-day", text])
    assert "--first-day" in capsys.readouterr().err


def test_books_that_have_begun_are_not_begun_again(shower):
    stack = stacks.open_stack("week", True, {"KESSAI_PORT_BASE": "47000"})
    up.begin_books(stack, date(2026, 10, 25))
    assert services.overrides(stack, "payment") == {
        "KESSAI_DAY_FIRST": "2026-10-25", "KESSAI_DAY_SCHEDULED": "false",
    }  # fmt: skip
    with pytest.raises(Diagnosis, match="have begun already"):
        up.begin_books(stack, date(2026, 10, 26))


def test_a_wrong_setting_is_refused_before_anything_is_done(shower, monkeypatch, capsys):
    monkeypatch.setenv("KESSAI_STACK_MYSQL_BUFFER_POOL", "lots")
    for command in (["up"], ["test", "tools"], ["servers", "up"]):
        assert commands.main(command) == 1
        assert "KESSAI_STACK_MYSQL_BUFFER_POOL=lots is not a size" in capsys.readouterr().err
    assert not (shower / ".kessai").exists()


def test_settings_of_earlier_restarts_are_named_where_they_may_be_the_cause(shower, monkeypatch):
    stack = stacks.open_stack("dev", environment={})
    stacks.save_stack(stack)
    payout = services.Service("payout", stack, "release")
    assert payout.override_remedy() == ""
    services.save_overrides(
        stack, "payout", {"KESSAI_MYSQL_PORT": "1", "KESSAI_MYSQL_PASSWORD": "hidden"}
    )
    remedy = payout.override_remedy()
    assert "KESSAI_MYSQL_PORT=1, KESSAI_MYSQL_PASSWORD=…;" in remedy
    assert remedy.endswith("./kessai restart payout --clear")
    program = shower / "refuses"
    program.write_text("#!/bin/sh\necho no; exit 4\n")
    program.chmod(0o700)
    monkeypatch.setattr(services.build, "binary", lambda *_: program)
    with pytest.raises(Diagnosis, match="migrate failed with exit code 4") as caught:
        payout.run("migrate")
    assert caught.value.remedy == f"{remedy}; see its messages" and caught.value.details == "no"


def test_status_shows_settings_of_earlier_restarts(shower, capsys):
    stack = stacks.open_stack("dev", environment={})
    stacks.save_stack(stack)
    services.save_overrides(stack, "payout", {"KESSAI_MYSQL_PORT": "1"})
    assert commands.main(["status"]) == 1
    shown = capsys.readouterr().out
    assert "payout has KESSAI_MYSQL_PORT=1 by restart --set" in shown
    assert commands.main(["status", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [row["overrides"] for row in rows if row["overrides"]] == [["KESSAI_MYSQL_PORT=1"]]


@pytest.mark.parametrize(
    "state, components, text",
    [
        ("serving", [("mysql", True, ""), ("ids", False, "UNAVAILABLE X: no")], "ids (UNAVAILABLE X: no)"),
        ("draining", [("mysql", True, "")], "draining"),
        ("starting", [("ids", False, ""), ("relay", False, "")], "starting: ids; relay"),
    ],
)  # fmt: skip
def test_only_what_is_not_ready_is_said(state, components, text):
    parts = [{"name": n, "ready": r, **({"reason": w} if w else {})} for n, r, w in components]
    body = json.dumps({"ready": False, "state": state, "components": parts})
    assert services.why_not_ready(body.encode()) == text
    assert services.why_not_ready(b"no  json") == "no json"


def test_a_diagnosis_has_problem_details_and_remedy():
    text = Diagnosis("the port is taken", "stop pid 7", "one\ntwo").text()
    assert text.splitlines() == [
        "kessai: the port is taken", "    | one", "    | two", "  what to do: stop pid 7",
    ]  # fmt: skip


def test_too_little_disk_or_memory_is_refused():
    preflight.require_disk(6 * preflight.GIB, 5 * preflight.GIB)
    with pytest.raises(Diagnosis, match="too little disk: 4.0 GiB"):
        preflight.require_disk(4 * preflight.GIB, 5 * preflight.GIB)
    preflight.require_memory(4 * preflight.GIB)
    with pytest.raises(Diagnosis, match="too little memory"):
        preflight.require_memory(1 * preflight.GIB)


def test_every_package_has_a_reason():
    lines = [line for line in packages.FILE.read_text().splitlines() if line and line[0] != "#"]
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)
    names = packages.wanted()
    assert len(set(names)) == len(names)


def test_missing_packages_are_found():
    assert packages.missing(["dpkg", "no-such-package-of-debian"]) == ["no-such-package-of-debian"]


def test_grants_name_one_schema_only():
    # An unescaped underscore would match any character, and with it other schemas.
    grant = mariadb._grant("SELECT", "payment", "kessai_audit")
    assert grant == "GRANT SELECT ON `kessai\\_payment`.* TO 'kessai_audit'@'127.0.0.1';"


@pytest.mark.parametrize(
    "seconds, text",
    [(None, "-"), (5, "5 s"), (65, "1 m 05 s"), (3700, "1 h 01 m"), (90000, "1 d 01 h")],
)
def test_durations_are_short(seconds, text):
    assert status.duration(seconds) == text


def test_suites_are_chosen_by_name_in_their_own_order():
    assert [suite.name for suite in suites.choose(["integration", "unit"])] == ["unit", "integration"]
    with pytest.raises(Diagnosis, match="no suite 'units'"):
        suites.choose(["units"])
    assert suites.choose([]) == [suite for suite in suites.SUITES if suite.default]


@pytest.mark.parametrize("names", [[], ["e2e"]], ids=["default", "by name"])
def test_a_suite_whose_folder_is_missing_is_an_error_that_names_it(names, tmp_path):
    for suite in suites.SUITES:
        if suite.runner not in ("ctest", "tests/e2e"):
            (tmp_path / suite.runner).mkdir(parents=True)
            (tmp_path / suite.runner / "test_it.py").touch()
    with pytest.raises(Diagnosis, match="the suite 'e2e' has no tests: tests/e2e is not there"):
        suites.choose(names, root=tmp_path)


def test_the_default_suites_fit_the_time():
    limits = [suite.limit_minutes for suite in suites.SUITES if suite.default]
    assert all(limit > 0 for limit in limits)


def test_a_build_error_shows_the_compilers_messages_not_the_progress():
    script = "echo '[1/2] Building a.o'; echo 'a.cc:3: error: expected ;'; exit 1"
    with pytest.raises(Diagnosis, match="the build failed") as caught:
        build._run_with_progress(["sh", "-c", script], say.Step("build"))
    assert caught.value.details == "a.cc:3: error: expected ;"


def test_a_build_says_how_many_steps_it_took():
    script = "echo '[1/2] Building a.o'; echo '[2/2] Linking b'"
    assert build._run_with_progress(["sh", "-c", script], say.Step("build")) == 2
    assert build._run_with_progress(["echo", "ninja: no work to do."], say.Step("build")) == 0


def test_a_suite_that_wants_an_empty_stack_gets_one_after_others(monkeypatch):
    done = []
    note_what_is_done(monkeypatch, done)
    assert suites.run(None, ["e2e", "kill"], "release", False, 1) == 0
    assert done == ["ready", "begun", "e2e", "anew False", "kill", "cleared"]
    done.clear()
    assert suites.run(None, ["kill"], "release", False, 1) == 0
    assert done == ["ready", "begun", "kill", "cleared"]


def note_what_is_done(monkeypatch, done: list[str]) -> None:
    monkeypatch.setattr(suites, "_make_ready", lambda *_: done.append("ready"))
    monkeypatch.setattr(suites, "_begin", lambda *_: done.append("begun"))
    monkeypatch.setattr(suites, "_begin_anew", lambda *_, keep_log: done.append(f"anew {keep_log}"))
    monkeypatch.setattr(suites, "_clear", lambda *_, keep_data: done.append("cleared"))

    def run_one(stack, suite, *_):
        done.append(suite.name)
        return suites.Tally(passed=1), 0.0

    monkeypatch.setattr(suites, "_run_one", run_one)
    monkeypatch.setattr(suites, "_starts_servers", lambda chosen: True)


# Goal: what Spark's tests take of the machine they take before there is a stack.
def test_a_stack_begins_with_the_first_suite_that_needs_it(monkeypatch):
    done = []
    note_what_is_done(monkeypatch, done)
    assert suites.run(None, ["audit", "spark", "tools"], "release", False, 1) == 0
    assert done == ["ready", "tools", "spark", "begun", "audit", "cleared"]


def test_suites_that_need_no_stack_count_though_there_is_none(monkeypatch, capsys):
    done = []
    note_what_is_done(monkeypatch, done)

    def port_in_use(*_):
        raise Diagnosis("port 27000 is in use", "end who listens there")

    monkeypatch.setattr(suites, "_begin", port_in_use)
    assert suites.run(None, ["unit", "integration", "e2e"], "release", False, 1) == 1
    assert done == ["ready", "unit", "cleared"]
    said = capsys.readouterr().out
    assert "port 27000 is in use" in said and said.endswith("1 passed, 1 failed\n")


# Goal: a registry that does not answer fails the suite that needs it, and no other.
def test_a_suite_whose_packages_cannot_be_fetched_fails(monkeypatch):
    def no_network():
        raise Diagnosis("'npm' could not fetch what Spark needs", "check that this machine reaches it")

    monkeypatch.setattr(suites.spark_environment, "prepare", no_network)
    (spark,) = suites.choose(["spark"])
    tally, _ = suites._run_one(None, spark, "release", time.monotonic() + 60, None)
    assert (tally.passed, tally.failed) == (0, 1)
    assert tally.failures == ["spark (what it runs with could not be fetched)"]

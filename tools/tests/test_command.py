"""Goal: the command line does what its help says. Method: call its parts without a stack."""

import pytest

from kessai import build, commands, external, mariadb, packages, preflight, say, status, suites
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
    monkeypatch.setattr(suites, "_make_ready", lambda *_: done.append("ready"))
    monkeypatch.setattr(suites, "_begin_anew", lambda *_, keep_log: done.append(f"anew {keep_log}"))
    monkeypatch.setattr(suites, "_clear", lambda *_, keep_data: done.append("cleared"))

    def run_one(stack, suite, *_):
        done.append(suite.name)
        return suites.Tally(passed=1), 0.0

    monkeypatch.setattr(suites, "_run_one", run_one)
    monkeypatch.setattr(suites, "_starts_servers", lambda chosen: True)
    assert suites.run(None, ["e2e", "kill"], "release", False, 1) == 0
    assert done == ["ready", "e2e", "anew False", "kill", "cleared"]
    done.clear()
    assert suites.run(None, ["kill"], "release", False, 1) == 0
    assert done == ["ready", "kill", "cleared"]

"""`test`: runs test suites, with an isolated stack when one needs it, and counts the cases."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Mapping, Sequence

from . import (
    access, build, children, kafka_jars, packages, results, s3_environment, say, servers,
    spark_environment, up,
)  # fmt: skip
from .diagnosis import Diagnosis
from .results import Tally
from .stack import ROOT, SERVICES, Stack


class Needs(Enum):
    NOTHING = 0
    SERVERS = 1  # Kafka, MariaDB, Redis
    STACK = 2  # and the four services


@dataclass(frozen=True)
class Suite:
    name: str
    runner: str  # "ctest": the label `name`; else a folder or file for pytest
    needs: Needs
    limit_minutes: int
    default: bool  # part of `./kessai test` without names
    summary: str
    parallel: int = 1
    also_preset: str = ""  # a build whose services it runs beside those of the stack's own
    fresh: bool = False  # on an empty stack, though others ran before it
    programs: tuple[str, ...] = ()  # of the build, which its tests run
    on_spark: bool = False  # with the Python and the packages of spark_environment
    on_s3: bool = False  # with those of s3_environment


SUITES = (
    Suite("tools", "tools/tests", Needs.NOTHING, 5, True, "the one command's own parts"),
    Suite("unit", "ctest", Needs.NOTHING, 15, True, "libraries and domains without I/O", 2),
    # Before there are servers: Spark takes its memory alone.
    Suite("spark", "services/payout/spark/tests", Needs.NOTHING, 30, True,
          "the recount on Spark agrees with the service's", programs=("payout_books_worker",),
          on_spark=True),
    Suite("integration", "ctest", Needs.SERVERS, 25, True, "over real Kafka, MariaDB and Redis",
          on_s3=True),
    Suite("recon", "tests/recon", Needs.STACK, 20, True, "a comparison finds every damage to a day's books",
          fresh=True),
    # Before e2e, which leaves messages in Kafka that no audit would pass.
    Suite("audit", "tests/audit", Needs.STACK, 12, True, "the audit finds every damage, under load"),
    Suite("e2e", "tests/e2e", Needs.STACK, 15, True, "the partner SDKs and the app on a whole stack"),
    Suite("kill", "tests/kill", Needs.STACK, 20, True, "kill -9 of everything, under load",
          also_preset="faults", fresh=True),
)


# How much longer a suite may take on a preset that is not built to be quick.
SLOWNESS = {"asan": 3, "tsan": 5}


def run(
    stack: Stack,
    names: Sequence[str],
    preset: str,
    keep: bool,
    budget_minutes: float,
    seed: int | None = None,
) -> int:
    """Runs the suites and prints the counts; the last line is `N passed, N failed`."""
    deadline = time.monotonic() + budget_minutes * 60
    chosen = choose(names)
    starts_servers = _starts_servers(chosen)
    total = Tally()
    rows: list[str] = []
    try:
        try:
            _make_ready(stack, chosen, preset)
        except Diagnosis as diagnosis:
            say.line(diagnosis.text())
            total.fail("the tests could not begin")
            chosen = []
        begun = False  # the stack, which nobody needs in the first suites
        for suite in chosen:
            if suite.needs is not Needs.NOTHING:
                try:
                    if not begun:
                        _begin(stack, chosen, preset)
                    elif suite.fresh:
                        _begin_anew(stack, preset, keep_log=total.failed > 0)
                except Diagnosis as diagnosis:
                    say.line(diagnosis.text())
                    total.fail(f"{suite.name} and what follows it (there is no stack for it)")
                    break
                begun = True
            tally, seconds = _run_one(stack, suite, preset, deadline, seed)
            total.add(tally)
            rows.append(_row(suite.name, tally, seconds))
    finally:
        if starts_servers and not keep:
            _clear(stack, keep_data=total.failed > 0)
    _summary(rows, total)
    return 0 if total.failed == 0 and total.passed > 0 else 1


def choose(names: Sequence[str], root: Path = ROOT) -> list[Suite]:
    """The suites by these names, in their own order; without names the default ones.

    A suite whose tests are not there is an error, asked for by name or not: what was not run must not
    look like what passed.
    """
    by_name = {suite.name: suite for suite in SUITES}
    for name in names:
        if name not in by_name:
            raise Diagnosis(f"there is no suite '{name}'", f"use one of: {', '.join(by_name)}")
    chosen = [suite for suite in SUITES if (suite.name in names if names else suite.default)]
    for suite in chosen:
        if not _exists(suite, root):
            raise Diagnosis(
                f"the suite '{suite.name}' has no tests: {suite.runner} is not there",
                "make the checkout whole: git status shows what is missing",
            )
    return chosen


def _exists(suite: Suite, root: Path) -> bool:
    return suite.runner == "ctest" or any((root / suite.runner).glob("**/test_*.py"))


def _uses_given_servers() -> bool:
    """Whether the caller named servers to test against instead of an own stack's."""
    return all(f"KESSAI_TEST_{name}" in os.environ for name in ("MYSQL", "REDIS", "KAFKA"))


def _starts_servers(chosen: Sequence[Suite]) -> bool:
    needs = max((suite.needs.value for suite in chosen), default=0)
    if needs == Needs.SERVERS.value and _uses_given_servers():
        return False
    return needs > 0


def _make_ready(stack: Stack, chosen: Sequence[Suite], preset: str) -> None:
    packages.install_missing()
    if any(suite.needs is not Needs.NOTHING for suite in chosen):
        servers.fetch()  # before the build: it is the part that depends on the network
    if any(suite.on_s3 for suite in chosen):
        s3_environment.prepare()
    if any(suite.runner == "ctest" for suite in chosen):
        build.build(preset)
    else:
        wanted = [program for suite in chosen for program in suite.programs]
        if any(suite.needs is Needs.STACK for suite in chosen):
            wanted += build.programs(preset)
        if wanted:
            build.build(preset, wanted)
    for other in sorted({suite.also_preset for suite in chosen if suite.also_preset}):
        build.build(other, [f"kessai-{service}" for service in SERVICES])


def _begin(stack: Stack, chosen: Sequence[Suite], preset: str) -> None:
    """What the suites need of a stack, empty."""
    if not _starts_servers(chosen):
        return
    _clear(stack, keep_data=False)  # every run begins with empty servers
    say.line(f"an isolated stack: .kessai/{stack.name}, ports from {stack.port_base}")
    if any(suite.needs is Needs.STACK for suite in chosen):
        up.whole_stack_up(stack, preset, say.Phases(), compile_first=False)
    else:
        up.servers_up(stack, preset)


def _run_one(
    stack: Stack, suite: Suite, preset: str, deadline: float, seed: int | None
) -> tuple[Tally, float]:
    say.line(f"\n{suite.name}: {suite.summary}")
    started = time.monotonic()
    tally = Tally()
    if suite.on_spark:
        try:
            spark_environment.prepare()
        except Diagnosis as diagnosis:
            say.line(diagnosis.text())
            tally.fail(f"{suite.name} (what it runs with could not be fetched)")
            return tally, time.monotonic() - started
    left_s = deadline - time.monotonic()
    if left_s < 10:
        tally.fail(f"{suite.name} (no time left to run it)")
        return tally, 0.0
    limit_s = min(left_s, suite.limit_minutes * 60.0 * SLOWNESS.get(preset, 1))
    environment = _environment(stack, suite, preset)
    if seed is not None:
        environment["KESSAI_TEST_SEED"] = str(seed)
    directory = ROOT / "build" / "test-results" / suite.name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if suite.runner == "ctest":
        tally = _ctest(suite, preset, directory, environment, limit_s)
    else:
        tally = _pytest(suite, directory, environment, limit_s)
    return tally, time.monotonic() - started


def _ctest(
    suite: Suite, preset: str, directory: Path, environment: Mapping[str, str], limit_s: float
) -> Tally:
    junit = directory / "ctest.xml"
    command = [
        "ctest", "--test-dir", str(build.directory(preset)), "--label-regex", f"^{suite.name}$",
        "--output-on-failure", "--no-tests=ignore", "--parallel", str(suite.parallel),
        "--output-junit", str(junit),
    ]  # fmt: skip
    reports = {**environment, "GTEST_OUTPUT": f"xml:{directory}/"}
    finished = _bounded(command, reports, limit_s)
    tally = results.from_ctest(junit, directory) if junit.exists() else Tally()
    if not finished:
        tally.fail(f"{suite.name} (ended after its limit of {limit_s / 60:.0f} minutes)")
    elif not junit.exists():
        tally.fail(f"{suite.name} (ctest wrote no report)")
    return tally


def _pytest(
    suite: Suite, directory: Path, environment: Mapping[str, str], limit_s: float
) -> Tally:
    junit = directory / "pytest.xml"
    python = str(spark_environment.python()) if suite.on_spark else sys.executable
    command = [
        python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={junit}",
        "-o", "junit_family=xunit2", str(ROOT / suite.runner),
    ]  # fmt: skip
    finished = _bounded(command, environment, limit_s)
    tally = results.from_cases(junit) if junit.exists() else Tally()
    if not finished:
        tally.fail(f"{suite.name} (ended after its limit of {limit_s / 60:.0f} minutes)")
    elif not junit.exists():
        tally.fail(f"{suite.name} (pytest wrote no report)")
    return tally


def _bounded(command: Sequence[str], environment: Mapping[str, str], limit_s: float) -> bool:
    """Runs it, and ends it when the limit is reached: then false."""
    try:
        with children.child(command, env=dict(environment), cwd=ROOT) as process:
            process.wait(timeout=limit_s)
        return True
    except subprocess.TimeoutExpired:
        return False


def _environment(stack: Stack, suite: Suite, preset: str) -> dict[str, str]:
    """Without the command's own variables, which services started by tests would refuse."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("KESSAI_") or key.startswith("KESSAI_TEST_")
    }
    environment["KESSAI_TEST_BINARIES"] = str(build.directory(preset) / "bin")
    if suite.needs is Needs.NOTHING:
        return environment
    if suite.needs is Needs.STACK or not _uses_given_servers():
        environment.update(access.test_environment(stack))
    environment.setdefault("KESSAI_TEST_KAFKA_JARS", str(kafka_jars.directory()))
    environment.setdefault("KESSAI_TEST_S3_PYTHON", str(s3_environment.python()))
    if suite.needs is Needs.STACK:
        environment["KESSAI_TEST_STACK_FILE"] = str(stack.directory / "access.json")
    return environment


def _clear(stack: Stack, keep_data: bool) -> None:
    """Ends the isolated stack. After a failure its logs and data stay for a look."""
    if not stack.directory.exists():
        return
    if not up.stop(stack):
        raise Diagnosis("the test stack does not end", "see the processes named above")
    if keep_data:
        say.line(f"what the servers and services wrote is kept in .kessai/{stack.name}/log")
    else:
        shutil.rmtree(stack.directory)


def _begin_anew(stack: Stack, preset: str, keep_log: bool) -> None:
    """An empty stack in the place of one that tests have used."""
    say.line("\nan empty stack again:")
    if keep_log:
        kept = ROOT / "build" / "test-results" / "log"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(stack.log, kept)
        say.line(f"what it wrote until here is kept in {kept.relative_to(ROOT)}")
    _clear(stack, keep_data=False)
    up.whole_stack_up(stack, preset, say.Phases(), compile_first=False)


def _row(name: str, tally: Tally, seconds: float) -> str:
    skipped = f", {tally.skipped} skipped" if tally.skipped else ""
    return f"  {name:<12} {tally.passed:>5} passed, {tally.failed} failed{skipped}  ({seconds:.0f} s)"


def _summary(rows: Sequence[str], total: Tally) -> None:
    say.line()
    for failure in total.failures:
        say.line(f"  failed: {failure}")
    for row in rows:
        say.line(row)
    if total.skipped:
        say.line(f"  {total.skipped} skipped")
    if total.passed + total.failed == 0:
        say.line("no test ran")
    say.line(f"{total.passed} passed, {total.failed} failed")

"""Goal: no failure goes uncounted. Method: reports as the three tools write them, damaged too."""

from kessai.results import Tally, from_cases, from_ctest

GOOGLETEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0">
  <testsuite name="Money" tests="4">
    <testcase name="Adds" status="run" result="completed" classname="Money"/>
    <testcase name="Overflows" status="run" result="completed" classname="Money">
      <failure message="expected" type=""><![CDATA[expected]]></failure>
    </testcase>
    <testcase name="DISABLED_Later" status="notrun" result="suppressed" classname="Money"/>
    <testcase name="Elsewhere" status="run" result="skipped" classname="Money">
      <skipped message="no broker"/>
    </testcase>
  </testsuite>
</testsuites>
"""
PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4">
  <testcase classname="a" name="ok"/>
  <testcase classname="a" name="bad"><failure message="x"/></testcase>
  <testcase classname="a" name="broken"><error message="fixture"/></testcase>
  <testcase classname="a" name="not_here"><skipped message="y"/></testcase>
</testsuite></testsuites>
"""


def ctest(*tests: str) -> str:
    return f'<testsuite name="Linux" tests="{len(tests)}">{"".join(tests)}</testsuite>'


def passed(name: str) -> str:
    return f'<testcase name="{name}" classname="{name}" status="run"/>'


def failed(name: str, message: str = "Failed") -> str:
    return (
        f'<testcase name="{name}" classname="{name}" status="fail">'
        f'<failure message="{message}"/></testcase>'
    )


def write(path, text):
    path.write_text(text)
    return path


def test_counts_the_cases_of_googletest(tmp_path):
    tally = from_cases(write(tmp_path / "money_test.xml", GOOGLETEST))
    assert (tally.passed, tally.failed, tally.skipped) == (1, 1, 2)
    assert tally.failures == ["Money.Overflows"]


def test_counts_the_cases_of_pytest_with_errors_as_failures(tmp_path):
    tally = from_cases(write(tmp_path / "pytest.xml", PYTEST))
    assert (tally.passed, tally.failed, tally.skipped) == (1, 2, 1)


def test_ctest_is_counted_by_the_cases_of_its_binaries(tmp_path):
    write(tmp_path / "money_test.xml", GOOGLETEST)
    junit = write(tmp_path / "ctest.xml", ctest(failed("money_test"), passed("structure_check")))
    tally = from_ctest(junit, tmp_path)
    assert (tally.passed, tally.failed, tally.skipped) == (2, 1, 2)
    assert tally.failures == ["money_test: Money.Overflows"]


def test_a_binary_without_a_report_is_one_failure(tmp_path):
    junit = write(tmp_path / "ctest.xml", ctest(failed("crash_test", "SEGFAULT")))
    tally = from_ctest(junit, tmp_path)
    assert (tally.passed, tally.failed) == (0, 1)
    assert tally.failures == ["crash_test (SEGFAULT)"]


def test_a_binary_that_died_after_its_cases_passed_is_a_failure(tmp_path):
    report = GOOGLETEST.replace("<failure", "<nothing").replace("</failure>", "</nothing>")
    write(tmp_path / "leak_test.xml", report)
    tally = from_ctest(write(tmp_path / "ctest.xml", ctest(failed("leak_test"))), tmp_path)
    assert (tally.passed, tally.failed) == (2, 1)


def test_a_report_that_was_cut_off_is_a_failure(tmp_path):
    write(tmp_path / "cut_test.xml", GOOGLETEST[:200])
    tally = from_ctest(write(tmp_path / "ctest.xml", ctest(failed("cut_test", "Timeout"))), tmp_path)
    assert (tally.passed, tally.failed) == (0, 1)


def test_a_binary_that_ctest_could_not_start_is_a_failure(tmp_path):
    lost = '<testcase name="lost_test" classname="lost_test" status="notrun"/>'
    tally = from_ctest(write(tmp_path / "ctest.xml", ctest(lost)), tmp_path)
    assert (tally.passed, tally.failed) == (0, 1)


def test_tallies_add_up():
    total = Tally(passed=1)
    other = Tally(passed=2, skipped=1)
    other.fail("x")
    total.add(other)
    assert (total.passed, total.failed, total.skipped, total.failures) == (3, 1, 1, ["x"])

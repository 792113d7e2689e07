"""Counts test cases from the XML reports of GoogleTest, pytest and CTest."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures

    def fail(self, name: str) -> None:
        self.failed += 1
        self.failures.append(name)


def from_cases(report: Path, prefix: str = "") -> Tally:
    """Counts the test cases of a GoogleTest or pytest report. Raises if it is not whole."""
    tally = Tally()
    for case in xml.parse(report).getroot().iter("testcase"):
        name = f"{prefix}{case.get('classname', '')}.{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            tally.fail(name)
        elif case.find("skipped") is not None:
            tally.skipped += 1
        elif case.get("status") == "notrun":  # disabled, or left out by a filter
            tally.skipped += 1
        else:
            tally.passed += 1
    return tally


def from_ctest(junit: Path, reports: Path) -> Tally:
    """Counts what CTest ran, by the cases of each binary's own report in `reports`.

    A binary that crashed, timed out or was not found leaves no report, or one that does not account
    for its failure: that is one failed test more. A test without cases of its own counts as one.
    """
    tally = Tally()
    for test in xml.parse(junit).getroot().iter("testcase"):
        name = test.get("name", "?")
        ok = test.get("status") == "run" and test.find("failure") is None
        cases = _binary_tally(reports, name)
        if cases is None:
            if ok:
                tally.passed += 1
            else:
                tally.fail(f"{name} ({_reason(test)})")
            continue
        tally.add(cases)
        if not ok and cases.failed == 0:
            tally.fail(f"{name} ({_reason(test)})")
    return tally


def _binary_tally(reports: Path, name: str) -> Tally | None:
    path = reports / f"{name}.xml"
    if not path.exists():
        return None
    try:
        return from_cases(path, prefix=f"{name}: ")
    except xml.ParseError:
        return None


def _reason(test: xml.Element) -> str:
    failure = test.find("failure")
    if failure is not None and failure.get("message"):
        return str(failure.get("message"))
    return f"status {test.get('status', 'unknown')}"

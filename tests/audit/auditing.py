"""Runs the audit of a stack and reads what it found."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

LIMIT_S = 150
LINES = 5_000


@dataclass(frozen=True)
class Finding:
    invariant: str
    what: str
    subject: Mapping[str, Any]
    expected: str
    found: str

    def is_about(self, subject: Mapping[str, Any]) -> bool:
        """Whether its subject has all of these."""
        return all(self.subject.get(name) == value for name, value in subject.items())

    def __str__(self) -> str:
        subject = " ".join(f"{name} {value}" for name, value in self.subject.items())
        return (
            f"{self.invariant} {self.what}: {subject}: "
            f"expected {self.expected[:120]}, found {self.found[:120]}"
        )


@dataclass(frozen=True)
class Result:
    exit_code: int
    findings: list[Finding]
    not_checked: list[str]
    content: Mapping[str, Any]
    took_s: float

    def looked_at(self, invariant: str) -> Mapping[str, int]:
        looked_at: Mapping[str, int] = self.content["invariants"][invariant]["looked_at"]
        return looked_at

    @property
    def changes(self) -> int:
        """Committed before it began."""
        return int(self.looked_at("M6")["changes"])

    def text(self) -> str:
        lines = [f"exit code {self.exit_code}"]
        lines += [f"not checked: {why}" for why in self.not_checked]
        lines += [str(finding) for finding in self.findings]
        return "\n".join(lines)


def run(binaries: Path, stack_file: Path) -> Result:
    begin = time.monotonic()
    done = subprocess.run(
        [str(binaries / "kessai-audit"), "--stack-file", str(stack_file), "--json",
         "--lines", str(LINES)],
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.stdout, f"exit code {done.returncode}: {done.stderr}"
    content = json.loads(done.stdout.splitlines()[-1])
    findings, not_checked = [], []
    for invariant, part in content["invariants"].items():
        not_checked += [f"{invariant}: {why}" for why in part["not_checked"]]
        for kind in part["findings"]:
            assert kind["count"] == len(kind["examples"]), f"{invariant}: not every finding is told"
            findings += [
                Finding(
                    invariant,
                    kind["what"],
                    example["subject"],
                    example["expected"],
                    example["found"],
                )
                for example in kind["examples"]
            ]
    assert content["found"] == len(findings)
    assert content["exit_code"] == done.returncode
    return Result(done.returncode, findings, not_checked, content, time.monotonic() - begin)

"""Rounds of damaging, auditing and putting right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import auditing
from auditing import Finding, Result
from damages import Damage, Named, Trace
from quiet_books import QuietBooks
from tampering import Tampering


@dataclass(frozen=True)
class Round:
    traces: dict[Damage, Trace]
    damaged: Result
    put_right: Result

    def missing(self, damage: Damage) -> list[Named]:
        """What was not found of what had to be."""
        return [
            named
            for named in self.traces[damage].named
            if not any(_is(finding, named) for finding in self.damaged.findings)
        ]

    def unexplained(self) -> list[Finding]:
        """Findings about what nobody has damaged."""
        about = [subject for trace in self.traces.values() for subject in trace.about]
        return [
            finding
            for finding in self.damaged.findings
            if not any(finding.is_about(subject) for subject in about)
        ]


def _is(finding: Finding, named: Named) -> bool:
    return (
        (finding.invariant, finding.what) == (named.invariant, named.what)
        and finding.is_about(named.subject)
        and named.expected in (None, finding.expected)
        and named.found in (None, finding.found)
    )


class Rounds:
    """Each is run once, when it is first asked for."""

    def __init__(
        self,
        damages_of: Callable[[str, int], list[Damage]],
        books: QuietBooks,
        tampering: Tampering,
        audit: Callable[[], auditing.Result],
        say: Callable[[str], None],
    ) -> None:
        self._damages_of = damages_of
        self._books = books
        self._tampering = tampering
        self._audit = audit
        self._say = say
        self._run: dict[tuple[str, int], Round] = {}

    def of(self, invariant: str, number: int) -> Round:
        key = (invariant, number)
        if key not in self._run:
            self._run[key] = self._make(invariant, number)
        return self._run[key]

    def _make(self, invariant: str, number: int) -> Round:
        traces: dict[Damage, Trace] = {}
        try:
            for damage in self._damages_of(invariant, number):
                traces[damage] = damage.apply(self._books, self._tampering)
            damaged = self._audit()
        finally:
            self._tampering.undo()
        done = Round(traces, damaged, self._audit())
        self._show(done)
        return done

    def _show(self, done: Round) -> None:
        self._say("")
        for damage, trace in done.traces.items():
            kept = " (sums and counts are kept)" if damage.keeps else ""
            self._say(f"{damage.invariant} damaged: {damage.name}{kept}")
            for named in trace.named:
                shown = [finding for finding in done.damaged.findings if _is(finding, named)]
                self._say(f"    found {shown[0]}" if shown else f"    NOT FOUND {named}")
        named_count = sum(len(trace.named) for trace in done.traces.values())
        self._say(
            f"    {len(done.damaged.findings)} findings, {named_count} of them awaited, "
            f"{len(done.unexplained())} about anything else, in {done.damaged.took_s:.1f} s; "
            f"put right: exit code {done.put_right.exit_code}; changes audited "
            f"{done.damaged.changes} and {done.put_right.changes}"
        )

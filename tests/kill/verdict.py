"""How a run under load is judged, whatever was killed in it: the same for every kill test."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping, Sequence

from conftest import Report
from steady_load import SteadyLoad, audit
from victims import Death, Victims


def judge(
    load: SteadyLoad, deaths: Sequence[Death], binaries: Path, stack_file: Path, report: Report
) -> None:
    """Ends the load and compares what is stored with what the client remembers; then the audit.

    Fails unless every acknowledged change exists once and reached payout and reconciliation, every
    unknown one was settled by asking again, nothing was refused, and the test has seen what it is
    about: unknown outcomes, and retries that found what an earlier attempt had done.
    """
    counts = load.finish()
    report.line(f"  load ended after {report.seconds():.0f} s: {_shown(counts)}")
    assert counts["not_settled"] == 0, "requests whose outcome nobody could tell"

    found = load.verify([death.at_us for death in deaths])
    in_flight = found["in_flight"]
    for death, count in zip(deaths, in_flight):
        assert count > 0, f"by the journal nothing was in flight when {death.victim} died"
    for name in _TOLD:
        report.line(f"  {name.replace('_', ' '):<40} {found[name]}")
    assert found["clean"], found["words"]
    assert found["payments_refused"] == 0 and found["others_refused"] == 0, found["words"]
    assert found["payments_acknowledged"] == found["payments_asked_for"], found["words"]
    assert found["payments_acknowledged"] > 30 * len(deaths), "hardly anything was paid"
    for name in ("refunds", "cancellations", "top_ups"):
        assert found[f"{name}_acknowledged"] > 0, f"{name}: none"
    assert found["unknown_outcomes"] > 0, "no outcome was unknown: nothing was shown"
    assert found["retries_that_found_an_outcome"] > 0, "no retry found a stored outcome"

    code, words = audit(binaries, stack_file)
    report.line(f"  audit: {'clean' if code == 0 else f'exit code {code}'}")
    assert code == 0, words
    report.line(f"  took {report.seconds():.0f} s")


def only_deaths_of_ours(
    victims: Victims,
    before: Mapping[str, Mapping[str, int]],
    killed: Mapping[str, int],
    stopped: int = 0,
) -> None:
    """Nobody ended by itself: all that ended since `before` did so by our hand.

    `killed` counts the deaths of each; `stopped` is how often we asked each to end in order.
    """
    for name, ends in before.items():
        now = victims.ends(name)
        new = {cause: now[cause] - ends.get(cause, 0) for cause in now}
        new = {cause: count for cause, count in new.items() if count}
        expected = {"signal 9": killed.get(name, 0), "exit code 0": stopped}
        expected = {cause: count for cause, count in expected.items() if count}
        assert new == expected, f"{name} ended otherwise than it was killed: {new}, not {expected}"


_TOLD = (
    "payments_asked_for",
    "payments_acknowledged",
    "payments_stored",
    "refunds_acknowledged",
    "cancellations_acknowledged",
    "top_ups_acknowledged",
    "asked_of_the_api",
    "unknown_outcomes",
    "retries",
    "retries_that_found_an_outcome",
)


def _shown(counts: Mapping[str, object]) -> str:
    return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in counts.items())

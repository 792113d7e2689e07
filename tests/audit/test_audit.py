"""The audit finds what is wrong, and nothing else, while payments go on.

Goal: whatever somebody changes in the databases is named by the audit, by its exact row and by the
invariant that it breaks, also where sums and counts are kept; and an audit of a stack under load that
nobody has touched finds nothing.
Method: a load goes on from the first test to the last. Beside it quiet books are made through the
public interfaces: merchants with a plan of their own and without, two days that are closed and released
under the load, and one that is open. Rows of them are damaged by SQL with the administrator's access,
some damages at a time; the audit runs; the damages are undone and it runs again. Every finding must be
awaited or be about a row that was damaged. At the end the load's own journal judges the stack.
"""

from __future__ import annotations

from typing import Callable

import damages
import pytest
from auditing import Result
from damages import Damage
from quiet_books import QuietBooks
from rounds import Rounds
from steady_load import SteadyLoad

Say = Callable[[str], None]

INVARIANTS = [f"M{number}" for number in range(1, 10)]


def test_every_invariant_has_three_damages_and_one_that_keeps_sums_and_counts() -> None:
    for invariant in INVARIANTS:
        of = [damage for damage in damages.ALL if damage.invariant == invariant]
        assert len(of) >= 3, invariant
        assert any(damage.keeps for damage in of), invariant


def test_a_stack_under_load_is_clean(
    books: QuietBooks, audit: Callable[[], Result], say: Say
) -> None:
    changes = 0
    for _ in range(3):
        result = audit()
        assert result.exit_code == 0, result.text()
        assert result.changes > changes, "the load stands still"
        changes = result.changes
        for invariant in INVARIANTS:
            nothing = {what for what, rows in result.looked_at(invariant).items() if rows == 0}
            assert not nothing, f"{invariant} looked at no {nothing}"
    say(f"clean under load: three audits, the last of {changes} changes")


@pytest.mark.parametrize("damage", damages.ALL, ids=str)
def test_a_damage_is_named(rounds: Rounds, damage: Damage) -> None:
    done = rounds.of(damage.invariant, damage.round)
    missing = [str(named) for named in done.missing(damage)]
    assert not missing, f"{damage.name}: not named: {missing}\n{done.damaged.text()}"
    assert done.damaged.exit_code == 1


@pytest.mark.parametrize("invariant, number", damages.rounds())
def test_nothing_else_is_named_and_all_is_clean_again(
    rounds: Rounds, invariant: str, number: int
) -> None:
    done = rounds.of(invariant, number)
    assert not done.unexplained(), "\n".join(str(finding) for finding in done.unexplained())
    assert not done.damaged.not_checked
    assert done.put_right.exit_code == 0, done.put_right.text()
    assert done.put_right.changes > done.damaged.changes, "the load stands still"


def test_the_load_got_what_it_was_promised(
    rounds: Rounds, load: SteadyLoad, audit: Callable[[], Result], say: Say
) -> None:
    load.require_running()
    assert load.end() == 0, load.said()
    verdict = load.verify()
    assert verdict.returncode == 0, verdict.stderr
    say(f"the load's journal: {verdict.stdout.strip()}")

"""A comparison finds every damage to the books of a day, says of each what it is, and nothing else.

Goal: whatever somebody changes in the rows or digests of payment, payout or reconciliation behind the
services' backs is found change by change, with the right kind and amounts; what the digests show by the
quick run, all by the deep one; and when it is put right, all of that is settled and the day is equal.
Method: one day of 200,000 payments, made by payment's own executor and carried on by the running services.
For each seed 500 damages of all kinds at places that it draws; a quick and a deep run over the operator's
interface; what they recorded against what the damages say. Then every row is written back, and a deep run
must find the digests of all rows equal to each other and to the kept ones. The seed is printed.
"""

from __future__ import annotations

import random
from typing import Callable

import pytest
from comparison import Comparison
from damages import KINDS, Damages, Found, as_found
from kessai_client.day_digest import RowHasher
from stored_books import StoredBooks

Say = Callable[[str], None]

DAMAGES = 500
SEEDS = 20


def must_be(found: set[Found], expected: set[Found], damages: Damages, run: str) -> None:
    wrong = [f"not found: {one} ({damages.names.get(one, 'a digest')})" for one in expected - found]
    wrong += [f"found, and is none: {one}" for one in found - expected]
    assert not wrong, f"{run} run: {len(wrong)} wrong\n" + "\n".join(wrong[:40])


@pytest.mark.parametrize("number", range(SEEDS))
def test_every_damage_is_found_and_named(
    books: StoredBooks,
    comparison: Comparison,
    equal_day: str,
    hasher: RowHasher,
    seed: int,
    number: int,
    say: Say,
) -> None:
    of = seed + number
    damages = Damages(books, hasher, random.Random(of))
    try:
        damages.make(DAMAGES)
        assert set(damages.counts) == {name for name, _, _ in KINDS}

        quick = comparison.run(deep=False)
        assert quick.state == "DIFFERENT", quick
        expected = damages.found_by_quick_run()
        must_be(as_found(comparison.discrepancies()), expected, damages, "quick")
        assert quick.found == len(expected)

        deep = comparison.run(deep=True)
        assert deep.state == "DIFFERENT", deep
        all_expected = damages.found_by_deep_run()
        must_be(as_found(comparison.discrepancies()), all_expected, damages, "deep")
        assert deep.found == len(all_expected)
    finally:
        books.undo()

    equal = comparison.run(deep=True)
    assert equal.state == "EQUAL", equal
    assert not comparison.discrepancies(), "what was put right is not settled"
    say(
        f"seed {of}: {DAMAGES} damages; quick found {len(expected)} in {quick.seconds:.1f} s,"
        f" deep {len(all_expected)} in {deep.seconds:.1f} s; all of them settled"
    )

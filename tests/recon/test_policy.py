"""The policy repairs what it may, and leaves to people exactly what it cannot; then nothing is left.

Goal: with all kinds of repairs that move no money ordered by themselves, what can be proven is put back as it
was, to the last column and the last yen of the totals, whatever was done; a second run finds exactly what is left
to people, inventions among it; who settles that by rows, by a correcting journal that another operator approved, or
by accepting it, has equal books, and a history that the audit confirms (test_put_right.py).
Method: for each seed 500 damages of all kinds, in buckets of their own, so that what may be done about each
follows from it alone. A deep run, while reconciliation has the policy; what is unsettled in the end is held against
what the damages say; a second deep run must find that again and nothing else.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from comparison import Comparison
from damages import KINDS, Damages, Found, Proof, as_found, as_stored
from kessai_client import waiting
from kessai_client.bearer import Operator, Refused, expect
from kessai_client.day_digest import RowHasher
from kessai_client.http import Http
from kessai_client.stack_file import StackFile
from stored_books import StoredBooks
from test_damages import must_be
from test_deaths import finished

_ROOT = Path(__file__).resolve().parents[2]
for _part in ("tools", "tests/kill"):
    sys.path.insert(0, str(_ROOT / _part))

from victims import Victims  # noqa: E402

Say = Callable[[str], None]

SERVICE = "reconciliation"
DAMAGES = 500
# Of a third of a minute each.
SEEDS = int(os.environ.get("KESSAI_TEST_POLICY_SEEDS") or 20)
# Of so many seeds people settle something too.
SEEDS_WITH_PEOPLE = 2
POLICY = {
    "repairs.automatic": "PUBLISH_AGAIN,ACCRUE_AGAIN,RECOMPUTE_TOTAL",
    "repairs.automatic_max_per_day": "100000",
    # Digests are of buckets, of which there are few: most are damaged by several seeds.
    "repairs.automatic_max_per_discrepancy": "1000",
    "repairs.poll_every": "200ms",
}
REPAIRED_WITHIN_S = 300.0
BY_JOURNAL = 3
ACCEPTED = 3


class Policy:
    """Of reconciliation, which is started with it and without."""

    def __init__(self, stack: StackFile) -> None:
        self._victims = Victims(stack.path)
        self._in_force = False

    def begin(self) -> None:
        self._in_force = True
        self._victims.restart_with(SERVICE, POLICY)
        self._victims.await_serving(SERVICE)

    def end(self) -> None:
        if self._in_force:
            self._victims.restart_plain(SERVICE)
            self._victims.await_serving(SERVICE)
        self._in_force = False


@pytest.fixture(scope="module")
def policy(stack: StackFile) -> Iterator[Policy]:
    """In force for all seeds: it must do no harm to a day that is damaged, or put right, meanwhile."""
    made = Policy(stack)
    made.begin()
    yield made
    made.end()


@pytest.mark.parametrize("number", range(SEEDS))
def test_the_policy_leaves_what_needs_a_person(
    books: StoredBooks,
    comparison: Comparison,
    equal_day: str,
    policy: Policy,
    stack: StackFile,
    operator: Operator,
    hasher: RowHasher,
    seed: int,
    number: int,
    say: Say,
) -> None:
    of = seed + 10_000 + number
    choose = random.Random(of)
    damages = Damages(books, hasher, choose, apart=True)
    totals = books.matched_totals()
    corrected: set[Found] = set()
    approver = Operator.sign_in(Http(stack.url, stack.ca_file, timeout_s=60), "recon-approver")
    begin = time.monotonic()
    try:
        damages.make(DAMAGES)
        assert set(damages.counts) == {name for name, _, _ in KINDS}
        expected = damages.found_by_deep_run()
        first = comparison.run(deep=True)
        found = as_stored(books.found_by_run(first.number))
        must_be(found - (damages.found_on_the_way() - expected), expected, damages, "first")
        assert first.found == len(expected)

        of_changes = damages.left_by_policy()
        left = of_changes | damages.sums_left()
        await_unsettled(comparison, left, damages, "after the policy's repairs")
        repaired_s = time.monotonic() - begin
        rows_are_back(books, damages)
        second = comparison.run(deep=True)
        assert second.state == "DIFFERENT" and second.found == len(of_changes), second
        await_unsettled(comparison, left, damages, "after the second run")
        for merchant, more in damages.counted_twice().items():
            totals[merchant] = tuple(map(sum, zip(totals[merchant], more)))
        assert books.matched_totals() == totals, "what was heard again counts twice"
        for state in ("FAILED", "WITHOUT_EFFECT", "DECLINED"):
            in_vain = repairs(operator, state)
            assert not in_vain, f"{len(in_vain)} repairs {state}: {in_vain[:3]}"

        if number < SEEDS_WITH_PEOPLE:
            corrected = correct_some(comparison, operator, approver, choose)
            settled = corrected | accept_some(comparison, choose)
            third = comparison.run(deep=True)
            assert third.state == "DIFFERENT", third
            await_unsettled(comparison, left - settled, damages, "after people decided")
    finally:
        books.undo()

    equal = finished(comparison)
    assert equal.state == "EQUAL", equal
    # Whose rows were put right behind a journal has the money twice, until that is taken back.
    await_unsettled(comparison, corrected, damages, "when all is put right")
    if corrected:
        post_journals(comparison.discrepancies(), operator, approver)
    await_unsettled(comparison, set(), damages, "at the end")
    if corrected:
        assert finished(comparison).state == "EQUAL"
        await_unsettled(comparison, set(), damages, "after the journals were taken back")
    say(
        f"seed {of}: {DAMAGES} damages, {first.found} findings; the policy left {len(left)} of them"
        f" after {repaired_s:.1f} s, and a second run found those; all settled after"
        f" {time.monotonic() - begin:.1f} s"
    )


def await_unsettled(
    comparison: Comparison, wanted: set[Found], damages: Damages, when: str
) -> None:
    """Until exactly these are."""
    latest: set[Found] = set()

    def are_they() -> bool | None:
        nonlocal latest
        try:
            # One that moves while they are listed, state by state, is listed twice.
            listed = {one["discrepancyId"]: one for one in comparison.discrepancies()}
        except (Refused, OSError):  # it has just come back
            return None
        latest = as_found(list(listed.values()))
        return latest == wanted or None

    try:
        waiting.until(when, are_they, REPAIRED_WITHIN_S, every_s=0.5)
    except waiting.TookTooLong:
        must_be(latest, wanted, damages, when)


def rows_are_back(books: StoredBooks, damages: Damages) -> None:
    """What was restored is what was there, and so tells the same."""
    assert {Proof.DIGEST, Proof.TOLD} >= set(damages.restorable.values())
    for key, proof in damages.restorable.items():
        was, now = books.original("PAYOUT", key), books.stored("PAYOUT", key)
        assert was is not None and now is not None, f"{key} is not back"
        if proof is Proof.DIGEST and key in damages.untimed:
            # Proven by the digest; when it was recorded is not known, so it is when it was restored.
            was = {**was, "recorded_at_us": now["recorded_at_us"]}
        assert now == was, f"{key} is back as {now}, and was {was}"


def correct_some(
    comparison: Comparison, operator: Operator, approver: Operator, choose: random.Random
) -> set[Found]:
    """By journals in payout's ledger, which only another operator can approve."""
    candidates = [
        one
        for one in comparison.discrepancies()
        if one["kind"] == "AMOUNT_DIFFERS" and as_amount(one["paymentAmount"]) > as_amount(one["payoutAmount"])
    ]
    chosen = choose.sample(candidates, BY_JOURNAL)
    post_journals(chosen, operator, approver)
    return as_found(chosen)


def post_journals(chosen: list[Any], operator: Operator, approver: Operator) -> None:
    """One more for each of these discrepancies, of what is owed now."""
    numbers: dict[str, int] = {}
    for one in chosen:
        target = f"/operator/v1/discrepancies/{one['discrepancyId']}/repairs"
        wish = {"kind": "CORRECTING_JOURNAL", "reason": "what payment says was paid"}
        made = expect(operator.call("POST", target, wish), 200, 201)
        assert made["state"] == "REQUESTED", made
        numbers[one["discrepancyId"]] = made["number"]
        decision = {"approve": True, "note": "compared with the receipt"}
        own = operator.call("POST", f"{target}/{made['number']}/decision", decision)
        assert own.status == 403 and own.json()["code"] == "SAME_OPERATOR", own.text()
        expect(approver.call("POST", f"{target}/{made['number']}/decision", decision), 200)
    for one in chosen:
        of_one = f"discrepancyId={one['discrepancyId']}"
        waiting.until(
            "the journal",
            lambda: [
                repair
                for repair in found_repairs(operator, of_one)
                if repair["number"] == numbers[one["discrepancyId"]] and repair["state"] == "REPAIRED"
            ]
            or None,
            REPAIRED_WITHIN_S,
            every_s=0.2,
        )


def accept_some(comparison: Comparison, choose: random.Random) -> set[Found]:
    candidates = [
        one
        for one in comparison.discrepancies()
        if one["kind"] in ("CHANGED_IN_BOTH", "MISSING_IN_BOTH", "FEE_DIFFERS")
    ]
    chosen = choose.sample(candidates, ACCEPTED)
    for one in chosen:
        comparison.change(str(one["discrepancyId"]), "ACCEPTED", "known, and left as it is")
    return as_found(chosen)


def repairs(operator: Operator, state: str) -> list[dict[str, Any]]:
    return found_repairs(operator, f"state={state}")


def found_repairs(operator: Operator, of: str) -> list[dict[str, Any]]:
    target = f"/operator/v1/repairs?pageSize=1000&{of}"
    return list(expect(operator.call("GET", target), 200)["repairs"])


def as_amount(value: Any) -> int:
    return int(value["amount"] if isinstance(value, dict) else value)

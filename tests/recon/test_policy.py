"""The policy repairs what it may, and leaves to people exactly what it cannot; then nothing is left.

Goal: with all kinds of repairs that move no money ordered by themselves, what can be proven is put back as it
was, to the last column, and everything else stays for people; who settles the rest by rows, by a correcting
journal that another operator approved, or by accepting it, has equal books, and a history that the audit
confirms (test_put_right.py).
Method: damages in buckets of their own, so that what may be done about each follows from it alone. A deep run;
then reconciliation is started with the policy, and what is unsettled in the end is held against what the damages
say; a second deep run must find that again and nothing else.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from comparison import Comparison
from damages import REPAIRABLE_KINDS, Damages, Found, Proof, as_found
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
DAMAGES = 300
SEEDS = 3
POLICY = {
    "repairs.automatic": "PUBLISH_AGAIN,ACCRUE_AGAIN,RECOMPUTE_TOTAL",
    "repairs.automatic_max_per_day": "100000",
    "repairs.poll_every": "200ms",
}
REPAIRED_WITHIN_S = 120.0
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


@pytest.fixture
def policy(stack: StackFile) -> Iterator[Policy]:
    made = Policy(stack)
    yield made
    made.end()


@pytest.fixture(scope="module")
def repaired_before() -> set[Found]:
    """By the policy, with an earlier seed: digests are of buckets, of which there are few."""
    return set()


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
    repaired_before: set[Found],
    say: Say,
) -> None:
    of = seed + 10_000 + number
    choose = random.Random(of)
    damages = Damages(books, hasher, choose, apart=True, kinds=REPAIRABLE_KINDS)
    try:
        damages.make(DAMAGES)
        first = comparison.run(deep=True)
        must_be(as_found(comparison.discrepancies()), damages.found_by_deep_run(), damages, "first")

        policy.begin()
        counted_twice = damages.counted_twice()
        await_unsettled(
            comparison, damages.left_by_policy(repaired_before), damages, "after the policy's repairs",
            besides=counted_twice,
        )  # fmt: skip
        rows_are_back(books, damages)

        second = comparison.run(deep=True)
        assert second.state == "DIFFERENT" and second.found == len(damages.found_again(repaired_before)), second
        left = damages.left_at_last(repaired_before)
        await_unsettled(comparison, left | counted_twice, damages, "after the second run")
        for state in ("FAILED", "WITHOUT_EFFECT", "DECLINED"):
            in_vain = repairs(operator, state)
            assert not in_vain, f"{len(in_vain)} repairs {state}: {in_vain[:3]}"

        approver = Operator.sign_in(Http(stack.url, stack.ca_file, timeout_s=60), "recon-approver")
        corrected = correct_some(comparison, operator, approver, choose)
        accepted = accept_some(comparison, choose)
        third = comparison.run(deep=True)
        assert third.state == "DIFFERENT", third
        await_unsettled(
            comparison, (left | counted_twice) - corrected - accepted, damages, "after people decided"
        )
    finally:
        # It would repair some of what people put right, as soon as they have.
        policy.end()
        books.undo()

    equal = finished(comparison)
    assert equal.state == "EQUAL", equal
    await_unsettled(comparison, set(), damages, "at the end")
    repaired_before |= damages.repaired_by_policy(repaired_before)
    say(
        f"seed {of}: {DAMAGES} damages, {first.found} findings; the policy left {len(left)} of them,"
        f" and {len(counted_twice)} sums that count twice; {len(corrected)} journals, {len(accepted)}"
        " accepted, the rest put back"
    )


def await_unsettled(
    comparison: Comparison,
    wanted: set[Found],
    damages: Damages,
    when: str,
    besides: set[Found] | None = None,
) -> None:
    """Until exactly these are; those of `besides` may be or not."""
    latest: set[Found] = set()

    def are_they() -> bool | None:
        nonlocal latest
        try:
            # One that moves while they are listed, state by state, is listed twice.
            listed = {one["discrepancyId"]: one for one in comparison.discrepancies()}
        except (Refused, OSError):  # it has just come back
            return None
        latest = as_found(list(listed.values())) - ((besides or set()) - wanted)
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
        if proof is Proof.DIGEST and not books.told_soon(key):
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
    for one in chosen:
        target = f"/operator/v1/discrepancies/{one['discrepancyId']}/repairs"
        wish = {"kind": "CORRECTING_JOURNAL", "reason": "what payment says was paid"}
        made = expect(operator.call("POST", target, wish), 200, 201)
        assert made["state"] == "REQUESTED", made
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
                if repair["state"] == "REPAIRED"
            ]
            or None,
            REPAIRED_WITHIN_S,
            every_s=0.2,
        )
    return as_found(chosen)


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

"""Events that cannot be applied, and what operators do about them with `./kessai dlq`.

Goal: a message that a service cannot read or apply stops neither the topic nor the payments in it; it
lands in the reader's dead-letter topic with its reason, what comes later for its payment waits behind
it, and it can be replayed or discarded.
Method: bytes that are no event are published under the key of a payment that does not exist otherwise,
with a second message behind them; then a payment whose accrual payout's database refuses until it is
"repaired". Everything an operator does is done with the one command.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from confluent_kafka import Producer
from kessai_client import waiting
from kessai_client.bearer import AppUser, expect
from kessai_client.books import MATCHED, Books
from kessai_client.events import TopicTail
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile

ROOT = Path(__file__).resolve().parents[2]
TOPIC = "payment.events.v1"
POISON = b"\xff\xfe no event at all"
LIMIT_S = 30.0
# Who reads the topic, and where each puts what it cannot apply.
DEAD_LETTERS = {
    "payout": "payout.payment-events.dlq.v1",
    "reconciliation": "reconciliation.payment-events.dlq.v1",
    "gateway": "gateway.payment-events.dlq.v1",
}


class Dlq:
    """`./kessai dlq` of the stack under test."""

    def __init__(self, stack: StackFile) -> None:
        self._command = [str(ROOT / "kessai"), "dlq", "--stack", stack.content["stack"]]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {k: v for k, v in os.environ.items() if not k.startswith("KESSAI_PORT_BASE")}
        return subprocess.run(
            [*self._command, *arguments], env=environment, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip

    def open(self, payment: int, count: int | None = None) -> list[Any] | None:
        """The payment's open dead letters; None while there are none, or not `count`."""
        done = self.run("list", "--payment", str(payment), "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        return found if found and count in (None, len(found)) else None

    def show(self, name: str) -> Any:
        done = self.run("show", name, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def dlq(stack: StackFile) -> Dlq:
    return Dlq(stack)


def name_of(letter: Any) -> str:
    return f"{letter['service']}/{letter['deadLetter']}"


def sell(merchant: Partner, payer: AppUser, order: str, amount: int = 321) -> int:
    code = expect(merchant.create_code(order, amount), 201)["data"]["codeId"]
    return int(expect(payer.pay(code, amount), 201)["paymentId"])


def publish(stack: StackFile, partition: int, key: int, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": stack.kafka_brokers, "acks": "all"})
    producer.produce(TOPIC, key=str(key), value=value, partition=partition)
    assert producer.flush(10) == 0


def test_a_poisoned_event_is_set_aside_and_its_payments_later_ones_wait(
    stack: StackFile,
    dlq: Dlq,
    merchant: Partner,
    payer: AppUser,
    books: Books,
    order: str,
) -> None:
    object_id = (1 << 62) + secrets.randbelow(1 << 60)  # of a payment that nobody made
    tails = {
        service: TopicTail(stack.kafka_brokers, topic) for service, topic in DEAD_LETTERS.items()
    }
    with TopicTail(stack.kafka_brokers, TOPIC) as events:
        sell(merchant, payer, order)
        record = events.next(LIMIT_S)
        assert record is not None
        publish(stack, record.partition, object_id, POISON)
        publish(stack, record.partition, object_id, record.value)

    for service, tail in tails.items():
        with tail:
            published = tail.of_key(str(object_id), LIMIT_S)
        assert published is not None, f"nothing came to {DEAD_LETTERS[service]}"
        assert b"EVENT_MALFORMED" in published.value and POISON in published.value

    def all_wait() -> list[Any] | None:
        found = dlq.open(object_id, len(DEAD_LETTERS))
        return found if found and all(one["parked"] == 1 for one in found) else None

    letters = waiting.until("a dead letter and an event behind it in each", all_wait, LIMIT_S)
    assert {letter["service"] for letter in letters} == set(DEAD_LETTERS)

    # The topic goes on: payments until one is in the poisoned partition, each followed to its end.
    with TopicTail(stack.kafka_brokers, TOPIC) as events:
        for number in range(200):
            payment_id = sell(merchant, payer, f"{order}-{number}")
            later = events.of_key(str(payment_id), LIMIT_S)
            assert later is not None
            if later.partition == record.partition:
                break
        else:
            pytest.fail("no payment came to the partition")
    waiting.until("its accrual", lambda: books.accrual(payment_id), LIMIT_S)
    assert waiting.until("its match", lambda: books.match(payment_id), LIMIT_S).state == MATCHED

    # For people too.
    shown = dlq.run()
    assert shown.returncode == 0 and "WAIT BEHIND" in shown.stdout
    for letter in letters:
        assert name_of(letter) in shown.stdout and "EVENT_MALFORMED" in shown.stdout

    # What cannot be read cannot be replayed either; what waited is another payment's event, and as bad.
    for letter in letters:
        name = name_of(letter)
        details = dlq.show(name)
        assert bytes.fromhex(details["value"]) == POISON
        assert len(details["parked"]) == 1
        refused = dlq.run("replay", name)
        assert refused.returncode == 1 and "EVENT_MALFORMED" in refused.stderr
        assert dlq.show(name)["deadLetter"]["attempts"] == 2
        stopped = dlq.run("discard", name, "--reason", "garbage of a test")
        assert stopped.returncode == 1 and "EVENT_KEY_MISMATCH" in stopped.stderr
        assert dlq.show(name)["deadLetter"]["state"] == "DISCARDED"
    behind = dlq.open(object_id)
    assert behind is not None and len(behind) == len(DEAD_LETTERS)
    for letter in behind:
        done = dlq.run("discard", name_of(letter), "--reason", "garbage of a test", "--operator", "aiko")
        assert done.returncode == 0, done.stderr
        (step,) = dlq.show(name_of(letter))["history"]
        assert (step["kind"], step["operator"]) == ("DISCARD", "aiko")
        assert step["note"] == "garbage of a test" and step["at"]
    assert dlq.open(object_id) is None


@pytest.fixture
def refuse_accruals_of(stack: StackFile) -> Iterator[Callable[[int], Callable[[], None]]]:
    """Lets payout's database refuse accruals of an amount until what is given back is called."""
    session = stack.database("payout", user="root")

    def repair() -> None:
        with session.cursor() as cursor:
            cursor.execute("ALTER TABLE accrual DROP CONSTRAINT IF EXISTS e2e_refuses")

    def refuse(amount: int) -> Callable[[], None]:
        with session.cursor() as cursor:
            cursor.execute(f"ALTER TABLE accrual ADD CONSTRAINT e2e_refuses CHECK (gross <> {amount:d})")
        return repair

    yield refuse
    repair()
    session.close()


def test_a_dead_letter_is_replayed_when_its_cause_is_repaired(
    dlq: Dlq,
    merchant: Partner,
    payer: AppUser,
    books: Books,
    order: str,
    refuse_accruals_of: Callable[[int], Callable[[], None]],
) -> None:
    amount = 40_000 + secrets.randbelow(10_000)  # of no other payment here
    repair = refuse_accruals_of(amount)
    payment_id = sell(merchant, payer, order, amount)
    (letter,) = waiting.until("its dead letter", lambda: dlq.open(payment_id), LIMIT_S)
    assert letter["service"] == "payout" and letter["reason"] == "CONSTRAINT_VIOLATED"

    # The payment is paid and goes on; its refund waits behind in payout.
    expect(merchant.refund(f"{order}-refund", str(payment_id), 217), 200)

    def refund_waits() -> bool | None:
        found = dlq.open(payment_id)
        return True if found and found[0]["parked"] == 1 else None

    waiting.until("the refund behind it", refund_waits, LIMIT_S)
    other = sell(merchant, payer, f"{order}-other")
    waiting.until("the accrual of another payment", lambda: books.accrual(other), LIMIT_S)
    assert books.accrual(payment_id) is None

    again = dlq.run("replay", name_of(letter))
    assert again.returncode == 1 and "CONSTRAINT_VIOLATED" in again.stderr
    repair()
    done = dlq.run("replay", "--payment", str(payment_id), "--note", "the table was repaired")
    assert done.returncode == 0, done.stderr
    assert "2 events applied" in done.stdout

    first, second = books.accrual(payment_id, 1), books.accrual(payment_id, 2)
    assert first is not None and first.gross == amount
    assert second is not None and second.gross == -217
    for version in (1, 2):
        match = waiting.until("its match", lambda: books.match(payment_id, version), LIMIT_S)
        assert match.state == MATCHED
    history = dlq.show(name_of(letter))["history"]
    assert [step["refusal"] for step in history] == ["CONSTRAINT_VIOLATED", ""]
    assert history[1]["note"] == "the table was repaired"
    assert dlq.open(payment_id) is None

"""Events that cannot be read.

Goal: a message that nobody can read stops neither the topic nor the payments in it; it lands in each
reader's dead-letter topic with its reason, and what comes later for its payment waits behind it.
Method: bytes that are no event are published to payment.events.v1 under the key of a payment that does
not exist otherwise, then a second message of that payment; then a real payment is made, and followed
through its own partition behind them.
"""

from __future__ import annotations

import secrets
from typing import Any, Iterator

import pytest
from confluent_kafka import Producer
from kessai_client import waiting
from kessai_client.bearer import AppUser, expect
from kessai_client.books import MATCHED, Books
from kessai_client.events import TopicTail
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile

TOPIC = "payment.events.v1"
POISON = b"\xff\xfe no event at all"
LIMIT_S = 30.0
# Who reads the topic, and where each puts what it cannot apply.
DEAD_LETTERS = {
    "payout": "payout.payment-events.dlq.v1",
    "reconciliation": "reconciliation.payment-events.dlq.v1",
    "gateway": "gateway.payment-events.dlq.v1",
}


@pytest.fixture
def object_id(stack: StackFile) -> Iterator[int]:
    """Of a payment that nobody made. What its events left is taken away again: later tests of the
    stack compare whole days."""
    made = (1 << 62) + secrets.randbelow(1 << 60)
    yield made
    for service in DEAD_LETTERS:
        session = stack.database(service, user=service)
        with session.cursor() as cursor:
            for table in ("parked_event", "dead_letter"):
                cursor.execute(f"DELETE FROM {table} WHERE object_id = %s", (made,))
        session.close()


def sell(merchant: Partner, payer: AppUser, order: str) -> int:
    code = expect(merchant.create_code(order, 321), 201)["data"]["codeId"]
    return int(expect(payer.pay(code, 321), 201)["paymentId"])


def publish(stack: StackFile, partition: int, key: int, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": stack.kafka_brokers, "acks": "all"})
    producer.produce(TOPIC, key=str(key), value=value, partition=partition)
    assert producer.flush(10) == 0


def rows(stack: StackFile, service: str, sql: str, key: int) -> list[tuple[Any, ...]] | None:
    """None while there are none."""
    session = stack.database(service)
    try:
        with session.cursor() as cursor:
            cursor.execute(sql, (TOPIC, key))
            return list(cursor.fetchall()) or None
    finally:
        session.close()


def test_a_poisoned_event_is_set_aside_and_its_payments_later_ones_wait(
    stack: StackFile,
    merchant: Partner,
    payer: AppUser,
    books: Books,
    order: str,
    object_id: int,
) -> None:
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
            letter = tail.of_key(str(object_id), LIMIT_S)
        assert letter is not None, f"nothing came to {DEAD_LETTERS[service]}"
        dead = waiting.until(
            f"a dead letter of {service}", lambda: dead_letters(stack, service, object_id), LIMIT_S
        )
        assert len(dead) == 1
        reason, value = dead[0]
        assert reason and value == POISON
        assert reason.encode() in letter.value and POISON in letter.value
        parked = waiting.until(
            f"an event parked by {service}", lambda: parked_events(stack, service, object_id), LIMIT_S
        )
        assert [value for (value,) in parked] == [record.value]

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


def dead_letters(stack: StackFile, service: str, key: int) -> list[tuple[Any, ...]] | None:
    sql = "SELECT reason, message_value FROM dead_letter WHERE topic = %s AND object_id = %s"
    return rows(stack, service, sql, key)


def parked_events(stack: StackFile, service: str, key: int) -> list[tuple[Any, ...]] | None:
    sql = "SELECT message_value FROM parked_event WHERE topic = %s AND object_id = %s"
    return rows(stack, service, sql, key)

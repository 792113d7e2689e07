"""Webhooks as a merchant's server gets them.

Goal: a payment is told of once, signed, with the contract's content, and is told again on request.
Method: a server of the test's own, in another implementation of HTTP and of the signature than the
gateway's; the whole stack in between.
"""

from __future__ import annotations

from typing import Any, Iterator

import pytest
from kessai_client.bearer import AppUser, Operator, expect
from kessai_client.partner import Partner
from kessai_client.waiting import until
from kessai_client.webhook_receiver import WebhookReceiver, is_signed

ENDPOINT = "e2e"
WITHIN_S = 30


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as started:
        yield started


@pytest.fixture
def secret(operator: Operator, merchant: Partner, receiver: WebhookReceiver) -> Iterator[str]:
    merchant_id = merchant.credential.merchant_id
    yield operator.put_webhook(merchant_id, ENDPOINT, receiver.url)
    operator.delete_webhook(merchant_id, ENDPOINT)


def finished(operator: Operator, merchant: Partner, object_id: str) -> list[Any]:
    """The endpoint's deliveries about a payment, once none is pending."""
    target = (
        f"/operator/v1/merchants/{merchant.credential.merchant_id}"
        f"/webhook-endpoints/{ENDPOINT}/deliveries"
    )

    def find() -> list[Any] | None:
        listed = expect(operator.call("GET", target), 200)["deliveries"]
        ours = [delivery for delivery in listed if delivery["objectId"] == object_id]
        if not ours or any(delivery["state"] == "PENDING" for delivery in ours):
            return None
        return ours

    return until("deliveries are finished", find, WITHIN_S, every_s=0.1)


def test_a_payment_is_told_of_and_told_again(
    operator: Operator,
    merchant: Partner,
    payer: AppUser,
    receiver: WebhookReceiver,
    secret: str,
    order: str,
) -> None:
    # A test notification first: changes are told of from when the gateway knows of the endpoint.
    target = (
        f"/operator/v1/merchants/{merchant.credential.merchant_id}/webhook-endpoints/{ENDPOINT}/test"
    )
    expect(operator.call("POST", target), 202)
    probe = receiver.notices.get(timeout=WITHIN_S)
    assert probe.content()["notification_type"] == "test"
    assert is_signed(probe, secret)

    code = expect(merchant.create_code(order, 640), 201)["data"]
    payment = expect(payer.pay(code["codeId"], 640), 201)
    notice = receiver.of_order(order, WITHIN_S)
    assert notice is not None
    assert is_signed(notice, secret)
    assert not is_signed(notice, secret + "x")
    content = notice.content()
    paid_at = content.pop("paid_at")
    assert paid_at.endswith("Z") and "T" in paid_at
    assert content == {
        "notification_type": "Transaction",
        "merchant_id": str(merchant.credential.merchant_id),
        "store_id": None,
        "pos_id": None,
        "order_id": payment["paymentId"],
        "merchant_order_id": order,
        "authorized_at": None,
        "expires_at": None,
        "order_amount": "640",
        "state": "COMPLETED",
    }

    # A refund is not told of, so the payment's one delivery stays the only one.
    expect(merchant.refund(f"{order}-r", payment["paymentId"], 640), 200)
    (delivery,) = finished(operator, merchant, payment["paymentId"])
    assert (delivery["state"], delivery["attempts"]) == ("DELIVERED", 1)

    delivery_id = delivery["deliveryId"]
    again = f"/operator/v1/webhook-deliveries/{delivery_id}"
    expect(operator.call("POST", f"{again}/redeliver"), 202)
    repeat = receiver.of_order(order, WITHIN_S)
    assert repeat is not None
    assert repeat.body == notice.body
    assert repeat.headers["kessai-delivery-id"] == notice.headers["kessai-delivery-id"]
    assert repeat.headers["kessai-attempt"] == "2"
    finished(operator, merchant, payment["paymentId"])
    attempts = expect(operator.call("GET", f"{again}/attempts"), 200)["attempts"]
    assert [(made["attempt"], made["httpStatus"]) for made in attempts] == [(1, 200), (2, 200)]

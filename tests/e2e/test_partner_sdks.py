"""The official partner SDKs against our gateway.

Goal: merchants who wrote against the contract's own SDKs can sell through Kessai unchanged.
Method: the SDKs as published (pinned, from PyPI and npm), over TLS with the stack's CA; between their
calls an app user pays by the app API. Each test runs with each SDK.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest
from kessai_client.bearer import AppUser, expect
from kessai_client.books import Books
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile
from sdks import NodeSdk, PythonSdk, Sdk

SUCCESS = {"code": "SUCCESS", "codeId": "08100001"}
UNAUTHORIZED = {"code": "UNAUTHORIZED", "message": "Unauthorized request", "codeId": "08100016"}


@pytest.fixture(params=[PythonSdk, NodeSdk], ids=["python", "node"])
def kind(request: pytest.FixtureRequest) -> type[Sdk]:
    chosen: type[Sdk] = request.param
    return chosen


@pytest.fixture
def sdk(kind: type[Sdk], stack: StackFile, merchant: Partner) -> Sdk:
    return kind(stack, merchant.credential)


def is_success(info: dict[str, str]) -> bool:
    return {key: info[key] for key in SUCCESS} == SUCCESS


def sell(sdk: Sdk, payer: AppUser, order: str, amount: int) -> str:
    """A code made by the SDK and paid in the app; gives the payment's id."""
    info, code = sdk.create(order, amount)
    assert is_success(info), info
    return str(expect(payer.pay(code["codeId"], amount), 201)["paymentId"])


def test_a_code_is_created_read_and_deleted(sdk: Sdk, order: str) -> None:
    info, code = sdk.create(order, 310)
    assert is_success(info), info
    assert code["merchantPaymentId"] == order
    assert code["amount"] == {"amount": 310, "currency": "JPY"}
    assert code["orderDescription"] == "コーヒー豆 & <パン>"
    assert code["orderItems"][0]["unit_price"] == {"amount": 310, "currency": "JPY"}
    assert code["url"] and code["deeplink"] and code["expiryDate"] > code["requestedAt"]

    info, details = sdk.details(order)
    assert is_success(info), info
    assert details["status"] == "CREATED"
    assert details["merchantPaymentId"] == order

    info, data = sdk.delete(code["codeId"])
    assert is_success(info), info
    assert data == {"qrStatus": "DELETED"}

    info, data = sdk.details(order)
    assert (info["code"], info["codeId"]) == ("DYNAMIC_QR_PAYMENT_NOT_FOUND", "01652075")
    assert data is None


def test_a_payment_is_seen_created_then_completed(sdk: Sdk, payer: AppUser, order: str) -> None:
    info, code = sdk.create(order, 777)
    assert is_success(info), info
    assert sdk.details(order)[1]["status"] == "CREATED"

    payment = expect(payer.pay(code["codeId"], 777), 201)

    for info, details in (sdk.details(order), sdk.payment(order)):
        assert is_success(info), info
        assert details["status"] == "COMPLETED"
        assert details["paymentId"] == payment["paymentId"]
        assert details["amount"] == {"amount": 777, "currency": "JPY"}
        assert details["acceptedAt"] > 0 and details["refunds"] is None

    info, data = sdk.create(order, 777)
    assert (info["code"], info["codeId"]) == ("DUPLICATE_DYNAMIC_QR_REQUEST", "01652073")


def test_a_payment_is_refunded(sdk: Sdk, payer: AppUser, order: str, books: Books) -> None:
    payment_id = sell(sdk, payer, order, 900)
    before = payer.balance()
    refund_id = f"r-{secrets.token_hex(8)}"

    info, refund = sdk.refund(refund_id, payment_id, 400)
    assert is_success(info), info
    assert refund["status"] in ("CREATED", "REFUNDED")
    assert (refund["merchantRefundId"], refund["paymentId"]) == (refund_id, payment_id)
    assert refund["amount"] == {"amount": 400, "currency": "JPY"}
    assert payer.balance() == before + 400

    info, again = sdk.refund(refund_id, payment_id, 400)  # a retry gives the first outcome
    assert is_success(info), info
    assert again["acceptedAt"] == refund["acceptedAt"]
    assert payer.balance() == before + 400
    assert books.changes_of(int(payment_id)) == 2

    info, found = sdk.refund_details(refund_id)
    assert is_success(info), info
    assert (found["paymentId"], found["reason"]) == (payment_id, "返品")
    assert sdk.payment(order)[1]["status"] == "REFUNDED"

    info, _ = sdk.refund(f"{refund_id}-x", payment_id, 501)
    assert info["code"] in ("MERCHANT_MULTIPLE_REFUND_REJECTED", "INVALID_PARAMS"), info


def test_a_payment_is_cancelled(sdk: Sdk, payer: AppUser, order: str) -> None:
    before = payer.balance()
    sell(sdk, payer, order, 650)
    assert payer.balance() == before - 650

    info, data = sdk.cancel(order)
    assert (info["code"], info["codeId"]) == ("REQUEST_ACCEPTED", "08100001")
    assert data is None
    assert payer.balance() == before
    details = sdk.details(order)[1]
    assert details["status"] == "FAILED" and details["canceledAt"] > 0

    assert sdk.cancel(order)[0]["code"] == "REQUEST_ACCEPTED"
    assert payer.balance() == before


def test_a_wrong_secret_is_refused(
    kind: type[Sdk], stack: StackFile, merchant: Partner, order: str
) -> None:
    wrong = kind(stack, replace(merchant.credential, api_secret="bm90IHRoZSBzZWNyZXQ="))
    assert wrong.create(order, 100) == (UNAUTHORIZED, None)
    assert wrong.details(order) == (UNAUTHORIZED, None)


@pytest.mark.parametrize("shift_s", [-125, 125], ids=["slow", "fast"])
def test_a_wrong_clock_is_refused(
    kind: type[Sdk], stack: StackFile, merchant: Partner, order: str, shift_s: int
) -> None:
    stale = kind(stack, merchant.credential, clock_shift_s=shift_s)
    assert stale.create(order, 100) == (UNAUTHORIZED, None)


@pytest.mark.parametrize("shift_s", [-100, 100], ids=["slow", "fast"])
def test_a_clock_within_two_minutes_is_accepted(
    kind: type[Sdk], stack: StackFile, merchant: Partner, order: str, shift_s: int
) -> None:
    info, _ = kind(stack, merchant.credential, clock_shift_s=shift_s).create(order, 100)
    assert is_success(info), info

"""Bad input over HTTPS.

Goal: whatever comes in, the answer is a named refusal in the interface's own form, nothing is done, and
the books balance afterwards.
Method: genuine signatures and tokens around bad content (or bad ones around good content), sent to a
whole stack; the last test of the file reads the books.
"""

from __future__ import annotations

import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import jwt
import pytest
from conftest import make_merchant
from kessai_client.bearer import AppUser, Bearer, Operator, expect
from kessai_client.books import Books
from kessai_client.http import Answer, Http
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile

MISSING = (400, "MISSING_REQUEST_PARAMS", "08100024")
INVALID = (400, "INVALID_REQUEST_PARAMS", "08100006")
QR_BAD = (400, "DYNAMIC_QR_BAD_REQUEST", "01650000")
QR_UNKNOWN = (404, "DYNAMIC_QR_NOT_FOUND", "01652072")
NO_QR_PAYMENT = (400, "DYNAMIC_QR_PAYMENT_NOT_FOUND", "01652075")
NO_RESOURCE = (404, "RESOURCE_NOT_FOUND", "00200001")
UNAUTHORIZED = (401, "UNAUTHORIZED", "08100016")
BAD_AMOUNT = (400, "INVALID_PARAMS", "00200015")


def refusal(answer: Answer) -> tuple[int, str, str]:
    """Of the partner interface, in the contract's envelope."""
    content = answer.json()
    assert set(content) == {"resultInfo", "data"} and content["data"] is None, content
    info = content["resultInfo"]
    assert set(info) == {"code", "message", "codeId"}
    assert 0 < len(answer.headers.get("x-request-id", "")) <= 64
    return answer.status, info["code"], info["codeId"]


def problem(answer: Answer) -> tuple[int, str]:
    """Of the app and operator interfaces."""
    assert answer.headers["content-type"].startswith("application/problem+json")
    content = answer.json()
    assert content["status"] == answer.status and content["requestId"]
    assert content["type"] == f"urn:kessai:problem:{content['code']}"
    return answer.status, content["code"]


def an_order(order: str, **changes: Any) -> dict[str, Any]:
    wish = {
        "merchantPaymentId": order,
        "amount": {"amount": 500, "currency": "JPY"},
        "codeType": "ORDER_QR",
        **changes,
    }
    return {name: value for name, value in wish.items() if value is not ...}


def yen(amount: Any, currency: Any = "JPY") -> dict[str, Any]:
    return {"amount": amount, "currency": currency}


def made_code(merchant: Partner, order: str, amount: int = 500) -> str:
    return str(expect(merchant.create_code(order, amount), 201)["data"]["codeId"])


def paid(merchant: Partner, payer: AppUser, order: str, amount: int = 500) -> str:
    """A paid order's payment id."""
    code = made_code(merchant, order, amount)
    return str(expect(payer.pay(code, amount), 201)["paymentId"])


# ---- the partner interface: what a body says ----------------------------------------------------


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"merchantPaymentId": ...}, MISSING),
        ({"merchantPaymentId": "x" * 65}, INVALID),
        ({"merchantPaymentId": 5}, INVALID),
        ({"merchantPaymentId": "a'; DROP TABLE payment;--"}, INVALID),
        ({"merchantPaymentId": "<script>alert(1)</script>"}, INVALID),
        ({"amount": ...}, MISSING),
        ({"amount": 500}, INVALID),
        ({"amount": {"amount": 500}}, MISSING),
        ({"amount": yen("500")}, INVALID),
        ({"amount": yen(10.5)}, INVALID),
        ({"amount": yen(True)}, INVALID),
        ({"amount": yen(0)}, QR_BAD),
        ({"amount": yen(-1)}, QR_BAD),
        ({"amount": yen(500_001)}, QR_BAD),
        ({"amount": yen(2**31)}, QR_BAD),
        ({"amount": yen(2**63 - 1)}, QR_BAD),
        ({"amount": yen(2**64 - 1)}, QR_BAD),
        ({"amount": yen(10**30)}, INVALID),
        ({"amount": yen(500, "USD")}, INVALID),
        ({"amount": yen(500, "円")}, INVALID),
        ({"codeType": ...}, MISSING),
        ({"codeType": "TOPUP_QR"}, INVALID),
        ({"orderDescription": "x" * 256}, INVALID),
        ({"orderDescription": ["x"]}, INVALID),
        ({"storeId": "bell\u0007"}, INVALID),
        ({"requestedAt": "2026-01-01"}, INVALID),
        ({"orderItems": [{"name": "x", "quantity": -1, "unitPrice": yen(1)}]}, INVALID),
        ({"metadata": {"x": "y" * 17_000}}, INVALID),
    ],
)
def test_a_bad_order_is_refused(
    merchant: Partner, order: str, changes: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    answer = merchant.call("POST", "/v2/codes", an_order(order, **changes))
    assert refusal(answer) == expected
    assert refusal(merchant.details(order)) == NO_QR_PAYMENT


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b"{'merchantPaymentId': 'a'}",
        b'{"merchantPaymentId":"a\xff"}',
        b'{"merchantPaymentId":"a\xc0\xaf"}',
        rb'{"merchantPaymentId":"a\ud800"}',
        rb'{"merchantPaymentId":"a\u0000b"}',
        b'{"merchantPaymentId":"a","merchantPaymentId":"b","amount":{"amount":1,"currency":"JPY"},'
        b'"codeType":"ORDER_QR"}',
        b'{"merchantPaymentId":"a","amount":{"amount":1,"amount":2,"currency":"JPY"},'
        b'"codeType":"ORDER_QR"}',
        b'{"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
        b"\x00\x01\x02\x03",
    ],
)
def test_what_is_no_json_is_refused(merchant: Partner, body: bytes) -> None:
    assert refusal(merchant.call("POST", "/v2/codes", raw=body)) == INVALID


def test_what_is_too_large_is_refused(merchant: Partner) -> None:
    answer = merchant.call("POST", "/v2/codes", raw=b'{"x":"' + b"x" * 70_000 + b'"}')
    assert refusal(answer) == (413, INVALID[1], INVALID[2])


def test_unknown_fields_are_ignored_and_texts_stay_what_they_are(
    merchant: Partner, order: str
) -> None:
    text = "'; DROP TABLE payment; -- <script>alert(1)</script> \\ % _ 絵文字😀"
    order_sent = an_order(order, orderDescription=text, storeId=text, whoKnows={"a": [1, None]})
    made = expect(merchant.call("POST", "/v2/codes", order_sent), 201)["data"]
    assert made["orderDescription"] == text
    details = expect(merchant.details(order), 200)["data"]
    assert (details["orderDescription"], details["storeId"]) == (text, text)


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"merchantRefundId": ...}, MISSING),
        ({"merchantRefundId": "a b"}, INVALID),
        ({"paymentId": ...}, MISSING),
        ({"paymentId": "not-ours"}, NO_RESOURCE),
        ({"paymentId": "1"}, NO_RESOURCE),
        ({"requestedAt": ...}, MISSING),
        ({"amount": yen(0)}, BAD_AMOUNT),
        ({"amount": yen(-500)}, BAD_AMOUNT),
        ({"amount": yen(501)}, BAD_AMOUNT),
        ({"amount": yen(2**40)}, BAD_AMOUNT),
        ({"amount": yen(500, "USD")}, INVALID),
        ({"reason": "x" * 256}, INVALID),
    ],
)
def test_a_bad_refund_is_refused(
    merchant: Partner,
    payer: AppUser,
    order: str,
    books: Books,
    changes: dict[str, Any],
    expected: tuple[int, str, str],
) -> None:
    payment_id = paid(merchant, payer, order)
    wish = {
        "merchantRefundId": f"r-{order}",
        "paymentId": payment_id,
        "amount": yen(500),
        "requestedAt": 1_700_000_000,
        **changes,
    }
    wish = {name: value for name, value in wish.items() if value is not ...}
    assert refusal(merchant.call("POST", "/v2/refunds", wish)) == expected
    assert books.changes_of(int(payment_id)) == 1


@pytest.mark.parametrize(
    "method, target, expected",
    [
        ("GET", "/v2/codes/payments/a%20b", QR_BAD),
        ("GET", "/v2/codes/payments/never-made", NO_QR_PAYMENT),
        ("GET", "/v2/payments/never-made", NO_RESOURCE),
        ("GET", "/v2/payments/" + "x" * 65, (400, "INVALID_PARAMS", "00200004")),
        ("DELETE", "/v2/codes/nonsense", QR_UNKNOWN),
        ("DELETE", "/v2/codes/04-AAAAAAAAAAAAAAAA", QR_UNKNOWN),
        ("GET", "/v2/refunds/never-made", (404, "NO_SUCH_REFUND_ORDER", "00200018")),
        ("GET", "/v2/nothing", NO_RESOURCE),
    ],
)
def test_what_is_not_there_is_refused(
    merchant: Partner, method: str, target: str, expected: tuple[int, str, str]
) -> None:
    assert refusal(merchant.call(method, target)) == expected


# ---- the partner interface: who asks ------------------------------------------------------------


def test_signatures_and_keys_are_checked(http: Http, merchant: Partner, order: str) -> None:
    credential = merchant.credential
    wrong_secret = Partner(http, replace(credential, api_secret="bm8="))
    assert refusal(wrong_secret.create_code(order, 500)) == UNAUTHORIZED
    wrong_key = Partner(http, replace(credential, api_key="x' OR '1'='1"))
    assert refusal(wrong_key.create_code(order, 500)) == UNAUTHORIZED
    unsigned = http.send("GET", f"/v2/codes/payments/{order}", {})
    assert refusal(unsigned) == UNAUTHORIZED
    for junk in ("hmac OPA-Auth:", "hmac OPA-Auth:a:b:c:d:e", "Bearer x", "hmac OPA-Auth:" + "é:" * 4):
        answer = http.send(
            "GET", f"/v2/codes/payments/{order}", {"Authorization": junk.encode("utf-8")}
        )
        assert refusal(answer) == UNAUTHORIZED, junk


def test_a_used_nonce_is_refused_but_an_exact_repeat_is_not(merchant: Partner, order: str) -> None:
    nonce, now = secrets.token_hex(8), int(time.time())
    wish = an_order(order)
    first = merchant.call("POST", "/v2/codes", wish, nonce=nonce, epoch_s=now)
    again = merchant.call("POST", "/v2/codes", wish, nonce=nonce, epoch_s=now)
    assert expect(first, 201)["data"]["codeId"] == expect(again, 201)["data"]["codeId"]
    other = merchant.call(
        "POST", "/v2/codes", an_order(f"{order}-2"), nonce=nonce, epoch_s=now
    )
    assert refusal(other) == UNAUTHORIZED


def test_what_is_another_merchants_is_as_good_as_not_there(
    merchant: Partner, other_merchant: Partner, payer: AppUser, order: str, books: Books
) -> None:
    code = made_code(merchant, order)
    assert refusal(other_merchant.call("DELETE", f"/v2/codes/{code}")) == QR_UNKNOWN
    assert refusal(other_merchant.details(order)) == NO_QR_PAYMENT
    payment_id = str(expect(payer.pay(code, 500), 201)["paymentId"])
    assert refusal(other_merchant.refund("r-1", payment_id, 100)) == NO_RESOURCE
    assert refusal(other_merchant.call("GET", f"/v2/payments/{order}")) == NO_RESOURCE
    # Its own cancel of that name is a tombstone of its own, and cancels nothing of ours.
    assert other_merchant.cancel(order).status == 202
    assert books.changes_of(int(payment_id)) == 1
    assumed = other_merchant.call(
        "GET", f"/v2/payments/{order}?assumeMerchant={merchant.credential.merchant_id}"
    )
    assert refusal(assumed) == UNAUTHORIZED


def test_a_credential_is_kept_to_its_scopes(
    http: Http, operator: Operator, merchant: Partner, order: str
) -> None:
    credential = operator.issue_credential(merchant.credential.merchant_id, ["codes"])
    narrow = Partner(http, credential)
    assert narrow.create_code(order, 500).status == 201
    assert refusal(narrow.cancel(order)) == (401, "OP_OUT_OF_SCOPE", "08100023")


def test_cancel_before_create_refuses_the_create(merchant: Partner, order: str) -> None:
    assert merchant.cancel(order).status == 202
    assert refusal(merchant.create_code(order, 500)) == QR_BAD


# ---- paying -------------------------------------------------------------------------------------


def test_dead_codes_can_not_be_paid(
    stack: StackFile, merchant: Partner, payer: AppUser, new_user: Callable[[int], AppUser]
) -> None:
    before = payer.balance()

    deleted_order = f"e2e-{secrets.token_hex(8)}"
    deleted = made_code(merchant, deleted_order)
    assert merchant.call("DELETE", f"/v2/codes/{deleted}").status == 200
    assert problem(payer.pay(deleted, 500)) == (409, "CODE_DELETED")

    cancelled_order = f"e2e-{secrets.token_hex(8)}"
    cancelled = made_code(merchant, cancelled_order)
    assert merchant.cancel(cancelled_order).status == 202
    assert problem(payer.pay(cancelled, 500)) == (409, "PAYMENT_CANCELED")

    expired_order = f"e2e-{secrets.token_hex(8)}"
    expired = made_code(merchant, expired_order)
    let_expire(stack, merchant, expired_order)
    assert problem(payer.pay(expired, 500)) == (409, "CODE_EXPIRED")
    assert refusal(merchant.details(expired_order)) == NO_QR_PAYMENT

    assert payer.balance() == before

    sold_order = f"e2e-{secrets.token_hex(8)}"
    sold = made_code(merchant, sold_order)
    first = expect(payer.pay(sold, 500), 201)
    assert expect(payer.pay(sold, 500), 201)["paymentId"] == first["paymentId"]  # a retry
    assert problem(payer.pay(sold, 499)) == (409, "AMOUNT_CHANGED")  # no retry: another request
    assert payer.balance() == before - 500
    assert problem(new_user(1000).pay(sold, 500)) == (409, "CODE_ALREADY_PAID")
    answer = merchant.call("DELETE", f"/v2/codes/{sold}")
    assert refusal(answer) == (400, "DYNAMIC_QR_ALREADY_PAID", "01652074")


def let_expire(stack: StackFile, merchant: Partner, order: str) -> None:
    """Brings a code's end forward: its lifetime is minutes, which nobody waits for."""
    session = stack.database("payment", user="payment")
    try:
        with session.cursor() as cursor:
            changed = cursor.execute(
                "UPDATE payment SET code_expires_at_us = created_at_us"
                " WHERE merchant_id = %s AND merchant_payment_id = %s",
                (merchant.credential.merchant_id, order),
            )
        assert changed == 1
    finally:
        session.close()


@pytest.mark.parametrize(
    "wish, expected",
    [
        (yen(499), (409, "AMOUNT_CHANGED")),
        (yen(501), (409, "AMOUNT_CHANGED")),
        (yen(0), (400, "AMOUNT_OUT_OF_RANGE")),
        (yen(-500), (400, "AMOUNT_OUT_OF_RANGE")),
        (yen(2**63 - 1), (400, "AMOUNT_OUT_OF_RANGE")),
        (yen(500, "USD"), (400, "CURRENCY_UNKNOWN")),
        (yen("500"), (400, "FIELD_MALFORMED")),
        (500, (400, "FIELD_MALFORMED")),
        (None, (400, "FIELD_MISSING")),
    ],
)
def test_a_bad_wish_to_pay_is_refused(
    merchant: Partner, payer: AppUser, order: str, wish: Any, expected: tuple[int, str]
) -> None:
    code = made_code(merchant, order)
    before = payer.balance()
    answer = payer.call("POST", f"/app/v1/codes/{code}/payments", {"amount": wish})
    assert problem(answer) == expected
    assert payer.balance() == before
    assert expect(merchant.details(order), 200)["data"]["status"] == "CREATED"


def test_codes_that_never_were_can_not_be_paid(payer: AppUser) -> None:
    for code in ("04-AAAAAAAAAAAAAAAA", "x", "04-%27%3B--", "%00", "04-AAAAAAAAAAAAAAA%C3%A9"):
        assert problem(payer.pay(code, 500)) == (404, "CODE_UNKNOWN"), code
        assert problem(payer.look_at(code)) == (404, "CODE_UNKNOWN"), code


def test_too_little_money_is_refused(
    merchant: Partner, new_user: Callable[[int], AppUser], order: str
) -> None:
    user = new_user(499)
    code = made_code(merchant, order, 500)
    assert problem(user.pay(code, 500)) == (409, "INSUFFICIENT_FUNDS")
    assert user.balance() == 499
    assert user.top_up(1).status == 201
    assert user.pay(code, 500).status == 201  # a refusal is not an outcome
    assert user.balance() == 0


def test_of_two_callers_for_the_last_yen_one_gets_it(
    merchant: Partner, new_user: Callable[[int], AppUser]
) -> None:
    for _ in range(5):
        user = new_user(500)
        codes = [made_code(merchant, f"e2e-{secrets.token_hex(8)}") for _ in range(4)]
        with ThreadPoolExecutor(len(codes)) as pool:
            answers = list(pool.map(lambda code: user.pay(code, 500), codes))
        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
        refused = {problem(answer) for answer in answers if answer.status != 201}
        assert refused == {(409, "INSUFFICIENT_FUNDS")}
        assert user.balance() == 0


def test_of_two_payers_of_one_code_one_pays(
    merchant: Partner, new_user: Callable[[int], AppUser]
) -> None:
    users = [new_user(500) for _ in range(3)]
    for user in users:
        assert user.balance() == 500
    code = made_code(merchant, f"e2e-{secrets.token_hex(8)}")
    with ThreadPoolExecutor(len(users)) as pool:
        answers = list(pool.map(lambda user: user.pay(code, 500), users))
    assert sorted(answer.status for answer in answers) == [201, 409, 409]
    refused = {problem(answer) for answer in answers if answer.status != 201}
    assert refused == {(409, "CODE_ALREADY_PAID")}
    assert sorted(user.balance() for user in users) == [0, 500, 500]


def test_two_refunds_at_once_return_no_more_than_was_paid(
    http: Http, operator: Operator, payer: AppUser, order: str
) -> None:
    shop = make_merchant(http, operator, multiple_refunds=True)
    payment_id = paid(shop, payer, order)
    before = payer.balance()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: shop.refund(f"r-{n}", payment_id, 300), range(4)))
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]
    assert {refusal(answer) for answer in answers if answer.status != 200} == {BAD_AMOUNT}
    assert payer.balance() == before + 300


# ---- the app and operator interfaces: who asks, and top-ups -------------------------------------


@pytest.fixture
def forge(stack: StackFile) -> Callable[..., str]:
    """Signs a token again with other claims, by the development issuer's own key."""
    key = Path(stack.content["keys"]["dev_issuer"]).read_text()

    def make(token: str, **changes: Any) -> str:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
        claims.update(changes)
        extra = {"kid": header["kid"]} if "kid" in header else None
        return jwt.encode(claims, key, algorithm=header["alg"], headers=extra)

    return make


def test_tokens_are_checked(http: Http, payer: AppUser, forge: Callable[..., str]) -> None:
    def wallet(token: str) -> Answer:
        return Bearer(http, token).call("GET", "/app/v1/wallet")

    assert wallet(forge(payer.token)).status == 200  # so that what follows is about the change
    assert problem(wallet(forge(payer.token, exp=1_700_000_000))) == (401, "TOKEN_EXPIRED")
    assert problem(wallet(forge(payer.token, aud="else"))) == (401, "TOKEN_NOT_FOR_US")
    assert problem(wallet(forge(payer.token, iss="https://else.invalid")))[0] == 401
    assert problem(wallet(forge(payer.token, sub="never-signed-in"))) == (403, "SIGN_IN_REQUIRED")

    head, claims, mac = payer.token.split(".")
    assert problem(wallet(f"{head}.{claims}.{mac[::-1]}"))[0] == 401
    assert problem(wallet(f"{head}.{claims}."))[0] == 401
    assert problem(wallet("nonsense")) == (401, "TOKEN_MALFORMED")
    assert problem(wallet("x" * 5000))[0] == 401
    none = jwt.encode(jwt.decode(payer.token, options={"verify_signature": False}), "", "none")
    assert problem(wallet(none))[0] == 401
    assert problem(http.send("GET", "/app/v1/wallet", {})) == (401, "TOKEN_MISSING")


def test_roles_are_kept_apart(
    http: Http, payer: AppUser, operator: Operator, merchant: Partner
) -> None:
    target = f"/operator/v1/merchants/{merchant.credential.merchant_id}"
    assert problem(payer.call("GET", target))[0] == 401
    assert problem(Bearer(http, operator.token).call("GET", "/app/v1/wallet"))[0] == 401
    body = json.dumps({"sub": "nobody-much", "roles": ["no-such-role"]}).encode()
    token = expect(
        http.send("POST", "/dev/v1/operator-token", {"Content-Type": "application/json"}, body), 200
    )["token"]
    assert problem(Bearer(http, token).call("GET", target)) == (403, "SCOPE_MISSING")


def test_another_users_payment_is_as_good_as_not_there(
    merchant: Partner, payer: AppUser, new_user: Callable[[int], AppUser], order: str
) -> None:
    payment_id = paid(merchant, payer, order)
    assert payer.call("GET", f"/app/v1/payments/{payment_id}").status == 200
    stranger = new_user(0)
    answer = stranger.call("GET", f"/app/v1/payments/{payment_id}")
    assert problem(answer) == (404, "PAYMENT_UNKNOWN")
    assert expect(stranger.call("GET", "/app/v1/history"), 200)["entries"] == []


@pytest.mark.parametrize(
    "content, expected",
    [
        ({"amount": yen(0), "source": "development"}, "AMOUNT_OUT_OF_RANGE"),
        ({"amount": yen(-1), "source": "development"}, "AMOUNT_OUT_OF_RANGE"),
        ({"amount": yen(2**31 - 1), "source": "development"}, "AMOUNT_OUT_OF_RANGE"),
        ({"amount": yen(1, "EUR"), "source": "development"}, "CURRENCY_UNKNOWN"),
        ({"amount": yen(1), "source": "'; DROP TABLE account;--"}, "SOURCE_UNKNOWN"),
        ({"amount": yen(1)}, "FIELD_MISSING"),
        ({"source": "development"}, "FIELD_MISSING"),
        ([], "BODY_MALFORMED"),
    ],
)
def test_a_bad_top_up_is_refused(
    new_user: Callable[[int], AppUser], content: Any, expected: str
) -> None:
    user = new_user(0)
    answer = user.call(
        "POST", "/app/v1/top-ups", raw=json.dumps(content).encode(), headers={"Idempotency-Key": "k"}
    )
    assert problem(answer) == (400, expected)
    assert user.balance() == 0


def test_a_top_up_is_done_once_per_key(new_user: Callable[[int], AppUser]) -> None:
    user = new_user(0)
    first = expect(user.top_up(300, "key-1"), 201)
    assert expect(user.top_up(300, "key-1"), 201)["topUpId"] == first["topUpId"]
    assert problem(user.top_up(301, "key-1")) == (409, "KEY_REUSED")
    assert problem(user.top_up(300, "no good key"))[0] == 400
    assert user.balance() == 300


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_only_json_is_taken_from_users_and_operators(
    http: Http, payer: AppUser, operator: Operator, content_type: str | None
) -> None:
    def send(caller: Bearer, target: str, content: Any) -> Answer:
        headers = {"Authorization": f"Bearer {caller.token}", "Idempotency-Key": "typed"}
        if content_type is not None:
            headers["Content-Type"] = content_type
        return http.send("POST", target, headers, json.dumps(content).encode())

    before = payer.balance()
    top_up = {"amount": yen(1), "source": "development"}
    refused = (415, "CONTENT_TYPE_UNSUPPORTED")
    assert problem(send(payer, "/app/v1/top-ups", top_up)) == refused
    assert payer.balance() == before
    assert problem(send(operator, "/operator/v1/fee-plans", {"currency": "JPY"})) == refused


def test_a_day_that_is_not_over_is_not_closed(operator: Operator) -> None:
    opened = expect(operator.call("GET", "/operator/v1/days/today"), 200)["businessDate"]
    target = f"/operator/v1/days/{opened}"
    for content in (None, {}, {"early": False}):
        assert problem(operator.call("POST", f"{target}/close", content)) == (409, "DAY_NOT_OVER")
    assert problem(operator.call("POST", f"{target}/close", {"erly": True})) == (400, "FIELD_UNKNOWN")
    assert expect(operator.call("GET", target), 200)["state"] == "OPEN"


def test_a_misspelt_field_of_a_fee_plan_is_refused(operator: Operator, merchant: Partner) -> None:
    plans = f"/operator/v1/merchants/{merchant.credential.merchant_id}/fee-plans"
    before = expect(operator.call("GET", plans), 200)
    plan = {
        "merchantId": str(merchant.credential.merchant_id),
        "currency": "JPY",
        "rateBasisPoints": 100,
        "effectiveFrom": "2035-01-01",
    }
    for wrong in ({"fixd": 5}, {"rules": [{"rateBasisPoints": 1, "store": "s"}]}):
        answer = operator.call("POST", "/operator/v1/fee-plans", {**plan, **wrong})
        assert problem(answer) == (400, "FIELD_UNKNOWN")
    assert expect(operator.call("GET", plans), 200) == before


def test_an_event_is_published_again_and_changes_nothing(
    merchant: Partner, payer: AppUser, operator: Operator, order: str
) -> None:
    payment = paid(merchant, payer, order)

    def republish(version: int) -> Answer:
        wish = {"changes": [{"objectId": payment, "version": version}], "reason": "a test"}
        return operator.call("POST", "/operator/v1/events/republish", wish)

    assert expect(republish(1), 200) == {"published": 1}
    assert problem(republish(9)) == (404, "CHANGE_UNKNOWN")


def test_after_all_of_it_the_books_balance(books: Books) -> None:
    assert books.imbalances() == []

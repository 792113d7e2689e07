"""The partner API, signed as the OPA contract wants it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from .http import Answer, Http

CONTENT_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True)
class Credential:
    merchant_id: int
    api_key: str
    api_secret: str


def authorization(
    credential: Credential,
    method: str,
    path: str,
    body: bytes = b"",
    content_type: str = CONTENT_TYPE,
    nonce: str | None = None,
    epoch_s: int | None = None,
) -> str:
    """The value of the Authorization header; `path` is without the query."""
    nonce = nonce or secrets.token_hex(8)
    epoch = str(int(time.time()) if epoch_s is None else epoch_s)
    if body:
        digest = hashlib.md5(content_type.encode() + body, usedforsecurity=False).digest()
        body_hash = base64.b64encode(digest).decode()
    else:
        content_type = body_hash = "empty"
    text = "\n".join((path, method, nonce, epoch, content_type, body_hash))
    mac = hmac.new(credential.api_secret.encode(), text.encode(), hashlib.sha256).digest()
    fields = (credential.api_key, base64.b64encode(mac).decode(), nonce, epoch, body_hash)
    return "hmac OPA-Auth:" + ":".join(fields)


class Partner:
    """A merchant's server."""

    def __init__(self, http: Http, credential: Credential) -> None:
        self.http = http
        self.credential = credential

    def call(
        self,
        method: str,
        target: str,
        content: Any = None,
        *,
        raw: bytes | None = None,
        nonce: str | None = None,
        epoch_s: int | None = None,
    ) -> Answer:
        """`content` is sent as JSON; `raw` is sent as it is."""
        body = raw if raw is not None else b"" if content is None else json.dumps(content).encode()
        headers = {
            "Authorization": authorization(
                self.credential, method, target.split("?")[0], body, nonce=nonce, epoch_s=epoch_s
            )
        }
        if body:
            headers["Content-Type"] = CONTENT_TYPE
        return self.http.send(method, target, headers, body)

    def create_code(self, merchant_payment_id: str, amount: int, **more: Any) -> Answer:
        order = {
            "merchantPaymentId": merchant_payment_id,
            "amount": {"amount": amount, "currency": "JPY"},
            "codeType": "ORDER_QR",
            "requestedAt": int(time.time()),
            **more,
        }
        return self.call("POST", "/v2/codes", order)

    def details(self, merchant_payment_id: str) -> Answer:
        return self.call("GET", f"/v2/codes/payments/{merchant_payment_id}")

    def cancel(self, merchant_payment_id: str) -> Answer:
        return self.call("DELETE", f"/v2/payments/{merchant_payment_id}")

    def refund(self, merchant_refund_id: str, payment_id: str, amount: int) -> Answer:
        wish = {
            "merchantRefundId": merchant_refund_id,
            "paymentId": payment_id,
            "amount": {"amount": amount, "currency": "JPY"},
            "requestedAt": int(time.time()),
            "reason": "returned",
        }
        return self.call("POST", "/v2/refunds", wish)

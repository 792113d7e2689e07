"""The app and operator APIs, signed in at the development issuer."""

from __future__ import annotations

import json
import secrets
from typing import Any, Callable, Mapping

from .http import Answer, Http
from .partner import Credential


class Refused(Exception):
    """The stack answered otherwise than it should have."""


def expect(answer: Answer, *statuses: int) -> Any:
    """The answer's JSON; `Refused` when it has another status."""
    if answer.status not in statuses:
        raise Refused(f"HTTP status {answer.status}: {answer.text()[:500]}")
    return answer.json()


class Bearer:
    """Somebody with a token."""

    def __init__(self, http: Http, token: str) -> None:
        self.http = http
        self.token = token

    def call(
        self,
        method: str,
        target: str,
        content: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> Answer:
        body = raw if raw is not None else b"" if content is None else json.dumps(content).encode()
        all_headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if body:
            all_headers["Content-Type"] = "application/json"
        return self.http.send(method, target, all_headers, body, sink)


class Operator(Bearer):
    """An operator with the role that may do everything."""

    @staticmethod
    def sign_in(http: Http, subject: str) -> "Operator":
        return Operator(http, _token(http, "/dev/v1/operator-token", subject))

    def put_merchant(self, merchant_id: int, name: str, multiple_refunds: bool = False) -> Any:
        wish = {"name": name, "multipleRefunds": multiple_refunds}
        return expect(self.call("PUT", f"/operator/v1/merchants/{merchant_id}", wish), 200)

    def issue_credential(self, merchant_id: int, scopes: list[str]) -> Credential:
        target = f"/operator/v1/merchants/{merchant_id}/credentials"
        issued = expect(self.call("POST", target, {"scopes": scopes}), 201)
        return Credential(merchant_id, issued["apiKey"], issued["apiSecret"])

    def put_webhook(self, merchant_id: int, name: str, url: str) -> str:
        """Makes an endpoint and gives its secret."""
        made = expect(self.call("PUT", _endpoint(merchant_id, name), {"url": url}), 201)
        return str(made["secret"])

    def delete_webhook(self, merchant_id: int, name: str) -> None:
        expect(self.call("DELETE", _endpoint(merchant_id, name)), 200)


class AppUser(Bearer):
    """A signed-in user of the app."""

    user_id = ""

    @staticmethod
    def sign_in(http: Http, subject: str) -> "AppUser":
        user = AppUser(http, _token(http, "/dev/v1/token", subject))
        user.user_id = str(expect(user.call("POST", "/app/v1/sign-in"), 200)["userId"])
        return user

    def balance(self) -> int:
        return int(expect(self.call("GET", "/app/v1/wallet"), 200)["balance"]["amount"])

    def top_up(self, amount: int, key: str | None = None) -> Answer:
        wish = {"amount": {"amount": amount, "currency": "JPY"}, "source": "development"}
        headers = {"Idempotency-Key": key or secrets.token_hex(8)}
        return self.call("POST", "/app/v1/top-ups", wish, headers=headers)

    def look_at(self, code_id: str) -> Answer:
        return self.call("GET", f"/app/v1/codes/{code_id}")

    def pay(self, code_id: str, amount: int) -> Answer:
        wish = {"amount": {"amount": amount, "currency": "JPY"}}
        return self.call("POST", f"/app/v1/codes/{code_id}/payments", wish)


def _token(http: Http, target: str, subject: str) -> str:
    body = json.dumps({"sub": subject}).encode()
    answer = http.send("POST", target, {"Content-Type": "application/json"}, body)
    return str(expect(answer, 200)["token"])


def _endpoint(merchant_id: int, name: str) -> str:
    return f"/operator/v1/merchants/{merchant_id}/webhook-endpoints/{name}"

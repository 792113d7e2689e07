"""One payment's trace through every service.

Goal: the trace that a caller begins goes through HTTP, gRPC and Kafka, and every service's part of it
arrives at an OpenTelemetry collector with the right parent.
Method: all four services run with a collector's address, which is a small HTTP server in this test that
takes OTLP/HTTP; a payment is made under a trace id of the test's own, and the spans are put together.
"""

from __future__ import annotations

import http.server
import json
import secrets
import threading
from typing import Any, Callable, Iterator

import pytest
from kessai_client import waiting
from kessai_client.bearer import AppUser, expect
from kessai_client.events import TopicTail
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile
from running_services import restart

SERVICES = ("payment", "payout", "reconciliation", "gateway")
LIMIT_S = 30.0
SERVER, CONSUMER = 2, 5  # OTLP's kinds of spans


class Collector:
    """Takes what is sent to /v1/traces."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[dict[str, Any]] = []
        self.content_types: set[str] = set()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802 (the base class's name)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    collector.take(self.headers["Content-Type"], json.loads(body))
                self.send_response(200 if self.path == "/v1/traces" else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, content_type: str, request: Any) -> None:
        with self._lock:
            self.content_types.add(content_type)
            for resource in request["resourceSpans"]:
                service = attributes(resource["resource"])["service.name"]
                for scope in resource["scopeSpans"]:
                    self._spans += [{**span, "service": service} for span in scope["spans"]]

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        with self._lock:
            return [span for span in self._spans if span["traceId"] == trace_id]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def attributes(of: Any) -> dict[str, Any]:
    """OTLP's list of {key, value: {kindValue: …}} as a dictionary."""
    return {one["key"]: next(iter(one["value"].values())) for one in of.get("attributes", [])}


@pytest.fixture
def collector(stack: StackFile) -> Iterator[Collector]:
    """All services send their spans to it."""
    made = Collector()
    try:
        for service in SERVICES:
            settings = {"tracing.endpoint": made.endpoint, "tracing.batch_delay": "100ms"}
            restart(stack, service, settings)
        yield made
    finally:
        for service in SERVICES:
            restart(stack, service)
        made.close()


def one(spans: list[dict[str, Any]], **wanted: Any) -> dict[str, Any] | None:
    """The only span with these fields or, with dots written as __, attributes."""

    def fits(span: dict[str, Any]) -> bool:
        all_of_it = {**attributes(span), **span}
        return all(all_of_it.get(name.replace("__", ".")) == value for name, value in wanted.items())

    found = [span for span in spans if fits(span)]
    assert len(found) <= 1, f"more than one span {wanted}: {found}"
    return found[0] if found else None


def test_a_payments_trace_goes_through_every_service(
    stack: StackFile, collector: Collector, merchant: Partner, new_user: Callable[[int], AppUser],
    order: str,
) -> None:  # fmt: skip
    payer = new_user(1_000)
    code = expect(merchant.create_code(order, 700), 201)["data"]["codeId"]
    trace_id, caller = secrets.token_hex(16), secrets.token_hex(8)
    traced = {"traceparent": f"00-{trace_id}-{caller}-01"}
    wish = {"amount": {"amount": 700, "currency": "JPY"}}
    with TopicTail(stack.kafka_brokers, "payment.events.v1") as events:
        answer = payer.call("POST", f"/app/v1/codes/{code}/payments", wish, headers=traced)
        payment_id = expect(answer, 201)["paymentId"]
        record = events.of_key(payment_id, LIMIT_S)
    assert record is not None
    # Looking at it goes by a unary call.
    expect(payer.call("GET", f"/app/v1/payments/{payment_id}", headers=traced), 200)

    topic = "messaging__destination__name"
    wanted = {
        "pay": {"service": "gateway", "name": "app_payCode"},
        "command": {"service": "payment", "name": "PayCode"},
        "accrued": {"service": "payout", topic: "payment.events.v1"},
        "told by payment": {"service": "reconciliation", topic: "payment.events.v1"},
        "told by payout": {"service": "reconciliation", topic: "payout.events.v1"},
        "notified": {"service": "gateway", topic: "payment.events.v1"},
        "look": {"service": "gateway", "name": "app_getPayment"},
        "asking": {"service": "gateway", "name": "GetPayment"},
        "asked": {"service": "payment", "name": "GetPayment"},
    }

    def all_spans() -> dict[str, Any] | None:
        spans = collector.trace(trace_id)
        found = {what: one(spans, **fields) for what, fields in wanted.items()}
        return found if all(found.values()) else None

    try:
        found = waiting.until("every span of the trace", all_spans, LIMIT_S)
    except waiting.TookTooLong:
        seen = [(span["service"], span["name"]) for span in collector.trace(trace_id)]
        pytest.fail(f"of {list(wanted)} only these came: {seen}")

    parents = {
        "pay": caller,
        "command": found["pay"]["spanId"],  # in the command, over gRPC
        "accrued": found["command"]["spanId"],  # in Kafka's header
        "told by payment": found["command"]["spanId"],
        "notified": found["command"]["spanId"],
        "told by payout": found["accrued"]["spanId"],  # from header to header
        "look": caller,
        "asking": found["look"]["spanId"],
        "asked": found["asking"]["spanId"],  # in gRPC's metadata
    }
    for what, parent in parents.items():
        assert found[what]["parentSpanId"] == parent, f"{what}: {found[what]}"
    assert found["pay"]["kind"] == SERVER and found["command"]["kind"] == SERVER
    assert found["accrued"]["kind"] == CONSUMER
    assert attributes(found["accrued"])["messaging.kafka.offset"] in (record.offset, str(record.offset))
    for span in found.values():
        assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) > 0
        assert span.get("status", {}).get("code", 0) != 2, span
    assert collector.content_types == {"application/json"}


def test_a_trace_that_is_not_sampled_leaves_no_spans(
    stack: StackFile, collector: Collector, merchant: Partner, new_user: Callable[[int], AppUser],
    order: str,
) -> None:  # fmt: skip
    payer = new_user(1_000)
    code = expect(merchant.create_code(order, 700), 201)["data"]["codeId"]
    quiet, loud = secrets.token_hex(16), secrets.token_hex(16)

    def look(trace_id: str, flag: str) -> None:
        headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-{flag}"}
        expect(payer.call("GET", f"/app/v1/codes/{code}", headers=headers), 200)

    look(quiet, "00")
    look(loud, "01")
    waiting.until("the sampled trace", lambda: collector.trace(loud) or None, LIMIT_S)
    assert collector.trace(quiet) == []

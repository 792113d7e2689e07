"""A merchant's server for notifications, on a port of 127.0.0.1 that was free."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import queue
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

_BODY_BYTES_MAX = 64 * 1024
_AGE_MAX_S = 300


@dataclass(frozen=True)
class Notice:
    at_s: float
    headers: dict[str, str]
    body: bytes

    def content(self) -> Any:
        return json.loads(self.body)


def is_signed(notice: Notice, secret: str) -> bool:
    """Checks `Kessai-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256 over "t.body">`."""
    header = notice.headers.get("kessai-signature", "")
    fields = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    when = fields.get("t", "")
    if not when.isdigit() or abs(notice.at_s - int(when)) > _AGE_MAX_S:
        return False
    signed = hmac.new(secret.encode(), when.encode() + b"." + notice.body, hashlib.sha256)
    return hmac.compare_digest(signed.hexdigest(), fields.get("v1", ""))


class WebhookReceiver:
    def __init__(self) -> None:
        self.notices: queue.Queue[Notice] = queue.Queue()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802 (the name is the library's)
                size = min(int(self.headers.get("Content-Length", 0)), _BODY_BYTES_MAX)
                body = self.rfile.read(size)
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.notices.put(Notice(time.time(), headers, body))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/notifications"

    def __enter__(self) -> "WebhookReceiver":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of_order(self, merchant_order_id: str, timeout_s: float) -> Notice | None:
        """The next notice about an order; others that come before are dropped."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                notice = self.notices.get(timeout=left)
            except queue.Empty:
                return None
            if notice.content().get("merchant_order_id") == merchant_order_id:
                return notice
        return None

"""One HTTPS request with the stack's own CA, and its answer."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any, Callable, Mapping
from urllib.parse import urlsplit

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def text(self) -> str:
        return self.body.decode(errors="replace")


class Http:
    """Sends requests to one server, each over a connection of its own. Thread safe."""

    def __init__(self, url: str, ca_file: str, timeout_s: float = 30) -> None:
        parts = urlsplit(url)
        assert parts.scheme == "https" and parts.hostname is not None
        self.url = url
        self._host = parts.hostname
        self._port = parts.port or 443
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context(cafile=ca_file)

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str | bytes],
        body: bytes = b"",
        sink: Callable[[bytes], object] | None = None,
    ) -> Answer:
        """Without the headers that http.client would add, but for Host and Content-Length.

        `sink` takes the body of a good answer as it comes, instead of the answer.
        """
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout_s, context=self._tls
        )
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if body or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body)))
            response = _exchange(connection, body)
            content = b""
            if sink is None or response.status // 100 != 2:
                content = response.read()
            else:
                while piece := response.read(_PIECE_BYTES):
                    sink(piece)
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, content)
        finally:
            connection.close()


def _exchange(connection: http.client.HTTPConnection, body: bytes) -> http.client.HTTPResponse:
    """Whoever refuses a body by its size answers before it has come, and reads no more of it."""
    try:
        connection.endheaders(body or None)
    except OSError as broken:
        if connection.sock is None:  # it was not even connected
            raise
        try:
            return connection.getresponse()
        except (OSError, http.client.HTTPException):
            raise broken from None
    return connection.getresponse()

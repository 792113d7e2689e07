"""Goal: the client tells what a server answered, also one that does not read all of the request.

Method: a server of one answer on a socket of its own.
"""

from __future__ import annotations

import http.client
import socket
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))

from kessai_client.http import _exchange  # noqa: E402

BODY_BYTES = 64 << 20  # more than sockets hold
REFUSAL = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"


def ask(answer: bytes) -> http.client.HTTPResponse:
    """Of a server that reads the request's header, answers, and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                read = b""
                while b"\r\n\r\n" not in read:
                    read += peer.recv(1024)
                peer.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=30)
        try:
            connection.putrequest("POST", "/")
            connection.putheader("Content-Length", str(BODY_BYTES))
            return _exchange(connection, bytes(BODY_BYTES))
        finally:
            server.join()
            connection.close()


def test_a_body_that_is_refused_by_its_size_has_an_answer():
    response = ask(REFUSAL)
    assert (response.status, response.read()) == (413, b"no")


def test_a_server_that_only_goes_away_is_told_as_that():
    with pytest.raises(OSError):
        ask(b"")


def test_a_server_that_is_not_there_is_told_as_that():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("POST", "/")
    with pytest.raises(ConnectionRefusedError):
        _exchange(connection, b"{}")

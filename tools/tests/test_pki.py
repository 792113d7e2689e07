"""Goal: certificates that mutual TLS accepts. Method: make them, and look with openssl and ssl."""

import datetime
import socket
import ssl
import threading
import uuid

import pytest
from cryptography import x509

from kessai import pki
from kessai.stack import Stack, save_stack


@pytest.fixture
def stack(tmp_path):
    made = Stack("t", 0, tmp_path / "stack", uuid.uuid4().hex)
    save_stack(made)
    return made


def test_every_leaf_is_issued_once(stack):
    assert pki.ensure(stack) == ["CA", *pki.LEAVES]
    assert pki.ensure(stack) == []
    for leaf in pki.LEAVES:
        assert pki.key(stack, leaf).stat().st_mode & 0o077 == 0


def test_a_leaf_near_its_end_is_issued_again_by_the_same_ca(stack, monkeypatch):
    monkeypatch.setattr(pki, "_LEAF_DAYS", 20)
    pki.ensure(stack)
    authority = pki.ca_file(stack).read_bytes()
    monkeypatch.setattr(pki, "_LEAF_DAYS", 90)
    assert pki.ensure(stack) == list(pki.LEAVES)
    assert pki.ca_file(stack).read_bytes() == authority
    assert pki.ensure(stack) == []


def test_leaves_say_what_they_are_for(stack):
    pki.ensure(stack)
    leaf = x509.load_pem_x509_certificate(pki.certificate(stack, "payment").read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", "payment"} <= set(names.get_values_for_type(x509.DNSName))
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert len(list(usage)) == 2
    days = (leaf.not_valid_after - datetime.datetime.utcnow()).days
    assert 88 <= days <= 90


def test_two_services_talk_over_mutual_tls_and_a_stranger_does_not(stack, tmp_path):
    pki.ensure(stack)
    stranger = Stack("s", 0, tmp_path / "stranger", uuid.uuid4().hex)
    save_stack(stranger)
    pki.ensure(stranger)
    assert _handshake(stack, client=stack)
    assert not _handshake(stack, client=stranger)


def _handshake(server: Stack, client: Stack) -> bool:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pki.certificate(server, "payment"), pki.key(server, "payment"))
    serving.load_verify_locations(pki.ca_file(server))
    serving.verify_mode = ssl.CERT_REQUIRED
    calling = ssl.create_default_context(cafile=str(pki.ca_file(server)))
    calling.load_cert_chain(pki.certificate(client, "gateway"), pki.key(client, "gateway"))
    left, right = socket.socketpair()
    outcome = []

    def serve():
        try:
            with serving.wrap_socket(left, server_side=True) as connection:
                outcome.append(connection.recv(4) == b"ping")
        except ssl.SSLError:
            outcome.append(False)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with calling.wrap_socket(right, server_hostname="localhost") as connection:
            connection.sendall(b"ping")
    except (ssl.SSLError, OSError):
        pass
    thread.join(timeout=10)
    left.close()
    right.close()
    return outcome == [True]

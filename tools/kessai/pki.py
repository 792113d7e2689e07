"""The development CA and a certificate per process, made with openssl.

Elliptic P-256 keys. The CA lasts ten years; leaves last 90 days and are issued again by `up` in
their last 30. Every leaf can be server and client: services call each other over mutual TLS.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from .credentials import generated, write_private
from .diagnosis import Diagnosis
from .stack import SERVICES, Stack

_CA_DAYS = 3650
_LEAF_DAYS = 90
_RENEW_BELOW_S = 30 * 86400
# The gateway's public certificate is apart from the one it shows to services; `operator` is for
# the commands that call services.
LEAVES = (*SERVICES, "gateway-https", "operator")


def ca_file(stack: Stack) -> Path:
    return stack.pki / "ca.crt"


def certificate(stack: Stack, leaf: str) -> Path:
    return stack.pki / f"{leaf}.crt"


def key(stack: Stack, leaf: str) -> Path:
    return stack.pki / f"{leaf}.key"


def ensure(stack: Stack) -> list[str]:
    """Issues what is missing or near its end; returns what was issued."""
    issued = []
    stack.pki.chmod(0o700)
    if not _lasts(ca_file(stack), 365 * 86400):
        _make_ca(stack)
        issued.append("CA")
    for leaf in LEAVES:
        if issued[:1] == ["CA"] or not _lasts(certificate(stack, leaf), _RENEW_BELOW_S):
            _issue(stack, leaf)
            issued.append(leaf)
    return issued


def dev_issuer_key(stack: Stack) -> Path:
    """The key with which the gateway's development issuer signs tokens."""
    path = stack.secrets / "dev-issuer.pem"
    generated(stack, path.name, _new_key)
    return path


def _make_ca(stack: Stack) -> None:
    write_private(stack.pki / "ca.key", _new_key())
    _openssl(
        "req", "-x509", "-new", "-sha256", "-days", str(_CA_DAYS),
        "-key", str(stack.pki / "ca.key"), "-out", str(ca_file(stack)),
        "-subj", f"/O=Kessai development/CN=Kessai development CA ({stack.name})",
        "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip


def _issue(stack: Stack, leaf: str) -> None:
    write_private(key(stack, leaf), _new_key())
    request = stack.pki / f"{leaf}.csr"
    extensions = stack.pki / f"{leaf}.ext"
    extensions.write_text(
        "basicConstraints=critical,CA:FALSE\n"
        "keyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=serverAuth,clientAuth\n"
        "subjectKeyIdentifier=hash\n"
        "authorityKeyIdentifier=keyid\n"
        f"subjectAltName=DNS:localhost,DNS:{leaf},DNS:kessai-{leaf},IP:127.0.0.1\n"
    )
    _openssl(
        "req", "-new", "-key", str(key(stack, leaf)), "-out", str(request),
        "-subj", f"/O=Kessai development/CN={leaf}",
    )  # fmt: skip
    fresh = stack.pki / f"{leaf}.crt.new"
    _openssl(
        "x509", "-req", "-sha256", "-days", str(_LEAF_DAYS), "-in", str(request), "-out", str(fresh),
        "-CA", str(ca_file(stack)), "-CAkey", str(stack.pki / "ca.key"), "-extfile", str(extensions),
    )  # fmt: skip
    fresh.replace(certificate(stack, leaf))
    request.unlink()
    extensions.unlink()


def _new_key() -> bytes:
    return _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")


def _lasts(path: Path, seconds: int) -> bool:
    if not path.exists():
        return False
    check = ["openssl", "x509", "-checkend", str(seconds), "-noout", "-in", str(path)]
    return subprocess.run(check, capture_output=True, check=False).returncode == 0


def _openssl(*arguments: str) -> bytes:
    result = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    if result.returncode != 0:
        raise Diagnosis(
            f"openssl {arguments[0]} failed", "see its message", result.stderr.decode()[-1500:]
        )
    return result.stdout

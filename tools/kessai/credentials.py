"""Generated secrets of a stack: one file each under `.kessai/<stack>/secrets/`, mode 0600."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Callable

from .stack import Stack


def password(stack: Stack, name: str) -> str:
    """The password `name`, made at first use. Letters and digits: safe in URLs and SQL."""
    return generated(stack, f"{name}.password", lambda: secrets.token_hex(16).encode()).decode()


def password_file(stack: Stack, name: str) -> Path:
    password(stack, name)
    return stack.secrets / f"{name}.password"


def digest_key(stack: Stack) -> Path:
    """The key of the day digests: 128 bit, 32 hexadecimal digits."""
    generated(stack, "digest.key", lambda: secrets.token_hex(16).encode())
    return stack.secrets / "digest.key"


def audit_key(stack: Stack) -> Path:
    """The key of reconciliation's audit trail: 256 bit, in hexadecimal."""
    generated(stack, "audit.key", lambda: secrets.token_hex(32).encode())
    return stack.secrets / "audit.key"


def secrets_key(stack: Stack) -> Path:
    """The key that the gateway seals secrets in its database with: 256 bit, in hexadecimal."""
    generated(stack, "gateway-secrets.key", lambda: secrets.token_hex(32).encode())
    return stack.secrets / "gateway-secrets.key"


def token_key_ring(stack: Stack) -> Path:
    """The keys of internal tokens, in the form that libs/auth reads."""
    generated(stack, "internal-token.keys", _new_key_ring)
    return stack.secrets / "internal-token.keys"


def _new_key_ring() -> bytes:
    return f"key 1 {secrets.token_hex(32)}\nsign 1\n".encode()


def generated(stack: Stack, file_name: str, make: Callable[[], bytes]) -> bytes:
    path = stack.secrets / file_name
    if not path.exists():
        write_private(path, make())
    return path.read_bytes()


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner ever could read, in one step."""
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    fresh.replace(path)

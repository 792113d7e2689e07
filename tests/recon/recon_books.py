"""Makes the books of a day by kessai-recon-books."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import MappingProxyType
from typing import Mapping

from kessai_client.stack_file import StackFile

_SERVICES = ("payment", "payout", "reconciliation")


def make(
    stack: StackFile,
    binaries: Path,
    *arguments: str,
    timeout_s: float = 3600.0,
    more: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Gives what it printed. `more`: of its environment."""
    done = subprocess.run(
        [str(binaries / "kessai-recon-books"), *arguments],
        env={**os.environ, **_environment(stack), **more},
        capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    return done.stdout


def digest_key(stack: StackFile) -> str:
    return Path(stack.content["keys"]["digest"]).read_text().strip()


def _environment(stack: StackFile) -> dict[str, str]:
    environment = {f"KESSAI_BOOKS_{name.upper()}": _url(stack, name) for name in _SERVICES}
    environment["KESSAI_BOOKS_DIGEST_KEY"] = digest_key(stack)
    return environment


def root_url(stack: StackFile, schema: str) -> str:
    return _login_url(stack, "root", schema)


def _url(stack: StackFile, service: str) -> str:
    return _login_url(stack, service, stack.content["mysql"]["schemas"][service])


def _login_url(stack: StackFile, user: str, schema: str) -> str:
    mysql = stack.content["mysql"]
    login = mysql["users"][user]
    password = Path(login["password_file"]).read_text().strip()
    return f"mysql://{login['user']}:{password}@{mysql['host']}:{mysql['port']}/{schema}"

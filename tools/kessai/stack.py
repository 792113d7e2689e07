"""A stack: one set of servers and services with its own directory and ports.

`dev` is the one that `./kessai up` runs; `test` is the isolated one of the test suites, and `bench` that
of benches which need servers of their own. Everything
a stack writes is under `.kessai/<name>`, everything it listens on is 127.0.0.1 in
[port_base, port_base + 999].
"""

from __future__ import annotations

import json
import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from .diagnosis import Diagnosis

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"  # downloads: shared by all stacks, kept by `reset`
HOST = "127.0.0.1"

SERVICES = ("payment", "payout", "reconciliation", "gateway")
# All below 32768, where Linux begins to give ports to outgoing connections.
DEFAULT_PORT_BASE = {"dev": 17000, "test": 27000, "bench": 28000}

# Each listener's distance from the port base. The last digits echo the usual port where there is one.
PORT_OFFSETS: Mapping[str, int] = {
    "kafka": 92,
    "kafka-controller": 93,
    "mariadb": 306,
    "redis-gateway": 379,
    "redis-payment": 380,
    "redis-payout": 381,
    "redis-reconciliation": 382,
    "gateway-https": 443,
    "payment-grpc": 501,
    "payout-grpc": 502,
    "reconciliation-grpc": 503,
    "gateway-admin": 580,
    "payment-admin": 581,
    "payout-admin": 582,
    "reconciliation-admin": 583,
}

# Each supervised process and its listeners, in the order in which they are shown.
PROCESS_LISTENERS: Mapping[str, tuple[str, ...]] = {
    "gateway": ("gateway-https", "gateway-admin"),
    "payment": ("payment-grpc", "payment-admin"),
    "payout": ("payout-grpc", "payout-admin"),
    "reconciliation": ("reconciliation-grpc", "reconciliation-admin"),
    "kafka": ("kafka", "kafka-controller"),
    "mariadb": ("mariadb",),
    **{f"redis-{service}": (f"redis-{service}",) for service in SERVICES},
}


@dataclass(frozen=True)
class Stack:
    name: str
    port_base: int
    directory: Path
    instance: str  # marks this stack's processes; made once, when the directory is

    def port(self, listener: str) -> int:
        return self.port_base + PORT_OFFSETS[listener]

    def listens(self, process: str) -> dict[str, int]:
        """What the process `process` listens for, and where."""
        return {listener: self.port(listener) for listener in PROCESS_LISTENERS[process]}

    @property
    def secrets(self) -> Path:
        return self.directory / "secrets"

    @property
    def config(self) -> Path:
        return self.directory / "config"

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def files(self) -> Path:
        """Merchants' files."""
        return self.data / "files"

    @property
    def files_work(self) -> Path:
        """What does not fit the memory while they are made."""
        return self.data / "files-work"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def pki(self) -> Path:
        return self.directory / "pki"

    @property
    def exists(self) -> bool:
        return (self.directory / "stack.json").exists()

    @property
    def marker(self) -> str:
        """An environment entry that every process of this stack, and no other, carries."""
        return f"STACK_OF_KESSAI={self.directory}#{self.instance}"


def open_stack(
    name: str, may_move: bool = False, environment: Mapping[str, str] = os.environ
) -> Stack:
    """Finds the stack `name`, or describes one that is still to be made (nothing is written).

    One that exists stays at its ports, unless it `may_move` to where KESSAI_PORT_BASE says.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", name):
        raise Diagnosis(f"'{name}' is not a stack name", "use a to z, 0 to 9 and -, at most 20 of them")
    directory = ROOT / ".kessai" / name
    recorded: dict[str, object] = {}
    if (directory / "stack.json").exists():
        recorded = json.loads((directory / "stack.json").read_text())
    if recorded and not may_move:
        environment = {}
    if not recorded and not may_move:
        recorded = {"port_base": DEFAULT_PORT_BASE.get(name, 0)}  # nobody will use it
    base = _port_base(name, environment, recorded)
    instance = str(recorded.get("instance") or uuid.uuid4().hex)
    return Stack(name=name, port_base=base, directory=directory, instance=instance)


def ignored_port_base(stack: Stack, environment: Mapping[str, str] = os.environ) -> str:
    """Says so when KESSAI_PORT_BASE is set to no effect: a stack keeps its ports until `up` moves it."""
    text = environment.get("KESSAI_PORT_BASE", "")
    if not stack.exists or text in ("", str(stack.port_base)):
        return ""
    return (
        f"KESSAI_PORT_BASE={text} is ignored: the stack '{stack.name}' has its ports from "
        f"{stack.port_base}, until ./kessai up moves it"
    )


def recorded_port_bases() -> set[int]:
    """Where the stacks of this tree are, running or not."""
    files = (ROOT / ".kessai").glob("*/stack.json")
    return {int(json.loads(file.read_text())["port_base"]) for file in files}


def save_stack(stack: Stack) -> None:
    """Makes the stack's directory (its owner's eyes only) and records how to find it again."""
    parts = (stack.directory, stack.secrets, stack.config, stack.data, stack.log, stack.pki)
    for part in (*parts, stack.files, stack.files_work):
        part.mkdir(parents=True, exist_ok=True)
    stack.directory.chmod(0o700)
    stack.secrets.chmod(0o700)
    text = json.dumps({"port_base": stack.port_base, "instance": stack.instance}) + "\n"
    (stack.directory / "stack.json").write_text(text)


def _port_base(name: str, environment: Mapping[str, str], recorded: Mapping[str, object]) -> int:
    text = environment.get("KESSAI_PORT_BASE", "")
    if not text:
        base = recorded.get("port_base", DEFAULT_PORT_BASE.get(name))
        if base is None:
            raise Diagnosis(
                f"the stack '{name}' has no ports yet",
                "set KESSAI_PORT_BASE to a free range of 1000, such as KESSAI_PORT_BASE=21000",
            )
        return int(str(base))
    if not text.isdigit() or not 1024 <= int(text) <= 64000:
        raise Diagnosis(
            f"KESSAI_PORT_BASE={text} is not a port base", "use a number from 1024 to 64000"
        )
    return int(text)

"""A route that is sent to another upstream.

Goal: a new version of a service can grow beside the old one: by configuration alone, single routes go to
it, and all others stay.
Method: a second payment service runs beside the stack's, over the same database; the gateway is started
anew with one route sent to it. Both services count what they execute.
"""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Callable, Iterator

import pytest
from kessai_client import waiting
from kessai_client.bearer import AppUser, expect
from kessai_client.partner import Partner
from kessai_client.stack_file import StackFile
from running_services import restart, service_of, services

LIMIT_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool | None:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return True if answer.status == 200 else None
    except (urllib.error.URLError, OSError):
        return None


def commands(admin_url: str) -> int:
    """How many commands a payment service has executed."""
    with urllib.request.urlopen(f"{admin_url}/metrics", timeout=5) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith("kessai_payment_commands_total "):
                return int(float(line.split()[1]))
    raise AssertionError("payment does not count its commands")


class Next:
    """The other payment service."""

    def __init__(self, stack: StackFile, log: Path) -> None:
        self.grpc, admin = free_port(), free_port()
        self.admin_url = f"http://127.0.0.1:{admin}"
        service = service_of(stack, "payment")
        ports = {"grpc.listen_port": self.grpc, "service.admin_port": admin}
        environment = {
            "PATH": os.environ["PATH"],
            **service.environment(),
            **{services.variable(path): str(port) for path, port in ports.items()},
        }
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [str(service.program), "serve", "--config", str(service.config_file)],
            env=environment, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


@pytest.fixture
def payment_next(stack: StackFile, tmp_path: Path) -> Iterator[Next]:
    log = tmp_path / "payment-next.log"
    started = Next(stack, log)
    try:
        try:
            waiting.until("it", lambda: answers(f"{started.admin_url}/readyz"), LIMIT_S)
        except waiting.TookTooLong:
            pytest.fail(f"the second payment service is not ready: {log.read_text()[-3000:]}")
        yield started
    finally:
        started.close()


def test_one_route_goes_to_another_service_and_the_others_stay(
    stack: StackFile,
    payment_next: Next,
    merchant: Partner,
    new_user: Callable[[int], AppUser],
    order: str,
) -> None:
    payer = new_user(1_000)
    old, new = stack.admin_url("payment"), payment_next.admin_url
    target = f"127.0.0.1:{payment_next.grpc}"
    restart(
        stack,
        "gateway",
        {
            "upstreams.others": f"payment-next={target}",
            "upstreams.routes": "app_payCode=payment-next",
        },
    )
    try:
        before_old, before_new = commands(old), commands(new)
        code = expect(merchant.create_code(order, 500), 201)["data"]["codeId"]
        assert (commands(old) - before_old, commands(new) - before_new) == (1, 0)
        expect(payer.pay(code, 500), 201)
        assert (commands(old) - before_old, commands(new) - before_new) == (1, 1)
        # Both work on the same books.
        assert expect(merchant.details(order), 200)["data"]["status"] == "COMPLETED"
        assert payer.balance() == 500
    finally:
        restart(stack, "gateway")
    before_old = commands(old)
    code = expect(merchant.create_code(f"{order}-2", 100), 201)["data"]["codeId"]
    expect(payer.pay(code, 100), 201)
    assert commands(old) - before_old == 2

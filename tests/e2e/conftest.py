"""What the end-to-end tests share: the stack that `./kessai test e2e` started, merchants and users."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools" / "client"))

from kessai_client.bearer import AppUser, Operator, expect  # noqa: E402
from kessai_client.books import Books  # noqa: E402
from kessai_client.http import Http  # noqa: E402
from kessai_client.partner import Partner  # noqa: E402
from kessai_client.stack_file import StackFile  # noqa: E402

SCOPES = ["codes", "payments", "refunds"]


@pytest.fixture(scope="session")
def stack() -> StackFile:
    return StackFile.read(os.environ["KESSAI_TEST_STACK_FILE"])


@pytest.fixture(scope="session")
def http(stack: StackFile) -> Http:
    return Http(stack.url, stack.ca_file)


@pytest.fixture(scope="session")
def operator(http: Http) -> Operator:
    return Operator.sign_in(http, "e2e-operator")


def make_merchant(http: Http, operator: Operator, multiple_refunds: bool = False) -> Partner:
    merchant_id = 10_000_000 + secrets.randbelow(1_000_000_000)
    operator.put_merchant(merchant_id, "E2E 商店", multiple_refunds)
    return Partner(http, operator.issue_credential(merchant_id, SCOPES))


@pytest.fixture(scope="session")
def merchant(http: Http, operator: Operator) -> Partner:
    return make_merchant(http, operator)


@pytest.fixture(scope="session")
def other_merchant(http: Http, operator: Operator) -> Partner:
    return make_merchant(http, operator)


@pytest.fixture(scope="session")
def new_user(http: Http) -> Callable[[int], AppUser]:
    """Makes a user with so much money."""

    def make(balance: int) -> AppUser:
        user = AppUser.sign_in(http, f"e2e-{secrets.token_hex(8)}")
        if balance > 0:
            expect(user.top_up(balance), 201)
        return user

    return make


@pytest.fixture(scope="session")
def payer(new_user: Callable[[int], AppUser]) -> AppUser:
    return new_user(500_000)


@pytest.fixture(scope="session")
def books(stack: StackFile) -> Iterator[Books]:
    opened = Books(stack)
    yield opened
    opened.close()


@pytest.fixture
def order() -> str:
    """A merchantPaymentId that nobody has used."""
    return f"e2e-{secrets.token_hex(10)}"

"""One payment through everything, over the interfaces that merchants and users have.

`./kessai demo` (and the end of `./kessai up`). A merchant orders, a user pays, and what must follow
is waited for: the event in Kafka, the fee accrued by payout, the match by reconciliation, and the
webhook at a receiver of this program's own. Exit code 1 names the step that did not happen.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "client"))

from kessai_client import waiting  # noqa: E402
from kessai_client.bearer import AppUser, Operator, expect  # noqa: E402
from kessai_client.books import MATCHED, Accrual, Books, Match  # noqa: E402
from kessai_client.events import Record, TopicTail  # noqa: E402
from kessai_client.http import Http  # noqa: E402
from kessai_client.partner import Credential, Partner, authorization  # noqa: E402
from kessai_client.stack_file import StackFile  # noqa: E402
from kessai_client.webhook_receiver import Notice, WebhookReceiver, is_signed  # noqa: E402

import payout_week  # noqa: E402
import recon_day  # noqa: E402

MERCHANT_ID = 1001
MERCHANT_NAME = "Kessai Coffee"
APP_SUBJECT = "demo-user"  # who the user is at the issuer of tokens
AMOUNT_YEN = 1234
STEP_LIMIT_S = 30.0  # each step takes milliseconds; a stack that was just started may need seconds

T = TypeVar("T")


class StepFailed(Exception):
    """A step of the demonstration did not happen."""


@dataclass(frozen=True)
class Sale:
    """What the merchant and the user did."""

    merchant_payment_id: str
    code_id: str
    payment_id: str
    create_ms: float
    pay_ms: float
    paid_from_s: float  # when the user's app asked for the payment
    balance_after: int


@dataclass(frozen=True)
class Consequences:
    """What followed by itself, each with its time."""

    record: Record
    accrual: Accrual
    match: Match
    notice: Notice


def main() -> int:
    arguments = argparse.ArgumentParser(prog="./kessai demo", description=__doc__.splitlines()[0])
    arguments.add_argument("--stack-file", required=True, help=argparse.SUPPRESS)
    arguments.add_argument("what", nargs="?", choices=("payment", "payout", "recon"), default="payment",
                           help="payout: a week of trade, released, paid and on statements; "
                                "recon: a day whose books come to differ, found and put right")  # fmt: skip
    options = arguments.parse_args()
    stack = StackFile.read(options.stack_file)
    if options.what == "payout":
        return payout_week.main(stack)
    if options.what == "recon":
        return recon_day.main(stack)
    try:
        demonstrate(stack)
    except StepFailed as failure:
        print(f"the demonstration payment failed: {failure}", file=sys.stderr)
        print(
            "  what to do: ./kessai status shows which process is not ready and why, "
            "./kessai logs SERVICE what it said",
            file=sys.stderr,
        )
        return 1
    return 0


def demonstrate(stack: StackFile) -> None:
    http = Http(stack.url, stack.ca_file)
    operator = step("sign in an operator", lambda: Operator.sign_in(http, "demo-operator"))
    step("register the merchant", lambda: operator.put_merchant(MERCHANT_ID, MERCHANT_NAME))
    credential = step(
        "issue a credential",
        lambda: operator.issue_credential(MERCHANT_ID, ["codes", "payments", "refunds"]),
    )
    endpoint = f"demo-{secrets.token_hex(4)}"
    with WebhookReceiver() as receiver:
        secret = step(
            "register a webhook endpoint",
            lambda: operator.put_webhook(MERCHANT_ID, endpoint, receiver.url),
        )
        try:
            user = step("sign in a user of the app", lambda: signed_in_user(http))
            with step("read payment.events.v1", lambda: tail(stack)) as events:
                sale = sell(Partner(http, credential), user)
                found = follow(stack, sale, events, receiver, secret)
        finally:
            step("remove the webhook endpoint", lambda: operator.delete_webhook(MERCHANT_ID, endpoint))
    print_receipt(sale, found)
    print_access(stack, credential, user, sale)


def step(what: str, act: Callable[[], T]) -> T:
    """Runs a step; whatever stops it is told with the step's name."""
    try:
        return act()
    except StepFailed:
        raise
    except Exception as error:  # noqa: BLE001 (named, and the program ends)
        raise StepFailed(f"could not {what}: {error}") from error


def signed_in_user(http: Http) -> AppUser:
    """One who has enough money."""
    user = AppUser.sign_in(http, APP_SUBJECT)
    if user.balance() < AMOUNT_YEN:
        expect(user.top_up(10 * AMOUNT_YEN), 201)
    return user


def tail(stack: StackFile) -> TopicTail:
    return TopicTail(stack.kafka_brokers, "payment.events.v1")


def sell(partner: Partner, user: AppUser) -> Sale:
    order = f"demo-{int(time.time())}-{secrets.token_hex(3)}"
    began = time.monotonic()
    code = step("create a code", lambda: created_code(partner, order))
    create_ms = (time.monotonic() - began) * 1000
    code_id = str(code["codeId"])
    seen = step("look at the code in the app", lambda: expect(user.look_at(code_id), 200))
    if seen["amount"]["amount"] != AMOUNT_YEN or seen["status"] != "OPEN":
        raise StepFailed(f"the app sees another code than was made: {seen}")
    paid_from_s, began = time.time(), time.monotonic()
    payment = step("pay the code", lambda: expect(user.pay(code_id, AMOUNT_YEN), 201))
    pay_ms = (time.monotonic() - began) * 1000
    details = step("read the payment as the merchant", lambda: expect(partner.details(order), 200))
    if details["data"]["status"] != "COMPLETED":
        raise StepFailed(f"the merchant does not see it completed: {details}")
    return Sale(
        merchant_payment_id=order,
        code_id=code_id,
        payment_id=str(payment["paymentId"]),
        create_ms=create_ms,
        pay_ms=pay_ms,
        paid_from_s=paid_from_s,
        balance_after=int(payment["balance"]["amount"]),
    )


def created_code(partner: Partner, order: str) -> Any:
    answer = partner.create_code(order, AMOUNT_YEN, orderDescription="Coffee beans, 200 g")
    return expect(answer, 201)["data"]


def follow(
    stack: StackFile, sale: Sale, events: TopicTail, receiver: WebhookReceiver, secret: str
) -> Consequences:
    record = events.of_key(sale.payment_id, STEP_LIMIT_S)
    if record is None:
        raise StepFailed(
            f"the event of payment {sale.payment_id} was not published to payment.events.v1"
            f" within {STEP_LIMIT_S:.0f} s"
        )
    books = step("open the books for reading", lambda: Books(stack))
    try:
        payment_id = int(sale.payment_id)
        accrual = step(
            "see the fee accrued by payout",
            lambda: waiting.until("no accrual", lambda: books.accrual(payment_id), STEP_LIMIT_S),
        )
        match = step(
            "see the payment matched by reconciliation",
            lambda: waiting.until("no match", lambda: books.match(payment_id), STEP_LIMIT_S),
        )
    finally:
        books.close()
    if accrual.gross != AMOUNT_YEN:
        raise StepFailed(f"payout accrued {accrual.gross} yen of {AMOUNT_YEN}")
    if match.state != MATCHED:
        raise StepFailed(f"reconciliation says that the two sides differ (state {match.state})")
    notice = receiver.of_order(sale.merchant_payment_id, STEP_LIMIT_S)
    if notice is None:
        raise StepFailed(f"the webhook was not delivered within {STEP_LIMIT_S:.0f} s")
    if not is_signed(notice, secret):
        raise StepFailed(f"the webhook's signature is wrong: {notice.headers}")
    if notice.content().get("state") != "COMPLETED":
        raise StepFailed(f"the webhook tells something else: {notice.content()}")
    return Consequences(record, accrual, match, notice)


def print_receipt(sale: Sale, found: Consequences) -> None:
    record, accrual = found.record, found.accrual

    def after(instant_s: float) -> str:
        return f"{max(0.0, instant_s - sale.paid_from_s) * 1000:8.0f} ms"

    fee = f"{accrual.fee:,} yen, the merchant gets {accrual.gross - accrual.fee:,} yen"
    where = f"{record.topic}, partition {record.partition}, offset {record.offset}"
    lines = (
        ("code created", f"{sale.create_ms:8.0f} ms", sale.code_id),
        ("paid", f"{sale.pay_ms:8.0f} ms", f"{AMOUNT_YEN:,} yen, COMPLETED"),
        ("  event published", after(record.timestamp_s), where),
        ("  fee accrued", after(accrual.recorded_at_s), fee),
        ("  matched", after(found.match.matched_at_s), "payment and payout say the same"),
        ("  webhook delivered", after(found.notice.at_s), "its signature is right"),
    )
    print()
    print(f"  RECEIPT  {MERCHANT_NAME} (merchant {MERCHANT_ID})     {AMOUNT_YEN:,} yen")
    print(f"  order    {sale.merchant_payment_id}")
    print(f"  payment  {sale.payment_id}")
    print(f"  balance  {sale.balance_after:,} yen left in the user's wallet")
    print()
    for what, took, detail in lines:
        print(f"    {what:<20} {took}   {detail}")
    print("  (indented: since the user asked to pay)")


def print_access(stack: StackFile, credential: Credential, user: AppUser, sale: Sale) -> None:
    path = f"/v2/codes/payments/{sale.merchant_payment_id}"
    curl = f"curl --cacert {stack.ca_file}"
    print()
    print("  Try it by hand:")
    print(f"    API documentation  {stack.url}/docs")
    print(f"    merchant           {credential.merchant_id}")
    print(f"    API key            {credential.api_key}")
    print(f"    API secret         {credential.api_secret}")
    print(f"    app user           {user.user_id}, whose token is given by")
    asked = f"-H 'Content-Type: application/json' -d '{json.dumps({'sub': APP_SUBJECT})}'"
    print(f"      {curl} {asked} {stack.url}/dev/v1/token")
    print("    the payment, as its merchant (signed; good for two minutes):")
    print(f"      {curl} -H 'Authorization: {authorization(credential, 'GET', path)}' {stack.url}{path}")
    print("    the wallet, as its user (good for hours):")
    print(f"      {curl} -H 'Authorization: Bearer {user.token}' {stack.url}/app/v1/wallet")


if __name__ == "__main__":
    sys.exit(main())

"""Lists, replays and discards the events that services could not apply.

A dead letter is named SERVICE/TOPIC/PARTITION/OFFSET. Later events of its payment wait behind it until
it is replayed (applied by the service after all) or discarded; then they are applied too, in order.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import session as operate
from session import Misuse, Problem, Session, age, path, table

SERVICES = ("payment", "payout", "reconciliation", "gateway")


def main(arguments: list[str] | None = None) -> int:
    parser = operate.parser("dlq", __doc__ or "")
    actions = parser.add_subparsers(dest="action", metavar="action")

    part = operate.action(actions, "list", "dead letters of every service, and how many events wait")
    _list_arguments(part)
    _list_arguments(parser)  # `./kessai dlq` alone lists

    part = operate.action(actions, "show", "one, with its message, what waits behind it, its history")
    part.add_argument("name", metavar="SERVICE/TOPIC/PARTITION/OFFSET")

    part = operate.action(actions, "replay", "applies it, and then what waits behind it")
    part.add_argument("name", nargs="?", metavar="SERVICE/TOPIC/PARTITION/OFFSET")
    part.add_argument("--payment", metavar="ID", help="whatever blocks this payment, in every service")
    part.add_argument("--note", default="", help="why, kept with the dead letter")

    part = operate.action(actions, "discard", "settles it without applying it")
    part.add_argument("name", metavar="SERVICE/TOPIC/PARTITION/OFFSET")
    part.add_argument("--reason", required=True, type=operate.reason, metavar="WHY",
                      help="why, kept with the dead letter")  # fmt: skip

    options = parser.parse_args(arguments)
    command = {"show": show, "replay": replay, "discard": discard}.get(options.action, list_all)
    return operate.run(options, command)


def _list_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument("--service", choices=SERVICES, default=argparse.SUPPRESS, help="only of this one")
    part.add_argument("--state", choices=("open", "replayed", "discarded", "all"),
                      default=argparse.SUPPRESS, help="default: open")  # fmt: skip
    part.add_argument("--payment", metavar="ID", default=argparse.SUPPRESS, help="only of this payment")


def list_all(session: Session, options: argparse.Namespace) -> int:
    chosen = getattr(options, "service", None)
    services = (chosen,) if chosen else SERVICES
    state = getattr(options, "state", "open").upper()
    found, failed = gather(session, services, state, getattr(options, "payment", None))
    if options.json:
        operate.show_json(found)
    elif found:
        rows = [
            (
                name_of(letter), letter["objectId"], event_of(letter), letter["state"],
                letter["reason"], letter["attempts"], age(letter["failedAt"]), letter["parked"],
            )
            for letter in found
        ]  # fmt: skip
        head = ("DEAD LETTER", "PAYMENT", "EVENT", "STATE", "REASON", "TRIES", "AGE", "WAIT BEHIND")
        print(table(head, rows, right=(5, 6, 7)))
    elif not failed:
        print("no dead letters" if state == "ALL" else f"no dead letters that are {state.lower()}")
    for service, problem in failed:
        sys.stdout.flush()
        print(f"kessai: {service} did not answer: {problem}", file=sys.stderr)
    return 1 if failed else 0


def gather(
    session: Session, services: tuple[str, ...], state: str, payment: str | None
) -> tuple[list[Any], list[tuple[str, Problem]]]:
    """Dead letters of the services, and those services that did not answer."""
    found: list[Any] = []
    failed: list[tuple[str, Problem]] = []
    for service in services:
        try:
            letters = session.pages(
                path("services", service, "dead-letters"), "deadLetters",
                state=state, objectId=payment, pageSize=200,
            )  # fmt: skip
        except Problem as problem:
            if problem.status // 100 != 5:
                raise
            failed.append((service, problem))
            continue
        found += [{"service": service, **letter} for letter in letters]
    return found, failed


def show(session: Session, options: argparse.Namespace) -> int:
    details = session.get(locate(options.name))
    if options.json:
        operate.show_json(details)
        return 0
    letter = details["deadLetter"]
    lines = [
        ("state", letter["state"]),
        ("payment", letter["objectId"]),
        ("event", f"{event_of(letter)}, id {letter['eventId']}, of {letter['businessDate'] or '?'}"),
        ("refused", f"{letter['code']} {letter['reason']}: {letter['message']}"),
        ("", f"{letter['attempts']} times, lastly {age(letter['failedAt'])} ago"),
        ("trace", letter["traceparent"] or "-"),
        ("key", readable(details["key"])),
        ("value", f"{details['valueBytes']} bytes: {readable(details['value'])[:200]}"),
    ]
    if letter["settledBy"]:
        lines.append(("settled", f"by {letter['settledBy']}: {letter['note'] or '-'}"))
    for what, value in lines:
        print(f"{what:<9}{value}")
    print(f"\n{letter['parked']} events wait behind it")
    if details["parked"]:
        rows = [
            (f"{event['topic']}/{event['partition']}/{event['offset']}", event_of(event),
             event["businessDate"] or "?", age(event["parkedAt"]))
            for event in details["parked"]
        ]  # fmt: skip
        print(table(("MESSAGE", "EVENT", "DAY", "WAITS"), rows, right=(3,)))
    if details["history"]:
        rows = [
            (step["at"], step["kind"].lower(), step["operator"], f"{step['applied']} applied"
             + (f", then {step['refusal']}" if step["refusal"] else ""), step["note"] or "-")
            for step in details["history"]
        ]  # fmt: skip
        print("\n" + table(("WHEN", "WHAT", "WHO", "OUTCOME", "WHY"), rows))
    return 0


def replay(session: Session, options: argparse.Namespace) -> int:
    if bool(options.name) == bool(options.payment):
        raise Misuse("name one dead letter, or a payment with --payment")
    if options.name:
        return settle(session, options, "replay", options.name, options.note)
    found, failed = gather(session, SERVICES, "OPEN", options.payment)
    for service, problem in failed:
        print(f"kessai: {service} did not answer: {problem}", file=sys.stderr)
    if not found and not failed:
        print(f"nothing blocks payment {options.payment}")
    codes = [settle(session, options, "replay", name_of(one), options.note) for one in found]
    return max([*codes, 1 if failed else 0])


def discard(session: Session, options: argparse.Namespace) -> int:
    return settle(session, options, "discard", options.name, options.reason)


def settle(
    session: Session, options: argparse.Namespace, action: str, name: str, note: str
) -> int:
    outcome = session.post(f"{locate(name)}/{action}", {"note": note})
    stopped = outcome["stoppedBy"]
    if options.json:
        operate.show_json(outcome)
    else:
        done = "discarded" if action == "discard" else "replayed"
        said = f"{outcome['applied']} events applied"
        if outcome["repeated"]:
            said += f", {outcome['repeated']} were applied before"
        print(f"{name}: {'stopped' if stopped else done}; {said}")
    if stopped is None:
        return 0
    service = name.split("/")[0]
    sys.stdout.flush()
    print(
        f"kessai: refused again: {service}/{stopped['deadLetter']}"
        f" {stopped['code']} {stopped['reason']}: {stopped['message']};"
        f" {outcome['parked']} events wait behind it",
        file=sys.stderr,
    )
    return 1


def name_of(letter: Any) -> str:
    return f"{letter['service']}/{letter['deadLetter']}"


def locate(name: str) -> str:
    """The address of a dead letter by its name."""
    parts = name.split("/")
    if len(parts) != 4 or parts[0] not in SERVICES or not all(parts):
        raise Misuse(
            f"'{name}' names no dead letter: SERVICE/TOPIC/PARTITION/OFFSET, SERVICE one of "
            + ", ".join(SERVICES)
        )
    return path("services", parts[0], "dead-letters", *parts[1:])


def event_of(event: Any) -> str:
    if not event["type"]:
        return "unreadable"
    return f"{event['type']} v{event['version']}"


def readable(hexadecimal: str) -> str:
    """Bytes as text where they are some, the others as dots."""
    return "".join(
        chr(byte) if 0x20 <= byte < 0x7F else "." for byte in bytes.fromhex(hexadecimal)
    )


if __name__ == "__main__":
    sys.exit(main())

"""Shows and closes business days.

DATE is like 2026-11-22, or `today` (the open day), or `yesterday` (the one before it). The books move by
themselves when a day ends in Japan; `close` is for one that they did not leave.
"""

from __future__ import annotations

import argparse
import sys
import time

import session as operate
from session import Problem, Session, path

POLL_S = 0.2


def main(arguments: list[str] | None = None) -> int:
    parser = operate.parser("day", __doc__ or "")
    actions = parser.add_subparsers(dest="action", metavar="action")
    part = operate.action(actions, "status", "where a day stands, in every service")
    part.add_argument("date", nargs="?", default="today", metavar="DATE")
    part = operate.action(
        actions, "close", "moves the books to the day after DATE; the same DATE again changes nothing"
    )
    part.add_argument("date", metavar="DATE")
    part.add_argument("--early", action="store_true",
                      help="also a day that is not over in Japan: what follows is dated to the day "
                      "after, and no way leads back. With `today` a repeat closes one day more")  # fmt: skip
    part.add_argument("--timeout", type=float, default=120, metavar="SECONDS",
                      help="how long to wait until payout has closed it too; 0: not (default: 120)")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.action is None:
        options.date = "today"
    return operate.run(options, close if options.action == "close" else status)


def status(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    stands = {
        "payment": session.get(path("days", date)),
        "payout": asked(session, path("days", date, "release"), "DAY_UNKNOWN"),
        "reconciliation": asked(session, path("days", date, "reconciliation"), "RUN_UNKNOWN"),
    }
    if options.json:
        operate.show_json(stands)
        return 0
    print(f"business day {date}")
    print(f"  payment         {stands['payment']['state']}")
    payout = stands["payout"]
    if payout is None:
        print("  payout          has not heard of it")
    else:
        held = f", {payout['heldBackCount']} merchants held back" if payout["heldBackCount"] else ""
        print(f"  payout          {payout['state']}{held}")
        if payout["seal"]:
            print(f"  seal            {payout['seal']}")
    run = stands["reconciliation"]
    if run is None:
        print("  reconciliation  not compared yet")
    else:
        print(f"  reconciliation  {run['state']}, {run['discrepanciesFound']} discrepancies found")
    return 0


def asked(session: Session, target: str, unless: str) -> dict | None:
    """The answer; none when it is refused as `unless`."""
    try:
        return dict(session.get(target))
    except Problem as problem:
        if problem.code == unless:
            return None
        raise


def close(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    deadline = time.monotonic() + options.timeout
    answer = session.post(path("days", date, "close"), {"early": options.early})
    if not options.json:
        print(f"{date}: no change can be dated to it any more ({answer['state']})")
    payout = None
    while time.monotonic() < deadline:
        answer = session.get(path("days", date))
        payout = asked(session, path("days", date, "release"), "DAY_UNKNOWN")
        if answer["state"] == "CLOSED" and payout and payout["state"] != "OPEN":
            break
        time.sleep(POLL_S)
    else:
        if options.timeout > 0:
            raise Problem(
                0, "NOT_CLOSED_YET", f"{date} is {answer['state']} in payment and "
                f"{payout['state'] if payout else 'unknown'} in payout after {options.timeout:.0f} s",
            )  # fmt: skip
    if options.json:
        operate.show_json({"payment": answer, "payout": payout})
    elif payout is not None:
        print(f"{date}: closed in payment, {payout['state']} in payout")
    return 0


if __name__ == "__main__":
    sys.exit(main())

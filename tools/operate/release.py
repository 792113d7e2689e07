"""Releases a closed business day to the merchants: makes their money of that day available.

DATE is like 2026-11-22, or `yesterday` (the day before the open one). Releasing a day again changes
nothing, but releases merchants that were held back and are in order now.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import session as operate
from session import Problem, Session, path, table, yen

POLL_S = 0.5  # when the answer does not say
WAITED_FOR = ("OUTCOME_UNKNOWN", "RELEASE_RUNNING")


def main(arguments: list[str] | None = None) -> int:
    parser = operate.parser("release", __doc__ or "")
    parser.add_argument("date", metavar="DATE")
    parser.add_argument("--dry-run", action="store_true",
                        help="recount and judge, and change nothing: shows what would be released")  # fmt: skip
    parser.add_argument("--deep", action="store_true",
                        help="compute every fee again from amount, method and plan")  # fmt: skip
    parser.add_argument("--timeout", type=float, default=3600, metavar="SECONDS",
                        help="how long to wait for a release that goes on (default: 3600)")  # fmt: skip
    options = parser.parse_args(arguments)
    return operate.run(options, release)


def release(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    wish = {"deep": options.deep, "dryRun": options.dry_run}
    sums = released(session, date, wish, time.monotonic() + options.timeout)
    held = []
    if sums["heldBackCount"] and not options.dry_run:
        held = session.get(path("days", date, "held-back"))["merchants"]
    if options.json:
        operate.show_json({"release": sums, "heldBack": held})
    else:
        show(date, sums, held, options.dry_run)
    return 1 if sums["heldBackCount"] else 0


def released(session: Session, date: str, wish: dict[str, bool], deadline: float) -> Any:
    """Asks for the release until it is answered: one that takes long goes on without its caller, and
    one whose process died has its turn for some seconds more. What is waited for is said."""
    told = ""
    while True:
        try:
            return session.post(path("days", date, "release"), wish)
        except Problem as problem:
            if problem.code not in WAITED_FOR:
                raise
            if time.monotonic() > deadline:
                raise
            if problem.code != told:
                print(f"kessai: {problem}; asking again", file=sys.stderr, flush=True)
                told = problem.code
            time.sleep(POLL_S if problem.retry_after_s is None else problem.retry_after_s)


def show(date: str, sums: Any, held: list[Any], dry_run: bool) -> None:
    print(f"business day {date}: " + ("would be released now" if dry_run else "released"))
    print(f"  merchants  {sums['merchantCount']:,}")
    for what in ("gross", "fee", "tax", "net"):
        print(f"  {what:<9}  {yen(sums[what])}")
    if not sums["heldBackCount"]:
        return
    print(f"  held back  {sums['heldBackCount']:,}")
    if held:
        rows = [
            (one["merchantId"], one["reason"], yen((one["totals"] or {}).get("gross", 0)),
             yen((one["recounted"] or {}).get("gross", 0)), one["note"])
            for one in held
        ]  # fmt: skip
        print(table(("MERCHANT", "REASON", "TOTALS SAY", "ROWS SUM TO", "NOTE"), rows, right=(2, 3)))
    sys.stdout.flush()
    print("  what to do: docs/operations.md, 'A merchant's day is held back'", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

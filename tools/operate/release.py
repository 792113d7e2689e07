"""Releases a closed business day to the merchants: makes their money of that day available.

DATE is like 2026-11-22, or `yesterday` (the day before the open one). Releasing a day again goes on with a
release that was interrupted; a finished one it changes in nothing, but releases merchants that were held
back and are in order now. How far it is, is said while it runs.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from typing import Any, Callable

import session as operate
from session import Problem, Session, path, table, yen

POLL_S = 0.5  # when the answer does not say
PROGRESS_S = 1.0
WAITED_FOR = ("OUTCOME_UNKNOWN", "RELEASE_RUNNING")


def main(arguments: list[str] | None = None) -> int:
    parser = operate.parser("release", __doc__ or "")
    parser.add_argument("date", metavar="DATE")
    parser.add_argument("--resume", action="store_true",
                        help="only go on with a release that was begun; begin none")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true",
                        help="recount and judge, and change nothing: shows what would be released")  # fmt: skip
    parser.add_argument("--deep", action="store_true",
                        help="compute every fee again from amount, method and plan")  # fmt: skip
    parser.add_argument("--progress", action="store_true",
                        help="only show how far it is, chunk by chunk")  # fmt: skip
    parser.add_argument("--timeout", type=float, default=3600, metavar="SECONDS",
                        help="how long to wait for a release that goes on (default: 3600)")  # fmt: skip
    options = parser.parse_args(arguments)
    if options.resume and options.dry_run:
        parser.error("--resume goes on with a release, --dry-run makes none")
    return operate.run(options, progress if options.progress else release)


def release(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    if options.resume:
        require_begun(date, ask_progress(session, date))
    wish = {"deep": options.deep, "dryRun": options.dry_run}
    tell = Teller(session, date, quiet=options.dry_run)
    sums = released(session, date, wish, time.monotonic() + options.timeout, tell)
    held = sums["heldBack"]
    if sums["heldBackCount"] and not options.dry_run:
        held = session.get(path("days", date, "held-back"))["merchants"]
    if options.json:
        operate.show_json({"release": sums, "heldBack": held})
    else:
        show(date, sums, held, options.dry_run)
    return 1 if sums["heldBackCount"] or sums["releasedFaultCount"] else 0


def require_begun(date: str, stands: Any) -> None:
    if stands["state"] != "RELEASING":
        raise Problem(0, "NOTHING_TO_RESUME", f"no release of {date} is under way: it is {stands['state']}")


def released(
    session: Session, date: str, wish: dict[str, bool], deadline: float, tell: "Teller"
) -> Any:
    """Asks for the release until it is answered: one that takes long goes on without its caller, and
    one whose process died has its turn for some seconds more. What is waited for is said."""
    told = ""
    while True:
        try:
            return meanwhile(lambda: session.post(path("days", date, "release"), wish), tell)
        except Problem as problem:
            if problem.code not in WAITED_FOR:
                raise
            if time.monotonic() > deadline:
                raise
            if problem.code != told:
                print(f"kessai: {problem}; asking again", file=sys.stderr, flush=True)
                told = problem.code
            time.sleep(POLL_S if problem.retry_after_s is None else problem.retry_after_s)


def meanwhile(ask: Callable[[], Any], tell: Callable[[], None]) -> Any:
    """What `ask` answers or raises; until then `tell` is called again and again."""
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["answer"] = ask()
        except BaseException as error:  # noqa: BLE001 (raised again below, where it is waited for)
            outcome["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while True:
        thread.join(PROGRESS_S)
        if not thread.is_alive():
            break
        tell()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["answer"]


class Teller:
    """Says how far a release is, when that has changed."""

    def __init__(self, session: Session, date: str, quiet: bool) -> None:
        self._session = session
        self._date = date
        self._quiet = quiet
        self._told = ""

    def __call__(self) -> None:
        if self._quiet:
            return
        try:
            stands = ask_progress(self._session, self._date)
        except Problem:
            return  # what matters is the answer that is waited for
        line = line_of(stands)
        if line and line != self._told:
            print(f"kessai: {line}", file=sys.stderr, flush=True)
            self._told = line


def ask_progress(session: Session, date: str) -> Any:
    return session.get(path("days", date, "release", "progress"))


def line_of(stands: Any) -> str:
    if stands["state"] != "RELEASING" or not stands["chunkCount"]:
        return ""
    if not stands["chunksDone"]:
        return "recounting"
    left = stands["merchantCount"] - stands["merchantsDone"]
    rate = stands["merchantsPerSecond"]
    said = (
        f"{stands['chunksDone']:,} of {stands['chunkCount']:,} chunks, "
        f"{stands['merchantsDone']:,} of {stands['merchantCount']:,} merchants, {rate:,} a second"
    )
    return said + (f", some {-(-left // rate):,} s left" if rate else "")


def progress(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.date)
    stands = ask_progress(session, date)
    if options.json:
        operate.show_json(stands)
        return 0
    if not stands["chunkCount"]:
        print(f"business day {date}: {stands['state']}, no release was begun")
        return 0
    print(f"business day {date}: {stands['state']}, round {stands['round']}"
          f"{', deep' if stands['deep'] else ''}")  # fmt: skip
    print(f"  begun      {stands['startedAt']}, finished {stands['finishedAt'] or 'not yet'}")
    print(f"  chunks     {stands['chunksDone']:,} of {stands['chunkCount']:,}")
    print(f"  merchants  {stands['merchantsDone']:,} of {stands['merchantCount']:,}, "
          f"{stands['merchantsPerSecond']:,} a second; {stands['releasedCount']:,} released")  # fmt: skip
    print(f"  net        {yen(stands['net'])}")
    rows = [
        (str(one["chunk"]), f"{one['merchantCount']:,}", "done" if one["done"] else "-",
         f"{one['releasedCount']:,}", yen(one["gross"]), yen(one["net"]))
        for one in stands["chunks"]
    ]  # fmt: skip
    print(table(("CHUNK", "MERCHANTS", "STATE", "RELEASED", "GROSS", "NET"), rows, right=(0, 1, 3, 4, 5)))
    return 0


def show(date: str, sums: Any, held: list[Any], dry_run: bool) -> None:
    print(f"business day {date}: " + ("would be released now" if dry_run else "released"))
    print(f"  merchants  {sums['merchantCount']:,}")
    for what in ("gross", "fee", "tax", "net"):
        print(f"  {what:<9}  {yen(sums[what])}")
    if sums["heldBackCount"]:
        show_held_back(sums["heldBackCount"], held)
    if sums["releasedFaultCount"]:
        show_released_faults(sums["releasedFaultCount"], sums["releasedFaults"])


def show_held_back(count: int, held: list[Any]) -> None:
    print(f"  held back  {count:,}")
    rows = [
        (one["merchantId"], one["reason"], yen((one["totals"] or {}).get("gross", 0)),
         yen((one["recounted"] or {}).get("gross", 0)), one["note"])
        for one in held
    ]  # fmt: skip
    print(table(("MERCHANT", "REASON", "TOTALS SAY", "ROWS SUM TO", "NOTE"), rows, right=(2, 3)))
    if count > len(rows):
        print(f"these are {len(rows):,} of them")
    sys.stdout.flush()
    print("  what to do: docs/operations.md, 'A merchant's day is held back'", file=sys.stderr)


def show_released_faults(count: int, faults: list[Any]) -> None:
    """Of merchants who have their money already."""
    print(f"  released with a wrong accrual  {count:,}")
    print(table(("MERCHANT", "FIRST FOUND"), [(one["merchantId"], one["note"]) for one in faults]))
    if count > len(faults):
        print(f"these are {len(faults):,} of them")
    sys.stdout.flush()
    print("  what to do: find out who changed it, and put the difference right by ./kessai payout adjust; "
          "nothing is taken back by itself", file=sys.stderr)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

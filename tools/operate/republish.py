"""Publishes events of payment, and payout's of transfers, of merchants held back and of days' releases, again,
byte for byte, from the rows that they tell of.

An event is named OBJECT/VERSION, as ./kessai audit and ./kessai recon name it: 123/1 is the first change
of payment 123, 1099511627783/1 the making of transfer 7, 20261122/1 the first release of a day. Whoever has applied it already drops it; whoever missed it applies it now. Nothing else
changes.
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
from typing import Any

import session as operate
from session import Misuse, Session, path

AT_ONCE = 1_000
# The objects of payout's events of transfers, and behind them those of merchants held back
# (proto/kessai/payout/v1/payout_event.proto). Payments are numbered apart from them.
_OF_TRANSFERS_AND_HOLDS = range(1 << 40, 1 << 42)
_NAME = re.compile(r"([1-9][0-9]{0,18})/([1-9][0-9]{0,9})")


def main(arguments: list[str] | None = None) -> int:
    parser = operate.parser("republish", __doc__ or "")
    parser.add_argument("events", nargs="+", metavar="OBJECT/VERSION")
    parser.add_argument("--reason", required=True, type=operate.reason, metavar="WHY",
                        help="why, kept in the gateway's log")  # fmt: skip
    options = parser.parse_args(arguments)
    return operate.run(options, republish)


def republish(session: Session, options: argparse.Namespace) -> int:
    changes = [change_of(name) for name in dict.fromkeys(options.events)]
    published = 0
    for of_payout, events in ((False, "events"), (True, "payout-events")):
        some = [one for one in changes if _is_of_payout(int(one["objectId"])) == of_payout]
        for at in range(0, len(some), AT_ONCE):
            wish = {"changes": some[at : at + AT_ONCE], "reason": options.reason}
            published += session.post(path(events, "republish"), wish)["published"]
    if options.json:
        operate.show_json({"published": published})
    else:
        print(f"{published} events are published again")
    return 0


def _is_of_payout(event_object: int) -> bool:
    """A transfer, a merchant held back, or a day that was released (yyyymmdd; no payment's number is so low)."""
    if event_object in _OF_TRANSFERS_AND_HOLDS:
        return True
    try:
        datetime.datetime.strptime(f"{event_object:08}", "%Y%m%d")
    except ValueError:
        return False
    return event_object > 1970_00_00


def change_of(name: str) -> dict[str, Any]:
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise Misuse(f"'{name}' names no event: OBJECT/VERSION, like 123/1")
    return {"objectId": parts[1], "version": int(parts[2])}


if __name__ == "__main__":
    sys.exit(main())

"""Publishes events of payment again, byte for byte, from the changes that made them.

An event is named OBJECT/VERSION, as ./kessai audit and ./kessai recon name it: 123/1 is the first change
of payment 123. Whoever has applied it already drops it; whoever missed it applies it now. Nothing else
changes.
"""

from __future__ import annotations

import argparse
import re
import sys

import session as operate
from session import Misuse, Session, path

AT_ONCE = 1_000
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
    for at in range(0, len(changes), AT_ONCE):
        wish = {"changes": changes[at : at + AT_ONCE], "reason": options.reason}
        published += session.post(path("events", "republish"), wish)["published"]
    if options.json:
        operate.show_json({"published": published})
    else:
        print(f"{published} events are published again")
    return 0


def change_of(name: str) -> dict[str, object]:
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise Misuse(f"'{name}' names no event: OBJECT/VERSION, like 123/1")
    return {"objectId": parts[1], "version": int(parts[2])}


if __name__ == "__main__":
    sys.exit(main())

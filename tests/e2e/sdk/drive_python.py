"""Makes one call of the partner SDK for Python and prints what it gave.

Runs in the SDK's own environment. Reads one JSON object from standard input:
{"url", "key", "secret", "clockShiftSeconds", "call": ["Code", "create_qr_code"], "argument"}.
"""

import contextlib
import datetime
import json
import sys

import paypayopa
import paypayopa.client


def main() -> None:
    order = json.load(sys.stdin)
    if order["clockShiftSeconds"]:
        paypayopa.client.datetime = _shifted_datetime(order["clockShiftSeconds"])
    client = paypayopa.Client(auth=(order["key"], order["secret"]), base_url=order["url"])
    resource, method = order["call"]
    with contextlib.redirect_stdout(sys.stderr):  # it prints hints
        result = getattr(getattr(client, resource), method)(order["argument"])
    json.dump(result, sys.stdout)


def _shifted_datetime(seconds: int):
    """The module with a clock that is wrong: it is the machine's clock that we change, not the SDK."""

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.now(tz) + datetime.timedelta(seconds=seconds)

    class Module:
        datetime = Shifted

    return Module


main()

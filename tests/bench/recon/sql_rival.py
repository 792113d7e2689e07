"""The same question as one SQL statement over both services' tables, which only one server can ask."""

from __future__ import annotations

import time

from kessai_client.stack_file import StackFile
from planted import Change

_SECONDS_MAX = 3_600

# Both halves in their best order on MariaDB: each reads one table and looks the other up by a key.
_BOTH_OUTER_JOINS = """
SELECT p.object_id, p.version
FROM {payment}.journal p
LEFT JOIN {payout}.accrual a
  ON a.business_date = p.business_date AND a.bucket = p.bucket
 AND a.payment_id = p.object_id AND a.version = p.version
WHERE p.business_date = %(day)s AND p.merchant_id <> 0
  AND (a.payment_id IS NULL OR a.merchant_id <> p.merchant_id
       OR a.gross <> CASE p.kind WHEN 1 THEN p.amount ELSE -p.amount END)
UNION ALL
SELECT a.payment_id, a.version
FROM {payout}.accrual a
LEFT JOIN {payment}.journal p
  ON p.object_id = a.payment_id AND p.version = a.version AND p.business_date = a.business_date
WHERE a.business_date = %(day)s AND p.object_id IS NULL
"""


def differences(stack: StackFile, date: str) -> tuple[set[Change], float]:
    """What differs, and the seconds that it took."""
    session = stack.database("payout", user="root", read_timeout_s=_SECONDS_MAX)
    schemas = stack.content["mysql"]["schemas"]
    try:
        begin = time.monotonic()
        with session.cursor() as cursor:
            cursor.execute(_BOTH_OUTER_JOINS.format(**schemas), {"day": date})
            rows = cursor.fetchall()
        seconds = time.monotonic() - begin
    finally:
        session.close()
    found = {(int(payment), int(version)) for payment, version in rows}
    assert len(found) == len(rows), "a change is told twice"
    return found, seconds

"""The rows of a closed day in the three books, changed behind the services' backs and put back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from kessai_client.day_digest import DigestChange, DigestedRow, bucket_of
from kessai_client.stack_file import StackFile
from pymysql.cursors import DictCursor

BOOKS = ("PAYMENT", "PAYOUT", "MATCHED")
SERVICE = dict(zip(BOOKS, ("payment", "payout", "reconciliation")))
JOURNAL, ACCRUAL, MATCH = "journal", "accrual", "change_match"
TABLE = dict(zip(BOOKS, (JOURNAL, ACCRUAL, MATCH)))
KEY_COLUMNS = dict(
    zip(BOOKS, (("object_id", "version"), ("payment_id", "version"), ("payment_id", "version")))
)
# What is kept of the day, and how a row of it is named within the day.
DIGEST, TOTAL = "day_digest", "matched_day_total"
KEPT = {"PAYMENT": (DIGEST,), "PAYOUT": (DIGEST,), "MATCHED": (DIGEST, TOTAL)}
DAY_KEYS = {DIGEST: ("bucket", "slot"), TOTAL: ("merchant_id", "currency", "slot")}
COMPLETED = 1  # payment's domain::ChangeKind
FOUND_WITHIN_US = 5_000_000  # payout's restore_accrual.cc
MATCHED_STATE = 3  # reconciliation's domain::MatchState

Key = tuple[int, int]  # payment, version
Row = dict[str, Any]


class StoredBooks:
    """What `put` and `change_digest` gather, `store` writes, and `undo` writes back. One day; nobody else
    may write these rows meanwhile."""

    def __init__(self, stack: StackFile, day: str) -> None:
        self.day = date.fromisoformat(day)
        # Of rows that are moved away: one that nobody compares.
        self.other_day = self.day - timedelta(days=400)
        self._sessions = {
            book: stack.database(service, user="root", read_timeout_s=300)
            for book, service in SERVICE.items()
        }
        self._accrued: dict[int, int] = {}
        # Of every change: its merchant and its gross, as all books have it.
        self.rows: dict[Key, tuple[int, int]] = self._load()
        self.keys = sorted(self.rows)
        self._by_bucket: dict[int, list[Key]] = {}
        for key in self.keys:
            self._by_bucket.setdefault(bucket_of(key[0]), []).append(key)
        self._originals: dict[tuple[str, Key], Row | None] = {}
        self._now: dict[tuple[str, Key], Row | None] = {}
        self._digests: dict[str, DigestChange] = {}
        self._kept: dict[str, dict[str, dict[tuple[Any, ...], Row]]] = {}

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()

    def of_bucket(self, bucket: int) -> list[Key]:
        return self._by_bucket.get(bucket, [])

    def key_columns(self, book: str) -> tuple[str, str]:
        return KEY_COLUMNS[book]

    def row(self, book: str, key: Key) -> Row:
        """As it is to be, or is, in the book's table."""
        if (book, key) not in self._now:
            found = self._select(book, [key])
            assert len(found) == 1, f"{book} has {len(found)} rows of {key}"
            self._originals[(book, key)] = self._now[(book, key)] = found[0]
        row = self._now[(book, key)]
        assert row is not None, f"{key} of {book} is erased"
        return dict(row)

    def put(self, book: str, key: Key, row: Row | None) -> None:
        """Instead of what there is of that key; None: nothing."""
        if (book, key) not in self._now:
            assert not self._select(book, [key]), f"{book} has {key} already"
            self._originals[(book, key)] = None
        self._now[(book, key)] = row

    def changed(self, book: str) -> list[tuple[Key, Row | None]]:
        """What there is, or is to be, of the keys that were looked at."""
        return [(key, row) for (of, key), row in self._now.items() if of == book]

    def change_digest(self, book: str, change: DigestChange) -> None:
        self._digests[book] = change

    def digested(self, book: str, row: Row) -> DigestedRow | None:
        """What the digest of the day has of a row; None where it has nothing."""
        if row["business_date"] != self.day:
            return None
        key_columns = KEY_COLUMNS[book]
        gross = row["amount"] if book == "PAYMENT" else row["gross"]
        if book == "PAYMENT" and row["kind"] != COMPLETED:
            gross = -gross
        if book == "MATCHED" and row["state"] != MATCHED_STATE:
            return None
        return DigestedRow(
            row[key_columns[0]], row[key_columns[1]], int(self.day.strftime("%Y%m%d")),
            row["merchant_id"], gross,
        )  # fmt: skip

    def store(self) -> None:
        for book, session in self._sessions.items():
            session.begin()
            self._write(book, self._originals, self._now)
            self._kept[book] = {table: self._of_day(book, table) for table in KEPT[book]}
            if book in self._digests:
                self._digests[book].store(session, str(self.day))
            session.commit()

    def undo(self) -> None:
        """Everything, also what a service has done about it meanwhile; then each row is what it was."""
        for book, session in self._sessions.items():
            session.begin()
            self._write(book, self._as_they_are(book), self._originals)
            for table, rows in self._kept.get(book, {}).items():
                self._put_back(book, table, rows)
            session.commit()
        self._originals, self._now, self._digests, self._kept = {}, {}, {}, {}

    def original(self, book: str, key: Key) -> Row | None:
        """Before anything was done to it."""
        return self._originals[(book, key)]

    def stored(self, book: str, key: Key) -> Row | None:
        """As it is now in the table."""
        found = self._select(book, [key])
        return found[0] if found else None

    def rows_of(self, book: str, sql: str, *parameters: Any) -> list[Row]:
        with self._sessions[book].cursor(DictCursor) as cursor:
            cursor.execute(sql, parameters)
            return [dict(row) for row in cursor.fetchall()]

    def time_can_be_found(self, key: Key) -> bool:
        """Whether payout finds when it recorded the accrual, from the event that it told: soon after the change
        or before it was heard, or with another of the bucket."""
        accrual = self._originals[("PAYOUT", key)]
        assert accrual is not None
        at_us = accrual["recorded_at_us"]
        journal, match = self.row("PAYMENT", key), self.row("MATCHED", key)
        if 0 <= at_us - journal["occurred_at_us"] <= FOUND_WITHIN_US:
            return True
        if 0 <= match["matched_at_us"] - at_us <= FOUND_WITHIN_US:
            return True
        others = self.rows_of(
            "PAYOUT",
            "SELECT COUNT(*) AS number FROM accrual WHERE business_date = %s AND bucket = %s"
            " AND recorded_at_us = %s",
            self.day, accrual["bucket"], at_us,
        )  # fmt: skip
        return int(others[0]["number"]) > 1

    def found_by_run(self, number: int) -> list[Row]:
        """Discrepancies of the day that this run was the latest to find, whatever their state."""
        return self.rows_of(
            "MATCHED",
            "SELECT kind, payment_id, version, book, bucket, payment_gross, payout_gross FROM discrepancy"
            " WHERE business_date = %s AND found_by_run = %s",
            self.day, number,
        )  # fmt: skip

    def accrued(self, merchant: int) -> int:
        """Gross less fee of all that the merchant was accrued."""
        return self._accrued[merchant]

    def matched_totals(self) -> dict[int, tuple[int, int, int]]:
        """By merchant, what reconciliation keeps of what was matched: gross, fee and number."""
        found = self.rows_of(
            "MATCHED",
            "SELECT merchant_id, SUM(gross) AS gross, SUM(fee) AS fee, SUM(item_count) AS number"
            " FROM matched_day_total WHERE business_date = %s GROUP BY merchant_id",
            self.day,
        )
        return {
            row["merchant_id"]: (int(row["gross"]), int(row["fee"]), int(row["number"]))
            for row in found
        }

    def _load(self) -> dict[Key, tuple[int, int]]:
        found = self.rows_of(
            "PAYOUT",
            "SELECT payment_id, version, merchant_id, gross, fee FROM accrual WHERE business_date = %s",
            self.day,
        )
        for row in found:
            net = self._accrued.get(row["merchant_id"], 0) + row["gross"] - row["fee"]
            self._accrued[row["merchant_id"]] = net
        return {
            (row["payment_id"], row["version"]): (row["merchant_id"], row["gross"]) for row in found
        }

    def _select(self, book: str, keys: list[Key]) -> list[Row]:
        one, other = KEY_COLUMNS[book]
        found: list[Row] = []
        for key in keys:
            found += self.rows_of(
                book, f"SELECT * FROM {TABLE[book]} WHERE {one} = %s AND {other} = %s", *key
            )
        return found

    def _write(
        self,
        book: str,
        there: dict[tuple[str, Key], Row | None],
        wanted: dict[tuple[str, Key], Row | None],
    ) -> None:
        one, other = KEY_COLUMNS[book]
        keys = [key for (of, key) in wanted if of == book]
        come = [wanted[(book, key)] for key in keys]
        with self._sessions[book].cursor() as cursor:
            gone = [key for key in keys if there[(book, key)] is not None]
            for key in gone:
                done = cursor.execute(
                    f"DELETE FROM {TABLE[book]} WHERE {one} = %s AND {other} = %s", key
                )
                assert done == 1, f"{done} rows of {key} in {TABLE[book]}"
            for row in come:
                if row is None:
                    continue
                cursor.execute(
                    f"INSERT INTO {TABLE[book]} ({', '.join(row)})"
                    f" VALUES ({', '.join(['%s'] * len(row))})",
                    tuple(row.values()),
                )

    def _as_they_are(self, book: str) -> dict[tuple[str, Key], Row | None]:
        return {(of, key): self.stored(of, key) for of, key in self._now if of == book}

    def _of_day(self, book: str, table: str) -> dict[tuple[Any, ...], Row]:
        """By what names a row of the day."""
        found = self.rows_of(book, f"SELECT * FROM {table} WHERE business_date = %s", self.day)
        return {tuple(row[name] for name in DAY_KEYS[table]): row for row in found}

    def _put_back(self, book: str, table: str, wanted: dict[tuple[Any, ...], Row]) -> None:
        there = self._of_day(book, table)
        names = DAY_KEYS[table]
        with self._sessions[book].cursor() as cursor:
            for key, row in there.items():
                if wanted.get(key) != row:
                    cursor.execute(
                        f"DELETE FROM {table} WHERE business_date = %s"
                        f" AND {' AND '.join(f'{name} = %s' for name in names)}",
                        (self.day, *key),
                    )
            for key, row in wanted.items():
                if there.get(key) != row:
                    cursor.execute(
                        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})",
                        tuple(row.values()),
                    )

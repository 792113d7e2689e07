"""Changes rows behind the services' backs, with the administrator's access, and puts them back."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from kessai_client.stack_file import StackFile
from pymysql.cursors import DictCursor

PAYMENT, PAYOUT, RECONCILIATION = "payment", "payout", "reconciliation"

Row = dict[str, Any]
# A new value, or what makes it of the row.
Value = Any | Callable[[Row], Any]


class Tampering:
    """What it does to rows it can undo, as long as nobody else writes them meanwhile."""

    def __init__(self, stack: StackFile) -> None:
        self._sessions = {
            service: stack.database(service, user="root")
            for service in (PAYMENT, PAYOUT, RECONCILIATION)
        }
        for session in self._sessions.values():
            with session.cursor() as cursor:
                cursor.execute("SET SESSION check_constraint_checks = 0")
        # Last first: service, table, rows to take away, rows to put back.
        self._done: list[tuple[str, str, list[Row], list[Row]]] = []
        self._keys: dict[tuple[str, str], list[str]] = {}

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()

    def rows(self, service: str, sql: str, *parameters: Any) -> list[Row]:
        with self._sessions[service].cursor(DictCursor) as cursor:
            cursor.execute(sql, parameters)
            return [dict(row) for row in cursor.fetchall()]

    def find(self, service: str, table: str, where: Mapping[str, Any]) -> list[Row]:
        return self.rows(service, f"SELECT * FROM {table} WHERE {_all_of(where)}", *where.values())

    def one(self, service: str, table: str, where: Mapping[str, Any]) -> Row:
        found = self.find(service, table, where)
        assert len(found) == 1, f"{len(found)} rows of {table} with {dict(where)}"
        return found[0]

    def change(self, service: str, table: str, where: Mapping[str, Any], **values: Value) -> None:
        """Columns of the rows, one or more, that `where` names; keys may be among them."""
        old = self.find(service, table, where)
        assert old, f"no row of {table} has {dict(where)}"
        new = [
            {**row, **{name: value(row) if callable(value) else value for name, value in values.items()}}
            for row in old
        ]
        assert new != old, f"that changes nothing in {table}"
        self._replace(service, table, old, new)

    def exchange(
        self,
        service: str,
        table: str,
        one: Mapping[str, Any],
        other: Mapping[str, Any],
        *columns: str,
    ) -> None:
        """The columns' values of two rows: sums and counts stay as they are."""
        first, second = self.one(service, table, one), self.one(service, table, other)
        new = [
            {**first, **{name: second[name] for name in columns}},
            {**second, **{name: first[name] for name in columns}},
        ]
        assert new != [first, second], f"these rows of {table} do not differ in {columns}"
        self._replace(service, table, [first, second], new)

    def erase(self, service: str, table: str, where: Mapping[str, Any]) -> None:
        old = self.find(service, table, where)
        assert old, f"no row of {table} has {dict(where)}"
        self._replace(service, table, old, [])

    def add(self, service: str, table: str, row: Row) -> None:
        self._replace(service, table, [], [row])

    def undo(self) -> None:
        """Everything, the last first."""
        while self._done:
            service, table, new, old = self._done[-1]
            self._write(service, table, new, old)
            self._done.pop()

    def are_undone(self) -> None:
        """By somebody else: everything is as it was."""
        while self._done:
            service, table, _, old = self._done.pop()
            keys = self._keys_of(service, table)
            for row in old:
                there = self.one(service, table, {name: row[name] for name in keys})
                assert there == row, f"{table} has {there}, and had {row}"

    def _replace(self, service: str, table: str, old: list[Row], new: list[Row]) -> None:
        self._write(service, table, old, new)
        self._done.append((service, table, new, old))

    def _write(self, service: str, table: str, gone: list[Row], come: list[Row]) -> None:
        session = self._sessions[service]
        keys = self._keys_of(service, table)
        session.begin()
        try:
            with session.cursor() as cursor:
                for row in gone:
                    key = {name: row[name] for name in keys}
                    there = self.find(service, table, key)
                    assert there == [row], f"somebody else has written {key} of {table}: {there}"
                    cursor.execute(f"DELETE FROM {table} WHERE {_all_of(key)}", tuple(key.values()))
                for row in come:
                    names = ", ".join(row)
                    values = ", ".join(["%s"] * len(row))
                    cursor.execute(
                        f"INSERT INTO {table} ({names}) VALUES ({values})", tuple(row.values())
                    )
        except BaseException:
            session.rollback()
            raise
        session.commit()

    def _keys_of(self, service: str, table: str) -> Sequence[str]:
        keys = self._keys.get((service, table))
        if keys is None:
            found = self.rows(service, f"SHOW KEYS FROM {table} WHERE Key_name = 'PRIMARY'")
            keys = [str(row["Column_name"]) for row in found]
            self._keys[(service, table)] = keys
        return keys


def _all_of(where: Mapping[str, Any]) -> str:
    return " AND ".join(f"{name} = %s" for name in where)

"""How long the comparison of a closed day takes, on a stack of its own.

`./kessai bench recon` starts the stack for it. The services are the real ones with the stack's own
settings; the day is loaded straight into their tables. The exit code says whether every contender found
exactly what was planted, never whether it was fast.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Mapping

_TESTS = Path(__file__).resolve().parents[2]
for _part in (_TESTS / "recon", _TESTS.parent / "tools" / "client"):
    sys.path.insert(0, str(_part))

import recon_books  # noqa: E402
import write_path  # noqa: E402
from comparison import Comparison, Run  # noqa: E402
from kessai_client.bearer import Operator  # noqa: E402
from kessai_client.day_digest import RowHasher  # noqa: E402
from kessai_client.http import Http  # noqa: E402
from kessai_client.stack_file import StackFile  # noqa: E402
from planted import Change, Planter  # noqa: E402
from processes import Usage  # noqa: E402
from sql_rival import differences  # noqa: E402

SERVICES = ("payment", "payout", "reconciliation")
VARIABLES = (
    "version", "innodb_buffer_pool_size", "innodb_flush_log_at_trx_commit", "innodb_doublewrite",
    "log_bin",
)  # fmt: skip
QUICK_RUNS = 5
JAPAN = timezone(timedelta(hours=9))


@dataclass
class Measured:
    """One contender with so many differences."""

    contender: str
    differences: int
    seconds: float
    cpu: Mapping[str, float]
    peak_mib: Mapping[str, int]
    more_mib: Mapping[str, int]
    rows_listed: int | None = None
    buckets: int | None = None
    note: str = ""


@dataclass
class Bench:
    stack: StackFile
    pids: Mapping[str, int]
    payments: int
    counts: list[int]
    date: str
    wrong: list[str] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    changes: int = 0
    load_seconds: float = 0.0
    bytes_mib: dict[str, int] = field(default_factory=dict)
    trade: int = 0
    path: write_path.WritePath | None = None

    def run(self) -> None:
        self.load()
        http = Http(self.stack.url, self.stack.ca_file, timeout_s=120)
        operator = Operator.sign_in(http, "bench-operator")
        comparison = Comparison(operator, self.date, timeout_s=3_600)
        planter = Planter(self.stack, self.hasher(), self.date, self.payments)
        for count in self.counts:
            tell(f"planting differences: {count:,}")
            planter.plant_up_to(count)
            self.settle()
            self.compare(comparison, planter.planted)
        if self.trade:
            self.path = write_path.measure(self.stack, operator, self.pids, self.trade, tell)

    def hasher(self) -> RowHasher:
        return RowHasher(recon_books.digest_key(self.stack))

    def load(self) -> None:
        tell(f"loading a day of {self.payments:,} payments into the books of all three services")
        begin = time.monotonic()
        binaries = Path(self.stack.content["binaries"])
        merchants = max(1, self.payments // 100)
        said = recon_books.make(
            self.stack, binaries, "bulk", "--day", self.date, "--payments", str(self.payments),
            "--merchants", str(merchants),
        )  # fmt: skip
        self.changes = int(said.split()[0])
        self.load_seconds = time.monotonic() - begin
        for service, table in zip(SERVICES, ("journal", "accrual", "change_match")):
            with self.stack.database(service, user="root", read_timeout_s=3_600).cursor() as cursor:
                # Read once, so that what is measured finds it in the buffer pool if it fits.
                cursor.execute(f"ANALYZE TABLE {table}")
                cursor.execute(f"SELECT COUNT(*) FROM {table} WHERE business_date = %s", (self.date,))
                assert cursor.fetchone()[0] == self.changes, f"{table} has other rows than were made"
                cursor.execute(
                    "SELECT (data_length + index_length) >> 20 FROM information_schema.tables"
                    " WHERE table_schema = DATABASE() AND table_name = %s",
                    (table,),
                )
                self.bytes_mib[f"{service}.{table}"] = int(cursor.fetchone()[0])

    def settle(self) -> None:
        """Until the database has written what loading and planting left."""
        with self.stack.database("payment", user="root").cursor() as cursor:
            for _ in range(180):
                cursor.execute(
                    "SELECT variable_value FROM information_schema.global_status WHERE variable_name"
                    " IN ('INNODB_BUFFER_POOL_PAGES_DIRTY', 'INNODB_BUFFER_POOL_PAGES_TOTAL')"
                    " ORDER BY variable_name"
                )
                dirty, total = (int(row[0]) for row in cursor.fetchall())
                if dirty < 0.15 * total:
                    return
                time.sleep(1)

    def compare(self, comparison: Comparison, planted: set[Change]) -> None:
        count = len(planted)
        self.run_once("quick", "the first run, which records what is new", comparison, planted, False)
        for _ in range(QUICK_RUNS if count < 1_000 else 2):
            self.run_once("quick again", "a run that finds what is known", comparison, planted, False)
        self.run_once("deep", "", comparison, planted, True)
        tell(f"SQL with {count:,} differences")
        found, measured = self.watched(
            "SQL", count, lambda: differences(self.stack, self.date)
        )
        (sql_found, measured.seconds) = found
        self.measured.append(measured)
        self.check("SQL", sql_found, planted)

    def run_once(
        self, name: str, note: str, comparison: Comparison, planted: set[Change], deep: bool
    ) -> None:
        tell(f"{name} run with {len(planted):,} differences")
        run, measured = self.watched(name, len(planted), lambda: comparison.run(deep))
        measured.seconds, measured.note = run.seconds, note
        measured.rows_listed, measured.buckets = run.rows_listed, run.buckets_different
        self.measured.append(measured)
        expected = "DIFFERENT" if planted else "EQUAL"
        if run.state != expected:
            self.wrong.append(f"{name} run ended {run.state} {run.failure}, not {expected}")
        self.check(name, self.found_by(comparison, run), planted)

    def found_by(self, comparison: Comparison, run: Run) -> set[Change]:
        found = comparison.discrepancies()
        if len(found) != run.found:
            self.wrong.append(f"run {run.number} found {run.found}, and {len(found)} are listed")
        return {(int(one["paymentId"]), int(one["version"])) for one in found}

    def check(self, name: str, found: set[Change], planted: set[Change]) -> None:
        if found != planted:
            self.wrong.append(
                f"{name} with {len(planted)} differences: {len(found - planted)} that are none, "
                f"{len(planted - found)} not found"
            )

    def watched(self, name: str, count: int, work: Callable[[], Any]) -> tuple[Any, Measured]:
        usage = Usage(self.pids)
        usage.begin()
        outcome = work()
        return outcome, Measured(
            name, count, 0.0, usage.cpu_seconds(), usage.peak_mib(), usage.more_mib()
        )

    # What came out.

    def seconds_of(self, name: str, count: int) -> float | None:
        found = [one.seconds for one in self.measured if (one.contender, one.differences) == (name, count)]
        return statistics.median(found) if found else None

    def text(self) -> str:
        lines = [*self.surroundings(), ""]
        lines.append(
            f"{'':<12} {'differ':>8} {'seconds':>9} {'SQL / it':>9} {'buckets':>8} {'rows listed':>12}"
            f" {'cpu s services':>15} {'MariaDB':>8} {'MiB payment':>12} {'payout':>7} {'recon':>6}"
            f" {'MariaDB +':>10}"
        )
        for name, count in dict.fromkeys((one.contender, one.differences) for one in self.measured):
            lines.append(self.line(name, count))
        if self.path is not None:
            lines += ["", *write_path.lines(self.path)]
        lines.append("")
        lines += [f"WRONG       {one}" for one in self.wrong]
        if not self.wrong:
            lines.append("checked     each found exactly what was planted, change by change")
        return "\n".join(lines)

    def line(self, name: str, count: int) -> str:
        of = [one for one in self.measured if (one.contender, one.differences) == (name, count)]
        seconds = statistics.median(one.seconds for one in of)
        sql = self.seconds_of("SQL", count)
        one = of[-1]
        listed = "" if one.rows_listed is None else f"{one.rows_listed:,}"
        buckets = "" if one.buckets is None else f"{one.buckets:,}"
        ratio = "" if sql is None else f"{sql / seconds:,.1f}"
        cpu = statistics.median(sum(run.cpu[service] for service in SERVICES) for run in of)
        server = statistics.median(run.cpu["mariadb"] for run in of)
        peak = {service: max(run.peak_mib[service] for run in of) for service in SERVICES}
        more = max(run.more_mib["mariadb"] for run in of)
        return (
            f"{name:<12} {count:>8,} {seconds:>9.3f} {ratio:>9} {buckets:>8} {listed:>12}"
            f" {cpu:>15.2f} {server:>8.2f} {peak['payment']:>12} {peak['payout']:>7}"
            f" {peak['reconciliation']:>6} {more:>10}"
        )

    def surroundings(self) -> list[str]:
        variables = self.variables()
        tables = ", ".join(f"{table} {mib:,} MiB" for table, mib in self.bytes_mib.items())
        return [
            f"machine     {os.cpu_count()} cores, {_cpu_model()}, {_memory_gib():.1f} GiB",
            "MariaDB     " + ", ".join(f"{name}={value}" for name, value in variables.items()),
            f"day         {self.payments:,} payments, {self.changes:,} changes; {tables}",
            f"loaded      straight into the tables, in {self.load_seconds:.0f} s",
            "times       from the operator's call to its answer, through the gateway; where several"
            " runs were made, the median",
            "MariaDB +   by how much its memory grew beyond what it had when the contender began",
        ]

    def variables(self) -> dict[str, str]:
        with self.stack.database("payment", user="root").cursor() as cursor:
            names = ", ".join(f"'{name}'" for name in VARIABLES)
            cursor.execute(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
            return {str(name): str(value) for name, value in cursor.fetchall()}

    def content(self) -> dict[str, Any]:
        return {
            "bench": "recon",
            "payments": self.payments,
            "changes": self.changes,
            "cores": os.cpu_count(),
            "mysql": self.variables(),
            "tables_mib": self.bytes_mib,
            "correct": not self.wrong,
            "measured": [vars(one) for one in self.measured],
            "write_path": None if self.path is None else vars(self.path),
        }


def tell(line: str) -> None:
    print(f"  … {line}", flush=True)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "processor not known"


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./kessai bench recon", description="seconds from a closed day to all that differs in it"
    )
    parser.add_argument("--stack-file", help=argparse.SUPPRESS)
    parser.add_argument("--pids", default="{}", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--payments", type=int, default=10_000_000, metavar="N",
                        help="of the day (default: 10,000,000)")  # fmt: skip
    parser.add_argument("--differences", type=int, nargs="+", default=[0, 10, 10_000], metavar="N",
                        help="how many differ, rising (default: 0 10 10000)")  # fmt: skip
    parser.add_argument("--trade", type=int, default=100_000, metavar="N",
                        help="payments by which the write path is measured (default: 100,000; 0: not)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="and a JSON object as the last line")
    found = parser.parse_args(arguments)
    if found.payments < 1:
        parser.error("--payments: at least 1")
    if sorted(found.differences) != found.differences or found.differences[0] < 0:
        parser.error("--differences: rising, from 0 on")
    if found.differences[-1] > found.payments // 2:
        parser.error("--differences: at most half of --payments")
    return found


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    if chosen.check:  # of the arguments alone, before anything is started for them
        return 0
    if not chosen.stack_file:
        print("run it by ./kessai bench recon, which starts its stack", file=sys.stderr)
        return 2
    yesterday = datetime.now(JAPAN).date() - timedelta(days=1)
    bench = Bench(
        StackFile.read(chosen.stack_file), json.loads(chosen.pids), chosen.payments,
        chosen.differences, str(yesterday), trade=chosen.trade,
    )  # fmt: skip
    bench.run()
    print("\n" + bench.text())
    if chosen.json:
        print(json.dumps(bench.content()))
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

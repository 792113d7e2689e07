"""What a change costs on its way into all books, and what of that is keeping the digests."""

from __future__ import annotations

import resource
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping

import recon_books
from kessai_client import waiting
from kessai_client.bearer import Operator
from kessai_client.stack_file import StackFile
from processes import Usage

FIRST_MERCHANT, MERCHANTS = 40_000_000_000, 1_000
SETTLED_WITHIN_S = 600.0
# Who adds to a digest: how many share the buckets out, and how many rows come at once under load.
WRITERS = {"payment": 4, "payout": 12, "reconciliation": 12}
BATCHES = (100, 300, 1_000, 2_000)
ROWS = 400_000
# Payment's path with its digest and without, in turn, in a schema and a topic that nobody reads.
PATH_SCHEMA = "kessai_bench_path"
PATH_TOPIC, PATH_PARTITIONS = "payment.payout-events.dlq.v1", 3
PATH_ROUNDS = 5
PATH_PAYMENTS = 60_000


@dataclass
class WritePath:
    """Microseconds of processor time a change."""

    changes: int = 0
    payout_batch: float = 0.0  # changes in one of its transactions
    total: Mapping[str, float] = field(default_factory=dict)  # by process
    # By service and batch: of the service and of MariaDB, for the digest alone.
    upkeep: dict[str, dict[int, float]] = field(default_factory=dict)
    # Payment's path to its topic alone, by whether it keeps its digest: of each round, the bench's
    # process (executor and relay) and MariaDB together.
    rounds: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})

    def with_digest(self) -> float:
        return statistics.median(self.rounds[True])

    def without_digest(self) -> float:
        return statistics.median(self.rounds[False])

    def digests(self) -> float:
        """Of all three, with payout's batches as they were, and the others' as large ones."""
        near = min(BATCHES, key=lambda batch: abs(batch - self.payout_batch))
        return (
            self.upkeep["payment"][BATCHES[-1]]
            + self.upkeep["payout"][near]
            + self.upkeep["reconciliation"][BATCHES[-1]]
        )

    def share(self) -> float:
        return self.digests() / sum(self.total.values())


def measure(
    stack: StackFile,
    operator: Operator,
    pids: Mapping[str, int],
    payments: int,
    tell: Callable[[str], None],
) -> WritePath:
    path = WritePath()
    tell(f"trading {payments:,} payments by payment's executor, on into all books")
    for number in range(MERCHANTS):
        operator.put_merchant(FIRST_MERCHANT + number, "bench")
    before, batches = _matched(stack), _payout_batches(stack)
    usage = Usage(pids)
    usage.begin()
    own = _children_seconds()
    said = recon_books.make(
        stack, Path(stack.content["binaries"]), "live", "--payments", str(payments),
        "--first-merchant", str(FIRST_MERCHANT), "--merchants", str(MERCHANTS),
    )  # fmt: skip
    words = said.replace(",", "").split()
    path.changes = int(words[0]) + int(words[2]) + int(words[4])
    waiting.until(
        "the match of what was traded",
        lambda: _matched(stack) - before >= path.changes or None,
        SETTLED_WITHIN_S,
        every_s=0.5,
    )
    spent = usage.cpu_seconds()
    spent["payment"] += _children_seconds() - own  # its executor is the program that trades
    path.total = {name: seconds / path.changes * 1e6 for name, seconds in spent.items()}
    path.payout_batch = path.changes / max(1, _payout_batches(stack) - batches)
    for service, writers in WRITERS.items():
        tell(f"the digest of {service} alone")
        path.upkeep[service] = {
            batch: _upkeep(stack, pids, writers, batch) for batch in BATCHES
        }  # fmt: skip
    tell("payment's path with its digest and without, in turn")
    _alternate(stack, pids, path)
    return path


def lines(path: WritePath) -> list[str]:
    total = sum(path.total.values())
    text = [
        f"write path  {path.changes:,} changes by payment's executor, without gateway and gRPC:"
        f" {total:.1f} µs of processor time a change: "
        + ", ".join(f"{name} {micros:.1f}" for name, micros in path.total.items()),
        f"            payout stored {path.payout_batch:.0f} changes in a transaction",
    ]
    for service, by_batch in path.upkeep.items():
        text.append(
            f"digest of   {service:<15}"
            + ", ".join(f"{micros:.2f} µs in batches of {batch:,}" for batch, micros in by_batch.items())
        )
    text.append(
        f"payment     {path.with_digest():.2f} µs a change to its topic with its digest,"
        f" {path.without_digest():.2f} without: {path.with_digest() / path.without_digest():.3f} times"
        f" (medians of {PATH_ROUNDS} rounds in turn: "
        + ", ".join(
            f"{kept:.1f}/{not_kept:.1f}"
            for kept, not_kept in zip(path.rounds[True], path.rounds[False])
        )
        + ")"
    )
    text.append(
        f"            all three {path.digests():.2f} µs a change: {100 * path.share():.1f} % of the write path"
    )
    return text


def _alternate(stack: StackFile, pids: Mapping[str, int], path: WritePath) -> None:
    session = stack.database("payment", user="root")
    with session.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {PATH_SCHEMA}")
    session.close()
    # The first pair is for the caches and the journal; then whoever goes first is the other one.
    for turn in range(PATH_ROUNDS + 1):
        for keeps in (True, False) if turn % 2 == 0 else (False, True):
            micros = _path(stack, pids, keeps, seed=2 * turn + int(keeps))
            if turn > 0:
                path.rounds[keeps].append(micros)


def _path(stack: StackFile, pids: Mapping[str, int], keeps: bool, seed: int) -> float:
    usage = Usage({"mariadb": pids["mariadb"]})
    usage.begin()
    said = recon_books.make(
        stack, Path(stack.content["binaries"]), "path", "--digests", "yes" if keeps else "no",
        "--payments", str(PATH_PAYMENTS), "--topic", PATH_TOPIC, "--partitions", str(PATH_PARTITIONS),
        "--seed", str(seed),
        more={
            "KESSAI_BOOKS_PATH": recon_books.root_url(stack, PATH_SCHEMA),
            "KESSAI_BOOKS_BROKERS": stack.content["kafka"]["brokers"],
        },
    ).replace(",", "").split()  # fmt: skip
    return (usage.cpu_seconds()["mariadb"] + float(said[4])) / int(said[0]) * 1e6


def _upkeep(stack: StackFile, pids: Mapping[str, int], writers: int, batch: int) -> float:
    usage = Usage({"mariadb": pids["mariadb"]})
    usage.begin()
    said = recon_books.make(
        stack, Path(stack.content["binaries"]), "upkeep", "--rows", str(ROWS), "--batch", str(batch),
        "--writers", str(writers),
    ).split()  # fmt: skip
    return (usage.cpu_seconds()["mariadb"] + float(said[2])) / int(said[0]) * 1e6


def _matched(stack: StackFile) -> int:
    return _number(
        stack, "reconciliation", "SELECT COALESCE(SUM(item_count), 0) FROM matched_day_total"
    )


def _payout_batches(stack: StackFile) -> int:
    return _number(stack, "payout", "SELECT SUM(outbox_rows) FROM slot_gate")


def _number(stack: StackFile, service: str, sql: str) -> int:
    session = stack.database(service, user="root")
    try:
        with session.cursor() as cursor:
            cursor.execute(sql)
            row: Any = cursor.fetchone()
            return int(row[0])
    finally:
        session.close()


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime

"""Death of what makes merchants' files, at random moments, and a store that goes away.

Goal: no half file is ever visible, no merchant misses a file or gets one twice, and each file is told of once,
whoever dies while files are made.
Method: the programs that are deployed. Of a closed day with payments of some of some hundred merchants, files are
made again and again, each time as a new version; while a run is under way reconciliation, MariaDB, payment or payout
is killed, or the folder of the store is taken away for a while, at a moment drawn by the seed. Meanwhile
somebody reads every file that appears in the store, at once. At the end each merchant has each version once,
what is stored is what is noted, byte for byte, and what was read of a file at any time is the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from callers import insist
from conftest import Report
from kessai.stack import open_stack
from kessai_client import waiting
from kessai_client.bearer import Operator
from kessai_client.stack_file import StackFile
from test_named_points import _rows
from test_repair_points import SERVICE, PaidDay
from victims import Victims

MERCHANTS = 3_000
ASSIGNED_AT_ONCE = 1_000
PAID = 20  # of them; the others' files are empty
STORE = "the store"
# MariaDB and reconciliation are hit more often: they hold what is half done.
TROUBLES = ("reconciliation", "mariadb", STORE, "reconciliation", "payment", "mariadb", "reconciliation", STORE, "payout")
GONE_S = (0.2, 2.0)
# Behind the run's begin; a run of so many takes some seconds.
MOMENT_S = (0.0, 0.6)
DONE = 3  # file_run.state
# Those whose death cannot fail to break into the run, unless it is over already.
BREAKING = ("reconciliation", "mariadb", STORE)
# Of the runs that were broken into at least so many must have needed another attempt.
STRUCK_MIN = 3
# A killed process's turn ends after 15 s, and a run that failed is tried again after a while.
LIMIT_S = 180.0


class Reader:
    """Reads every file of the store once as soon as it is visible, and all of them at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader of the store")
        self.seen: dict[str, set[str]] = {}  # the SHA-256 of what was read, by key
        self._thread.start()

    def look(self, again: bool = False) -> None:
        for key in visible(self._folder):
            if key in self.seen and not again:
                continue
            try:
                content = (self._folder / key).read_bytes()
            except OSError:
                continue  # the store has gone
            self.seen.setdefault(key, set()).add(hashlib.sha256(content).hexdigest())

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.03):
            self.look()


def visible(folder: Path) -> list[str]:
    """The keys under which there are files."""
    keys = []
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        keys += [str((Path(at) / name).relative_to(folder)) for name in files]
    return keys


def test_files_are_whole_and_once(
    victims: Victims, stack_file: Path, seed: int, report: Report
) -> None:
    chance = random.Random(seed)
    report.line(f"kill -9 while files are made, seed {seed}")
    merchants = [7_000_000_000 + seed % 1_000_000_000 + i for i in range(MERCHANTS)]
    books = PaidDay.make_of(stack_file, merchants[:PAID])
    for merchant in merchants[PAID:]:
        books.operator.put_merchant(merchant, "not paid")
    assign = "/operator/v1/file-templates/instant/assignments"
    for at in range(0, MERCHANTS, ASSIGNED_AT_ONCE):
        some = [str(merchant) for merchant in merchants[at : at + ASSIGNED_AT_ONCE]]
        who = {"mode": "ON_DEMAND", "fromDate": books.day, "merchantIds": some}
        insist("assignment", lambda: books.operator.call("PUT", assign, who), 200)
    folder = open_stack(json.loads(stack_file.read_text())["stack"]).files

    struck = 0
    asking = ThreadPoolExecutor(max_workers=1)
    reader = Reader(folder)
    try:
        for number, trouble in enumerate(TROUBLES, start=1):
            asked = asking.submit(order, books.operator, books.day, number)
            await_begin(books, number)
            time.sleep(chance.uniform(*MOMENT_S))  # the random moment; nothing is waited for
            if trouble == STORE:
                away(folder, chance.uniform(*GONE_S))
            else:
                victims.kill(trouble)
            again = await_done(books, asked.result(), number)
            struck += again and trouble in BREAKING
            if trouble != STORE:
                victims.await_serving(trouble)
    finally:
        reader.stop()
        asking.shutdown()
    reader.look(again=True)
    report.line(f"  {len(TROUBLES)} runs, {struck} of them were broken into and needed another attempt")
    assert struck >= STRUCK_MIN, f"{struck} runs were broken into: nothing was shown"

    # Whoever lost the answer to an order and asks again when its run has ended has another run.
    states = _rows(
        books.stack, SERVICE,
        "SELECT state FROM file_run WHERE business_date = %s AND template_name = 'instant'", books.day,
    )  # fmt: skip
    runs = len(states)
    assert runs >= len(TROUBLES) and set(states) == {(DONE,)}, states
    noted = _rows(
        books.stack, SERVICE,
        "SELECT file_id, merchant_id, version, store_key, LOWER(HEX(sha256)), row_count FROM merchant_file"
        " WHERE business_date = %s AND template_name = 'instant' AND merchant_id IN %s",
        books.day, merchants,
    )  # fmt: skip
    versions = sorted((merchant, version) for _, merchant, version, _, _, _ in noted)
    expected = [(merchant, n) for merchant in merchants for n in range(1, runs + 1)]
    assert versions == expected, "a merchant lacks a version, or has one twice"
    paid = {merchant for _, merchant, *_, rows in noted if rows == 1}
    assert paid == set(books.merchants), "a file has not its merchant's payment"
    assert sum(rows for *_, rows in noted) == PAID * runs
    told = "SELECT file_id, COUNT(*) FROM merchant_file_announcement GROUP BY file_id"
    of_day = {file for file, *_ in noted}
    assert {file: n for file, n in _rows(books.stack, SERVICE, told) if file in of_day} == dict.fromkeys(of_day, 1)

    hashes = {key: sha for _, _, _, key, sha, _ in noted}
    ours = {str(merchant) for merchant in merchants}

    def stored() -> set[str]:
        """Keys are DATE/TEMPLATE-RUN/MERCHANT-VERSION-ATTEMPT/NAME."""
        of_day = [key for key in visible(folder) if key.startswith(f"{books.day}/instant-")]
        return {key for key in of_day if key.split("/")[2].split("-")[0] in ours}

    # What attempts that were killed had stored is swept when their run has ended.
    try:
        waiting.until("the store has what is noted", lambda: stored() == set(hashes) or None, LIMIT_S)
    except waiting.TookTooLong:
        raise AssertionError(f"stored and noted differ: {sorted(stored() ^ set(hashes))[:5]}") from None
    for key, sha in hashes.items():
        assert reader.seen[key] == {sha}, f"{key} was visible before it was whole"
    for file, _, _, _, sha, _ in chance.sample(noted, 20):
        content = books.operator.call("GET", f"/operator/v1/files/{file}/content")
        assert content.status == 200 and hashlib.sha256(content.body).hexdigest() == sha, file
    report.line(f"  {len(noted)} files, each whole, once, and told of once; {len(reader.seen)} were read at once")


def order(operator: Operator, day: str, number: int) -> str:
    """Asked for until it is taken; the same order joins the one under way."""
    wish: dict[str, Any] = {"template": "instant", "businessDate": day}
    if number > 1:
        wish["again"] = {"reason": f"round {number}", "force": True}
    taken = insist("order", lambda: operator.call("POST", "/operator/v1/file-runs", wish), 200, again=(409,))
    return str(taken["runId"])


def await_begin(books: PaidDay, number: int) -> None:
    """Until the run of the round is under way."""
    begun = (
        "SELECT COUNT(*) FROM file_run WHERE business_date = %s AND template_name = 'instant'"
        " AND attempts > 0"
    )
    waiting.until(
        f"the begin of round {number}",
        lambda: _rows(books.stack, SERVICE, begun, books.day)[0][0] >= number or None,
        LIMIT_S,
    )


def await_done(books: PaidDay, run: str, number: int) -> bool:
    """Waits for its end; whether it needed more than one attempt."""
    path = f"/operator/v1/file-runs/{run}"

    def done() -> Any:
        said = insist("run of files", lambda: books.operator.call("GET", path), 200)
        return said if said["state"] == "DONE" else None

    said = waiting.until(f"the files of round {number}", done, LIMIT_S)
    # On a stack that was used before others may have been assigned, too.
    assert said["files"] == said["merchantsDone"] >= MERCHANTS and said["merchantsRefused"] == 0, said
    made = "SELECT COUNT(*), COUNT(DISTINCT merchant_id) FROM merchant_file WHERE run_id = %s"
    assert _rows(books.stack, SERVICE, made, run) == [(said["files"], said["files"])]
    return int(said["attempts"]) > 1


def away(folder: Path, seconds: float) -> None:
    """As a file system that is not mounted."""
    elsewhere = folder.with_name(folder.name + "-away")
    folder.rename(elsewhere)
    try:
        time.sleep(seconds)  # it is gone so long; nothing is waited for
    finally:
        elsewhere.rename(folder)

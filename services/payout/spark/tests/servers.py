"""What the tests run against: a MariaDB and a DynamoDB on this machine, each on a free port."""

from __future__ import annotations

import getpass
import json
import os
import random
import secrets
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import pymysql

ROOT = Path(__file__).resolve().parents[4]
START_WITHIN_S = 60
REGION = "ap-northeast-1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], what: str, within_s: float = START_WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.1)


@dataclass(frozen=True)
class Schema:
    """One of a MariaDB, and an account."""

    port: int
    user: str
    password: str
    name: str

    def connect(self) -> pymysql.Connection:
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=self.user, password=self.password,
            database=self.name, autocommit=True,
        )  # fmt: skip

    def run(self, *statements: str) -> None:
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def reader(self) -> Schema:
        """The same schema by an account that may only read."""
        account = f"r{secrets.token_hex(6)}"
        self.run(
            f"CREATE USER '{account}'@'%' IDENTIFIED BY '{account}'",
            f"GRANT SELECT ON `{self.name}`.* TO '{account}'@'%'",
        )
        return replace(self, user=account, password=account)

    @property
    def jdbc_url(self) -> str:
        return f"jdbc:mysql://127.0.0.1:{self.port}/{self.name}"

    def carry_out(self, orders: Sequence[str]) -> list[str]:
        """By the service's own code (services/payout/tests/books_worker.cc), which migrates first. What it
        says, line by line."""
        binaries = Path(os.environ.get("KESSAI_TEST_BINARIES", ROOT / "build" / "dev" / "bin"))
        worker = binaries / "payout_books_worker"
        assert worker.exists(), f"{worker} is not built: it is the target payout_books_worker"
        result = subprocess.run(
            [str(worker), "127.0.0.1", str(self.port), self.user, self.password, self.name],
            input="".join(f"{order}\n" for order in orders), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert result.returncode == 0 and result.stdout.endswith("done\n"), (
            result.stdout[-2000:] + result.stderr[-2000:]
        )
        return result.stdout.splitlines()[:-1]


class MariaDb:
    """A server of its own in `folder`; as the launcher of libs/testing starts one."""

    def __init__(self, folder: Path) -> None:
        self._password = secrets.token_hex(8)
        self._port = free_port()
        (folder / "accounts.sql").write_text(
            f"CREATE USER IF NOT EXISTS 'admin'@'%' IDENTIFIED BY '{self._password}';\n"
            "GRANT ALL ON *.* TO 'admin'@'%' WITH GRANT OPTION;\n"
        )
        self._log = open(folder / "server.log", "wb")
        user = f"--user={getpass.getuser()}"
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={folder}/data", user,
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            stdout=self._log, stderr=self._log, timeout=START_WITHIN_S, check=True,
        )  # fmt: skip
        self._process = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--datadir={folder}/data", f"--socket={folder}/sock", user,
             f"--pid-file={folder}/pid", f"--init-file={folder}/accounts.sql", f"--port={self._port}",
             "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin",
             "--innodb-buffer-pool-size=256M", "--innodb-log-file-size=64M",
             "--innodb-flush-log-at-trx-commit=2", "--innodb-use-native-aio=OFF",
             "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin"],
            stdout=self._log, stderr=self._log,
        )  # fmt: skip
        wait_until(self._answers, "MariaDB answers")

    def _answers(self) -> bool:
        assert self._process.poll() is None, "MariaDB ended"
        try:
            Schema(self._port, "admin", self._password, "mysql").connect().close()
            return True
        except pymysql.err.OperationalError:
            return False

    def schema(self) -> Schema:
        name = f"kt_{secrets.token_hex(6)}"
        admin = Schema(self._port, "admin", self._password, "mysql")
        admin.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        return replace(admin, name=name)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


class DynamoDb:
    """dynalite in memory: an independent implementation that checks requests as DynamoDB does, pages
    at 1 MB, and cuts a scan into segments by the hash of the key."""

    def __init__(self, modules: Path) -> None:
        self._port = free_port()
        script = (
            "const server = require('dynalite')({createTableMs: 20, deleteTableMs: 0});"
            f"server.listen({self._port}, '127.0.0.1');"
        )
        self._process = subprocess.Popen(
            ["node", "-e", script], env={**os.environ, "NODE_PATH": str(modules)}
        )
        wait_until(self._answers, "DynamoDB answers")

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def _answers(self) -> bool:
        assert self._process.poll() is None, "dynalite ended"
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class Throttle:
    """Stands before a DynamoDB, counts calls, and refuses a part of them as DynamoDB does when a table
    has no throughput left; of a batch of items it may take only some."""

    def __init__(self, endpoint: str, refused_part: float, seed: int = 1) -> None:
        self.calls: Counter[str] = Counter()
        self.refused = 0
        self.pages_with_more = 0
        self.segments: set[tuple[int, int]] = set()
        self._endpoint, self._part = endpoint, refused_part
        self._chance, self._lock = random.Random(seed), threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = outer._answer(dict(self.headers), body)
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def _answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        call = headers["X-Amz-Target"].split(".")[1]
        request = json.loads(body)
        with self._lock:
            self.calls[call] += 1
            refuse = self._chance.random() < self._part
            self.refused += refuse
            if call == "Scan":
                self.segments.add((request["Segment"], request["TotalSegments"]))
        if refuse and call == "BatchWriteItem":
            return self._take_some(headers, request)
        if refuse:
            name = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
            return 400, json.dumps({"__type": name, "message": "slow down"}).encode()
        status, answer = self._forward(headers, body)
        if call == "Scan" and status == 200 and "LastEvaluatedKey" in json.loads(answer):
            with self._lock:
                self.pages_with_more += 1
        return status, answer

    def _take_some(self, headers: dict[str, str], request: Any) -> tuple[int, bytes]:
        ((table, items),) = request["RequestItems"].items()
        half = len(items) // 2
        if half:
            request["RequestItems"] = {table: items[:half]}
            status, answer = self._forward(headers, json.dumps(request).encode())
            assert status == 200, answer
        left = {"UnprocessedItems": {table: items[half:]}}
        return 200, json.dumps(left).encode()

    def _forward(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower() in ("x-amz-target", "content-type", "authorization", "x-amz-date")
        }
        request = urllib.request.Request(self._endpoint, body, kept, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def ending(server: Any) -> Iterator[Any]:
    try:
        yield server
    finally:
        server.stop()

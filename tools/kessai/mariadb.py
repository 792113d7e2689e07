"""MariaDB of a stack: one server with a schema and a user per service.

It runs as whoever runs the command (as root too: a clone under /root would be out of reach of any
other user), on its own data directory, reading no configuration but its own.
"""

from __future__ import annotations

import getpass
import subprocess

from . import credentials
from .diagnosis import Diagnosis
from .settings import StackSettings
from .stack import HOST, SERVICES, Stack
from .supervisor import Process, digest

NAME = "mariadb"

_CONFIG = """\
# Written by ./kessai; changes here are lost.
[mariadbd]
user = {user}
datadir = {data}
socket = {socket}
pid-file = {data}/mariadbd.pid
bind-address = {host}
port = {port}
tmpdir = {tmp}
lc-messages-dir = /usr/share/mysql
init-file = {init_file}
skip-name-resolve
skip-external-locking
max_connections = 400
max_allowed_packet = 64M
thread_cache_size = 100
table_open_cache = 4000
open_files_limit = 16384
performance_schema = OFF

# Nothing acknowledged is lost by kill -9 or a power cut.
innodb_flush_log_at_trx_commit = 1
innodb_doublewrite = ON
{binlog}

innodb_buffer_pool_size = {buffer_pool}
innodb_log_file_size = {log_file}
innodb_flush_method = O_DIRECT
innodb_flush_neighbors = 0
innodb_io_capacity = 2000
# Dirty pages are written all the time: in a burst, when the pool is full of them, commits would wait.
innodb_max_dirty_pages_pct_lwm = 10
innodb_lock_wait_timeout = 5
innodb_print_all_deadlocks = ON
innodb_autoinc_lock_mode = 2

# As the services expect it of Aurora MySQL and TiDB too. Keys compare byte by byte.
transaction_isolation = READ-COMMITTED
character_set_server = utf8mb4
collation_server = utf8mb4_bin
default_time_zone = +00:00
sql_mode = ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION

# Bulk loads of generated days use LOAD DATA LOCAL; the server itself reads files from here only.
local_infile = ON
secure_file_priv = {tmp}
"""

_BINLOG_ON = """\
log_bin = {data}/binlog
binlog_format = ROW
sync_binlog = 1
server_id = 1
binlog_expire_logs_seconds = 86400"""


def socket_path(stack: Stack) -> str:
    return str(stack.directory / "mysql.sock")


def schema(service: str) -> str:
    return f"kessai_{service}"


def url(stack: Stack) -> str:
    password = credentials.password(stack, "mysql-root")
    return f"mysql://root:{password}@{HOST}:{stack.port('mariadb')}"


def service_url(stack: Stack, service: str) -> str:
    user, password = schema(service), credentials.password(stack, f"mysql-{service}")
    return f"mysql://{user}:{password}@{HOST}:{stack.port('mariadb')}/{schema(service)}"


def prepare(stack: Stack, settings: StackSettings) -> bool:
    """Writes the configuration and makes the data directory; true if that was made now."""
    _check_socket_path(stack)
    (stack.directory / "tmp").mkdir(exist_ok=True)
    (stack.config / "mariadb.cnf").write_text(_configuration(stack, settings))
    credentials.write_private(stack.secrets / "mysql-accounts.sql", _accounts(stack).encode())
    credentials.write_private(stack.secrets / "mysql-root.cnf", _client_config(stack).encode())
    if (stack.data / NAME / ".complete").exists():
        return False
    _install(stack)
    return True


def _configuration(stack: Stack, settings: StackSettings) -> str:
    data = stack.data / NAME
    return _CONFIG.format(
        user=getpass.getuser(),
        data=data,
        tmp=stack.directory / "tmp",
        socket=socket_path(stack),
        host=HOST,
        port=stack.port("mariadb"),
        init_file=stack.secrets / "mysql-accounts.sql",
        binlog=_BINLOG_ON.format(data=data) if settings.mysql_binlog else "skip-log-bin",
        buffer_pool=settings.mysql_buffer_pool,
        log_file=settings.mysql_log_file,
    )


def process(stack: Stack, settings: StackSettings) -> Process:
    return Process(
        name=NAME,
        command=["mariadbd", f"--defaults-file={stack.config / 'mariadb.cnf'}"],
        listens=stack.listens(NAME),
        depends_on=[digest(_configuration(stack, settings))],
        stop_grace_s=60,  # a clean shutdown writes dirty pages
    )


def not_ready(stack: Stack) -> str:
    """Empty when the server answers queries, else why it does not."""
    try:
        answer = _query(stack, "SELECT 1")
    except subprocess.TimeoutExpired:
        return "no answer within 5 s"
    if answer.returncode != 0:
        return answer.stderr.strip().splitlines()[-1] if answer.stderr.strip() else "not answering"
    return ""


def query(stack: Stack, sql: str) -> str:
    """Runs SQL as root over the socket; tab-separated rows without headings."""
    answer = _query(stack, sql)
    if answer.returncode != 0:
        raise Diagnosis("MariaDB refused a statement", "see the message", answer.stderr.strip())
    return answer.stdout


def _query(stack: Stack, sql: str) -> subprocess.CompletedProcess[str]:
    options = f"--defaults-file={stack.secrets / 'mysql-root.cnf'}"
    return subprocess.run(
        ["mariadb", options, "--batch", "--skip-column-names", "-e", sql],
        capture_output=True, text=True, timeout=5, check=False,
    )  # fmt: skip


def _install(stack: Stack) -> None:
    data = stack.data / NAME
    if data.exists():  # left by an interrupted attempt: nothing ever ran on it
        subprocess.run(["rm", "-rf", "--", str(data)], check=True)
    data.mkdir(mode=0o700)
    result = subprocess.run(
        [
            "mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={getpass.getuser()}",
            "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
            "--innodb-log-file-size=8M", "--cross-bootstrap",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode != 0:
        raise Diagnosis(
            "MariaDB's data directory could not be made",
            "see the messages; free some disk, then run ./kessai up again",
            (result.stdout + result.stderr)[-2000:],
        )
    (data / ".complete").touch()


def _accounts(stack: Stack) -> str:
    """Run by the server at each start before it listens, so that no account is ever open."""
    root = credentials.password(stack, "mysql-root")
    lines = []
    for host in ("localhost", HOST):
        lines.append(f"CREATE USER IF NOT EXISTS 'root'@'{host}';")
        lines.append(f"ALTER USER 'root'@'{host}' IDENTIFIED BY '{root}';")
        lines.append(f"GRANT ALL PRIVILEGES ON *.* TO 'root'@'{host}' WITH GRANT OPTION;")
    for service in SERVICES:
        lines.append(f"CREATE DATABASE IF NOT EXISTS `{schema(service)}`;")
        lines += _account(stack, schema(service), f"mysql-{service}")
        lines.append(_grant("ALL PRIVILEGES", service, schema(service)))
    lines += _account(stack, "kessai_audit", "mysql-audit")
    lines += [_grant("SELECT", service, "kessai_audit") for service in SERVICES]
    return "\n".join(lines) + "\n"


def _account(stack: Stack, user: str, password_name: str) -> list[str]:
    password = credentials.password(stack, password_name)
    return [
        f"CREATE USER IF NOT EXISTS '{user}'@'{HOST}';",
        f"ALTER USER '{user}'@'{HOST}' IDENTIFIED BY '{password}';",
    ]


def _grant(what: str, service: str, user: str) -> str:
    escaped = schema(service).replace("_", "\\_")  # an underscore is a wildcard in a grant
    return f"GRANT {what} ON `{escaped}`.* TO '{user}'@'{HOST}';"


def _client_config(stack: Stack) -> str:
    password = credentials.password(stack, "mysql-root")
    return f"[client]\nuser = root\npassword = {password}\nsocket = {socket_path(stack)}\n"


def _check_socket_path(stack: Stack) -> None:
    if len(socket_path(stack)) > 100:  # sockaddr_un holds 107 bytes
        raise Diagnosis(
            f"the path {socket_path(stack)} is too long for a socket",
            "clone into a directory with a shorter path",
        )

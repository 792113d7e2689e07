"""Redis of a stack: one server per service, because none may see another's keys."""

from __future__ import annotations

import socket

from . import credentials
from .settings import StackSettings
from .stack import HOST, SERVICES, Stack
from .supervisor import Process, digest

_CONFIG = """\
# Written by ./kessai; changes here are lost.
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir {data}
daemonize no
supervised no
loglevel notice
databases 1
# Keeps its environment readable, by which the command knows its processes.
set-proc-title no
tcp-keepalive 60

# Redis only makes Kessai faster and can be lost at any time: nothing is written to disk.
save ""
appendonly no

# At the bound the least recently used key goes, with or without a time to live: all of them can be
# made again, and refusing writes (noeviction) or evicting only keys with a time to live (volatile-*)
# would turn a full cache into errors. Nonces are written once, so the oldest, whose time window is
# nearly over, are the first to go.
maxmemory {memory}
maxmemory-policy allkeys-lru
"""


def name(service: str) -> str:
    return f"redis-{service}"


def url(stack: Stack, service: str) -> str:
    return f"redis://:{credentials.password(stack, name(service))}@{HOST}:{stack.port(name(service))}"


def prepare(stack: Stack, settings: StackSettings) -> None:
    for service in SERVICES:
        (stack.data / name(service)).mkdir(exist_ok=True)
        config = _configuration(stack, settings, service)
        credentials.write_private(stack.secrets / f"{name(service)}.conf", config.encode())


def _configuration(stack: Stack, settings: StackSettings, service: str) -> str:
    return _CONFIG.format(
        host=HOST,
        port=stack.port(name(service)),
        password=credentials.password(stack, name(service)),
        data=stack.data / name(service),
        memory=settings.redis_memory,
    )


def processes(stack: Stack, settings: StackSettings) -> list[Process]:
    return [
        Process(
            name=name(service),
            command=["redis-server", str(stack.secrets / f"{name(service)}.conf")],
            listens=stack.listens(name(service)),
            depends_on=[digest(_configuration(stack, settings, service))],
        )
        for service in SERVICES
    ]


def not_ready(stack: Stack, service: str) -> str:
    """Empty when the instance answers PING, else why it does not."""
    password = credentials.password(stack, name(service))
    try:
        with socket.create_connection((HOST, stack.port(name(service))), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            connection.settimeout(2)
            answer = b""
            while answer.count(b"\r\n") < 2:
                piece = connection.recv(256)
                if not piece:
                    break
                answer += piece
    except OSError as error:
        return str(error)
    return "" if answer == b"+OK\r\n+PONG\r\n" else answer.decode(errors="replace").strip()

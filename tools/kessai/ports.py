"""Who listens where, read from /proc."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Iterable

from .diagnosis import Diagnosis
from .procs import Proc, look_up
from .stack import DEFAULT_PORT_BASE, HOST, recorded_port_bases

_LISTEN = "0A"
_PORTS_OF_A_STACK = 1000
_BASES = range(18000, 32000, _PORTS_OF_A_STACK)  # below what the kernel gives to clients


def is_open(port: int, timeout_s: float = 0.5) -> bool:
    """Whether something accepts connections on 127.0.0.1:port."""
    try:
        with socket.create_connection((HOST, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def listeners() -> dict[int, set[int]]:
    """Port to the inodes of its listening sockets, for every TCP listener on this machine."""
    found: dict[int, set[int]] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTEN:
                port = int(fields[1].rsplit(":", 1)[1], 16)
                found.setdefault(port, set()).add(int(fields[9]))
    return found


def owner(inodes: set[int]) -> Proc | None:
    """The process that holds one of these sockets; None when it is another user's."""
    targets = {f"socket:[{inode}]" for inode in inodes}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            handles = list(os.scandir(f"/proc/{entry}/fd"))
        except OSError:
            continue
        for handle in handles:
            try:
                if os.readlink(handle.path) in targets:
                    return look_up(int(entry))
            except OSError:
                continue
    return None


def require_free(wanted: dict[str, int], ours: set[int]) -> None:
    """Refuses when a wanted port is taken by a process that is not in `ours` (pids)."""
    taken = listeners()
    for name, port in wanted.items():
        if port not in taken:
            continue
        holder = owner(taken[port])
        if holder is not None and holder.pid in ours:
            continue
        if holder is not None:
            who = f"pid {holder.pid} ({holder.command[:100]})"
            remedy = f"stop pid {holder.pid}, or {_move(taken)}"
        else:
            who = "a process of another user"
            remedy = f"find it with 'sudo ss -ltnp sport = :{port}', or {_move(taken)}"
        raise Diagnosis(f"port {port}, needed by {name}, is in use by {who}", remedy)


def free_base(taken: Iterable[int]) -> int | None:
    """A port base at which nothing listens, and no stack has its place; None when there is none."""
    stacks = {*DEFAULT_PORT_BASE.values(), *recorded_port_bases()}
    ends = {port for base in stacks for port in (base, base + _PORTS_OF_A_STACK - 1)}
    used = {port // _PORTS_OF_A_STACK for port in {*taken, *ends}}
    return next((base for base in _BASES if base // _PORTS_OF_A_STACK not in used), None)


def _move(taken: Iterable[int]) -> str:
    base = free_base(taken)
    if base is None:
        return "move the stack with KESSAI_PORT_BASE to 1000 free ports"
    return f"move the stack to free ports: KESSAI_PORT_BASE={base} ./kessai up"

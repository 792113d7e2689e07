"""What can be turned from outside about the stack itself, by environment. All have defaults.

These variables belong to the command; the services never see them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Mapping

from .diagnosis import Diagnosis


@dataclass(frozen=True)
class StackSettings:
    mysql_buffer_pool: str  # KESSAI_STACK_MYSQL_BUFFER_POOL, such as 1G
    mysql_log_file: str  # KESSAI_STACK_MYSQL_LOG_FILE: size of InnoDB's redo log
    mysql_binlog: bool  # KESSAI_STACK_MYSQL_BINLOG=on: a row binlog, synced at every commit
    kafka_heap: str  # KESSAI_STACK_KAFKA_HEAP, such as 768m
    redis_memory: str  # KESSAI_STACK_REDIS_MEMORY per instance, such as 256mb


def stack_settings(
    stack_name: str,
    environment: Mapping[str, str] = os.environ,
    memory_bytes: int | None = None,
) -> StackSettings:
    small = stack_name == "test"
    pool = "512M" if small else _buffer_pool(memory_bytes or _memory_bytes())
    return StackSettings(
        mysql_buffer_pool=_size(environment, "MYSQL_BUFFER_POOL", pool),
        mysql_log_file=_size(environment, "MYSQL_LOG_FILE", "256M" if small else "1G"),
        mysql_binlog=_switch(environment, "MYSQL_BINLOG", False),
        kafka_heap=_size(environment, "KAFKA_HEAP", "512m" if small else "768m"),
        redis_memory=_size(environment, "REDIS_MEMORY", "256mb"),
    )


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _buffer_pool(memory_bytes: int) -> str:
    """A sixth of the memory, from 1 to 4 GiB: a load of some minutes should not read from disk."""
    return f"{min(4096, max(1024, memory_bytes // 6 >> 20))}M"


def _size(environment: Mapping[str, str], name: str, default: str) -> str:
    text = environment.get(f"KESSAI_STACK_{name}", default)
    if not re.fullmatch(r"[1-9][0-9]{0,5}([kmg]b?)", text, re.IGNORECASE):
        raise Diagnosis(f"KESSAI_STACK_{name}={text} is not a size", f"use one like {default}")
    return text


def _switch(environment: Mapping[str, str], name: str, default: bool) -> bool:
    text = environment.get(f"KESSAI_STACK_{name}", "on" if default else "off")
    if text not in ("on", "off"):
        raise Diagnosis(f"KESSAI_STACK_{name}={text} is not a switch", "use on or off")
    return text == "on"

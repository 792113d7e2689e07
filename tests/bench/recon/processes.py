"""What processes of a stack use: processor time and memory, from /proc."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Mapping

_TICKS = os.sysconf("SC_CLK_TCK")


class Usage:
    """Of some processes, from `begin` on."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._cpu: dict[str, float] = {}
        self._resident: dict[str, int] = {}

    def begin(self) -> None:
        for name, pid in self._pids.items():
            # 5: the peak begins anew (proc(5)).
            Path(f"/proc/{pid}/clear_refs").write_text("5")
            self._cpu[name] = _cpu_seconds(pid)
            self._resident[name] = _status_mib(pid, "VmRSS")

    def cpu_seconds(self) -> dict[str, float]:
        return {name: _cpu_seconds(pid) - self._cpu[name] for name, pid in self._pids.items()}

    def peak_mib(self) -> dict[str, int]:
        return {name: _status_mib(pid, "VmHWM") for name, pid in self._pids.items()}

    def more_mib(self) -> dict[str, int]:
        """By how much the peak is above what was resident at the beginning."""
        return {name: peak - self._resident[name] for name, peak in self.peak_mib().items()}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _status_mib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) // 1024
    raise AssertionError(f"/proc/{pid}/status has no {name}")

"""A load on the stack by `kessai-load`, which keeps a journal of what it was told."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

PAYMENTS_PER_S = 60
SETTLE_S = 60
# Longer than the suite may take: it is ended when it is not needed any more.
TIME_S = 900


class SteadyLoad:
    def __init__(self, binaries: Path, stack_file: Path, directory: Path) -> None:
        self._program = str(binaries / "kessai-load")
        self._stack_file = str(stack_file)
        self._journal = str(directory / "journal")
        self._log = (directory / "load.log").open("w+")
        self._process = subprocess.Popen(
            [self._program, "run", "--stack-file", self._stack_file, "--journal", self._journal,
             "--rate", str(PAYMENTS_PER_S), "--seconds", str(TIME_S), "--merchants", "8",
             "--users", "100", "--settle-seconds", str(SETTLE_S)],
            stdout=subprocess.DEVNULL, stderr=self._log,
        )  # fmt: skip

    def require_running(self) -> None:
        code = self._process.poll()
        assert code is None, f"the load has ended with exit code {code}: {self.said()}"

    def end(self) -> int:
        """Settles what is open; gives the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(SETTLE_S + 30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def verify(self) -> subprocess.CompletedProcess[str]:
        """Judges the stack by the journal."""
        return subprocess.run(
            [self._program, "verify", "--stack-file", self._stack_file, "--journal", self._journal,
             "--wait-seconds", "60", "--no-api", "--json"],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def said(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text()[-2_000:]

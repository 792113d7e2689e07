"""The load of tests/load as a process, and the requests in flight by its journal."""

from __future__ import annotations

import bisect
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, BinaryIO, Sequence

_PROGRAM_ENDS_WITHIN_S = 200.0


class LoadFailed(Exception):
    """The load's program did not do its part: nothing is known of the stack."""


class JournalTail:
    """How many requests are under way, from the lines that the client has written so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._cut_off = b""
        # Each line's time, and how many requests were under way after it.
        self._times_us: list[int] = []
        self._counts: list[int] = []

    def in_flight(self) -> int:
        self._read()
        return self._counts[-1] if self._counts else 0

    def in_flight_at(self, moment_us: int, timeout_s: float = 30.0) -> int:
        """At that moment, as soon as the journal has gone beyond it."""
        deadline = time.monotonic() + timeout_s
        self._read()
        while not self._times_us or self._times_us[-1] <= moment_us:
            if time.monotonic() > deadline:
                raise LoadFailed(f"the client has done nothing for {timeout_s:.0f} s")
            time.sleep(0.005)
            self._read()
        at = bisect.bisect_right(self._times_us, moment_us)
        return self._counts[at - 1] if at > 0 else 0

    def _read(self) -> None:
        if self._file is None:
            if not self._path.exists():
                return
            self._file = open(self._path, "rb")
        *lines, self._cut_off = (self._cut_off + self._file.read()).split(b"\n")
        for line in lines:
            if line.startswith((b">\t", b"<\t")):
                count = self._counts[-1] if self._counts else 0
                self._times_us.append(int(line.split(b"\t", 2)[1]))
                self._counts.append(count + (1 if line[:1] == b">" else -1))


class SteadyLoad:
    """`kessai-load`: puts a load on the stack until it is told to end, and keeps a journal."""

    def __init__(self, binaries: Path, stack_file: Path, directory: Path, seed: int) -> None:
        self._program = binaries / "kessai-load"
        self._stack_file = stack_file
        self.journal = directory / "journal.tsv"
        self._log = directory / "load.log"
        self._seed = seed
        self._process: subprocess.Popen[bytes] | None = None
        self.tail = JournalTail(self.journal)

    def start(self, rate: float, options: Sequence[str] = ()) -> None:
        command = [
            str(self._program), "run", "--stack-file", str(self._stack_file),
            "--journal", str(self.journal), "--rate", str(rate), "--seconds", "3600",
            "--seed", str(self._seed), "--json", "--connections", "128", "--open-max", "256",
            *options,
        ]  # fmt: skip
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)

    def await_requests(self, count: int, timeout_s: float = 60.0) -> None:
        """Until the load is up to speed: so many requests have been sent."""
        deadline = time.monotonic() + timeout_s
        while self._lines() < count:
            if self._process is None or self._process.poll() is not None:
                raise LoadFailed(f"the load ended by itself: {self._last_words()}")
            if time.monotonic() > deadline:
                raise LoadFailed(f"the load does not come up to speed: {self._last_words()}")
            time.sleep(0.1)

    def await_in_flight(self, timeout_s: float = 30.0) -> int:
        """Waits for a moment with requests under way."""
        deadline = time.monotonic() + timeout_s
        while True:
            count = self.tail.in_flight()
            if count > 0:
                return count
            if time.monotonic() > deadline:
                raise LoadFailed(f"no request is under way for {timeout_s:.0f} s")
            time.sleep(0.001)

    def finish(self) -> dict[str, Any]:
        """Begins nothing more; returns the load's own counts when all is settled or given up."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            out, _ = self._process.communicate(timeout=_PROGRAM_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.abandon()
            raise LoadFailed(f"the load does not end: {self._last_words()}") from None
        if self._process.returncode != 0:
            raise LoadFailed(f"exit code {self._process.returncode}: {self._last_words()}")
        return dict(json.loads(out.splitlines()[-1]))

    def abandon(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def verify(self, moments_us: Sequence[int]) -> dict[str, Any]:
        """Judges the stack by the journal: its report, with "clean" and what offends in "words"."""
        command = [
            str(self._program), "verify", "--stack-file", str(self._stack_file),
            "--journal", str(self.journal), "--json",
            "--at", ",".join(str(moment) for moment in moments_us),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=600, check=False)
        if done.returncode not in (0, 1) or not done.stdout:
            raise LoadFailed(f"verify: {done.stderr.decode(errors='replace')[-2000:]}")
        report = dict(json.loads(done.stdout.splitlines()[-1]))
        report["words"] = done.stderr.decode(errors="replace")
        return report

    def _lines(self) -> int:
        if not self.journal.exists():
            return 0
        return self.journal.read_bytes().count(b"\n")

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""


def audit(binaries: Path, stack_file: Path) -> tuple[int, str]:
    """What `kessai audit` says: 0 is clean and complete."""
    done = subprocess.run(
        [str(binaries / "kessai-audit"), "--stack-file", str(stack_file)],
        capture_output=True, timeout=600, check=False, env={**os.environ},
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

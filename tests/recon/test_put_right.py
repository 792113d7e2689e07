"""Goal: when all that was damaged is put right, nobody can tell that it was.

Method: the audit, which reads every row and event, after all other tests of this suite.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Callable

from kessai_client.stack_file import StackFile
from stored_books import StoredBooks

Say = Callable[[str], None]
LIMIT_S = 300


def test_the_audit_finds_nothing(
    books: StoredBooks, stack: StackFile, binaries: Path, say: Say
) -> None:
    done = subprocess.run(
        [str(binaries / "kessai-audit"), "--stack-file", str(stack.path)],
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    say(f"{len(books.keys):,} changes: {done.stdout.strip().splitlines()[-1]}")

"""Goal: whoever follows the README's first call by hand gets what it promises.

Method: its block of commands is run by bash as it stands, against the stack under test.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from kessai_client.stack_file import StackFile

ROOT = Path(__file__).resolve().parents[2]


def test_the_first_call_by_hand_works(stack: StackFile) -> None:
    section = (ROOT / "README.md").read_text().split("## A first call by hand", 1)[1]
    script = section.split("```sh\n", 1)[1].split("```", 1)[0]
    done = subprocess.run(
        ["bash", "-eu", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, "BASE": stack.url, "CA": stack.ca_file}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "COMPLETED", done.stdout

#!/usr/bin/env python3
"""check_format.py ROOT [CLANG_FORMAT]: exits 1 and names every file that clang-format would change."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from source_tree import Tree

FILES_A_CALL = 20


def badly_formatted(root: str, clang_format: str) -> list[str]:
    """One line a place, as clang-format reports it. Raises when clang-format cannot be run."""
    paths = [file.path for file in Tree(root).cpp]
    groups = [paths[start:start + FILES_A_CALL] for start in range(0, len(paths), FILES_A_CALL)]

    def check_group(group):
        run = subprocess.run([clang_format, "--dry-run", "-Werror", *group], cwd=Path(root),
                             capture_output=True, text=True)
        lines = [line for line in run.stderr.splitlines() if "error:" in line]
        if run.returncode != 0 and not lines:
            lines = [run.stderr.strip() or f"{clang_format} failed with {run.returncode}"]
        return lines

    with ThreadPoolExecutor() as pool:
        return [line for lines in pool.map(check_group, groups) for line in lines]


def main(root: str, clang_format: str = "clang-format") -> int:
    try:
        lines = badly_formatted(root, clang_format)
    except FileNotFoundError:
        print(f"{clang_format} is not installed: apt-get install clang-format", file=sys.stderr)
        return 2
    print("\n".join(lines))
    print(f"{len(lines)} places to format (clang-format -i FILE)" if lines else "formatted")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["."])))

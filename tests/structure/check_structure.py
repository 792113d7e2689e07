#!/usr/bin/env python3
"""check_structure.py ROOT: exits 1 and names every place that breaks a rule of rules.py."""

import sys

from rules import RULES, check
from source_tree import Tree


def main(root: str) -> int:
    tree = Tree(root)
    if not tree.cpp:
        print(f"no C++ under {root}: not the root of the tree?", file=sys.stderr)
        return 2
    findings = check(tree)
    for finding in findings:
        print(finding)
    print(f"{len(RULES)} rules over {len(tree.files)} files: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))

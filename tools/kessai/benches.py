"""`./kessai bench`: measurements on servers of their own, and that of payments, on a stack that is up."""

from __future__ import annotations

from types import ModuleType
from typing import Sequence

from . import external, files_bench, recon_bench, release_bench, say
from .external import External

# Each has `main(arguments) -> exit code`, and starts and ends what it needs.
OF_THEIR_OWN: dict[str, tuple[ModuleType, str]] = {
    "release": (release_bench, "the release of a day, on servers of its own"),
    "recon": (recon_bench, "the comparison of a day, on a stack of its own"),
    "files": (files_bench, "merchants' files of a day, on a MariaDB of its own"),
}


def main(payments: External, arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in OF_THEIR_OWN:
        bench, _ = OF_THEIR_OWN[arguments[0]]
        return bench.main(arguments[1:])
    code = external.main(payments, arguments)
    if external.asks_for_help(arguments):
        for name, (_, what) in OF_THEIR_OWN.items():
            say.line(f"{name}: {what}: ./kessai bench {name} --help")
    return code

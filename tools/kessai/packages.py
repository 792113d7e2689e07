"""Installs what is missing of tools/packages.txt with apt-get, and starts none of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Sequence

from . import say
from .diagnosis import Diagnosis
from .lock import shared_parts
from .stack import ROOT

FILE = ROOT / "tools" / "packages.txt"
_POLICY = Path("/usr/sbin/policy-rc.d")
_POLICY_TEXT = """\
#!/bin/sh
# Put here by ./kessai while it installs packages, so that none of them starts a service.
exit 101
"""
# Debian's services of packages in the list. Kessai runs its own, so they are not enabled at boot.
_SERVICE_OF = {"redis-server": "redis-server.service"}


def wanted() -> list[str]:
    """The names in tools/packages.txt."""
    lines = (line.split("#")[0].split() for line in FILE.read_text().splitlines())
    return [words[0] for words in lines if words]


def missing(names: Sequence[str]) -> list[str]:
    """Those neither installed nor provided by what is: Node.js from elsewhere brings its npm."""
    result = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}|${Package}, ${Provides}\n"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    there: set[str] = set()
    for line in result.stdout.splitlines():
        status, _, entries = line.partition("|")
        if status.strip() == "ii":
            there.update(entry.split("(")[0].split(":")[0].strip() for entry in entries.split(","))
    return [name for name in names if name not in there]


def install_missing() -> None:
    if shutil.which("apt-get") is None:
        raise Diagnosis(
            "this is not a Debian machine: there is no apt-get",
            "use Debian 12, in a virtual machine or a container if need be",
        )
    if not missing(wanted()):
        return
    with shared_parts("install packages"):
        names = missing(wanted())
        if names:  # else whoever had the lock has installed them
            _install(names)


def _install(names: Sequence[str]) -> None:
    with say.step(f"install {len(names)} packages: {' '.join(names)}"):
        with _nothing_starts():
            # Fresh lists: old ones name versions that the mirrors have dropped since.
            _as_root(["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "update"], names)
            _as_root(
                ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", "install",
                 "--no-install-recommends", *names],
                names,
            )  # fmt: skip
        for name in names:
            _leave_disabled(name)


@contextmanager
def _nothing_starts() -> Iterator[None]:
    """While it lasts packages start no service, by Debian's policy-rc.d."""
    if _POLICY.exists():  # the machine has a policy of its own: that one holds
        yield
        return
    _as_root(["tee", str(_POLICY)], [], feed=_POLICY_TEXT)
    _as_root(["chmod", "755", str(_POLICY)], [])
    try:
        yield
    finally:
        if _POLICY.read_text() == _POLICY_TEXT:
            _as_root(["rm", "-f", str(_POLICY)], [])


def _leave_disabled(name: str) -> None:
    unit = _SERVICE_OF.get(name)
    if unit and Path("/run/systemd/system").exists():
        _as_root(["systemctl", "disable", "--quiet", unit], [])
        say.line(f"    {unit} came with {name}: it is not started and not enabled at boot")


def _as_root(command: Sequence[str], names: Sequence[str], feed: str = "") -> None:
    prefix: list[str] = []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise Diagnosis(
                "packages are missing, and there is neither root nor sudo to install them",
                f"as root: apt-get install --no-install-recommends {' '.join(names)}",
            )
        prefix = ["sudo"]
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    result = subprocess.run(
        [*prefix, *environment, *command],
        input=feed, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode != 0:
        raise Diagnosis(
            f"'{' '.join(command)}' failed",
            "see the messages; if they speak of the network, check the machine's apt sources",
            (result.stdout[-1500:] + result.stderr[-1500:]).strip(),
        )

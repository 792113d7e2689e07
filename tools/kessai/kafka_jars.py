"""Fetches Kafka with Maven: the version and its runtime closure are named by tools/kafka/pom.xml."""

from __future__ import annotations

import re
from pathlib import Path

from . import children
from .diagnosis import Diagnosis
from .stack import CACHE, ROOT

_POM = ROOT / "tools" / "kafka" / "pom.xml"


def directory() -> Path:
    return CACHE / f"kafka-{version()}"


def version() -> str:
    found = re.search(r"<kafka.version>([^<]+)</kafka.version>", _POM.read_text())
    assert found, f"{_POM} names no kafka.version"
    return found.group(1)


def present() -> bool:
    """Whether the jars are there, for the POM as it is now."""
    stamp = directory() / ".complete"
    return stamp.exists() and stamp.read_text() == _POM.read_text()


def fetch() -> None:
    """Resolves the jars into the cache. Maven takes mirrors and proxies from its own settings."""
    target = directory()
    for old in target.glob("*.jar"):
        old.unlink()
    result = children.run(
        [
            "mvn", "--batch-mode", "--no-transfer-progress", "--quiet", "-Dstyle.color=never",
            f"-Dmaven.repo.local={CACHE / 'm2'}", "--file", str(_POM),
            "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}",
        ]
    )  # fmt: skip
    if result.returncode != 0:
        raise Diagnosis(
            f"Maven could not fetch Kafka {version()}",
            "check that this machine reaches a Maven repository (mirrors and proxies are set in "
            "~/.m2/settings.xml, a proxy's certificate in /usr/local/share/ca-certificates), then "
            "run ./kessai up again",
            (result.stdout + result.stderr).strip()[-2000:],
        )
    (target / ".complete").write_text(_POM.read_text())

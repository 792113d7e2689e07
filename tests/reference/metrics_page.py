"""Compares docs/metrics.yaml with the metrics that the services have; with --write, writes it.

A service knows its metrics once it is put together, for which it needs a whole configuration, but
neither servers nor data: this gives it the one of a stack that is never started.

    metrics_page.py --preset-binaries build/dev/bin SERVICE…
    metrics_page.py --preset-binaries build/dev/bin --write
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "metrics.yaml"
sys.path.insert(0, str(ROOT / "tools"))

from kessai import pki, services  # noqa: E402
from kessai.stack import SERVICES, Stack, save_stack  # noqa: E402

HEAD = """\
# Every metric of every service: what dashboards and alerts may rely on. `<service> metrics-reference`
# prints a service's entries; with `--schema docs/metrics.yaml` it names what differs from this file.
# Written by `cmake --build build/dev --target metrics_reference`; a test compares them.
# `services: [all]` is what the runtime and the libraries under it give every process.
"""


def ask(binaries: Path, stack: Stack, service: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    of_stack = services.Service(service, stack, "none")
    environment = {"PATH": os.environ["PATH"], **of_stack.environment()}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
        if name in os.environ:
            environment[name] = os.environ[name]
    program = str(binaries / f"kessai-{service}")
    return subprocess.run(
        [program, "metrics-reference", "--config", str(of_stack.config_file), *arguments],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def entries(binaries: Path, stack: Stack) -> dict[str, dict]:
    """By name, each with the services that have it. What the page says of units is kept, because a
    service can only guess them; so is what it says to be of every service."""
    found: dict[str, dict] = {}
    before = {entry["name"]: entry for entry in yaml.safe_load(PAGE.read_text())}
    for service in SERVICES:
        said = ask(binaries, stack, service)
        if said.returncode != 0:
            raise SystemExit(f"kessai-{service} metrics-reference: {said.stderr}")
        for entry in yaml.safe_load(said.stdout):
            old = before.get(entry["name"], entry)
            known = found.setdefault(entry["name"], {**entry, "unit": old["unit"], "services": []})
            if old["services"] == ["all"]:
                known["services"] = ["all"]
            else:
                known["services"] = sorted({*known["services"], *entry["services"]})
            known["labels"] = sorted({*known["labels"], *entry["labels"]})
    return found


def section_of(name: str) -> str:
    return name.split("_")[1] if name.startswith("kessai_") else ""


def page(found: dict[str, dict]) -> str:
    lines = [HEAD]
    of_all = [entry for entry in found.values() if entry["services"] == ["all"]]
    lines += [line_of(entry) for entry in of_all]
    section = ""
    others = [entry for entry in found.values() if entry["services"] != ["all"]]
    for entry in sorted(others, key=lambda one: (section_of(one["name"]), one["name"])):
        if section_of(entry["name"]) != section:
            section = section_of(entry["name"])
            lines.append(f"\n# {section}")
        lines.append(line_of(entry))
    return "\n".join(lines) + "\n"


def line_of(entry: dict) -> str:
    labels, owners = ", ".join(entry["labels"]), ", ".join(entry["services"])
    text = str(entry["help"]).replace("\\", "\\\\").replace('"', '\\"')
    return (
        f"- {{name: {entry['name']}, type: {entry['type']}, unit: {entry['unit']},"
        f" labels: [{labels}], services: [{owners}], help: \"{text}\"}}"
    )


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--preset-binaries", type=Path, required=True)
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("service", nargs="*")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="kessai-metrics-") as directory:
        stack = Stack("metrics", 1024, Path(directory), "none")
        save_stack(stack)
        pki.ensure(stack)
        if options.write:
            PAGE.write_text(page(entries(options.preset_binaries, stack)))
            return 0
        wrong = 0
        for service in options.service:
            said = ask(options.preset_binaries, stack, service, "--schema", str(PAGE))
            sys.stderr.write(said.stdout + said.stderr)
            wrong += said.returncode != 0
        if wrong:
            print(f"{PAGE} is not what the services have: "
                  "cmake --build build/dev --target metrics_reference", file=sys.stderr)  # fmt: skip
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

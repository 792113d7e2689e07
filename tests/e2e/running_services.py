"""Runs a service of the stack under test anew, with other settings.

In process, because `./kessai test` holds the stack while its tests run, and `./kessai restart` would
have to wait for it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Mapping

from kessai_client.stack_file import StackFile

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from kessai import services  # noqa: E402
from kessai.services import Service  # noqa: E402
from kessai.stack import open_stack  # noqa: E402
from kessai.startup import serve  # noqa: E402
from kessai.supervisor import Supervisor  # noqa: E402


def service_of(stack: StackFile, name: str) -> Service:
    preset = Path(stack.content["binaries"]).parent.name
    return Service(name, open_stack(stack.content["stack"]), preset)


def restart(stack: StackFile, name: str, settings: Mapping[str, str] | None = None) -> None:
    """With these settings over the stack's own (path → value), without any other ones."""
    service = service_of(stack, name)
    wanted = [f"{path}={value}" for path, value in (settings or {}).items()]
    services.save_overrides(service.stack, name, services.merged_overrides({}, wanted, clear=True))
    process = service.process()
    supervisor = Supervisor(service.stack)
    supervisor.begin([process])
    serve(service.stack, supervisor, process, service.not_ready, restart=True)

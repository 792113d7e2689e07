"""`up`: from whatever there is to a whole stack that serves, doing only what is missing."""

from __future__ import annotations

import os
from datetime import date
from functools import partial
from typing import Sequence

from . import access, build, external, kafka, packages, pki, ports, preflight, say, servers
from .diagnosis import Diagnosis
from .parallel import side_by_side
from .services import Service, all_services, merged_overrides, save_overrides
from .stack import PROCESS_LISTENERS, SERVICES, Stack, save_stack
from .startup import serve
from .supervisor import Supervisor

STOP_ORDER = (("gateway",), tuple(name for name in SERVICES if name != "gateway"), servers.NAMES)


def servers_up(
    stack: Stack, preset: str = "release", names: Sequence[str] = servers.NAMES
) -> Supervisor:
    """Kafka, MariaDB and Redis only: what integration tests need; or those of them with `names`."""
    supervisor = Supervisor(stack)
    packages.install_missing()
    if kafka.NAME in names:
        servers.fetch()
    _prepare(stack)
    _bring_servers(stack, supervisor, preset, names)
    return supervisor


def whole_stack_up(stack: Stack, preset: str, phases: say.Phases, compile_first: bool) -> None:
    """Everything but the demonstration."""
    supervisor = Supervisor(stack)
    running = bool(supervisor.members())
    with phases.phase("machine"):
        preflight.check(stack, running)
        _require_ports(stack, supervisor)
        packages.install_missing()
        servers.fetch()
    if compile_first:
        with phases.phase("build"):
            build.build(preset, build.programs(preset))
    for service in all_services(stack, preset):
        service.require_program()
    with phases.phase("servers"):
        _prepare(stack)
        _bring_servers(stack, supervisor, preset)
    with phases.phase("services"):
        _bring_services(stack, supervisor, preset)
    access.write(stack, preset)


def begin_books(stack: Stack, first_day: date) -> None:
    """Lets a new stack's books begin in the past, with days that end only when they are closed."""
    if stack.exists:
        raise Diagnosis(
            f"the books of the stack '{stack.name}' have begun already",
            f"take another name, or ./kessai reset --stack {stack.name} first",
        )
    save_stack(stack)
    settings = merged_overrides({}, [f"day.first={first_day}", "day.scheduled=false"], clear=True)
    save_overrides(stack, "payment", settings)


def show_access(stack: Stack) -> None:
    say.line()
    for text in access.lines(stack):
        say.line(f"  {text}")


def demonstrate(stack: Stack, phases: say.Phases) -> None:
    """One payment through everything, when the program for it is in the tree."""
    demo = external.find("demo")
    if demo is None or external.program(demo, stack) is None:
        say.line("no demonstration payment: this tree has no program for it yet")
        return
    with phases.phase("demonstration"):
        external.run(demo, stack, [], check=True)


def stop(stack: Stack) -> bool:
    """Ends everything of the stack; false if something would not end."""
    left = Supervisor(stack).stop_everything(STOP_ORDER)
    for proc in left:
        say.warning(f"pid {proc.pid} does not end: {proc.command}")
    return not left


def _require_ports(stack: Stack, supervisor: Supervisor) -> None:
    """Early: nobody wants to hear of a port in use after minutes of building."""
    ours = {proc.pid for proc in supervisor.members()}
    for process in PROCESS_LISTENERS:
        ports.require_free(stack.listens(process), ours)


def _prepare(stack: Stack) -> None:
    save_stack(stack)
    issued = pki.ensure(stack)
    if issued:
        say.line(f"  ✓ certificates issued: {', '.join(issued)}")


def _bring_servers(
    stack: Stack, supervisor: Supervisor, preset: str, names: Sequence[str] = servers.NAMES
) -> None:
    services = [service.process() for service in all_services(stack, preset)]
    servers.up(stack, supervisor, services, names)


def _bring_services(stack: Stack, supervisor: Supervisor, preset: str) -> None:
    services = all_services(stack, preset)
    with say.step("migrate " + ", ".join(f"kessai_{service.name}" for service in services)):
        side_by_side([partial(_check_and_migrate, service) for service in services])
    side_by_side([partial(_bring_service, stack, supervisor, service) for service in services])


def _check_and_migrate(service: Service) -> None:
    service.run("check-config", timeout_s=20)
    service.run("migrate")


def _bring_service(stack: Stack, supervisor: Supervisor, service: Service) -> None:
    restart = supervisor.outdated(service.name) or _runs_old_program(supervisor, service)
    process = service.process()
    where = ", ".join(f"{name} {port}" for name, port in process.listens.items())
    already = supervisor.running(service.name) is not None and not restart
    with say.step(f"{service.name} {'already serves' if already else 'serves'}: {where}"):
        serve(
            stack, supervisor, process, service.not_ready, restart=restart,
            suspect=service.override_remedy(),
        )  # fmt: skip


def _runs_old_program(supervisor: Supervisor, service: Service) -> bool:
    """Whether it runs a program that has been compiled anew since."""
    running = supervisor.running(service.name)
    if running is None:
        return False
    try:
        now = os.stat(service.program)
        then = os.stat(f"/proc/{running.pid}/exe")
    except OSError:
        return False
    return (now.st_dev, now.st_ino) != (then.st_dev, then.st_ino)

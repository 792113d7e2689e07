"""The command line: which sub-commands there are and which module does each."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from datetime import date, datetime, timedelta, timezone
from typing import Callable, Sequence

from . import access, benches, build, external, packages, say, servers, services, status, suites, up
from .diagnosis import Diagnosis
from .lock import exclusive
from .settings import stack_settings
from .stack import PROCESS_LISTENERS, SERVICES, Stack, ignored_port_base, open_stack
from .startup import serve
from .supervisor import Supervisor

_TEST_BUDGET_MINUTES = 87.0
_JAPAN = timezone(timedelta(hours=9))


def main(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end what we started, in order
    try:
        command = external.find(arguments[0]) if arguments else None
        if command is not None:  # its arguments are its program's, not ours to read
            run = benches.main if command.name == "bench" else external.main
            return run(command, arguments[1:])
        options = _parser().parse_args(arguments or ["help"])
        return int(options.run(options))
    except Diagnosis as diagnosis:
        sys.stdout.flush()
        print(diagnosis.text(), file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("\nkessai: interrupted; ./kessai down ends what was started", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./kessai", description="Builds and runs Kessai.")
    commands = parser.add_subparsers(metavar="command", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
        part = commands.add_parser(name, help=summary, description=summary)
        part.set_defaults(run=run)
        return part

    def with_stack(part: argparse.ArgumentParser, default: str = "dev") -> argparse.ArgumentParser:
        part.add_argument("--stack", default=default, help=f"which stack (default: {default})")
        return part

    def with_preset(part: argparse.ArgumentParser) -> argparse.ArgumentParser:
        part.add_argument("--preset", default="release", help="CMake preset (default: release)")
        return part

    part = with_preset(with_stack(add("up", _up, "installs, builds, starts everything, makes a payment")))
    part.add_argument("--no-build", action="store_true", help="run what is built")
    part.add_argument("--no-demo", action="store_true", help="make no demonstration payment")
    part.add_argument("--first-day", metavar="DATE", type=_past_day,
                      help="a new stack's books begin on this day in the past, and their days end "
                      "only by ./kessai day close: to try out weeks within minutes")  # fmt: skip
    with_stack(add("down", _down, "ends everything that up started"))
    part = with_stack(add("status", _status, "shows every process, and why it is not ready"))
    part.add_argument("--json", action="store_true")
    part = with_stack(add("logs", _logs, "shows the ends of the logs"))
    part.add_argument("process", nargs="*", help="which (default: all)")
    part.add_argument("-f", "--follow", action="store_true", help="go on showing what comes")
    part.add_argument("-n", "--lines", type=int, default=40)
    part = with_preset(with_stack(add("restart", _restart, "starts one process anew")))
    part.add_argument("process", choices=list(PROCESS_LISTENERS))
    part.add_argument("--set", action="append", default=[], metavar="PATH=VALUE",
                      help="with this setting, such as executor.batch_max=1; settings add up over "
                      "calls and stay, over down and up too, until --clear (status shows them)")  # fmt: skip
    part.add_argument("--clear", action="store_true",
                      help="forgets the settings of earlier calls; with --set beside it only the "
                      "new ones are in force then")  # fmt: skip
    part = with_stack(add("reset", _reset, "ends the stack and removes its data, logs and secrets"))
    part.add_argument("--yes", action="store_true", help="do not ask (asked is only at a terminal)")
    with_preset(add("build", _build, "compiles everything"))

    part = with_preset(with_stack(add("test", _test, "runs tests on a stack of their own"), "test"))
    part.add_argument("suite", nargs="*", help=f"{', '.join(suite.name for suite in suites.SUITES)}")
    part.add_argument("--keep", action="store_true", help="leave the stack running afterwards")
    part.add_argument("--seed", type=int, help="of what a suite does by chance (kill prints its own)")
    part.add_argument("--budget-minutes", type=float, default=_TEST_BUDGET_MINUTES)

    part = with_preset(with_stack(add("servers", _servers, "only Kafka, MariaDB and Redis")))
    part.add_argument("action", choices=["up", "down", "env"])

    for command in external.COMMANDS:
        commands.add_parser(command.name, help=command.summary)

    add("help", lambda options: _help(parser), "shows this")
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return 0


def _past_day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no date like 2026-10-25") from None
    if day >= datetime.now(_JAPAN).date():
        raise argparse.ArgumentTypeError(f"{text} is not over in Japan")
    return day


def _kept(options: argparse.Namespace) -> Stack:
    """The stack where it is."""
    stack = open_stack(options.stack)
    if ignored := ignored_port_base(stack):
        say.warning(ignored)
    return stack


def _moved(options: argparse.Namespace) -> Stack:
    """The stack where the environment wants it; what is wrong in the environment is refused."""
    stack, before = open_stack(options.stack, may_move=True), open_stack(options.stack)
    stack_settings(stack.name)
    if before.exists and before.port_base != stack.port_base:
        say.line(
            f"the stack '{stack.name}' moves from the ports from {before.port_base} to those from "
            f"{stack.port_base}: what runs is started anew there"
        )
    return stack


def _up(options: argparse.Namespace) -> int:
    stack = _moved(options)
    phases = say.Phases()
    with exclusive(stack):
        if options.first_day is not None:
            up.begin_books(stack, options.first_day)
        up.whole_stack_up(stack, options.preset, phases, compile_first=not options.no_build)
    if not options.no_demo:
        up.demonstrate(stack, phases)
    up.show_access(stack)
    say.line(f"\nup: {phases.split()}")
    return 0


def _down(options: argparse.Namespace) -> int:
    stack = _kept(options)
    if not stack.exists:
        say.line(f"the stack '{stack.name}' was never up")
        return 0
    with exclusive(stack):
        count = len(Supervisor(stack).members())
        if not up.stop(stack):
            return 1
    say.line(f"down: {count} processes ended" if count else "nothing was running")
    return 0


def _status(options: argparse.Namespace) -> int:
    stack = _kept(options)
    if not stack.exists:
        say.line(f"the stack '{stack.name}' was never up")
        return 1
    return status.show(stack, options.json)


def _logs(options: argparse.Namespace) -> int:
    stack = _kept(options)
    return status.follow_logs(stack, options.process, options.follow, options.lines)


def _restart(options: argparse.Namespace) -> int:
    stack = _kept(options)
    name = options.process
    if (options.set or options.clear) and name not in SERVICES:
        raise Diagnosis(f"{name} takes no --set", "that is for: " + ", ".join(SERVICES))
    supervisor = Supervisor(stack)
    if supervisor.runsvdir() is None:
        raise Diagnosis(f"the stack '{stack.name}' is not up", "run ./kessai up")
    with exclusive(stack), say.step(f"restart {name}"):
        if name in SERVICES:
            service = _reconfigured(stack, name, options)
            process, why_not = service.process(), service.not_ready
            suspect = service.override_remedy()
        else:
            process = next(entry for entry in servers.processes(stack) if entry.name == name)
            why_not = lambda: servers.not_ready(stack, name)  # noqa: E731
            suspect = ""
        supervisor.begin([process])
        serve(stack, supervisor, process, why_not, restart=True, suspect=suspect)
    return 0


def _reconfigured(stack: Stack, name: str, options: argparse.Namespace) -> services.Service:
    """The service with its --set settings, which are kept only if it accepts them."""
    service = services.Service(name, stack, options.preset)
    before = services.overrides(stack, name)
    after = services.merged_overrides(before, options.set, options.clear)
    services.save_overrides(stack, name, after)
    try:
        service.run("check-config")
    except Diagnosis as refusal:
        services.save_overrides(stack, name, before)
        remedy = "see its messages; nothing was changed"
        raise Diagnosis(refusal.problem, remedy, refusal.details) from None
    return service


def _reset(options: argparse.Namespace) -> int:
    stack = _kept(options)
    if not stack.directory.exists():
        say.line(f"the stack '{stack.name}' has nothing to remove")
        return 0
    if not options.yes and not _agreed(stack):
        say.line("nothing was removed")
        return 1
    with exclusive(stack):
        if not up.stop(stack):
            return 1
        shutil.rmtree(stack.directory)
    say.line(f"reset: .kessai/{stack.name} is gone; builds and downloads stay")
    return 0


def _agreed(stack: Stack) -> bool:
    """Asks at a terminal, where a hand may slip; a script means what it says."""
    if not sys.stdin.isatty():
        return True
    running = "which is running, " if Supervisor(stack).members() else ""
    try:
        answer = input(
            f"this removes all data, logs and secrets of the stack '{stack.name}', {running}for good: yes? "
        )
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _build(options: argparse.Namespace) -> int:
    packages.install_missing()
    build.build(options.preset)
    return 0


def _test(options: argparse.Namespace) -> int:
    stack = _moved(options)
    with exclusive(stack):
        return suites.run(
            stack,
            options.suite,
            options.preset,
            options.keep,
            options.budget_minutes,
            options.seed,
        )


def _servers(options: argparse.Namespace) -> int:
    stack = _moved(options) if options.action == "up" else _kept(options)
    if options.action == "down":
        return _down(options)
    if options.action == "up":
        with exclusive(stack):
            up.servers_up(stack, options.preset)
        return 0
    for name, value in access.test_environment(_existing(stack)).items():
        say.line(f"export {name}='{value}'")
    return 0


def _existing(stack: Stack) -> Stack:
    if not stack.exists:
        raise Diagnosis(f"the stack '{stack.name}' was never up", "run ./kessai up")
    return stack

"""Merchants' reconciliation files: layouts, who gets them, what is made, and the files.

DATE is like 2026-11-22, or `yesterday` (the day before the open one).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import sys
import time
import zipfile
from pathlib import Path
from typing import Any, Sequence

import session as operate
from session import Misuse, Problem, Session, age, path, table

POLL_S = 0.5
_UNDER_WAY = ("WAITING", "RUNNING")


def is_meant(arguments: Sequence[str]) -> bool:
    """Whether `recon` was called with `files` as its action, before which only options may stand."""
    words = iter(arguments)
    for word in words:
        if word in ("--stack-file", "--operator"):
            next(words, None)
        elif not word.startswith("-"):
            return word == "files"
    return False


def main(arguments: Sequence[str]) -> int:
    rest = list(arguments)
    rest.remove("files")
    parser = operate.parser("recon files", __doc__ or "")
    actions = parser.add_subparsers(dest="action", metavar="action")

    part = operate.action(actions, "templates", "the layouts there are")
    part = operate.action(actions, "template", "prints a layout")
    part.add_argument("template", metavar="TEMPLATE")
    part.add_argument("--version", type=int, metavar="N", help="without it the latest")
    part = operate.action(actions, "put-template", "puts a layout: a new version, unless it is the latest already")
    part.add_argument("template", metavar="TEMPLATE")
    part.add_argument("file", metavar="FILE", nargs="?", help="the layout in YAML; without it only the time is put")
    part.add_argument("--at", metavar="HH:MM", help="when a day's files are made, in Japan on the next day")
    part = operate.action(actions, "preview", "shows what a layout would make of a merchant's closed day; stores nothing")
    part.add_argument("template", metavar="TEMPLATE|FILE.yaml", help="one that was put, or a file")
    part.add_argument("merchant", metavar="MERCHANT")
    part.add_argument("date", metavar="DATE")
    part.add_argument("--rows", type=int, default=10, metavar="N", help="default: 10")
    part = operate.action(actions, "assign", "says who gets files by a layout, from a day on")
    part.add_argument("template", metavar="TEMPLATE")
    part.add_argument("merchants", metavar="MERCHANT|all", nargs="+")
    part.add_argument("--from", dest="first", metavar="DATE", help="the first day")
    mode = part.add_mutually_exclusive_group()
    mode.add_argument("--on-demand", dest="mode", action="store_const", const="ON_DEMAND",
                      help="only when somebody asks; else every day")  # fmt: skip
    mode.add_argument("--not", dest="mode", action="store_const", const="NOT_ASSIGNED",
                      help="they get none, though all do")  # fmt: skip
    part.set_defaults(mode="SCHEDULED")
    part = operate.action(actions, "assignments", "who gets files by a layout")
    part.add_argument("template", metavar="TEMPLATE")

    part = operate.action(actions, "make", "has a day's files made; those that are there stay")
    _run_arguments(part)
    part = operate.action(actions, "again", "has files that are there made anew: a new version where the bytes differ")
    _run_arguments(part)
    part.add_argument("--reason", required=True, type=operate.reason, help="why, kept with the run")
    part.add_argument("--force", action="store_true", help="a new version though the bytes are the same")
    part = operate.action(actions, "runs", "runs that make files, newest first")
    part.add_argument("--template")
    part.add_argument("--day", metavar="DATE")
    part.add_argument("--last", type=int, default=20, metavar="N", help="how many (default: 20)")
    part = operate.action(actions, "run", "one run, with the merchants whose files cannot be made")
    part.add_argument("run", metavar="RUN")

    part = operate.action(actions, "cancel", "gives up a run that has not ended; what it made stays")
    part.add_argument("run", metavar="RUN")
    part.add_argument("--reason", required=True, type=operate.reason, help="why, kept with the run")

    part = operate.action(actions, "list", "files, newest day first")
    part.add_argument("--merchant")
    part.add_argument("--template")
    part.add_argument("--day", metavar="DATE", help="only of this day")
    part.add_argument("--latest", action="store_true", help="without versions that a newer one corrects")
    part.add_argument("--last", type=int, default=100, metavar="N", help="how many (default: 100)")
    part = operate.action(actions, "get", "writes a file, and checks its SHA-256")
    part.add_argument("file", metavar="FILE")
    part.add_argument("-o", "--output", metavar="PATH", help="without it the file's own name, here")
    part = operate.action(actions, "renotify", "tells the merchant of a file again (file.created)")
    part.add_argument("file", metavar="FILE")

    options = parser.parse_args(rest)
    if options.action is None:
        parser.print_help()
        return 0
    return operate.run(options, COMMANDS[options.action])


def _run_arguments(part: argparse.ArgumentParser) -> None:
    part.add_argument("template", metavar="TEMPLATE")
    part.add_argument("date", metavar="DATE")
    part.add_argument("--merchant", help="only of this one")
    part.add_argument("--timeout", type=float, default=3600, metavar="SECONDS",
                      help="how long to wait for its end (default: 3600)")  # fmt: skip


def templates(session: Session, options: argparse.Namespace) -> int:
    found = session.pages("/operator/v1/file-templates", "templates", pageSize=1000)
    rows = [
        (one["name"], one["version"], one["source"], one["scheduleAt"], one["scheduledThroughDate"] or "-",
         "the product" if one["builtIn"] else one["putBy"], one["description"])
        for one in found
    ]  # fmt: skip
    head = ("TEMPLATE", "V", "SOURCE", "AT", "MADE UNTIL", "BY", "WHAT")
    return _show(options, found, [table(head, rows, right=(1,))])


def template(session: Session, options: argparse.Namespace) -> int:
    one = session.get(path("file-templates", options.template), version=options.version)
    if options.json:
        operate.show_json(one)
    else:
        sys.stdout.write(one["yaml"])
    return 0


def put_template(session: Session, options: argparse.Namespace) -> int:
    wish: dict[str, str] = {}
    if options.file:
        wish["yaml"] = _layout(options.file)
    if options.at:
        wish["scheduleAt"] = options.at
    if not wish:
        raise Misuse("a file with the layout, --at, or both")
    one = session.put(path("file-templates", options.template), wish)
    said = f"template {one['name']} version {one['version']}, of {one['source']}, made at {one['scheduleAt']} JST"
    return _show(options, one, [said])


def preview(session: Session, options: argparse.Namespace) -> int:
    wish: dict[str, Any] = {
        "merchantId": options.merchant,
        "businessDate": operate.day(session, options.date),
        "rows": options.rows,
    }
    if options.template.endswith((".yaml", ".yml")):
        wish["yaml"] = _layout(options.template)
    else:
        wish["template"] = options.template
    made = session.post("/operator/v1/file-previews", wish)
    if options.json:
        operate.show_json(made)
        return 0
    for file in made["files"]:
        print(f"== {file['name']}: {file['rows']:,} rows")
        print(readable(bytes.fromhex(file["content"])), end="")
    more = "; the day has more" if made["hasMore"] else ""
    print(f"== {made['rowsRead']:,} rows were read{more}; nothing was stored")
    return 0


def readable(content: bytes) -> str:
    """The text of a file in any form that templates give it."""
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    elif content.startswith(b"PK\x03\x04"):
        archive = zipfile.ZipFile(io.BytesIO(content))
        return "".join(f"-- {name}\n{readable(archive.read(name))}" for name in archive.namelist())
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("cp932", errors="replace")


def assign(session: Session, options: argparse.Namespace) -> int:
    wish: dict[str, Any] = {"mode": options.mode}
    if options.merchants != ["all"]:
        if "all" in options.merchants:
            raise Misuse("either all, or merchants")
        wish["merchantIds"] = options.merchants
    if options.first:
        wish["fromDate"] = operate.day(session, options.first)
    elif options.mode != "NOT_ASSIGNED":
        raise Misuse("--from DATE says for which days files are made")
    answer = session.put(path("file-templates", options.template, "assignments"), wish)
    return _show_assignments(options, answer["assignments"])


def assignments(session: Session, options: argparse.Namespace) -> int:
    target = path("file-templates", options.template, "assignments")
    return _show_assignments(options, session.pages(target, "assignments", pageSize=1000))


def _show_assignments(options: argparse.Namespace, found: Any) -> int:
    rows = [
        ("all" if one["merchantId"] == "0" else one["merchantId"], one["mode"], one["fromDate"] or "all days",
         one["putBy"], age(one["putAt"]))
        for one in found
    ]  # fmt: skip
    return _show(options, found, [table(("MERCHANT", "MODE", "FROM", "BY", "AGE"), rows)] if rows else ["nobody"])


def make(session: Session, options: argparse.Namespace) -> int:
    return _run(session, options, {})


def again(session: Session, options: argparse.Namespace) -> int:
    return _run(session, options, {"again": {"reason": options.reason, "force": options.force}})


def _run(session: Session, options: argparse.Namespace, more: dict[str, Any]) -> int:
    wish = {"template": options.template, "businessDate": operate.day(session, options.date), **more}
    if options.merchant:
        wish["merchantId"] = options.merchant
    deadline = time.monotonic() + options.timeout
    run = session.post("/operator/v1/file-runs", wish)
    while run["state"] in _UNDER_WAY and time.monotonic() < deadline:
        time.sleep(POLL_S)
        run = session.get(path("file-runs", run["runId"]))
    return _show_run(options, run)


def runs(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.day) if options.day else None
    found = _first(session, options.last, "/operator/v1/file-runs", "runs",
                   template=options.template, businessDate=date)  # fmt: skip
    rows = [
        (one["runId"], one["name"], one["businessDate"], one["state"], f"{one['merchantsDone']:,}",
         f"{one['files']:,}", f"{one['rows']:,}", f"{one['merchantsRefused']:,}", one["requestedBy"],
         age(one["createdAt"]), one["reason"] or one["againReason"])
        for one in found
    ]  # fmt: skip
    head = ("RUN", "TEMPLATE", "DAY", "STATE", "MERCHANTS", "FILES", "ROWS", "REFUSED", "BY", "AGE", "WHY")
    return _show(options, found, [table(head, rows, right=(4, 5, 6, 7, 9))] if rows else ["no runs"])


def show_run(session: Session, options: argparse.Namespace) -> int:
    return _show_run(options, session.get(path("file-runs", options.run)))


def cancel(session: Session, options: argparse.Namespace) -> int:
    run = session.post(path("file-runs", options.run, "cancel"), {"reason": options.reason})
    _show_run(options, run)
    return 0


def _show_run(options: argparse.Namespace, run: Any) -> int:
    """0 when everybody has their files."""
    whose = "all merchants" if run["merchantId"] == "0" else f"merchant {run['merchantId']}"
    lines = [
        f"run {run['runId']}: {run['name']} version {run['templateVersion']} of {run['businessDate']}, {whose}: {run['state']}",
        f"  files             {run['files']:,} for {run['merchantsDone']:,} merchants, {run['rows']:,} rows, {run['bytes']:,} bytes",
    ]
    if run["againReason"]:
        lines.append(f"  made again        {run['againReason']}; {run['merchantsUnchanged']:,} merchants as before")
    if run["state"] == "CANCELLED":
        lines.append(f"  cancelled         {run['message']}")
    elif run["reason"]:
        lines.append(f"  failed            {run['message']} ({run['reason']}); tried again at {run['retryAt']}")
        if run["reason"] in operate.REMEDIES:
            lines.append(f"  what to do        {operate.REMEDIES[run['reason']]}")
    if run["merchantsRefused"]:
        lines.append(f"  cannot be made    {run['merchantsRefused']:,} merchants")
        lines += [f"    merchant {one['merchantId']}: {one['message']} ({one['reason']})" for one in run["refused"]]
    if run["state"] == "DONE" and not (run["files"] or run["merchantsRefused"] or run["againReason"]):
        lines.append("  nothing to make   the files are there already, or nobody has any for that day")
    if run["state"] in _UNDER_WAY:
        lines.append(f"  it goes on        ./kessai recon files run {run['runId']}")
    _show(options, run, lines)
    return 0 if run["state"] == "DONE" and not run["merchantsRefused"] else 1


def list_files(session: Session, options: argparse.Namespace) -> int:
    date = operate.day(session, options.day) if options.day else None
    found = _first(session, options.last, "/operator/v1/files", "files", merchantId=options.merchant,
                   template=options.template, to=date, latestOnly="true" if options.latest else None,
                   **{"from": date})  # fmt: skip
    rows = [
        (one["fileId"], one["businessDate"], one["merchantId"], one["templateName"], one["version"], f"{one['rows']:,}",
         f"{one['bytes']:,}", age(one["madeAt"]), one["name"] + (" (content removed)" if one["removedAt"] else ""))
        for one in found
    ]  # fmt: skip
    head = ("FILE", "DAY", "MERCHANT", "TEMPLATE", "V", "ROWS", "BYTES", "AGE", "NAME")
    return _show(options, found, [table(head, rows, right=(4, 5, 6, 7))] if rows else ["no files"])


def get(session: Session, options: argparse.Namespace) -> int:
    """Beside its place until all of it is there and good."""
    file = session.get(path("files", options.file))
    output = Path(options.output or Path(file["name"]).name)
    half = output.with_name(output.name + ".part")
    hashed = hashlib.sha256()
    size = 0
    try:
        opened = open(half, "wb")
    except OSError as error:
        raise Misuse(f"{output} cannot be written: {error.strerror}") from None
    try:
        with opened as written:

            def take(piece: bytes) -> None:
                nonlocal size
                written.write(piece)
                hashed.update(piece)
                size += len(piece)

            session.save(path("files", options.file, "content"), take)
            written.flush()
            os.fsync(written.fileno())
        if size < file["bytes"]:
            raise Problem(0, "CONNECTION_LOST", f"{size:,} of {file['bytes']:,} bytes came: get it again")
        if hashed.hexdigest() != file["sha256"]:
            raise Problem(0, "FILE_DAMAGED", "what came is not the file that was made")
        half.replace(output)
    finally:
        half.unlink(missing_ok=True)
    lines = [f"{output}: {file['bytes']:,} bytes, {file['rows']:,} rows, SHA-256 {file['sha256']}"]
    return _show(options, {**file, "path": str(output)}, lines)


def renotify(session: Session, options: argparse.Namespace) -> int:
    file = session.post(path("files", options.file, "announcements"))
    return _show(options, file, [f"merchant {file['merchantId']} is told of {file['name']} again"])


def _first(session: Session, count: int, target: str, items: str, **query: Any) -> list[Any]:
    found = []
    for one in session.each(target, items, pageSize=max(1, min(count, 1000)), **query):
        if len(found) == count:
            break
        found.append(one)
    return found


def _layout(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Misuse(f"{file} is not UTF-8") from None
    except OSError as error:
        raise Misuse(f"{file} cannot be read: {error.strerror}") from None


def _show(options: argparse.Namespace, content: Any, lines: Sequence[str]) -> int:
    if options.json:
        operate.show_json(content)
    else:
        print("\n".join(lines))
    return 0


COMMANDS = {
    "templates": templates, "template": template, "put-template": put_template, "preview": preview,
    "assign": assign, "assignments": assignments, "make": make, "again": again, "runs": runs, "run": show_run,
    "cancel": cancel, "list": list_files, "get": get, "renotify": renotify,
}  # fmt: skip

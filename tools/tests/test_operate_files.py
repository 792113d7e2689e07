"""`./kessai recon files`: what it asks of the gateway, what it says, and what it leaves on the disk.

Method: a gateway that answers as a test says; nothing else is there.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pytest
from test_operate import Gateway

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "operate"))

import files  # noqa: E402
import recon  # noqa: E402
import session as operate  # noqa: E402
from kessai_client.http import Answer  # noqa: E402

RUN = {
    "runId": "77", "name": "own", "templateVersion": 2, "businessDate": "2026-11-21", "merchantId": "0",
    "scheduled": False, "againReason": "", "force": False, "requestedBy": "alice", "state": "DONE",
    "merchantsDone": 3, "merchantsRefused": 0, "merchantsUnchanged": 0, "files": 3, "rows": 1200,
    "bytes": 45_000, "createdAt": "2026-11-22T00:00:00Z", "startedAt": "2026-11-22T00:00:01Z",
    "finishedAt": "2026-11-22T00:00:02Z", "attempts": 1, "reason": "", "message": "", "retryAt": None,
    "refused": [],
}  # fmt: skip
CONTENT = "決済番号,金額\n1,480\n".encode("cp932")
FILE = {
    "fileId": "5", "merchantId": "7", "name": "売上_7.csv", "templateName": "own", "templateVersion": 2,
    "businessDate": "2026-11-21", "version": 1, "part": 1, "bytes": len(CONTENT),
    "sha256": hashlib.sha256(CONTENT).hexdigest(), "rows": 1, "totals": [], "madeAt": "2026-11-22T00:00:00Z",
    "expiresAt": "2027-02-20T00:00:00Z", "runId": "77", "removedAt": None,
}  # fmt: skip


class GatewayWithFiles(Gateway):
    """Sends contents to a sink, in pieces of seven bytes."""

    contents: dict[str, bytes] = {}

    def send(self, method, target, content=None, sink=None):
        if sink is None or target not in self.contents:
            return super().send(method, target, content)
        self.asked.append((f"{method} {target}", content))
        sent = self.contents[target]
        for at in range(0, len(sent), 7):
            sink(sent[at : at + 7])
        return Answer(200, {}, b"")


@pytest.fixture
def gateway(monkeypatch, tmp_path):
    made = GatewayWithFiles()
    made.contents = {}
    monkeypatch.setattr(operate.Session, "open", lambda *_: operate.Session(made.send))
    monkeypatch.setattr(files, "POLL_S", 0.0)
    monkeypatch.chdir(tmp_path)
    made.says("GET /operator/v1/days/today", {"businessDate": "2026-11-22", "state": "OPEN"})
    return made


def run(*arguments):
    return recon.main(["--stack-file", "none", "files", *arguments])


def test_it_is_recon_that_is_meant_where_files_is_no_action(gateway):
    assert not files.is_meant(["--operator", "files", "list"])
    assert files.is_meant(["--json", "--operator", "alice", "files", "list"])
    assert not files.is_meant([])
    gateway.says("GET /operator/v1/discrepancies", {"discrepancies": [], "nextPageToken": ""})
    assert recon.main(["--stack-file", "none"]) == 0


def test_a_layout_is_put_and_printed(gateway, tmp_path, capsys):
    put = "PUT /operator/v1/file-templates/own"
    one = {"name": "own", "version": 1, "source": "transactions", "scheduleAt": "01:30", "yaml": "source: 売上\n"}
    gateway.says(put, one)
    layout = tmp_path / "own.yaml"
    layout.write_text("source: 売上\n", encoding="utf-8")
    assert run("put-template", "own", str(layout), "--at", "02:00") == 0
    assert gateway.asked[-1] == (put, {"yaml": "source: 売上\n", "scheduleAt": "02:00"})
    assert "version 1" in capsys.readouterr().out
    assert run("put-template", "own", "--at", "02:00") == 0
    assert gateway.asked[-1] == (put, {"scheduleAt": "02:00"})
    assert run("put-template", "own") == 1
    assert run("put-template", "own", "nowhere.yaml") == 1
    assert "cannot be read" in capsys.readouterr().err
    gateway.refuses(put, 400, "TEMPLATE_FIELD_UNKNOWN", "line 2, column 9: no field 'x'")
    assert run("put-template", "own", str(layout)) == 1
    assert "line 2, column 9" in capsys.readouterr().err
    gateway.says("GET /operator/v1/file-templates/own", one)
    assert run("template", "own", "--version", "1") == 0
    assert capsys.readouterr().out == "source: 売上\n"
    assert gateway.asked[-1][0].endswith("?version=1")
    listed = {**one, "builtIn": True, "putBy": "kessai", "description": "日次", "scheduledThroughDate": "2026-11-20"}
    gateway.says("GET /operator/v1/file-templates", {"templates": [listed], "nextPageToken": ""})
    assert run("templates") == 0
    assert "the product" in capsys.readouterr().out


def test_a_preview_is_shown_in_any_form(gateway, tmp_path, capsys):
    def shown(content: bytes) -> str:
        gateway.says("POST /operator/v1/file-previews", {
            "files": [{"name": "a.csv", "content": content.hex(), "rows": 2}], "rowsRead": 2, "hasMore": True,
        })  # fmt: skip
        assert run("preview", "own", "7", "yesterday", "--rows", "2") == 0
        return capsys.readouterr().out

    text = "決済番号,金額\n1,480\n"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("part1.csv", text.encode("cp932"))
    for content in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("cp932"),
                    gzip.compress(text.encode("cp932")), archive.getvalue()):  # fmt: skip
        said = shown(content)
        assert text in said and "the day has more" in said and "nothing was stored" in said
    assert gateway.asked[-1][1] == {
        "merchantId": "7", "businessDate": "2026-11-21", "rows": 2, "template": "own",
    }  # fmt: skip
    (tmp_path / "draft.yaml").write_text("source: x\n")
    assert run("preview", "draft.yaml", "7", "2026-11-21") == 0
    assert gateway.asked[-1][1]["yaml"] == "source: x\n"
    assert "template" not in gateway.asked[-1][1]


def test_who_gets_files_is_said_and_shown(gateway, capsys):
    target = "/operator/v1/file-templates/own/assignments"
    everybody = {"merchantId": "0", "mode": "SCHEDULED", "fromDate": "2026-11-21", "putBy": "alice", "putAt": None}
    gateway.says(f"PUT {target}", {"assignments": [everybody]})
    assert run("assign", "own", "all", "--from", "yesterday") == 0
    assert gateway.asked[-1] == (f"PUT {target}", {"mode": "SCHEDULED", "fromDate": "2026-11-21"})
    assert "all" in capsys.readouterr().out
    assert run("assign", "own", "7", "8", "--from", "2026-11-01", "--on-demand") == 0
    assert gateway.asked[-1][1] == {"mode": "ON_DEMAND", "merchantIds": ["7", "8"], "fromDate": "2026-11-01"}
    assert run("assign", "own", "7", "--not") == 0
    assert gateway.asked[-1][1] == {"mode": "NOT_ASSIGNED", "merchantIds": ["7"]}
    asked = len(gateway.asked)
    assert run("assign", "own", "7") == 1, "no first day"
    assert run("assign", "own", "all", "7", "--from", "2026-11-01") == 1
    assert len(gateway.asked) == asked
    gateway.says(f"GET {target}", {"assignments": [], "nextPageToken": ""})
    assert run("assignments", "own") == 0
    assert capsys.readouterr().out.endswith("nobody\n")


def test_a_run_is_waited_for(gateway, capsys):
    gateway.says("POST /operator/v1/file-runs", {**RUN, "state": "WAITING"})
    gateway.says("GET /operator/v1/file-runs/77", {**RUN, "state": "RUNNING"}, RUN)
    assert run("make", "own", "yesterday") == 0
    assert ("POST /operator/v1/file-runs", {"template": "own", "businessDate": "2026-11-21"}) in gateway.asked
    assert "3 for 3 merchants, 1,200 rows" in capsys.readouterr().out
    assert run("again", "own", "2026-11-21", "--merchant", "7", "--reason", "金額の誤り", "--force") == 0
    assert gateway.asked[-2][1] == {
        "template": "own", "businessDate": "2026-11-21", "merchantId": "7",
        "again": {"reason": "金額の誤り", "force": True},
    }  # fmt: skip
    with pytest.raises(SystemExit):
        run("again", "own", "2026-11-21", "--reason", " ")
    gateway.refuses("POST /operator/v1/file-runs", 409, "DAY_NOT_CLOSED")
    assert run("make", "own", "2026-11-22") == 1
    assert "./kessai day close" in capsys.readouterr().err


def test_what_a_run_could_not_do_is_said(gateway, capsys):
    refused = {"merchantId": "9", "reason": "FILE_VALUE_TOO_WIDE", "message": "row 3, column store: too wide"}
    gateway.says("GET /operator/v1/file-runs/77", {**RUN, "merchantsRefused": 1, "refused": [refused]})
    assert run("run", "77") == 1
    assert "merchant 9: row 3, column store: too wide (FILE_VALUE_TOO_WIDE)" in capsys.readouterr().out
    failed = {**RUN, "state": "FAILED", "reason": "STORE_FULL", "message": "no space", "retryAt": "2026-11-22T00:01:00Z"}
    gateway.says("GET /operator/v1/file-runs/77", failed)
    assert run("run", "77") == 1
    said = capsys.readouterr().out
    assert "no space (STORE_FULL); tried again at 2026-11-22T00:01:00Z" in said
    assert "what to do        make room" in said
    gateway.says("GET /operator/v1/file-runs", {"runs": [failed, RUN], "nextPageToken": "more"})
    assert run("runs", "--day", "2026-11-21", "--last", "2") == 0
    assert "businessDate=2026-11-21" in gateway.asked[-1][0]
    assert len(capsys.readouterr().out.splitlines()) == 3, "and no second page"


def test_a_run_is_given_up(gateway, capsys):
    cancelled = {**RUN, "state": "CANCELLED", "reason": "FILE_RUN_CANCELLED", "message": "by alice: another layout"}
    gateway.says("POST /operator/v1/file-runs/77/cancel", cancelled)
    assert run("cancel", "77", "--reason", "another layout") == 0
    assert gateway.asked[-1] == ("POST /operator/v1/file-runs/77/cancel", {"reason": "another layout"})
    assert "cancelled         by alice: another layout" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run("cancel", "77")
    gateway.refuses("POST /operator/v1/file-runs/77/cancel", 409, "FILE_RUN_ENDED")
    assert run("cancel", "77", "--reason", "why") == 1
    assert "./kessai recon files again" in capsys.readouterr().err


def test_files_are_listed(gateway, capsys):
    gateway.says("GET /operator/v1/files", {"files": [FILE], "nextPageToken": ""})
    assert run("list", "--merchant", "7", "--day", "yesterday", "--latest") == 0
    asked = gateway.asked[-1][0]
    for part in ("merchantId=7", "from=2026-11-21", "to=2026-11-21", "latestOnly=true", "pageSize=100"):
        assert part in asked
    assert "売上_7.csv" in capsys.readouterr().out
    gateway.says("GET /operator/v1/files", {"files": [{**FILE, "removedAt": "2027-02-20T00:00:01Z"}], "nextPageToken": ""})
    assert run("list") == 0
    assert "売上_7.csv (content removed)" in capsys.readouterr().out
    gateway.says("GET /operator/v1/files", {"files": [], "nextPageToken": ""})
    assert run("list") == 0
    assert "no files" in capsys.readouterr().out


def test_a_file_is_written_when_all_of_it_is_good(gateway, tmp_path, capsys):
    content = "/operator/v1/files/5/content"
    gateway.says("GET /operator/v1/files/5", FILE)
    gateway.contents[content] = CONTENT
    assert run("get", "5") == 0
    assert (tmp_path / "売上_7.csv").read_bytes() == CONTENT
    assert run("get", "5", "-o", "mine.csv") == 0
    assert (tmp_path / "mine.csv").read_bytes() == CONTENT

    # What broke off, or is another, replaces nothing and leaves nothing.
    for wrong, code in ((CONTENT[:-1], "CONNECTION_LOST"), (CONTENT[:-1] + b"X", "FILE_DAMAGED"), (CONTENT + b"X", "FILE_DAMAGED")):
        gateway.contents[content] = wrong
        assert run("get", "5", "-o", "mine.csv") == 1
        assert code in capsys.readouterr().err
        assert (tmp_path / "mine.csv").read_bytes() == CONTENT
    del gateway.contents[content]
    gateway.refuses(f"GET {content}", 409, "FILE_EXPIRED")
    assert run("get", "5", "-o", "other.csv") == 1
    assert "files.keep" in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mine.csv", "売上_7.csv"]


def test_a_merchant_is_told_again(gateway, capsys):
    gateway.says("POST /operator/v1/files/5/announcements", FILE)
    assert run("renotify", "5") == 0
    assert "merchant 7 is told" in capsys.readouterr().out

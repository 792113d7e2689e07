"""Has a day compared and reads what was found, as an operator does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from kessai_client import waiting
from kessai_client.bearer import Operator, expect

PAGE = 1_000
UNSETTLED = ("OPEN", "EXPLAINED", "REPAIRING")


@dataclass(frozen=True)
class Run:
    number: int
    deep: bool
    state: str
    buckets_different: int
    rows_listed: int
    found: int
    failure: str
    seconds: float  # from the call until its end was seen

    @staticmethod
    def of(content: Any, seconds: float = 0.0) -> "Run":
        return Run(
            number=int(content["runNumber"]),
            deep=bool(content["deep"]),
            state=str(content["state"]),
            buckets_different=int(content["bucketsDifferent"]),
            rows_listed=int(content["rowsListed"]),
            found=int(content["discrepanciesFound"]),
            failure=str(content["failure"]),
            seconds=seconds,
        )


class Comparison:
    """Of one day."""

    def __init__(self, operator: Operator, date: str, timeout_s: float = 600.0) -> None:
        self._operator = operator
        self.date = date
        self._timeout_s = timeout_s

    def run(self, deep: bool = False) -> Run:
        """Compares the day, and waits for its end."""
        before = self._latest_number()
        begin = time.monotonic()
        content = self._begin(deep, before)
        if content["state"] == "RUNNING":
            content = waiting.until(
                f"the comparison of {self.date}",
                lambda: self._ended_after(before),
                self._timeout_s,
                every_s=0.05,
            )
        return Run.of(content, time.monotonic() - begin)

    def ask(self, deep: bool = False) -> None:
        """Asks for a run, and waits for nothing more than the answer."""
        expect(self._operator.call("POST", self._target, {"deep": deep}), 200, 202, 504)

    def latest(self) -> Run:
        return Run.of(expect(self._operator.call("GET", self._target), 200))

    def discrepancies(self, states: tuple[str, ...] = UNSETTLED) -> list[dict[str, Any]]:
        """Of the day, in these states."""
        found: list[dict[str, Any]] = []
        for state in states:
            target = (
                f"/operator/v1/discrepancies?businessDate={self.date}&state={state}&pageSize={PAGE}"
            )
            token = ""
            while True:
                page = expect(self._operator.call("GET", target + token), 200)
                found += page["discrepancies"]
                if not page.get("nextPageToken"):
                    break
                token = f"&pageToken={page['nextPageToken']}"
        return found

    def change(self, discrepancy: str, state: str, note: str) -> Any:
        target = f"/operator/v1/discrepancies/{discrepancy}"
        return expect(self._operator.call("PATCH", target, {"state": state, "note": note}), 200)

    @property
    def _target(self) -> str:
        return f"/operator/v1/days/{self.date}/reconciliation"

    def _begin(self, deep: bool, before: int) -> Any:
        """The answer; where none came in time the run may have begun, or has to be asked for again."""
        while True:
            answer = self._operator.call("POST", self._target, {"deep": deep})
            if answer.status != 504:
                return expect(answer, 200, 202)
            try:
                return waiting.until("the run", lambda: self._begun_after(before), 20.0, every_s=0.1)
            except waiting.TookTooLong:
                continue

    def _begun_after(self, number: int) -> Any | None:
        answer = self._operator.call("GET", self._target)
        if answer.status != 200:
            return None
        content = answer.json()
        return content if int(content["runNumber"]) > number else None

    def _latest_number(self) -> int:
        answer = self._operator.call("GET", self._target)
        return 0 if answer.status == 404 else int(expect(answer, 200)["runNumber"])

    def _ended_after(self, number: int) -> Any | None:
        content = expect(self._operator.call("GET", self._target), 200)
        ended = content["state"] != "RUNNING" and int(content["runNumber"]) > number
        return content if ended else None

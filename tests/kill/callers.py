"""Callers that ask again until they are answered, as one must who has lost an answer."""

from __future__ import annotations

import http.client
import threading
import time
from typing import Any, Callable, Collection

from kessai_client.bearer import AppUser, Refused
from kessai_client.http import Answer, Http

_ANSWERED_WITHIN_S = 90.0


def insist(
    what: str, ask: Callable[[], Answer], *statuses: int, again: Collection[int] = ()
) -> Any:
    """The JSON of the first answer with one of `statuses`; a refusal of another kind is raised."""
    deadline = time.monotonic() + _ANSWERED_WITHIN_S
    while True:
        try:
            answer = ask()
            if answer.status in statuses:
                return answer.json()
            last = f"HTTP status {answer.status}: {answer.text()[:500]}"
            if answer.status < 500 and answer.status not in (429, *again):
                raise Refused(f"{what}: {last}")
        except (OSError, http.client.HTTPException) as lost:
            last = repr(lost)
        if time.monotonic() > deadline:
            raise Refused(f"{what}: no answer within {_ANSWERED_WITHIN_S:.0f} s, but {last}")
        time.sleep(0.2)


class NewUsers:
    """Signs new users in, one after another, until it is told to end."""

    def __init__(self, http: Http, prefix: str) -> None:
        self._http = http
        self._prefix = prefix
        self._ids: dict[str, str] = {}
        self._failure: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="new users")

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> int:
        """How many there are; each of them signs in once more and must be the same user."""
        self.stop()
        if self._failure is not None:
            raise self._failure
        assert len(set(self._ids.values())) == len(self._ids), "two users with one id"
        for subject, user_id in self._ids.items():
            assert self._sign_in(subject) == user_id, f"{subject} has become another user"
        return len(self._ids)

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.wait(0.2):
                subject = f"{self._prefix}-{len(self._ids)}"
                self._ids[subject] = self._sign_in(subject)
        except BaseException as failure:  # told by `finish`, in the test's thread
            self._failure = failure

    def _sign_in(self, subject: str) -> str:
        body = f'{{"sub":"{subject}"}}'.encode()
        headers = {"Content-Type": "application/json"}
        token = insist(
            "token", lambda: self._http.send("POST", "/dev/v1/token", headers, body), 200
        )["token"]
        user = AppUser(self._http, str(token))
        return str(insist("sign-in", lambda: user.call("POST", "/app/v1/sign-in"), 200)["userId"])

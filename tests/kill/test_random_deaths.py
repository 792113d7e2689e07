"""kill -9 of everything, at random moments.

Goal: nothing that was acknowledged is lost and nothing happens twice, whatever dies whenever.
Method: under a steady load that asks again until it knows, each process dies several times with
requests in flight, in an order and at moments drawn by a seed; some die together with another. runit
starts them again. Then the client's own record is compared with what is stored, and the books are
audited. The programs are those that are deployed.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from conftest import Report
from steady_load import SteadyLoad
from verdict import judge, only_deaths_of_ours
from victims import VICTIMS, Death, Victims

DEATHS_EACH = int(os.environ.get("KESSAI_TEST_DEATHS") or 5)
# Half of what the gateway takes from one address, and enough to have some under way at any moment.
PAYMENTS_PER_S = 400
# Of the payments; what is acknowledged is refunded in part or cancelled, and wallets are topped up.
AND_ALSO = ("--refunds", "0.15", "--cancels", "0.1", "--top-ups", "0.2")
# From one death to the next; for some there is none, and two are dead at once.
PAUSE_S = (0.3, 3.0)
TOGETHER = 0.15


def test_random_deaths(
    victims: Victims,
    load: SteadyLoad,
    binaries: Path,
    stack_file: Path,
    seed: int,
    report: Report,
) -> None:
    chance = random.Random(seed)
    report.line(f"kill -9 at random moments, seed {seed}")
    before = {name: victims.ends(name) for name in VICTIMS}
    load.start(PAYMENTS_PER_S, AND_ALSO)
    load.await_requests(1_000)

    deaths: list[Death] = []
    left = {name: DEATHS_EACH for name in VICTIMS}
    killed = dict.fromkeys(VICTIMS, 0)
    for _ in range(3 * DEATHS_EACH):
        short = [name for name in VICTIMS if left[name] > 0]
        for name in chance.sample(short, len(short)):
            if chance.random() >= TOGETHER:
                time.sleep(chance.uniform(*PAUSE_S))  # the random moment; nothing is waited for
            victims.await_serving(name)
            load.await_in_flight()
            at_us = victims.kill(name)
            killed[name] += 1
            in_flight = load.tail.in_flight_at(at_us)
            if in_flight > 0:  # else the last was answered in between, and it does not count
                deaths.append(Death(name, at_us, in_flight))
                left[name] -= 1
    for name in VICTIMS:
        victims.await_serving(name)
    time.sleep(2)  # of load on a whole stack again

    for name in VICTIMS:
        counts = [death.in_flight for death in deaths if death.victim == name]
        shown = ", ".join(map(str, counts))
        report.line(f"  {name:<16} died {len(counts)} times, in flight {shown}")
        assert len(counts) >= DEATHS_EACH
    judge(load, deaths, binaries, stack_file, report)
    only_deaths_of_ours(victims, before, killed)

#!/usr/bin/env python3
"""Draws what the release bench measured: `plot_release.py RUNS.jsonl > release.svg`.

RUNS.jsonl holds the last lines of `./kessai bench release --json`, one run a line. Left: seconds against
the size of the day, of days by Zipf's law. Right: seconds against skew, of the largest size of which
there is more than one skew. Standard library only.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

CONTENDERS = (
    ("release_seconds", "release", "#0b6e4f"),
    ("recount_seconds", "of it the recount", "#7fb69f"),
    ("one_sql_seconds", "one SQL", "#c1440e"),
    ("spark_seconds", "Spark local[2]", "#3b5998"),
    ("old_design_seconds", "worker a merchant (extrapolated)", "#6b4e71"),
)
SKEWS = ("uniform", "zipf", "half")
WIDTH, HEIGHT = 980, 440
PLOT_TOP, PLOT_BOTTOM = 50, 330
SIZE_LEFT, SIZE_RIGHT = 70, 500
SKEW_LEFT, SKEW_RIGHT = 590, 950


class Scale:
    """Numbers onto a line of pixels, by logarithm."""

    def __init__(self, values: list[float], begin: float, end: float, room: float = 1.25):
        self.low, self.high = min(values) / room, max(values) * room
        self.begin, self.end = begin, end

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        marks = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        return [mark for mark in marks if self.low <= mark <= self.high]


def text(x: float, y: float, content: str, anchor: str = "middle", color: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{content}</text>'


def line(x1: float, y1: float, x2: float, y2: float, color: str = "#ddd") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"/>'


def seconds_axis(scale: Scale, left: float, right: float) -> list[str]:
    parts = []
    for tick in scale.ticks():
        y = scale.at(tick)
        parts += [line(left, y, right, y), text(left - 8, y + 4, f"{tick:g}", "end")]
    return parts + [text(left - 8, PLOT_TOP - 12, "seconds", "end")]


def by_size(runs: list[dict]) -> list[str]:
    runs = sorted((run for run in runs if run["skew"] == "zipf"), key=lambda run: run["accruals"])
    sizes = Scale([run["accruals"] for run in runs], SIZE_LEFT, SIZE_RIGHT)
    times = Scale(every_time(runs), PLOT_BOTTOM, PLOT_TOP)
    parts = seconds_axis(times, SIZE_LEFT, SIZE_RIGHT)
    parts.append(text((SIZE_LEFT + SIZE_RIGHT) / 2, 24, "by size: a fifth as many merchants, Zipf"))
    for size in sorted({run["accruals"] for run in runs}):
        x = sizes.at(size)
        parts += [line(x, PLOT_TOP, x, PLOT_BOTTOM), text(x, PLOT_BOTTOM + 18, f"{size / 1e6:g} M")]
    for field, _, color in CONTENDERS:
        points = [(sizes.at(run["accruals"]), times.at(run[field])) for run in runs if run.get(field)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in points]
    return parts


def by_skew(runs: list[dict]) -> list[str]:
    sizes = {size for size in (run["accruals"] for run in runs)
             if len({run["skew"] for run in runs if run["accruals"] == size}) > 1}
    if not sizes:
        return []
    size = max(sizes)
    runs = [run for skew in SKEWS for run in runs if run["accruals"] == size and run["skew"] == skew]
    times = Scale(every_time(runs), PLOT_BOTTOM, PLOT_TOP)
    parts = seconds_axis(times, SKEW_LEFT, SKEW_RIGHT)
    parts.append(text((SKEW_LEFT + SKEW_RIGHT) / 2, 24, f"by skew: {size / 1e6:g} M accruals"))
    group = (SKEW_RIGHT - SKEW_LEFT) / len(runs)
    bar = group / (len(CONTENDERS) + 1)
    for i, run in enumerate(runs):
        left = SKEW_LEFT + i * group + bar / 2
        largest = f"largest: {run['largest_merchant_accruals'] / run['accruals']:.2%}"
        middle = SKEW_LEFT + (i + 0.5) * group
        parts += [text(middle, PLOT_BOTTOM + 18, run["skew"]), text(middle, PLOT_BOTTOM + 34, largest)]
        for j, (field, _, color) in enumerate(CONTENDERS):
            if not run.get(field):
                continue
            y = times.at(run[field])
            parts.append(f'<rect x="{left + j * bar:.1f}" y="{y:.1f}" width="{bar * 0.85:.1f}" '
                         f'height="{PLOT_BOTTOM - y:.1f}" fill="{color}"/>')
    return parts


def every_time(runs: list[dict]) -> list[float]:
    return [run[field] for run in runs for field, _, _ in CONTENDERS if run.get(field)]


def legend(runs: list[dict]) -> list[str]:
    parts = []
    x = SIZE_LEFT
    for field, name, color in CONTENDERS:
        if not any(run.get(field) for run in runs):
            continue
        parts.append(f'<rect x="{x}" y="{HEIGHT - 46}" width="12" height="12" fill="{color}"/>')
        parts.append(text(x + 18, HEIGHT - 36, name, "start"))
        x += 60 + 7 * len(name)
    return parts


def draw(runs: list[dict]) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *by_size(runs),
        *by_skew(runs),
        *legend(runs),
        text(SIZE_LEFT, HEIGHT - 12, "both axes of size and all of seconds are logarithmic", "start", "#666"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    runs = [json.loads(row) for row in Path(arguments[0]).read_text().splitlines() if row.strip()]
    if wrong := [run for run in runs if not run["correct"]]:
        print(f"{len(wrong)} runs came out wrong: nothing is drawn of them", file=sys.stderr)
        return 1
    sys.stdout.write(draw(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

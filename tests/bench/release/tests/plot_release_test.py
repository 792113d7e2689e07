#!/usr/bin/env python3
"""Goal: the plot shows the runs that it is given, and nothing of runs that came out wrong.
Method: made-up runs; the SVG is parsed and its marks are counted.
"""

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).parents[1]))

import plot_release

SVG = "{http://www.w3.org/2000/svg}"


def run(accruals, skew="zipf", **more):
    return {"accruals": accruals, "skew": skew, "release_seconds": accruals / 1e6, "recount_seconds": 0.3,
            "largest_merchant_accruals": 7, "correct": True, **more}


def plot(*runs):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(json.dumps(one) for one in runs) + "\n")
        file.flush()
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            code = plot_release.main([file.name])
    return code, out.getvalue()


class PlotTest(unittest.TestCase):
    def test_every_time_has_its_mark(self):
        code, text = plot(run(1e6), run(5e6, one_sql_seconds=11.0), run(5e6, "half"))
        self.assertEqual(code, 0)
        drawn = ElementTree.fromstring(text)
        # Two sizes by Zipf with two times each, and one SQL once.
        self.assertEqual(len(drawn.findall(SVG + "circle")), 5)
        # Two skews of five million with two times each, one SQL once; the ground, and three of the legend.
        self.assertEqual(len(drawn.findall(SVG + "rect")), 5 + 1 + 3)

    def test_one_skew_alone_is_no_comparison(self):
        code, text = plot(run(1e6), run(5e6))
        self.assertEqual(code, 0)
        self.assertNotIn("by skew", text)

    def test_nothing_is_drawn_of_wrong_runs(self):
        code, text = plot(run(1e6), run(5e6, correct=False))
        self.assertEqual((code, text), (1, ""))

    def test_larger_takes_its_place_above(self):
        _, text = plot(run(1e6), run(15e6))
        marks = [mark for mark in ElementTree.fromstring(text).findall(SVG + "circle")][:2]
        self.assertLess(float(marks[1].get("cy")), float(marks[0].get("cy")))
        self.assertLess(float(marks[0].get("cx")), float(marks[1].get("cx")))


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
"""Functions are short: none over 100 lines, p90 at most 50, median at most
15; no .c file over 600 lines."""

import re
import shutil
import subprocess

from lintlib import TOP, files, finish, problem, read

LONGEST, P90, MEDIAN, FILE = 100, 50, 15, 600

# The load generators are tools beside the product.
sources = [f for f in files(".c", root=False)
           if not f.startswith("tests/bench/")]
for path in sources:
    n = read(path).count("\n")
    if n > FILE:
        problem(path, n, "%d lines; at most %d" % (n, FILE))

lengths = []
if not shutil.which("pmccabe"):
    problem("tests/lint/functions.py", 1, "pmccabe is not installed")
elif sources:
    out = subprocess.run(["pmccabe"] + sources, cwd=TOP, text=True,
                         capture_output=True, check=False).stdout
    for row in out.splitlines():
        m = re.match(r"\d+\t\d+\t\d+\t(\d+)\t(\d+)\t(.+?)\(\d+\): (.+)$", row)
        if not m:
            continue
        line, n, path, name = int(m[1]), int(m[2]), m[3], m[4]
        if not path.startswith("tests/"):
            lengths.append(n)
        if n > LONGEST:
            problem(path, line, "%s has %d lines; at most %d"
                    % (name, n, LONGEST))
lengths.sort()
if lengths:
    median = lengths[len(lengths) // 2]
    p90 = lengths[len(lengths) * 9 // 10]
    print("functions: %d, median %d lines, p90 %d, longest %d"
          % (len(lengths), median, p90, lengths[-1]))
    if median > MEDIAN:
        problem("functions", 0, "median %d; at most %d" % (median, MEDIAN))
    if p90 > P90:
        problem("functions", 0, "p90 %d; at most %d" % (p90, P90))
finish("function length")

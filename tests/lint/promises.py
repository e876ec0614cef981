#!/usr/bin/env python3
"""Each row of DESIGN.md's tables of promises, faults and attacks names the
tests that keep it, and these are there."""

import os
import re

from lintlib import TOP, finish, problem, read

DESIGN = "DESIGN.md"
TABLES = ("promise", "fault", "attack")


def is_there(name):
    """A path below tests, or what the rows of the fault matrix share."""
    path = name if name.startswith("tests/") else "tests/" + name
    return os.path.exists(os.path.join(TOP, path)) or (
        os.path.exists(os.path.join(TOP, "tests/faults", name)))


def look_at(line, cells):
    names = re.findall(r"`([^`]+)`", cells[-1])
    if not names:
        problem(DESIGN, line, "'%s' has no test" % cells[0])
    for name in names:
        if not is_there(name):
            problem(DESIGN, line, "no test '%s'" % name)


found, table = set(), None
for n, text in enumerate(read(DESIGN).splitlines(), 1):
    row = [cell.strip() for cell in text.strip("| ").split(" | ")]
    if not text.startswith("|"):
        table = None
    elif row[-1] == "test" and row[0] in TABLES:
        table = row
        found.add(row[0])
    elif table and not text.startswith("|---"):
        look_at(n, row)
for name in set(TABLES) - found:
    problem(DESIGN, 1, "no table of the tests of each %s" % name)
finish("promises")

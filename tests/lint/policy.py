#!/usr/bin/env python3
"""DESIGN.md's table of the predicates is what `mailrow policy list` prints."""

import json
import subprocess

from lintlib import finish, problem, read

BEGIN, END = "<!-- the predicates -->\n", "<!-- their end -->\n"


def rows_of(design):
    begin = design.index(BEGIN) + len(BEGIN)
    lines = design[begin:design.index(END, begin)].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")]
            for line in lines]


said = json.loads(subprocess.run(
    ["ctl/mailrow", "-c", "lib/mailrow.conf.example",
     "--json", "policy", "list"],
    check=True, stdout=subprocess.PIPE).stdout)
KEYS = ("order", "predicate", "stage", "needs", "mode", "reply", "rejects")
printed = [[str(row[key]) for key in KEYS] for row in said["predicates"]]
written = rows_of(read("DESIGN.md"))
if written != printed:
    problem("DESIGN.md", 1, "the table of the predicates is not the code's; "
            "between its marks belongs:\n| order | predicate | stage | needs "
            "| mode | reply | rejects |\n" + "|---" * len(KEYS) + "|\n"
            + "\n".join("| " + " | ".join(
                "`%s`" % cell if i == 1 else cell
                for i, cell in enumerate(row)) + " |" for row in printed))
finish("policy")

#!/usr/bin/env python3
"""Every point of lib/fault.def stands in the code, and a build without
--enable-fault-points holds none of their names."""

import os
import re

from lintlib import TOP, c_code, files, finish, line_of, problem, read

BUILD = os.environ.get("top_builddir", TOP)
PROGRAMS = ("milter/mailrow-milter", "lmtpd/mailrow-lmtpd",
            "auth/mailrow-authd", "pop3d/mailrow-pop3d", "ctl/mailrow")
TABLE = "lib/fault.def"

text = read(TABLE)
points = {m[1]: (m[2], line_of(text, m.start())) for m in re.finditer(
    r"^FAULT_POINT\((\w+),\s*\"([a-z-]+)\"", text, re.M)}
used = set()
for path in files(".c", root=False):
    if not path.startswith("tests/"):
        code = c_code(read(path))
        used |= set(re.findall(r"\bFAULT(?:_PASS)?\((\w+)\)", code))
        used |= set(re.findall(r"\bFAULT_([A-Z]\w+)", code))
for point, (name, line) in points.items():
    if point not in used:
        problem(TABLE, line, "'%s' is nowhere in the code" % name)
if len(points) != text.count("\nFAULT_POINT("):
    problem(TABLE, 1, "a row that is not understood")

with open(os.path.join(BUILD, "config.h")) as f:
    release = "#define WITH_FAULT_POINTS 1" not in f.read()
for program in PROGRAMS:
    with open(os.path.join(BUILD, program), "rb") as f:
        octets = f.read()
    held = [n for n, _ in points.values() if b"\0%s\0" % n.encode() in octets]
    if release and held:
        problem(program, 0, "holds fault points: %s" % ", ".join(held))
    if not release and len(held) != len(points):
        problem(program, 0, "does not hold the table of fault points")
finish("faults")

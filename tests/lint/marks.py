#!/usr/bin/env python3
"""No unfinished marks, no paths of one machine, scripts executable."""

import os
import re
import stat

from lintlib import TOP, files, finish, line_of, problem, read

# Written so that this file does not find itself.
MARK = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"(?<![\w.])/(wo" r"rk|ro" r"ot|ho" r"me/\w+)/"
                     r"|/tmp/b-\w+")
C = re.compile(r"\.(c|h|def)$")

for path in files():
    full = os.path.join(TOP, path)
    if not os.path.isfile(full) or path.endswith((".gz", ".bin", ".der")):
        continue
    text = read(path)
    for m in MARK.finditer(text):
        problem(path, line_of(text, m.start()),
                "an issue instead of a %s" % m.group())
    for m in MACHINE.finditer(text):
        problem(path, line_of(text, m.start()),
                "a path of one machine: %s" % m.group())
    if C.search(path) and "//" in re.sub(
            r'"(\\.|[^"\\\n])*"|/\*.*?\*/', "", text, flags=re.S):
        problem(path, 0, "block comments only")
    executable = bool(os.stat(full).st_mode & stat.S_IXUSR)
    if text.startswith("#!") and not executable:
        problem(path, 1, "a script that cannot be run (chmod +x)")
    elif executable and not text.startswith("#!"):
        problem(path, 1, "executable, but no script")
finish("marks")

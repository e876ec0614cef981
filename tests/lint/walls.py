#!/usr/bin/env python3
"""Includes run downwards only: programs -> policy -> sql -> lib."""

import re

from lintlib import c_code, files, finish, line_of, problem, read

PROGRAMS = ("milter", "lmtpd", "auth", "pop3d", "ctl")
MAY = {"lib": {"lib"}, "sql": {"sql", "lib"}, "policy": {"policy", "sql",
                                                         "lib"}}
for program in PROGRAMS:
    MAY[program] = {program, "policy", "sql", "lib"}
# A library's header, and the only files that may see it.
ONLY = {
    "mysql.h": re.compile(r"sql/[^/]+\.c$"),
    "mysql/mysql.h": re.compile(r"sql/[^/]+\.c$"),
    "libmilter/mfapi.h": re.compile(r"milter/[^/]+\.[ch]$"),
    "curl/curl.h": re.compile(r"lmtpd/forward\.c$"),
    "openssl/ssl.h": re.compile(r"lib/tls\.c$"),
}
# The pure core of policy/ knows no database.
PURE = re.compile(
    r"^policy/(?!judge|intake|refresh|settings|decision(log|note)"
    r"|limits\.|notice[._])")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)

for path in files(".c", ".h", ".def", root=False):
    text = read(path)
    folder = path.split("/")[0]
    if path.startswith("tests/bench/"):     # tools beside the product
        continue
    # The names stand in quotes, which c_code() blanks: so only ask it
    # whether the line is code at all.
    code = c_code(text)
    for m in INCLUDE.finditer(text):
        if code[m.start():m.end()].lstrip()[:1] != "#":
            continue
        name, line = m.group(2), line_of(text, m.start())
        only = ONLY.get(name)
        if only and not only.match(path):
            problem(path, line, "%s may not be included here" % name)
        target = name.split("/")[0]
        if m.group(1) != '"' or "/" not in name or folder not in MAY:
            if m.group(1) == '"' and "/" not in name and name != "config.h":
                problem(path, line, 'write the folder: "%s"' % name)
            continue
        if target not in MAY[folder]:
            problem(path, line, "%s may not include %s" % (folder, name))
        if PURE.match(path) and target == "sql":
            problem(path, line, "pure code may not include %s" % name)
finish("include walls")

#!/usr/bin/env python3
"""Banned calls, statements that are built as text, and the forced includes
that poison them."""

import re

from lintlib import c_code, files, finish, line_of, problem, read

BANNED = re.compile(
    r"\b(strcpy|strcat|strncpy|strncat|strtok|sprintf|vsprintf|gets|atoi|atol"
    r"|gmtime|localtime|ctime|asctime|mktemp|alloca|system|popen)\s*\(")
TEXT_SQL = re.compile(
    r"\b(mysql_query|mysql_real_query|mysql_real_escape_string"
    r"|mysql_escape_string)\s*\(")

for path in files(".c", ".h", root=False):
    # The load generators are tools beside the product, built without it.
    if path == "lib/banned.h" or path.startswith("tests/bench/"):
        continue
    text = read(path)
    code = c_code(text)
    for m in BANNED.finditer(code):
        problem(path, line_of(text, m.start()), "%s() is banned" % m[1])
    if not path.startswith("sql/"):
        for m in TEXT_SQL.finditer(code):
            problem(path, line_of(text, m.start()),
                    "%s() outside sql/" % m[1])
if "-include $(top_srcdir)/lib/banned.h" not in read("Makefile.am"):
    problem("Makefile.am", 1, "lib/banned.h is not forced upon every file")
finish("banned calls")

#!/usr/bin/env python3
"""SQL stands in sql/ only, and MySQL 8 can run it as well as MariaDB."""

import re

from lintlib import c_strings, files, finish, line_of, problem, read

# What MariaDB has and MySQL 8 lacks.
MARIADB = [re.compile(p, re.I) for p in (
    r"\bRETURNING\b", r"\b(CREATE|ALTER|DROP)\s+SEQUENCE\b",
    r"\bNEXT\s+VALUE\s+FOR\b", r"\b(NEXTVAL|LASTVAL|SETVAL)\s*\(",
    r"\bALTER\s+TABLE\s+IF\s+EXISTS\b",
    r"\bADD\s+(COLUMN|INDEX|KEY|UNIQUE|CONSTRAINT)\s+IF\s+NOT\s+EXISTS\b",
    r"\b(DROP|MODIFY|CHANGE)\s+(COLUMN|INDEX|KEY)\s+IF\s+EXISTS\b",
    r"\bCREATE\s+INDEX\s+IF\s+NOT\s+EXISTS\b",
    r"\bCREATE\s+OR\s+REPLACE\s+(TABLE|DATABASE|USER|ROLE)\b",
    r"\bSET\s+STATEMENT\b", r"\bEXECUTE\s+IMMEDIATE\b",
    r"\bROWS\s+EXAMINED\b", r"\bSYSTEM\s+VERSIONING\b",
    r"\b(INET4|INET6|UUID)\s+(NOT\s+)?NULL\b", r"\bFOR\s+PORTION\s+OF\b",
    r"\bBEGIN\s+NOT\s+ATOMIC\b", r"\bKILL\s+(HARD|SOFT)\b")]
# Statements, as against the same words in a sentence.
STATEMENT = re.compile(
    r"^\s*(SELECT\s|INSERT\s+(IGNORE\s+)?INTO\s|REPLACE\s+INTO\s"
    r"|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(TABLE|USER|DATABASE)\s"
    r"|ALTER\s+TABLE\s|DROP\s+(TABLE|USER|DATABASE)\s|GRANT\s+\S+\s+ON\s"
    r"|TRUNCATE\s|EXPLAIN\s+\S|SHOW\s+(VARIABLES|GLOBAL|STATUS|TABLES)"
    r"|SET\s+(SESSION|GLOBAL|NAMES|TRANSACTION|@@)"
    r"|START\s+TRANSACTION)")


def blank_comments(text):
    text = re.sub(r"/\*(?!!).*?\*/", lambda m: re.sub(r"[^\n]", " ",
                                                      m.group()),
                  text, flags=re.S)
    return re.sub(r"(?m)^\s*(--|#)[^\n]*", "", text)


for path in files(".sql", ".def", ".conf", ".c", folders=("sql", "ctl"),
                  root=False):
    if path.endswith((".c", ".def")):
        pieces = list(c_strings(read(path)))
    else:
        text = read(path)
        # lines are kept by blanking what is not SQL
        pieces = [(1, blank_comments(text))]
    for line, sql in pieces:
        for pattern in MARIADB:
            for m in pattern.finditer(sql):
                problem(path, line + line_of(sql, m.start()) - 1,
                        "MySQL 8 has no '%s'" % m.group())
for path in files(".c", ".h", ".def", root=False):
    if path.startswith(("sql/", "tests/")):
        continue
    for line, literal in c_strings(read(path)):
        if STATEMENT.match(literal):
            problem(path, line, "SQL outside sql/: %.40s" % literal)
finish("sql")

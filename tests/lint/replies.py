#!/usr/bin/env python3
"""Replies stand in lib/reply.def; no other file holds a code or a text."""

import re

from lintlib import c_strings, files, finish, problem, read

REPLY = re.compile(
    r"-ERR [A-Za-z\[]"                      # a POP3 refusal with its text
    r"|\b[245]\d\d[ -][245]\.\d{1,3}\.\d{1,3}\b"  # an SMTP reply
    r"|^[45]\d\d$"                          # a code handed to the MTA
    r"|^[45]\.\d{1,3}\.\d{1,3}$"            # an enhanced code
    r"|^\[?(SYS/TEMP|SYS/PERM|AUTH|IN-USE|LOGIN-DELAY)\]$")

for path in files(".c", ".h", root=False):
    if path.startswith("tests/"):
        continue
    for line, literal in c_strings(read(path)):
        m = REPLY.search(literal)
        if m:
            problem(path, line, "reply outside lib/reply.def: \"%s\""
                    % literal)
finish("replies")

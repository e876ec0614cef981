#!/usr/bin/env python3
"""Plays the wire transcripts of tests/dialog (see the README there)."""

import base64
import fnmatch
import os
import re
import socket

from mrtest import TOP, SandboxTest, mail, main

DIALOGS = os.path.join(TOP, "tests", "dialog")
ALICE = "alice@example.test"


def unescape(text):
    """C's escapes and $(base64), to octets."""
    def plain(t):
        return re.sub(
            rb"\\(x[0-9A-Fa-f]{2}|.)",
            lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x" and
            len(m[1]) == 3 else
            {b"t": b"\t", b"r": b"\r", b"n": b"\n"}.get(m[1], m[1]), t)
    pieces = re.split(rb"\$\((.*?)\)", text.encode())
    return b"".join(base64.b64encode(plain(p)) if i % 2 else plain(p)
                    for i, p in enumerate(pieces))


class Play:
    def __init__(self, case, name):
        self.case, self.name, self.sandbox = case, name, case.sandbox
        self.sock = self.file = None
        self.number = 0

    def run(self):
        with open(os.path.join(DIALOGS, self.name), newline="\n") as f:
            for self.number, line in enumerate(f, 1):
                line = line.rstrip("\n")
                if line and not line.startswith("#"):
                    self.step(line)
        self.drop()

    def step(self, line):
        verb, _, rest = line.partition(" ")
        if verb in ("C:", "C+"):
            self.sock.sendall(unescape(rest) +
                              (self.end if verb == "C:" else b""))
        elif verb == "S:":
            self.expect(unescape(rest))
        elif verb == "S...":
            while self.read() != b".":
                pass
        elif verb == "closed":
            self.must(self.file.readline() == b"", "still open")
        else:
            self.drop()
            {"door": self.door, "mails": self.mails,
             "sql": self.sandbox.sql}[verb](rest)

    def must(self, condition, why):
        if not condition:
            self.case.fail("%s:%d: %s" % (self.name, self.number, why))

    def read(self):
        line = self.file.readline()
        self.must(line.endswith(self.end), "got %r and the end" % line)
        return line[:-len(self.end)]

    def expect(self, pattern):
        line = self.read()
        self.must(fnmatch.fnmatchcase(line.decode("latin-1"),
                                      pattern.decode("latin-1")),
                  "got %r" % line)

    def drop(self):
        if self.sock:
            self.file.close()
            self.sock.close()
        self.sock = None

    def door(self, name):
        env = self.sandbox.env
        run = os.path.join(env["MAILROW_DIR"], "run")
        self.end = b"\n" if name.startswith("auth") else b"\r\n"
        where = {"pop3": env["MAILROW_POP3"], "smtp": env["MAILROW_SMTP"],
                 "lmtp": env["MAILROW_LMTP"],
                 "auth": os.path.join(run, "auth", "auth"),
                 "auth-pop3": os.path.join(run, "pop3", "auth")}[name]
        if where.startswith("/"):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(where)
        else:
            host, port = where.rsplit(":", 1)
            self.sock = socket.create_connection((host, int(port)))
        self.sock.settimeout(20)
        self.file = self.sock.makefile("rb")

    def mails(self, count):
        self.sandbox.empty(ALICE)
        with self.sandbox.smtp() as s:
            for i in range(int(count)):
                s.send("ann@remote.test", [ALICE],
                       mail("dialog %d" % i, b"one\r\ntwo\r\n.three\r\n"))


class Dialogs(SandboxTest):
    pass


def add(name):
    def test(self):
        Play(self, name).run()
    setattr(Dialogs, "test_" + re.sub(r"\W", "_", name[:-7]), test)


for dialog in sorted(os.listdir(DIALOGS)):
    if dialog.endswith(".dialog"):
        add(dialog)

if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A 250, and +OK to QUIT, come after a flush of the database's logs: the
server's system calls are watched, and each flush is counted to the one serial
command in whose time it lies. And what check says of a server that does not."""

import json
import os
import re
import subprocess
import time

from mrtest import SandboxTest, mail, main, wait_until

ALICE = "alice@example.test"
MAILS = 12
CALL = re.compile(r"(\d+) +(\d+\.\d+) (?:f(?:data)?sync\(\d+<([^>]*)>"
                  r"|<\.\.\. f(?:data)?sync resumed>).*"
                  r"(<unfinished \.\.\.>|= 0 <(\d+\.\d+)>)")


class Flushes:
    """The flushes that ended, as (begin, end, file), while the block ran."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.out = os.path.join(sandbox.env["MAILROW_LOG"], "flushes")

    def __enter__(self):
        self.watch = subprocess.Popen(
            ["strace", "-f", "-ttt", "-T", "-y", "-e",
             "trace=fsync,fdatasync", "-o", self.out, "-p",
             str(self.sandbox.pid("db"))],
            stderr=subprocess.PIPE, text=True)
        line = self.watch.stderr.readline()
        if "attached" not in line:
            raise AssertionError("strace: " + line)
        return self

    def __exit__(self, *what):
        self.watch.terminate()
        self.watch.communicate()
        self.calls, begun = [], {}
        with open(self.out) as f:
            for line in f:
                m = CALL.match(line)
                if not m:
                    continue
                pid, at, path, end, took = m.groups()
                if end.startswith("<"):
                    begun[pid] = (float(at), path)
                elif path:
                    self.calls.append((float(at), float(at) + float(took),
                                       path))
                else:
                    start, path = begun.pop(pid)
                    self.calls.append((start, start + float(took), path))

    def inside(self, window, name):
        return [c for c in self.calls
                if window[0] <= c[0] and c[1] <= window[1] and
                os.path.basename(c[2]).startswith(name)]

    def without(self, windows, name):
        return [w for w in windows if not self.inside(w, name)]


class Base(SandboxTest):
    LOGS = ("ib_logfile",)

    def setUp(self):
        super().setUp()
        self.sandbox.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1")

    def send(self, message):
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", [ALICE], message)

    def send_all(self):
        """For each mail the time from the final dot to the 250."""
        windows = []
        with self.sandbox.smtp() as s:
            for _ in range(MAILS):
                s.envelope("ann@remote.test", [ALICE])
                s.cmd("DATA", "354")
                s.put(mail())
                begin = time.time()
                s.put(b".\r\n")
                s.answer("250")
                windows.append((begin, time.time()))
        return windows

    def delete_all(self):
        """The same of QUIT."""
        windows = []
        for _ in range(MAILS):
            with self.sandbox.pop3(ALICE) as p:
                p.cmd("DELE 1")
                begin = time.time()
                p.cmd("QUIT")
                windows.append((begin, time.time()))
        return windows

    def watch(self):
        with Flushes(self.sandbox) as f:
            sent = self.send_all()
            deleted = self.delete_all()
        return f, sent, deleted


    def each_waits(self):
        f, sent, deleted = self.watch()
        for name in self.LOGS:
            self.assertEqual(f.without(sent, name), [], name)
            self.assertEqual(f.without(deleted, name), [], name)

    def find(self, text):
        r = self.sandbox.tool("--json", "check", check=False)
        return [(f["level"], f["fix"])
                for f in json.loads(r.stdout)["findings"]
                if f["subject"] == "durability" and text in f["finding"]]

    def type(self, command):
        """What is printed, up to the server's configuration."""
        command = command.split("; and ")[0].replace(
            "mariadb -e", "mariadb --no-defaults --socket '%s' -e"
            % self.sandbox.env["MAILROW_DB_SOCKET"])
        subprocess.run(command, shell=True, check=True)


class RedoLog(Base):
    def test_each_250_and_each_quit_waits_for_a_flush(self):
        self.each_waits()

    def test_the_count_can_fail(self):
        """A server that flushes once a second. Who is connected does not
        ask again. The policy is read within half a second from when the
        server flushes again."""
        wait_until(lambda: self.rcpt() == "250", what="250")
        self.send(mail())
        self.sandbox.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        f, sent, deleted = self.watch()
        self.assertGreater(len(f.without(sent + deleted, "ib_logfile")),
                           MAILS)

    def restart_milter(self, durability):
        with open(os.path.join(self.sandbox.dir, "etc", "mailrow", "conf.d",
                               "durability.conf"), "w") as f:
            f.write("durability = %s\n" % durability)
        self.sandbox.stop("milter")
        self.sandbox.start()

    def rcpt(self):
        with self.sandbox.smtp() as s:
            answer = s.cmd("MAIL FROM:<ann@remote.test>")
            if answer.startswith("250"):
                answer = s.cmd("RCPT TO:<%s>" % ALICE)
            return answer[:3]

    def test_strict_takes_no_mail_without_it_and_relaxed_warns(self):
        self.sandbox.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        self.restart_milter("strict")
        wait_until(lambda: self.rcpt() == "451", what="451")
        self.assertIn("innodb_flush_log_at_trx_commit is not 1",
                      self.sandbox.our_log())
        self.restart_milter("relaxed")
        wait_until(lambda: self.rcpt() == "250", what="250")
        self.assertEqual([level for level, _ in self.find("")], ["warn"])
        self.restart_milter("strict")

    def test_what_check_says(self):
        self.assertEqual(self.find("each commit is flushed"), [("ok", None)])
        for cause, text in (
                ("SET GLOBAL innodb_flush_log_at_trx_commit = 2",
                 "innodb_flush_log_at_trx_commit is not 1"),
                ("ALTER TABLE trash ENGINE=Aria",
                 "table mailrow.trash is Aria, not InnoDB")):
            self.sandbox.sql(cause)
            found = self.find(text)
            self.assertEqual(len(found), 1, text)
            self.assertEqual(found[0][0], "FAIL")
            self.assertEqual(self.find("each commit is flushed"), [])
            self.type(found[0][1])
            self.assertEqual(self.find(text), [])
        self.assertEqual(self.find("each commit is flushed"), [("ok", None)])


class BothLogs(Base):
    DB_ARGS = "--log-bin=binlog --sync-binlog=1"
    LOGS = ("ib_logfile", "binlog.")

    def test_each_250_and_each_quit_waits_for_both(self):
        self.each_waits()

    def test_what_check_says(self):
        self.assertEqual(self.find("and the binary log"), [("ok", None)])
        self.sandbox.sql("SET GLOBAL sync_binlog = 0")
        found = self.find("sync_binlog is not 1")
        self.assertEqual(len(found), 1)
        self.type(found[0][1])
        self.assertEqual(self.find("and the binary log"), [("ok", None)])


if __name__ == "__main__":
    main()

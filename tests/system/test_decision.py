#!/usr/bin/env python3
"""Decisions: their id in the reply and in the log, their rows in the table,
what the tool prints of them; and that they are in nobody's way."""

import json
import os
import re
import shutil
import subprocess
import time
import unittest

from mrtest import SandboxTest, mail, main, stopped, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
NOBODY = "nobody@example.test"
EVE = "eve@remote.test"
ID = re.compile(r" \[([2-9a-km-np-z]{10})\]$")


class Base(SandboxTest):
    def setUp(self):
        super().setUp()
        self.sandbox.sql("DELETE FROM decision")

    def tool(self, *args):
        r = self.sandbox.tool("--json", "policy", *args)
        return json.loads(r.stdout)[args[0]]

    def rows(self, where="TRUE"):
        return self.sandbox.number(
            "SELECT COUNT(*) FROM decision WHERE " + where)

    def wait_rows(self, n, where="TRUE"):
        wait_until(lambda: self.rows(where) >= n, what="the rows")
        self.assertEqual(self.rows(where), n)

    def id_of(self, answer):
        found = ID.search(answer)
        self.assertTrue(found, answer)
        return found[1]

    def reject(self, connect=None, rcpt=NOBODY, code="550 5.1.1"):
        with (connect or self.sandbox.smtp)() as s:
            s.cmd("MAIL FROM:<%s> SIZE=4711" % EVE, "250")
            return self.id_of(self.assertRefused(
                code, s.cmd, "RCPT TO:<%s>" % rcpt, "250"))

    def line_of(self, log, name):
        lines = [l for l in self.sandbox.log(log).splitlines()
                 if l.endswith("[%s]" % name)]
        self.assertEqual(len(lines), 1, name)
        return lines[0]


class Decisions(Base):
    CONF = ("deliver_timeout = 2s",)

    def test_a_rejection_has_an_id_everywhere(self):
        name = self.reject()
        self.wait_rows(1)
        line = self.line_of("milter.log", name)
        self.assertIn("milter-reject: RCPT from ", line)
        self.assertIn("[%s];" % name, [
            l for l in self.sandbox.log("maillog").splitlines()
            if name in l][0])
        found, = self.tool("decisions")
        self.assertIn("predicate=%s [" % found["predicate"], line)
        for key, value in (("id", name), ("outcome", "rejected"),
                           ("reply", "550 5.1.1"), ("stage", "rcpt"),
                           ("client", "127.0.0.1"), ("sender", EVE),
                           ("recipient", NOBODY), ("size", 4711),
                           ("helo", "client.test"), ("login", None),
                           ("domain", "example.test"), ("way", "full"),
                           ("text", "Recipient address rejected: User "
                                    "unknown")):
            self.assertEqual(found[key], value, key)

    def test_by_lmtp_too(self):
        name = self.reject(self.sandbox.lmtp)
        self.wait_rows(1)
        self.line_of("lmtpd.log", name)
        found, = self.tool("decisions", "--rcpt", NOBODY)
        self.assertEqual((found["id"], found["way"], found["client"]),
                         (name, "lmtp", None))

    def test_at_the_end_too(self):
        """Of a mail that could not be stored."""
        with self.sandbox.smtp() as s, self.sandbox.lmtp() as l:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            s.cmd("RCPT TO:<%s>" % ALICE, "250")
            l.rcpts(EVE, [ALICE])
            self.sandbox.stop("db")
            said = {"lmtpd.log": l.data(mail("unlucky"))[0],
                    "milter.log": s.data(mail("unlucky"), want="451 4.3.0")}
        self.sandbox.start()
        self.wait_rows(2, "predicate = 'database' AND stage = 'end'"
                       " AND smtp = 451")
        for log, answer in said.items():
            self.assertRegex(answer, "^451 4.3.0 .*could not be stored now")
            self.assertEqual(self.rows("decision_id = '%s'"
                                       % self.id_of(answer)), 1)
            self.assertIn("reject: END-OF-MESSAGE",
                          self.line_of(log, self.id_of(answer)))

    def test_accepted_mail_leaves_no_row_and_has_no_id(self):
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            self.assertNotRegex(s.cmd("RCPT TO:<%s>" % ALICE, "250"), ID)
            s.data(mail("accepted"))
        name = self.reject()
        self.wait_rows(1, "decision_id = '%s'" % name)
        self.assertEqual(self.rows(), 1)

    def test_the_tool_finds_what_is_asked_for(self):
        # rows are written one after the other, maybe after their test
        self.wait_rows(1, "decision_id = '%s'" % self.reject())
        self.sandbox.sql("DELETE FROM decision")
        self.reject()
        self.reject(rcpt="other@example.test")
        self.wait_rows(2)
        for args, n in (((), 2), (("--rcpt", "OTHER@example.test"), 1),
                        (("--rcpt", ALICE), 0), (("--max", "1"), 1),
                        (("--client", "127.0.0.1"), 2),
                        (("--client", "127.0.0.2"), 0),
                        (("--login", ALICE), 0), (("--sender", EVE), 2),
                        (("--since", "1h"), 2), (("--since", "2099-01-01"), 0),
                        (("--predicate", "relay_denied"), 0), (("--shadow",), 0)):
            self.assertEqual(len(self.tool("decisions", *args)), n, args)
        text = self.sandbox.tool("policy", "decisions").stdout
        self.assertIn("other@example.test", text)
        for args in (("--since", "soon"), ("--max", "0"), ("--max", "x")):
            r = self.sandbox.tool("policy", "decisions", *args, check=False)
            self.assertEqual(r.returncode, 65, args)
        r = self.sandbox.tool("policy", "decisions", "x", check=False)
        self.assertEqual(r.returncode, 64)

    def test_hostile_text_is_kept_and_shown_escaped(self):
        with self.sandbox.smtp(helo="x\x7f" + "h" * 400) as s:
            s.cmd('MAIL FROM:<"a\\[2J"@remote.test>', "250")
            self.assertRefused("550", s.cmd, "RCPT TO:<%s>" % NOBODY, "250")
        self.wait_rows(1)
        text = self.sandbox.tool("policy", "decisions").stdout
        self.assertNotIn("\x7f", text)
        self.assertEqual(self.sandbox.number("SELECT LENGTH(helo) FROM"
                                             " decision"), 255)

    def test_a_stalled_database_costs_nobody_a_wait(self):
        """The look-ups are 451 by their deadline as ever; what was decided
        meanwhile is written when the database is back."""
        self.reject()
        self.wait_rows(1)
        time.sleep(1.1)     # what was judged is known for a second
        with stopped(self.sandbox.pid("db")), self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            begun = time.monotonic()
            name = self.id_of(self.assertRefused(
                "451 4.3.0", s.cmd, "RCPT TO:<%s>" % ALICE, "250"))
            self.assertLess(time.monotonic() - begun, 8)
        self.wait_rows(1, "decision_id = '%s'" % name)

    def test_a_stopped_database_costs_no_decision(self):
        self.reject()
        self.wait_rows(1)
        self.sandbox.stop("db")
        name = self.reject(rcpt="third@example.test", code="451 4.3.0")
        self.sandbox.start()
        self.wait_rows(1, "decision_id = '%s' AND smtp = 451" % name)
        self.assertEqual(self.tool("decisions", "--rcpt",
                                   "third@example.test")[0]["outcome"],
                         "deferred")

    def test_what_waits_is_written_at_the_end(self):
        names = [self.reject(rcpt="n%d@example.test" % i) for i in range(20)]
        self.sandbox.stop("milter")
        self.assertEqual(self.rows(), len(set(names)))
        self.sandbox.start()

    def test_the_milter_ends_beside_a_stalled_database(self):
        self.reject()
        self.wait_rows(1)
        self.reject(rcpt="late@example.test")
        with stopped(self.sandbox.pid("db")):
            begun = time.monotonic()
            self.sandbox.stop("milter")
            self.assertLess(time.monotonic() - begun, 8)
        self.sandbox.start()
        self.wait_rows(1, "decision_id = '%s'" % self.reject())

    @unittest.skipUnless(shutil.which("fail2ban-regex"), "no fail2ban")
    def test_the_filters_of_others_still_match(self):
        self.reject()
        self.wait_rows(1)
        for log in ("maillog", "milter.log"):
            path = os.path.join(self.sandbox.env["MAILROW_LOG"], log)
            lines = [l for l in self.sandbox.log(log).splitlines()
                     if "milter-reject" in l and "5.1.1" in l]
            r = subprocess.run(["fail2ban-regex", "--usedns=no", "-o", "ip",
                                path, "postfix"], check=False, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertGreaterEqual(len(r.stdout.split()), len(lines), log)
            self.assertGreater(len(lines), 0, log)


class Shadow(Base):
    """While mta_domains is empty the relay check only looks."""
    CONF = ("mta_domains =", "decision_log = all")

    def test_who_would_have_been_rejected(self):
        self.sandbox.postconf("mynetworks = 127.0.0.0/8",
                              "smtpd_relay_restrictions ="
                              " permit_mynetworks, reject")
        for _ in range(3):
            with self.sandbox.smtp() as s:
                s.cmd("MAIL FROM:<%s>" % EVE, "250")
                s.cmd("RCPT TO:<x@foreign.test>", "250")
                s.cmd("RCPT TO:<%s>" % ALICE, "250")
        self.wait_rows(3, "shadow")
        self.wait_rows(6, "NOT shadow AND smtp = 0")
        found = self.tool("decisions", "--rcpt", "x@foreign.test")
        self.assertEqual({(r["outcome"], r["predicate"]) for r in found},
                         {("accepted", None), ("shadow", "relay_denied")})
        hit, = self.tool("shadow", "--since", "1d")
        self.assertEqual((hit["predicate"], hit["domain"], hit["hits"]),
                         ("relay_denied", "foreign.test", 3))
        self.assertEqual(self.tool("shadow", "--since", "2099-01-01"), [])
        self.line_of("milter.log", found[0]["id"])


if __name__ == "__main__":
    main()

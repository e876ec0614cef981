#!/usr/bin/env python3
"""Limits: how much accounts and domains may send and receive."""

import json
import os
import re
import signal
import subprocess
import threading

from mrtest import (PASSWORD, TOP, SandboxTest, Smtp, free_port, listens, mail,
                    main, wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"
FOREIGN = "x@foreign.test"
ANN = "ann@remote.test"


class LimitTest(SandboxTest):
    def limit(self, *args, **options):
        return self.sandbox.tool("limit", *args, **options)

    def table(self, verb, *args):
        return json.loads(self.sandbox.tool("--json", "limit", verb, *args)
                          .stdout)["usage" if verb == "usage" else "limits"]

    def tearDown(self):
        self.sandbox.sql("DELETE FROM policy_limit; DELETE FROM limit_usage;"
                         " DELETE FROM policy_mode")
        super().tearDown()

    def settle(self, *logs):
        """The daemons have read what was set."""
        now = self.sandbox.number("SELECT generation FROM policy_generation")
        for log in logs or ("milter.log", "lmtpd.log"):
            wait_until(lambda f=log: now <= max(map(int, re.findall(
                r"policy: generation (\d+)", self.sandbox.log(f))),
                default=0), what="generation %d in %s" % (now, log))

    def set(self, *args):
        self.limit("set", *args)
        self.settle()

    def login(self, user=ALICE, where=None):
        s = Smtp(where) if where else self.sandbox.smtp()
        self.addCleanup(s.close)
        self.assertEqual(s.auth_plain(user, PASSWORD)[:3], "235")
        return s

    def used(self, subject=ALICE, direction="out"):
        """messages, recipients, octets"""
        rows = self.sandbox.sql(
            "SELECT messages, recipients, octets FROM limit_usage"
            " WHERE subject = '%s' AND direction = '%s'"
            % (subject, direction))
        return tuple(map(int, rows[0])) if rows else (0, 0, 0)

    def mails(self, user):
        """But for notices."""
        return [m for m in self.sandbox.mails(user)
                if b"From: Mail Delivery System" not in m]

    def age(self, seconds):
        self.sandbox.sql("UPDATE limit_usage SET started_at = started_at - %d"
                         % seconds)


class Tool(LimitTest):
    def rows(self, *name):
        return [tuple(r.values()) for r in self.table("show", *name)]

    def test_set_show_unset(self):
        self.limit("set", ALICE, "1h", "--messages", "100")
        self.limit("set", "Alice@EXAMPLE.test", "1d", "--messages=500",
                   "--recipients=900", "--octets=10M")
        self.limit("set", "example.test", "90m", "--in", "--recipients", "5")
        self.limit("set", "*", "31d", "--octets", "1G")
        self.limit("set", "@*", "1m", "--messages", "0")
        self.assertEqual(self.rows(), [
            ("*", "out", "31d", None, None, 1 << 30),
            ("@*", "out", "1m", 0, None, None),
            ("@example.test", "in", "90m", None, 5, None),
            (ALICE, "out", "1h", 100, None, None),
            (ALICE, "out", "1d", 500, 900, 10 << 20)])
        self.limit("set", ALICE, "1h", "--recipients", "7")
        self.assertEqual(self.rows(ALICE)[0],
                         (ALICE, "out", "1h", None, 7, None))
        self.limit("unset", ALICE, "60m")
        self.assertEqual(len(self.rows(ALICE)), 1)
        self.limit("unset", "@example.test", "--in")
        self.limit("unset", ALICE)
        self.assertEqual(len(self.rows()), 2)
        self.assertIn("31d", self.limit("show").stdout)

    def test_usage_names_the_limits_that_hold(self):
        self.limit("set", "*", "1h", "--messages", "10", "--octets", "1K")
        self.limit("set", "@*", "1h", "--messages", "99")
        self.limit("set", BOB, "1h", "--messages", "20")
        self.sandbox.sql(
            "INSERT INTO limit_usage VALUES"
            " ('%s', 'out', 3600, UNIX_TIMESTAMP() - 60, 3, 4, 500, 0),"
            " ('%s', 'out', 3600, UNIX_TIMESTAMP() - 3700, 9, 9, 9, 0),"
            " ('@example.test', 'out', 3600, UNIX_TIMESTAMP(), 7, 7, 7, 0)"
            % (ALICE, BOB))
        whole = ("@example.test", "out", "1h", 7, 99, 7, None, 7, None)
        self.assertEqual([tuple(r.values())[:9] for r in
                          self.table("usage", ALICE)],
                         [(ALICE, "out", "1h", 3, 10, 4, None, 500, 1024),
                          whole])
        self.assertEqual([tuple(r.values())[:9] for r in
                          self.table("usage", BOB)],
                         [(BOB, "out", "1h", 0, 20, 0, None, 0, None), whole])
        self.assertEqual([tuple(r.values())[:9] for r in
                          self.table("usage", "example.test")], [whole])
        ends = self.table("usage", ALICE)[0]["ends"]
        self.assertRegex(ends, r"^\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000$")
        self.assertFalse(self.table("usage", BOB)[0]["ends"])
        self.limit("reset", ALICE)
        self.assertEqual(self.table("usage", ALICE)[0]["messages"], 0)
        self.assertEqual(self.table("usage", ALICE)[1]["messages"], 7)

    def test_what_is_not_understood(self):
        for code, args in (
                (65, ("set", "x@@", "1h", "--messages", "1")),
                (65, ("set", ALICE, "59s", "--messages", "1")),
                (65, ("set", ALICE, "32d", "--messages", "1")),
                (65, ("set", ALICE, "hour", "--messages", "1")),
                (64, ("set", ALICE, "1h")),
                (64, ("set", ALICE, "1h", "--messages", "many")),
                (64, ("set", ALICE, "1h", "--octets", "1T")),
                (64, ("set", ALICE, "--messages", "1")),
                (67, ("unset", ALICE)),
                (67, ("reset", ALICE)),
                (65, ("usage", "*"))):
            r = self.limit(*args, check=False)
            self.assertEqual(r.returncode, code, (args, r.stderr))
            self.assertTrue(r.stderr.startswith("mailrow: "), r.stderr)
        self.assertEqual(self.rows(), [])

    def test_there_are_only_so_many_windows(self):
        for minutes in range(1, 9):
            self.limit("set", ALICE, "%dm" % minutes, "--messages", "1")
        self.limit("set", ALICE, "8m", "--messages", "2")
        self.limit("set", ALICE, "9m", "--in", "--messages", "1")
        r = self.limit("set", ALICE, "9m", "--messages", "1", check=False)
        self.assertEqual(r.returncode, 73, r.stderr)


class Sending(LimitTest):
    """By a login, through Postfix and the milter."""

    def refused(self, s, rcpt, code="450 4.7.1"):
        text = s.cmd("RCPT TO:<%s>" % rcpt)
        self.assertTrue(text.startswith(code), text)
        return text

    def test_messages(self):
        self.set(ALICE, "1h", "--messages", "2")
        s = self.login()
        s.send(ALICE, [BOB], mail())
        s.send(ALICE, [FOREIGN], mail())
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        text = self.refused(s, BOB)
        self.assertIn("sending limit of %s reached: 2 messages in 1 hour, "
                      "free again at " % ALICE, text)
        self.refused(s, FOREIGN)
        self.assertEqual(self.used()[:2], (2, 2))
        # who has not logged in, or is another, is not meant
        with self.sandbox.smtp() as t:
            t.send(ANN, [ALICE], mail())
        self.login(BOB).send(BOB, [ALICE], mail())
        self.assertIn("predicate=limit_out", self.sandbox.log("milter.log"))

    def test_a_window_ends(self):
        self.set(ALICE, "1h", "--messages", "1")
        s = self.login()
        s.send(ALICE, [BOB], mail())
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        self.refused(s, BOB)
        s.cmd("RSET", "250")
        self.age(3601)
        s.send(ALICE, [BOB], mail())
        self.assertEqual(self.used()[0], 1)
        self.assertEqual(self.sandbox.number(
            "SELECT started_at > UNIX_TIMESTAMP() - 60 FROM limit_usage"), 1)

    def test_recipients_count_within_a_mail_too(self):
        self.set(ALICE, "1d", "--recipients", "3")
        s = self.login()
        s.send(ALICE, [BOB], mail())
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        s.cmd("RCPT TO:<%s>" % BOB, "250")
        s.cmd("RCPT TO:<%s>" % FOREIGN, "250")
        self.assertIn("3 recipients in 1 day", self.refused(s, ALICE))
        s.data(mail())
        self.assertEqual(self.used()[:2], (2, 3))

    def test_octets_by_size_and_as_they_are(self):
        self.set(ALICE, "1h", "--octets", "10000")
        s = self.login()
        s.cmd("MAIL FROM:<%s> SIZE=20000" % ALICE, "250")
        # more than the limit ever lets through
        self.assertIn("less than this mail", self.refused(s, BOB, "550 5.7.1"))
        s.cmd("RSET", "250")
        m = mail(body=b"0123456789\r\n" * 500)
        s.send(ALICE, [BOB], m)
        messages, _, octets = self.used()
        self.assertEqual(messages, 1)
        self.assertLess(abs(octets - len(m)), 400)
        for rcpt in (BOB, FOREIGN):
            s.envelope(ALICE, [rcpt])
            text = s.data(mail(body=b"0123456789\r\n" * 500), "450 4.7.1")
            self.assertIn("10000 octets in 1 hour, free again", text)
        self.assertEqual(self.used(), (messages, 1, octets))
        self.assertIn("END-OF-MESSAGE", self.sandbox.log("milter.log"))

    def test_several_windows_and_the_domain(self):
        self.limit("set", ALICE, "1m", "--messages", "2")
        self.limit("set", ALICE, "1d", "--messages", "3")
        self.set("example.test", "1h", "--recipients", "4")
        s = self.login()
        s.send(ALICE, [BOB], mail())
        s.send(ALICE, [BOB], mail())
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        self.assertIn("2 messages in 1 minute", self.refused(s, BOB))
        s.cmd("RSET", "250")
        self.age(61)
        s.send(ALICE, [BOB], mail())
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        self.assertIn("3 messages in 1 day", self.refused(s, BOB))
        t = self.login(BOB)
        t.send(BOB, [ALICE], mail())
        t.cmd("MAIL FROM:<%s>" % BOB, "250")
        self.assertIn("limit of @example.test reached: 4 recipients in 1 hour",
                      self.refused(t, ALICE))

    def test_defaults_hold_for_each_alone(self):
        self.limit("set", "*", "1h", "--messages", "1")
        self.set(BOB, "1h", "--messages", "2")
        s, t = self.login(), self.login(BOB)
        s.send(ALICE, [BOB], mail())
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        self.refused(s, BOB)
        t.send(BOB, [ALICE], mail())
        t.send(BOB, [ALICE], mail())

    def test_what_is_refused_or_fails_is_not_charged(self):
        self.set(ALICE, "1h", "--messages", "9")
        s = self.login()
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        s.cmd("RCPT TO:<nobody@example.test>", "550")
        s.cmd("RSET", "250")
        s.envelope(ALICE, [BOB, FOREIGN])
        s.cmd("RSET", "250")
        s.envelope(ALICE, [BOB])
        s.cmd("DATA", "354")
        s.put(b"Subject: never ends\r\n")
        s.close()
        self.assertEqual(self.used(), (0, 0, 0))

    def test_a_duplicate_is_not_charged(self):
        self.set(ALICE, "1h", "--messages", "9")
        m = mail("again")
        self.login().send(ALICE, [BOB], m)
        self.login().send(ALICE, [BOB], m)
        self.assertEqual(self.used()[0], 1)

    def test_a_duplicate_that_goes_to_others_is_charged(self):
        """Or who sends himself a copy each time would send for nothing."""
        self.set(ALICE, "1h", "--recipients", "5")
        m = mail("again and again")
        s = self.login()
        s.send(ALICE, [ALICE, "a@foreign.test"], m)
        s.send(ALICE, [ALICE, "b@foreign.test"], m)
        self.assertEqual(self.used()[:2], (2, 4))
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        s.cmd("RCPT TO:<%s>" % ALICE, "250")
        self.refused(s, "c@foreign.test", "450 4.7.1")

    def test_what_nobody_here_takes_is_charged_for_the_others(self):
        """A mailbox of a list that is full at the end, and one that takes no
        mail of that size."""
        for name in "full", "small":
            self.sandbox.account(name + "@example.test")
            for target in name + "@example.test", name + "@foreign.test":
                self.sandbox.sql("INSERT INTO alias VALUES ('l-%s@example.test'"
                                 ", '%s', UTC_TIMESTAMP())" % (name, target))
        self.sandbox.sql("UPDATE account SET quota = 3000"
                         " WHERE address = 'full@example.test'")
        self.sandbox.tool("account", "policy", "small@example.test",
                          "max-size", "2000")
        self.set(ALICE, "1h", "--messages", "9")
        s, body = self.login(), b"0123456789\r\n" * 500
        for n, name in enumerate(("full", "small"), 1):
            s.send(ALICE, ["l-%s@example.test" % name, FOREIGN],
                   mail(body=body))
            self.assertEqual(self.used()[0], n)
            self.assertEqual(self.mails(name + "@example.test"), [])

    def test_reject_says_so_for_good(self):
        self.conf("limit_reply = reject")
        self.set(ALICE, "1h", "--messages", "1")
        s = self.login()
        s.send(ALICE, [BOB], mail())
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        self.refused(s, BOB, "550 5.7.1")

    def conf(self, line):
        path = os.path.join(self.sandbox.dir, "etc", "mailrow", "conf.d",
                            "limits.conf")
        with open(path, "w", encoding="ascii") as f:
            f.write(line + "\n")
        self.addCleanup(self.reload)
        self.addCleanup(os.unlink, path)
        self.reload()

    def reload(self):
        n = self.sandbox.log("milter.log").count("read again")
        self.sandbox.kill("milter", signal.SIGHUP)
        wait_until(lambda: self.sandbox.log("milter.log").count(
            "read again") > n, what="the reload")

    def test_in_shadow_all_counts_and_nobody_is_refused(self):
        self.sandbox.tool("policy", "mode", "limit_out", "shadow")
        self.set(ALICE, "1h", "--messages", "1")
        s = self.login()
        for _ in range(3):
            s.send(ALICE, [BOB], mail())
        self.assertEqual(self.used()[0], 3)
        self.assertIn("would be rejected by 'limit_out'",
                      self.sandbox.log("milter.log"))


class Receiving(LimitTest):
    def test_through_the_milter(self):
        self.set(ALICE, "1h", "--in", "--messages", "2")
        with self.sandbox.smtp() as s:
            s.send(ANN, [ALICE], mail())
            s.send(ANN, [ALICE, BOB], mail())
            s.cmd("MAIL FROM:<%s>" % ANN, "250")
            text = s.cmd("RCPT TO:<%s>" % ALICE, "450 4.7.1")
            self.assertIn("receiving limit reached: 2 messages in 1 hour",
                          text)
            s.cmd("RCPT TO:<%s>" % BOB, "250")
            s.data(mail())
        self.assertEqual(self.used(ALICE, "in")[:2], (2, 2))

    def test_one_of_a_list_that_is_over_does_not_hold_the_others_up(self):
        self.sandbox.sql("INSERT INTO alias VALUES"
                         " ('both@example.test', '%s', UTC_TIMESTAMP()),"
                         " ('both@example.test', '%s', UTC_TIMESTAMP())"
                         % (ALICE, BOB))
        self.set(ALICE, "1h", "--in", "--messages", "1")
        before = len(self.mails(BOB))
        with self.sandbox.smtp() as s:
            s.send(ANN, [ALICE], mail())
            s.send(ANN, ["both@example.test"], mail("for both"))
        wait_until(lambda: len(self.mails(BOB)) == before + 1,
                   what="the other's copy")
        self.assertEqual(self.used(ALICE, "in")[0], 1)
        self.waits_for_the_limit("both@example.test")
        n = len(self.mails(ALICE))
        self.age(3601)
        self.sandbox.wait_for_queue()
        self.assertEqual(len(self.mails(ALICE)), n + 1)
        self.assertEqual(len(self.mails(BOB)), before + 1)

    def test_a_member_whose_limit_cannot_be_read_is_not_left_out(self):
        self.sandbox.sql("INSERT INTO alias VALUES"
                         " ('some@example.test', '%s', UTC_TIMESTAMP()),"
                         " ('some@example.test', '%s', UTC_TIMESTAMP())"
                         % (BOB, ALICE))
        self.set(ALICE, "1h", "--in", "--messages", "9")
        before = len(self.mails(ALICE)), len(self.mails(BOB))
        m = mail("for both, once")
        self.sandbox.sql("RENAME TABLE limit_usage TO was_usage")
        try:
            for door in self.sandbox.smtp, self.sandbox.lmtp:
                with door() as s:
                    s.cmd("MAIL FROM:<%s>" % ANN, "250")
                    s.cmd("RCPT TO:<some@example.test>", "451 4.3.0")
        finally:
            self.sandbox.sql("RENAME TABLE was_usage TO limit_usage")
        with self.sandbox.smtp() as s:
            s.send(ANN, ["some@example.test"], m)
        self.assertEqual((len(self.mails(ALICE)), len(self.mails(BOB))),
                         (before[0] + 1, before[1] + 1))

    def test_what_never_fits_the_sender_is_his_own(self):
        """In shadow it rejects nobody, nor makes another's 450 a 550."""
        self.sandbox.tool("policy", "mode", "limit_out", "shadow")
        self.limit("set", BOB, "1h", "--octets", "1000")
        self.set(ALICE, "1h", "--in", "--messages", "1")
        s = self.login(BOB)
        s.send(BOB, [ALICE], mail())
        s.cmd("MAIL FROM:<%s> SIZE=20000" % BOB, "250")
        s.cmd("RCPT TO:<%s>" % ALICE, "450 4.7.1")

    def waits_for_the_limit(self, who):
        """Why it comes again is said by its name."""
        wait_until(lambda: re.search(
            r"reject: END-OF-MESSAGE: 450 4\.7\.1 <%s>: .*receiving limit "
            r"reached.* predicate=limit_in \[" % who,
            self.sandbox.log("lmtpd.log")), what="the reply")

    def test_it_may_be_found_when_the_size_is_known(self):
        self.sandbox.sql("INSERT INTO alias VALUES"
                         " ('two@example.test', '%s', UTC_TIMESTAMP()),"
                         " ('two@example.test', '%s', UTC_TIMESTAMP())"
                         % (ALICE, BOB))
        self.set(ALICE, "1h", "--in", "--octets", "9000")
        before = len(self.mails(ALICE)), len(self.mails(BOB))
        text = b"0123456789\r\n" * 500
        with self.sandbox.smtp() as s:
            s.send(ANN, [ALICE], mail(body=text))
            s.send(ANN, ["two@example.test"], mail(body=text))
            s.cmd("MAIL FROM:<%s>" % ANN, "250")
            s.cmd("RCPT TO:<%s>" % ALICE, "250")
            self.assertRegex(s.data(mail(body=text), want="450"),
                             r"<%s>: .*receiving limit reached: .*\[\w+\]$"
                             % ALICE)
        wait_until(lambda: len(self.mails(BOB)) == before[1] + 1,
                   what="the other's copy")
        self.assertEqual(self.used(ALICE, "in")[0], 1)
        self.waits_for_the_limit("two@example.test")
        self.age(3601)
        self.sandbox.wait_for_queue()
        self.assertEqual((len(self.mails(ALICE)), len(self.mails(BOB))),
                         (before[0] + 2, before[1] + 1))

    def test_through_lmtp(self):
        self.set("example.test", "1h", "--in", "--recipients", "3")
        with self.sandbox.lmtp() as l:
            l.send(ANN, [ALICE, BOB], mail())
            l.send(ANN, [ALICE], mail())
            l.cmd("MAIL FROM:<%s>" % ANN, "250")
            self.assertIn("receiving limit reached",
                          l.cmd("RCPT TO:<%s>" % ALICE, "450 4.7.1"))
        self.assertEqual(self.used("@example.test", "in")[:2], (2, 3))

    def test_by_lmtp_each_recipient_is_answered(self):
        """The limit is found at the end only."""
        self.set(ALICE, "1h", "--in", "--octets", "9000")
        with self.sandbox.lmtp() as l:
            l.send(ANN, [ALICE], mail(body=b"0123456789\r\n" * 500))
            l.rcpts(ANN, [ALICE, BOB])
            text = l.data(mail(body=b"0123456789\r\n" * 500))
        self.assertEqual([t[:3] for t in text], ["450", "250"])
        self.assertRegex(text[0], r"<%s>: .*receiving limit reached: 9000"
                         r" octets in 1 hour, .*\[\w+\]$" % ALICE)
        self.assertEqual(self.used(ALICE, "in")[0], 1)

    def test_in_shadow_all_counts_and_nobody_is_refused(self):
        self.sandbox.tool("policy", "mode", "limit_in", "shadow",
                          "example.test")
        self.set(BOB, "1h", "--in", "--messages", "1")
        with self.sandbox.smtp() as s:
            for _ in range(3):
                s.send(ANN, [BOB], mail())
        self.assertEqual(self.used(BOB, "in")[0], 3)
        self.assertIn("would be rejected by 'limit_in'",
                      self.sandbox.log("milter.log"))


class PassOnly(LimitTest):
    """A site that stores nothing with us: the milter decides and counts."""
    CONF = ("default_mode = pass",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.postconf("virtual_transport = smtp:[127.0.0.1]:%s"
                             % cls.sandbox.env["MAILROW_SINK_PORT"])

    def test_sending(self):
        self.set(ALICE, "1h", "--messages", "2", "--octets", "9000")
        s = self.login()
        m = mail(body=b"0123456789\r\n" * 100)
        s.send(ALICE, [BOB], m)
        self.assertLess(abs(self.used()[2] - len(m)), 600)
        s.envelope(ALICE, [BOB])
        s.data(mail(body=b"0123456789\r\n" * 700), "450 4.7.1")
        s.send(ALICE, [FOREIGN], m)
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        s.cmd("RCPT TO:<%s>" % BOB, "450 4.7.1")
        self.assertEqual(self.used()[:2], (2, 2))

    def test_receiving(self):
        self.limit("set", ALICE, "1h", "--in", "--messages", "2")
        self.set("example.test", "1h", "--in", "--recipients", "3")
        with self.sandbox.smtp() as s:
            s.send(ANN, [ALICE, BOB], mail())
            s.send(ANN, [ALICE], mail())
            s.cmd("MAIL FROM:<%s>" % ANN, "250")
            s.cmd("RCPT TO:<%s>" % ALICE, "450 4.7.1")
            s.cmd("RCPT TO:<%s>" % BOB, "450 4.7.1")
        self.assertEqual(self.used(ALICE, "in")[:2], (2, 2))
        self.assertEqual(self.used("@example.test", "in")[:2], (2, 3))
        self.assertEqual(self.sandbox.number("SELECT COUNT(*) FROM mail"), 0)


class Exactly(LimitTest):
    """100 sessions at once against a limit of 1,000 messages."""
    SESSIONS, EACH, LIMIT = 100, 11, 1000

    def setUp(self):
        super().setUp()
        self.answers = []
        self.set(ALICE, "1d", "--messages", str(self.LIMIT))

    def session(self, i, where, rcpt):
        with Smtp(where, source="127.0.1.%d" % (i + 1)) as s:
            s.auth_plain(ALICE, PASSWORD)
            for _ in range(self.EACH):
                self.answers.append(self.attempt(s, rcpt))

    def attempt(self, s, rcpt):
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        answer = s.cmd("RCPT TO:<%s>" % rcpt)
        if answer.startswith("250"):
            s.cmd("DATA", "354")
            s.put(b"Subject: one of many\r\n\r\n.\r\n")
            answer = s.answer()
        else:
            s.cmd("RSET", "250")
        return answer[:9]

    def run_sessions(self, *doors):
        """(where, to whom), in turn"""
        threads = [threading.Thread(target=self.session,
                                    args=(i, *doors[i % len(doors)]))
                   for i in range(self.SESSIONS)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(self.answers), self.SESSIONS * self.EACH)
        self.assertEqual({a for a in self.answers if not a.startswith("250")},
                         {"450 4.7.1"})
        self.assertEqual(len([a for a in self.answers
                              if a.startswith("250")]), self.LIMIT)
        self.assertEqual(self.used()[0], self.LIMIT)

    def stored(self):
        return self.sandbox.number(
            "SELECT COUNT(*) FROM mail JOIN mailbox USING (mailbox_id)"
            " WHERE address = '%s'" % BOB)

    def test_on_one_milter(self):
        before = self.stored()
        self.run_sessions((self.sandbox.env["MAILROW_SMTP"], BOB))
        self.assertEqual(self.stored() - before, self.LIMIT)

    def second_milter(self):
        """Another daemon, with connections of its own, for another port."""
        etc = os.path.join(self.sandbox.dir, "etc")
        place = os.path.join(self.sandbox.dir, "run", "milter", "second.sock")
        conf = os.path.join(etc, "mailrow", "second.conf")
        with open(os.path.join(etc, "mailrow", "mailrow.conf"),
                  encoding="ascii") as f:
            lines = [l for l in f if not l.startswith("milter_socket")]
        with open(conf, "w", encoding="ascii") as f:
            f.writelines(lines + ["milter_socket = local:%s\n" % place])
        build = os.environ.get("MAILROW_BUILD", TOP)
        with open(os.path.join(self.sandbox.dir, "log", "second.log"),
                  "w", encoding="ascii") as log:
            p = subprocess.Popen([os.path.join(
                build, "milter", "mailrow-milter"), "-c", conf], stderr=log)
        self.addCleanup(p.wait)
        self.addCleanup(p.terminate)
        wait_until(lambda: os.path.exists(place), what="the second milter")
        return place

    def second_port(self, place):
        port = free_port()
        name = "127.0.0.1:%d/inet" % port
        etc = os.path.join(self.sandbox.dir, "etc", "postfix")
        subprocess.run(["postconf", "-c", etc, "-M", "%s=127.0.0.1:%d inet n"
                        " - n - - smtpd" % (name, port)], check=True)
        subprocess.run(["postconf", "-c", etc, "-P", "%s/smtpd_milters=unix:%s"
                        % (name, place)], check=True)
        self.sandbox.postconf("virtual_transport = smtp:[127.0.0.1]:%s"
                              % self.sandbox.env["MAILROW_SINK_PORT"])
        wait_until(lambda: listens("127.0.0.1:%d" % port), what="the port")
        return "127.0.0.1:%d" % port

    def test_on_two_milters_over_one_database(self):
        place = self.second_milter()
        self.settle("milter.log", "second.log")
        where = self.second_port(place)
        before = self.stored()
        self.run_sessions((self.sandbox.env["MAILROW_SMTP"], BOB),
                          (where, BOB))
        self.assertEqual(self.stored() - before, self.LIMIT)


class Notices(LimitTest):
    """What the owner of a limit is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.account("postmaster@example.test")
        cls.told = os.path.join(cls.sandbox.top, "told")
        os.mkdir(cls.told)
        os.chmod(cls.told, 0o777)
        cls.command = os.path.join(cls.sandbox.top, "notify")
        with open(cls.command, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\nls -l /proc/self/fd >%s/fds.tmp\n"
                    "mv %s/fds.tmp %s/fds\n"
                    "echo \"$@\" >>%s/arguments\n"
                    "case $4 in bob*) exec sleep 60; esac\n"
                    % ((cls.told,) * 4))
        os.chmod(cls.command, 0o755)
        path = os.path.join(cls.sandbox.dir, "etc", "mailrow", "conf.d",
                            "notify.conf")
        with open(path, "w", encoding="ascii") as f:
            f.write("notify_command = %s\n" % cls.command)
        for part in ("milter", "lmtpd"):
            n = cls.sandbox.log(part + ".log").count("read again")
            cls.sandbox.kill(part, signal.SIGHUP)
            wait_until(lambda p=part, m=n: cls.sandbox.log(p + ".log").count(
                "read again") > m, what="the reload")

    def arguments(self):
        try:
            with open(os.path.join(self.told, "arguments"),
                      encoding="ascii") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def notices(self, user):
        return [m for m in self.sandbox.mails(user)
                if b"From: Mail Delivery System" in m]

    def wait_for_notice(self, user, n):
        wait_until(lambda: len(self.notices(user)) >= n, what="a notice")
        found = self.notices(user)
        self.assertEqual(len(found), n)
        return found[-1]

    def test_near_and_at_the_limit_once_a_window(self):
        n = len(self.notices("postmaster@example.test"))
        self.set(ALICE, "1h", "--messages", "5")
        s = self.login()
        for _ in range(3):
            s.send(ALICE, [BOB], mail())
        s.send(ALICE, [BOB], mail())
        m = self.wait_for_notice(ALICE, 1)
        self.assertIn(b"Subject: Sending limit of %s: nearly reached\r\n"
                      % ALICE.encode(), m)
        self.assertIn(b"    messages     4 of 5\r\n", m)
        self.assertIn(b"Auto-Submitted: auto-generated\r\n", m)
        self.assertIn(b"Return-Path: <>\r\n", m)
        self.wait_for_notice("postmaster@example.test", n + 1)
        s.send(ALICE, [BOB], mail())
        m = self.wait_for_notice(ALICE, 2)
        self.assertIn(b": reached\r\n", m)
        for _ in range(3):
            s.cmd("MAIL FROM:<%s>" % ALICE, "250")
            s.cmd("RCPT TO:<%s>" % BOB, "450")
            s.cmd("RSET", "250")
        wait_until(lambda: len(self.arguments()) >= 2, what="the command")
        self.age(3601)
        for _ in range(4):
            s.send(ALICE, [BOB], mail())
        self.wait_for_notice(ALICE, 3)
        wait_until(lambda: len(self.arguments()) >= 3, what="the command")
        self.assertEqual(self.arguments()[:2], [
            "limit near out %s 3600 4 5 4 - %s -" % (
                ALICE, self.arguments()[0].split()[-2]),
            "limit full out %s 3600 5 5 5 - %s -" % (
                ALICE, self.arguments()[1].split()[-2])])
        self.assertEqual(self.used()[0], 4)
        with open(os.path.join(self.told, "fds"), encoding="ascii") as f:
            self.assertNotIn("socket:", f.read())
        self.no_more_than(3)

    def no_more_than(self, n):
        """What is told is told before the next of another account."""
        self.set("carol@example.test", "1m", "--in", "--messages", "1")
        self.sandbox.account("carol@example.test")
        with self.sandbox.smtp() as s:
            s.send(ANN, ["carol@example.test"], mail())
        self.wait_for_notice("carol@example.test", 1)
        self.assertEqual(len(self.notices(ALICE)), n)

    def test_who_is_refused_without_having_come_to_the_limit(self):
        self.set("example.test", "1h", "--octets", "7000")
        n = len(self.notices("postmaster@example.test"))
        s = self.login()
        s.send(ALICE, [BOB], mail(body=b"0123456789\r\n" * 300))
        for _ in range(2):
            s.envelope(ALICE, [BOB])
            s.data(mail(body=b"0123456789\r\n" * 300), "450")
        m = self.wait_for_notice("postmaster@example.test", n + 1)
        self.assertIn(b"Sending limit of example.test: reached", m)
        self.assertNotIn(b"To: <alice", m)

    def test_the_command_is_not_waited_for(self):
        """It sleeps, for Bob."""
        self.set(BOB, "1h", "--messages", "10")
        s = self.login(BOB)
        for _ in range(8):
            s.send(BOB, [ALICE], mail())
        wait_until(lambda: any(BOB in a for a in self.arguments()),
                   what="the command")
        s.send(BOB, [ALICE], mail())
        wait_until(lambda: "takes more than 5 s: killed" in
                   self.sandbox.log("milter.log"), what="its end")
        self.assertEqual(self.used(BOB)[0], 9)


if __name__ == "__main__":
    main()

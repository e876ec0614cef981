#!/usr/bin/env python3
"""The database or a daemon is away: our trouble is never the peer's fault,
and nothing is half stored."""

import contextlib
import os
import signal
import threading
import time

from mrtest import (PASSWORD, Failed, SandboxTest, children, mail, main,
                    stopped, wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"
EVE = "eve@remote.test"


class DatabaseAway(SandboxTest):
    CONF = ("deliver_timeout = 5s", "lookup_timeout = 2s",
            "db_connect_timeout = 1s", "auth_timeout = 3s")

    def rows(self):
        return self.sandbox.sql(
            "SELECT (SELECT COUNT(*) FROM mail), (SELECT COUNT(*) FROM"
            " content), (SELECT COUNT(*) FROM chunk),"
            " (SELECT COUNT(*) FROM receipt)")

    def takes_mail(self):
        with self.sandbox.smtp() as s:
            return s.cmd("MAIL FROM:<%s>" % EVE).startswith("250")

    def works(self):
        before = len(self.sandbox.mails(ALICE))
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], mail("works again"))
        self.assertEqual(len(self.sandbox.mails(ALICE)), before + 1)
        self.sandbox.check_store()

    def test_stopped_at_rcpt(self):
        self.works()
        before = self.rows()
        time.sleep(1.1)         # what was asked within a second is remembered
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            self.sandbox.stop("db")
            for who in (ALICE, "nobody@example.test"):
                start = time.monotonic()
                self.assertRefused("451 4.3.0", s.cmd,
                                   "RCPT TO:<%s>" % who, "250")
                self.assertLess(time.monotonic() - start, 10)
            self.sandbox.start()
            self.assertEqual(self.rows(), before)
            # the same session goes on
            s.cmd("RCPT TO:<%s>" % ALICE, "250")
            s.data(mail("goes on"))
        self.works()

    def test_stopped_at_end_of_message(self):
        self.works()
        before = self.rows()
        message = mail("late", b"late\r\n" * 1000)
        with self.sandbox.smtp() as s:
            s.envelope(EVE, [ALICE, BOB])
            self.sandbox.stop("db")
            start = time.monotonic()
            self.assertRefused("451 4.3.0", s.data, message)
            self.assertLess(time.monotonic() - start, 20)
        self.sandbox.start()
        self.assertEqual(self.rows(), before)
        with self.sandbox.smtp() as s:      # the client's retry
            s.send(EVE, [ALICE, BOB], message)
        for who in (ALICE, BOB):
            copies = [m for m in self.sandbox.mails(who) if b"Subject: late"
                      in m]
            self.assertEqual(len(copies), 1)
        self.works()

    def test_back_before_the_deadline_is_no_trouble(self):
        self.works()
        with self.sandbox.smtp() as s:
            s.envelope(EVE, [ALICE])
            self.sandbox.stop("db")
            back = threading.Timer(1, self.sandbox.start)
            back.start()
            s.data(mail("patient"))
            back.join()
        self.assertTrue(any(b"Subject: patient" in m
                            for m in self.sandbox.mails(ALICE)))
        self.works()

    def test_stopped_in_the_middle_of_a_big_mail(self):
        self.works()
        body = b"0123456789abcdef" * 4 + b"\r\n"
        message = mail("middle", body * (4 * 1024 * 1024 // len(body)))
        with self.sandbox.smtp() as s:
            s.envelope(EVE, [ALICE])
            s.cmd("DATA", "354")
            s.put(message[:3 * 1024 * 1024])
            self.sandbox.stop("db")
            s.put(message[3 * 1024 * 1024:] + b".\r\n")
            self.assertRefused("451 4.3.0", s.answer, "250")
        self.sandbox.start()
        self.assertEqual(self.sandbox.number(
            "SELECT COUNT(*) FROM content WHERE refs > 0 AND octets > 4000000"
        ), 0)
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], message)
        self.assertEqual(len([m for m in self.sandbox.mails(ALICE)
                              if b"Subject: middle" in m]), 1)
        self.works()

    def test_killed_like_a_power_cut(self):
        self.works()
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], mail("before the cut"))
            self.sandbox.kill("db")
        self.sandbox.stop("db")
        self.sandbox.start()
        self.assertTrue(any(b"Subject: before the cut" in m
                            for m in self.sandbox.mails(ALICE)))
        self.works()

    def test_auth_says_454_and_port_25_lives(self):
        time.sleep(1.1)         # for the RCPT, as above
        self.sandbox.stop("db")
        for how in ("auth_plain", "auth_login"):
            with self.sandbox.smtp() as s:
                answer = getattr(s, how)(ALICE, PASSWORD)
                self.assertTrue(answer.startswith("454 4.7.0"), answer)
                s.cmd("NOOP", "250")
                s.cmd("MAIL FROM:<%s>" % EVE, "250")
                self.assertRefused("451", s.cmd, "RCPT TO:<%s>" % ALICE,
                                   "250")
        self.sandbox.start()
        with self.sandbox.smtp() as s:
            self.assertTrue(s.auth_plain(ALICE, PASSWORD).startswith("235"))

    def test_authd_starts_without_the_database(self):
        self.sandbox.stop("db", "authd")
        self.sandbox.start_alone("authd")
        with self.sandbox.smtp() as s:
            answer = s.auth_plain(ALICE, PASSWORD)
            self.assertTrue(answer.startswith("454"), answer)
        self.sandbox.start()
        with self.sandbox.smtp() as s:
            self.assertTrue(s.auth_plain(ALICE, PASSWORD).startswith("235"))

    def test_milter_and_pop3d_start_without_the_database(self):
        self.sandbox.stop("db", "milter", "pop3d")
        self.sandbox.start_alone("milter", "pop3d")
        with self.sandbox.smtp() as s:
            # not even which networks are blocked is known
            self.assertRefused("451 4.3.0", s.cmd, "MAIL FROM:<%s>" % EVE,
                               "250")
        with self.sandbox.pop3() as p:
            p.cmd("USER " + ALICE)
            self.assertRefused("-ERR [SYS/TEMP]", p.cmd, "PASS " + PASSWORD)
        self.sandbox.start()
        wait_until(self.takes_mail, what="the policy's first reading")
        self.works()

    def test_rule_50_pop3_says_temporary_and_never_wrong_password(self):
        self.works()
        self.sandbox.stop("db")
        with self.sandbox.pop3() as p:
            p.cmd("USER " + ALICE)
            self.assertRefused("-ERR [SYS/TEMP]", p.cmd, "PASS " + PASSWORD)
        with self.sandbox.pop3() as p:
            p.cmd("USER " + ALICE)
            self.assertRefused("-ERR [SYS/TEMP]", p.cmd, "PASS wrong")
        self.sandbox.start()
        self.assertTrue(self.sandbox.mails(ALICE))

    def test_rule_33_pop3_quit_in_doubt_promises_nothing(self):
        """COMMIT went out and its answer never comes: it may be done."""
        self.works()
        before = len(self.sandbox.mails(ALICE))
        with self.sandbox.pop3(ALICE) as p:
            p.cmd("DELE 1")
            self.sandbox.fault("move-commit", "stall 1000")
            self.sandbox.fault("move-commit-unread", "fail")
            p.put("QUIT")
            wait_until(lambda: self.sandbox.fault_hit("move-commit"),
                       what="the commit")
            self.sandbox.fault("move-begin", "stall 1000")
            wait_until(lambda: self.sandbox.fault_hit("move-begin"),
                       what="the second try")
            with stopped(self.sandbox.pid("db")):
                answer = self.assertRefused("-ERR [SYS/TEMP]", p.status)
        left = len(self.sandbox.mails(ALICE))
        self.assertIn(left, (before - 1, before))
        self.assertNotIn("nothing", answer)
        self.works()

    def test_pop3_quit_deletes_nothing_while_the_database_is_away(self):
        self.works()
        with self.sandbox.pop3(ALICE) as p:
            n = p.stat()[0]
            p.cmd("DELE 1")
            self.sandbox.stop("db")
            self.assertRefused("-ERR", p.cmd, "RETR %d" % n)
            self.assertRefused("-ERR [SYS/TEMP]", p.cmd, "QUIT")
        self.sandbox.start()
        self.assertEqual(len(self.sandbox.mails(ALICE)), n)
        self.works()


class DaemonAway(SandboxTest):
    def test_without_the_milter_mail_is_deferred(self):
        self.sandbox.stop("milter")
        with self.sandbox.smtp() as s:
            self.assertRefused("451", s.send, EVE, [ALICE], mail("no milter"))
        self.sandbox.start()
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], mail("milter"))

    def test_a_milter_killed_at_end_of_message_stores_once(self):
        message = mail("killed")
        with self.sandbox.smtp() as s:
            s.envelope(EVE, [ALICE])
            self.sandbox.stop("milter")
            self.assertRefused("451", s.data, message)
        self.sandbox.start()
        for _ in range(2):
            with self.sandbox.smtp() as s:
                s.send(EVE, [ALICE], message)
        self.assertEqual(len([m for m in self.sandbox.mails(ALICE)
                              if b"Subject: killed" in m]), 1)

    def test_milter_child_that_dies_is_replaced(self):
        self.kill_children("milter")
        wait_until(self.accepts, what="the milter's return")

    def test_authd_child_that_dies_is_replaced(self):
        self.kill_children("authd")

        def login():
            try:
                with self.sandbox.smtp() as s:
                    return s.auth_plain(ALICE, PASSWORD).startswith("235")
            except Failed:
                return False
        wait_until(login, what="authd's return")

    def test_pop3d_keeper_that_dies_is_replaced(self):
        self.kill_children("pop3d")

        def login():
            try:
                self.sandbox.pop3(ALICE).quit()
                return True
            except (Failed, OSError):
                return False
        wait_until(login, what="the keeper's return")

    def accepts(self):
        try:
            with self.sandbox.smtp() as s:
                s.send(EVE, [ALICE], mail("back"))
            return True
        except Failed:
            return False

    def kill_children(self, part):
        parent = self.sandbox.pid(part)
        found = children(parent)
        self.assertTrue(found, "%s has no child" % part)
        for child in found:
            with contextlib.suppress(ProcessLookupError):   # a session's end
                os.kill(child, signal.SIGKILL)

    def test_milter_reload_keeps_sessions(self):
        with self.sandbox.smtp() as s:
            s.envelope(EVE, [ALICE])
            before = self.sandbox.log("milter.log").count("read again")
            self.sandbox.kill("milter", signal.SIGHUP)
            wait_until(lambda: self.sandbox.log("milter.log").count(
                "read again") > before, what="the reload")
            s.data(mail("over a reload"))
            s.send(EVE, [ALICE], mail("after a reload"))
        subjects = b"".join(self.sandbox.mails(ALICE))
        self.assertIn(b"Subject: over a reload", subjects)
        self.assertIn(b"Subject: after a reload", subjects)


if __name__ == "__main__":
    main()

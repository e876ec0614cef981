#!/usr/bin/env python3
"""The POP3 dialogue and the processes behind it."""

import os
import pwd
import re
import socket
import struct
import subprocess
import time
import unittest

from mrtest import (PASSWORD, Failed, SandboxTest, built_with_faults, mail,
                    main, wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"
EVE = "eve@remote.test"


def children(pid):
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as f:
            found += [int(c) for c in f.read().split()]
    return found


def user_of(pid):
    try:
        with open("/proc/%d/status" % pid) as f:
            return int(re.search(r"^Uid:\s+\d+\s+(\d+)", f.read(), re.M)[1])
    except (FileNotFoundError, ProcessLookupError):
        return None         # it has just ended


class Pop3Dialogue(SandboxTest):
    def setUp(self):
        super().setUp()
        self.sandbox.empty(ALICE)
        self.first = mail("first", b"".join(b"line %d\r\n" % i
                                            for i in range(10)))
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], self.first)
            s.send(EVE, [ALICE], mail("second"))

    def test_the_whole_transcript(self):
        with self.sandbox.pop3() as p:
            self.assertNotIn("<", p.banner)     # APOP is off
            self.assertRefused("-ERR", p.cmd, "STAT")
            p.cmd("user " + ALICE)
            self.assertRefused("-ERR [AUTH]", p.cmd, "pass wrong")
            p.cmd("user " + ALICE)
            self.assertEqual(p.cmd("pass " + PASSWORD), "+OK 2 messages")
            n, octets = p.stat()
            self.assertEqual(n, 2)
            listing = p.listing()
            self.assertEqual([r[0] for r in listing], ["1", "2"])
            self.assertEqual(sum(int(r[1]) for r in listing), octets)
            self.assertEqual(p.cmd("list 1"), "+OK 1 " + listing[0][1])
            uidl = p.listing("UIDL")
            self.assertNotEqual(uidl[0][1], uidl[1][1])
            for row in uidl:
                self.assertRegex(row[1], r"^[A-Za-z0-9._-]{1,70}$")
            self.assertEqual(p.cmd("uidl 1"), "+OK 1 " + uidl[0][1])
            whole = p.retr(1)
            self.assertTrue(whole.startswith(b"Return-Path: "))
            self.assertTrue(whole.split(b"\r\n")[1].startswith(
                b"Delivered-To: "))
            self.assertEqual(len(whole), int(listing[0][1]))
            head = whole[:whole.index(b"\r\n\r\n") + 4]
            self.assertEqual(p.multi("top 1"), head)
            self.assertEqual(p.multi("top 1 0"), head)
            self.assertEqual(p.multi("top 1 5"), head + b"".join(
                b"line %d\r\n" % i for i in range(5)))
            self.assertEqual(p.multi("top 1 99999999"), whole)
            p.cmd("dele 1")
            self.assertRefused("-ERR", p.cmd, "dele 1")
            self.assertRefused("-ERR", p.cmd, "retr 1")
            self.assertEqual(p.stat()[0], 1)
            p.cmd("rset")
            self.assertEqual(p.stat(), (n, octets))
            p.cmd("noop")
            p.cmd("dele 1")
            self.assertEqual(p.listing("UIDL"), [uidl[1]])
            p.quit()
        with self.sandbox.pop3(ALICE) as p:
            self.assertEqual([r[1] for r in p.listing("UIDL")], [uidl[1][1]])
        self.sandbox.check_store()

    def test_rule_32_only_quit_deletes(self):
        with self.sandbox.pop3(ALICE) as p:
            p.cmd("DELE 1")
            p.cmd("DELE 2")
        with self.sandbox.pop3(ALICE) as p:
            self.assertEqual(p.stat()[0], 2)

    def test_deleted_mail_is_in_the_trash_with_its_origin(self):
        with self.sandbox.pop3(ALICE) as p:
            p.cmd("DELE 2")
            p.quit()
        self.assertEqual(self.sandbox.sql(
            "SELECT deleted_by, deleted_from FROM trash ORDER BY uid DESC"
            " LIMIT 1"), [[ALICE, "127.0.0.1"]])
        self.sandbox.check_store()

    def test_after_a_failed_pass_a_new_user_is_needed(self):
        with self.sandbox.pop3() as p:
            p.cmd("USER " + ALICE)
            self.assertRefused("-ERR [AUTH]", p.cmd, "PASS wrong")
            self.assertRefused("-ERR", p.cmd, "PASS " + PASSWORD)
            p.cmd("USER " + ALICE)
            p.cmd("PASS " + PASSWORD)

    def test_three_failed_logins_end_the_session(self):
        with self.sandbox.pop3() as p:
            for _ in range(3):
                p.cmd("USER nobody@example.test")
                self.assertRefused("-ERR", p.cmd, "PASS wrong")
            with self.assertRaises((Failed, OSError)):
                p.cmd("USER " + ALICE)
                p.cmd("PASS " + PASSWORD)

    def test_capa(self):
        with self.sandbox.pop3() as p:
            before = p.multi("CAPA").decode().splitlines()
            for wanted in ("TOP", "UIDL", "USER", "PIPELINING",
                           "RESP-CODES"):
                self.assertIn(wanted, before)
            sasl = [c for c in before if c.startswith("SASL")]
            self.assertEqual(set(sasl[0].split()[1:]), {"PLAIN", "LOGIN"})
            self.assertIn("STLS", before)
            p.login(ALICE)
            self.assertIn("UIDL", p.multi("CAPA").decode().splitlines())

    def test_sasl(self):
        import base64
        plain = base64.b64encode(("\0%s\0%s" % (ALICE, PASSWORD)).encode()) \
            .decode()
        with self.sandbox.pop3() as p:
            self.assertEqual(p.cmd("AUTH PLAIN " + plain), "+OK 2 messages")
        with self.sandbox.pop3() as p:
            p.put("AUTH PLAIN")
            self.assertEqual(p.line(), "+ ")
            self.assertRefused("-ERR", p.cmd, "*")
            p.put("AUTH LOGIN")
            self.assertEqual(p.line(), "+ VXNlcm5hbWU6")
            p.put(base64.b64encode(ALICE.encode()).decode())
            self.assertEqual(p.line(), "+ UGFzc3dvcmQ6")
            self.assertEqual(p.cmd(base64.b64encode(PASSWORD.encode())
                                   .decode()), "+OK 2 messages")

    def test_rule_41_a_thousand_pipelined_commands(self):
        with self.sandbox.pop3(ALICE) as p:
            p.put(b"NOOP\r\nSTAT\r\n" * 500 + b"QUIT\r\n")
            for _ in range(1001):
                p.status()

    def test_rule_29_new_mail_is_invisible_until_the_next_login(self):
        with self.sandbox.pop3(ALICE) as p:
            with self.sandbox.smtp() as s:
                s.send(EVE, [ALICE], mail("third"))
            self.assertEqual(p.stat()[0], 2)
            p.cmd("RSET")
            self.assertEqual(len(p.listing()), 2)
        with self.sandbox.pop3(ALICE) as p:
            self.assertEqual(p.stat()[0], 3)

    def test_rule_37_two_sessions_see_what_each_saw_at_its_login(self):
        with self.sandbox.pop3(ALICE) as p:
            whole = p.retr(2)
            with self.sandbox.pop3(ALICE) as q:
                self.assertEqual(q.listing("UIDL"), p.listing("UIDL"))
                q.cmd("DELE 2")
                q.quit()
            self.assertEqual(p.stat()[0], 2)
            self.assertEqual(p.retr(2), whole)
            p.cmd("DELE 2")
            p.quit()
        with self.sandbox.pop3(ALICE) as p:     # and its neighbour is there
            self.assertEqual(p.stat()[0], 1)
            self.assertIn(b"Subject: first", p.retr(1))

    def test_an_account_without_a_mailbox_is_empty(self):
        self.sandbox.account("new@example.test")
        with self.sandbox.pop3("new@example.test") as p:
            self.assertEqual(p.stat(), (0, 0))
            self.assertEqual(p.listing("UIDL"), [])
            p.quit()

    def test_rule_49_a_password_may_hold_anything_but_a_line_end(self):
        import base64
        odd = ' lead "100%" \\ \u00fc\u20ac\ttrail '
        self.sandbox.account("odd@example.test", odd)
        with self.sandbox.pop3("odd@example.test", odd) as p:
            p.quit()
        plain = base64.b64encode(("\0odd@example.test\0" + odd).encode())
        with self.sandbox.pop3() as p:
            p.cmd("AUTH PLAIN " + plain.decode())
        with self.sandbox.pop3() as p:
            p.cmd("USER odd@example.test")
            self.assertRefused("-ERR [AUTH]", p.cmd, "PASS " + odd.strip())

    def test_rule_03_sums_beyond_four_gigabytes_are_told_right(self):
        where = " WHERE mailbox_id = (SELECT mailbox_id FROM mailbox" \
            " WHERE address = '%s')" % ALICE
        huge = 5 * 1024 ** 3
        self.sandbox.sql("UPDATE mail SET octets = octets + %d%s" % (
            huge, where))
        with self.sandbox.pop3(ALICE) as p:
            sizes = [int(r[1]) for r in p.listing()]
            self.assertGreater(min(sizes), huge)
            self.assertEqual(p.stat(), (2, sum(sizes)))
        self.sandbox.sql("UPDATE mail SET octets = octets - %d%s" % (
            huge, where))

    def test_rule_21_equal_mails_have_different_uidls(self):
        same = mail("same", message_id=False)
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], same)
            s.send(EVE, [ALICE], same)
        with self.sandbox.pop3(ALICE) as p:
            uidls = [r[1] for r in p.listing("UIDL")]
        self.assertEqual(len(set(uidls)), 4, uidls)

    def test_rule_22_and_23_a_uidl_stays_and_is_never_used_again(self):
        with self.sandbox.pop3(ALICE) as p:
            stays, goes = p.listing("UIDL")
            p.cmd("DELE 2")
            p.quit()
        self.sandbox.stop()
        self.sandbox.start()
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], mail("after the restart"))
        with self.sandbox.pop3(ALICE) as p:
            rows = p.listing("UIDL")
        self.assertEqual(rows[0], stays)
        self.assertEqual(len(rows), 2)
        self.assertNotEqual(rows[1][1], goes[1])

    def dump(self, tool, **how):
        return subprocess.run([tool, "--no-defaults", "--socket",
                               self.sandbox.env["MAILROW_DB_SOCKET"],
                               "mailrow"], check=True, **how).stdout

    def test_rule_22_and_23_a_restore_keeps_uidls_and_gives_none_again(self):
        def uidls():
            with self.sandbox.pop3(ALICE) as p:
                return [r[1] for r in p.listing("UIDL")]
        before = uidls()
        saved = self.dump("mariadb-dump", stdout=subprocess.PIPE)
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], mail("lost with the restore"))
        lost = uidls()[2]
        self.dump("mariadb", input=saved)
        self.assertEqual(uidls(), before)
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], mail("after the restore"))
        after = uidls()
        self.assertEqual(after[:2], before)
        # the number is the same again, the name is not
        self.assertEqual(after[2].split(".")[0], lost.split(".")[0])
        self.assertNotEqual(after[2], lost)

    def test_rule_36_a_mail_that_vanished_is_told_once(self):
        with self.sandbox.pop3(ALICE) as p:
            p.sock.settimeout(20)
            with self.sandbox.pop3(ALICE) as q:
                q.cmd("DELE 2")
                q.quit()
            self.sandbox.sql(
                "UPDATE content SET refs = 0 WHERE content_id IN"
                " (SELECT content_id FROM trash);"
                " DELETE FROM trash")       # as a purge would
            self.assertRefused("-ERR message is no longer there", p.cmd,
                               "RETR 2")
            p.cmd("NOOP")
            self.assertRefused("-ERR message is no longer there", p.cmd,
                               "RETR 2")
            self.assertEqual(p.file.read(), b"")

    def test_rule_39_malformed_commands_end_neither_server_nor_session(self):
        with self.sandbox.pop3(ALICE) as p:
            for bad in ("", " ", "XYZZY", "RETR", "RETR 0", "RETR 3",
                        "RETR -1", "RETR 1x", "RETR 18446744073709551617",
                        "TOP 1 -1", "TOP 1 x", "LIST a", "DELE 1 2",
                        "RETR\t1", ":"):
                self.assertRefused("-ERR", p.cmd, bad)
                p.cmd("NOOP")
            p.put(b"NOOP " + b"x" * 2000 + b"\r\n")
            self.assertRefused("-ERR", p.status)
            self.assertEqual(p.stat()[0], 2)
            # who sends a line without an end is not listened to for ever
            p.put(b"NOOP " + b"x" * 10000 + b"\r\n")
            self.assertRefused("-ERR", p.status)
        with self.sandbox.pop3(ALICE) as p:
            p.put(b"NOOP \0\r\n")
            self.assertRefused("-ERR", p.status)
        with self.sandbox.pop3(ALICE) as p:
            self.assertEqual(p.stat()[0], 2)

    def test_rule_62_login_and_logout_are_logged_with_the_address_first(self):
        def lines():
            return [l for l in self.sandbox.log("pop3d.log").splitlines()
                    if session in l]
        before = self.sandbox.log("pop3d.log")
        self.sandbox.pop3(ALICE).quit()
        new = self.sandbox.log("pop3d.log")[len(before):]
        session = re.search(r"Login: .*(session=<\w+>)", new)[1]
        wait_until(lambda: len(lines()) == 2, what="the line of the logout")
        self.assertIn("Logged out", lines()[1])
        for line in lines():
            self.assertLess(line.index("rip=127.0.0.1"), line.index(ALICE))

    @unittest.skipUnless(built_with_faults(), "built without fault points")
    def test_the_last_line_tells_how_long_the_database_took(self):
        user = "timed@example.test"
        self.sandbox.account(user)

        def took():
            found = re.findall(r"user=<%s>.*Logged out .*, db=(\d+)\.\d{3}ms$"
                               % user, self.sandbox.log("pop3d.log"), re.M)
            return [int(ms) for ms in found]
        self.sandbox.pop3(user).quit()
        wait_until(lambda: len(took()) == 1, what="a line")
        self.sandbox.fault("keeper-open", "stall 700")
        self.sandbox.pop3(user).quit()
        wait_until(lambda: len(took()) == 2, what="another")
        quick, slow = took()
        self.assertGreaterEqual(slow, 700)
        self.assertLess(quick, slow)


class Pop3Processes(SandboxTest):
    def session_pids(self):
        """The sessions: children of the parent that are not the keeper."""
        login = pwd.getpwnam("mailrow-login").pw_uid
        return [c for c in children(self.sandbox.pid("pop3d"))
                if user_of(c) == login]

    def test_a_session_holds_two_descriptors_and_no_more(self):
        for user in (None, ALICE):
            with self.sandbox.pop3(user) as p:
                p.cmd("NOOP") if user else p.multi("CAPA")
                sessions = self.session_pids()
                self.assertEqual(len(sessions), 1)
                fds = os.listdir("/proc/%d/fd" % sessions[0])
                links = [os.readlink("/proc/%d/fd/%s" % (sessions[0], fd))
                         for fd in fds]
                self.assertEqual(len(fds), 2, links)
                self.assertTrue(all(l.startswith("socket:") for l in links),
                                links)
                p.cmd("QUIT")
            wait_until(lambda: not self.session_pids(),
                       what="the end of the session")

    def test_two_hundred_idle_sessions_cost_no_database_connection(self):
        def connections():
            return self.sandbox.number(
                "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                " WHERE USER = 'mailrow-pop3'")
        sessions = []
        try:
            for _ in range(200):
                sessions.append(self.sandbox.pop3(ALICE))
            self.assertEqual(len(self.session_pids()), 200)
            many = connections()
            self.assertLessEqual(many, 8)
            for p in sessions:
                p.cmd("STAT")
            self.assertEqual(connections(), many)
        finally:
            for p in sessions:
                p.close()
        wait_until(lambda: not self.session_pids(),
                   what="the end of the sessions")
        self.assertEqual(connections(), many)

    def test_rule_12_a_big_mail_costs_a_session_little_memory(self):
        def held(pid):
            with open("/proc/%d/status" % pid) as f:
                return int(re.search(r"^RssAnon:\s+(\d+)", f.read(),
                                     re.M)[1]) * 1024
        message = mail("big", (b"0123456789abcdef" * 60 + b"\r\n") * 12000)
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], message)
        with self.sandbox.pop3(ALICE) as p:
            newest = p.stat()[0]
            session, = self.session_pids()
            p.put("RETR %d" % newest)
            p.status()
            p.file.read(100000)         # and then reads no more for a while
            self.assertLess(held(session), 8 << 20)
            whole = p.body()
            self.assertLess(held(session), 8 << 20)
            self.assertTrue(whole.endswith(message[-100000:]))

    def test_rule_32_a_session_that_is_killed_harms_nobody(self):
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], mail("stays"))
        with self.sandbox.pop3(ALICE) as p, self.sandbox.pop3(BOB) as q:
            p.cmd("DELE 1")
            sessions = self.session_pids()
            self.assertEqual(len(sessions), 2)
            os.kill(min(sessions), 9)
            with self.assertRaises((Failed, OSError)):
                p.cmd("NOOP")
                q.cmd("NOOP")
        wait_until(lambda: not self.session_pids(),
                   what="the end of the sessions")
        self.assertEqual(self.sandbox.number("SELECT COUNT(*) FROM trash"), 0)


class OddClients(SandboxTest):
    """Whatever a client sends and whenever it goes: nothing is deleted
    without a whole QUIT, nothing comes back of what it said, and the next
    client is served."""

    CONF = ("pop3_blank_line = yes", "pop3_replace_nul = yes")
    SECRET = b"zqxj"    # in no text of ours

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.sandbox.smtp() as s:
            s.send(EVE, [ALICE], mail("one", b"line\r\n" * 100000))
            s.send(EVE, [ALICE], mail("two"))

    def setUp(self):
        super().setUp()
        self.login = ("USER %s\r\nPASS %s\r\n" % (ALICE, PASSWORD)).encode()

    def tearDown(self):
        def gone():
            login = pwd.getpwnam("mailrow-login").pw_uid
            return not [c for c in children(self.sandbox.pid("pop3d"))
                        if user_of(c) == login]
        wait_until(gone, what="the end of the sessions")
        with self.sandbox.pop3(ALICE) as p:
            self.assertEqual(p.stat()[0], 2)
            p.quit()
        self.assertEqual(self.sandbox.number("SELECT COUNT(*) FROM trash"), 0)
        self.assertNotIn("died: signal", self.sandbox.log("pop3d.log"))

    def test_rule_08_and_10_outlook_is_helped_and_the_sizes_agree(self):
        head = b"Subject: head\r\nTo: alice\r\n"
        for message in (head, head + b"\r\n", head + b"\r\nbody\0\0\r\n",
                        b"no header\r\n", b""):
            with self.sandbox.lmtp() as l:
                l.send(EVE, [BOB], message, "250")
        with self.sandbox.pop3(BOB) as p:
            mails = [p.retr(n) for n in range(1, 6)]
            self.assertEqual([int(r[1]) for r in p.listing()],
                             [len(m) for m in mails])
            self.assertEqual(p.stat(), (5, sum(map(len, mails))))
            self.assertTrue(mails[0].endswith(head + b"\r\n"))
            self.assertTrue(mails[1].endswith(head + b"\r\n"))
            self.assertTrue(mails[2].endswith(b"\r\n\r\nbody\x80\x80\r\n"))
            self.assertEqual(p.multi("TOP 1 0"), mails[0])
            p.quit()

    def test_rule_32_a_reset_in_any_state(self):
        states = (b"", b"US", b"USER " + ALICE.encode() + b"\r\n",
                  b"AUTH PLAIN\r\n", b"AUTH LOGIN\r\nYQ==\r\n",
                  self.login, self.login + b"DELE 1\r\nDELE 2\r\n",
                  self.login + b"DELE 2\r\nRETR 1\r\n",
                  self.login + b"DELE 2\r\nRETR 1\r\nQUI",
                  self.login + b"DELE 1\r\nUIDL\r\nQUIT",
                  self.login + b"DELE 1\r\nRSET\r\nQUIT\r\n")
        for state in states:
            for reset in (False, True):
                p = self.sandbox.pop3()
                if reset:
                    p.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
                p.put(state)
                if state.startswith(self.login):
                    p.status(), p.status()
                p.close()

    def test_rule_39_junk_is_refused_and_never_comes_back(self):
        import random
        r = random.Random(1939)
        junk = [bytes(r.choices(range(1, 256), k=4000)) + b"\r\n",
                b"\n".join(bytes(r.choices(range(1, 256), k=20))
                           for _ in range(40)) + b"\n",
                self.SECRET * 60 + b"\r\n", self.SECRET * 5000,
                b"\0" * 1000 + b"\r\n", b"\r" * 1000 + b"\n",
                b"USER " + self.SECRET + b"\r\nPASS " + self.SECRET + b"\r\n",
                b"AUTH " + self.SECRET + b"\r\n" + self.SECRET + b"\r\n",
                b"RETR " + self.SECRET + b"\r\n",
                b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n"]
        for octets in junk:
            for before in (b"", self.login):
                with self.sandbox.pop3() as p:
                    p.sock.settimeout(20)
                    p.put(before + octets)
                    p.sock.shutdown(socket.SHUT_WR)
                    try:
                        said = p.file.read()
                    except ConnectionResetError:
                        continue
                    for line in said.splitlines(True):
                        self.assertRegex(line, rb"^(\+OK|-ERR) ?[ -~]*\r\n$")
                    self.assertNotIn(self.SECRET, said)

    def test_rule_62_no_escape_sequence_reaches_a_log(self):
        name = b"\x1b[2Jrip=192.0.2.66\x9b\x07, user=<bob>"
        with self.sandbox.pop3() as p:
            p.put(b"USER " + name.replace(b" ", b"") + b"\r\nPASS x\r\n")
            p.status()
            self.assertRefused("-ERR [AUTH]", p.status)
        wait_until(lambda: "x1b[2J" in self.sandbox.log("pop3d.log"),
                   what="the line of its end")
        for log in ("pop3d.log", "authd.log"):
            with open(os.path.join(self.sandbox.env["MAILROW_LOG"], log),
                      "rb") as f:
                text = f.read()
            self.assertIn(b"\\x1b[2J", text)
            self.assertNotRegex(text, rb"[^\n -~]")
            self.assertNotRegex(text, rb"(?m)^[^<\n]*rip=192\.0\.2\.66")

    def test_rule_47_half_a_connection_and_no_word_at_the_end(self):
        with self.sandbox.pop3() as p:
            p.put(self.login + b"DELE 1\r\nSTAT\r\n")
            p.sock.shutdown(socket.SHUT_WR)
            for _ in range(4):
                p.status()
            self.assertEqual(p.file.read(), b"")


class Apop(SandboxTest):
    CONF = ("apop = yes",)

    def test_rule_55_apop_for_a_plain_password_only(self):
        import hashlib
        self.sandbox.sql("UPDATE account SET password = '{PLAIN}tanstaaf'"
                         " WHERE address = '%s'" % ALICE)

        def apop(user, password):
            with self.sandbox.pop3() as p:
                stamp = re.search(r"<[^<>@ ]+@[^<>@ ]+>", p.banner)[0]
                stamps.append(stamp)
                return p.cmd("APOP %s %s" % (user, hashlib.md5(
                    (stamp + password).encode()).hexdigest()))
        stamps = []
        self.assertEqual(apop(ALICE, "tanstaaf"), "+OK 0 messages")
        self.assertRefused("-ERR", apop, ALICE, "wrong")
        self.assertRefused("-ERR", apop, BOB, PASSWORD)
        self.assertRefused("-ERR", apop, "nobody@example.test", "tanstaaf")
        self.assertEqual(len(set(stamps)), 4)


class Digests(SandboxTest):
    CONF = ("cram_md5 = yes", "login_delay = 4s")

    def cram(self, p, user, password):
        import base64
        import hmac
        p.put("AUTH CRAM-MD5")
        stamp = base64.b64decode(p.line()[2:])
        self.assertRegex(stamp, rb"^<[^<>@ ]+@[^<>@ ]+>$")
        digest = hmac.new(password.encode(), stamp, "md5").hexdigest()
        return p.cmd(base64.b64encode(("%s %s" % (user, digest)).encode())
                     .decode())

    def test_cram_md5_for_a_plain_password_only(self):
        self.sandbox.sql("UPDATE account SET password = '{PLAIN}tanstaaf'"
                         " WHERE address = '%s'" % ALICE)
        with self.sandbox.pop3() as p:
            self.assertNotIn("<", p.banner)
            self.assertRefused("-ERR [AUTH]", self.cram, p, ALICE, "wrong")
            self.assertEqual(self.cram(p, ALICE, "tanstaaf"),
                             "+OK 0 messages")
            p.quit()
        with self.sandbox.pop3() as p:
            self.assertRefused("-ERR [AUTH]", self.cram, p, BOB, PASSWORD)
            self.assertRefused("-ERR [AUTH]", self.cram, p,
                               "nobody@example.test", "tanstaaf")

    def test_rule_58_login_delay_is_told_and_kept(self):
        def login():
            with self.sandbox.pop3(BOB) as p:
                p.quit()
        with self.sandbox.pop3() as p:
            self.assertIn(b"LOGIN-DELAY 4\r\n", p.multi("CAPA"))
        login()
        began = time.monotonic()
        self.assertRefused("-ERR [LOGIN-DELAY]", login)
        with self.sandbox.pop3() as p:      # no word to a stranger
            p.cmd("USER " + BOB)
            self.assertRefused("-ERR [AUTH]", p.cmd, "PASS wrong")

        def let_in():
            try:
                login()
                return True
            except Failed:
                return False
        wait_until(let_in, what="another login")
        self.assertGreater(time.monotonic() - began, 3)

    def test_rule_50_a_disabled_account_is_told_to_its_owner_only(self):
        self.sandbox.account("shut@example.test")
        self.sandbox.tool("account", "disable", "shut@example.test")
        with self.sandbox.pop3() as p:
            p.cmd("USER shut@example.test")
            self.assertRefused("-ERR [AUTH]", p.cmd, "PASS wrong")
            p.cmd("USER shut@example.test")
            self.assertRefused("-ERR [SYS/PERM]", p.cmd, "PASS " + PASSWORD)


if __name__ == "__main__":
    main()

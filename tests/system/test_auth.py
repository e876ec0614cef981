#!/usr/bin/env python3
"""What an account may do and with which password: doors, application
passwords, the memory of what was right, and where logins came from."""

import base64
import os
import random
import re
import socket
import time

from mrtest import (PASSWORD, Failed, SandboxTest, mail, main, stopped,
                    wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"


class AuthTest:
    def counters(self):
        text = self.sandbox.tool("metrics").stdout
        return {by: int(n) for by, n in re.findall(
            r'mailrow_passwords_total\{program="mailrow-authd",by="(\w+)"\}'
            r' (\d+)', text)}

    def counted(self, do):
        """What each way to verify has done meanwhile."""
        before = self.counters()
        do()
        after = self.counters()
        return {by: after[by] - before[by] for by in after
                if after[by] > before[by]}

    def smtp_login(self, user, password=PASSWORD, tls=False):
        with self.sandbox.submission() if tls else self.sandbox.smtp() as s:
            if tls:
                s.starttls()
            return s.auth_plain(user, password)[:3]

    def pop3_login(self, user, password=PASSWORD):
        try:
            self.sandbox.pop3(user, password).quit()
            return "+OK"
        except Failed as e:
            return e.answer

    def reason(self):
        """Of the last attempt."""
        return re.findall(r" result=\w+ reason=([\w-]+)",
                          self.sandbox.log("authd.log"))[-1]

    def door(self, *words):
        self.sandbox.tool("account", "door", *words)

    def add(self, *words):
        return self.sandbox.tool("account", "app-password", "add",
                                 *words).stdout.strip()

    def revoke(self, label):
        self.sandbox.tool("account", "app-password", "revoke", ALICE, label)

    def flush(self):
        """Has authd write what it gathered: it does at its end."""
        self.sandbox.stop("authd")
        self.sandbox.start()


class Doors(AuthTest):
    def test_each_door_is_opened_and_closed(self):
        self.assertEqual(self.smtp_login(ALICE), "235")
        self.door(ALICE, "smtp", "off")
        self.assertEqual(self.smtp_login(ALICE), "535")
        self.assertEqual(self.reason(), "door-closed")
        self.assertEqual(self.pop3_login(ALICE), "+OK")
        self.door(ALICE, "smtp", "on")
        self.door(ALICE, "pop3", "off")
        self.assertEqual(self.smtp_login(ALICE), "235")
        self.assertIn("-ERR [SYS/PERM]", self.pop3_login(ALICE))
        # a wrong password learns nothing of the door
        self.assertIn("-ERR [AUTH]", self.pop3_login(ALICE, "wrong"))
        self.door(ALICE, "pop3", "on")
        self.assertEqual(self.pop3_login(ALICE), "+OK")

    def test_a_login_may_need_tls(self):
        self.door(ALICE, "tls", "on")
        self.assertEqual(self.smtp_login(ALICE), "535")
        self.assertEqual(self.reason(), "tls-required")
        self.assertEqual(self.smtp_login(ALICE, tls=True), "235")
        self.assertIn("-ERR", self.pop3_login(ALICE))
        self.assertEqual(self.reason(), "tls-required")
        self.sandbox.pop3s(ALICE).quit()
        self.door(ALICE, "tls", "off")
        self.assertEqual(self.smtp_login(ALICE), "235")

    def test_a_login_may_come_from_some_networks_only(self):
        self.door(ALICE, "networks", "192.0.2.0/24, 2001:db8::/32")
        self.assertEqual(self.smtp_login(ALICE), "535")
        self.assertEqual(self.reason(), "network")
        self.door(ALICE, "networks", "192.0.2.0/24 127.0.0.0/8")
        self.assertEqual(self.smtp_login(ALICE), "235")
        self.assertEqual(self.pop3_login(ALICE), "+OK")
        self.door(ALICE, "networks", "any")
        self.assertEqual(self.smtp_login(ALICE), "235")

    def test_the_verb_takes_nothing_else(self):
        for words, code in (
                ((ALICE, "imap", "on"), 64), ((ALICE, "smtp", "yes"), 65),
                ((ALICE, "networks", "10.0.0.1/8"), 65),
                ((ALICE, "networks", " , "), 65), ((ALICE, "networks", ""), 65),
                (("nobody@example.test", "smtp", "on"), 67)):
            r = self.sandbox.tool("account", "door", *words, check=False)
            self.assertEqual(r.returncode, code, (words, r.stderr))


class AppPasswords(AuthTest):
    def test_one_logs_in_until_it_is_revoked(self):
        word = self.add(ALICE, "phone")
        self.assertRegex(word, r"^(\w{5}-){4}\w{6}$")
        used = self.counted(lambda: self.assertEqual(
            [self.smtp_login(ALICE, word), self.pop3_login(ALICE, word),
             self.smtp_login(ALICE, word.upper().replace("-", ""))],
            ["235", "+OK", "235"]))
        self.assertEqual(used, {"application": 3})
        self.assertEqual(self.reason(), "app-password")
        self.assertEqual(self.smtp_login(BOB, word), "535")
        self.assertEqual(self.smtp_login(ALICE), "235")
        self.flush()
        listed = self.sandbox.tool("account", "app-password", "list",
                                   ALICE).stdout
        self.assertIn("phone", listed)
        self.assertIn("127.0.0.1", listed)
        self.assertNotIn(word, listed + self.sandbox.our_log())
        self.revoke("phone")
        self.assertEqual(self.smtp_login(ALICE, word), "535")
        self.assertIn("-ERR [AUTH]", self.pop3_login(ALICE, word))
        self.assertEqual(self.smtp_login(ALICE), "235")

    def test_one_that_was_the_only_password_ends_when_it_is_revoked(self):
        word = self.add(ALICE, "only")
        hashed = self.sandbox.sql("SELECT password FROM account WHERE"
                                  " address = '%s'" % ALICE)[0][0]
        self.sandbox.sql("UPDATE account SET password = ''"
                         " WHERE address = '%s'" % ALICE)
        try:
            self.assertEqual(self.smtp_login(ALICE, word), "235")
            self.revoke("only")
            self.assertNotEqual(self.smtp_login(ALICE, word), "235")
        finally:
            self.sandbox.sql("UPDATE account SET password = '%s'"
                             " WHERE address = '%s'" % (hashed, ALICE))

    def test_it_has_doors_networks_and_an_end_of_its_own(self):
        word = self.add(ALICE, "printer", "--door", "smtp")
        self.assertEqual(self.smtp_login(ALICE, word), "235")
        self.assertIn("SYS/PERM", self.pop3_login(ALICE, word))
        word = self.add(ALICE, "office", "--networks", "192.0.2.0/24")
        self.assertEqual(self.smtp_login(ALICE, word), "535")
        self.assertEqual(self.reason(), "network")
        word = self.add(ALICE, "guest", "--expires", "1h")
        self.assertEqual(self.smtp_login(ALICE, word), "235")
        self.sandbox.sql("UPDATE app_password SET expires_at ="
                         " UTC_TIMESTAMP() WHERE label = 'guest'")
        self.assertEqual(self.smtp_login(ALICE, word), "535")
        self.assertEqual(self.reason(), "app-password-expired")
        # the account's own rules hold for it, too
        word = self.add(ALICE, "plain")
        self.door(ALICE, "pop3", "off")
        self.assertIn("SYS/PERM", self.pop3_login(ALICE, word))
        self.door(ALICE, "pop3", "on")
        self.sandbox.tool("account", "disable", ALICE)
        self.assertEqual(self.smtp_login(ALICE, word), "535")
        self.assertEqual(self.reason(), "account-disabled")
        self.sandbox.tool("account", "enable", ALICE)
        for label in ("printer", "office", "guest", "plain"):
            self.revoke(label)

    def test_a_later_account_of_the_name_does_not_inherit_it(self):
        who = "heir@example.test"
        self.sandbox.account(who)
        word = self.add(who, "phone")
        self.assertEqual(self.smtp_login(who, word), "235")
        self.sandbox.sql("DELETE FROM account WHERE address = '%s'" % who)
        self.assertEqual(self.smtp_login(who, word), "535")
        self.sandbox.account(who)
        self.assertEqual(self.smtp_login(who), "235")
        self.assertEqual(self.smtp_login(who, word), "535")
        self.assertEqual(self.reason(), "wrong-password")
        self.sandbox.tool("account", "delete", who)
        self.assertEqual(self.sandbox.number(
            "SELECT COUNT(*) FROM app_password WHERE login = '%s'" % who), 0)

    def test_the_verb_says_what_is_wrong(self):
        self.add(ALICE, "twice")
        for words, code in (
                (("add", ALICE, "twice"), 73), (("add", ALICE), 64),
                (("add", "nobody@example.test", "x"), 67),
                (("revoke", ALICE, "none"), 67), (("give", ALICE, "x"), 64),
                (("add", ALICE, "x", "--door", "imap"), 64),
                (("add", ALICE, "x", "--expires", "soon"), 64),
                (("add", ALICE, "x", "--networks", "home"), 64),
                (("add", ALICE, "x", "--networks", ","), 64),
                (("add", ALICE, "x", "--networks", ""), 64),
                (("add", ALICE, "x" * 65), 65)):
            r = self.sandbox.tool("account", "app-password", *words,
                                  check=False)
            self.assertEqual(r.returncode, code, (words, r.stderr))
        self.revoke("twice")


class Memory(AuthTest):
    def test_a_password_is_hashed_once(self):
        def logins():
            for _ in range(5):
                self.assertEqual(self.smtp_login(ALICE), "235")
                self.assertEqual(self.pop3_login(ALICE), "+OK")
        self.sandbox.script("account", ALICE, "another one")
        self.sandbox.script("account", ALICE, PASSWORD)
        self.assertEqual(self.counted(logins), {"hash": 1, "memory": 9})
        self.assertEqual(self.reason(), "remembered")

    def test_a_hash_that_would_take_hours_holds_nobody_up(self):
        who = "costly@example.test"
        self.sandbox.account(who)
        self.sandbox.sql("UPDATE account SET password = '$2y$31$%s'"
                         " WHERE address = '%s'" % ("a" * 53, who))
        for _ in range(5):      # there are four workers
            self.assertEqual(self.smtp_login(who), "454")
            self.assertEqual(self.reason(), "hash-too-costly")
        self.assertIn("user=<%s>: a stored password would cost" % who,
                      self.sandbox.log("authd.log"))
        self.assertEqual(self.smtp_login(ALICE), "235")

    def test_what_is_wrong_is_hashed_each_time(self):
        self.assertEqual(self.smtp_login(ALICE), "235")
        used = self.counted(lambda: [self.smtp_login(ALICE, "wrong")
                                     for _ in range(3)])
        self.assertEqual(used, {"hash": 3})

    def test_each_change_counts_at_once(self):
        for change, back, want in (
                ("active = 0", "active = 1", "account-disabled"),
                ("smtp = 0", "smtp = 1", "door-closed"),
                ("tls_only = 1", "tls_only = 0", "tls-required"),
                ("networks = '::1'", "networks = ''", "network"),
                ("networks = ' , '", "networks = ''", "network"),
                ("password = '{PLAIN}other'", None, "wrong-password")):
            self.assertEqual(self.smtp_login(ALICE), "235")
            self.sandbox.sql("UPDATE account SET %s WHERE address = '%s'" %
                             (change, ALICE))
            self.assertEqual(self.smtp_login(ALICE), "535", change)
            self.assertEqual(self.reason(), want)
            if back:
                self.sandbox.sql("UPDATE account SET %s WHERE address = '%s'"
                                 % (back, ALICE))
        self.sandbox.account(ALICE)
        self.assertEqual(self.smtp_login(ALICE), "235")
        self.sandbox.sql("UPDATE domain SET active = 0")
        self.assertEqual(self.smtp_login(ALICE), "535")
        self.sandbox.sql("UPDATE domain SET active = 1")

    def stored(self):
        return self.sandbox.sql("SELECT password FROM account WHERE address ="
                                " '%s'" % BOB)[0][0]

    def test_a_weak_hash_is_replaced_at_the_login(self):
        weak = "{SSHA}1r27L4usNovKJbrD6uoHteUvLHJzYWx0"   # "weak", "salt"
        self.sandbox.sql("UPDATE account SET password = '%s' WHERE address ="
                         " '%s'" % (weak, BOB))
        self.assertEqual(self.smtp_login(BOB, "weak"), "235")
        # it may not be written yet by this user of the database
        wait_until(lambda: "cannot write the new hash" in
                   self.sandbox.log("authd.log"))
        self.assertEqual(self.stored(), weak)
        self.sandbox.sql("GRANT UPDATE (password) ON account TO"
                         " 'mailrow-auth'@'localhost'")
        self.sandbox.stop("authd")      # a right is seen by new connections
        self.sandbox.start()
        self.assertEqual(self.smtp_login(BOB, "wrong"), "535")
        self.assertEqual(self.stored(), weak)
        self.assertEqual(self.smtp_login(BOB, "weak"), "235")
        wait_until(lambda: self.stored() != weak)
        self.assertTrue(self.stored().startswith("$y$"), self.stored())
        strong = self.stored()
        self.assertEqual(self.smtp_login(BOB, "weak"), "235")
        self.assertEqual(self.smtp_login(BOB, "weaker"), "535")
        self.assertEqual(self.stored(), strong)
        self.sandbox.account(BOB)


class History(AuthTest):
    def test_networks_and_the_last_login_are_listed(self):
        who = "hist@example.test"
        self.sandbox.account(who)
        with self.sandbox.smtp() as s:      # now it has a mailbox
            s.send("ann@remote.test", [who], mail("first"))
        self.smtp_login(who)
        self.smtp_login(who)
        self.smtp_login(who, "wrong")
        with self.sandbox.pop3(who, source="127.0.9.1") as p:
            p.quit()
        with self.sandbox.pop3(who, source="127.0.9.2") as p:
            p.quit()
        self.flush()
        rows = self.sandbox.sql(
            "SELECT network, door, logins FROM login_history WHERE login ="
            " '%s' ORDER BY network, door" % who)
        self.assertEqual(rows, [["127.0.0.0/24", "smtp", "2"],
                                ["127.0.9.0/24", "pop3", "2"]])
        text = self.sandbox.tool("account", "logins", who).stdout
        self.assertIn("127.0.9.0/24", text)
        self.assertIn("networks: 2 in the last day, 2 in the last week", text)
        self.assertEqual(self.sandbox.sql(
            "SELECT door, client FROM last_login JOIN mailbox USING"
            " (mailbox_id) WHERE address = '%s'" % who),
            [["pop3", "127.0.9.2"]])
        text = self.sandbox.tool("account", "logins",
                                 "none@example.test").stdout
        self.assertIn("networks: 0", text)


class Disabled(AuthTest):
    """Within a second, at every door, also for who is in already."""

    def disable(self, on):
        self.sandbox.sql("UPDATE account SET active = %d WHERE address ="
                         " '%s'" % (not on, BOB))

    def ended(self, p, seconds):
        """The session's last line, which must come by itself."""
        p.sock.settimeout(seconds)
        line = p.line()
        self.assertEqual(p.file.read(), b"")
        return line

    def test_new_logins_and_those_that_run(self):
        self.assertEqual(self.smtp_login(BOB), "235")
        idle, other = self.sandbox.pop3(BOB), self.sandbox.pop3(BOB)
        alice = self.sandbox.pop3(ALICE)
        with self.sandbox.smtp() as s:
            s.auth_plain(BOB, PASSWORD)
            s.envelope(BOB, ["x@foreign.test"])
            self.disable(True)
            start = time.monotonic()
            self.assertIn("[SYS/PERM]", self.ended(idle, 10))
            self.assertIn("[SYS/PERM]", self.ended(other, 10))
            # a loaded machine may need more than the second
            self.assertLess(time.monotonic() - start, 2)
            time.sleep(max(0, start + 1 - time.monotonic()))
            for rcpt in ("x@foreign.test", ALICE):
                answer = self.assertRefused("550 5.7.1", s.cmd,
                                            "RCPT TO:<%s>" % rcpt, "250")
                self.assertIn("not open for sending", answer)
            s.cmd("RSET", "250")
            answer = self.assertRefused("550 5.7.1 <%s>: " % BOB, s.cmd,
                                        "MAIL FROM:<%s>" % BOB, "250")
            self.assertIn("not open for sending", answer)
        log = self.sandbox.our_log()
        for step in ("RCPT", "MAIL"):
            self.assertRegex(log, r"milter-reject: %s from .* from=<%s>"
                             ".* predicate=login_disabled" % (step, BOB))
        self.assertEqual(self.smtp_login(BOB), "535")
        self.assertIn("-ERR [SYS/PERM]", self.pop3_login(BOB))
        with self.sandbox.smtp() as s:      # and his mail
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            self.assertRefused("550 5.2.1", s.cmd, "RCPT TO:<%s>" % BOB,
                               "250")
        self.disable(False)
        alice.cmd("NOOP")
        alice.quit()
        self.assertEqual(self.pop3_login(BOB), "+OK")
        self.assertEqual(self.smtp_login(BOB), "235")
        log = self.sandbox.log("pop3d.log")
        self.assertIn("user=<%s> is not open any more: 2 sessions" % BOB, log)
        self.assertIn("Account not open any more", log)

    def test_who_is_deleted_is_closed_and_who_never_was_ours_is_not(self):
        who = "gone@example.test"
        self.sandbox.account(who)
        with self.sandbox.smtp() as s, self.sandbox.smtp() as t:
            for x in (s, t):        # the second is remembered
                x.auth_plain(who, PASSWORD)
                x.envelope(who, ["x@foreign.test"])
            self.sandbox.sql("DELETE FROM account WHERE address = '%s'" % who)
            time.sleep(1)           # within a second, says the promise
            self.assertRefused("550 5.7.1", s.cmd, "RCPT TO:<%s>" % ALICE,
                               "250")
            for x in (s, t):
                x.cmd("RSET", "250")
                self.assertRefused("550 5.7.1", x.cmd, "MAIL FROM:<%s>" % who,
                                   "250")
        self.assertIn("predicate=login_deleted", self.sandbox.our_log())

    def test_a_closed_door_ends_what_came_by_it(self):
        p = self.sandbox.pop3(BOB)
        with self.sandbox.smtp() as s:
            s.auth_plain(BOB, PASSWORD)
            self.door(BOB, "pop3", "off")
            self.assertIn("[SYS/PERM]", self.ended(p, 10))
            s.envelope(BOB, ["x@foreign.test"])
            s.cmd("RSET", "250")
            self.door(BOB, "pop3", "on")
            self.door(BOB, "smtp", "off")
            time.sleep(1)
            self.assertRefused("550 5.7.1", s.cmd, "MAIL FROM:<%s>" % BOB,
                               "250")
        self.door(BOB, "smtp", "on")

    def test_whose_state_nobody_can_tell_goes_on(self):
        p = self.sandbox.pop3(BOB)
        self.sandbox.stop("authd")
        time.sleep(1.5)
        p.cmd("NOOP")
        self.sandbox.start()
        p.cmd("NOOP")
        self.disable(True)
        self.assertIn("[SYS/PERM]", self.ended(p, 20))
        self.disable(False)


class Junk(AuthTest):
    """What no client of the sockets would say: that connection ends or nothing
    happens, and the others do not notice."""

    HELLO = b"VERSION\t1\t1\nCPID\t7\n"

    def connect(self, which="auth"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(os.path.join(self.sandbox.dir, "run", which, "auth"))
        return sock

    def say(self, data, which="auth"):
        """All that is answered until the server closes or is silent."""
        got = b""
        with self.connect(which) as sock:
            try:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                while piece := sock.recv(65536):
                    got += piece
            except (BrokenPipeError, ConnectionResetError):
                pass
        return got.split(b"DONE\n", 1)[-1]

    def plain(self, n, user=ALICE, more=b""):
        token = base64.b64encode(("\0%s\0%s" % (user, PASSWORD)).encode())
        return b"AUTH\t%d\tPLAIN\tservice=pop3%s\tresp=%s\n" % (n, more,
                                                              token)

    def ask(self, sock, data):
        sock.sendall(data)
        answer = b""
        while not answer.endswith(b"\n") or b"DONE\n" == answer[-5:]:
            answer += sock.recv(65536)
        return answer.split(b"DONE\n", 1)[-1]

    def test_junk_harms_nobody_else(self):
        random.seed(7)
        authd = self.sandbox.pid("authd")
        with self.connect() as good:
            good.sendall(self.HELLO)
            lines = [bytes(random.choices(range(1, 256), k=random.randrange(
                80))).replace(b"\n", b"") for _ in range(10000)]
            for which in ("auth", "pop3"):
                for i in range(0, 10000, 500):      # some may end it
                    self.say(b"\n".join(lines[i:i + 500]) + b"\n", which)
                for data in (b"\0" * 100, b"A" * 16384 + b"\n",
                             b"AUTH\t1\tPLAIN\tresp=" + b"A" * 40000 + b"\n",
                             b"AUTH\n", b"AUTH\tx\tPLAIN\n", b"CONT\n",
                             b"VERSION\t2\t0\n", b"AUTH\t1\tPLAIN",
                             self.HELLO * 1000):
                    self.say(data, which)
            # what the protocol permits is answered as ever
            self.assertTrue(self.say(b"CONT\t5\tAAAA\n").startswith(
                b"FAIL\t5"))
            self.assertIn(b"FAIL\t1\t", self.ask(good, self.plain(
                1, more=b"\tservice=imap")))
            self.assertIn(b"OK\t2\tuser=alice@example.test", self.ask(
                good, b"NEWS\tof\ttomorrow\n" + self.plain(
                    2, more=b"\tcolour=blue\tsecured\tsecured=yes")))
            # the MTA's side may not ask who is there
            self.assertIn(b"FAIL\t3", self.ask(
                good, b"AUTH\t3\tMAILROW-STATE\tservice=pop3\tresp=%s\n" %
                base64.b64encode(ALICE.encode())))
        self.assertEqual(self.smtp_login(ALICE), "235")
        self.sandbox.refresh()
        self.assertEqual(self.sandbox.pid("authd"), authd)
        self.assertNotIn("died of signal", self.sandbox.log("authd.log"))


class Auth(Junk, Disabled, Doors, AppPasswords, Memory, History, SandboxTest):
    """All of them in one sandbox."""

    CONF = ("rehash_on_login = yes", "auth_failure_delay = 0s")


class Grace(AuthTest, SandboxTest):
    CONF = ("auth_failure_delay = 0s", "auth_grace = 1m",
            "auth_timeout = 3s", "db_connect_timeout = 1s")

    def setUp(self):
        """The test before may have taken the database away, which is not
        asked for a second after a failure."""
        super().setUp()
        for who in (ALICE, BOB):
            wait_until(lambda who=who: self.answer(who, PASSWORD) == "235" and
                       self.reason() != "grace")

    def answer(self, user, password):
        start = time.monotonic()
        with self.sandbox.smtp() as s:
            answer = s.auth_plain(user, password)[:3]
        self.assertLess(time.monotonic() - start, 8)
        return answer

    def test_what_was_right_is_right_while_the_database_is_away(self):
        self.assertEqual(self.answer(ALICE, PASSWORD), "235")
        self.assertEqual(self.answer(BOB, PASSWORD), "235")
        self.sandbox.tool("account", "passwd", BOB, input_="another\n")
        self.assertEqual(self.answer(BOB, PASSWORD), "535")
        self.sandbox.stop("db")
        self.assertEqual(self.answer(ALICE, PASSWORD), "235")
        self.assertEqual(self.reason(), "grace")
        self.assertEqual(self.answer(ALICE, "wrong"), "454")
        self.assertEqual(self.answer(BOB, PASSWORD), "454")
        self.sandbox.start()
        # for a second after a failure nobody asks the database
        wait_until(lambda: self.answer(ALICE, PASSWORD) == "235" and
                   self.reason() != "grace")
        self.assertEqual(self.answer(BOB, "another"), "235")

    def test_a_database_that_is_stalled_is_away(self):
        self.assertEqual(self.answer(ALICE, PASSWORD), "235")
        with stopped(self.sandbox.pid("db")):
            for _ in range(3):
                self.assertEqual(self.answer(ALICE, PASSWORD), "235")
                self.assertEqual(self.reason(), "grace")
                self.assertEqual(self.answer(ALICE, "wrong"), "454")
            time.sleep(1.1)     # it is asked again
            self.assertEqual(self.answer(ALICE, PASSWORD), "235")
            self.assertEqual(self.reason(), "grace")
        wait_until(lambda: self.answer(ALICE, PASSWORD) == "235" and
                   self.reason() != "grace")
        self.assertEqual(self.answer(ALICE, "wrong"), "535")

    def test_an_application_password_is_one_however_it_is_typed(self):
        kept, gone = self.add(ALICE, "kept"), self.add(ALICE, "gone")
        for word in kept, gone, gone.upper().replace("-", ""):
            self.assertEqual(self.answer(ALICE, word), "235")
        self.revoke("gone")
        self.assertEqual(self.answer(ALICE, gone.upper()), "535")
        self.sandbox.stop("db")
        for word in gone, gone.upper().replace("-", ""), gone.upper():
            self.assertEqual(self.answer(ALICE, word), "454")
        self.assertEqual(self.answer(ALICE, kept.upper()), "235")
        self.assertEqual(self.reason(), "grace")
        self.sandbox.start()


if __name__ == "__main__":
    main()

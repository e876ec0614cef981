#!/usr/bin/env python3
"""The fault points themselves: ordinary traffic meets each of them, and what
they are told is done, in every kind of process."""

import re
import socket
import time
import unittest

from mrtest import (PASSWORD, SandboxTest, built_with_faults, children, mail,
                    main, wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"
NEW = ["%s@example.test" % n for n in ("carol", "dora", "emil")]
LIST = "list@example.test"
EVE = "eve@remote.test"
BIG = (b"0123456789" * 90 + b"\r\n") * 3000


@unittest.skipUnless(built_with_faults(), "built without fault points")
class Points(SandboxTest):
    CONF = ("pop3_proxy_networks = 127.0.0.17", "pop3_exclusive = yes")
    LATER = ("lease-unread",)   # after 20 s: test_exclusive.py meets it

    def unmet(self, who):
        points = self.sandbox.points
        return [n for n in points.names(who)
                if n not in self.LATER and not points.passed(n, who)]

    def setUp(self):
        super().setUp()
        for target in (ALICE, "x@foreign.test"):
            self.sandbox.sql("INSERT IGNORE INTO alias VALUES"
                             " ('%s', '%s', UTC_TIMESTAMP())" % (LIST, target))

    def by_limited(self):
        """Mails that are counted: Alice's abroad, and Dora's."""
        self.sandbox.sql("INSERT INTO policy_limit (subject, direction,"
                         " seconds, messages) VALUES ('%s', 'out', 60, 99),"
                         " ('%s', 'in', 60, 99)" % (ALICE, NEW[1]))
        for who in ("milter", "lmtpd"):
            wait_until(lambda w=who: " 2 limits" in self.sandbox.log(
                w + ".log"), what="the limits")
        with self.sandbox.smtp() as s:
            s.auth_plain(ALICE, PASSWORD)
            s.send(ALICE, ["x@foreign.test"], mail("counted"))
        for door in self.sandbox.smtp, self.sandbox.lmtp:
            with door() as s:
                s.send(EVE, [NEW[1]], mail("counted"))

    def by_smtp(self):
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE], mail("plain"))
            s.send(EVE, [ALICE, BOB], mail("two"))
            s.send(EVE, [BOB], mail("big", BIG))
            s.send(EVE, [LIST], mail("goes on"))
            s.envelope(EVE, [ALICE])
            s.cmd("RSET", "250")

    def by_lmtp(self):
        with self.sandbox.lmtp() as l:
            l.send(EVE, [ALICE], mail("plain"))
            l.send(EVE, [ALICE, BOB, LIST], mail("three"))
            l.send(EVE, [BOB], mail("big", BIG))
            l.cmd("RSET", "250")
            l.cmd("QUIT", "221")

    def by_rejection(self):
        for connect in (self.sandbox.smtp, self.sandbox.lmtp):
            with connect() as s:
                s.cmd("MAIL FROM:<%s>" % EVE, "250")
                self.assertRefused("550", s.cmd,
                                   "RCPT TO:<nobody@example.test>", "250")

    def by_pop3(self, user):
        with self.sandbox.pop3(user) as p:
            n = p.stat()[0]
            for i in range(min(n, 4)):
                p.retr(i + 1)
            p.cmd("DELE 1")
            p.quit()

    def by_proxy(self):
        host, port = self.sandbox.env["MAILROW_POP3"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 20,
                                      ("127.0.0.17", 0)) as s:
            s.sendall(b"PROXY TCP4 192.0.2.7 127.0.0.1 4 110\r\nQUIT\r\n")
            while s.recv(100):
                pass

    def by_application(self, user):
        """With a password of its own."""
        password = self.sandbox.tool("account", "app-password", "add", user,
                                     "phone").stdout.strip()
        with self.sandbox.pop3(user, password) as p:
            p.quit()

    def by_guessing(self):
        """So many that authd writes it down, within 5 s."""
        for _ in range(12):
            p = self.sandbox.pop3(source="127.0.0.20")
            self.addCleanup(p.close)
            p.put("USER nobody@example.test\r\nPASS a guess")

    def guesses_are_noted(self):
        return self.sandbox.points.passed("attackers-unread", "authd")

    def many(self, user, n):
        """Mails enough for two pages of the list."""
        self.sandbox.sql("""
            SELECT mailbox_id, MAX(content_id) INTO @box, @id FROM mail
              JOIN mailbox USING (mailbox_id) WHERE address = '%s'
              GROUP BY mailbox_id;
            INSERT INTO mail (mailbox_id, uid, content_id, trace, octets,
                              uidl, sender, received_at)
              SELECT @box, seq, @id, '', octets, CONCAT('u', seq), '', NOW()
                FROM content, seq_1_to_%d WHERE content_id = @id;
            UPDATE content SET refs = refs + %d WHERE content_id = @id;
            UPDATE mailbox SET messages = messages + %d, octets =
              (SELECT SUM(octets) FROM mail WHERE mailbox_id = @box)
              WHERE mailbox_id = @box;""" % (user, n, n, n))

    def new_life(self, user):
        """The account goes and another comes by the same name."""
        self.sandbox.tool("account", "delete", user)
        self.sandbox.account(user)

    def new_accounts(self):
        """First mails, or logins, of accounts and of their successors."""
        for user in NEW:
            self.sandbox.account(user)
        for again in (False, True):
            if again:
                for user in NEW:
                    self.new_life(user)
                time.sleep(1.1)     # what was judged is known for a second
            with self.sandbox.smtp() as s:
                s.send(EVE, NEW[:1], mail("first"))
            with self.sandbox.lmtp() as l:
                l.send(EVE, NEW[1:2], mail("first"))
            with self.sandbox.pop3(NEW[2]) as p:
                p.quit()

    def age(self, table, column, where="TRUE"):
        self.sandbox.sql("UPDATE %s SET %s = NOW() - INTERVAL 90 DAY"
                         " WHERE %s" % (table, column, where))

    def by_tool(self):
        self.sandbox.environ["MAILROW_FAULT_DIR"] = \
            self.sandbox.env["MAILROW_FAULT_DIR"]
        self.sandbox.tool("undelete", BOB)
        self.sandbox.tool("retention", BOB, "30")
        self.age("mail", "received_at", "mailbox_id = (SELECT mailbox_id FROM"
                 " mailbox WHERE address = '%s') LIMIT 3" % BOB)
        self.sandbox.tool("purge")
        self.age("trash", "deleted_at")
        self.age("content", "stored_at")
        self.age("receipt", "received_at", "mailbox_id = 1")
        self.sandbox.tool("account", "delete", NEW[0])
        self.sandbox.sql("UPDATE limit_usage SET started_at = 1")
        self.sandbox.tool("purge")
        self.age("mailbox", "gone_since", "gone_since IS NOT NULL")
        self.sandbox.tool("purge")
        self.age("mailbox", "retired_at", "retired_at IS NOT NULL")
        self.sandbox.tool("purge")
        self.sandbox.sql("UPDATE mailbox SET messages = messages + 1"
                         " WHERE address = '%s'; INSERT INTO chunk VALUES"
                         " (REPEAT('\\0', 16), 0, 'x')" % BOB)
        self.sandbox.tool("verify", "--repair")

    def test_ordinary_traffic_meets_each(self):
        self.by_guessing()
        self.by_smtp()
        self.by_lmtp()
        self.by_rejection()
        self.new_accounts()
        self.by_limited()
        self.many(BOB, 2100)
        self.by_pop3(BOB)
        self.by_pop3(ALICE)
        self.sandbox.pop3(ALICE).close()        # its lease is given back
        self.by_proxy()
        self.by_application(ALICE)
        self.by_tool()
        wait_until(self.guesses_are_noted, what="the note of the guesses")
        self.sandbox.stop("authd")
        self.sandbox.start()
        for who in self.sandbox.points.who[1:]:
            self.assertEqual(self.unmet(who), [], who)

    def children(self, part):
        return children(self.sandbox.pid(part))

    def test_the_one_who_is_told_to_dies(self):
        """Also a session that has no files, and no other one."""
        with self.sandbox.pop3(ALICE) as p, self.sandbox.pop3(BOB) as q:
            p.cmd("NOOP")
            before = self.children("pop3d")
            self.sandbox.fault("session-bye", "die", who="session")
            p.quit()
            wait_until(lambda: len(self.children("pop3d")) ==
                       len(before) - 1, what="a death")
            self.assertTrue(self.sandbox.fault_hit("session-bye"))
            q.cmd("NOOP")
            q.quit()
        wait_until(lambda: re.search(r"session process \d+ of \S+ (died|failed)",
                                     self.sandbox.log("pop3d.log")),
                   what="a line that tells")

    def test_an_order_waits_for_its_passing_and_its_program(self):
        points = self.sandbox.points
        self.sandbox.fault("deliver-plain", "fail", 2, "lmtpd")
        with self.sandbox.smtp() as s, self.sandbox.lmtp() as l:
            s.send(EVE, [ALICE], mail())
            s.send(EVE, [ALICE], mail())
            l.send(EVE, [ALICE], mail())
            self.assertTrue(points.armed("deliver-plain"))
            l.send(EVE, [ALICE], mail())
            self.assertFalse(points.armed("deliver-plain"))

    def test_stall(self):
        for point, who in (("milter-mail", "milter"),
                           ("session-quit", "session")):
            self.sandbox.fault(point, "stall 400", who=who)
            begun = time.monotonic()
            self.by_smtp()
            self.by_pop3(ALICE)
            self.assertGreater(time.monotonic() - begun, 0.4)
            self.assertTrue(self.sandbox.fault_hit(point))

    def connections(self, user):
        return {r[0] for r in self.sandbox.sql(
            "SELECT id FROM information_schema.processlist"
            " WHERE user = '%s'" % user)}

    def test_cut_takes_the_connections_of_one_process(self):
        for point in ("milter-rcpt", "deliver-mail"):
            self.by_smtp()
            self.by_lmtp()
            milter, lmtpd = self.connections("mailrow-milter"), \
                self.connections("mailrow-lmtp")
            self.assertTrue(milter and lmtpd)
            self.sandbox.fault(point, "cut", who="milter")
            with self.sandbox.smtp() as s:
                s.send(EVE, [ALICE, BOB], mail("cut"))
            self.assertTrue(self.sandbox.fault_hit(point))
            wait_until(lambda: not milter & self.connections(
                "mailrow-milter"), what="the cut")
            self.assertEqual(self.connections("mailrow-lmtp"), lmtpd)
        self.sandbox.check_store()


if __name__ == "__main__":
    main()

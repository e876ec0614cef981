#!/usr/bin/env python3
"""What POP3 finds in a mailbox: mails that are no longer what they were, and
how long mails stay."""

import json
import re

from mrtest import Failed, SandboxTest, mail, main, stored_part, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
WARNING = re.compile(r"session=<[0-9a-f]{16}>: mail is damaged: its content "
                     r"(?:does not have the SHA-256 it came with|is not whole):"
                     r" mailbox_id=(\d+) uid=(\d+)")


class Damage(SandboxTest):
    CONF = ("upload_threshold = 1M",)

    def setUp(self):
        super().setUp()
        self.sandbox.empty(ALICE)
        self.mark = len(self.sandbox.log("pop3d.log"))
        self.counted = self.count()

    def count(self):
        return int(re.search(r"^mailrow_damaged_messages_total\{.*\} (\d+)$",
                             self.sandbox.tool("metrics").stdout,
                             re.M).group(1))

    def warnings(self):
        return WARNING.findall(self.sandbox.log("pop3d.log")[self.mark:])

    def send(self, *bodies):
        for body in bodies:
            with self.sandbox.smtp() as s:
                s.send("ann@remote.test", [ALICE], mail(body=body))

    def damage(self, n, octet):
        """One octet of the n-th mail's content becomes another."""
        box, uid, content = self.sandbox.sql(
            "SELECT mailbox_id, uid, HEX(content_id) FROM mail JOIN mailbox"
            " USING (mailbox_id) WHERE address = '%s' ORDER BY uid"
            % ALICE)[n - 1]
        seq, at = divmod(octet, 262144)
        self.sandbox.sql(
            "UPDATE chunk SET data = INSERT(data, %d, 1, '!')"
            " WHERE content_id = X'%s' AND seq = %d" % (at + 1, content, seq))
        return box, uid

    def retrieve(self, n):
        with self.sandbox.pop3(ALICE) as p:
            got = [stored_part(p.retr(i)) for i in range(1, n + 1)]
            p.quit()
        return got

    def expect(self, *damaged):
        """In any order: the log's lines; and as many are counted."""
        wait_until(lambda: len(self.warnings()) >= len(damaged), what="lines")
        self.assertEqual(sorted(self.warnings()), sorted(damaged))
        self.assertEqual(self.count(), self.counted + len(damaged))

    def test_small_mails_read_ahead(self):
        self.send(*[b"the body of mail %d\r\n" % i for i in range(8)])
        before = self.retrieve(8)
        self.expect()
        damaged = [self.damage(i, 60) for i in (1, 2, 6)]
        after = self.retrieve(8)
        self.expect(*damaged)
        self.assertEqual([i for i in range(8) if before[i] != after[i]],
                         [0, 1, 5])

    def test_one_without_its_content_costs_no_other(self):
        self.send(*[b"the body of mail %d\r\n" % i for i in range(4)])
        box, uid, content = self.sandbox.sql(
            "SELECT mailbox_id, uid, HEX(content_id) FROM mail JOIN mailbox"
            " USING (mailbox_id) WHERE address = '%s' ORDER BY uid LIMIT 1"
            % ALICE)[0]
        self.sandbox.sql("DELETE FROM chunk WHERE content_id = X'%s'" % content)
        with self.sandbox.pop3(ALICE) as p:
            with self.assertRaises(Failed) as e:
                p.cmd("RETR 1")
            self.assertIn("-ERR [SYS/PERM] message is damaged",
                          str(e.exception))
            for i in (2, 3, 4):
                p.retr(i)
                p.cmd("DELE %d" % i)
            p.cmd("DELE 1")
            p.quit()
        self.expect((box, uid))
        self.assertEqual(self.sandbox.mails(ALICE), [])

    def test_a_big_mail_in_pieces(self):
        big = b"0123456789abcdef" * 4 + b"\r\n"
        self.send(big * 20000, big * 10)
        before = self.retrieve(2)
        self.expect()
        with self.sandbox.pop3(ALICE) as p:     # and what is not read whole
            p.cmd("TOP 1 10")
            p.body()
        damaged = self.damage(1, 700000)
        after = self.retrieve(2)
        self.expect(damaged)
        self.assertNotEqual(before[0], after[0])
        self.assertEqual(len(before[0]), len(after[0]))
        self.assertEqual(before[1], after[1])
        with self.sandbox.pop3(ALICE) as p:
            p.cmd("TOP 1 10")
            p.body()
        self.expect(damaged)

    def test_one_that_another_session_deleted(self):
        self.send(b"body\r\n")
        damaged = self.damage(1, 60)
        with self.sandbox.pop3(ALICE) as p:
            with self.sandbox.pop3(ALICE) as q:
                q.cmd("DELE 1")
                q.quit()
            p.retr(1)
            p.quit()
        self.expect(damaged)


class Retention(SandboxTest):
    CONF = ("retention = 90",)

    def set(self, name, days):
        self.sandbox.tool("retention", name, str(days))
        self.addCleanup(self.sandbox.tool, "retention", name, "default")

    def expire(self, user=None):
        """What CAPA says, before or after a login."""
        with self.sandbox.pop3(user) as p:
            p.cmd("CAPA")
            lines = p.body().decode().split("\r\n")
        return [l for l in lines if l.startswith("EXPIRE")]

    def send(self, address, *days):
        """Mails that came so many days, and an hour, ago."""
        for n in days:
            with self.sandbox.smtp() as s:
                s.send("ann@remote.test", [address], mail())
            self.sandbox.sql(
                "UPDATE mail SET received_at = UTC_TIMESTAMP()"
                " - INTERVAL %d HOUR ORDER BY received_at DESC LIMIT 1"
                % (24 * n + 1))

    def purge(self):
        return json.loads(self.sandbox.tool("--json", "purge").stdout)[
            "purge"][0]

    def test_capa_says_what_the_purge_does(self):
        self.assertEqual(self.expire(), ["EXPIRE 1 USER"])
        self.assertEqual(self.expire(ALICE), ["EXPIRE 90"])
        self.set("example.test", 30)
        self.set(ALICE, "never")
        self.assertEqual(self.expire(), ["EXPIRE 1 USER"])
        self.assertEqual(self.expire(ALICE), ["EXPIRE NEVER"])
        self.assertEqual(self.expire(BOB), ["EXPIRE 30"])
        self.send(ALICE, 100, 40)
        self.send(BOB, 100, 40, 29)
        listed = json.loads(self.sandbox.tool("--json", "retention",
                                              "list").stdout)["retention"]
        self.assertEqual([(r["name"], r["days"]) for r in listed],
                         [("example.test", 30), (ALICE, 0),
                          ("(all others)", 90)])
        self.assertEqual(self.purge()["expired"], 2)
        with self.sandbox.pop3(ALICE) as p:
            self.assertEqual(p.stat()[0], 2)
            p.quit()
        with self.sandbox.pop3(BOB) as p:
            self.assertEqual(p.stat()[0], 1)
            p.quit()
        self.set("example.test", "default")
        self.assertEqual(self.expire(BOB), ["EXPIRE 90"])
        self.sandbox.tool("undelete", BOB)
        self.assertEqual(self.purge()["expired"], 1)
        self.sandbox.tool("undelete", BOB)
        self.assertEqual(len(self.sandbox.mails(BOB)), 3)
        self.sandbox.tool("verify")

    def test_what_is_not_understood(self):
        for code, args in ((65, ("x@@", "30")), (65, (ALICE, "0")),
                           (65, (ALICE, "36501")), (65, (ALICE, "30d")),
                           (64, (ALICE,))):
            r = self.sandbox.tool("retention", *args, check=False)
            self.assertEqual(r.returncode, code, r.stderr)
            self.assertTrue(r.stderr.startswith("mailrow: "), r.stderr)


if __name__ == "__main__":
    main()

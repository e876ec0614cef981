#!/usr/bin/env python3
"""What POP3 finds in a mailbox: mails that are no longer what they were."""

import re

from mrtest import SandboxTest, mail, main, stored_part, wait_until

ALICE = "alice@example.test"
WARNING = re.compile(r"session=<[0-9a-f]{16}>: mail is damaged: its content "
                     r"does not have the SHA-256 it came with: "
                     r"mailbox_id=(\d+) uid=(\d+)")


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


if __name__ == "__main__":
    main()

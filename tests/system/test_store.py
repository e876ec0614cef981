#!/usr/bin/env python3
"""What is stored: rows, transactions, and every octet of the message."""

import os
import random
import resource
import time

from mrtest import SandboxTest, mail, main, stored_part

ALICE, BOB = "alice@example.test", "bob@example.test"
EVE = "eve@remote.test"
COUNTS = ("SELECT (SELECT COUNT(*) FROM mail), (SELECT COUNT(*) FROM content),"
          " (SELECT COUNT(*) FROM receipt)")


class Rows(SandboxTest):
    def counts(self):
        return [int(n) for n in self.sandbox.sql(COUNTS)[0]]

    def test_several_recipients_are_one_transaction(self):
        names = ["r%d@example.test" % i for i in range(7)]
        for name in names:
            self.sandbox.account(name)
        with self.sandbox.smtp() as s:      # mailbox rows are made once
            s.send(EVE, names, mail("warm-up"))
        mails, contents, _ = self.counts()
        with self.sandbox.smtp() as s:
            s.envelope(EVE, names)
            commits = self.sandbox.counter("Com_commit")
            s.data(mail("seven"))
            commits = self.sandbox.counter("Com_commit") - commits
        after = self.counts()
        self.assertEqual(after[0] - mails, 7)
        self.assertEqual(after[1] - contents, 1)
        self.assertEqual(commits, 1)
        self.assertEqual(self.sandbox.sql(
            "SELECT refs FROM content ORDER BY content_id DESC LIMIT 1"),
            [["7"]])
        self.sandbox.check_store()

    def test_one_mailbox_named_twice_gets_one_mail(self):
        before = len(self.sandbox.mails(ALICE))
        with self.sandbox.smtp() as s:
            s.send(EVE, [ALICE, "alice+tag@example.test",
                         "ALICE@example.test"], mail("twice"))
        self.assertEqual(len(self.sandbox.mails(ALICE)), before + 1)
        self.sandbox.check_store()

    def test_a_retry_is_stored_once(self):
        before = len(self.sandbox.mails(ALICE))
        message = mail("retry")
        for _ in range(3):
            with self.sandbox.smtp() as s:
                s.send(EVE, [ALICE], message)
        self.assertEqual(len(self.sandbox.mails(ALICE)), before + 1)

    def test_a_retry_with_one_more_recipient_reaches_that_one(self):
        a, b = (len(self.sandbox.mails(u)) for u in (ALICE, BOB))
        message = mail("grows")
        for to in ([ALICE], [ALICE, BOB]):
            with self.sandbox.smtp() as s:
                s.send(EVE, to, message)
        self.assertEqual(len(self.sandbox.mails(ALICE)), a + 1)
        self.assertEqual(len(self.sandbox.mails(BOB)), b + 1)
        self.sandbox.check_store()

    def test_equal_alarms_without_identity_are_two_mails(self):
        before = len(self.sandbox.mails(ALICE))
        alarm = b"From: disk@remote.test\r\nSubject: disk full\r\n\r\n!\r\n"
        for _ in range(2):
            with self.sandbox.smtp() as s:
                s.send(EVE, [ALICE], alarm)
        self.assertEqual(len(self.sandbox.mails(ALICE)), before + 2)

    def test_the_trace_headers_come_first(self):
        with self.sandbox.smtp() as s:
            answer = s.send(EVE, ["alice+x@example.test"], mail("trace"))
        lines = self.sandbox.mails(ALICE)[-1].decode().split("\r\n")
        self.assertEqual(lines[0], "Return-Path: <eve@remote.test>")
        self.assertEqual(lines[1], "Delivered-To: alice@example.test")
        self.assertEqual(lines[2], "X-Original-To: alice+x@example.test")
        received = " ".join(lines[3:6])
        self.assertTrue(received.startswith("Received: from client.test"))
        self.assertIn("127.0.0.1", received)
        self.assertIn("by mx.example.test", received)
        self.assertIn(answer.rsplit(" ", 1)[1], received)


class Octets(SandboxTest):
    def same(self, message, bdat=False, wanted=None):
        """Sends it, and demands exactly it back."""
        with self.sandbox.smtp() as s:
            s.envelope(EVE, [BOB], " BODY=8BITMIME")
            (s.bdat if bdat else s.data)(message)
        got = stored_part(self.sandbox.mails(BOB)[-1])
        self.sandbox.empty(BOB)
        wanted = wanted or message
        self.assertEqual(len(got), len(wanted))
        self.assertTrue(got == wanted, "octets differ at %d" % next(
            (i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), -1))
        self.assertEqual(self.sandbox.sql(
            "SELECT COUNT(*) FROM content c WHERE sha256 <> UNHEX(SHA2("
            "(SELECT GROUP_CONCAT(data ORDER BY seq SEPARATOR '') FROM chunk k"
            " WHERE k.content_id = c.content_id), 256))"
            " AND octets < 1000000"), [["0"]])

    def test_eight_bit_octets(self):
        self.same(mail("8", bytes(range(1, 10)) + bytes(range(11, 13)) +
                       bytes(range(14, 256)) + b"\r\n"))

    def test_nul_octets_in_the_body(self):
        self.same(mail("nul", b"a\0b\0\0c\r\n\0\r\n"))

    def test_utf8_in_the_header(self):
        self.same("From: J\u00f6rg <j@remote.test>\r\nSubject: \u20ac\r\n"
                  "Date: x\r\nMessage-ID: <u@remote.test>\r\n\r\n\u00fc\r\n"
                  .encode())

    def test_dots(self):
        self.same(mail("dots", b".\r\n..\r\n...\r\n.a\r\n\r\n.\r\nend .\r\n"))

    def test_long_lines(self):
        for size in (998, 2047, 2048, 2049, 65535, 65536, 300000):
            self.same(mail("long", b"x" * size + b"\r\n." + b"y" * size
                           + b"\r\n"))

    def test_no_final_newline(self):
        message = mail("open end", b"last line")
        self.same(message, bdat=True, wanted=message + b"\r\n")

    def test_empty_body(self):
        self.same(mail("empty", b""))
        self.same(mail("almost empty", b"\r\n"))

    def test_header_without_a_body(self):
        head = mail("head only", b"")[:-2]
        with self.sandbox.smtp() as s:
            s.envelope(EVE, [BOB])
            s.data(head)
        got = stored_part(self.sandbox.mails(BOB)[-1])
        self.sandbox.empty(BOB)
        self.assertEqual(got.rstrip(b"\r\n"), head.rstrip(b"\r\n"))

    def test_odd_header_fields(self):
        self.same(b"Subject:no blank\r\nX-Two:  two blanks\r\n"
                  b"X-Tab:\ttab\r\nX-Folded: a\r\n\tb\r\n   c\r\nX-Empty:\r\n"
                  b"X-Blank: \r\nX-End: blank at the end \r\n"
                  b"From: ann@remote.test\r\nDate: x\r\n"
                  b"Message-ID: <odd@remote.test>\r\n\r\nbody\r\n")

    def test_lone_carriage_returns_as_the_mta_hands_them_over(self):
        # cleanup_replace_stray_cr_lf = yes, Postfix's default, blanks them
        message = mail("cr", b"a\rb\r\r\nc\r\n")
        self.same(message, wanted=message.replace(b"a\rb\r\r", b"a b \r"))

    def test_sizes_around_a_chunk(self):
        chunk = 256 * 1024
        head = len(mail("sized", b""))
        for size in (chunk - 1, chunk, chunk + 1, 2 * chunk):
            body = b"z" * 70 + b"\r\n"
            body *= (size - head) // len(body) + 1
            self.same(mail("sized", body[:size - head - 2] + b"\r\n"))

    def test_random_text_of_many_shapes(self):
        r = random.Random(1939)
        for _ in range(10):
            lines = [bytes(r.choice(b".. abc\xe4\xff\t;:") for _ in
                           range(r.choice((0, 1, 2, 5, 80, 998))))
                     for _ in range(r.randrange(200))]
            self.same(mail("random", b"\r\n".join(lines) + b"\r\n"))


class BigMail(SandboxTest):
    def test_thirty_megabytes_with_the_default_packet_limit(self):
        packet = int(self.sandbox.sql(
            "SELECT @@max_allowed_packet")[0][0])
        self.assertEqual(packet, 16777216)
        line = os.urandom(57).hex().encode()[:76]
        body = b"".join(b"%08d " % i + line + b"\r\n"
                        for i in range(30 * 1024 * 1024 // 87 + 1))
        message = mail("big", body)
        self.assertGreater(len(message), 30 * 1024 * 1024)
        with self.sandbox.smtp(timeout=120) as s:
            s.send(EVE, [ALICE, BOB], message)
        start = time.monotonic()
        for who in (ALICE, BOB):
            got = stored_part(self.sandbox.mails(who)[-1])
            self.assertTrue(got == message, "the octets differ")
        self.assertLess(time.monotonic() - start, 30)
        self.assertEqual(self.sandbox.number(
            "SELECT COUNT(*) FROM content WHERE octets > 30000000"), 1)
        self.assertGreater(self.sandbox.number(
            "SELECT COUNT(*) FROM chunk"), 119)
        self.assertLessEqual(self.sandbox.number(
            "SELECT MAX(LENGTH(data)) FROM chunk"), 256 * 1024)
        self.sandbox.check_store()

    def test_a_mail_over_the_size_limit_is_refused_by_the_mta(self):
        with self.sandbox.smtp() as s:
            self.assertRefused("552 5.3.4", s.cmd,
                               "MAIL FROM:<%s> SIZE=102400001" % EVE, "250")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()

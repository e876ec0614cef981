#!/usr/bin/env python3
"""The SMTP dialogue: AUTH, who may relay, which recipients are taken."""

import base64
import concurrent.futures
import socket
import time

from mrtest import PASSWORD, Failed, SandboxTest, mail, main, stored_part, \
    wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
FOREIGN = "x@foreign.test"


class SmtpDialogue(SandboxTest):
    def test_ehlo_lists_what_clients_are_used_to(self):
        with self.sandbox.smtp(helo=None) as s:
            self.assertTrue(s.cmd("HELO client.test").startswith("250 "))
            s.ehlo()
            for wanted in ("PIPELINING", "SIZE 102400000", "VRFY", "ETRN",
                           "ENHANCEDSTATUSCODES", "8BITMIME", "DSN"):
                self.assertIn(wanted, s.features)
            for prefix in ("AUTH ", "AUTH="):
                words = [f for f in s.features if f.startswith(prefix)]
                self.assertEqual(len(words), 1, s.features)
                self.assertEqual(set(words[0][5:].split()),
                                 {"LOGIN", "PLAIN"})
            self.assertNotIn("STARTTLS", s.features)
            order = [f.split("=")[0].split(" ")[0] for f in s.features]
            wanted = ["PIPELINING", "SIZE", "VRFY", "ETRN", "AUTH", "AUTH",
                      "ENHANCEDSTATUSCODES", "8BITMIME", "DSN"]
            self.assertEqual([f for f in order if f in wanted], wanted)

    def test_the_whole_transcript(self):
        with self.sandbox.smtp(helo=None) as s:
            self.assertTrue(s.banner.startswith("220 mx.example.test ESMTP"))
            s.cmd("helo client.test", "250")
            s.cmd("ehlo client.test", "250")
            s.cmd("auth login", "334 VXNlcm5hbWU6")
            s.cmd(base64.b64encode(ALICE.encode()).decode(),
                  "334 UGFzc3dvcmQ6")
            s.cmd(base64.b64encode(PASSWORD.encode()).decode(), "235 2.7.0")
            s.cmd("vrfy " + ALICE, "252")
            s.cmd("expn list", "50")
            s.cmd("help", "")
            s.cmd("noop", "250")
            s.cmd("rset", "250")
            s.cmd("mail from:<%s>" % ALICE, "250")
            s.cmd("rcpt to:<%s>" % BOB, "250")
            s.cmd("data", "354")
            s.put(mail("transcript") + b".\r\n")
            self.assertRegex(s.answer("250"), r"^250 .* queued as [0-9A-Za-z]+$")
            s.cmd("quit", "221")

    def test_auth_with_the_right_password(self):
        for how in ("auth_plain", "auth_login"):
            with self.sandbox.smtp() as s:
                answer = getattr(s, how)(ALICE, PASSWORD)
                self.assertTrue(answer.startswith("235 2.7.0"), answer)

    def test_auth_takes_the_name_in_any_case(self):
        with self.sandbox.smtp() as s:
            self.assertTrue(s.auth_plain("Alice@Example.TEST",
                                         PASSWORD).startswith("235"))

    def test_auth_with_a_wrong_password_or_name(self):
        tries = [(user, password, how) for user, password in (
            (ALICE, "wrong"), (ALICE, ""), ("nobody@example.test", PASSWORD),
            ("alice", PASSWORD), ("alice@elsewhere.test", PASSWORD),
            (ALICE, PASSWORD + " "), (BOB, PASSWORD[:-1]))
            for how in ("auth_plain", "auth_login")]

        def answer(one):
            user, password, how = one
            with self.sandbox.smtp() as s:
                return getattr(s, how)(user, password)
        # each waits a second
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for one, said in zip(tries, pool.map(answer, tries)):
                self.assertTrue(said.startswith("535 5.7.8"), (one, said))

    def test_auth_can_be_cancelled_and_tried_again(self):
        with self.sandbox.smtp() as s:
            s.cmd("AUTH LOGIN", "334")
            self.assertTrue(s.cmd("*").startswith("501"))
            self.assertTrue(s.auth_login(ALICE, "wrong").startswith("535"))
            self.assertTrue(s.auth_login(ALICE, PASSWORD).startswith("235"))

    def test_unknown_user_costs_the_same_time_as_a_wrong_password(self):
        def cost(user):
            with self.sandbox.smtp() as s:
                start = time.monotonic()
                s.auth_plain(user, "wrong")
                return time.monotonic() - start
        known = sorted(cost(ALICE) for _ in range(5))[2]
        unknown = sorted(cost("nobody@example.test") for _ in range(5))[2]
        self.assertLess(abs(known - unknown), 0.5 * known)

    def test_mail_for_a_local_domain_needs_no_login(self):
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", [ALICE], mail("no login"))
        self.assertIn(b"Subject: no login", self.sandbox.mails(ALICE)[-1])

    def test_relay_without_a_login_is_refused(self):
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % ALICE, "250")
            answer = self.assertRefused("5", s.cmd, "RCPT TO:<%s>" % FOREIGN,
                                        "250")
            self.assertIn("Relay access denied", answer)

    def test_relay_with_a_login_arrives_abroad(self):
        with self.sandbox.smtp() as s:
            s.auth_plain(ALICE, PASSWORD)
            s.send(ALICE, [FOREIGN], mail("abroad 1"))
        wait_until(lambda: any(b"Subject: abroad 1" in m
                               for m in self.sandbox.sunk()), what="delivery")
        rows = self.sandbox.number("SELECT COUNT(*) FROM mailbox"
                                   " WHERE address LIKE '%foreign%'")
        self.assertEqual(rows, 0)

    def test_local_and_foreign_recipients_in_one_mail(self):
        before = len(self.sandbox.mails(ALICE))
        with self.sandbox.smtp() as s:
            s.auth_plain(BOB, PASSWORD)
            s.send(BOB, [ALICE, FOREIGN, "y@foreign.test"], mail("mixed"))
        mails = self.sandbox.mails(ALICE)
        self.assertEqual(len(mails), before + 1)
        self.assertIn(b"Subject: mixed", mails[-1])
        wait_until(lambda: any(b"Subject: mixed" in m
                               for m in self.sandbox.sunk()), what="delivery")
        copy = [m for m in self.sandbox.sunk() if b"Subject: mixed" in m][0]
        head = copy.split(b"\nReceived:")[0]
        self.assertIn(b"x@foreign.test", head)
        self.assertIn(b"y@foreign.test", head)
        self.assertNotIn(b"alice@example.test", head)

    def test_unknown_recipient(self):
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            answer = self.assertRefused("550 5.1.1", s.cmd,
                                        "RCPT TO:<nobody@example.test>",
                                        "250")
            self.assertIn("User unknown", answer)
            s.cmd("RCPT TO:<%s>" % ALICE, "250")
        self.assertRegex(self.sandbox.log("milter.log"),
                         r"milter-reject: RCPT .*to=<nobody@example\.test>"
                         r".* predicate=[a-z_]+")

    def test_recipient_with_an_extension_and_in_capitals(self):
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", ["Alice+shop@EXAMPLE.test"],
                   mail("extension"))
        last = self.sandbox.mails(ALICE)[-1]
        self.assertIn(b"Subject: extension", last)
        self.assertIn(b"\r\nDelivered-To: ", b"\r\n" + last)

    def test_disabled_account_at_every_door(self):
        self.sandbox.account("dora@example.test")
        self.sandbox.tool("account", "disable", "dora@example.test")
        time.sleep(1)               # within a second, says the promise
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            self.assertRefused("550 5.2.1", s.cmd,
                               "RCPT TO:<dora@example.test>", "250")
            s.cmd("RSET", "250")
            self.assertTrue(s.auth_plain("dora@example.test", PASSWORD)
                            .startswith("535"))
        with self.assertRaises(Failed):
            self.sandbox.pop3("dora@example.test")
        self.sandbox.tool("account", "enable", "dora@example.test")
        time.sleep(1)
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", ["dora@example.test"], mail("again"))
        self.assertEqual(len(self.sandbox.mails("dora@example.test")), 1)

    def test_mailbox_over_its_quota(self):
        self.sandbox.account("quinn@example.test")
        self.sandbox.tool("account", "quota", "quinn@example.test", "20000")
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", ["quinn@example.test"],
                   mail("fills", b"x" * 70 + b"\r\n" + b"y" * 15000 + b"\r\n"))
            # the second fits no more: told at the end of the message
            s.envelope("ann@remote.test", ["quinn@example.test", ALICE])
            self.assertRefused("452 4.2.2", s.data,
                               mail("too much", b"z" * 15000 + b"\r\n"))
        self.assertEqual(len(self.sandbox.mails("quinn@example.test")), 1)
        self.assertFalse(any(b"Subject: too much" in m
                             for m in self.sandbox.mails(ALICE)))
        self.sandbox.tool("account", "quota", "quinn@example.test", "10000")
        time.sleep(1)               # within a second, says the promise
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            self.assertRefused("452 4.2.2", s.cmd,
                               "RCPT TO:<quinn@example.test>", "250")
            self.sandbox.empty("quinn@example.test")
            time.sleep(1)
            s.cmd("RCPT TO:<quinn@example.test>", "250")
        self.sandbox.check_store()

    def test_null_sender_is_delivered(self):
        with self.sandbox.smtp() as s:
            s.send("", [ALICE], mail("bounce"))
        self.assertTrue(self.sandbox.mails(ALICE)[-1].startswith(
            b"Return-Path: <>\r\n"))

    def test_several_mails_in_one_session(self):
        before = len(self.sandbox.mails(BOB))
        with self.sandbox.smtp() as s:
            for i in range(5):
                s.send("ann@remote.test", [BOB], mail("serial %d" % i))
                s.cmd("RSET", "250")
        subjects = [m.split(b"Subject: ")[1].split(b"\r\n")[0]
                    for m in self.sandbox.mails(BOB)[before:]]
        self.assertEqual(subjects, [b"serial %d" % i for i in range(5)])

    def test_an_aborted_transaction_leaves_nothing(self):
        before = self.sandbox.number("SELECT COUNT(*) FROM mail")
        with self.sandbox.smtp() as s:
            s.envelope("ann@remote.test", [ALICE])
            s.cmd("RSET", "250")
            s.envelope("ann@remote.test", [ALICE])
        with self.sandbox.smtp() as s:
            s.envelope("ann@remote.test", [ALICE])
            s.cmd("DATA", "354")
            s.put(b"Subject: half\r\n\r\nno end")
            s.sock.shutdown(socket.SHUT_RDWR)
        time.sleep(0.3)
        self.assertEqual(self.sandbox.number("SELECT COUNT(*) FROM mail"),
                         before)

    def test_one_log_line_a_recipient_in_the_shape_of_postfix(self):
        with self.sandbox.smtp() as s:
            answer = s.send("ann@remote.test", [ALICE, BOB], mail("log"))
        queue_id = answer.rsplit(" ", 1)[1]
        for who in (ALICE, BOB):
            self.assertRegex(
                self.sandbox.log("milter.log"),
                r"%s: to=<%s>, (orig_to=<[^>]*>, )?relay=mailrow, delay=[0-9.]+"
                r", .*dsn=2\.0\.0, status=sent \(stored as \d+/\d+\)"
                % (queue_id, who))


class CaseCounts(SandboxTest):
    CONF = ("fold_local_part = no",)

    def test_names_that_differ_in_case_are_two_accounts(self):
        for address, password in (("Ann@example.test", "capital"),
                                  ("ann@example.test", "small")):
            self.sandbox.account(address, password)
            with self.sandbox.smtp() as s:
                s.send("ann@remote.test", [address], mail(password))
        for address, password in (("Ann@example.test", "capital"),
                                  ("ann@example.test", "small")):
            mails = self.sandbox.mails(address, password)
            self.assertEqual(len(mails), 1)
            self.assertIn(b"Subject: %s\r\n" % password.encode(), mails[0])
        with self.sandbox.smtp() as s:
            self.assertTrue(s.auth_plain("Ann@example.test",
                                         "small").startswith("535"))


class DebugLog(SandboxTest):
    CONF = ("log_debug = yes",)

    def test_debug_lines_tell_each_step(self):
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", ["alice@example.test"], mail("debug"))
        self.sandbox.mails("alice@example.test")
        log = self.sandbox.our_log()
        self.assertRegex(log, r"debug: \S+: recipient judged: .*1 targets")
        self.assertRegex(log, r"debug: session [0-9a-f]+ is process \d+")


class Submission(SandboxTest):
    def test_submission_demands_a_login_even_for_local_mail(self):
        with self.sandbox.submission() as s:
            s.cmd("MAIL FROM:<%s>" % ALICE, "250")
            self.assertRefused("5", s.cmd, "RCPT TO:<%s>" % BOB, "250")

    def test_submission_after_starttls_and_login(self):
        with self.sandbox.submission() as s:
            self.assertIn("STARTTLS", s.features)
            s.starttls()
            s.auth_login(ALICE, PASSWORD)
            s.send(ALICE, [BOB], mail("submitted"))
        last = self.sandbox.mails(BOB)[-1]
        self.assertIn(b"Subject: submitted", last)
        self.assertIn(b"Subject: submitted", stored_part(last))


if __name__ == "__main__":
    main()

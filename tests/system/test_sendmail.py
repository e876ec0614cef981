#!/usr/bin/env python3
"""Sendmail in Postfix's place, configured by packaging/sendmail/mailrow.mc."""

import re
import threading
import time
import unittest

from mrtest import SandboxTest, mail, main, stored_part, wait_until
from sendmail import LINES, Sendmail, SendmailSandbox, cf_of

ALICE, BOB = "alice@example.test", "bob@example.test"
NOBODY, FOREIGN = "nobody@example.test", "x@foreign.test"
EVE = "eve@remote.test"


class Lines(unittest.TestCase):
    """What the lines make of a site's configuration."""

    def cf(self, *more):
        return cf_of("\n".join((
            "divert(0)dnl", "OSTYPE(`linux')", *more,
            "include(`%s')dnl" % LINES, "MAILER(`local')", "MAILER(`smtp')",
            ""))).splitlines()

    def assertHas(self, cf, *wanted):
        self.assertEqual([w for w in wanted if w not in cf], [])

    def test_a_site_that_has_nothing_else(self):
        self.assertHas(
            self.cf(), "O InputMailFilters=mailrow", "O SuperSafe=PostMilter",
            "Xmailrow, S=local:/run/mailrow/milter.sock, F=T, "
            "T=C:10s;S:20s;R:20s;E:2m",
            "\t\tA=FILE /run/mailrow/lmtp",
            "Kmailertable hash /etc/mail/mailertable",
            "Kaccess hash -T<TMPF> /etc/mail/access")

    def test_what_a_site_has_set_stays(self):
        self.assertHas(
            self.cf("FEATURE(`mailertable', `hash /x/mailertable')",
                    "FEATURE(`access_db', `hash -T<TMPF> /x/access')",
                    "INPUT_MAIL_FILTER(`spam', `S=inet:1@127.0.0.1, F=T')",
                    "define(`MAILROW_MILTER', `inet:8891@127.0.0.1')",
                    "define(`MAILROW_LMTP', `/x/lmtp')"),
            "O InputMailFilters=spam, mailrow",
            "Xspam, S=inet:1@127.0.0.1, F=T",
            "Xmailrow, S=inet:8891@127.0.0.1, F=T, T=C:10s;S:20s;R:20s;E:2m",
            "\t\tA=FILE /x/lmtp",
            "Kmailertable hash /x/mailertable",
            "Kaccess hash -T<TMPF> /x/access")


class SendmailTest(SandboxTest):
    CONF = ("trusted_networks = 127.0.0.1",)
    MORE = ""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = SendmailSandbox(conf=cls.CONF)
        cls.sandbox.account(ALICE)
        cls.sandbox.account(BOB)
        cls.mta = Sendmail(cls.sandbox, cls.MORE)
        cls.addClassCleanup(cls.mta.stop)
        cls.mta.start()

    def tearDown(self):
        super().tearDown()
        for who in (ALICE, BOB):
            self.sandbox.empty(who)

    def send(self, recipients, message, sender=EVE):
        """Returns Sendmail's queue id."""
        with self.mta.smtp() as s:
            answer = s.send(sender, recipients, message)
        return re.match(r"250 2\.0\.0 (\w+) Message accepted", answer)[1]

    def one_mail(self, who):
        found = self.sandbox.mails(who)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def all_is_done(self):
        wait_until(lambda: self.mta.queue() == [], 20, "an empty queue")
        self.sandbox.check_store()


class Path(SendmailTest):
    def test_a_mail_reaches_the_mailbox_and_nothing_else(self):
        message = mail("one")
        abroad = len(self.sandbox.sunk())
        queue_id = self.send([ALICE], message)
        self.assertEqual(stored_part(self.one_mail(ALICE)), message)
        self.all_is_done()
        self.assertEqual(len(self.sandbox.sunk()), abroad)
        self.assertIn("%s: to=<%s>, relay=mailrow" % (queue_id, ALICE),
                      self.sandbox.log("milter.log"))

    def test_the_trace_tells_what_sendmail_knows(self):
        queue_id = self.send([ALICE], mail("trace"))
        head = self.one_mail(ALICE).split(b"From: Ann")[0].decode()
        self.assertTrue(head.startswith("Return-Path: <%s>\r\n"
                                        "Delivered-To: %s\r\n" % (EVE, ALICE)),
                        head)
        self.assertIn("from client.test (localhost [127.0.0.1])", head)
        self.assertIn("by mx.example.test (Mailrow)", head)
        self.assertIn("id " + queue_id, head)

    def test_after_starttls(self):
        message = mail("tls")
        with self.mta.smtp() as s:
            s.starttls()
            s.send(EVE, [ALICE], message)
        kept = self.one_mail(ALICE)
        self.assertEqual(stored_part(kept), message)
        self.assertRegex(kept, rb"\(using TLSv1\.\d \w+\)\r\n"
                         rb"\tby mx\.example\.test \(Mailrow\) with ESMTPS id")

    def test_the_null_sender(self):
        message = mail("bounce")
        self.send([ALICE], message, sender="")
        kept = self.one_mail(ALICE)
        self.assertTrue(kept.startswith(b"Return-Path: <>\r\n"), kept[:80])
        self.assertEqual(stored_part(kept), message)

    def test_two_mailboxes_share_one_body(self):
        bodies = self.sandbox.number("SELECT COUNT(*) FROM content")
        message = mail("shared")
        self.send([ALICE, BOB], message)
        for who in (ALICE, BOB):
            self.assertEqual(stored_part(self.one_mail(who)), message)
        self.assertEqual(self.sandbox.number("SELECT COUNT(*) FROM content"),
                         bodies + 1)
        self.all_is_done()

    def test_a_foreign_recipient_goes_on_to_its_mailer(self):
        before = len(self.sandbox.sunk())
        message = mail("both ways")
        self.send([ALICE, FOREIGN], message)
        self.assertEqual(stored_part(self.one_mail(ALICE)), message)
        self.all_is_done()
        sunk = self.sandbox.sunk()[before:]
        self.assertEqual(len(sunk), 1)
        self.assertEqual(re.findall(rb"X-Rcpt-Args: <(.*)>", sunk[0]),
                         [FOREIGN.encode()])
        self.assertIn(b"Subject: both ways", sunk[0])

    def test_only_foreign_recipients(self):
        before = len(self.sandbox.sunk())
        self.send([FOREIGN], mail("abroad"))
        self.all_is_done()
        self.assertEqual(len(self.sandbox.sunk()), before + 1)
        self.assertEqual(self.sandbox.mails(ALICE), [])

    def test_a_program_of_this_machine_is_127_0_0_1(self):
        before = len(self.sandbox.sunk())
        said = self.mta.by_standard_input(
            "MAIL FROM:<%s>" % EVE, "RCPT TO:<%s>" % FOREIGN,
            "RCPT TO:<%s>" % ALICE, "DATA", "Subject: bs\r\n\r\nx\r\n.")
        self.assertEqual([a[:3] for a in said],
                         ["250", "250", "250", "354", "250"], said)
        self.one_mail(ALICE)
        self.all_is_done()
        self.assertEqual(len(self.sandbox.sunk()), before + 1)

    def test_several_mails_in_one_session(self):
        messages = [mail("m%d" % i) for i in range(5)]
        with self.mta.smtp() as s:
            for m in messages:
                s.send(EVE, [ALICE], m)
            s.envelope(EVE, [ALICE])
            s.cmd("RSET", "250")
            s.cmd("QUIT", "221")
        self.assertEqual([stored_part(m) for m in self.sandbox.mails(ALICE)],
                         messages)
        self.all_is_done()

    def test_many_at_once(self):
        wanted = {who: set() for who in (ALICE, BOB)}
        jobs = []
        for i in range(24):
            to = ([ALICE], [BOB], [ALICE, BOB])[i % 3]
            message = mail("at once %d" % i)
            for who in to:
                wanted[who].add(message)
            jobs.append(threading.Thread(target=self.send,
                                         args=(to, message)))
        for j in jobs:
            j.start()
        for j in jobs:
            j.join()
        for who in (ALICE, BOB):
            found = [stored_part(m) for m in self.sandbox.mails(who)]
            self.assertEqual(len(found), 16)
            self.assertEqual(set(found), wanted[who])
        self.all_is_done()

    def test_only_what_goes_on_is_written_through(self):
        with self.mta.counting_syncs() as calls:
            self.send([ALICE, BOB], mail("stored", b"line\r\n" * 3000))
            self.all_is_done()
        self.assertEqual(calls, [])
        with self.mta.counting_syncs() as calls:
            self.send([ALICE, FOREIGN], mail("goes on", b"line\r\n" * 3000))
            self.all_is_done()
        self.assertGreaterEqual(len(calls), 2)      # header and body

    def test_sendmail_has_nothing_to_complain_of(self):
        self.assertEqual(self.mta.said(), "")

    def test_a_large_mail(self):
        line = b"0123456789" * 7 + b"\r\n"
        message = mail("large", line * 120000)
        self.send([ALICE, BOB], message)
        self.assertEqual(stored_part(self.one_mail(BOB)), message)
        self.all_is_done()


class Recipients(SendmailTest):
    def test_unknown_recipient(self):
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            answer = self.assertRefused("550 5.1.1", s.cmd,
                                        "RCPT TO:<%s>" % NOBODY, "250")
            self.assertIn("User unknown", answer)
            self.assertRefused("503", s.cmd, "DATA", "354")
        self.all_is_done()

    def test_one_of_several_is_unknown(self):
        message = mail("some")
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            s.cmd("RCPT TO:<%s>" % ALICE, "250")
            self.assertRefused("550 5.1.1", s.cmd,
                               "RCPT TO:<%s>" % NOBODY, "250")
            s.cmd("RCPT TO:<%s>" % BOB, "250")
            s.data(message)
        for who in (ALICE, BOB):
            self.assertEqual(stored_part(self.one_mail(who)), message)
        self.all_is_done()

    def test_a_disabled_account(self):
        self.sandbox.tool("account", "disable", BOB)
        try:
            time.sleep(1.1)     # a verdict is remembered for a second
            with self.mta.smtp() as s:
                s.cmd("MAIL FROM:<%s>" % EVE, "250")
                self.assertRefused("550 5.2.1", s.cmd,
                                   "RCPT TO:<%s>" % BOB, "250")
        finally:
            self.sandbox.tool("account", "enable", BOB)

    def test_however_it_is_written_it_is_one_mailbox(self):
        forms = ("Alice@Example.TEST", '"alice"@example.test',
                 "alice+box@example.test", "alice@example.test.",
                 "@relay.test:alice@example.test")
        for form in forms:
            message = mail("as " + form.replace("@", " at "))
            with self.subTest(form=form):
                self.send([form], message)
                kept = self.sandbox.mails(ALICE)
                self.assertEqual([stored_part(m) for m in kept], [message])
                self.all_is_done()
            self.sandbox.empty(ALICE)

    def test_named_twice_it_gets_one_mail(self):
        message = mail("twice")
        self.send([ALICE, "ALICE@example.test", ALICE], message)
        self.assertEqual(stored_part(self.one_mail(ALICE)), message)
        self.all_is_done()


class NotTrusted(SendmailTest):
    CONF = ()

    def test_what_sendmail_would_relay_we_do_not(self):
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            answer = self.assertRefused("550 5.7.1", s.cmd,
                                        "RCPT TO:<%s>" % FOREIGN, "250")
            self.assertIn("Relay access denied", answer)
            s.cmd("RCPT TO:<%s>" % ALICE, "250")

    def test_not_even_for_a_program_of_this_machine(self):
        said = self.mta.by_standard_input("MAIL FROM:<%s>" % EVE,
                                          "RCPT TO:<%s>" % FOREIGN)
        self.assertEqual(said[0][:3], "250")
        self.assertIn("Relay access denied", said[1])

    def test_a_host_of_our_domain_is_another_domain(self):
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            self.assertRefused("550 5.7.1", s.cmd,
                               "RCPT TO:<x@sub.example.test>", "250")

    def test_users_of_the_machine_itself_are_sendmails_own(self):
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            for who in ("root", "root@mx.example.test"):
                s.cmd("RCPT TO:<%s>" % who, "250")


class VirtualUsers(SendmailTest):
    """A site that has not emptied virtusertable."""
    CONF = ("discard_when_done = no",)
    MORE = "VIRTUSER_DOMAIN(`example.test')\n"

    def test_an_entry_that_leads_to_a_mailbox(self):
        message = mail("to sales")
        self.send(["sales@example.test"], message)
        self.assertEqual(stored_part(self.one_mail(ALICE)), message)
        self.all_is_done()

    def test_the_alias_and_its_target_in_one_mail(self):
        message = mail("to both")
        self.send([ALICE, "sales@example.test", BOB], message)
        for who in (ALICE, BOB):
            self.assertEqual(stored_part(self.one_mail(who)), message)
        self.all_is_done()

    def test_an_entry_that_leads_abroad_is_relaying(self):
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            self.assertRefused("550 5.7.1", s.cmd,
                               "RCPT TO:<away@example.test>", "250")

    def test_an_address_without_an_entry(self):
        message = mail("to bob")
        self.send([BOB], message)
        self.assertEqual(stored_part(self.one_mail(BOB)), message)
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            self.assertRefused("550 5.1.1", s.cmd,
                               "RCPT TO:<%s>" % NOBODY, "250")


class Octets(SendmailTest):
    def kept(self, head, body=b"hello\r\n"):
        message = head + b"\r\n" + body
        self.send([ALICE], message)
        self.assertEqual(stored_part(self.one_mail(ALICE)), message)

    def test_header_values_with_and_without_a_leading_blank(self):
        self.kept(b"From: Ann <ann@remote.test>\r\n"
                  b"Subject:none\r\n"
                  b"X-One: one\r\n"
                  b"X-Two:  two\r\n"
                  b"X-Tab:\ttab\r\n"
                  b"X-Empty:\r\n"
                  b"X-Last:x\r\n")

    def test_folded_header_fields(self):
        self.kept(b"From: Ann <ann@remote.test>\r\n"
                  b"Subject: first\r\n second\r\n\tthird\r\n"
                  b"X-Next:\r\n below\r\n"
                  b"References: <1@remote.test>\r\n\t<2@remote.test>\r\n")

    def test_octets_above_127(self):
        self.kept("From: Ann <ann@remote.test>\r\n"
                  "Subject: Grüße\r\n".encode(),
                  "Straße\r\n".encode() + bytes(range(128, 256)) + b"\r\n")

    def test_dots_and_empty_lines(self):
        self.kept(b"From: Ann <ann@remote.test>\r\nSubject: dots\r\n",
                  b".\r\n..\r\n.x\r\n\r\n.\r\n\r\n\r\n")

    def test_long_lines_and_many(self):
        self.kept(b"X-Long: " + b"z" * 30000 + b"\r\n",
                  b"y" * 100000 + b"\r\n")
        self.sandbox.empty(ALICE)
        self.kept(b"".join(b"X-%d: z\r\n" % i for i in range(900)))

    def test_nul_octets_in_the_body(self):
        self.kept(b"Subject: nul\r\n", b"a\0b\r\n\0\r\n")

    def test_fields_that_sendmail_knows(self):
        self.kept(b"Received: from a by b; Mon, 02 Mar 2026 10:00:00 +0000\r\n"
                  b"Return-Path: <x@remote.test>\r\n"
                  b"Full-Name: x\r\n"
                  b"To: alice (x), \"Q\" <bob@Example.Test>\r\n"
                  b"Cc:bob\r\n"
                  b"Bcc: hidden@remote.test\r\n"
                  b"MESSAGE-id: <x@remote.test>  \r\n"
                  b"MIME-Version: 1.0\r\n"
                  b"Content-Transfer-Encoding: 8bit\r\n",
                  "Straße\r\n".encode())

    def test_no_body(self):
        self.kept(b"From: Ann <ann@remote.test>\r\nSubject: bare\r\n", b"")


class DiscardsNothing(SendmailTest):
    """The other way to end: all recipients are taken from the queue file."""
    CONF = ("trusted_networks = 127.0.0.1", "discard_when_done = no")

    def test_sendmail_has_nothing_left_to_do(self):
        abroad = len(self.sandbox.sunk())
        message = mail("removed")
        self.send([ALICE, BOB], message)
        for who in (ALICE, BOB):
            self.assertEqual(stored_part(self.one_mail(who)), message)
        self.all_is_done()
        self.assertEqual(len(self.sandbox.sunk()), abroad)

    def test_a_foreign_recipient_goes_on(self):
        before = len(self.sandbox.sunk())
        self.send([ALICE, FOREIGN], mail("kept"))
        self.one_mail(ALICE)
        self.all_is_done()
        self.assertEqual(len(self.sandbox.sunk()), before + 1)

    def test_however_the_recipient_is_written(self):
        for form in ("ALICE@Example.Test", '"alice"@example.test',
                     "alice+box@example.test"):
            with self.subTest(form=form):
                self.send([form, FOREIGN], mail("form"))
                self.one_mail(ALICE)
                self.all_is_done()
            self.sandbox.empty(ALICE)


class ByLmtp(SendmailTest):
    """What the milter does not see, or not as ours, comes by LMTP. Nobody is
    trusted: what lmtpd hands on must not meet the milter."""
    CONF = ("deliver_timeout = 2s",)

    def arrived(self, who, n=1):
        """The mails of a mailbox, when Sendmail has nothing left to do."""
        wait_until(lambda: self.sandbox.number(
            "SELECT COUNT(*) FROM mail JOIN mailbox USING (mailbox_id)"
            " WHERE address = '%s'" % who) >= n, 20, "%d mails" % n)
        self.all_is_done()
        found = self.sandbox.mails(who)
        self.assertEqual(len(found), n, found)
        return found

    def test_mail_of_sendmail_1(self):
        self.mta.submit("root@mx.example.test", ["Alice@Example.Test", BOB],
                        b"Subject: cron\n\n.\n..\ndone\n")
        for who in (ALICE, BOB):
            text = self.arrived(who)[0]
            self.assertTrue(text.startswith(
                b"Return-Path: <root@mx.example.test>\r\n"), text)
            self.assertIn(b"\r\nSubject: cron\r\n", text)
            self.assertTrue(text.endswith(b"\r\n\r\n.\r\n..\r\ndone\r\n"), text)

    def test_bounces(self):
        for to in ("x@refused.test", NOBODY):
            self.mta.submit(ALICE, [to], b"Subject: lost\n\nx\n")
            text = self.arrived(ALICE)[0]
            self.assertTrue(text.startswith(b"Return-Path: <>\r\n"), text)
            self.assertIn(to.encode(), text)
            self.sandbox.empty(ALICE)

    def test_an_alias_of_another_domain(self):
        message = mail("aliased")
        self.send(["info@mx.example.test"], message)
        text = self.arrived(ALICE)[0]
        self.assertTrue(text.endswith(message), text)

    def test_both_ways_are_one_mail(self):
        for other in ("info", "other"):
            for to in ([ALICE, other + "@mx.example.test", BOB],
                       [other + "@mx.example.test", ALICE, BOB]):
                message = mail("both ways", b"x" * 2000 + b"\r\n")
                with self.subTest(to=to):
                    self.send(to, message)
                    self.all_is_done()
                    self.arrived(ALICE)
                    self.arrived(BOB)
                for who in (ALICE, BOB):
                    self.sandbox.empty(who)
        self.assertIn("duplicate, stored before",
                      self.sandbox.log("lmtpd.log"))

    def test_a_notice_of_success_is_sendmails(self):
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % ALICE, "250")
            s.cmd("RCPT TO:<%s> NOTIFY=SUCCESS" % BOB, "250")
            s.data(mail("noticed"))
        self.assertIn(b"Subject: noticed\r\n", self.arrived(BOB)[0])
        self.assertIn(b"\r\nAction: delivered", self.arrived(ALICE)[0])

    def test_an_alias_that_leads_abroad(self):
        alias = "abroad@example.test"
        self.sandbox.tool("alias", "add", alias, FOREIGN, ALICE)
        before = len(self.sandbox.sunk())
        self.send([alias], mail("by milter"))
        self.assertIn(b"Subject: by milter\r\n", self.arrived(ALICE)[0])
        self.assertEqual(len(self.sandbox.sunk()), before + 1)
        self.mta.submit(BOB, [alias], b"Subject: by lmtp\n\nx\n")
        self.assertIn(b"Subject: by lmtp\r\n", self.arrived(ALICE, 2)[1])
        only = "only@example.test"
        self.sandbox.tool("alias", "add", only, FOREIGN)
        self.send([only], mail("by milter alone"))
        self.all_is_done()
        sunk = self.sandbox.sunk()[before:]
        self.assertEqual(len(sunk), 3)
        for text in sunk:
            self.assertEqual(re.findall(rb"X-Rcpt-Args: <(.*)>", text),
                             [FOREIGN.encode()])

    def test_lmtpd_or_the_database_away(self):
        for part in ("lmtpd", "db"):
            with self.subTest(part=part):
                self.sandbox.stop(part)
                self.mta.submit(BOB, [ALICE], b"Subject: waits\n\nx\n")
                self.assertNotEqual(self.mta.queue(), [])
                self.sandbox.start()
                self.assertEqual(self.sandbox.mails(ALICE), [])
                self.mta.run_queue()
                self.assertIn(b"Subject: waits\r\n", self.arrived(ALICE)[0])
            self.sandbox.empty(ALICE)


class Away(SendmailTest):
    CONF = ("trusted_networks = 127.0.0.1", "deliver_timeout = 5s",
            "lookup_timeout = 2s", "db_connect_timeout = 1s")

    def test_database_down_at_rcpt(self):
        time.sleep(1.1)
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            self.sandbox.stop("db")
            for who in (ALICE, NOBODY):
                self.assertRefused("451 4.3.0", s.cmd,
                                   "RCPT TO:<%s>" % who, "250")
            self.sandbox.start()
            s.cmd("RCPT TO:<%s>" % ALICE, "250")
            s.data(mail("goes on"))
        self.assertIn(b"Subject: goes on", self.one_mail(ALICE))
        self.all_is_done()

    def test_database_down_at_end_of_data(self):
        message = mail("late")
        abroad = len(self.sandbox.sunk())
        with self.mta.smtp() as s:
            s.envelope(EVE, [ALICE, FOREIGN, BOB])
            self.sandbox.stop("db")
            self.assertRefused("451 4.3.0", s.data, message)
        self.assertEqual(self.mta.queue(), [])
        self.sandbox.start()
        self.assertEqual(self.sandbox.mails(ALICE), [])
        self.send([ALICE, FOREIGN, BOB], message)   # the sender's retry
        for who in (ALICE, BOB):
            self.assertEqual(stored_part(self.one_mail(who)), message)
        self.all_is_done()
        self.assertEqual(len(self.sandbox.sunk()), abroad + 1)

    def test_milter_down(self):
        self.sandbox.stop("milter")
        with self.mta.smtp() as s:
            self.assertRefused("451 4.", s.cmd, "MAIL FROM:<%s>" % EVE, "250")
        self.assertEqual(self.mta.queue(), [])
        self.sandbox.start()
        self.send([ALICE], mail("up again"))
        self.assertIn(b"Subject: up again", self.one_mail(ALICE))

    def test_milter_killed_inside_a_session(self):
        message = mail("killed")
        with self.mta.smtp() as s:
            s.envelope(EVE, [ALICE])
            self.sandbox.stop("milter")
            self.assertRefused("451 4.", s.data, message)
        self.sandbox.start()
        self.assertEqual(self.sandbox.mails(ALICE), [])
        self.send([ALICE], message)
        self.assertEqual(stored_part(self.one_mail(ALICE)), message)
        self.all_is_done()

    def test_a_retry_after_a_lost_answer_is_stored_once(self):
        message = mail("once")
        with self.mta.smtp() as s:
            self.sandbox.fault("milter-before-reply", "fail")
            s.envelope(EVE, [ALICE, BOB])
            self.assertRefused("451 4.3.0", s.data, message)
        self.assertTrue(self.sandbox.fault_hit("milter-before-reply"))
        self.send([ALICE, BOB], message)
        for who in (ALICE, BOB):
            self.assertEqual(stored_part(self.one_mail(who)), message)
        self.assertIn("duplicate, stored before",
                      self.sandbox.log("milter.log"))
        self.all_is_done()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Mail that no milter of smtpd sees comes by LMTP, from a real Postfix; and
mail that came by both ways is stored once."""

import time

from mrtest import SandboxTest, Smtp, mail, main, stored_part, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
ANN = "ann@remote.test"
# a Received line of somebody else's: the mail can be known again
HOP = b"Received: from a.remote.test by mx.remote.test with ESMTP id 7A;\r\n" \
    b"\tMon, 23 Nov 2026 05:15:11 +0000\r\n"


class WaysTest(SandboxTest):
    def subjects(self, who):
        return [m.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()
                for m in self.sandbox.mails(who)]

    def arrives(self, who, subject, times=1):
        def is_there():
            return self.subjects(who).count(subject) >= times
        wait_until(is_there, what="the arrival of '%s'" % subject)
        self.sandbox.wait_for_queue()
        self.assertEqual(self.subjects(who).count(subject), times)

    def by_lmtp(self, who):
        """The last mail came so."""
        return b"(Mailrow) with LMTP id" in self.sandbox.mails(who)[-1]


class Ways(WaysTest):
    CONF = ("mta_domains = mx.example.test alias.test",)

    def test_sendmail_and_cron(self):
        self.sandbox.sendmail("root@example.test", [ALICE],
                              b"Subject: by sendmail\n\n.\nx\n")
        self.arrives(ALICE, "by sendmail")
        self.assertTrue(self.by_lmtp(ALICE))
        self.assertTrue(self.sandbox.mails(ALICE)[-1].endswith(
            b"\r\n\r\n.\r\nx\r\n"))
        for _ in range(2):          # two equal ones are two mails
            self.sandbox.sendmail("alice", ["alice"],
                                  b"Subject: Cron <alice@mx> backup\n\nok\n")
        self.arrives(ALICE, "Cron <alice@mx> backup", 2)

    def test_a_bounce_to_a_user_of_ours(self):
        self.sandbox.sendmail(BOB, ["nobody@example.test"],
                              b"Subject: to nobody\n\nx\n")
        self.arrives(BOB, "Undelivered Mail Returned to Sender")
        last = self.sandbox.mails(BOB)[-1]
        self.assertTrue(last.startswith(b"Return-Path: <>\r\n"))
        self.assertIn(b"550 5.1.1", last)

    def test_a_mail_that_is_requeued(self):
        self.sandbox.stop("lmtpd")
        self.sandbox.sendmail("root@example.test", [ALICE],
                              b"Subject: requeued\n\nx\n")
        wait_until(self.sandbox.queue, what="the queue")
        wait_until(lambda: "status=deferred" in self.sandbox.log("maillog"),
                   what="the first try")
        self.sandbox.postfix("postsuper", "-r", "ALL")
        self.sandbox.start()
        # a mail wakes the one who picks them up, which else sleeps a minute
        self.sandbox.sendmail("root@example.test", [BOB],
                              b"Subject: wake up\n\nx\n")
        self.arrives(ALICE, "requeued")

    def test_a_mail_that_was_held(self):
        self.sandbox.postconf("smtpd_client_restrictions=static:hold")
        with self.sandbox.smtp() as s:
            s.send(ANN, [ALICE], mail("held"))
        self.assertEqual(self.subjects(ALICE).count("held"), 1)
        # the milter has stored it: what is released is the same mail
        if self.sandbox.queue():
            self.sandbox.postfix("postsuper", "-H", "ALL")
        self.sandbox.postconf("smtpd_client_restrictions=")
        self.arrives(ALICE, "held")

    def test_an_alias_of_a_domain_that_the_mta_serves(self):
        self.addCleanup(self.sandbox.postconf, "virtual_alias_domains=",
                        "virtual_alias_maps=")
        self.sandbox.postconf(
            "virtual_alias_domains=alias.test",
            "virtual_alias_maps=inline:{sales@alias.test=%s}" % ALICE)
        with self.sandbox.smtp() as s:
            s.send(ANN, ["sales@alias.test"], mail("alias abroad"))
        self.arrives(ALICE, "alias abroad")
        self.assertTrue(self.by_lmtp(ALICE))
        self.assertIn("orig_to=<sales@alias.test>",
                      self.sandbox.log("maillog"))

    def test_what_a_filter_brings_back(self):
        message = mail("re-injected", b"..\r\n" + b"x" * 5000 + b"\r\n")
        with Smtp(self.sandbox.env["MAILROW_FORWARD"]) as s:
            s.send(ANN, [ALICE, BOB], message)
        for who in (ALICE, BOB):
            self.arrives(who, "re-injected")
            self.assertTrue(self.by_lmtp(who))
            # long lines stay whole (lmtp_line_length_limit = 0)
            self.assertTrue(stored_part(self.sandbox.mails(who)[-1])
                            .endswith(message))

    def test_the_milter_is_down_and_may_be(self):
        milters = self.sandbox.postfix("postconf", "-h", "smtpd_milters")
        self.addCleanup(self.sandbox.postconf,
                        "smtpd_milters=" + milters.strip())
        self.sandbox.postconf(
            "smtpd_milters={ unix:%s/run/milter/milter.sock, "
            "default_action=accept }" % self.sandbox.dir)
        self.sandbox.stop("milter")
        with self.sandbox.smtp() as s:
            s.send(ANN, [ALICE], mail("no milter"))
        self.arrives(ALICE, "no milter")
        self.assertTrue(self.by_lmtp(ALICE))
        self.sandbox.start()

    def test_success_is_told_by_postfix(self):
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<%s> RET=HDRS" % BOB, "250")
            s.cmd("RCPT TO:<%s> NOTIFY=SUCCESS" % ALICE, "250")
            s.data(mail("tell me"))
        self.arrives(ALICE, "tell me")
        self.arrives(BOB, "Successful Mail Delivery Report")
        self.assertIn(b"Action: relayed", self.sandbox.mails(BOB)[-1])

    def test_an_alias_of_ours_that_leads_abroad(self):
        self.sandbox.sql("INSERT INTO alias VALUES ('all@example.test', '%s',"
                         " UTC_TIMESTAMP()), ('all@example.test',"
                         " 'x@foreign.test', UTC_TIMESTAMP())" % ALICE)
        self.sandbox.sendmail(BOB, ["all@example.test"],
                              b"Subject: list abroad\n\n..\nx\n")
        self.arrives(ALICE, "list abroad")
        wait_until(lambda: any(b"Subject: list abroad" in m
                               for m in self.sandbox.sunk()),
                   what="the forward")
        self.sandbox.check_store()

    def test_a_recipient_that_is_refused_bounces_once(self):
        self.sandbox.sendmail(BOB, ["nobody_there@example.test", ALICE],
                              b"Subject: one of two\n\nx\n")
        self.arrives(ALICE, "one of two")
        self.assertTrue(any(b"<nobody_there@example.test>" in m
                            for m in self.sandbox.mails(BOB)))


class BothWays(WaysTest):
    """The milter stores it, its reply is lost, and the retry comes by LMTP."""

    CONF = ("own_hosts = mx.example.test mx2.example.test",)

    def accept(self, *settings):
        self.sandbox.postconf(
            "smtpd_milters={ unix:%s/run/milter/milter.sock, "
            "default_action=accept }" % self.sandbox.dir,
            "always_add_missing_headers=yes", *settings)

    def twice(self, subject, first, again=None, sender=ANN, who=ALICE):
        self.sandbox.fault("milter-before-reply", "fail")
        with self.sandbox.smtp() as s:
            self.assertRefused("451", s.send, sender, [who], first)
        self.assertEqual(self.subjects(who).count(subject), 1)
        self.sandbox.stop("milter")
        with self.sandbox.smtp() as s:
            s.send(sender, [who], again or first)
        self.sandbox.wait_for_queue()
        self.sandbox.start_alone("milter")
        self.assertEqual(self.subjects(who).count(subject), 1)
        self.assertIn("duplicate, stored before",
                      self.sandbox.log("lmtpd.log").splitlines()[-1])
        self.sandbox.check_store()

    def test_a_plain_mail(self):
        self.accept()
        self.twice("plain", mail("plain"))

    def test_a_message_id_made_by_the_mta(self):
        self.accept()
        message = HOP + b"From: ann@remote.test\r\nSubject: no id\r\n\r\nx\r\n"
        self.twice("no id", message)
        self.assertRegex(self.sandbox.mails(ALICE)[-1],
                         rb"Message-Id: <.*@mx\.example\.test>")

    def test_canonical_maps_that_change_the_sender(self):
        self.addCleanup(self.sandbox.postconf, "sender_canonical_maps=")
        self.accept("sender_canonical_maps=inline:{ann@remote.test="
                    "srs=1@remote.test}")
        self.twice("canonical", mail("canonical"))

    def test_long_lines_and_odd_octets(self):
        self.accept()
        body = b"x" * 5000 + b"\r\n\xff\0\x80\r\n.\r\n..\r\n" + \
            b"y" * 100000 + b"\r\n"
        self.twice("long", mail("long", body))

    def test_folded_and_blank_headers(self):
        self.accept()
        head = b"X-Folded: a\r\n\tb\r\n  c\r\nX-Blank: \r\nX-Tab:\tx\r\n"
        self.twice("folded", head + HOP.replace(b" by ", b"\r\n\t by ") +
                   mail("folded"))

    def test_a_mail_that_is_resent_once_more_is_another_mail(self):
        """Only what the MTA added tells them apart."""
        self.accept()
        again = b"Resent-From: bob@example.test\r\n" \
            b"Resent-To: alice@example.test\r\n" + mail("resent")
        for _ in range(2):
            with self.sandbox.smtp() as s:
                s.send(ANN, [ALICE], again)
        self.arrives(ALICE, "resent", 2)
        self.assertRegex(self.sandbox.mails(ALICE)[-1],
                         rb"Resent-Message-Id: <.*@mx\.example\.test>")

    def test_blanks_that_only_one_way_shows(self):
        self.accept()
        self.twice("blanks", HOP.replace(b" +0000", b" +0000\x0b\t\x0c") +
                   mail("blanks"))

    def transport(self, *flags):
        self.sandbox.postfix("postconf", "-M", "lmtp/unix=lmtp unix - - n - -"
                             " lmtp " + " ".join(flags))

    def test_headers_that_the_mta_adds_on_the_way(self):
        self.transport("flags=DOR")
        try:
            self.accept("lmtp_destination_recipient_limit=1")
            self.twice("flags", mail("flags"))
            with Smtp(self.sandbox.env["MAILROW_FORWARD"]) as s:
                s.send(ANN, [ALICE], mail("flags by lmtp"))
            self.arrives(ALICE, "flags by lmtp")
            # as handed over: what the MTA added is part of the mail
            head = stored_part(self.sandbox.mails(ALICE)[-1]).split(
                b"Received: ")[0].decode()
            self.assertIn("Return-Path: <%s>\r\n" % ANN, head)
            self.assertIn("Delivered-To: %s\r\n" % ALICE, head)
            self.assertTrue(self.by_lmtp(ALICE))    # the queue id is known
        finally:
            self.transport()
            self.sandbox.postconf("lmtp_destination_recipient_limit=50")

    def test_through_another_mta_of_ours(self):
        self.accept()
        message = mail("second mx")
        hop = b"Received: from client.test by mx2.example.test (Postfix)\r\n" \
            b"\twith ESMTP id 5B0F2C1A77; Mon, 23 Nov 2026 05:15:11 +0000\r\n"
        self.twice("second mx", message, hop + message)

    def test_a_mail_that_is_mirrored_to_us(self):
        """Stored by the milter, left in the envelope, delivered by LMTP."""
        self.sandbox.sql("REPLACE INTO served VALUES ('%s', 'mirror')" % BOB)
        time.sleep(1.1)     # what was asked within a second is remembered
        with self.sandbox.smtp() as s:
            s.send(ANN, [BOB], mail("mirror"))
        self.arrives(BOB, "mirror")
        self.assertIn("duplicate, stored before",
                      self.sandbox.log("lmtpd.log"))


if __name__ == "__main__":
    main()

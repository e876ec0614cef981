#!/usr/bin/env python3
"""Who may send as whom: at MAIL, and in the header at end of message. Refusals
and permissions, through a real Postfix; clients from elsewhere by XCLIENT."""

import re

from mrtest import PASSWORD, SandboxTest, main, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
OUT = "x@foreign.test"
FAR = "192.0.2.9"
HEADERS = ("from_not_owned", "from_several", "sender_header_not_owned",
           "resent_from_not_owned", "from_forged")


def message(*fields):
    message.serial += 1
    return ("\r\n".join(fields + (
        "To: <%s>" % OUT, "Date: Mon, 02 Mar 2026 10:00:00 +0000",
        "Message-ID: <sender.%d@test>" % message.serial)) +
        "\r\n\r\nhello\r\n").encode("utf-8", "surrogateescape")


message.serial = 0


class SenderTest(SandboxTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s = cls.sandbox
        s.postconf("smtpd_authorized_xclient_hosts = 127.0.0.1",
                   "smtpd_delay_reject = no", "smtpd_error_sleep_time = 0",
                   "smtpd_soft_error_limit = 1000",
                   "smtpd_hard_error_limit = 1000")
        s.sql("INSERT INTO domain (name, alias_of, active, created_at) VALUES"
              " ('alias.test', 'example.test', 1, UTC_TIMESTAMP()),"
              " ('chain.test', 'alias.test', 1, UTC_TIMESTAMP());"
              "INSERT INTO alias (address, target, created_at) VALUES"
              " ('sales@example.test', '%s', UTC_TIMESTAMP()),"
              " ('team@example.test', 'sales@example.test', UTC_TIMESTAMP())"
              % ALICE)

    def default_modes(self):
        self.policy("DELETE FROM policy_mode; INSERT INTO policy_mode VALUES"
                    " ('relay_denied', 'none.test', 'off')")

    def login(self, who=ALICE):
        s = self.sandbox.smtp()
        self.addCleanup(s.close)
        self.assertAnswer(s.auth_plain(who, PASSWORD), "235")
        return s

    def stranger(self, helo="client.test", addr=FAR, **more):
        s = self.sandbox.smtp()
        self.addCleanup(s.close)
        words = dict(ADDR=addr, NAME="far.test", **more)
        s.cmd("XCLIENT " + " ".join("%s=%s" % w for w in words.items()),
              "220")
        s.ehlo(helo)
        return s

    def mail_from(self, s, sender):
        """The answer to MAIL."""
        answer = s.cmd("MAIL FROM:<%s>" % sender)
        s.cmd("RSET", "250")
        return answer

    def data(self, s, sender, *fields, to=OUT):
        s.cmd("MAIL FROM:<%s>" % sender, "250")
        s.cmd("RCPT TO:<%s>" % to, "250")
        return s.data(message(*fields), want=None)

    def log(self):
        return self.sandbox.log("milter.log")

    def shadows(self, predicate):
        return len(re.findall("would be rejected by '%s'" % predicate,
                              self.log()))

    def assertAnswer(self, answer, code, text=""):
        self.assertTrue(answer.startswith(code), answer)
        self.assertIn(text, answer)


class Envelope(SenderTest):
    OWN = (ALICE, "Alice@Example.Test", "alice+box@example.test",
           "alice@alias.test", "alice+box@alias.test", "alice@chain.test",
           "sales@example.test", "sales+x@example.test", "sales@alias.test",
           "team@example.test")
    ALIEN = (BOB, "bob@alias.test", "nobody@example.test", "x@remote.test",
             "bob+alice@example.test", "alice@remote.test")

    def test_a_login_sends_as_itself_and_what_leads_to_it(self):
        s = self.login()
        for sender in self.OWN:
            self.assertAnswer(self.mail_from(s, sender), "250")

    def test_a_login_does_not_send_as_others(self):
        s = self.login()
        for sender in self.ALIEN:
            self.assertAnswer(
                self.mail_from(s, sender), "553 5.7.1 <%s>: " % sender,
                "Sender address rejected: not owned by user " + ALICE)
        self.assertRegex(self.log(), r"milter-reject: MAIL from .*"
                         "predicate=sender_not_owned")
        self.assertAnswer(self.mail_from(self.login(BOB),
                                         "sales@example.test"), "553 5.7.1")

    def test_grants(self):
        self.policy(
            "INSERT INTO send_as (login, sender) VALUES"
            " ('%s', '@remote.test'), ('%s', '@.sub.test'), ('%s', '%s'),"
            " ('@alias.test', '*')" % (ALICE, ALICE, BOB, ALICE))
        s = self.login()
        for sender in ("x@remote.test", "any+one@remote.test",
                       "y@deep.sub.test"):
            self.assertAnswer(self.mail_from(s, sender), "250")
        for sender in ("x@sub.remote.test", "x@sub.test", BOB):
            self.assertAnswer(self.mail_from(s, sender), "553 5.7.1")
        b = self.login(BOB)
        self.assertAnswer(self.mail_from(b, ALICE), "250")
        self.assertAnswer(self.mail_from(b, "alice+x@example.test"), "250")
        self.assertAnswer(self.mail_from(b, "sales@example.test"), "553")
        self.policy("DELETE FROM send_as WHERE login = '%s'" % BOB)
        self.assertAnswer(self.mail_from(b, ALICE), "553")
        # a whole domain of logins, as anybody
        self.policy("REPLACE INTO send_as VALUES ('@example.test', '*')")
        self.assertAnswer(self.mail_from(b, "who@ever.test"), "250")
        self.policy("DELETE FROM send_as")
        self.assertAnswer(self.mail_from(b, "who@ever.test"), "553")

    def test_modes_of_the_site_and_of_a_domain(self):
        s = self.login()
        self.mode("shadow", "sender_not_owned", domain="example.test")
        before = self.shadows("sender_not_owned")
        self.assertAnswer(self.mail_from(s, BOB), "250")
        self.assertEqual(self.shadows("sender_not_owned"), before + 1)
        self.mode("off", "sender_not_owned", domain="example.test")
        self.assertAnswer(self.mail_from(s, BOB), "250")
        self.assertEqual(self.shadows("sender_not_owned"), before + 1)
        self.mode("enforce", "sender_not_owned", domain="example.test")
        self.mode("off", "sender_not_owned")
        self.assertAnswer(self.mail_from(s, BOB), "553 5.7.1")
        self.default_modes()
        self.assertAnswer(self.mail_from(s, BOB), "553 5.7.1")

    def test_the_empty_sender_of_a_login(self):
        s = self.login()
        before = self.shadows("sender_null")
        self.assertAnswer(self.mail_from(s, ""), "250")
        self.assertEqual(self.shadows("sender_null"), before + 1)
        self.mode("enforce", "sender_null")
        self.assertAnswer(self.mail_from(s, ""), "553 5.7.1",
                          "Sender address rejected: give your address")
        self.assertAnswer(self.mail_from(self.stranger(), ""), "250")
        self.default_modes()

    def test_a_stranger_with_a_sender_of_ours(self):
        s = self.stranger()
        before = self.shadows("sender_forged")
        self.assertAnswer(self.mail_from(s, ALICE), "250")
        self.assertAnswer(self.mail_from(s, "x@remote.test"), "250")
        self.assertEqual(self.shadows("sender_forged"), before + 1)
        self.mode("enforce", "sender_forged")
        self.assertAnswer(self.mail_from(s, ALICE), "553 5.7.1 <%s>" % ALICE,
                          "not logged in")
        self.assertAnswer(self.mail_from(s, "none@alias.test"), "553")
        for sender in ("", "x@remote.test", "x@example.test.remote.test"):
            self.assertAnswer(self.mail_from(s, sender), "250")
        self.assertAnswer(self.mail_from(self.login(), ALICE), "250")
        # a partner, a trusted network, an exception from it
        self.policy("INSERT INTO network (network, kind) VALUES"
                    " ('192.0.2.0/24', 'partner'),"
                    " ('192.0.2.128/25', 'plain'),"
                    " ('198.51.100.0/24', 'trusted')")
        self.assertAnswer(self.mail_from(s, ALICE), "250")
        for addr, code in (("192.0.2.200", "553"), ("198.51.100.1", "250"),
                           ("203.0.113.1", "553")):
            self.assertAnswer(self.mail_from(self.stranger(addr=addr), ALICE),
                              code)
        self.policy("DELETE FROM network")
        self.default_modes()

    def test_a_blocked_network(self):
        self.policy("INSERT INTO network (network, kind) VALUES"
                    " ('192.0.2.0/24', 'blocked'), ('192.0.2.9', 'plain')")
        self.assertAnswer(
            self.mail_from(self.stranger(addr="192.0.2.8"), "x@remote.test"),
            "554 5.7.1", "Client host rejected: Access denied")
        self.assertAnswer(self.mail_from(self.stranger(), "x@remote.test"),
                          "250")
        self.policy("DELETE FROM network")

    def test_a_blocked_network_of_ipv6(self):
        self.sandbox.postconf("inet_protocols = all")
        self.addCleanup(self.sandbox.postconf, "inet_protocols = ipv4")
        self.policy("INSERT INTO network (network, kind) VALUES"
                    " ('2001:db8:25::/48', 'blocked'),"
                    " ('2001:db8:25:7::/64', 'plain')")
        for addr, code in (("2001:db8:25::8", "554 5.7.1"),
                           ("2001:db8:25:7::8", "250"),
                           ("2001:db8:26::8", "250")):
            self.assertAnswer(
                self.mail_from(self.stranger(addr="IPV6:" + addr),
                               "x@remote.test"), code)
        self.policy("DELETE FROM network")

    def test_a_greeting_with_our_name(self):
        name = self.sandbox.postfix("postconf", "-h", "myhostname").strip()
        self.mode("enforce", "helo_forged")
        forged = (name, name.upper(), "example.test", "alias.test",
                  "[127.0.0.1]", "127.0.0.1")
        for helo in forged:
            self.assertAnswer(
                self.mail_from(self.stranger(helo), "x@remote.test"),
                "550 5.7.1", "Helo command rejected")
        for helo in ("client.test", "mx2.example.test", "[192.0.2.9]",
                     "example.test.remote.test"):
            self.assertAnswer(
                self.mail_from(self.stranger(helo), "x@remote.test"), "250")
        # who is none
        with self.sandbox.smtp(helo="example.test") as s:
            s.auth_plain(ALICE, PASSWORD)
            self.assertAnswer(self.mail_from(s, ALICE), "250")
        with self.sandbox.smtp(helo=name) as s:
            self.assertAnswer(self.mail_from(s, "x@remote.test"), "250")
        self.default_modes()
        before = self.shadows("helo_forged")
        self.mail_from(self.stranger("example.test"), "x@remote.test")
        self.assertEqual(self.shadows("helo_forged"), before + 1)

    def test_a_login_that_needs_tls(self):
        s = self.login()
        t = self.sandbox.submission()
        self.addCleanup(t.close)
        t.starttls()
        t.auth_plain(ALICE, PASSWORD)
        self.addCleanup(self.sandbox.tool, "account", "door", ALICE, "tls",
                        "off")
        self.sandbox.tool("account", "door", ALICE, "tls", "on")
        wait_until(lambda: self.mail_from(s, ALICE).startswith("530 5.7.0"),
                   seconds=5, what="the rejection")
        self.assertAnswer(self.mail_from(t, ALICE), "250")
        self.sandbox.tool("account", "door", ALICE, "tls", "off")
        wait_until(lambda: self.mail_from(s, ALICE).startswith("250"),
                   seconds=5, what="the permission")

    def test_a_login_by_xclient(self):
        s = self.stranger(LOGIN=ALICE)
        self.assertAnswer(self.mail_from(s, ALICE), "250")
        self.assertAnswer(self.mail_from(s, "sales@example.test"), "250")
        self.assertAnswer(self.mail_from(s, BOB), "553 5.7.1",
                          "not owned by user " + ALICE)
        # who is none of ours is not judged by us
        s = self.stranger(LOGIN="relay@elsewhere.test")
        self.assertAnswer(self.mail_from(s, "x@remote.test"), "250")

    def test_a_webmail_network_speaks_for_accounts(self):
        self.policy("INSERT INTO network (network, kind) VALUES"
                    " ('192.0.2.0/24', 'webmail')")
        self.mode("enforce", "sender_forged")
        s = self.stranger()
        for sender in (ALICE, "alice+x@example.test"):
            s.cmd("MAIL FROM:<%s>" % sender, "250")
            s.cmd("RCPT TO:<%s>" % OUT)
            s.cmd("RSET", "250")
        for sender in ("nobody@example.test", "x@remote.test"):
            self.assertAnswer(self.mail_from(s, sender), "550 5.1.0",
                              "User unknown")
        self.mode("enforce", "from_not_owned")
        self.assertAnswer(self.data(s, ALICE, "From: " + ALICE, to=BOB),
                          "250")
        self.assertAnswer(self.data(s, ALICE, "From: " + BOB, to=BOB),
                          "550 5.7.1", "not owned by user " + ALICE)
        self.policy("DELETE FROM network")
        self.default_modes()

    def test_without_the_database_nobody_is_told_5xx(self):
        s = self.login()
        self.assertAnswer(self.mail_from(s, ALICE), "250")
        self.sandbox.stop("db")
        self.assertAnswer(self.mail_from(s, BOB), "451 4.3.0")
        self.assertAnswer(self.mail_from(self.stranger(), ALICE), "250")
        self.sandbox.start()
        wait_until(lambda: self.mail_from(s, BOB).startswith("553"),
                   what="the database")


class Header(SenderTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.postconf("always_add_missing_headers = no")

    def setUp(self):
        super().setUp()
        self.mode("enforce", *HEADERS)

    def test_what_a_login_may_name(self):
        s = self.login()
        for fields in (
                ("From: " + ALICE,), ("From: Alice <%s>" % ALICE,),
                ("From: \"%s\" <%s>" % (ALICE, ALICE),),
                ("From: (x) alice+box@example.test",),
                ("from : =?utf-8?q?Sales?=\r\n <sales@alias.test>",),
                ("From: " + ALICE, "Sender: sales@example.test"),
                ("From: " + ALICE, "Resent-From: team@example.test",
                 "Resent-Sender: " + ALICE),
                ("From: " + ALICE, "Reply-To: " + BOB)):
            for to in (OUT, BOB):
                self.assertAnswer(self.data(s, ALICE, *fields, to=to), "250")

    REFUSED = (
        ("From: " + BOB,),
        ("From: Alice <%s>" % BOB,),
        ("From: \"%s\" <%s>" % (BOB, ALICE),),
        ("From: %s (bob@bank.test)" % ALICE,),
        ("From: =?utf-8?q?bob=40bank.test?= <%s>" % ALICE,),
        ("From: \u201cbob@bank.test\u201d <%s>" % ALICE,),
        ("From: %s <bob@bank.test>" % ALICE,),
        ("From: x@y.test\r\n , " + ALICE,),
        ("From: \"Alice <%s>" % ALICE,),
        ("From: Group: %s;" % BOB,),
        ("From: %s\0%s" % (BOB, ALICE),),
    )

    def test_from_that_is_not_owned(self):
        self.mode("off", "from_several")
        s = self.login()
        for fields in self.REFUSED:
            for to in (OUT, BOB):
                self.assertAnswer(
                    self.data(s, ALICE, *fields, to=to),
                    "550 5.7.1 <%s>: " % ALICE,
                    "the address in From is not owned by user " + ALICE)
        self.assertRegex(self.log(), "milter-reject: END-OF-MESSAGE from .*"
                         "predicate=from_not_owned")
        self.assertEqual(self.sandbox.queue(), [])

    def test_several_authors(self):
        s = self.login()
        for fields in (
                ("From: %s, sales@example.test" % ALICE,),
                ("From: " + ALICE, "From: sales@example.test"),
                ("From: " + ALICE, "FROM: " + ALICE),
                ("Subject: none",), ("From: undisclosed:;",)):
            for to in (OUT, BOB):
                self.assertAnswer(self.data(s, ALICE, *fields, to=to),
                                  "550 5.7.1", "it needs one address in From")
        self.mode("off", "from_several")
        self.assertAnswer(self.data(s, ALICE, "From: %s, sales@example.test"
                                    % ALICE), "250")
        self.assertAnswer(self.data(s, ALICE, "From: " + ALICE,
                                    "From: " + BOB), "550",
                          "is not owned")

    def test_sender_and_resent_fields(self):
        s = self.login()
        for field, text in (
                ("Sender: " + BOB, "address in Sender is not owned"),
                ("Resent-From: " + BOB, "Resent-From is not owned"),
                ("Resent-From: %s, %s" % (ALICE, BOB), "Resent-From"),
                ("Resent-Sender: " + BOB, "Resent-From is not owned")):
            self.assertAnswer(self.data(s, ALICE, "From: " + ALICE, field),
                              "550 5.7.1", text)

    def test_strangers(self):
        s = self.stranger()
        many = ", ".join("x%d@remote.test" % i for i in range(16))
        for fields, code in (
                (("From: " + ALICE,), "550 5.7.1"),
                (("From: \"%s\" <x@remote.test>" % ALICE,), "550 5.7.1"),
                (("From: x@remote.test", "From: " + ALICE), "550 5.7.1"),
                (("From: x@remote.test, nobody@alias.test",), "550 5.7.1"),
                (("From: =?iso-8859-1?Q?%s=A0?= <x@remote.test>"
                  % ALICE.replace("@", "=40"),),
                 "550 5.7.1"),
                (("From: <%s%s>" % ("a" * 65, ALICE),), "550 5.7.1"),
                (("From: %s, %s" % (many, ALICE),), "550 5.7.1"),
                (("From: " + many,), "250"),
                (("From: x@remote.test",), "250"),
                (("From: x@remote.test, y@remote.test",), "250"),
                (("From: x@remote.test", "Sender: " + ALICE), "250"),
                (("Subject: none",), "250")):
            self.assertAnswer(self.data(s, "x@remote.test", *fields, to=BOB),
                              code)
        self.policy("INSERT INTO network (network, kind) VALUES"
                    " ('192.0.2.0/24', 'partner')")
        self.assertAnswer(self.data(self.stranger(), "x@remote.test",
                                    "From: " + ALICE, to=BOB), "250")
        self.policy("DELETE FROM network")

    def test_a_stranger_meets_the_mode_of_whom_he_names(self):
        """Whatever the sender of his envelope."""
        self.addCleanup(self.default_modes)
        self.mode("shadow", "from_forged")
        self.mode("enforce", "from_forged", domain="alias.test")
        self.mode("off", "from_forged", domain="remote.test")
        s = self.stranger()
        for sender in ("x@remote.test", "x@evil.test", ""):
            for fields, code in (
                    (("From: ceo@alias.test",), "550 5.7.1"),
                    (("From: %s, ceo@alias.test" % ALICE,), "550 5.7.1"),
                    (('From: "%s ceo"@alias.test' % ("x" * 64),), "550 5.7.1"),
                    (("From: " + ALICE,), "250")):
                self.assertAnswer(self.data(s, sender, *fields, to=BOB), code)
        found = "FROM decision WHERE predicate = 'from_forged'" \
            " AND sender IN ('x@evil.test', '')"
        wait_until(lambda: self.sandbox.number("SELECT COUNT(*) " + found)
                   >= 8, what="the decisions")
        self.assertEqual(self.sandbox.sql(
            "SELECT DISTINCT domain, shadow " + found + " ORDER BY domain"),
            [["alias.test", "0"], ["example.test", "1"]])
        self.mode("off", "from_forged")
        self.assertAnswer(self.data(s, "", "From: ceo@alias.test", to=BOB),
                          "550 5.7.1")
        self.assertAnswer(self.data(s, "", "From: " + ALICE, to=BOB), "250")

    def test_a_stranger_cannot_choose_his_modes(self):
        self.addCleanup(self.default_modes)
        self.mode("enforce", "helo_forged")
        self.mode("off", "helo_forged", domain="remote.test")
        self.assertAnswer(self.mail_from(self.stranger("example.test"),
                                         "x@remote.test"), "550 5.7.1")

    def test_a_sender_that_is_no_address_has_a_domain(self):
        self.mode("enforce", "sender_forged")
        s = self.stranger()
        self.assertAnswer(self.mail_from(s, "a" * 65 + ALICE), "553 5.7.1")
        self.assertAnswer(self.mail_from(s, "a" * 65 + "@remote.test"), "250")

    def test_shadow_logs_and_off_is_off(self):
        s = self.login()
        self.mode("shadow", *HEADERS)
        before = [self.shadows(p) for p in HEADERS]
        fields = ("From: %s, %s" % (BOB, ALICE), "Sender: " + BOB,
                  "Resent-From: " + BOB)
        self.assertAnswer(self.data(s, ALICE, *fields), "250")
        self.assertAnswer(self.data(self.stranger(), "x@remote.test",
                                    "From: " + BOB, to=BOB), "250")
        self.assertEqual([self.shadows(p) for p in HEADERS],
                         [n + 1 for n in before])
        self.mode("off", *HEADERS)
        self.assertAnswer(self.data(s, ALICE, *fields), "250")
        self.assertEqual([self.shadows(p) for p in HEADERS],
                         [n + 1 for n in before])
        # of one domain only
        self.mode("enforce", "from_not_owned", domain="example.test")
        self.assertAnswer(self.data(s, ALICE, *fields), "550 5.7.1")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What the policy's tables say of recipients and of who may relay, through a
real Postfix: refusals and permissions."""

import os
import re
import signal
import time

from mrtest import PASSWORD, SandboxTest, built_with_faults, mail, main, \
    wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
CAROL, DAVE = "carol@example.test", "dave@example.test"
ANN, OUT = "ann@remote.test", "x@foreign.test"
IN_FORCE = re.compile(r"policy: generation (\d+) in force")


class PolicyTest(SandboxTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for who in (CAROL, DAVE):
            cls.sandbox.account(who)

    def tearDown(self):
        super().tearDown()
        self.sandbox.start()
        for table in ("network", "policy_mode", "account_policy",
                      "access_rule"):
            self.sandbox.sql("DELETE FROM " + table)

    def set(self, *verbs):
        """Each a verb with its arguments; in force when this returns."""
        for verb in verbs:
            self.sandbox.tool(*verb.split())
        want = self.sandbox.number(
            "SELECT generation FROM policy_generation")
        wait_until(lambda: IN_FORCE.findall(
            self.sandbox.log("milter.log"))[-1:] == [str(want)],
            what="generation %d" % want)

    def account(self, who, *settings):
        self.set(*("account policy %s %s" % (who, s) for s in settings))

    def open(self, login=None, submission=False, tls=False):
        s = (self.sandbox.submission if submission else self.sandbox.smtp)()
        self.addCleanup(s.close)
        if tls:
            s.starttls()
        if login:
            s.auth_plain(login, PASSWORD)
        return s

    def rcpt(self, *recipients, login=None, sender=None, params="", **how):
        """The code of each answer, with its enhanced code."""
        s = self.open(login, **how)
        sender = login or ANN if sender is None else sender
        answer = s.cmd("MAIL FROM:<%s>%s" % (sender, params))
        if not answer.startswith("250"):
            return answer[:9]
        found = [s.cmd("RCPT TO:<%s>" % r)[:9].rstrip() for r in recipients]
        return found[0] if len(found) == 1 else found

    def predicate(self):
        """Who rejected last."""
        return re.findall(r"predicate=(\w+)",
                          self.sandbox.log("milter.log"))[-1]


OK = "250 2.1.5"


class Recipients(PolicyTest):
    CONF = ("mta_domains = mta.test",)

    def test_suspended(self):
        self.account("@example.test", "suspended yes")
        self.account(BOB, "suspended no")
        self.assertEqual(self.rcpt(ALICE, BOB), ["450 4.2.1", OK])
        self.assertEqual(self.predicate(), "recipient_suspended")
        self.assertEqual(self.rcpt(BOB, login=ALICE), "550 5.7.1")
        self.assertEqual(self.predicate(), "login_suspended")
        self.assertEqual(self.rcpt(BOB, login=BOB), OK)
        self.account("@example.test", "suspended default")
        self.assertEqual(self.rcpt(ALICE), OK)

    def test_expired(self):
        self.account(ALICE, "expires 2020-01-31")
        self.account(BOB, "expires 2099-01-31")
        self.assertEqual(self.rcpt(ALICE, BOB), ["550 5.2.1", OK])
        self.assertEqual(self.predicate(), "recipient_expired")
        self.assertEqual(self.rcpt(OUT, login=ALICE), "550 5.7.1")
        self.assertEqual(self.predicate(), "login_expired")
        self.assertEqual(self.rcpt(OUT, login=BOB), OK)

    def test_one_way_only(self):
        self.account(ALICE, "may-receive no")
        self.account(BOB, "may-send no")
        self.assertEqual(self.rcpt(ALICE, BOB), ["550 5.2.1", OK])
        self.assertEqual(self.predicate(), "recipient_send_only")
        self.assertEqual(self.rcpt(OUT, login=ALICE), OK)
        self.assertEqual(self.rcpt(OUT, login=BOB), "550 5.7.1")
        self.assertEqual(self.predicate(), "login_receive_only")

    def test_internal_only(self):
        self.account(ALICE, "accept-from internal")
        self.assertEqual(self.rcpt(ALICE, BOB), ["550 5.7.1", OK])
        self.assertEqual(self.predicate(), "recipient_restricted")
        self.assertEqual(self.rcpt("alice+box@example.test"), "550 5.7.1")
        self.assertEqual(self.rcpt(ALICE, login=BOB), OK)
        self.set("network set 127.0.0.0/8 trusted")
        self.assertEqual(self.rcpt(ALICE), OK)
        self.set("network set 127.0.0.1/32 plain",
                 "access set %s @remote.test allow" % ALICE)
        self.assertEqual(self.rcpt(ALICE), OK)
        self.assertEqual(self.rcpt(ALICE, sender="x@other.test"),
                         "550 5.7.1")

    def test_a_list_of_allowed_senders(self):
        self.account(ALICE, "accept-from list")
        self.set("access set %s %s allow" % (ALICE, BOB))
        self.assertEqual(self.rcpt(ALICE, login=BOB), OK)
        self.assertEqual(self.rcpt(ALICE, login=CAROL), "550 5.7.1")
        self.assertEqual(self.rcpt(ALICE), "550 5.7.1")

    def test_an_internal_list_and_its_members(self):
        self.sandbox.tool("alias", "add", "staff@example.test", ALICE, BOB)
        self.addCleanup(self.sandbox.tool, "alias", "delete",
                        "staff@example.test")
        self.account("staff@example.test", "accept-from internal")
        self.assertEqual(self.rcpt("staff@example.test"), "550 5.7.1")
        self.assertEqual(self.rcpt("staff+x@example.test"), "550 5.7.1")
        self.assertEqual(self.rcpt("staff@example.test", login=BOB), OK)
        # a member that does not take it is left out, the others have it
        self.account("staff@example.test", "accept-from default")
        self.account(ALICE, "accept-from internal")
        m = mail("to the staff")
        with self.sandbox.smtp() as s:
            s.send(ANN, ["staff@example.test"], m)
        self.assertEqual(len([x for x in self.sandbox.mails(BOB)
                              if b"Subject: to the staff" in x]), 1)
        self.assertFalse([x for x in self.sandbox.mails(ALICE)
                          if b"Subject: to the staff" in x])
        self.account(BOB, "suspended yes")
        self.assertIn(self.rcpt("staff@example.test"),
                      ("450 4.2.1", "550 5.7.1"))

    def test_access_rules(self):
        self.set("access set * .spam.test deny",
                 "access set @example.test x@a.spam.test allow",
                 "access set %s postmaster@ deny" % ALICE,
                 "access set %s <> deny" % BOB,
                 "access set %s <> allow" % CAROL,
                 "access set bob+news@example.test * deny")
        for sender, rcpt, answer in (
                ("y@a.spam.test", BOB, "550 5.7.1"),
                ("x@a.spam.test", BOB, OK),
                ("y@spam.test", BOB, OK),
                ("postmaster@any.test", ALICE, "550 5.7.1"),
                ("postmaster@any.test", "alice+x@example.test", "550 5.7.1"),
                ("postmaster@any.test", BOB, OK),
                ("", BOB, "550 5.7.1"), ("", ALICE, OK),
                ("a" * 65 + "@a.spam.test", CAROL, "550 5.7.1"),
                ("a" * 65 + "@any.test", BOB, OK),
                (ANN, "bob+news@example.test", "550 5.7.1"),
                (ANN, "bob+olds@example.test", OK)):
            with self.subTest(sender=sender, rcpt=rcpt):
                self.assertEqual(self.rcpt(rcpt, sender=sender), answer)
        self.assertIn("access_denied", self.sandbox.log("milter.log"))

    def test_tls(self):
        self.account(ALICE, "require-tls yes")
        self.assertEqual(self.rcpt(ALICE, BOB), ["550 5.7.1", OK])
        self.assertEqual(self.predicate(), "recipient_needs_tls")
        self.assertEqual(self.rcpt(ALICE, login=BOB, submission=True,
                                   tls=True), OK)

    def test_size(self):
        self.account(ALICE, "max-size 1000")
        self.assertEqual(self.rcpt(ALICE, BOB, params=" SIZE=1001"),
                         ["552 5.2.3", OK])
        self.assertEqual(self.predicate(), "recipient_size")
        self.assertEqual(self.rcpt(ALICE, params=" SIZE=1000"), OK)
        self.account(BOB, "max-send-size 2000")
        self.assertEqual(self.rcpt(OUT, login=BOB, params=" SIZE=2001"),
                         "552 5.3.4")
        self.assertEqual(self.predicate(), "size_sender")
        self.assertEqual(self.rcpt(OUT, login=BOB, params=" SIZE=2000"), OK)

    def test_the_size_at_the_end_counts(self):
        """Whatever was declared."""
        self.sandbox.tool("alias", "add", "pair@example.test", ALICE, BOB)
        self.addCleanup(self.sandbox.tool, "alias", "delete",
                        "pair@example.test")
        self.account(ALICE, "max-size 1000")
        self.account(CAROL, "max-send-size 1000")
        for login, rcpt, params, answer in (
                (None, ALICE, "", "552 5.2.3"),
                (None, ALICE, " SIZE=10", "552 5.2.3"),
                (None, BOB, "", "250"),
                (None, "pair@example.test", "", "250"),
                (CAROL, OUT, " SIZE=10", "552 5.3.4"),
                (CAROL, BOB, "", "552 5.3.4"),
                (DAVE, OUT, "", "250")):
            with self.subTest(login=login, rcpt=rcpt, params=params):
                s = self.open(login)
                s.cmd("MAIL FROM:<%s>%s" % (login or ANN, params), "250")
                s.cmd("RCPT TO:<%s>" % rcpt, "250")
                said = s.data(mail("sized", b"x" * 900 + b"\r\n"), want=None)
                self.assertTrue(said.startswith(answer), said)
                if answer == "552 5.2.3":
                    self.assertIn(" <%s>: " % rcpt, said)
                    self.assertEqual(self.predicate(), "recipient_size")
        self.assertFalse([m for m in self.sandbox.mails(ALICE)
                          if b"Subject: sized" in m])
        self.assertEqual(len([m for m in self.sandbox.mails(BOB)
                              if b"Subject: sized" in m]), 2)

    def test_recipients_per_message(self):
        self.account("*", "max-recipients 2")
        self.assertEqual(self.rcpt(OUT, "nobody@example.test", BOB, DAVE,
                                   login=ALICE),
                         [OK, "550 5.1.1", OK, "452 4.5.3"])
        self.assertEqual(self.predicate(), "recipients_per_message")
        self.assertEqual(self.rcpt(ALICE, BOB, DAVE), [OK, OK, OK])

    def test_where_a_login_may_send(self):
        self.account(ALICE, "relay internal")
        self.account(BOB, "relay-to foreign.test,.far.test", "relay list")
        self.account(CAROL, "relay no")
        denied = "550 5.7.1"
        for who, answers in (
                (ALICE, [denied, denied, denied, OK]),
                (BOB, [OK, OK, denied, OK]),
                (CAROL, [denied, denied, denied, OK]),
                (DAVE, [OK, OK, OK, OK])):
            with self.subTest(who):
                self.assertEqual(
                    self.rcpt(OUT, "x@a.far.test", "x@far.test", DAVE,
                              login=who), answers)
        self.assertEqual(self.predicate(), "relay_login")

    def test_modes_of_the_recipients_domain(self):
        self.account(ALICE, "may-receive no")
        self.set("policy mode recipient_send_only shadow example.test")
        self.assertEqual(self.rcpt(ALICE), OK)
        self.assertIn("would be rejected by 'recipient_send_only'",
                      self.sandbox.log("milter.log"))
        self.set("policy mode recipient_send_only off example.test")
        self.assertEqual(self.rcpt(ALICE), OK)
        self.set("policy mode recipient_send_only default example.test")
        self.assertEqual(self.rcpt(ALICE), "550 5.2.1")

    def test_without_the_database(self):
        """What needs it is 451; the rest is as it was."""
        self.set("network set 127.0.0.0/8 blocked")
        self.sandbox.stop("db")
        self.assertEqual(self.rcpt(BOB), "554 5.7.1")
        self.sandbox.start()
        self.set("network unset 127.0.0.0/8",
                 "account policy %s suspended yes" % ALICE)
        self.sandbox.stop("db")
        time.sleep(1.1)
        self.assertEqual(self.rcpt(ALICE, BOB, OUT), ["451 4.3.0"] * 3)
        self.sandbox.start()
        wait_until(lambda: self.rcpt(ALICE, BOB) == ["450 4.2.1", OK],
                   what="the database")


def open_relay(sandbox):
    """As one that was meant for a network of friends."""
    sandbox.postconf("mynetworks = 0.0.0.0/0",
                     "smtpd_relay_restrictions = permit_mynetworks, reject",
                     "smtpd_recipient_restrictions =")


class OpenRelay(PolicyTest):
    """Postfix relays for everybody; we do not."""

    CONF = ("mta_domains = mta.test",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        open_relay(cls.sandbox)

    def reconfigure(self, *lines):
        path = os.path.join(self.sandbox.dir, "etc/mailrow/conf.d/zz.conf")
        with open(path, "w") as f:
            f.write("".join(l + "\n" for l in lines))
        seen = self.sandbox.log("milter.log").count("read again")
        self.sandbox.kill("milter", signal.SIGHUP)
        wait_until(lambda: self.sandbox.log("milter.log").count(
            "read again") > seen, what="the new options")

    def sunk(self):
        return [m for m in self.sandbox.sunk() if b"<x@foreign.test>" in m]

    def test_a_stranger_relays_nothing(self):
        self.assertEqual(self.rcpt(OUT, "x@remote.test", "x@[192.0.2.1]",
                                   "x@mta.test", ALICE),
                         ["550 5.7.1"] * 3 + [OK] * 2)
        self.assertEqual(self.predicate(), "relay_denied")
        self.assertEqual(self.rcpt("x%foreign.test@mta.test"), OK)
        self.assertEqual(self.sunk(), [])

    def test_a_login_and_a_trusted_network_relay(self):
        self.assertEqual(self.rcpt(OUT, login=ALICE), OK)
        for kind, sender, answer in (("trusted", ANN, OK),
                                     ("webmail", ALICE, OK),
                                     ("webmail", ANN, "550 5.1.0"),
                                     ("partner", ANN, "550 5.7.1"),
                                     ("plain", ANN, "550 5.7.1")):
            with self.subTest(kind):
                self.set("network set 127.0.0.0/8 " + kind)
                self.assertEqual(self.rcpt(OUT, sender=sender), answer)

    def test_relaying_by_port(self):
        self.addCleanup(self.reconfigure)
        self.set("network set 127.0.0.0/8 trusted")
        port = self.sandbox.env["MAILROW_SUBMISSION"].split(":")[1]
        self.reconfigure("relay_ports = 1 %s" % port)
        for login in (None, ALICE):
            self.assertEqual(self.rcpt(OUT, "x@mta.test", BOB, login=login),
                             ["550 5.7.1", OK, OK])
        self.assertEqual(self.rcpt(OUT, BOB, login=ALICE, submission=True,
                                   tls=True), [OK, OK])
        self.reconfigure("relay_ports =")
        self.assertEqual(self.rcpt(OUT, login=ALICE), OK)

    def test_until_mta_domains_is_set_it_only_looks(self):
        self.addCleanup(self.reconfigure)
        self.reconfigure("mta_domains =")
        self.policy("DELETE FROM network")      # of the tests before
        self.assertEqual(self.rcpt(OUT), OK)
        wait_until(lambda: "would be rejected by 'relay_denied'"
                   in self.sandbox.log("milter.log"))


class PassOnly(PolicyTest):
    """A site that stores nothing: its mail lies with another server, here the
    sink, and only the policy is ours."""

    CONF = ("default_mode = pass", "mta_domains = mta.test")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        open_relay(cls.sandbox)
        cls.sandbox.postconf("virtual_transport = smtp:[127.0.0.1]:%s" %
                             cls.sandbox.env["MAILROW_SINK_PORT"])

    def sunk(self, m):
        line = m[m.index(b"Message-ID"):].split(b"\r\n")[0]
        return sum(line in x for x in self.sandbox.sunk())

    def check_delivered(self, recipients, login=None):
        m = mail("passed")
        s = self.open(login)
        s.send(login or ANN, recipients, m)
        wait_until(lambda: self.sunk(m), what="the MTA's own delivery")
        self.assertEqual(self.sandbox.number("SELECT COUNT(*) FROM mail"), 0)
        self.assertEqual(
            self.sandbox.number("SELECT COUNT(*) FROM content"), 0)

    def test_mail_is_delivered_by_the_mta_itself(self):
        if built_with_faults():
            self.sandbox.fault("milter-body-first", "stall 1")
        self.check_delivered([ALICE, BOB])
        self.check_delivered([OUT], login=ALICE)
        if built_with_faults():
            self.assertFalse(self.sandbox.fault_hit("milter-body-first"))
        self.assertEqual(self.sandbox.queue(), [])

    def test_the_policy_holds(self):
        self.assertEqual(self.rcpt(OUT), "550 5.7.1")
        self.assertEqual(self.rcpt(OUT, login=ALICE), OK)
        self.assertEqual(self.rcpt(OUT, login=ALICE, sender=BOB),
                         "553 5.7.1")
        self.account(ALICE, "suspended yes")
        self.account(BOB, "accept-from internal", "max-size 1000")
        self.account(CAROL, "may-receive no", "relay no")
        self.account(DAVE, "require-tls yes", "max-recipients 1")
        self.assertEqual(self.rcpt(ALICE, BOB, CAROL, DAVE),
                         ["450 4.2.1", "550 5.7.1", "550 5.2.1",
                          "550 5.7.1"])
        self.assertEqual(self.rcpt(OUT, login=ALICE), "550 5.7.1")
        self.assertEqual(self.rcpt(OUT, BOB, login=CAROL),
                         ["550 5.7.1", OK])
        self.assertEqual(self.rcpt(OUT, BOB, login=DAVE),
                         [OK, "452 4.5.3"])
        self.assertEqual(self.rcpt(BOB, login=DAVE, params=" SIZE=1001"),
                         "552 5.2.3")
        self.set("access set %s %s deny" % (BOB, DAVE),
                 "network set 127.0.0.0/8 blocked")
        self.assertEqual(self.rcpt(BOB), "554 5.7.1")
        self.set("network unset 127.0.0.0/8")
        self.assertEqual(self.rcpt(BOB, login=DAVE), "550 5.7.1")
        self.check_delivered([BOB], login=CAROL)


class Backscatter(PolicyTest):
    """Whatever cannot be delivered is told in the conversation, or goes to those
    who can have it: no accepted mail comes back."""

    CONF = ("mta_domains = mta.test", "list_full_wait = 2s")
    BIG = mail("big", b"x" * 998 + b"\r\n" * 9000)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tool = cls.sandbox.tool
        for who in ("off", "late", "small", "pal", "few", "inside"):
            cls.sandbox.account(who + "@example.test")
        tool("account", "disable", "off@example.test")
        tool("account", "quota", "small@example.test", "5000")
        tool("domain", "add", "closed.test")
        tool("domain", "disable", "closed.test")
        tool("alias", "add", "circle@example.test", "circle2@example.test")
        tool("alias", "add", "circle2@example.test", "circle@example.test")
        for name in ("off", "small", "late", "pal", "few", "inside", "gone"):
            tool("alias", "add", "list-%s@example.test" % name, BOB,
                 name + "@example.test")
        tool("alias", "add", "list-both@example.test", BOB,
             "small@example.test", "inside@example.test")
        tool("alias", "add", "list-none@example.test", "gone@example.test",
             "off@example.test")
        tool("limit", "set", "few@example.test", "1h", "--in",
             "--messages", "0")

    def situation(self):
        self.set("account policy late@example.test expires 2020-01-31",
                 "account policy pal@example.test suspended yes",
                 "account policy %s may-receive no" % ALICE,
                 "account policy inside@example.test accept-from internal",
                 "account policy %s max-size 3000" % CAROL,
                 "account policy %s require-tls yes" % DAVE,
                 "access set bob+news@example.test * deny")

    def send(self, recipient, message, params, size):
        """True: accepted. Else nobody has it."""
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<%s>%s" % (
                ANN, size and " SIZE=%d" % len(message) or ""), "250")
            answer = s.cmd("RCPT TO:<%s>%s" % (recipient, params))
            if answer.startswith("250"):
                answer = s.data(message, want=None)
            self.assertRegex(answer, "^(250|4|5)")
            return answer.startswith("250")

    def bounces(self):
        return [l for l in self.sandbox.log("maillog").splitlines()
                if "status=bounced" in l or "status=expired" in l] \
            + [m for m in self.sandbox.sunk() if b"Undelivered" in m]

    def test_nothing_that_was_accepted_bounces(self):
        self.situation()
        accepted, refused = [], []
        names = ["nobody", "off", "late", "small", "pal", "few", "inside",
                 "alice", "carol", "dave", "bob", "bob+news", "circle",
                 "list-off", "list-small", "list-late", "list-pal",
                 "list-few", "list-inside", "list-gone", "list-both",
                 "list-none"]
        rcpts = [n + "@example.test" for n in names] + \
            [OUT, "x@closed.test", '"a b@example.test']
        for rcpt in rcpts:
            for params in ("", " NOTIFY=SUCCESS,FAILURE"):
                for size in (True, False):
                    for message in (mail("small"), self.BIG):
                        kind = (rcpt, params, size, len(message))
                        ok = self.send(rcpt, message, params, size)
                        (accepted if ok else refused).append(kind)
        self.assertEqual({k[0].split("@")[0] for k in refused} &
                         {"bob", "list-off", "list-small", "list-late",
                          "list-pal", "list-few", "list-inside",
                          "list-gone"}, set())
        self.assertEqual({k[0].split("@")[0] for k in accepted},
                         {"bob", "list-off", "list-small", "list-late",
                          "list-pal", "list-few", "list-inside", "list-gone",
                          "list-both", "small", "carol"})
        self.assertGreater(len(refused), 100)
        self.sandbox.wait_for_queue(90)
        self.assertEqual(self.bounces(), [])
        # who is denied a list's mail does not get it behind the queue
        self.assertEqual(self.sandbox.mails("inside@example.test"), [])
        self.sandbox.check_store()


if __name__ == "__main__":
    main()

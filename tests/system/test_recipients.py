#!/usr/bin/env python3
"""What a recipient takes, through a real Postfix: room for the mail, and for
those that are on their way."""

from mrtest import SandboxTest, built_with_faults, mail, main, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
ANN = "ann@remote.test"


def answer(s, recipient, size=None, sender=ANN):
    s.cmd("MAIL FROM:<%s>%s" % (sender, size and " SIZE=%d" % size or ""),
          "250")
    return s.cmd("RCPT TO:<%s>" % recipient)[:9]


class Small(SandboxTest):
    """A quota of 10,000 octets."""

    OVER = "452 4.2.2"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.account("small@example.test")
        cls.sandbox.tool("account", "quota", "small@example.test", "10000")
        cls.sandbox.tool("alias", "add", "small2@example.test",
                         "small@example.test")

    def session(self):
        s = self.sandbox.smtp()
        self.addCleanup(s.close)
        return s

    def check_the_end(self):
        """Without SIZE= nothing is known before."""
        a = self.session()
        self.assertEqual(answer(a, "small@example.test"), "250 2.1.5")
        a.cmd("RCPT TO:<%s>" % ALICE, "250")
        said = self.assertRefused(self.OVER, a.data,
                                  mail("huge", b"y" * 998 + b"\r\n" * 9000))
        self.assertIn(" <small@example.test>: mailbox is full", said)
        self.assertRegex(self.sandbox.log("milter.log"),
                         "milter-reject: END-OF-MESSAGE .*"
                         "predicate=recipient_over_quota")
        for user in (ALICE, "small@example.test"):
            self.assertFalse([m for m in self.sandbox.mails(user)
                              if b"Subject: huge" in m])
        self.sandbox.check_store()


class Room(Small):
    def test_two_that_fit_alone_do_not_fit_together(self):
        a, b = self.session(), self.session()
        self.assertEqual(answer(a, "small@example.test", 6000), "250 2.1.5")
        self.assertEqual(answer(b, "small@example.test", 6000), "452 4.2.2")
        # to the same mailbox by another name, and what still fits
        self.assertEqual(b.cmd("RCPT TO:<small2@example.test>")[:9],
                         "452 4.2.2")
        self.assertEqual(b.cmd("RCPT TO:<%s>" % ALICE)[:3], "250")
        b.cmd("RSET", "250")
        self.assertEqual(answer(b, "small@example.test", 3000), "250 2.1.5")

    def test_one_mail_counts_once(self):
        a = self.session()
        self.assertEqual(answer(a, "small@example.test", 6000), "250 2.1.5")
        self.assertEqual(a.cmd("RCPT TO:<small2@example.test>")[:9],
                         "250 2.1.5")

    def test_what_ends_makes_room(self):
        """QUIT, a dead client, the next MAIL, a rejected and a stored mail
        give back what they held. (RSET alone does so later: Postfix tells it
        with its next word to the milter.)"""
        def quits(s):
            s.cmd("QUIT", "221")

        def dies(s):
            s.close()

        def another(s):
            s.cmd("RSET", "250")
            s.cmd("MAIL FROM:<%s>" % ANN, "250")

        def refused(s):
            self.sandbox.fault("intake-before-commit", "fail")
            s.data(mail("refused"), "451")

        def stored(s):
            s.data(mail("stored", b"x" * 100 + b"\r\n"))

        for end in (quits, dies, another, refused, stored):
            if end is refused and not built_with_faults():
                continue
            with self.subTest(end.__name__):
                a = self.session()
                # what was held goes just after the reply
                wait_until(lambda a=a: a.cmd("RSET", "250") and answer(
                    a, "small@example.test", 6000) == "250 2.1.5")
                b = self.session()
                self.assertEqual(answer(b, "small@example.test", 6000),
                                 "452 4.2.2")
                end(a)
                b.cmd("RSET", "250")

                def room():
                    got = answer(b, "small@example.test", 6000)
                    b.cmd("RSET", "250")
                    return got == "250 2.1.5"
                wait_until(room, what="room after " + end.__name__)
                a.close()
                b.close()

    def test_the_end_of_the_message_is_exact(self):
        self.check_the_end()


class RoomHard(Small):
    """over_quota = reject: hard where it is certain."""

    CONF = ("over_quota = reject",)
    OVER = "552 5.2.2"

    def test_the_end_of_the_message_is_exact(self):
        self.check_the_end()

    def test_a_full_mailbox_is_told_so(self):
        self.assertEqual(answer(self.session(), "small@example.test", 10001),
                         "552 5.2.2")

    def test_what_others_hold_may_be_free_again(self):
        a, b = self.session(), self.session()
        self.assertEqual(answer(a, "small@example.test", 6000), "250 2.1.5")
        self.assertEqual(answer(b, "small@example.test", 6000), "452 4.2.2")

    def test_what_was_accepted_comes_again_by_lmtp(self):
        """The sender has been told 250: a hard reply would be a bounce."""
        with self.sandbox.lmtp() as l:
            self.assertEqual(
                [r[:9] for r in l.rcpts(ANN, ["small@example.test"],
                                        " SIZE=10001")], ["452 4.2.2"])


class Lists(SandboxTest):
    """A list of bob and of one whose mailbox is full."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.account("full@example.test")
        cls.sandbox.tool("account", "quota", "full@example.test", "10")
        cls.sandbox.tool("alias", "add", "list@example.test", BOB,
                         "full@example.test")

    def got(self, user, subject):
        line = b"\r\nSubject: %s\r\n" % subject.encode()
        return [m for m in self.sandbox.mails(user) if line in m]

    def send(self, subject, size=True, **options):
        m = mail(subject, **options)
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<%s>%s" % (
                ANN, size and " SIZE=%d" % len(m) or ""), "250")
            s.cmd("RCPT TO:<list@example.test>", "250")
            s.data(m)
        return m

    def bounces(self):
        return [m for m in self.sandbox.sunk() if b"<ann@remote.test>" in m] \
            + [l for l in self.sandbox.log("maillog").splitlines()
               if "status=bounced" in l]

    def check_it_ends(self, subject):
        """The queue is tried until the wait is over."""
        self.sandbox.wait_for_queue()
        self.assertEqual(len(self.got(BOB, subject)), 1)
        self.assertEqual(self.bounces(), [])
        self.assertRegex(
            self.sandbox.log("milter.log", "lmtpd.log"),
            "<full@example.test> goes without the mail to "
            "<list@example.test>, which others have: recipient_over_quota")


class ListWait(Lists):
    CONF = ("list_full_wait = 3s",)

    def check_it_waits(self, subject):
        wait_until(lambda: self.got(BOB, subject), what="the other's mail")
        self.assertIn(b"(Mailrow) with LMTP id", self.got(BOB, subject)[0])
        self.assertEqual(len(self.sandbox.queue()), 1)

    def test_a_full_member_goes_without_at_the_end(self):
        self.send("waits")
        self.check_it_waits("waits")
        self.check_it_ends("waits")
        counted = [l for l in self.sandbox.tool("metrics").stdout.splitlines()
                   if 'program="mailrow-lmtpd",result="left_out"' in l]
        self.assertRegex(counted[0], " [1-9]$")

    def test_a_mail_without_message_id_reaches_the_others_at_once_too(self):
        self.send("bare", message_id=False)
        self.check_it_waits("bare")
        self.check_it_ends("bare")

    def test_a_member_that_is_full_at_the_end_of_the_message(self):
        """The client has told no size."""
        self.send("late", size=False)
        self.check_it_waits("late")
        self.check_it_ends("late")
        self.sandbox.check_store()

    def test_by_lmtp_too(self):
        """Nobody knows before the commit."""
        m = mail("direct")
        with self.sandbox.lmtp() as l:
            for _ in range(2):
                self.assertEqual(
                    [r[:9] for r in l.send(ANN, ["list@example.test"], m,
                                           None)], ["452 4.2.2"])
        self.assertEqual(len(self.got(BOB, "direct")), 1)


class ListNoWait(Lists):
    CONF = ("list_full_wait = 0s",)

    def check_at_once(self, subject):
        found = self.got(BOB, subject)
        self.assertEqual(len(found), 1)
        self.assertRegex(found[0], rb"\(Mailrow\) with E?SMTP id")
        self.assertEqual(self.sandbox.queue(), [])
        self.check_it_ends(subject)

    def test_a_full_member_goes_without_at_once(self):
        self.send("none")
        self.check_at_once("none")

    def test_also_at_the_end_of_the_message(self):
        self.send("none late", size=False)
        self.check_at_once("none late")

    def test_by_lmtp_too(self):
        m = mail("none direct")
        with self.sandbox.lmtp() as l:
            l.send(ANN, ["list@example.test"], m)
        self.assertEqual(len(self.got(BOB, "none direct")), 1)


if __name__ == "__main__":
    main()

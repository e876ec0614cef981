#!/usr/bin/env python3
"""Where a recipient leads, through a real Postfix: aliases and lists, alias
domains, extensions, catch-alls, forwards; and which recipients are served."""

import time

from mrtest import SandboxTest, mail, main, stored_part, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"


class Resolve(SandboxTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tool = cls.sandbox.tool
        cls.tool("domain", "add", "second.test")
        cls.tool("domain", "alias", "second.test", "example.test")
        for name in ("carol", "dave", "full"):
            cls.sandbox.account(name + "@example.test")
        cls.sandbox.sql("UPDATE account SET quota = 10"
                        " WHERE address = 'full@example.test'")

    def setUp(self):
        super().setUp()
        time.sleep(1.1)     # what the judge remembers of the test before

    def alias(self, address, *targets):
        self.tool("alias", "add", address, *targets)
        self.addCleanup(self.tool, "alias", "delete", address)

    def send(self, *recipients, subject="resolve", params="", body=b"x\r\n"):
        m = mail(subject, body)
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            for r in recipients:
                s.cmd("RCPT TO:<%s>%s" % (r, params), "250")
            s.data(m)
        return m

    def answer(self, recipient):
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            return s.cmd("RCPT TO:<%s>" % recipient)

    def got(self, user, m):
        return sum(stored_part(x) == m
                   for x in self.sandbox.mails(user))

    def sunk(self, m):
        subject = m[m.index(b"Message-ID"):].split(b"\r\n")[0]
        return [x for x in self.sandbox.sunk() if subject in x]

    def test_a_list_reaches_each_member_once(self):
        self.alias("list@example.test", ALICE, BOB, "inner@example.test")
        self.alias("inner@example.test", BOB, "carol@example.test",
                   "list@example.test")
        m = self.send("list@example.test", BOB)
        for user in (ALICE, BOB, "carol@example.test"):
            self.assertEqual(self.got(user, m), 1, user)
        self.assertEqual(self.sandbox.number(
            "SELECT MAX(refs) FROM content"), 3)
        self.sandbox.check_store()

    def test_an_alias_to_itself_and_another_keeps_a_copy(self):
        self.alias(ALICE, ALICE, BOB)
        m = self.send(ALICE)
        self.assertEqual(self.got(ALICE, m), 1)
        self.assertEqual(self.got(BOB, m), 1)

    def test_an_alias_without_itself_keeps_none(self):
        self.alias("dave@example.test", BOB)
        m = self.send("dave@example.test")
        self.assertEqual(self.got(BOB, m), 1)
        self.assertEqual(self.got("dave@example.test", m), 0)

    def test_an_extension_is_carried_to_the_target(self):
        self.alias("info@example.test", "bob@example.test")
        m = self.send("info+x@example.test")
        self.assertEqual(self.got(BOB, m), 1)
        found = [x for x in self.sandbox.mails(BOB) if stored_part(x) == m]
        self.assertIn(b"\r\nX-Original-To: info+x@example.test\r\n",
                      found[0])
        self.assertIn(b"Delivered-To: bob@example.test\r\n", found[0])

    def test_an_alias_domain_leads_to_the_same_name(self):
        m = self.send("alice@second.test", "bob+x@second.test")
        self.assertEqual(self.got(ALICE, m), 1)
        self.assertEqual(self.got(BOB, m), 1)
        self.assertTrue(self.answer("nobody@second.test").startswith(
            "550 5.1.1 "))

    def test_a_catch_all_takes_what_has_no_mailbox(self):
        self.alias("@example.test", "carol@example.test")
        m = self.send("anything@example.test", ALICE, "what@second.test")
        self.assertEqual(self.got("carol@example.test", m), 1)
        self.assertEqual(self.got(ALICE, m), 1)

    def test_a_forward_goes_on_to_the_mta(self):
        self.alias("away@example.test", "x@foreign.test", "y@foreign.test")
        m = self.send("away@example.test")
        wait_until(lambda: len(self.sunk(m)) >= 1, what="the forward")
        text = b"".join(self.sunk(m)).lower()
        self.assertIn(b"x@foreign.test", text)
        self.assertIn(b"y@foreign.test", text)
        self.assertNotIn(b"x-rcpt-args: <away@", text)

    def test_a_forward_with_a_copy_here(self):
        self.alias("both@example.test", BOB, "x@foreign.test")
        m = self.send("both@example.test", ALICE)
        wait_until(lambda: self.sunk(m), what="the forward")
        self.assertEqual(self.got(BOB, m), 1)
        self.assertEqual(self.got(ALICE, m), 1)
        self.assertEqual(len(self.sunk(m)), 1)

    def test_a_vacation_target_goes_to_its_transport(self):
        self.alias("carol@example.test", "carol@example.test",
                   "carol#example.test@autoreply.example.org")
        m = self.send("carol@example.test")
        wait_until(lambda: self.sunk(m), what="the vacation's copy")
        self.assertEqual(self.got("carol@example.test", m), 1)

    def test_a_circle_is_refused_for_now(self):
        self.alias("one@example.test", "two@example.test")
        self.alias("two@example.test", "one@example.test")
        self.assertTrue(self.answer("one@example.test").startswith(
            "451 4.4.6 "))
        self.assertIn("predicate=aliases", self.sandbox.log("milter.log"))

    def test_a_stale_member_does_not_stop_a_list(self):
        self.alias("stale@example.test", BOB, "gone@example.test")
        m = self.send("stale@example.test")
        self.assertEqual(self.got(BOB, m), 1)
        self.assertRegex(self.sandbox.log("milter.log"),
                         r"to=<gone@example.test>, orig_to=<stale@example."
                         r"test>.*status=undeliverable \(.*: recipient_unknown\)")

    def test_a_stale_member_beside_a_forward_is_told_too(self):
        self.alias("stale2@example.test", "x@foreign.test",
                   "gone2@example.test")
        m = self.send("stale2@example.test")
        wait_until(lambda: self.sunk(m), what="the forward")
        self.assertRegex(self.sandbox.log("milter.log"),
                         r"to=<gone2@example.test>, orig_to=<stale2@example."
                         r"test>.*status=undeliverable \(.*: recipient_unknown\)")

    def test_nobody_left_is_unknown_or_full(self):
        self.alias("ghosts@example.test", "g1@example.test",
                   "g2@example.test")
        self.assertTrue(self.answer("ghosts@example.test").startswith(
            "550 5.1.1 "))
        self.alias("tight@example.test", "full@example.test",
                   "g2@example.test")
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<ann@remote.test> SIZE=1000", "250")
            self.assertTrue(s.cmd("RCPT TO:<tight@example.test>").startswith(
                "452 4.2.2 "))

    def test_a_full_member_of_a_list_is_left_to_lmtp(self):
        """The others have their mail at once, he when he has room."""
        self.alias("heavy@example.test", BOB, "full@example.test")
        m = mail("heavy")
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<ann@remote.test> SIZE=%d" % len(m), "250")
            s.cmd("RCPT TO:<heavy@example.test>", "250")
            s.data(m)
        ident = m[m.index(b"Message-ID"):]
        wait_until(lambda: any(ident in x for x in self.sandbox.mails(BOB)),
                   what="the other's mail")
        found = [x for x in self.sandbox.mails(BOB) if ident in x]
        self.assertIn(b"(Mailrow) with LMTP id", found[0])
        self.assertEqual(len(self.sandbox.queue()), 1)
        self.sandbox.sql("UPDATE account SET quota = 0"
                         " WHERE address = 'full@example.test'")
        self.addCleanup(self.sandbox.sql, "UPDATE account SET quota = 10"
                        " WHERE address = 'full@example.test'")
        self.sandbox.wait_for_queue()
        for user in (BOB, "full@example.test"):
            self.assertEqual(sum(ident in x for x in
                                 self.sandbox.mails(user)), 1, user)

    def test_a_tempting_domain_of_ours_that_is_off(self):
        self.tool("domain", "add", "off.test")
        self.tool("domain", "disable", "off.test")
        self.alias("offs@example.test", "x@off.test")
        self.assertTrue(self.answer("offs@example.test").startswith(
            "550 5.2.1 "))

    def test_the_tool_says_the_same(self):
        self.alias("said@example.test", BOB, "x@foreign.test",
                   "gone@example.test")
        r = self.tool("lookup", "rcpt", "said@example.test")
        self.assertRegex(r.stdout, r"bob@example.test +store +\d+")
        self.assertRegex(r.stdout, r"x@foreign.test +forward")
        self.assertRegex(r.stdout, r"gone@example.test +left out .*550 5.1.1")
        self.assertIn("reply: accepted\n", r.stdout)
        r = self.tool("lookup", "rcpt", "nobody@example.test", check=False)
        self.assertEqual(r.returncode, 67)
        self.assertIn("reply: 550 5.1.1 <nobody@example.test>: Recipient"
                      " address rejected: User unknown (recipient_unknown)", r.stdout)
        r = self.tool("lookup", "rcpt", "-v", BOB)
        for query in ("domain_query", "alias_query", "mailbox_query",
                      "served"):
            self.assertRegex(r.stderr, query + r" .* ms\n")

    def test_with_postfix_aliases_set_too(self):
        """Who empties virtual_alias_maps only later loses nothing."""
        self.alias("listed@example.test", ALICE, BOB)
        self.sandbox.postconf("virtual_alias_maps = inline:{"
                              " { listed@example.test = alice@example.test"
                              " bob@example.test x@foreign.test } }")
        self.addCleanup(self.sandbox.postconf, "virtual_alias_maps =")
        m = self.send("listed@example.test")
        for user in (ALICE, BOB):
            wait_until(lambda u=user: self.got(u, m) >= 1, what=user)
        time.sleep(1)
        for user in (ALICE, BOB):
            self.assertEqual(self.got(user, m), 1, user)


class Served(SandboxTest):
    """example.test is ours, but what is stored is asked of the table."""

    CONF = ("default_mode = pass",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # what is not ours to store goes abroad: as if to the old server
        cls.sandbox.postconf("virtual_transport = smtp:[127.0.0.1]:%s" %
                             cls.sandbox.env["MAILROW_SINK_PORT"])

    def serve(self, name, mode):
        self.sandbox.tool("serve", name, mode)
        time.sleep(1.1)

    def send(self, *recipients):
        m = mail("served")
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", recipients, m)
        return m

    def rows(self, user, m):
        return sum(stored_part(x) == m for x in self.sandbox.mails(user))

    def sunk(self, m):
        line = m[m.index(b"Message-ID"):].split(b"\r\n")[0]
        return sum(line in x for x in self.sandbox.sunk())

    def test_pass_mirror_store_and_back(self):
        m = self.send(ALICE)
        wait_until(lambda: self.sunk(m), what="the MTA's own delivery")
        self.assertEqual(self.rows(ALICE, m), 0)

        self.serve(ALICE, "mirror")
        m = self.send(ALICE)
        wait_until(lambda: self.sunk(m), what="the MTA's own delivery")
        self.assertEqual(self.rows(ALICE, m), 1)

        self.serve(ALICE, "store")
        m = self.send(ALICE)
        n = self.send(BOB)
        wait_until(lambda: self.sunk(n), what="the other's delivery")
        self.assertEqual(self.rows(ALICE, m), 1)
        self.assertEqual(self.sunk(m), 0)

        self.serve(ALICE, "default")
        m = self.send(ALICE)
        wait_until(lambda: self.sunk(m), what="the MTA's own delivery")
        self.assertEqual(self.rows(ALICE, m), 0)

    def test_the_address_counts_before_its_domain(self):
        self.serve("example.test", "store")
        self.addCleanup(self.serve, "example.test", "default")
        self.serve(BOB, "pass")
        self.addCleanup(self.serve, BOB, "default")
        m = self.send(ALICE, BOB)
        wait_until(lambda: self.sunk(m), what="the MTA's own delivery")
        self.assertEqual(self.rows(ALICE, m), 1)
        self.assertEqual(self.rows(BOB, m), 0)
        r = self.sandbox.tool("serve", "list")
        self.assertRegex(r.stdout, r"example.test +store\n")
        self.assertRegex(r.stdout, r"bob@example.test +pass\n")
        self.assertRegex(r.stdout, r"\(all others\) +pass\n")

    def test_a_list_of_both_kinds(self):
        self.serve("example.test", "store")
        self.addCleanup(self.serve, "example.test", "default")
        self.serve(BOB, "pass")
        self.addCleanup(self.serve, BOB, "default")
        self.sandbox.tool("alias", "add", "mixed@example.test", ALICE, BOB)
        m = self.send("mixed@example.test")
        wait_until(lambda: self.sunk(m), what="the MTA's own delivery")
        self.assertEqual(self.rows(ALICE, m), 1)
        self.assertEqual(self.sunk(m), 1)
        text = [x for x in self.sandbox.sunk() if b"<bob@example.test>" in x]
        self.assertTrue(text)

    def test_a_mirrored_mailbox_with_a_forward(self):
        """The MTA deletes by the address, so also what was just added."""
        self.serve(ALICE, "mirror")
        self.addCleanup(self.serve, ALICE, "default")
        self.sandbox.tool("alias", "add", ALICE, ALICE, "x@foreign.test")
        self.addCleanup(self.sandbox.tool, "alias", "delete", ALICE)
        m = self.send(ALICE)
        line = m[m.index(b"Message-ID"):].split(b"\r\n")[0]
        for address in (b"<%s>" % ALICE.encode(), b"<x@foreign.test>"):
            wait_until(lambda a=address: any(
                line in x and b"x-rcpt-args: " + a in x.lower()
                for x in self.sandbox.sunk()),
                what=address.decode())
        self.assertEqual(self.rows(ALICE, m), 1)

    def test_a_mirror_that_is_full_hinders_nobody(self):
        """Found at RCPT, by the size that is told, and at the end."""
        self.sandbox.account("mira@example.test")
        self.sandbox.sql("UPDATE account SET quota = 3000"
                         " WHERE address = 'mira@example.test'")
        self.serve("mira@example.test", "mirror")
        self.addCleanup(self.serve, "mira@example.test", "default")
        body = b"0123456789\r\n" * 400
        for params in ("", " SIZE=5000", ""):
            m = mail("no room", body)
            with self.sandbox.smtp() as s:
                s.cmd("MAIL FROM:<ann@remote.test>" + params, "250")
                s.cmd("RCPT TO:<mira@example.test>", "250")
                s.data(m)
            wait_until(lambda m=m: self.sunk(m), what="the MTA's delivery")
            self.assertEqual(self.rows("mira@example.test", m), 0)
        self.assertEqual(self.sandbox.log("milter.log").count(
            "to=<mira@example.test>: its mirrored copy is full"), 3)
        m = mail("small")
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", ["mira@example.test"], m)
        self.assertEqual(self.rows("mira@example.test", m), 1)

    def test_wrong_words_are_told(self):
        for args in (("example.test", "keep"), ("a@@b", "store"),
                     ("no domain", "store")):
            r = self.sandbox.tool("serve", *args, check=False)
            self.assertEqual(r.returncode, 65, args)
            self.assertRegex(r.stderr, r"^mailrow: '.*' is no ")


if __name__ == "__main__":
    main()

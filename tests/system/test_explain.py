#!/usr/bin/env python3
"""mailrow explain: what it prints, that it changes nothing, and what it says of
a decision that was made."""

import json
import re

from mrtest import SandboxTest, main, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
NOBODY = "nobody@example.test"
EVE = "eve@remote.test"
CLIENT = ("--client", "192.0.2.7")


class Explain(SandboxTest):
    def explain(self, *args, code=0):
        r = self.sandbox.tool("--json", "explain", *args, check=False)
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        return json.loads(r.stdout)["explain"]

    def of(self, rows, step):
        return [r for r in rows if r["step"] == step]

    def last(self, rows):
        return self.of(rows, "verdict")[-1]

    def test_each_predicate_is_shown_in_its_order(self):
        listed = [p["predicate"] for p in json.loads(self.sandbox.tool(
            "--json", "policy", "list").stdout)["predicates"]]
        rows = self.explain("--from", EVE, "--to", BOB, *CLIENT)
        for step in ("mail", "rcpt", "target"):
            tried = [r["what"] for r in self.of(rows, step)
                     if r["what"] != "leads to"]
            self.assertEqual(tried, [p for p in listed if p in tried], step)
            self.assertGreater(len(tried), 5)
        self.assertEqual({r["outcome"] for r in rows if r["mode"]}, {"no"})
        self.assertEqual(self.last(rows)["outcome"], "accepted")

    def test_where_a_recipient_leads(self):
        self.sandbox.tool("alias", "add", "list@example.test", BOB, NOBODY,
                          "x@far.test")
        rows = self.explain("--from", EVE, "--to", "list@example.test",
                            *CLIENT)
        self.assertEqual({r["about"]: r["outcome"] for r in rows
                          if r["what"] == "leads to"},
                         {BOB: "store", NOBODY: "left out",
                          "x@far.test": "forward"})
        hit, = [r for r in rows if r["outcome"] == "hits"]
        self.assertEqual((hit["about"], hit["what"], hit["mode"]),
                         (NOBODY, "recipient_unknown", "fixed"))
        self.assertEqual(self.last(rows)["outcome"], "accepted")

    def test_the_reply_is_told_as_the_client_reads_it(self):
        rows = self.explain("--from", EVE, "--to", "x@far.test", *CLIENT,
                            code=77)
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            answer = self.assertRefused("550", s.cmd, "RCPT TO:<%s>" % NOBODY,
                                        "250")
        self.assertEqual(self.last(rows)["detail"],
                         "550 5.7.1 <x@far.test>: Relay access denied")
        rows = self.explain("--from", EVE, "--to", NOBODY, *CLIENT, code=77)
        self.assertEqual(self.last(rows)["detail"],
                         re.sub(r" \[\w+\]$", "", answer))
        text = self.sandbox.tool("explain", "--from", EVE, "--to", NOBODY,
                                 check=False).stdout
        self.assertIn("550 5.1.1 <%s>: Recipient address rejected: User "
                      "unknown" % NOBODY, text)

    def test_a_login_counts(self):
        args = ("--from", ALICE, "--to", "x@far.test", *CLIENT)
        self.explain(*args, code=77)
        self.explain(*args, "--login", ALICE)
        self.sandbox.tool("account", "disable", ALICE)
        self.addCleanup(self.sandbox.tool, "account", "enable", ALICE)
        rows = self.explain(*args, "--login", ALICE, code=77)
        self.assertEqual((self.last(rows)["what"], self.of(rows, "rcpt")),
                         ("login_disabled", []))

    def test_nothing_is_changed(self):
        new = "new@example.test"
        self.sandbox.account(new)

        def all_rows():
            return self.sandbox.sql("CHECKSUM TABLE mailbox, mail, receipt,"
                                    " content, limit_usage, decision")
        before = all_rows()
        rows = self.explain("--from", EVE, "--to", new, *CLIENT)
        self.assertEqual(self.of(rows, "target")[-1]["outcome"], "store")
        self.explain("--from", EVE, "--to", NOBODY, *CLIENT, code=77)
        self.explain("--from", EVE, "--to", NOBODY, "--to", BOB, *CLIENT,
                     "--header-from", EVE, code=77)
        self.assertEqual(all_rows(), before)

    def test_a_full_mailbox(self):
        self.sandbox.sql("UPDATE account SET quota = 1000 WHERE address = '%s'"
                         % BOB)
        self.addCleanup(self.sandbox.sql, "UPDATE account SET quota = 0")
        args = ("--from", EVE, "--to", BOB, *CLIENT)
        self.explain(*args, "--size", "1000")
        rows = self.explain(*args, "--size", "1001", code=75)
        self.assertEqual((self.last(rows)["what"], self.last(rows)["outcome"]),
                         ("recipient_over_quota", "deferred"))
        self.assertEqual(self.of(rows, "target")[-1]["detail"],
                         "0 of 1000 octets")

    def test_the_rows_and_the_counters_are_shown(self):
        tool = self.sandbox.tool
        tool("network", "set", "192.0.2.0/24", "plain")
        tool("access", "set", BOB, "@remote.test", "allow")
        tool("limit", "set", BOB, "1h", "--in", "--messages", "5")
        self.addCleanup(self.sandbox.sql, "DELETE FROM network;"
                        "DELETE FROM access_rule; DELETE FROM policy_limit;"
                        "DELETE FROM limit_usage")
        args = ("--from", EVE, "--to", BOB, *CLIENT)
        rows = self.explain(*args)
        self.assertEqual([(r["what"], r["outcome"], r["detail"])
                          for r in self.of(rows, "row")],
                         [("network", "plain", "192.0.2.0/24"),
                          ("access_rule", "allow", "@remote.test to " + BOB)])
        self.assertEqual([(r["about"], r["what"], r["detail"])
                          for r in self.of(rows, "limit")],
                         [(BOB, "in, 1 hour", "0 of 5 messages")])
        self.sandbox.sql("INSERT INTO limit_usage VALUES ('%s', 'in', 3600,"
                         " UNIX_TIMESTAMP(), 5, 5, 100, 0)" % BOB)
        rows = self.explain(*args, code=75)
        self.assertEqual(self.last(rows)["what"], "limit_in")
        self.assertEqual(self.of(rows, "limit")[0]["detail"],
                         "5 of 5 messages")
        self.assertEqual(self.sandbox.number("SELECT messages FROM"
                                             " limit_usage"), 5)

    def test_the_row_that_an_account_hits_by_is_shown(self):
        self.sandbox.sql("""INSERT INTO account_policy (name, max_size) VALUES
            ('@example.test', 5000); INSERT INTO account_policy (name,
            suspended) VALUES ('%s', 1)""" % BOB)
        self.addCleanup(self.sandbox.sql, "DELETE FROM account_policy")
        rows = self.explain("--from", EVE, "--to", BOB, *CLIENT, code=75)
        self.assertEqual([(r["about"], r["what"], r["outcome"], r["detail"])
                          for r in self.of(rows, "row")],
                         [(BOB, "account_policy", "recipient_suspended", BOB)])
        rows = self.explain("--from", EVE, "--to", "alice+x@example.test",
                            "--size", "5001", *CLIENT, code=77)
        self.assertEqual([(r["about"], r["what"], r["outcome"], r["detail"])
                          for r in self.of(rows, "row")],
                         [("alice@example.test", "account_policy",
                           "recipient_size", "@example.test")])

    def test_a_decision_and_what_it_would_be_now(self):
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % EVE, "250")
            answer = self.assertRefused("550", s.cmd,
                                        "RCPT TO:<soon@example.test>", "250")
        name = re.search(r"\[(\w+)\]$", answer)[1]
        wait_until(lambda: self.sandbox.number(
            "SELECT COUNT(*) FROM decision WHERE decision_id = '%s'" % name),
            what="the row")
        rows = self.explain(name, code=77)
        self.assertEqual(self.of(rows, "now")[0]["outcome"], "the same")
        self.assertIn("550 5.1.1 Recipient address rejected: User unknown",
                      self.of(rows, "recorded")[0]["detail"])
        self.sandbox.account("soon@example.test")
        rows = self.explain(name.upper())
        self.assertEqual(self.of(rows, "now")[0]["outcome"], "different")
        self.assertEqual(self.last(rows)["outcome"], "accepted")

    def test_what_it_does_not_understand(self):
        for code, args in ((64, ()), (64, ("--from", EVE)),
                           (64, ("--to", BOB)), (64, ("x", "y")),
                           (65, ("short",)), (65, ("111111111l",)),
                           (67, ("2222222222",)),
                           (65, ("--client", "here")), (65, ("--port", "0")),
                           (65, ("--size", "big")), (65, ("--role", "all"))):
            r = self.sandbox.tool("explain", *args, check=False)
            self.assertEqual(r.returncode, code, args)
            self.assertTrue(r.stderr.startswith("mailrow: "), r.stderr)


if __name__ == "__main__":
    main()

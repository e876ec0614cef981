#!/usr/bin/env python3
"""The policy's tables: the verbs that change them, how soon a change counts in
the daemons, what a broken row does, and what a large policy costs."""

import json
import re
import shlex
import time

from mrtest import SandboxTest, main, wait_until

IN_FORCE = re.compile(r"policy: generation (\d+) in force")
NETWORKS, LIMITS, RULES = 100000, 1000, 1000


class PolicyData(SandboxTest):
    def tool(self, *args, code=0):
        r = self.sandbox.tool(*args, check=False)
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        return r.stdout + r.stderr

    def listed(self, *args):
        (rows,) = json.loads(self.tool("--json", *args)).values()
        return rows

    def generation(self):
        return self.sandbox.number("SELECT generation FROM policy_generation")

    def in_force(self, log):
        found = IN_FORCE.findall(self.sandbox.log(log))
        return int(found[-1]) if found else 0

    def await_generation(self, log, seconds=20):
        """How long it takes from here."""
        want = self.generation()
        begun = time.monotonic()
        wait_until(lambda: self.in_force(log) == want, seconds,
                   "generation %d in %s" % (want, log))
        return time.monotonic() - begun

    def tearDown(self):
        super().tearDown()
        for table in ("network", "policy_mode", "account_policy",
                      "access_rule", "send_as", "policy_limit"):
            self.sandbox.sql("DELETE FROM " + table)

    def test_networks(self):
        self.tool("network", "set", "192.0.2.0/24", "blocked", "spam")
        self.tool("network", "set", "192.0.2.9/32", "plain")
        self.tool("network", "set", "2001:DB8:0::/32", "webmail")
        self.tool("network", "set", "192.0.2.0/24", "partner", "shop")
        self.assertEqual(self.listed("network", "list"), [
            {"network": "192.0.2.0/24", "kind": "partner", "note": "shop"},
            {"network": "192.0.2.9", "kind": "plain", "note": None},
            {"network": "2001:db8::/32", "kind": "webmail", "note": None}])
        self.tool("network", "set", "192.0.2.1/24", "blocked", code=65)
        self.tool("network", "set", "192.0.2.0/24", "evil", code=65)
        self.tool("network", "unset", "192.0.2.9/32")
        self.tool("network", "unset", "192.0.2.9/32", code=67)
        self.tool("network", "unset", "2001:db8:0:0::/32")
        self.assertEqual(len(self.listed("network", "list")), 1)

    def test_access(self):
        self.tool("access", "set", "Alice@Example.TEST", "Spam.EXAMPLE",
                  "deny", "enough")
        self.tool("access", "set", "example.test", ".spam.example", "deny")
        self.tool("access", "set", "*", "postmaster@", "allow")
        self.tool("access", "set", "*", "<>", "allow")
        self.tool("access", "set", "alice@example.test", "@spam.example",
                  "allow")
        rows = self.listed("access", "list")
        self.assertEqual([(r["scope"], r["sender"], r["action"])
                          for r in rows], [
            ("*", "<>", "allow"), ("*", "postmaster@", "allow"),
            ("@example.test", "@.spam.example", "deny"),
            ("alice@example.test", "@spam.example", "allow")])
        self.assertEqual(len(self.listed("access", "list",
                                         "example.test")), 1)
        self.tool("access", "set", "alice@", "*", "deny", code=65)
        self.tool("access", "set", "*", "a b", "deny", code=65)
        self.tool("access", "set", "*", "*", "maybe", code=65)
        self.tool("access", "unset", "ALICE@example.test", "spam.example")
        self.tool("access", "unset", "*", "postmaster@")
        self.tool("access", "unset", "*", "postmaster@", code=67)
        self.assertEqual(len(self.listed("access", "list")), 2)

    def test_send_as(self):
        self.tool("send-as", "set", "Alice@example.test", "News.example")
        self.tool("send-as", "set", "example.test", "sales@example.test")
        self.tool("send-as", "set", "alice@example.test", "*")
        self.tool("send-as", "set", "*", "alice@example.test", code=65)
        self.tool("send-as", "set", "alice@example.test", "<>", code=65)
        self.assertEqual(self.listed("send-as", "list",
                                     "alice@example.test"), [
            {"login": "alice@example.test", "sender": "*"},
            {"login": "alice@example.test", "sender": "@news.example"}])
        self.tool("send-as", "unset", "alice@example.test", "news.example")
        self.tool("send-as", "unset", "alice@example.test", "news.example",
                  code=67)
        self.assertEqual(len(self.listed("send-as", "list")), 2)

    def test_account_policy(self):
        def say(*args, code=0):
            return self.tool("account", "policy", *args, code=code)
        say("alice@example.test", "suspended", "yes")
        say("alice@example.test", "expires", "2027-01-31 10:30")
        say("alice@example.test", "may-send", "no")
        say("alice@example.test", "may-receive", "yes")
        say("alice@example.test", "relay", "list")
        say("alice@example.test", "relay-to", "a.example .b.example")
        say("alice@example.test", "accept-from", "internal")
        say("alice@example.test", "require-tls", "yes")
        say("alice@example.test", "max-size", "10M")
        say("alice@example.test", "max-send-size", "0")
        say("alice@example.test", "max-recipients", "50")
        say("example.test", "max-recipients", "100")
        say("*", "max-recipients", "1000")
        say("other.test", "suspended", "yes")
        self.assertEqual(
            self.listed("account", "policy", "alice@example.test")[2], {
                "name": "alice@example.test", "suspended": "yes",
                "expires": "2027-01-31 10:30:00", "may_send": "no",
                "may_receive": "yes", "relay": "list",
                "relay_to": "a.example .b.example",
                "accept_from": "internal", "require_tls": "yes",
                "max_size": 10485760, "max_send_size": 0,
                "max_recipients": 50})
        self.assertEqual([r["name"] for r in self.listed(
            "account", "policy", "alice@example.test")],
            ["*", "@example.test", "alice@example.test"])
        self.assertEqual(len(self.listed("account", "policy")), 4)
        for setting, value in (("suspended", "maybe"), ("relay", "all"),
                               ("expires", "2027-02-30"),
                               ("expires", "tomorrow"),
                               ("relay-to", "a.example B.example"),
                               ("accept-from", "friends"),
                               ("max-size", "big"),
                               ("max-recipients", "4294967296")):
            say("alice@example.test", setting, value, code=65)
        say("alice@example.test", "quota", "1", code=64)
        say("alice@example.test", "suspended", code=64)
        say("alice@", "suspended", "yes", code=65)
        # what says nothing any more is no row
        say("other.test", "suspended", "default")
        say("alice@example.test", "default")
        say("alice@example.test", "default", code=67)
        self.assertEqual([r["name"] for r in self.listed("account",
                                                         "policy")],
                         ["*", "@example.test"])
        self.check_is_quiet()

    def test_policy_mode(self):
        self.tool("policy", "mode", "sender_forged", "enforce")
        self.tool("policy", "mode", "sender_forged", "off", "Example.test")
        self.tool("policy", "mode", "sender_forged", "shadow", "Example.test")
        self.assertEqual(self.listed("policy", "modes"), [
            {"predicate": "sender_forged", "domain": None,
             "mode": "enforce"},
            {"predicate": "sender_forged", "domain": "example.test",
             "mode": "shadow"}])
        self.tool("policy", "mode", "sender_forget", "off", code=65)
        self.tool("policy", "mode", "sender_forged", "on", code=65)
        self.tool("policy", "mode", "recipient_unknown", "off", code=65)
        self.tool("policy", "mode", "sender_forged", "default")
        self.tool("policy", "mode", "sender_forged", "default", code=67)
        self.assertEqual(len(self.listed("policy", "modes")), 1)

    def policy_findings(self):
        r = self.sandbox.tool("--json", "check", check=False)
        return [f for f in json.loads(r.stdout)["findings"]
                if f["subject"] == "policy"]

    def check_is_quiet(self):
        self.assertEqual([f["level"] for f in self.policy_findings()],
                         ["ok"])

    def test_a_change_by_sql_counts_within_a_second(self):
        took = []
        self.await_generation("milter.log")
        for i in range(5):
            self.sandbox.sql("INSERT INTO access_rule VALUES"
                             " ('*', 's%d@x.example', 'deny', '')" % i)
            took.append(self.await_generation("milter.log"))
            self.await_generation("lmtpd.log")
        print("in force after %s s" % ", ".join("%.2f" % t for t in took))
        self.assertLess(sorted(took)[2], 1)

    def test_a_broken_row_keeps_what_was_in_force(self):
        self.tool("access", "set", "*", "@spam.example", "deny")
        self.await_generation("milter.log")
        before = self.in_force("milter.log")
        told = self.sandbox.log("milter.log").count("policy: broken rows: 2")
        self.sandbox.sql("INSERT INTO access_rule VALUES"
                         " ('Alice@example.test', '*', 'deny', '')")
        wait_until(lambda: "policy: access_rule 'Alice@example.test' '*': "
                   "not canonical" in self.sandbox.log("milter.log"))
        self.sandbox.sql("INSERT INTO network VALUES"
                         " ('192.0.2.1/24', 'blocked', '')")
        wait_until(lambda: self.sandbox.log("milter.log").count(
            "policy: broken rows: 2") > told)
        self.assertEqual(self.in_force("milter.log"), before)
        # it is told once, not twice a second
        time.sleep(1.5)
        self.assertEqual(self.sandbox.log("milter.log").count(
            "policy: broken rows: 2"), told + 1)
        broken = self.policy_findings()
        self.assertEqual([f["level"] for f in broken], ["FAIL"] * 3)
        self.assertIn("broken rows: 2", broken[2]["finding"])
        self.type_fixes(broken[:2])
        self.check_is_quiet()
        self.await_generation("milter.log")

    def type_fixes(self, broken):
        for f in broken:
            program, *args = shlex.split(f["fix"])
            self.assertEqual(program, "mailrow")
            self.tool(*args)

    def mends(self, table, good, *rows):
        """Each broken row goes by the command that is printed for it, and
        nothing else does."""
        self.sandbox.sql("SET sql_mode = ''; " + " ".join(
            "INSERT INTO %s VALUES (%s);" % (table, row)
            for row in (good,) + rows))
        *broken, _ = self.policy_findings()
        self.assertEqual([f["level"] for f in broken], ["FAIL"] * len(rows))
        self.type_fixes(broken)
        self.check_is_quiet()
        self.assertEqual(
            self.sandbox.number("SELECT COUNT(*) FROM " + table.split()[0]), 1)

    def test_a_broken_limit_is_mended_by_what_is_printed(self):
        wide = ("'big@x.example', 'in', %d, 9, 9, 9" % s
                for s in range(60, 60 * 10, 60))
        self.mends("policy_limit",
                   "'bob@x.example', 'out', 3600, 9, NULL, NULL",
                   "'Bob@x.example', 'out', 3600, 9, NULL, NULL",
                   "'Bob@x.example', 'in', 7200, 9, NULL, NULL",
                   "'bob@x.example', 'out', 30, 9, NULL, NULL",
                   "'bob@x.example', 'out', 0, 9, NULL, NULL",
                   "'', 'out', 86400, 9, NULL, NULL",
                   "'bob@x.example', 'out', 4294967295, 9, NULL, NULL")
        self.sandbox.sql(" ".join("INSERT INTO policy_limit VALUES (%s);" % w
                                  for w in wide))
        broken = self.policy_findings()[0]
        self.assertIn("more windows", broken["finding"])
        self.type_fixes([broken])
        self.check_is_quiet()

    def test_a_broken_mode_is_mended_by_what_is_printed(self):
        self.mends("policy_mode", "'sender_forged', 'x.example', 'off'",
                   "'sender_forged', 'X.example', 'off'",
                   "'sender_forged', '@x.example', 'off'",
                   "'sender_forged', '', ''",
                   "'recipient_unknown', '', 'off'")

    def test_a_broken_account_is_mended_by_what_is_printed(self):
        self.mends("account_policy (name, relay_to)",
                   "'bob@x.example', 'good.example'",
                   "'eve@x.example', 'Bad.Dom'",
                   "'joe@x.example', 'o''brien'",
                   "'', 'good.example'", "'Bob@x.example', NULL")

    def test_a_broken_pair_is_mended_by_what_is_printed(self):
        self.mends("access_rule", "'*', '<>', 'deny', ''",
                   "'*', '', 'deny', ''", "'', '*', 'deny', ''",
                   "'Bob@x.example', '<>', 'deny', ''",
                   "'*', 'a\\\\b\"c', 'deny', ''")
        self.mends("send_as", "'bob@x.example', '*'",
                   "'bob@x.example', ''", "'Bob@x.example', '*'")

    def test_a_daemon_that_starts_reads_it_at_once(self):
        self.tool("access", "set", "*", "@spam.example", "deny")
        self.sandbox.stop("milter")
        self.tool("access", "set", "*", "@ham.example", "allow")
        self.sandbox.start()
        self.await_generation("milter.log")

    def test_a_daemon_that_starts_without_a_database(self):
        self.tool("access", "set", "*", "@spam.example", "deny")
        self.sandbox.stop("milter", "db")
        told = "policy: nothing is in force yet: mail is deferred"
        before = self.sandbox.log("milter.log").count(told)
        self.sandbox.start_alone("milter")
        wait_until(lambda: self.sandbox.log("milter.log").count(told)
                   == before + 1)
        self.sandbox.start()
        self.await_generation("milter.log")

    def test_a_broken_row_is_counted(self):
        def broken():
            r = self.sandbox.tool("metrics")
            return re.findall(r"(?m)^mailrow_policy_broken_rows\{.*\} (\d+)$",
                              r.stdout)
        self.sandbox.sql("INSERT INTO access_rule VALUES"
                         " ('x', '*', 'deny', ''), ('y', '*', 'deny', '')")
        wait_until(lambda: broken() == ["2", "2"])
        self.sandbox.sql("DELETE FROM access_rule")
        wait_until(lambda: broken() == ["0", "0"])

    def test_check_knows_the_predicates_names(self):
        self.sandbox.sql("INSERT INTO policy_mode VALUES"
                         " ('spam_forged', '', 'off')")
        (bad, ok) = self.policy_findings()
        self.assertEqual((bad["level"], ok["level"]), ("warn", "ok"))
        self.assertIn("'spam_forged': no such predicate", bad["finding"])

    def test_check_finds_a_trigger_that_is_gone(self):
        self.sandbox.sql("DROP TRIGGER send_as_delete;"
                         " DROP TRIGGER network_insert")
        (ok, bad) = self.policy_findings()
        self.assertEqual((ok["level"], bad["level"]), ("ok", "FAIL"))
        self.assertIn("2 triggers", bad["finding"])
        self.assertIn("CREATE TRIGGER", bad["fix"])
        # as it says
        show = self.tool("schema", "show").splitlines()
        lines = [a + b for a, b in zip(show, show[1:])
                 if re.match("CREATE TRIGGER (send_as_delete"
                             "|network_insert) ", a)]
        self.sandbox.sql("\n".join(lines))
        self.check_is_quiet()

    def test_check_finds_a_generation_that_does_not_move(self):
        self.sandbox.sql("DELETE FROM policy_generation")
        (_, bad) = self.policy_findings()
        self.assertEqual(bad["level"], "FAIL")
        self.assertIn("INSERT INTO policy_generation", bad["fix"])
        self.sandbox.sql("INSERT INTO policy_generation VALUES (1, 1)")
        self.check_is_quiet()

    def rss(self):
        """Of the milter's process that has the policy."""
        pid = self.sandbox.pid("milter")
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            child = int(f.read().split()[0])
        with open("/proc/%d/status" % child) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def test_a_large_policy(self):
        self.await_generation("milter.log")
        before = self.rss()
        begun = time.monotonic()
        self.sandbox.sql(
            "START TRANSACTION; INSERT INTO network SELECT CONCAT('10.',"
            " seq DIV 65536, '.', seq DIV 256 %% 256, '.', seq %% 256),"
            " 'blocked', '' FROM seq_1_to_%d;"
            " INSERT INTO policy_limit SELECT CONCAT('u', seq,"
            " '@example.test'), 'out', 3600, 100, NULL, NULL"
            " FROM seq_1_to_%d; INSERT INTO access_rule SELECT '*',"
            " CONCAT('s', seq, '@x.example'), 'deny', ''"
            " FROM seq_1_to_%d; COMMIT" % (NETWORKS, LIMITS, RULES))
        written = time.monotonic() - begun
        took = self.await_generation("milter.log", 60)
        self.await_generation("lmtpd.log", 60)
        print("%d networks, %d limits, %d rules: written in %.2f s, in force "
              "after %.2f s, %d KB more" % (NETWORKS, LIMITS, RULES, written,
                                           took, self.rss() - before))
        self.assertIn("%d networks, 0 modes, 0 accounts, %d rules, 0 grants, "
                      "%d limits" % (NETWORKS, RULES, LIMITS),
                      self.sandbox.log("milter.log"))
        self.sandbox.sql("DELETE FROM network")
        self.await_generation("milter.log", 60)


if __name__ == "__main__":
    main()

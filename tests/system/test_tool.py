#!/usr/bin/env python3
"""mailrow(1) against a running sandbox: the verbs, and what check finds."""

import json
import os
import time
import unittest

from mrtest import Sandbox, mail, main

ALICE = "alice@example.test"


class Tool(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()
        cls.sandbox.account(ALICE)

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.remove()

    def test_check_finds_nothing_wrong_in_a_sandbox(self):
        r = self.sandbox.tool("check", check=False)
        self.assertEqual(r.returncode, 0, r.stdout + r.stderr)

    def test_check_finds_a_database_that_does_not_flush(self):
        self.sandbox.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        try:
            r = self.sandbox.tool("check", check=False)
        finally:
            self.sandbox.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
        self.assertEqual(r.returncode, 2, r.stdout)
        self.assertIn("innodb_flush_log_at_trx_commit", r.stdout)

    def test_check_finds_an_option_file_that_everybody_reads(self):
        path = os.path.join(os.path.dirname(
            self.sandbox.env["MAILROW_CONF"]), "mailrow-authd.cnf")
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text + "password = x\n")
        os.chmod(path, 0o644)
        r = self.sandbox.tool("check", check=False)
        self.sandbox.start()            # writes it anew
        self.assertEqual(r.returncode, 2, r.stdout)
        self.assertIn("mailrow-authd.cnf", r.stdout)

    def test_domain_and_account_verbs(self):
        tool = self.sandbox.tool
        tool("domain", "add", "second.test")
        self.assertEqual(tool("domain", "add", "second.test",
                              check=False).returncode, 73)
        tool("account", "add", "carl@second.test", "1M", input_="pw\n")
        accounts = json.loads(tool("--json", "account", "list",
                                   "second.test").stdout)
        self.assertIn("carl@second.test", json.dumps(accounts))
        self.assertNotIn("$y$", json.dumps(accounts))
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", ["carl@second.test"], mail("second"))
        self.assertEqual(len(self.sandbox.mails("carl@second.test", "pw")), 1)
        boxes = json.loads(tool("--json", "mailbox", "list",
                                "second.test").stdout)
        self.assertIn("carl@second.test", json.dumps(boxes))
        tool("account", "passwd", "carl@second.test", input_="new\n")
        with self.sandbox.smtp() as s:
            self.assertTrue(s.auth_plain("carl@second.test",
                                         "new").startswith("235"))
            self.assertTrue(s.auth_plain("carl@second.test",
                                         "pw")[:3] in ("535", "503"))

    def test_a_later_account_never_sees_the_former_owners_mail(self):
        tool = self.sandbox.tool
        self.sandbox.account("dan@example.test")
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", ["dan@example.test"], mail("private"))
        tool("account", "delete", "dan@example.test")
        self.sandbox.account("dan@example.test")
        self.assertEqual(self.sandbox.mails("dan@example.test"), [])
        time.sleep(1.1)         # the milter remembers for a second
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", ["dan@example.test"], mail("mine"))
        mails = self.sandbox.mails("dan@example.test")
        self.assertEqual(len(mails), 1)
        self.assertIn(b"Subject: mine", mails[0])

    def test_schema_status(self):
        self.assertEqual(self.sandbox.tool("schema", "status",
                                           check=False).returncode, 0)

    def test_password_is_never_taken_from_the_command_line(self):
        r = self.sandbox.tool("account", "add", "eva@example.test", "1M",
                              "pw", check=False)
        self.assertEqual(r.returncode, 64)


class Lists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()
        cls.sandbox.account(ALICE)
        with cls.sandbox.smtp() as s:
            s.send("ann@remote.test", [ALICE], mail("listed"))

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.remove()

    def json(self, *args):
        return json.loads(self.sandbox.tool("--json", *args).stdout)

    def test_everything_that_lists_speaks_json(self):
        self.assertEqual(self.json("domain", "list")["domains"][0]["domain"],
                         "example.test")
        account = self.json("account", "show", ALICE)["accounts"][0]
        self.assertEqual(account["messages"], 1)
        self.assertIs(account["active"], True)
        box = self.json("mailbox", "show", ALICE)["mailboxes"][0]
        self.assertEqual(box["octets"], account["octets"])
        mails = self.json("mailbox", "list", ALICE)["mails"]
        self.assertEqual([m["uid"] for m in mails], [16777216])
        self.assertEqual(mails[0]["octets"], box["octets"])
        levels = {f["level"] for f in self.json("check")["findings"]}
        self.assertEqual(levels, {"ok"})
        self.assertEqual(self.json("account", "list", "none.test"),
                         {"accounts": []})

    def test_lists_for_people(self):
        self.assertIn("example.test", self.sandbox.tool("domain",
                                                        "list").stdout)
        shown = self.sandbox.tool("account", "show", ALICE).stdout
        self.assertRegex(shown, r"(?m)^address +alice@example\.test$")
        self.assertRegex(shown, r"(?m)^active +yes$")

    def test_what_is_not_there_is_said(self):
        for args, code in ((("account", "show", "no@example.test"), 67),
                           (("account", "disable", "no@example.test"), 67),
                           (("mailbox", "show", "no@example.test"), 67),
                           (("domain", "delete", "none.test"), 67),
                           (("domain", "delete", "example.test"), 73),
                           (("account", "show", "no address"), 65),
                           (("account", "quota", ALICE, "many"), 65),
                           (("domain", "add", "under score"), 65),
                           (("account", "explode", ALICE), 64),
                           (("nothing",), 64)):
            r = self.sandbox.tool(*args, check=False)
            self.assertEqual(r.returncode, code, (args, r.stderr))
            self.assertTrue(r.stderr.startswith("mailrow: "), r.stderr)

    def test_an_account_needs_its_domain(self):
        r = self.sandbox.tool("account", "add", "a@other.test", check=False,
                              input_="pw\n")
        self.assertEqual(r.returncode, 68, r.stderr)
        self.assertIn("mailrow domain add", r.stderr)

    def test_quota_and_disabling(self):
        tool = self.sandbox.tool
        tool("account", "quota", ALICE, "2M")
        self.assertEqual(self.json("account", "show", ALICE)["accounts"][0]
                         ["quota"], 2 << 20)
        tool("account", "quota", ALICE, "2M")       # changes nothing: fine
        tool("account", "quota", ALICE, "0")
        tool("account", "disable", ALICE)
        with self.sandbox.pop3() as p:
            with self.assertRaises(Exception):
                p.login(ALICE)
        tool("account", "enable", ALICE)
        self.assertEqual(len(self.sandbox.mails(ALICE)), 1)


class Gone(unittest.TestCase):
    """What goes with an account or a domain, and what stays."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.remove()

    def type(self, *lines):
        for line in lines:
            self.sandbox.tool(*line.split())

    def left(self):
        return [" ".join(row) for row in self.sandbox.sql(
            "SELECT 'alias', address, target FROM alias"
            " UNION ALL SELECT 'send-as', login, sender FROM send_as"
            " UNION ALL SELECT 'access', scope, sender FROM access_rule"
            " UNION ALL SELECT 'policy', name, '' FROM account_policy"
            " UNION ALL SELECT 'limit', subject, '' FROM policy_limit"
            " UNION ALL SELECT 'usage', subject, '' FROM limit_usage"
            " UNION ALL SELECT 'mode', domain, '' FROM policy_mode"
            " UNION ALL SELECT 'days', name, '' FROM retention"
            " UNION ALL SELECT 'of', name, alias_of FROM domain"
            " WHERE alias_of <> '' UNION ALL SELECT 'app', login, label"
            " FROM app_password")]

    def gone(self, *args):
        return [(g["gone"], g["name"], g["value"]) for g in json.loads(
            self.sandbox.tool("--json", *args).stdout)["gone"]]

    def test_with_an_account_goes_what_was_set_by_its_name(self):
        bob, carl = "bob@example.test", "carl@example.test"
        self.sandbox.account(bob)
        self.sandbox.account(carl)
        self.type("alias add %s %s old@mail.invalid" % (bob, bob),
                  "send-as set %s .other.test" % bob,
                  "account policy %s relay yes" % bob,
                  "account policy %s max-size 5000" % bob,
                  "access set %s @enemy.test deny" % bob,
                  "limit set %s 1h --messages 9" % bob,
                  "retention %s 3" % bob,
                  "account app-password add %s phone" % bob,
                  "send-as set %s %s" % (carl, bob))
        stays = ["alias carl@example.test bob@example.test",
                 "access carl@example.test bob@example.test",
                 "limit carl@example.test "]
        self.type("alias add %s %s" % (carl, bob),
                  "access set %s %s allow" % (carl, bob),
                  "limit set %s 1h --messages 9" % carl)
        generation = "SELECT generation FROM policy_generation"
        before = self.sandbox.sql(generation)
        self.assertEqual(sorted(self.gone("account", "delete", bob)), [
            ("access", bob, "@enemy.test deny"),
            ("alias", bob, bob), ("alias", bob, "old@mail.invalid"),
            ("app-password", bob, "phone"),
            ("limit", bob, "out 3600s, messages 9"),
            ("policy", bob, "relay yes, max-size 5000"),
            ("retention", bob, "3"),
            ("send-as", bob, "@.other.test"), ("send-as", carl, bob)])
        self.assertNotEqual(self.sandbox.sql(generation), before)
        self.assertEqual(sorted(self.left()), sorted(stays))
        self.sandbox.account(bob)
        shown = self.sandbox.tool("lookup", "rcpt", bob).stdout
        self.assertNotIn("old@mail.invalid", shown)
        self.assertEqual(self.sandbox.tool("account", "delete", bob).stdout,
                         "")
        self.type("account delete %s" % carl)
        self.assertEqual(self.left(), [])

    def test_with_a_domain_goes_what_was_set_by_its_names(self):
        self.type("domain add gone.test", "domain add other.test",
                  "domain add notgone.test", "domain alias other.test gone.test",
                  "alias add @gone.test old@mail.invalid",
                  "alias add info@gone.test x@mail.invalid",
                  "alias add info@notgone.test info@gone.test",
                  "send-as set a@notgone.test .gone.test",
                  "send-as set gone.test b@notgone.test",
                  "send-as set a@notgone.test c@notgone.test",
                  "access set gone.test * deny",
                  "access set * gone.test allow",
                  "account policy gone.test may-send no",
                  "limit set gone.test 1h --in --octets 9M",
                  "limit set @* 1h --messages 1000",
                  "policy mode from_forged off gone.test",
                  "retention gone.test 3")
        self.assertEqual(sorted(self.gone("domain", "delete", "gone.test")), [
            ("access", "@gone.test", "* deny"),
            ("alias", "@gone.test", "old@mail.invalid"),
            ("alias", "info@gone.test", "x@mail.invalid"),
            ("domain", "other.test", "gone.test"),
            ("limit", "@gone.test", "in 3600s, octets 9437184"),
            ("mode", "gone.test", "from_forged off"),
            ("policy", "@gone.test", "may-send no"),
            ("retention", "gone.test", "3"),
            ("send-as", "@gone.test", "b@notgone.test"),
            ("send-as", "a@notgone.test", "@.gone.test")])
        self.assertEqual(sorted(self.left()), [
            "access * @gone.test", "alias info@notgone.test info@gone.test",
            "limit @* ", "send-as a@notgone.test c@notgone.test"])
        self.type("access unset * gone.test", "limit unset @*",
                  "domain delete other.test", "domain delete notgone.test")
        self.assertEqual(self.left(), [])

    def test_a_domain_with_accounts_keeps_all(self):
        self.sandbox.account("dora@example.test")
        self.type("alias add @example.test dora@example.test")
        r = self.sandbox.tool("domain", "delete", "example.test", check=False)
        self.assertEqual((r.returncode, r.stdout), (73, ""))
        self.assertEqual(self.left(),
                         ["alias @example.test dora@example.test"])
        self.type("alias delete @example.test",
                  "account delete dora@example.test")


class Findings(unittest.TestCase):
    """What an administrator breaks, and what check says to type."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()
        cls.sandbox.account(ALICE)
        cls.etc = os.path.dirname(cls.sandbox.env["MAILROW_CONF"])

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.remove()

    def check(self, code):
        r = self.sandbox.tool("check", check=False)
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        lines = r.stdout.splitlines() + [""]
        for line, below in zip(lines, lines[1:]):
            if line.startswith(("FAIL", "warn")):
                self.assertRegex(below, r"^ +-> \S", line)
        return "".join(line + "\n" for line in r.stdout.splitlines()
                       if not line.startswith("ok"))

    def test_a_right_that_was_taken(self):
        self.sandbox.sql("REVOKE INSERT ON mail FROM"
                         " 'mailrow-milter'@localhost")
        try:
            found = self.check(2)
        finally:
            self.sandbox.sql("GRANT INSERT ON mail TO"
                             " 'mailrow-milter'@localhost")
        self.assertIn("mailrow-milter may not run", found)
        self.assertIn("-> mailrow schema grants | mariadb mailrow\n", found)

    def test_a_right_that_no_statement_shows(self):
        self.sandbox.sql("REVOKE EXECUTE ON PROCEDURE deliver_plain FROM"
                         " 'mailrow-milter'@localhost")
        try:
            found = self.check(2)
        finally:
            self.sandbox.sql("GRANT EXECUTE ON PROCEDURE deliver_plain TO"
                             " 'mailrow-milter'@localhost")
        self.assertIn("mailrow-milter may not call deliver_plain", found)
        self.assertIn("-> mailrow schema grants | mariadb mailrow\n", found)

    def test_networks_that_name_everybody(self):
        place = os.path.join(self.etc, "conf.d", "99-test.conf")
        with open(place, "w") as f:
            f.write("pop3_proxy_networks = 192.0.2.1 0.0.0.0/0\n"
                    "trusted_networks = ::/0\n")
        try:
            found = self.check(2)
        finally:
            os.unlink(place)
        self.assertIn("pop3_proxy_networks names everybody", found)
        self.assertIn("trusted_networks names everybody", found)

    def test_a_notify_command_that_cannot_be_run(self):
        place = os.path.join(self.etc, "conf.d", "99-test.conf")
        command = os.path.join(self.sandbox.top, "notify")
        with open(place, "w") as f:
            f.write("notify_command = %s\n" % command)
        try:
            self.assertIn("notify: No such file", self.check(2))
            with open(command, "w") as f:
                f.write("#!/bin/sh\n")
            os.chmod(command, 0o644)
            self.assertIn("cannot be run by this user", self.check(2))
            os.chmod(command, 0o777)
            self.assertIn("others can change what the daemons run",
                          self.check(2))
            os.chmod(command, 0o755)
            self.assertNotIn("notify_command", self.check(0))
        finally:
            os.unlink(place)

    def test_an_option_file_that_its_daemon_lacks(self):
        path = os.path.join(self.etc, "mailrow-pop3d.cnf")
        os.rename(path, path + ".away")
        try:
            found = self.check(2)
        finally:
            os.rename(path + ".away", path)
        self.assertIn("mailrow-pop3d.cnf: No such file", found)
        self.assertIn("chown root:mailrow-pop3 " + path, found)
        os.chmod(path, 0o600)
        try:
            found = self.check(2)
        finally:
            os.chmod(path, 0o640)
        self.assertIn("cannot be read by its daemon", found)
        self.assertIn("chmod 0640 " + path, found)

    def test_a_database_that_is_away(self):
        self.sandbox.stop("db")
        try:
            found = self.check(2)
        finally:
            self.sandbox.start()
        self.assertIn("-> systemctl start mariadb\n", found)

    def test_a_profile_that_does_not_parse(self):
        path = os.path.join(self.etc, "profiles", "native.conf")
        with open(path) as f:
            text = f.read()
        try:
            with open(path, "w") as f:
                f.write(text.replace(":login", ":logn"))
            found = self.check(2)
            with open(path, "w") as f:
                f.write(text.replace("a.password AS hash", "a.nosuch AS hash"))
            found += self.check(2)
        finally:
            with open(path, "w") as f:
                f.write(text)
        self.assertIn("profile 'native' cannot be used", found)
        self.assertIn("login_query (line", found)
        self.assertIn("-> edit " + path, found)

    def test_a_daemon_that_is_away(self):
        self.sandbox.stop("authd")
        try:
            found = self.check(2)
        finally:
            self.sandbox.start()
        self.assertIn("auth socket", found)
        self.assertIn("-> systemctl start mailrow-authd\n", found)

    def test_a_profile_query_without_a_column_or_index(self):
        path = os.path.join(self.etc, "profiles", "native.conf")
        with open(path) as f:
            text = f.read()
        rows = ",".join("('d%d.test', UTC_TIMESTAMP())" % i
                        for i in range(300))
        self.sandbox.sql("INSERT INTO domain (name, created_at) VALUES "
                         + rows)
        try:
            with open(path, "w") as f:
                f.write(text.replace("active, a.quota", "live, a.quota").replace(
                    "WHERE name = :domain",
                    "WHERE CONCAT(name, '') = :domain"))
            found = self.check(2)
        finally:
            with open(path, "w") as f:
                f.write(text)
        self.assertRegex(found, r"mailbox_query \(line \d+\) yields no"
                                r" column 'active'")
        self.assertRegex(found, r"domain_query reads all of table 'domain'")

    def test_a_query_that_one_daemon_may_not_ask(self):
        for user in ("mailrow-lmtp", "mailrow-purge"):
            right = ("SELECT (domain) ON mailrow.account %%s '%s'@'localhost'"
                     % user)
            self.sandbox.sql("REVOKE " + right % "FROM")
            try:
                found = self.check(2)
            finally:
                self.sandbox.sql("GRANT " + right % "TO")
            self.assertRegex(found, r"mailbox_query \(line \d+\) does not"
                             " prepare: .*'%s'.*\n.*GRANT SELECT on" % user)

    def test_accounts_of_a_panel_are_the_panels(self):
        with open(os.path.join(self.etc, "profiles", "native.conf")) as f:
            text = f.read()
        with open(os.path.join(self.etc, "profiles", "panel.conf"),
                  "w") as f:
            f.write(text.replace("accounts = ours", ""))
        extra = os.path.join(self.etc, "conf.d", "panel.conf")
        with open(extra, "w") as f:
            f.write("profile = panel\n")
        try:
            for args in (("account", "add", "x@example.test"),
                         ("account", "list"), ("domain", "add", "x.test")):
                r = self.sandbox.tool(*args, check=False, input_="pw\n")
                self.assertEqual(r.returncode, 77, r.stderr)
                self.assertIn("belong to the panel", r.stderr)
            self.sandbox.tool("mailbox", "list")
        finally:
            os.remove(extra)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What mailrow check says about a site's Postfix: each finding appears when
its cause is there, and is gone after exactly the command that was printed."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from mrtest import TOP, Sandbox, main

ALICE = "alice@example.test"
OUTSIDE = ("-e", "inet_interfaces = all")


class Site:
    """Copies of a sandbox's two configurations, to be spoilt and mended. Its
    daemons and its database are the sandbox's."""

    def __init__(self, sandbox, discard="no"):
        self.sandbox = sandbox
        self.top = tempfile.mkdtemp(prefix="mrt.", dir="/tmp")
        etc = os.path.dirname(sandbox.env["MAILROW_CONF"])
        self.etc = os.path.join(self.top, "mailrow")
        self.postfix = os.path.join(self.top, "postfix")
        shutil.copytree(etc, self.etc)
        shutil.copytree(os.path.join(sandbox.env["MAILROW_DIR"], "etc",
                                     "postfix"), self.postfix)
        self.conf = os.path.join(self.etc, "mailrow.conf")
        self.option("discard_when_done", discard)
        self.milter = "unix:" + self.value("milter_socket").split(":", 1)[1]
        self.lmtp = self.value("lmtp_listen").split()[0]
        self.port = sandbox.env["MAILROW_SMTP"]

    def remove(self):
        shutil.rmtree(self.top)

    def option(self, key, value):
        """In mailrow.conf itself, so that nothing overrides it."""
        with open(self.conf) as f:
            lines = [l for l in f if not l.startswith(key + " ")]
        with open(self.conf, "w") as f:
            f.write("".join(lines) + "%s = %s\n" % (key, value))

    def panel(self):
        """The accounts are a panel's, not ours."""
        profiles = os.path.join(self.etc, "profiles")
        with open(os.path.join(profiles, "native.conf")) as f:
            text = f.read()
        with open(os.path.join(profiles, "panel.conf"), "w") as f:
            f.write(text.replace("accounts = ours", ""))
        self.option("profile_dir", profiles)
        self.option("profile", "panel")

    def value(self, key):
        shown = self.tool("--show-config").stdout
        return re.search(r"(?m)^%s = ?(.*)$" % key, shown).group(1)

    def tool(self, *args, check=True):
        return self.sandbox.tool("-c", self.conf, *args, check=check)

    def postconf(self, *args):
        subprocess.run(["postconf", "-c", self.postfix, *args], check=True,
                       capture_output=True)
        self.age()

    def postfix_value(self, name):
        r = subprocess.run(["postconf", "-c", self.postfix, "-xh", name],
                           text=True, check=True, capture_output=True)
        return r.stdout.strip()

    def age(self):
        """Postfix waits a second or two for files that were just written."""
        for name in ("main.cf", "master.cf"):
            path = os.path.join(self.postfix, name)
            os.utime(path, (os.stat(path).st_mtime - 60,) * 2)

    def set(self, *edits):
        """-e and -M and -P as postconf has them; a text alone is for -e."""
        edits = list(edits)
        while edits:
            option = edits.pop(0)
            if option in ("-e", "-M", "-P", "-F"):
                self.postconf(option, edits.pop(0))
            else:
                self.postconf("-e", option)

    def check(self, *args):
        """All findings, and the exit code."""
        r = self.tool("--json", "check", "--mta-config", self.postfix, *args,
                      check=False)
        if r.returncode not in (0, 1, 2):
            raise AssertionError(r.stdout + r.stderr)
        found = json.loads(r.stdout)["findings"]
        worst = max(("ok", "warn", "FAIL").index(f["level"]) for f in found)
        if worst != r.returncode:
            raise AssertionError("exit %d, worst %d" % (r.returncode, worst))
        return found

    def find(self, text, *args):
        return [f for f in self.check(*args) if text in f["finding"]]

    def type(self, command):
        """What an administrator types; there is no systemd here to ask."""
        command = re.sub(r"; systemctl \w+( mailrow-\w+)+$", "", command)
        command = command.replace("mariadb -e", "mariadb --no-defaults "
                                  "--socket '%s' -e" % self.sandbox.env[
                                      "MAILROW_DB_SOCKET"])
        r = subprocess.run(["sh", "-euc", command], text=True, check=False,
                           capture_output=True)
        if r.returncode:
            raise AssertionError("%s\n%s" % (command, r.stderr))
        self.age()


class Checked(unittest.TestCase):
    DISCARD = "no"

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox()
        cls.sandbox.account(ALICE)

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.remove()

    def setUp(self):
        self.site = Site(self.sandbox, self.DISCARD)
        self.addCleanup(self.site.remove)

    def finding(self, text, level):
        found = self.site.find(text)
        self.assertEqual([f["level"] for f in found], [level],
                         "%s: %s" % (text, found or self.site.check()))
        self.assertEqual(len(found[0]["finding"].splitlines()), 1)
        return found[0]

    def mends(self, text, level, *edits):
        """The finding is there, and goes by its own command."""
        self.assertEqual(self.site.find(text), [])
        self.site.set(*edits)
        fix = self.finding(text, level)["fix"]
        self.site.type(fix)
        self.assertEqual(self.site.find(text), [], fix)
        return fix


class Milters(Checked):
    def test_not_named(self):
        self.mends("smtpd_milters does not name unix:", "FAIL",
                   "smtpd_milters = inet:127.0.0.1:9")
        self.mends("smtpd_milters does not name unix:", "FAIL",
                   "smtpd_milters =")

    def test_not_named_by_one_service(self):
        self.mends("smtpd_milters of smtp does not name", "FAIL", *OUTSIDE,
                   "-M", "smtp/inet=smtp inet n - n - - smtpd",
                   "-P", "smtp/inet/smtpd_milters=inet:127.0.0.1:9")
        self.mends("smtpd_milters of smtp does not name", "FAIL",
                   "-P", "smtp/inet/smtpd_milters=")

    def test_switched_off_by_an_override(self):
        self.site.set("receive_override_options = no_milters")
        self.finding("smtpd_milters does not name", "FAIL")

    def test_a_back_door_of_our_own_host_needs_none(self):
        self.site.set("-M", "127.0.0.1:10026/inet="
                      "127.0.0.1:10026 inet n - n - - smtpd",
                      "-P", "127.0.0.1:10026/inet/smtpd_milters=")
        self.assertEqual(self.site.find("does not name"), [])

    def test_another_socket_of_that_name(self):
        self.mends("which is none of our sockets", "FAIL",
                   "smtpd_milters = unix:mailrow/milter.sock, "
                   "inet:127.0.0.1:9")
        self.assertEqual(self.site.find("not the last"), [])

    def test_another_milter_of_the_same_file_name_stays(self):
        other = "unix:rspamd/" + os.path.basename(self.site.milter)
        self.mends("smtpd_milters does not name", "FAIL",
                   "smtpd_milters = " + other)
        listed = subprocess.run(
            ["postconf", "-c", self.site.postfix, "-h", "smtpd_milters"],
            text=True, check=True, capture_output=True).stdout.strip()
        self.assertEqual(listed, "%s, %s" % (other, self.site.milter))

    def test_not_the_last(self):
        self.mends("our milter is not the last of smtpd_milters", "FAIL",
                   "smtpd_milters = { %s, default_action=tempfail }, "
                   "{ inet:127.0.0.1:9, protocol=6 }" % self.site.milter)
        listed = subprocess.run(
            ["postconf", "-c", self.site.postfix, "-h", "smtpd_milters"],
            text=True, check=True, capture_output=True).stdout.strip()
        self.assertEqual(listed, "{ inet:127.0.0.1:9, protocol=6 }, "
                         "{ %s, default_action=tempfail }" % self.site.milter)

    def test_named_twice(self):
        self.mends("names more than one socket of ours", "FAIL",
                   "smtpd_milters = %s, %s" % (self.site.milter,
                                               self.site.milter))

    def test_default_action(self):
        for entry, edit, text, level in (
                ("%s", "milter_default_action = reject",
                 "milter_default_action is reject", "FAIL"),
                ("%s", "milter_default_action = quarantine",
                 "milter_default_action is quarantine", "warn"),
                ("{ %s, default_action=reject }",
                 "milter_default_action = tempfail",
                 "default_action in smtpd_milters is reject", "FAIL")):
            self.site.set("smtpd_milters = " + self.site.milter)
            self.mends(text, level, edit, "smtpd_milters = "
                       + entry % self.site.milter)

    def test_accept_is_safe_only_where_lmtp_stores(self):
        self.site.set("virtual_transport = virtual")
        self.mends("default_action in smtpd_milters is accept", "FAIL",
                   "smtpd_milters = { %s, default_action=accept }"
                   % self.site.milter)
        self.site.set("virtual_transport = lmtp:" + self.site.lmtp)
        self.mends("default_action in smtpd_milters is accept", "warn",
                   "smtpd_milters = { %s, default_action=accept }"
                   % self.site.milter)

    def test_others_keep_what_is_theirs(self):
        """A filter that may be away beside a store that may not."""
        other = "{ inet:127.0.0.1:9, connect_timeout=3s }"
        self.mends("milter_default_action is accept", "FAIL",
                   "virtual_transport = virtual",
                   "milter_default_action = accept",
                   "smtpd_milters = %s, %s" % (other, self.site.milter))
        self.assertEqual(self.site.postfix_value("milter_default_action"),
                         "accept")
        self.assertEqual(self.site.postfix_value("smtpd_milters"),
                         "%s, { %s, default_action=tempfail }"
                         % (other, self.site.milter))

    def test_protocol(self):
        self.mends("milter_protocol is 2", "FAIL", "milter_protocol = 2")

    def test_timeouts(self):
        ours = "smtpd_milters = { %s, %%s }" % self.site.milter
        self.mends("command_timeout in smtpd_milters is 5s", "FAIL",
                   ours % "command_timeout=5s")
        self.mends("content_timeout in smtpd_milters is 30", "FAIL",
                   ours % "content_timeout=30")
        self.mends("milter_content_timeout is 20s", "FAIL",
                   "milter_content_timeout = 20s",
                   "smtpd_milters = " + self.site.milter)

    def test_clients_that_pass_by(self):
        self.mends("smtpd_milter_maps is cidr:/x", "warn",
                   "smtpd_milter_maps = cidr:/x")

    def test_non_smtpd_milters(self):
        self.mends("non_smtpd_milters names our milter", "warn",
                   "non_smtpd_milters = inet:127.0.0.1:9, "
                   + self.site.milter)

    def test_a_chroot_that_hides_the_socket(self):
        self.mends("milter_socket (%s) is outside of the chroot of"
                   % self.site.milter[len("unix:"):], "FAIL",
                   "-F", self.site.port + "/inet/chroot=y")
        self.site.set("-F", self.site.port + "/inet/chroot=y")
        self.finding("auth_socket (%s) is outside of the chroot of"
                     % self.site.value("auth_socket"), "FAIL")

    def test_a_socket_in_the_chroot_is_reached_there(self):
        """By the name in main.cf, as the MTA's user, in the chroot."""
        queue = os.path.join(self.site.top, "queue")
        inside = os.path.join(queue, "mailrow")
        os.chmod(self.site.top, 0o755)
        os.makedirs(inside)
        shutil.chown(inside, group="postfix")
        os.chmod(inside, 0o2750)
        real = self.site.milter[len("unix:"):]
        os.link(real, os.path.join(inside, "milter.sock"))
        self.site.option("milter_socket", "local:%s/milter.sock" % inside)
        self.site.set("queue_directory = " + queue,
                      "smtpd_milters = unix:mailrow/milter.sock",
                      "-F", self.site.port + "/inet/chroot=y")
        self.finding("mailrow/milter.sock is reached as Postfix does, in its"
                     " chroot", "ok")
        self.finding("mailrow/milter.sock is reached as Postfix does, in the"
                     " queue directory", "ok")
        self.mends("none of our sockets in smtpd's chroot", "FAIL",
                   "smtpd_milters = unix:%s/milter.sock" % inside)
        os.chmod(inside, 0o700)
        found = self.site.find("Postfix cannot reach mailrow/milter.sock")
        self.assertEqual([f["level"] for f in found], ["FAIL", "FAIL"])


class Filters(Checked):
    def reinjection(self):
        back = "127.0.0.1:10025/inet"
        self.site.set("content_filter = smtp:[127.0.0.1]:10024",
                      "-M", back + "=127.0.0.1:10025 inet n - n - - smtpd",
                      "-P", back + "/content_filter=",
                      "-P", back + "/smtpd_milters=")
        return back

    def test_a_filter_behind_a_full_milter(self):
        text = "content_filter is smtp:[127.0.0.1]:10024, and our milter" \
            " stores before it"
        self.assertEqual(self.site.find(text), [])
        self.reinjection()
        first = self.finding(text, "FAIL")["fix"]
        self.assertIn("milter_policy_socket = local:", first)
        self.site.type(first)
        self.site.option("milter_store_socket",
                         "local:%s/store.sock" % self.site.top)
        for _ in range(3):          # one command a service
            for f in self.site.find(text):
                self.site.type(f["fix"])
        self.assertEqual(self.site.find(text), [])
        self.finding("with the policy socket before it", "ok")
        store = self.finding("milter_store_socket is set and no smtpd names",
                             "warn")["fix"]
        self.assertIn("127.0.0.1:10025/inet/smtpd_milters=unix:", store)
        self.site.type(store)
        self.assertEqual(self.site.find("milter_store_socket is set"), [])

    def test_a_proxy_filter(self):
        self.site.set("-P", self.site.port
                      + "/inet/smtpd_proxy_filter=127.0.0.1:10024")
        self.finding("smtpd_proxy_filter of %s is 127.0.0.1:10024, and our"
                     " milter stores before it" % self.site.port, "FAIL")

    def test_a_policy_socket_and_nothing_that_stores(self):
        self.site.option("milter_policy_socket",
                         "local:%s/policy.sock" % self.site.top)
        self.mends("only the policy socket is named: nothing stores", "FAIL",
                   "virtual_transport = virtual",
                   "smtpd_milters = unix:%s/policy.sock" % self.site.top)

    def test_an_unused_policy_socket(self):
        text = "milter_policy_socket is set and no smtpd names"
        self.site.option("milter_policy_socket",
                         "local:%s/policy.sock" % self.site.top)
        self.site.type(self.finding(text, "warn")["fix"])
        self.assertEqual(self.site.find(text), [])

    def test_the_way_out_is_no_place_to_store(self):
        self.site.option("lmtp_forward", "smtp://127.0.0.1:10026")
        self.site.option("milter_store_socket",
                         "local:%s/store.sock" % self.site.top)
        self.reinjection()
        self.site.set("-M", "127.0.0.1:10026/inet="
                      "127.0.0.1:10026 inet n - n - - smtpd",
                      "-P", "127.0.0.1:10026/inet/smtpd_milters=")
        fix = self.finding("milter_store_socket is set and no smtpd names",
                           "warn")["fix"]
        self.assertIn("127.0.0.1:10025/inet/smtpd_milters=unix:", fix)

    def test_filtered_mail_that_nothing_stores(self):
        self.site.set("virtual_transport = virtual")
        self.reinjection()
        self.finding("smtpd_milters of 127.0.0.1:10025 does not name", "FAIL")

    def test_a_filter_action(self):
        checks = os.path.join(self.site.top, "checks")
        with open(checks, "w") as f:
            f.write("/^Subject: .*spam/  FILTER smtp:[127.0.0.1]:10024\n")
        self.site.set("header_checks = regexp:" + checks)
        self.finding("line 1, says FILTER, and our milter stores before the"
                     " filter", "FAIL")


class Settings(Checked):
    def test_plain_settings(self):
        self.site.set(*OUTSIDE, "disable_vrfy_command = yes", "-M",
                      "smtp/inet=smtp inet n - n - - smtpd")
        for name, value, level in (
                ("smtpd_forbid_bare_newline", "no", "FAIL"),
                ("smtpd_forbid_bare_newline", "note", "FAIL"),
                ("disable_vrfy_command", "no", "warn"),
                ("smtpd_delay_reject", "no", "warn"),
                ("enable_original_recipient", "no", "FAIL"),
                ("smtpd_reject_unlisted_recipient", "no", "warn")):
            self.mends("%s is %s: " % (name, value), level,
                       "%s = %s" % (name, value))
        self.mends("disable_vrfy_command of smtp is no: ", "warn",
                   "-P", "smtp/inet/disable_vrfy_command=no")

    def test_in_flow_delay(self):
        self.site.set("in_flow_delay = 1s")
        self.assertEqual(self.site.find("in_flow_delay"), [])
        self.site.set("in_flow_delay = 0")
        self.site.option("discard_when_done", "yes")
        self.mends("in_flow_delay is 1s", "warn", "in_flow_delay = 1s")

    def test_who_answers_first_and_who_expands(self):
        self.site.set("virtual_mailbox_maps =")
        self.finding("the milter alone answers", "ok")
        self.site.set("virtual_mailbox_maps = hash:/x")
        self.finding("virtual_mailbox_maps (hash:/x) answers", "ok")
        self.site.panel()
        self.mends("virtual_alias_maps is mysql:/y", "warn",
                   "virtual_alias_maps = mysql:/y")

    def test_an_emptied_alias_map_rejects_no_alias(self):
        """Mailbox maps do not know aliases: they must go with them."""
        self.site.panel()
        self.site.set("virtual_mailbox_maps = proxy:mysql:/x")
        self.mends("virtual_alias_maps is proxy:mysql:/y", "warn",
                   "virtual_alias_maps = proxy:mysql:/y")
        self.finding("virtual_mailbox_maps (static:all) answers", "ok")

    def aliases_stay(self, maps):
        self.site.set("virtual_alias_maps = " + maps)
        self.assertRegex(self.finding("virtual_alias_maps is " + maps,
                                      "warn")["fix"],
                         "^edit virtual_alias_maps in /")

    def test_aliases_that_may_be_of_others_are_not_emptied(self):
        self.aliases_stay("mysql:/y")   # not ours: nobody fills it for us
        self.site.panel()
        self.aliases_stay("proxy:pgsql:/y")
        self.aliases_stay("mysql:/y, hash:/z")
        self.site.option("default_mode", "pass")
        self.assertFalse(self.finding("virtual_alias_maps is mysql:/y, h",
                                      "ok")["fix"])

    def test_mta_domains(self):
        text = "lacks what Postfix serves and our tables do not"
        self.mends(text, "warn",
                   "mydestination = localhost, Strange.test, other.test",
                   "relay_domains = hash:/x, relayed.test, example.test",
                   "virtual_alias_domains = /file, !no.test, lists.test")
        self.assertEqual(self.site.value("mta_domains").split()[-4:],
                         ["strange.test", "other.test", "relayed.test",
                          "lists.test"])
        self.finding("holds what Postfix names, besides its tables", "ok")

    def test_a_domain_that_is_handed_to_us(self):
        self.addCleanup(self.sandbox.tool, "domain", "delete", "handed.test")
        self.site.set("virtual_mailbox_domains = example.test, handed.test")
        fix = self.finding("names handed.test, which our tables lack",
                           "warn")["fix"]
        self.assertEqual(fix, "mailrow domain add handed.test")
        self.site.tool(*fix.split()[1:])
        self.assertEqual(self.site.find("handed.test"), [])

    def test_mta_domains_empty(self):
        self.site.option("mta_domains", "")
        self.site.type(self.finding("empty: the relay check only", "warn")
                       ["fix"])
        self.assertEqual(self.site.value("mta_domains"), "mx.example.test")

    def test_mta_domains_beside_tables_is_for_a_person(self):
        """To set it turns the relay check on, also for what they name."""
        for edit in ("relay_domains = mysql:/x", "mydestination = /x",
                     "virtual_alias_domains = $virtual_alias_maps"):
            self.site.option("mta_domains", "")
            self.site.set("relay_domains =", "virtual_alias_maps = hash:/x",
                          "virtual_alias_domains =",
                          "mydestination = other.test", edit)
            fix = self.finding("empty: the relay check only", "warn")["fix"]
            self.assertRegex(fix, "^edit mta_domains in ", edit)

    def test_sasl(self):
        self.mends("smtpd_sasl_type is cyrus", "FAIL",
                   "smtpd_sasl_type = cyrus")
        self.mends("smtpd_sasl_path is private/auth, not /", "FAIL",
                   "smtpd_sasl_path = private/auth")
        self.site.set("smtpd_sasl_path = private/auth")
        self.site.option("default_mode", "mirror")
        self.finding("smtpd_sasl_path is private/auth, not /", "ok")
        self.site.set("-F", self.site.port + "/inet/chroot=y")
        self.assertEqual(self.site.find("auth_socket ("), [])
        self.site.set("-F", self.site.port + "/inet/chroot=n")
        self.site.option("default_mode", "store")
        self.site.set("smtpd_sasl_path = "
                      + self.site.value("auth_socket"))
        self.finding("/auth is reached as Postfix does", "ok")
        self.mends("smtpd_sasl_security_options holds noplaintext", "FAIL",
                   "smtpd_sasl_tls_security_options = noanonymous",
                   "smtpd_sasl_security_options = noanonymous, noplaintext")
        self.mends("smtpd_tls_auth_only of smtp is no", "warn", *OUTSIDE,
                   "-M", "smtp/inet=smtp inet n - n - - smtpd",
                   "-P", "smtp/inet/smtpd_tls_auth_only=no")
        self.site.set("smtpd_sasl_auth_enable = no")
        self.finding("no smtpd offers AUTH", "ok")


class Lmtp(Checked):
    def setUp(self):
        super().setUp()
        self.site.set("virtual_transport = lmtp:" + self.site.lmtp,
                      "lmtp_line_length_limit = 0")

    def test_virtual_transport(self):
        text = "virtual_transport is virtual: "
        self.mends(text, "FAIL", "virtual_transport = virtual")
        self.finding("mail that does not come by SMTP finds us", "ok")

    def test_beside_another_store_only_a_map_leads_to_us(self):
        text = "virtual_transport is virtual: "
        cf = os.path.join(self.site.postfix, "mailrow-transport.cf")
        self.site.option("default_mode", "pass")
        self.site.set("virtual_transport = virtual")
        self.assertRegex(self.finding(text, "warn")["fix"],
                         "^edit transport_maps in /")
        self.site.set("virtual_transport = lmtp:" + self.site.lmtp)
        with open(cf, "w") as f:
            f.write("query = SELECT 'lmtp:%s'\n" % self.site.lmtp)
        self.mends(text, "warn", "virtual_transport = virtual",
                   "transport_maps = hash:/own")
        self.assertEqual(self.site.postfix_value("virtual_transport"),
                         "virtual")
        self.assertEqual(self.site.postfix_value("transport_maps"),
                         "proxy:mysql:%s, hash:/own" % cf)

    def test_no_lmtp_at_all(self):
        self.site.option("lmtp_listen", "")
        fix = self.finding("lmtp_listen is empty: only SMTP", "FAIL")["fix"]
        self.assertRegex(fix, "; systemctl restart mailrow-lmtpd$")
        self.site.type(fix)
        self.assertEqual(self.site.value("lmtp_listen"),
                         "unix:/var/spool/postfix/mailrow/lmtp")

    def test_a_map_that_leads_to_us(self):
        transport = os.path.join(self.site.top, "transport")
        self.site.set("virtual_transport = virtual",
                      "transport_maps = texthash:" + transport)
        self.finding("virtual_transport is virtual: ", "FAIL")
        with open(transport, "w") as f:
            f.write("# of ours\nexample.test lmtp:%s\n" % self.site.lmtp)
        self.finding("mail that does not come by SMTP finds us", "ok")
        with open(transport, "w") as f:
            f.write("query = SELECT 'lmtp:%s'\n" % self.site.lmtp)
        self.site.set("transport_maps = proxy:mysql:" + transport)
        self.finding("mail that does not come by SMTP finds us", "ok")

    def test_notices_of_delivery(self):
        self.site.set("virtual_transport = virtual",
                      "smtpd_discard_ehlo_keywords = dsn")
        self.mends("smtpd_discard_ehlo_keywords lacks dsn", "warn",
                   "smtpd_discard_ehlo_keywords = etrn")
        self.site.set("smtpd_discard_ehlo_keywords =",
                      "virtual_transport = lmtp:" + self.site.lmtp)
        self.assertEqual(self.site.find("NOTIFY=SUCCESS"), [])

    def test_limits(self):
        self.mends("lmtp_line_length_limit is 998", "warn",
                   "lmtp_line_length_limit = 998")
        self.mends("lmtp_destination_concurrency_limit is 1000", "warn",
                   "lmtp_destination_concurrency_limit = 1000")
        self.mends("message_size_limit is 0 (none)", "warn",
                   "message_size_limit = 0")
        self.site.option("lmtp_message_max", "64K")
        self.finding("message_size_limit is ", "warn")

    def test_a_bounce_comes_before_the_wait_is_over(self):
        fix = self.mends("list_full_wait is not shorter than"
                         " maximal_queue_lifetime (4)", "warn",
                         "maximal_queue_lifetime = 4")
        self.assertRegex(
            fix, "; systemctl reload mailrow-milter mailrow-lmtpd$")
        self.site.option("list_full_wait", "4d")
        self.site.set("maximal_queue_lifetime = 97h")
        self.assertEqual(self.site.find("list_full_wait"), [])

    def test_the_last_try_is_known_again(self):
        fix = self.mends("receipt_window is over before the MTA's last try",
                         "warn", "maximal_queue_lifetime = 7")
        self.assertRegex(fix, "8d.*; systemctl reload mailrow-milter "
                         "mailrow-lmtpd$")
        self.site.option("receipt_window", "5d")
        self.site.set("maximal_queue_lifetime = 5d")
        self.finding("receipt_window is over", "warn")
        self.site.option("receipt_window", "7d")
        # the longest that Postfix takes
        self.mends("receipt_window is over", "warn",
                   "maximal_queue_lifetime = 100d")


class Discard(Checked):
    """What DISCARD would drop."""

    def table(self, text):
        path = os.path.join(self.site.top, "table")
        with open(path, "w") as f:
            f.write(text)
        return path

    def test_off_it_says_why(self):
        self.site.set("always_bcc = archive@example.test")
        self.finding("always_bcc (archive@example.test) adds a recipient:"
                     " discard_when_done stays off", "ok")
        self.assertEqual(self.site.find("--fix turns"), [])
        self.site.set("always_bcc =", "header_checks = mysql:/x")
        self.finding("header_checks: mysql:/x cannot be read (mysql is not a"
                     " file): discard_when_done stays off", "ok")

    def against(self, text, level="FAIL"):
        """On it fails, and the command turns it off."""
        self.site.option("discard_when_done", "yes")
        found = self.finding(text, level)
        self.assertIn("discard_when_done must be off", found["finding"])
        self.site.type(found["fix"])
        self.assertEqual(self.site.value("discard_when_done"), "no")
        self.finding(text, "ok")

    def test_copies(self):
        for name in ("always_bcc", "sender_bcc_maps", "recipient_bcc_maps"):
            self.site.set("%s = hash:/x" % name)
            self.against("%s (hash:/x) adds a recipient" % name)
            self.site.set("%s =" % name)
        self.site.set("-P", "cleanup/unix/always_bcc=x@example.test")
        self.against("always_bcc of cleanup (x@example.test) adds")

    def test_actions_of_every_kind_of_table(self):
        for kind, text, line, verb in (
                ("texthash", "a@b OK\n\n# c HOLD\nx@y\n  hold for a look\n",
                 4, "HOLD"),
                ("hash", "x.test\tFILTER smtp:[127.0.0.1]:9\n", 1, "FILTER"),
                ("regexp", "if /x/\n/a\\/ HOLD b/ OK\nendif\n"
                 "!/a b/ redirect r@b.test\n", 4, "REDIRECT"),
                ("pcre", "%a b%xi BCC c@d.test\n", 1, "BCC"),
                ("cidr", "192.0.2.0/24 HOLD\n", 1, "HOLD")):
            path = self.table(text)
            self.site.set("smtpd_recipient_restrictions = permit_mynetworks,"
                          " check_recipient_access { %s:%s }" % (kind, path))
            self.against("smtpd_recipient_restrictions: %s:%s, line %d,"
                         " says %s: discard_when_done"
                         % (kind, path, line, verb))

    def test_a_table_without_such_actions_is_clean(self):
        path = self.table("a@b REJECT no HOLD here\nc@d OK\n/x HOLD/ DUNNO\n")
        self.site.set("smtpd_sender_restrictions = check_sender_access"
                      " texthash:" + path, "body_checks = regexp:" + path)
        self.finding("clean: mailrow check --fix turns", "ok")

    def test_where_tables_are_named(self):
        for edits in (
                ("header_checks = static:HOLD",),
                ("nested_header_checks = inline:{ { x = BCC a@b } }",),
                ("milter_header_checks = static:{ HOLD it }",),
                ("-P", "cleanup/unix/body_checks=static:HOLD"),
                ("-P", self.site.port + "/inet/smtpd_client_restrictions="
                 "check_client_access,static:HOLD"),
                ("smtpd_end_of_data_restrictions = static:HOLD",),
                ("smtpd_restriction_classes = strict",
                 "strict = check_helo_access static:HOLD")):
            site = Site(self.sandbox, "yes")
            self.addCleanup(site.remove)
            site.set(*edits)
            self.assertEqual([f["level"] for f in site.find(" says ")
                              if f["subject"] == "discard"], ["FAIL"],
                             edits[-1])

    def test_what_cannot_be_read(self):
        for edit, text in (
                ("header_checks = pcre:/no/such/file",
                 "pcre:/no/such/file cannot be read (No such file"),
                ("smtpd_sender_restrictions = check_sender_access"
                 " proxy:mysql:/x", "proxy:mysql:/x cannot be read"),
                ("smtpd_sender_restrictions = check_policy_service"
                 " { unix:private/p, timeout=1s }",
                 "the policy service { unix:private/p, timeout=1s } cannot")):
            self.site.set(edit)
            self.against(text, "warn")

    def test_place_and_filters(self):
        self.site.set("smtpd_milters = %s, inet:127.0.0.1:9"
                      % self.site.milter)
        self.against("a milter stands behind ours")
        self.site.set("smtpd_milters = inet:127.0.0.1:9")
        self.against("no milter of ours stores")
        self.site.set("smtpd_milters = " + self.site.milter,
                      "content_filter = smtp:[127.0.0.1]:10024")
        self.against("mail is to be filtered")

    def test_fix_turns_it_on_once(self):
        mine = os.path.join(self.site.etc, "conf.d", "90-check.conf")
        with open(mine, "w") as f:
            f.write("# mine\nlookup_timeout = 4s\n")
        fix = self.finding("clean: mailrow check --fix turns", "ok")["fix"]
        self.assertEqual(fix, "mailrow -c %s check --fix --mta-config %s"
                         % (self.site.conf, self.site.postfix))
        self.assertEqual(self.site.value("discard_when_done"), "no")
        found = self.site.find("is written to " + mine, "--fix")
        self.assertEqual(found[0]["fix"], "systemctl reload mailrow-milter")
        self.assertEqual(self.site.value("discard_when_done"), "yes")
        self.assertEqual(self.site.value("lookup_timeout"), "4s")
        with open(mine) as f:
            once = f.read()
        self.assertEqual(once, "# mine\nlookup_timeout = 4s\n"
                         "discard_when_done = yes\n")
        self.assertEqual(os.stat(mine).st_mode & 0o777, 0o644)
        before = os.stat(mine)
        self.assertEqual(self.site.find("is written to", "--fix"), [])
        self.finding("discard_when_done is on, and Postfix has nothing", "ok")
        self.assertEqual(os.stat(mine).st_ino, before.st_ino)
        self.assertFalse([n for n in os.listdir(os.path.dirname(mine))
                          if n.startswith(".")])

    def test_fix_replaces_what_it_finds_in_its_file(self):
        mine = os.path.join(self.site.etc, "conf.d", "90-check.conf")
        with open(mine, "w") as f:
            f.write("discard_when_done = no\nlookup_timeout = 4s")
        self.assertTrue(self.site.find("is written to", "--fix"))
        with open(mine) as f:
            self.assertEqual(f.read(), "lookup_timeout = 4s\n"
                             "discard_when_done = yes\n")

    def test_fix_leaves_it_off_when_something_stands_against_it(self):
        for edit in ("always_bcc = a@example.test", "header_checks = mysql:/x"):
            self.site.set("always_bcc =", "header_checks =", edit)
            self.site.check("--fix")
            self.assertEqual(self.site.value("discard_when_done"), "no")

    def test_fix_never_argues_with_a_later_file(self):
        late = os.path.join(self.site.etc, "conf.d", "95-late.conf")
        with open(late, "w") as f:
            f.write("discard_when_done = no\n")
        found = self.site.find("which is read after 90-check.conf", "--fix")
        self.assertEqual([f["level"] for f in found], ["warn"])
        self.assertFalse(os.path.exists(os.path.join(
            os.path.dirname(late), "90-check.conf")))
        self.site.type(found[0]["fix"])
        self.assertEqual(self.site.value("discard_when_done"), "yes")

    def test_main_cf_is_never_changed(self):
        def files():
            found = {}
            for name in ("main.cf", "master.cf"):
                with open(os.path.join(self.site.postfix, name)) as f:
                    found[name] = f.read()
            return found
        self.site.set("smtpd_milters =", "disable_vrfy_command = no")
        before = files()
        self.site.check("--fix")
        self.assertEqual(files(), before)


class Pop3Tls(Checked):
    """Certificates and passwords of POP3."""

    def certificate(self, days):
        """A key and its certificate in one file."""
        path = os.path.join(self.site.top, "own.pem")
        key = subprocess.run(
            ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
             "ec_paramgen_curve:prime256v1"], check=True,
            capture_output=True).stdout
        with open(path, "wb", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(key)
        request = subprocess.run(
            ["openssl", "req", "-new", "-key", path, "-subj", "/CN=x"],
            check=True, capture_output=True).stdout
        signed = subprocess.run(
            ["openssl", "x509", "-req", "-signkey", path, "-days",
             str(days)], input=request, check=True,
            capture_output=True).stdout
        with open(path, "wb") as f:
            f.write(signed + key)
        self.site.option("tls_cert", path)
        self.site.option("tls_key", "")
        return path

    def test_a_certificate_and_its_end(self):
        self.finding("/etc/tls/cert.pem is good until ", "ok")
        path = self.certificate(10)
        self.finding(path + ": expires on ", "warn")
        self.certificate(-1)
        self.finding(path + ": expired on ", "FAIL")
        self.certificate(20)
        self.finding(path + " is good until ", "ok")
        self.site.option("tls_key", self.sandbox.env["MAILROW_CERT"].replace(
            "cert.pem", "key.pem"))
        self.finding(path + ": is for another key than", "FAIL")
        os.unlink(path)
        self.finding(path + ": No such file or directory", "FAIL")

    def test_digests_that_lock_accounts_out(self):
        self.assertEqual(self.site.find("stored as {PLAIN}"), [])
        self.site.option("apop", "yes")
        self.finding("apop = yes: clients that know APOP", "warn")
        self.site.option("apop", "no")
        self.site.option("cram_md5", "yes")
        self.finding("cram_md5 = yes: clients that know CRAM-MD5", "warn")

    def test_ports_are_numbers(self):
        self.site.option("relay_ports", "587 submission")
        self.finding("relay_ports has submission, which is no port", "FAIL")
        self.site.option("relay_ports", "587, 465")
        self.assertEqual(self.site.find("relay_ports"), [])

    def test_passwords_in_clear(self):
        self.assertEqual(self.site.find("in clear"), [])
        self.site.option("pop3_listen", "127.0.0.1:110 0.0.0.0:110")
        self.finding("passwords may cross the network in clear:"
                     " require_tls = no", "warn")
        self.site.option("require_tls", "auto")
        self.assertEqual(self.site.find("in clear"), [])
        self.site.option("tls_cert", "")
        self.finding("passwords cross the network in clear: there is no"
                     " tls_cert", "warn")
        self.site.option("require_tls", "yes")
        self.finding("only trusted_networks can log in", "FAIL")


class Whole(Checked):
    def test_a_sandbox_is_green(self):
        r = self.sandbox.tool("check", check=False)
        self.assertEqual(r.returncode, 0, r.stdout)
        self.assertIn("Postfix ", r.stdout)
        bad = [f for f in self.site.check() if f["level"] != "ok"]
        self.assertEqual(bad, [])

    def stock(self):
        """As Debian has it: hardly anything set, and smtpd chrooted."""
        with open(os.path.join(self.site.postfix, "main.cf")) as f:
            kept = [l for l in f if re.match(
                r"(queue|data|command|daemon|meta)_directory|mail_owner"
                r"|setgid_group|myhostname|maillog", l)]
        with open(os.path.join(self.site.postfix, "main.cf"), "w") as f:
            f.write("".join(kept) + "compatibility_level = 3.6\n"
                    "mydestination = $myhostname, localhost\n")
        with open(os.path.join(self.site.postfix, "master.cf"), "a") as f:
            f.write("smtp inet n - y - - smtpd\n"
                    "submission inet n - y - - smtpd\n"
                    "  -o smtpd_sasl_auth_enable=yes\n")

    def inside(self):
        """Our sockets in a queue directory, as on a site."""
        queue = os.path.join(self.site.top, "queue")
        inside = os.path.join(queue, "mailrow")
        os.chmod(self.site.top, 0o755)
        os.makedirs(inside)
        shutil.chown(inside, group="postfix")
        os.chmod(inside, 0o2750)
        for name, key in (("milter.sock", "milter_socket"),
                          ("auth", "auth_socket"), ("lmtp", "lmtp_listen")):
            former = self.site.value(key)
            kind, path = former.rpartition(":")[::2]
            os.link(path, os.path.join(inside, name))
            self.site.option(key, kind + (":" if kind else "")
                             + os.path.join(inside, name))
        self.site.set("queue_directory = " + queue)

    def drop_in(self, script):
        """What packaging/postfix has for the administrator."""
        subprocess.run(["sh", os.path.join(TOP, "packaging", "postfix",
                                           script)], check=True,
                       env=dict(os.environ, MAIL_CONFIG=self.site.postfix))
        shutil.copy(os.path.join(TOP, "packaging", "postfix",
                                 "mailrow-transport.cf"), self.site.postfix)
        self.site.age()

    def bad(self):
        return [f for f in self.site.check() if f["level"] != "ok"]

    def test_the_drop_in_is_clean(self):
        self.stock()
        self.inside()
        self.assertNotEqual(self.bad(), [])
        self.drop_in("postconf.sh")
        self.assertEqual(self.bad(), [])

    def test_the_drop_in_beside_another_store_is_clean(self):
        self.stock()
        self.inside()
        self.site.option("default_mode", "pass")
        self.site.set("virtual_transport = lmtp:unix:private/dovecot",
                      "disable_vrfy_command = yes",
                      "smtpd_tls_auth_only = yes", "smtpd_sasl_type = dovecot",
                      "smtpd_sasl_path = private/auth")
        self.drop_in("beside-dovecot.sh")
        self.assertEqual(self.bad(), [])

    def test_the_drop_in_with_a_filter_is_clean(self):
        self.stock()
        self.inside()
        self.drop_in("postconf.sh")
        self.site.set("content_filter = smtp:[127.0.0.1]:10024")
        self.finding("and our milter stores before it", "FAIL")
        queue = os.path.join(self.site.top, "queue", "mailrow")
        for role in ("policy", "store"):
            path = os.path.join(queue, role + ".sock")
            os.link(os.path.join(queue, "milter.sock"), path)
            self.site.option("milter_%s_socket" % role, "local:" + path)
        self.drop_in("content-filter.sh")
        self.assertEqual(self.bad(), [])

    def test_a_stock_postfix_is_mended_by_what_is_printed(self):
        """Command by command, until nothing is left to type."""
        self.stock()
        for _ in range(4):
            todo = {f["fix"] for f in self.site.check() if f["level"] != "ok"
                    and f["fix"].startswith(("postconf", "sed", "echo"))}
            for command in todo:
                self.site.type(command)
        self.assertEqual(self.bad(), [])

    def test_exit_codes(self):
        self.assertEqual(self.exit_code(), 0)
        self.site.set("virtual_alias_maps = hash:/x")
        self.assertEqual(self.exit_code(), 1)
        self.site.set("enable_original_recipient = no")
        self.assertEqual(self.exit_code(), 2)

    def exit_code(self):
        r = self.site.tool("check", "--mta-config", self.site.postfix,
                           check=False)
        lines = r.stdout.splitlines() + [""]
        for line, below in zip(lines, lines[1:]):
            if line.startswith(("FAIL", "warn")):
                self.assertRegex(below, r"^ +-> \S", line)
        return r.returncode

    def test_a_change_is_followed_by_a_reload(self):
        self.site.set("enable_original_recipient = no")
        self.assertEqual(self.finding("takes a reload", "warn")["fix"],
                         "postfix -c '%s' reload" % self.site.postfix)

    def test_wrong_usage(self):
        for args in (("--fixx",), ("--mta-config",), ("all",)):
            r = self.site.tool("check", *args, check=False)
            self.assertEqual(r.returncode, 64, r.stdout)

    def test_a_directory_without_a_main_cf(self):
        r = self.site.tool("check", "--mta-config", self.site.top,
                           check=False)
        self.assertEqual(r.returncode, 2)
        self.assertRegex(r.stdout, r"FAIL postfix .*open %s/main.cf: No such"
                         % self.site.top)

    def test_without_postfix(self):
        r = subprocess.run(
            ["unshare", "-m", "sh", "-c",
             'mount --bind /dev/null "$(command -v postconf)" &&'
             ' exec "$@"', "sh", self.tool_path(), "-c", self.site.conf,
             "check"], text=True, check=False, capture_output=True)
        self.assertRegex(r.stdout, r"ok +postfix +no Postfix here; Sendmail's"
                         r" settings are not read\n")

    def tool_path(self):
        return os.path.join(os.environ["MAILROW_BUILD"], "ctl", "mailrow")

    def test_values_that_are_not_for_a_terminal(self):
        value = "\x1b[31m\x07<\"'" + "x" * 5000
        self.site.set("always_bcc = " + value,
                      "virtual_alias_maps = " + value,
                      "smtpd_sasl_path = it's $$here")
        r = self.site.tool("check", "--mta-config", self.site.postfix,
                           check=False)
        self.assertEqual(r.returncode, 2)
        self.assertNotIn("\x1b", r.stdout)
        self.assertNotIn("\x07", r.stdout)
        self.assertIn("\\x1b[31m", r.stdout)
        self.assertLess(max(map(len, r.stdout.splitlines())), 3000)

    def test_a_quote_survives_the_printed_command(self):
        self.mends("smtpd_milters does not name", "FAIL",
                   "smtpd_milters = { inet:127.0.0.1:9, command_timeout=9s,"
                   " it's=$$x }")
        listed = subprocess.run(
            ["postconf", "-c", self.site.postfix, "-xh", "smtpd_milters"],
            text=True, check=True, capture_output=True).stdout
        self.assertIn("it's=$x", listed)

    def test_the_server_takes_what_is_sent(self):
        self.site.option("upload_threshold", "10M")
        for name, small, text in (
                ("max_allowed_packet", 65536, "max_allowed_packet is 65536"),
                ("innodb_log_file_size", 67108864,
                 "the redo log holds 67108864")):
            former = self.sandbox.sql("SELECT @@GLOBAL." + name)[0][0]
            try:
                self.sandbox.sql("SET GLOBAL %s = %d" % (name, small))
                self.site.type(self.finding(text, "FAIL")["fix"])
                self.assertEqual(self.site.find(text), [])
            finally:
                self.sandbox.sql("SET GLOBAL %s = %s" % (name, former))


if __name__ == "__main__":
    main()

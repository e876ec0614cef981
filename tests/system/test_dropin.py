#!/usr/bin/env python3
"""README's "Drop into your Postfix", done as it is printed, on the settings that
Debian ships: first what Postfix says of them, then mail through them."""

import ctypes
import os
import shutil
import tempfile
import traceback
import unittest

from mrtest import TOP, Smtp, mail, main, wait_until
from test_packaging import ALICE, BUILD, Daemon, Site, read, run, write

SCRIPTS = os.path.join(TOP, "packaging", "postfix")
CLONE_NEWNET = 0x40000000


class Settings:
    """A copy of Debian's /etc/postfix as it is after an installation, with a
    queue of its own."""

    def __init__(self, top, queue):
        self.dir = os.path.join(top, "etc-postfix")
        shutil.copytree("/etc/postfix", self.dir, symlinks=True)
        for here, shipped in (("main.cf", "main.cf.debian"),
                              ("master.cf", "master.cf.dist")):
            shutil.copy("/usr/share/postfix/" + shipped,
                        os.path.join(self.dir, here))
        data = os.path.join(top, "data-postfix")
        os.makedirs(queue, exist_ok=True)
        os.makedirs(data)
        shutil.chown(data, "postfix")
        self.set("queue_directory=" + queue, "data_directory=" + data,
                 "maillog_file=" + top + "/maillog",
                 "maillog_file_prefixes=" + top, "myhostname=mx.example.test")
        for name in os.listdir(SCRIPTS):
            if name.endswith(".cf"):
                shutil.copy(os.path.join(SCRIPTS, name), self.dir)
        self.environ = dict(os.environ, MAIL_CONFIG=self.dir)

    def set(self, *pairs):
        run("postconf", "-c", self.dir, "-e", *pairs)

    def script(self, name):
        return run("sh", os.path.join(SCRIPTS, name), env=self.environ)

    def postfix(self, verb, check=True):
        return run("postfix", "-c", self.dir, verb, check=check)

    def get(self, key):
        return run("postconf", "-c", self.dir, "-hx", key).stdout.strip()

    def service(self, key):
        return run("postconf", "-c", self.dir, "-Ph", key).stdout.strip()

    def files(self):
        return read(self.dir, "main.cf") + read(self.dir, "master.cf")


class Printed(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="mrt.", dir="/tmp")
        os.chmod(self.top, 0o755)
        self.addCleanup(shutil.rmtree, self.top)
        self.etc = Settings(self.top, self.top + "/queue")

    def test_readme_prints_the_scripts(self):
        text = read(TOP, "README.md")
        for name in ("postconf.sh", "beside-dovecot.sh", "content-filter.sh",
                     "back.sh"):
            lines = [l for l in read(SCRIPTS, name).splitlines()
                     if not l.startswith("#") and l != "set -eu"]
            block = "".join("    %s\n" % l for l in lines)
            self.assertIn("\n\n" + block + "\n", text, name)

    def test_postfix_takes_them(self):
        before = self.etc.files()
        self.assertEqual(self.etc.script("postconf.sh").stdout, "")
        said = self.etc.postfix("check").stdout
        self.assertNotRegex(said, "unused parameter|error|fatal")
        self.assertEqual(self.etc.get("virtual_transport"),
                         "lmtp:unix:mailrow/lmtp")
        self.assertEqual(self.etc.service("submission/inet/"
                                          "smtpd_sasl_auth_enable"), "yes")
        self.assertEqual(self.etc.get("smtpd_sasl_auth_enable"), "no")
        self.etc.script("content-filter.sh")
        said = self.etc.postfix("check").stdout
        self.assertNotRegex(said, "unused parameter|error|fatal")
        self.etc.script("back.sh")
        self.assertEqual(self.etc.files(), before)

    def test_beside_dovecot(self):
        before = self.etc.files()
        self.etc.set("virtual_transport=lmtp:unix:private/dovecot-lmtp",
                     "smtpd_sasl_path=private/auth")
        mine = self.etc.files()
        self.etc.script("beside-dovecot.sh")
        said = self.etc.postfix("check").stdout
        self.assertNotRegex(said, "unused parameter|error|fatal")
        self.assertEqual(self.etc.get("virtual_transport"),
                         "lmtp:unix:private/dovecot-lmtp")
        self.assertEqual(self.etc.get("smtpd_sasl_path"), "private/auth")
        self.etc.script("back.sh")
        self.assertEqual(self.etc.files(), mine)
        self.assertNotEqual(mine, before)

    def test_a_second_run_does_not_lose_the_first_settings(self):
        self.etc.script("postconf.sh")
        with self.assertRaises(AssertionError):
            self.etc.script("postconf.sh")


class Running(unittest.TestCase):
    """Postfix by these lines on its own ports, in a network of its own, with
    our daemons under the rights of their units."""

    @classmethod
    def setUpClass(cls):
        cls.site = Site()
        cls.daemons = []
        for name in ("authd", "milter", "lmtpd"):
            d = Daemon(cls.site, name)
            cls.daemons.append(d)
            if d.hear() != "READY=1":
                raise AssertionError(name)
        cls.etc = Settings(cls.site.root,
                           cls.site.root + "/var/spool/postfix")
        cls.etc.script("postconf.sh")
        cert = cls.site.sandbox.env["MAILROW_CERT"]
        cls.etc.set("smtpd_tls_cert_file=" + cert, "smtpd_tls_key_file="
                    + cert.replace("cert.pem", "key.pem"))
        for name in ("mailrow-domains.cf", "mailrow-transport.cf"):
            path = os.path.join(cls.etc.dir, name)
            write(path, read(path).replace(
                "/run/mysqld/mysqld.sock",
                cls.site.sandbox.env["MAILROW_DB_SOCKET"]))

    @classmethod
    def tearDownClass(cls):
        for d in cls.daemons:
            d.close()
        cls.site.remove()

    def inside(self, test):
        """Runs test in a child with a network of its own, where all ports are
        free, and Postfix in it."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "unshare")
                run("ip", "link", "set", "lo", "up")
                self.etc.postfix("start")
                try:
                    test()
                    code = 0
                finally:
                    self.etc.postfix("stop")
            except BaseException:
                traceback.print_exc()
                print(self.maillog()[-3000:])
            finally:
                os._exit(code)
        self.assertEqual(os.waitpid(pid, 0)[1], 0, "see above")

    def maillog(self):
        return read(self.site.root, "maillog")

    def stored(self, address):
        return self.site.sandbox.number(
            "SELECT COUNT(*) FROM mail JOIN mailbox USING (mailbox_id) "
            "WHERE address = '%s'" % address)

    def test_mail_comes_in(self):
        self.inside(self.mail_comes_in)

    def mail_comes_in(self):
        before = self.stored(ALICE)
        with Smtp("127.0.0.1:25") as s:
            self.assertNotIn("AUTH", " ".join(s.features))
            s.send("ann@remote.test", [ALICE], mail())
            # beyond what is kept in memory: in the spool directory
            s.send("ann@remote.test", [ALICE],
                   mail(body=(b"x" * 70 + b"\r\n") * 10000))
            self.assertEqual(self.stored(ALICE), before + 2)
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            self.assertTrue(s.cmd("RCPT TO:<nobody@example.test>")
                            .startswith("550 5.1.1"))
            self.assertEqual(s.cmd("VRFY " + ALICE)[:3], "502")
        for port, wrapped in ((587, False), (465, True)):
            self.submission(port, wrapped)

    def submission(self, port, wrapped):
        """AUTH within TLS only; then mail to another domain of ours."""
        if wrapped:
            text = run("sh", "-c", "printf 'EHLO client.test\\r\\nQUIT\\r\\n' | "
                       "openssl s_client -quiet -ign_eof -connect "
                       "127.0.0.1:%d 2>/dev/null" % port).stdout
            self.assertRegex(text, "250-AUTH .*PLAIN")
            return
        with Smtp("127.0.0.1:%d" % port) as s:
            self.assertNotIn("AUTH", " ".join(s.features))
            s.starttls()
            self.assertRegex(" ".join(s.features), "AUTH .*PLAIN")
            self.assertEqual(s.auth_plain(ALICE, "wrong")[:3], "535")
            s.cmd("MAIL FROM:<%s>" % ALICE, "250")
            self.assertEqual(s.cmd("RCPT TO:<%s>" % ALICE)[:3], "554")
            s.cmd("RSET", "250")
            self.assertEqual(s.auth_plain(ALICE, "secret of alice")[:3],
                             "235")
            s.send(ALICE, [ALICE], mail())

    def test_mail_that_does_not_pass_smtpd(self):
        self.inside(self.mail_by_lmtp)

    def mail_by_lmtp(self):
        """By the port that asks no milter: the transport is what stores."""
        before = self.stored(ALICE)
        with Smtp("127.0.0.1:10026") as s:
            s.send("", [ALICE], mail("by lmtp"))
        wait_until(lambda: self.stored(ALICE) == before + 1, 20, "delivery")
        self.assertRegex(self.maillog(),
                         r"relay=mx\.example\.test\[mailrow/lmtp\].*status=sent")

    def test_a_filter_behind_the_queue(self):
        before = {name: read(self.etc.dir, name)
                  for name in ("main.cf", "master.cf")}
        try:
            self.etc.script("content-filter.sh")
            # a filter that finds nothing: Postfix gives its mail to itself
            self.etc.set("content_filter=smtp:[127.0.0.1]:10025")
            run("postconf", "-c", self.etc.dir, "-P",
                "127.0.0.1:10025/inet/myhostname=filter.example.test")
            self.assertIn("policy.sock", self.check())
            self.inside(self.mail_by_filter)
        finally:
            for name, text in before.items():
                write(os.path.join(self.etc.dir, name), text)

    def mail_by_filter(self):
        before = self.stored(ALICE)
        with Smtp("127.0.0.1:25") as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            self.assertTrue(s.cmd("RCPT TO:<nobody@example.test>")
                            .startswith("550 5.1.1"))
            s.cmd("RSET", "250")
            s.send("ann@remote.test", [ALICE], mail("filtered"))
        wait_until(lambda: self.stored(ALICE) > before, 20, "delivery")
        wait_until(lambda: ":10025, " in self.maillog(), 5, "the log line")
        self.assertEqual(self.stored(ALICE), before + 1)

    def check(self):
        r = run(os.path.join(BUILD, "ctl", "mailrow"), "-c", self.site.file,
                "check", "--mta-config", self.etc.dir, check=False)
        self.assertEqual(r.returncode, 0, r.stdout)
        self.assertNotRegex(r.stdout, "(?m)^(warn|FAIL)")
        return r.stdout

    def test_check_finds_nothing_to_mend_in_postfix(self):
        def without_filter(text):
            return "".join(l for l in text.splitlines(True) if not
                           l.startswith(("milter_policy", "milter_store")))

        with self.site.other_conf(without_filter):
            self.assertIn("smtpd_milters names our milter", self.check())

    def test_the_transport_of_what_is_served(self):
        box = self.site.sandbox
        for name, mode in (("example.test", "store"),
                           ("bob@example.test", "pass"),
                           ("carl@example.test", "mirror"),
                           ("dora@other.test", "store")):
            box.tool("serve", name, mode)
        self.addCleanup(box.sql, "DELETE FROM served")
        for key, want in (("example.test", "lmtp:unix:mailrow/lmtp"),
                          ("bob@example.test", ":"),
                          ("carl@example.test", ":"),
                          ("dora@other.test", "lmtp:unix:mailrow/lmtp"),
                          ("other.test", "")):
            r = run("setpriv", "--reuid", "postfix", "--regid", "postfix",
                    "--clear-groups", "postmap", "-q", key, "mysql:"
                    + os.path.join(self.etc.dir, "mailrow-transport.cf"),
                    env=self.etc.environ, check=False)
            self.assertEqual(r.stdout.strip(), want, key)


if __name__ == "__main__":
    main()

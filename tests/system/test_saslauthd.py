#!/usr/bin/env python3
"""Who asks saslauthd for passwords asks mailrow-authd: octets of our own,
Cyrus's testsaslauthd, and a real Sendmail."""

import os
import socket
import subprocess
import time

from mrtest import PASSWORD, SandboxTest, main
from sendmail import Sendmail, SendmailSandbox, unpacked

ALICE = "alice@example.test"
AUTH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                    "packaging", "sendmail")


def words(*values):
    return b"".join(len(v).to_bytes(2, "big") + v
                    for v in (v.encode() for v in values))


class Saslauthd(SandboxTest):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = SendmailSandbox(
            conf=("auth_timeout = 3s", "db_timeout = 1s",
                  "db_connect_timeout = 1s", "auth_failure_delay = 500ms"))
        cls.sandbox.account(ALICE)

    @property
    def path(self):
        return os.path.join(self.sandbox.dir, "run", "auth", "saslauthd")

    def ask_octets(self, *pieces):
        """All that comes until the other side closes."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(self.path)
            for piece in pieces:
                s.sendall(piece)
            return s.makefile("rb").read()

    def ask(self, login, password, service="smtp", realm=""):
        return self.ask_octets(words(login, password, service, realm))

    def test_the_right_password(self):
        self.assertEqual(self.ask(ALICE, PASSWORD), words("OK"))
        self.assertEqual(self.ask("alice", PASSWORD, realm="example.test"),
                         words("OK"))

    def test_each_octet_alone(self):
        request = words(ALICE, PASSWORD, "smtp", "")
        self.assertEqual(self.ask_octets(
            *(request[i:i + 1] for i in range(len(request)))), words("OK"))

    def test_whatever_is_wrong_has_one_answer(self):
        for login, password, service, realm in (
                (ALICE, PASSWORD + "x", "smtp", ""),
                (ALICE, "", "smtp", ""), (ALICE, PASSWORD + "\0", "smtp", ""),
                ("nobody@example.test", PASSWORD, "smtp", ""),
                ("alice", PASSWORD, "smtp", ""),
                ("alice", PASSWORD, "smtp", "elsewhere.test"),
                (ALICE, PASSWORD, "imap", "")):
            begun = time.monotonic()
            self.assertEqual(self.ask(login, password, service, realm),
                             words("NO authentication failed"))
            self.assertGreater(time.monotonic() - begun, 0.45)

    def test_what_is_no_request_is_not_answered(self):
        for octets in (words("a" * 321, "x", "smtp", ""),
                       words(ALICE, "x" * 1025, "smtp", ""),
                       words(ALICE, PASSWORD, "smtp", "") + b"\0",
                       b"\xff" * 70000):
            try:
                self.assertEqual(self.ask_octets(octets), b"")
            except (BrokenPipeError, ConnectionResetError):
                pass
        self.assertEqual(self.ask(ALICE, PASSWORD), words("OK"))

    def test_half_a_request_is_not_waited_for(self):
        begun = time.monotonic()
        self.assertEqual(self.ask_octets(words(ALICE)), b"")
        self.assertLess(time.monotonic() - begun, 20)

    def test_without_the_database_nobody_is_told_no(self):
        self.sandbox.stop("db")
        self.addCleanup(self.sandbox.start_alone, "db")
        self.assertEqual(self.ask(ALICE, PASSWORD), b"")

    def cyrus(self, *args):
        """Cyrus's own client."""
        return subprocess.run(
            [os.path.join(unpacked(), "usr", "sbin", "testsaslauthd"),
             "-f", self.path, "-u", ALICE, *args], check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_testsaslauthd(self):
        good = self.cyrus("-p", PASSWORD, "-s", "smtp")
        self.assertEqual((good.returncode, good.stdout),
                         (0, '0: OK "Success."\n'))
        bad = self.cyrus("-p", "guess", "-s", "smtp")
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn("NO", bad.stdout)
        self.assertEqual(self.cyrus(
            "-p", PASSWORD, "-s", "pop").returncode, 0)


class BehindSendmail(SandboxTest):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = SendmailSandbox(
            conf=("auth_timeout = 3s", "db_timeout = 1s",
                  "db_connect_timeout = 1s", "auth_failure_delay = 500ms"))
        cls.sandbox.account(ALICE)
        cls.mta = Sendmail(cls.sandbox, "include(`%s')dnl\n" % os.path.join(
            AUTH, "mailrow-auth.mc"), sasl=True)
        cls.addClassCleanup(cls.mta.stop)
        cls.mta.start()

    def tls(self):
        s = self.mta.smtp()
        self.addCleanup(s.close)
        s.starttls()
        return s

    def test_offered_after_starttls_only(self):
        with self.mta.smtp() as s:
            self.assertEqual([f for f in s.features if "AUTH" in f], [])
            self.assertEqual(s.auth_plain(ALICE, PASSWORD)[:1], "5")
        offered = [f for f in self.tls().features if f.startswith("AUTH")]
        self.assertEqual([sorted(f.split()) for f in offered],
                         [["AUTH", "LOGIN", "PLAIN"]])

    def test_plain_and_login(self):
        for how in ("auth_plain", "auth_login"):
            self.assertEqual(getattr(self.tls(), how)(ALICE, "guess")[:3],
                             "535")
            self.assertEqual(
                getattr(self.tls(), how)("nobody@example.test", PASSWORD)[:3],
                "535")
            self.assertEqual(getattr(self.tls(), how)(ALICE, PASSWORD)[:3],
                             "235")

    def test_who_logged_in_may_relay(self):
        with self.mta.smtp() as s:
            s.cmd("MAIL FROM:<%s>" % ALICE, "250")
            self.assertEqual(s.cmd("RCPT TO:<x@foreign.test>")[:1], "5")
        s = self.tls()
        s.auth_plain(ALICE, PASSWORD)
        s.envelope(ALICE, ["x@foreign.test"])

    def test_the_database_is_away(self):
        """Sendmail says 535 to all that its library calls a failure: only
        our log tells that it was none of the password's."""
        s = self.tls()
        self.sandbox.stop("db")
        self.addCleanup(self.sandbox.start_alone, "db")
        self.assertEqual(s.auth_plain(ALICE, PASSWORD)[:3], "535")
        self.assertIn("result=temp reason=database",
                      self.sandbox.log("authd.log"))


if __name__ == "__main__":
    main()

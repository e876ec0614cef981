#!/usr/bin/env python3
"""The sandbox itself, installed programs, and the command lines."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from mrtest import SCRIPT, TOP, main

ALICE = "alice@example.test"
BUILD = os.environ.get("MAILROW_BUILD", os.path.join(TOP, "build"))
PROGRAMS = ("milter/mailrow-milter", "lmtpd/mailrow-lmtpd",
            "auth/mailrow-authd", "pop3d/mailrow-pop3d", "ctl/mailrow")


def script(*args, **env):
    return subprocess.run([SCRIPT, *args], text=True, check=False,
                          env=dict(os.environ, **env),
                          stdin=subprocess.DEVNULL, capture_output=True)


class SandboxScript(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="mrt.", dir="/tmp")
        os.chmod(self.top, 0o755)
        self.dirs = []

    def tearDown(self):
        for d in self.dirs:
            script("stop", "--dir", d, "--remove")
        shutil.rmtree(self.top)

    def start(self, name, *args, want=0, **env):
        d = os.path.join(self.top, name)
        self.dirs.append(d)
        r = script("start", "--dir", d, *args, **env)
        self.assertEqual(r.returncode, want, r.stderr)
        self.assertEqual(r.stdout, "")
        return d

    def env(self, d):
        r = script("env", "--dir", d)
        self.assertEqual(r.returncode, 0, r.stderr)
        return dict(l.split("=", 1) for l in r.stdout.splitlines())

    def processes(self, d):
        return [p for p in os.listdir("/proc") if p.isdigit()
                and d in self.command(p)]

    @staticmethod
    def claims(d):
        links = glob.glob("/run/lock/mailrow-sandbox.*")
        return [os.readlink(l) for l in links if os.path.islink(l)].count(d)

    @staticmethod
    def command(pid):
        try:
            with open("/proc/%s/cmdline" % pid) as f:
                return f.read()
        except OSError:
            return ""

    def test_postfix_starts_with_what_a_killed_one_has_left(self):
        """A file that has no name yet; postsuper says so, and moves it."""
        d = self.start("sandbox")
        script("stop", "--dir", d)
        left = os.path.join(d, "postfix", "queue", "incoming", "316485.15141")
        with open(left, "wb"):
            shutil.chown(left, "postfix")
        self.start("sandbox")
        with open(os.path.join(d, "log", "maillog")) as f:
            self.assertIn("bogus file name: incoming/316485.15141", f.read())

    def test_two_side_by_side_and_nothing_left_behind(self):
        # neither copies a database
        one, two = (self.start(n, MAILROW_DB_TEMPLATE="")
                    for n in ("one", "two"))
        ports = [self.env(d)[k] for d in (one, two) for k in
                 ("MAILROW_SMTP", "MAILROW_SUBMISSION", "MAILROW_POP3",
                  "MAILROW_FORWARD", "MAILROW_LMTP")]
        self.assertEqual(len(set(ports)), 10)
        for d in (one, two):
            r = script("status", "--dir", d)
            self.assertEqual(r.returncode, 0)
            self.assertEqual(r.stdout.count(" running "), 7)
        self.assertEqual(script("stop", "--dir", one).returncode, 0)
        self.assertEqual(script("status", "--dir", one).returncode, 3)
        self.assertEqual(script("status", "--dir", two).returncode, 0)
        self.assertEqual(self.processes(one), [])
        script("stop", "--dir", two, "--remove")
        self.assertEqual(self.processes(two), [])
        self.assertFalse(os.path.lexists(two))
        # the ports of one are still its own
        self.assertEqual([self.claims(d) for d in (one, two)], [1, 0])
        script("stop", "--dir", one, "--remove")
        self.assertEqual(self.claims(one), 0)

    def test_start_twice_changes_nothing(self):
        d = self.start("one")
        before = self.env(d)
        self.start("one")
        self.assertEqual(self.env(d), before)

    def test_chosen_ports(self):
        d = self.start("one", "--pop3-port", "31110")
        self.assertEqual(self.env(d)["MAILROW_POP3"], "127.0.0.1:31110")

    def test_a_taken_port_stops_the_start(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = str(s.getsockname()[1])
            r = script("start", "--dir", os.path.join(self.top, "x"),
                       "--smtp-port", port)
        self.assertNotEqual(r.returncode, 0)
        self.assertIn("port %s is taken" % port, r.stderr)
        self.assertEqual(self.processes(os.path.join(self.top, "x")), [])
        r = script("stop", "--dir", os.path.join(self.top, "x"), "--remove")
        self.assertEqual(r.returncode, 0, r.stderr)
        self.assertEqual(os.listdir(self.top), [])

    def test_a_start_that_fails_cleans_up_and_says_why(self):
        d = os.path.join(self.top, "bad")
        r = script("start", "--dir", d, "--db-args", "--no-such-option")
        self.assertNotEqual(r.returncode, 0)
        self.assertIn("no-such-option", r.stderr)
        self.assertEqual(self.processes(d), [])
        r = script("start", "--dir", d + "2", "--conf", "no_such_key = 1")
        self.assertNotEqual(r.returncode, 0)
        self.assertIn("no_such_key", r.stderr)
        self.assertEqual(self.processes(d + "2"), [])
        self.dirs += [d, d + "2"]

    def test_wrong_usage(self):
        for args in ((), ("fly",), ("start", "--smtp-port"),
                     ("start", "--smtp-port", "x"), ("stop", "engine"),
                     ("status", "--smtp-port", "1"), ("account", "a@b")):
            self.assertEqual(script(*args).returncode, 64, args)
        self.assertEqual(script("status", "--dir", self.top).returncode, 66)

    def test_stop_after_a_crash(self):
        d = self.start("one")
        for line in script("status", "--dir", d).stdout.splitlines():
            os.kill(int(line.split()[2]), signal.SIGKILL)
        self.assertEqual(script("stop", "--dir", d).returncode, 0)
        self.assertEqual(self.processes(d), [])
        self.start("one")
        self.assertEqual(script("status", "--dir", d).returncode, 0)

    def test_a_directory_that_others_cannot_enter(self):
        closed = os.path.join(self.top, "my closed directory " + "x" * 80)
        os.mkdir(closed, 0o700)
        d = self.start(os.path.join(closed, "sandbox"))
        self.assertEqual(script("account", "--dir", d, ALICE,
                                "pw").returncode, 0)
        real = self.env(d)["MAILROW_DIR"]
        self.assertTrue(os.path.isdir(real))
        self.assertEqual(script("stop", "--dir", d,
                                "--remove").returncode, 0)
        self.assertFalse(os.path.lexists(d))
        self.assertFalse(os.path.exists(real))

    def test_a_directory_with_something_else_is_left_alone(self):
        with open(os.path.join(self.top, "precious"), "w") as f:
            f.write("x")
        r = script("start", "--dir", self.top)
        self.assertNotEqual(r.returncode, 0)
        r = script("stop", "--dir", self.top, "--remove")
        self.assertEqual(r.returncode, 66)
        self.assertEqual(os.listdir(self.top), ["precious"])

    def test_installed_programs(self):
        if not os.path.exists(os.path.join(BUILD, "Makefile")):
            self.skipTest("no build tree")
        root = os.path.join(self.top, "root")
        subprocess.run(["make", "-s", "-C", BUILD, "install",
                        "DESTDIR=" + root], check=True,
                       stdout=subprocess.DEVNULL)
        found = [os.path.join(w, "sandbox") for w, _, n in os.walk(root)
                 if "sandbox" in n]
        self.assertEqual(len(found), 1)
        environ = {k: v for k, v in os.environ.items()
                   if k != "MAILROW_BUILD"}
        d = os.path.join(self.top, "installed")

        def run(*args):
            r = subprocess.run([found[0], *args, "--dir", d], text=True,
                               env=environ, stdin=subprocess.DEVNULL,
                               capture_output=True, check=False)
            self.assertEqual(r.returncode, 0, r.stderr)
        try:
            run("start")
            run("account", ALICE, "pw")
            with open("/proc/%s/cmdline" % self.env(d)["MAILROW_PID_MILTER"]
                      ) as f:
                self.assertIn(root, f.read())
        finally:
            run("stop", "--remove")


class CommandLines(unittest.TestCase):
    def test_every_program_explains_itself(self):
        for program in PROGRAMS:
            path = os.path.join(BUILD, program)
            for option in ("--help", "--version"):
                r = subprocess.run([path, option], capture_output=True,
                                   text=True, check=False)
                self.assertEqual(r.returncode, 0, path)
                self.assertIn("mailrow", r.stdout)

    def test_all_mistakes_of_a_configuration_in_one_run(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "mailrow.conf")
            with open(path, "w") as f:
                f.write("no_such_key = 1\nlog_debug = perhaps\n"
                        "auth_workers = 0\nauth_workers = 3\n"
                        "option_dir = relative\n")
            for program in PROGRAMS:
                r = subprocess.run([os.path.join(BUILD, program), "-c", path,
                                    "--check-config"], capture_output=True,
                                   text=True, check=False)
                self.assertEqual(r.returncode, 78, program)
                for line in range(1, 6):
                    self.assertIn("%s:%d: " % (path, line),
                                  r.stdout + r.stderr)

    def test_show_config(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "mailrow.conf")
            with open(path, "w") as f:
                f.write("log_debug = yes\n")
            for program in PROGRAMS:
                def show(*more):
                    return subprocess.run(
                        [os.path.join(BUILD, program), "-c", path,
                         "--show-config", *more], capture_output=True,
                        text=True, check=True).stdout
                self.assertIn("log_debug = yes", show())
                self.assertIn("log_to = syslog", show())
                self.assertIn("log_debug = yes", show("-n"))
                self.assertNotIn("log_to", show("-n"))


if __name__ == "__main__":
    main()

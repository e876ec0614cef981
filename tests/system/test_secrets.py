#!/usr/bin/env python3
"""Passwords that were answered are nowhere: not in the memory of mailrow-authd,
not in what it would leave in a core, not in a log."""

import base64
import os
import re
import socket

from authtalk import Auth
from mrtest import Sandbox, SandboxTest, main, wait_until

ALICE = "alice@example.test"
RIGHT = "Zq7-the-right-word-of-alice"
WRONG = "Xk3-a-wrong-word-of-alice"
LONG = "Vw9-" + "much-too-long-" * 100


def shapes(password):
    """How it can lie about: as it is and, from each offset, in base64."""
    raw = password.encode()[:48]
    found = [raw]
    for lead in range(3):
        text = base64.b64encode(b"x" * lead + raw)
        found.append(text[4:-4] if lead else text[:-4])
    return found


def held(pid):
    """The memory that a process can write: pairs of name and octets."""
    with open("/proc/%d/maps" % pid) as f:
        maps = [line.split(maxsplit=5) for line in f]
    with open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for m in maps:
            if not m[1].startswith("rw") or m[-1].startswith("[v"):
                continue
            begin, end = (int(x, 16) for x in m[0].split("-"))
            try:
                mem.seek(begin)
                yield " ".join(m[:1] + m[5:]).strip(), mem.read(end - begin)
            except OSError:
                pass


class Secrets(SandboxTest):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(conf=("auth_failure_delay = 500ms",))
        cls.sandbox.account(ALICE, RIGHT)

    def child(self):
        pid = self.sandbox.pid("authd")
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return int(f.read().split()[0])

    def socket_of(self, name="auth"):
        return os.path.join(self.sandbox.dir, "run", "auth", name)

    def places(self, password):
        return ["%s +%d %r" % (where, octets.find(shape),
                               octets[max(0, octets.find(shape) - 32):
                                      octets.find(shape) + 64])
                for where, octets in held(self.child())
                for shape in shapes(password) if shape in octets]

    def test_a_scan_finds_what_is_there(self):
        """A half line is held until the rest of it comes."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.socket_of())
            s.sendall(b"VERSION\t1\t1\nCPID\t9\nAUTH\t1\tPLAIN\tservice=smtp"
                      b"\tresp=" + base64.b64encode(b"Half-a-line-" * 4))
            wait_until(lambda: self.places("Half-a-line-" * 4),
                       what="a half line in memory")
            self.assertNotEqual(self.places("Half-a-line-" * 4), [])
        wait_until(lambda: not self.places("Half-a-line-" * 4),
                   what="its end")

    def saslauthd(self, password):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.socket_of("saslauthd"))
            s.sendall(b"".join(len(v).to_bytes(2, "big") + v for v in (
                ALICE.encode(), password.encode(), b"smtp", b"")))
            return s.makefile("rb").read()

    def smtp_and_pop3(self, password):
        with self.sandbox.submission() as s:
            s.starttls()
            s.auth_login(ALICE, password)
        try:
            self.sandbox.pop3(ALICE, password).quit()
        except Exception as e:
            self.assertIn("[AUTH]", str(e))

    def test_nothing_is_left_when_all_is_answered(self):
        conns = [Auth(self.socket_of()) for _ in range(8)]
        for c in conns:
            self.addCleanup(c.close)
        for _ in range(5):
            for c in conns:
                c.ask(ALICE, RIGHT, rip="192.0.2.1")
                c.ask(ALICE, WRONG, rip="192.0.2.1")
                c.ask(ALICE, LONG, rip="192.0.2.1")
                c.ask("nobody@example.test", WRONG, rip="192.0.2.1")
            for c in conns:
                answers = sorted(c.answer() for _ in range(4))
                self.assertEqual(answers, ["FAIL"] * 3 + ["OK"])
        for password in (RIGHT, WRONG):
            self.saslauthd(password)
            self.smtp_and_pop3(password)
        for password in (RIGHT, WRONG, LONG):
            self.assertEqual(self.places(password), [], password)
        log = self.sandbox.our_log()
        for password in (RIGHT, WRONG, LONG):
            for shape in shapes(password):
                self.assertNotIn(shape.decode(), log)

    def test_what_holds_passwords_is_locked(self):
        with open("/proc/%d/status" % self.child()) as f:
            locked = re.search(r"VmLck:\s+(\d+) kB", f.read())
        self.assertGreater(int(locked[1]), 0)

    def test_no_core_is_left_and_nobody_may_look(self):
        with open("/proc/%d/limits" % self.child()) as f:
            self.assertTrue(re.search(r"Max core file size\s+0\s+0 ",
                                      f.read()))
        # of a process that cannot be dumped all belongs to root
        self.assertEqual(os.stat("/proc/%d/mem" % self.child()).st_uid, 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What code that has taken a session, the keeper or authd over can still do.
A test build carries out in the session process what a client tells it to by
XPROBE (pop3d/probe.h)."""

import os
import re
import shutil
import subprocess
import time

from mrtest import Failed, SandboxTest, children, mail, main, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
EVE = "eve@remote.test"
EPERM = 1
GONE = 72       # lib/chan.h


def read_frame(uid):
    return b"\x02" + bytes(16) + b"\x01" + uid.to_bytes(8, "big")


def move_frame(uid):
    return b"\x03\x01\x00\x01" + uid.to_bytes(8, "big")


def status(pid, key):
    with open("/proc/%d/status" % pid) as f:
        return re.search(r"^%s:\s*(.*)$" % key, f.read(), re.M).group(1)


class Confined:
    """Of a SandboxTest. Each try comes from an address of its own, since a
    session that is killed for it gets its address rejected for a while."""
    sources = iter("127.0.7.%d" % n for n in range(1, 250))
    DIES = True     # a forbidden call ends the session

    def session(self, user=None):
        p = self.sandbox.pop3(source=next(Confined.sources))
        if user:
            p.login(user)
        return p

    def attempt(self, what):
        """The errno, 0 for a success, None when the process was killed."""
        with self.session(ALICE) as p:
            try:
                return int(p.cmd("XPROBE " + what).split()[2])
            except (Failed, OSError):
                return None

    def fails(self, what):
        got = self.attempt(what)
        if self.DIES:
            self.assertIsNone(got, what)
        else:
            self.assertNotIn(got, (0, None), what)

    def serves(self):
        with self.session(ALICE) as p:
            p.cmd("STAT")

    def keeper(self):
        return [c for c in children(self.sandbox.pid("pop3d"))
                if status(c, "Threads") != "1"][0]

    def test_files(self):
        for path in ("/etc/passwd", "/dev/null", "/proc/self/maps",
                     self.sandbox.dir + "/etc/mailrow/mailrow-pop3d.cnf"):
            self.fails("open " + path)

    def test_programs_and_processes(self):
        self.fails("exec")
        self.fails("fork")

    def test_the_network_and_the_database(self):
        self.fails("socket")
        self.fails("connect " + self.sandbox.env["MAILROW_DB_SOCKET"])

    def test_other_processes(self):
        other = self.session()
        pids = [c for c in children(self.sandbox.pid("pop3d"))
                if c != self.keeper()] + [self.keeper()]
        for pid in pids:
            self.fails("trace %d" % pid)
            self.fails("peek %d" % pid)
        other.login(BOB)
        other.quit()

    def test_signals_reach_nobody(self):
        for pid in (self.keeper(), self.sandbox.pid("pop3d")):
            self.assertEqual(self.attempt("kill %d" % pid), EPERM)
        self.serves()

    def test_more_rights_and_descriptors(self):
        self.fails("root")
        self.fails("descriptor")


class BySystemCalls(Confined, SandboxTest):
    USERS = {"pop3d": "mailrow-pop3", "authd": "mailrow-auth"}

    def give_passwords(self):
        """Option files with a password for each; those of the sandbox are
        made anew at each start."""
        old = self.sandbox.dir + "/etc/mailrow"
        new = self.sandbox.dir + "/options"
        shutil.copytree(old, new)
        for part, user in self.USERS.items():
            self.sandbox.sql("ALTER USER '%s'@'localhost' IDENTIFIED VIA"
                             " ed25519 USING PASSWORD('sesame')" % user)
            path = "%s/mailrow-%s.cnf" % (new, part)
            shutil.chown(path, group=user)
            with open(path, "a") as f:
                f.write("password = sesame\n")
        with open(old + "/conf.d/99-options.conf", "w") as f:
            f.write("option_dir = %s\n" % new)

    def test_a_password_of_the_database_that_needs_a_plugin(self):
        """The client library has some ways to log in in files of their own,
        and nobody confined can load one."""
        self.sandbox.sql("INSTALL SONAME 'auth_ed25519'")
        self.give_passwords()
        for part in self.USERS:
            self.sandbox.stop(part)
        self.sandbox.start()
        self.serves()

    def test_memory_that_is_run(self):
        self.fails("code")

    def test_a_violation_is_logged_and_its_address_rejected(self):
        p = self.session(ALICE)
        where = p.sock.getsockname()[0]
        p.put("XPROBE exec")
        with self.assertRaises((Failed, OSError)):
            p.status()
        wait_until(lambda: re.search(
            r"%s died: signal 31" % re.escape(where),
            self.sandbox.log("pop3d.log")), what="the log line")
        with self.assertRaises(Failed) as caught:
            self.sandbox.pop3(source=where)
        self.assertTrue(caught.exception.answer.startswith("-ERR"))
        self.serves()

    def test_who_is_confined(self):
        with self.session() as p:
            p.cmd("CAPA")
            parent = self.sandbox.pid("pop3d")
            keeper = self.keeper()
            authd = children(self.sandbox.pid("authd"))
            for pid in children(parent) + authd:
                self.assertEqual(status(pid, "Seccomp"), "2")
                self.assertEqual(status(pid, "NoNewPrivs"), "1")
                self.assertEqual(status(pid, "CapEff"), "0" * 16)
                self.assertNotEqual(status(pid, "Uid").split()[0], "0")
            login = [c for c in children(parent) if c != keeper]
            self.assertTrue(login)
            for pid in login:
                self.assertEqual(len(os.listdir("/proc/%d/fd" % pid)), 2)

    def frame(self, p, octets):
        """Type of the keeper's answer; None when it closed the channel."""
        answer = p.cmd("XPROBE frame " + octets.hex())[4:]
        return int(answer[:2], 16) if answer else None

    def uid_of_bob(self):
        with self.sandbox.smtp() as s:
            s.send(EVE, [BOB], mail("of bob"))
        return self.sandbox.number(
            "SELECT MAX(uid) FROM mail JOIN mailbox USING (mailbox_id)"
            " WHERE address = '%s'" % BOB)

    def count(self, who):
        return self.sandbox.number(
            "SELECT COUNT(*) FROM mail JOIN mailbox USING (mailbox_id)"
            " WHERE address = '%s'" % who)

    def test_the_keeper_gives_nothing_before_a_login(self):
        uid = self.uid_of_bob()
        before = self.count(BOB)
        for octets in (read_frame(uid), move_frame(uid), b"\xff" * 40,
                       b"\x01" + b"\xff" * 90):
            with self.session() as p:
                self.assertIsNone(self.frame(p, octets))
        self.assertEqual(self.count(BOB), before)
        self.serves()

    def test_the_keeper_gives_nothing_of_another(self):
        uid = self.uid_of_bob()
        while self.count(ALICE) == 0 or uid <= self.sandbox.number(
                "SELECT MAX(uid_next) FROM mailbox WHERE address = '%s'"
                % ALICE):
            uid = self.uid_of_bob()     # none of alice has this number
            if self.count(ALICE) == 0:
                with self.sandbox.smtp() as s:
                    s.send(EVE, [ALICE], mail("of alice"))
        before = self.count(BOB), self.count(ALICE)
        with self.session(ALICE) as p:
            self.assertIn(self.frame(p, read_frame(uid)), (None, GONE))
        with self.session(ALICE) as p:
            self.frame(p, move_frame(uid))
        self.assertEqual((self.count(BOB), self.count(ALICE)), before)
        with self.session(BOB) as p:
            self.assertIn(b"of bob", p.retr(p.stat()[0]))

    def test_a_session_cannot_use_the_keeper_up_for_others(self):
        """More channels that ask and never read than there are workers."""
        flood = [self.session(ALICE) for _ in range(20)]
        for p in flood:
            for _ in range(5):
                p.put("XPROBE frame " + read_frame(1 << 24).hex())
        began = time.monotonic()
        self.serves()
        self.assertLess(time.monotonic() - began, 10)
        for p in flood:
            p.close()


class ByUserAndLimits(Confined, SandboxTest):
    """The layers below still hold when there is no filter."""
    CONF = ("sandbox = no",)
    DIES = False

    def test_programs_and_processes(self):
        self.fails("fork")

    def test_check_tells(self):
        said = self.sandbox.tool("check", check=False).stdout
        self.assertIn("sandbox = no", said)

    def test_the_network_and_the_database(self):
        self.fails("socket")
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--socket",
             self.sandbox.env["MAILROW_DB_SOCKET"], "-e", "SELECT 1"],
            user="mailrow-login", check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.assertIn("Access denied", done.stdout)


if __name__ == "__main__":
    main()

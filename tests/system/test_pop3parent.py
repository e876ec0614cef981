#!/usr/bin/env python3
"""The POP3 daemon's parent and its sessions: limits, deaths, restarts, and
clients that do not behave."""

import os
import pwd
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import time

from mrtest import (PASSWORD, Failed, Pop3, SandboxTest, mail, main, tracers,
                    wait_until)
from test_pop3 import children, user_of

ALICE, BOB = "alice@example.test", "bob@example.test"
EVE = "eve@remote.test"


class Parent(SandboxTest):
    def parent(self):
        return self.sandbox.pid("pop3d")

    def running_as(self, user):
        uid = pwd.getpwnam(user).pw_uid
        return [c for c in children(self.parent()) if user_of(c) == uid]

    def sessions(self):
        return self.running_as("mailrow-login")

    def session_of(self, open_one):
        """The process that serves what open_one() opens."""
        before = set(self.sessions())
        p = open_one()
        wait_until(lambda: set(self.sessions()) - before, what="a session")
        return p, (set(self.sessions()) - before).pop()

    def keeper(self):
        return self.running_as("mailrow-pop3")[0]

    def ticks(self, pid):
        """Processor time, in hundredths of a second."""
        with open("/proc/%d/stat" % pid) as f:
            return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))

    def from_address(self, address):
        """A client with another address."""
        host, port = self.sandbox.env["MAILROW_POP3"].rsplit(":", 1)
        p = Pop3.__new__(Pop3)
        p.sock = socket.create_connection((host, int(port)), 20,
                                          (address, 0))
        p.file = p.sock.makefile("rb")
        return p

    def fill(self, user, *bodies):
        self.sandbox.empty(user)
        with self.sandbox.smtp() as s:
            for body in bodies:
                s.send(EVE, [user], mail("parent", body))

    def count(self, user=ALICE):
        return self.sandbox.number(
            "SELECT COUNT(*) FROM mail JOIN mailbox USING (mailbox_id)"
            " WHERE address = '%s'" % user)

    def status(self, pid, key):
        with open("/proc/%d/status" % pid) as f:
            return re.search(r"^%s:[ \t]*(.*)$" % key, f.read(), re.M)[1]


class Confinement(Parent):
    def test_a_session_is_nobody_and_can_open_nothing(self):
        p, pid = self.session_of(self.sandbox.pop3)
        with p:
            ids = {pwd.getpwnam("mailrow-login").pw_uid}
            self.assertEqual(set(map(int, self.status(pid, "Uid").split())),
                             ids)
            self.assertEqual(self.status(pid, "Groups").strip(), "")
            self.assertEqual(int(self.status(pid, "CapEff"), 16), 0)
            self.assertEqual(self.status(pid, "NoNewPrivs"), "1")
            with open("/proc/%d/limits" % pid) as f:
                limits = f.read()
            for what, most in (("open files", 2), ("processes", 0),
                               ("core file size", 0)):
                self.assertRegex(limits, r"(?m)^Max %s\s+%d\s+%d " % (
                    what, most, most))
            p.quit()


class Limits(Parent):
    CONF = ("pop3_max_sessions = 5", "pop3_max_per_address = 3")

    def test_one_address_gets_so_many_and_is_told(self):
        held = [self.sandbox.pop3() for _ in range(3)]
        p = self.from_address("127.0.0.1")
        self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
        self.assertEqual(p.file.read(), b"")
        p.close()
        self.assertIn("pop3_max_per_address reached by 127.0.0.1 ",
                      self.sandbox.log("pop3d.log"))
        others = [self.from_address("127.0.0.%d" % n) for n in (2, 3)]
        for q in others:
            self.assertRegex(q.line(), r"^\+OK ")
        p = self.from_address("127.0.0.4")      # the sixth of all
        self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
        p.close()
        self.assertIn("pop3_max_sessions reached by 127.0.0.4 ",
                      self.sandbox.log("pop3d.log"))
        for q in held + others:
            q.close()
        wait_until(lambda: not self.sessions(), what="the sessions' end")
        self.sandbox.pop3(ALICE).quit()

    def test_rule_61_ten_thousand_too_many_each_get_their_line(self):
        held = [self.sandbox.pop3() for _ in range(3)]
        for _ in range(100):
            crowd = [self.from_address("127.0.0.1") for _ in range(100)]
            for p in crowd:
                self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
                p.close()
        held[0].multi("CAPA")
        for q in held:
            q.close()


class Deaths(Parent):
    def test_a_keeper_that_dies_deletes_nothing(self):
        self.fill(ALICE, b"one\r\n", b"two\r\n")
        with self.sandbox.pop3(ALICE) as p:
            p.cmd("DELE 1")
            os.kill(self.keeper(), signal.SIGKILL)
            self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
            self.assertEqual(p.file.read(), b"")
        self.assertEqual(self.count(), 2)
        wait_until(lambda: self.running_as("mailrow-pop3"),
                   what="another keeper")
        with self.sandbox.pop3(ALICE) as p:
            self.assertEqual(p.stat()[0], 2)
            p.quit()

    def test_who_makes_a_session_crash_is_sent_away_for_a_while(self):
        p, pid = self.session_of(lambda: self.from_address("127.0.0.77"))
        os.kill(pid, signal.SIGSEGV)
        self.assertRegex(p.line(), r"^\+OK ")
        self.assertEqual(p.file.read(), b"")
        p.close()
        wait_until(lambda: "of 127.0.0.77 died: signal 11" in
                   self.sandbox.log("pop3d.log"), what="its log line")
        p = self.from_address("127.0.0.77")
        self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
        p.close()
        self.sandbox.pop3(ALICE).quit()

    def counted(self, name):
        """A sum over its labels of what the daemon has counted."""
        return sum(int(n) for n in re.findall(
            r'^%s\{program="mailrow-pop3d"[^}]*\} (\d+)$' % name,
            self.sandbox.tool("metrics").stdout, re.M))

    def test_after_five_crashes_the_parent_starts_anew_and_keeps_all(self):
        self.fill(BOB, b"kept\r\n")
        sessions = self.counted("mailrow_sessions_total")
        messages = self.counted("mailrow_messages_total")
        where = "/proc/%d/maps" % self.parent()
        with open(where) as f:
            before = f.readline().split("-")[0]
        keeper = self.keeper()
        with self.sandbox.pop3(BOB) as old:
            old.cmd("DELE 1")
            for n in range(5):
                p, pid = self.session_of(
                    lambda: self.from_address("127.0.1.%d" % (n + 1)))
                os.kill(pid, signal.SIGSEGV)
                p.file.read()
                p.close()

            def moved():
                with open(where) as f:
                    return f.readline().split("-")[0] != before
            wait_until(moved, what="another memory layout")
            wait_until(lambda: self.sandbox.log("pop3d.log").count(
                "ready\n") >= 2, what="the new start")
            self.assertEqual(self.keeper(), keeper)
            self.assertIn(BOB, self.sandbox.tool("pop3", "who").stdout)
            p = self.from_address("127.0.1.1")  # still sent away
            self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
            p.close()
            with self.sandbox.pop3(ALICE) as p:
                p.quit()
            old.cmd("NOOP")
            old.quit()
        self.assertEqual(self.count(BOB), 0)
        # the keeper of before and the parent of now count in the same place
        self.assertGreaterEqual(self.counted("mailrow_sessions_total"),
                                sessions + 5)
        self.assertGreater(self.counted("mailrow_messages_total"), messages)
        wait_until(lambda: not self.sessions(), what="the sessions' end")


class Reload(Parent):
    def write(self, text):
        """A file that overrides the sandbox's own."""
        place = os.path.join(os.path.dirname(self.sandbox.env["MAILROW_CONF"]),
                             "conf.d")
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, "99-test.conf"), "w") as f:
            f.write(text)

    def sent_away(self):
        p = self.from_address("127.0.0.1")
        line = p.line()
        p.close()
        return line.startswith("-ERR [SYS/TEMP]")

    def test_sighup_takes_a_right_file_and_leaves_a_wrong_one(self):
        try:
            with self.sandbox.pop3(ALICE) as old:
                self.write("pop3_max_per_address = nonsense\n")
                os.kill(self.parent(), signal.SIGHUP)
                wait_until(lambda: "the old one stays" in
                           self.sandbox.log("pop3d.log"), what="a log line")
                self.sandbox.pop3(ALICE).quit()
                self.write("pop3_max_per_address = 1\n"
                           "apop = yes\ncram_md5 = yes\n")
                os.kill(self.parent(), signal.SIGHUP)
                wait_until(self.sent_away, what="the new limit")
                old.cmd("NOOP")
                p = self.from_address("127.0.0.5")  # these take a restart
                self.assertNotIn("<", p.status())
                self.assertNotIn(b"CRAM-MD5", p.multi("CAPA"))
                p.close()
        finally:
            self.write("")
            os.kill(self.parent(), signal.SIGHUP)

    def files_allowed(self):
        with open("/proc/%d/limits" % self.keeper()) as f:
            return int(re.search(r"^Max open files +(\d+)", f.read(),
                                 re.M)[1])

    def test_more_sessions_are_more_descriptors_for_the_keeper(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.sandbox.stop("pop3d")
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        try:
            self.sandbox.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.assertLess(self.files_allowed(), 3000)
        try:
            self.write("pop3_max_sessions = 3000\n")
            os.kill(self.parent(), signal.SIGHUP)
            wait_until(lambda: self.files_allowed() > 3000,
                       what="the higher limit")
        finally:
            self.write("")
            os.kill(self.parent(), signal.SIGHUP)


class Stop(Parent):
    def tearDown(self):
        self.sandbox.stop("pop3d")
        self.sandbox.start()

    def stop(self):
        pid = self.parent()
        os.kill(pid, signal.SIGTERM)
        return pid

    def gone(self, pid):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"

    def test_sigterm_ends_idle_sessions_with_a_word(self):
        self.fill(ALICE, b"stays\r\n")
        with self.sandbox.pop3(ALICE) as p:
            p.cmd("DELE 1")
            pid = self.stop()
            self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
            self.assertEqual(p.file.read(), b"")
        wait_until(lambda: self.gone(pid), what="the end")
        self.assertEqual(self.count(), 1)

    def test_sigterm_lets_a_retr_and_a_quit_finish(self):
        self.fill(ALICE, b"x" * 70 + b"\r\n" + b"line\r\n" * 500000)
        with self.sandbox.pop3(ALICE) as p:
            p.cmd("RETR 1")
            pid = self.stop()
            time.sleep(0.5)
            self.assertGreater(len(p.body()), 3000000)
        wait_until(lambda: self.gone(pid), what="the end")
        self.assertEqual(self.count(), 1)


class Clients(Parent):
    CONF = ("login_timeout = 5s",)

    def login(self, user=ALICE):
        return self.session_of(lambda: self.sandbox.pop3(user))

    def test_rule_34_quit_and_gone_still_deletes(self):
        for reset in (False, True):
            self.fill(ALICE, b"1\r\n", b"2\r\n", b"3\r\n")
            p, _ = self.login()
            if reset:
                p.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
            p.put(b"DELE 1\r\nDELE 3\r\nQUIT\r\n")
            p.close()
            wait_until(lambda: self.count() == 1, what="the deletion")

    def test_rule_32_gone_without_quit_deletes_nothing(self):
        for last in (b"", b"QUI", b"QUIT"):
            self.fill(ALICE, b"1\r\n", b"2\r\n")
            p, pid = self.login()
            p.put(b"DELE 1\r\n" + last)
            p.close()
            wait_until(lambda: pid not in self.sessions(), what="its end")
            self.assertEqual(self.count(), 2)

    def test_rule_47_half_a_close_still_gets_its_answers(self):
        self.fill(ALICE, b"one\r\n")
        with self.sandbox.pop3() as p:
            p.put(("USER %s\r\nPASS %s\r\nRETR 1\r\nSTAT\r\n" % (
                ALICE, PASSWORD)).encode())
            p.sock.shutdown(socket.SHUT_WR)
            p.status()
            p.status()
            p.status()
            p.body()
            p.status()
            self.assertEqual(p.file.read(), b"")

    def test_rule_41_who_sends_and_never_reads_costs_little(self):
        self.fill(ALICE, b"x" * 70 + b"\r\n" + b"line\r\n" * 500000)
        p, pid = self.login()
        with p:
            for _ in range(200):
                p.put(b"RETR 1\r\n")
            time.sleep(1)
            kib = int(self.status(pid, "VmHWM").split()[0])
            self.assertLess(kib, 8192)
            self.assertLess(int(self.status(pid, "RssAnon").split()[0]),
                            2048)
            self.sandbox.pop3(BOB).quit()
        wait_until(lambda: pid not in self.sessions(), what="its end")

    def test_rule_13_every_reply_is_one_packet(self):
        """Two would wait for each other: Nagle and delayed acknowledgement."""
        self.fill(ALICE, *[b"text\r\n" * 100] * 30)
        with self.sandbox.pop3(ALICE) as p:
            p.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
            began = time.monotonic()
            for n in range(30):
                p.put("RETR %d" % (n + 1))
                self.assertTrue(p.sock.recv(65536).endswith(b"\r\n.\r\n"))
            self.assertLess(time.monotonic() - began, 1)

    def test_rule_46_an_old_idle_connection_ends_without_a_word(self):
        with self.sandbox.pop3() as p:      # login_timeout is 5 s here
            began = time.monotonic()
            while time.monotonic() - began < 4:
                p.multi("CAPA")             # talking is no login
                time.sleep(0.5)
            self.assertEqual(p.file.read(), b"")
            self.assertLess(time.monotonic() - began, 9)


class Descriptors(Parent):
    def test_without_descriptors_clients_are_told_and_service_returns(self):
        pid = self.parent()
        old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = max(int(fd) for fd in os.listdir("/proc/%d/fd" % pid)) + 1
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, old[1]))
        try:
            for _ in range(3):
                p = self.from_address("127.0.0.1")
                self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
                p.close()
            ticks = self.ticks(pid)
            time.sleep(1)
            self.assertLess(self.ticks(pid) - ticks, 20, "it spins")
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
        wait_until(self.serves, what="service")

    def test_without_processes_clients_are_told_and_service_returns(self):
        """As root RLIMIT_NPROC does not bind: the failure is injected."""
        pid = self.parent()
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        tracer = subprocess.Popen(
            ["strace", "-qq", "-o", "/dev/null", "-e", "trace=clone,fork",
             "-e", "inject=clone,fork:error=EAGAIN", "-p", str(pid)])
        try:
            wait_until(lambda: tracers(pid) == {tracer.pid}, what="strace")
            p = self.from_address("127.0.0.1")
            self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
            p.close()
        finally:
            tracer.terminate()
            tracer.wait()
        wait_until(self.serves, what="service")

    def serves(self):
        try:
            with self.sandbox.pop3(ALICE) as p:
                p.quit()
            return True
        except (Failed, OSError):
            return False


if __name__ == "__main__":
    main()

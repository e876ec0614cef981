#!/usr/bin/env python3
"""One big mail, in by SMTP and by LMTP, out by RETR, with the database's
default limits: the same octets, and no program's memory grows with it. The
peaks are printed. MAILROW_BIG_MAIL is its size in MB, 32 when not set."""

import hashlib
import os
import threading
import time

from mrtest import SandboxTest, main

ALICE, BOB = "alice@example.test", "bob@example.test"
MB = 1 << 20
SIZE = int(os.environ.get("MAILROW_BIG_MAIL", "32")) * MB
GROWTH = 6 * MB             # of a program over itself with small mails

# No two chunks of the store are alike, and some lines begin with a dot.
HEAD = (b"From: Ann <ann@remote.test>\r\nTo: alice@example.test\r\n"
        b"Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nSubject: big\r\n"
        b"Message-ID: <%s.%d@remote.test>\r\n\r\n")
BLOCK = b"".join(b"%s%04d %s\r\n" % (b"." * (i % 11 == 0), i, b"z" * (i % 71))
                 for i in range(1400))


class Mail:
    """Its octets by pieces of about 64 KiB, as they are and as DATA has
    them."""

    def __init__(self, name, size):
        self.head = HEAD % (name.encode(), os.getpid())
        self.blocks = max(0, (size - len(self.head)) // (len(BLOCK) + 10))
        self.sum = hashlib.sha256()
        self.octets = 0
        for piece in self.pieces():
            self.sum.update(piece)
            self.octets += len(piece)

    def pieces(self):
        yield self.head
        for i in range(self.blocks):
            yield b"%08d\r\n" % i + BLOCK

    def put(self, smtp):
        smtp.cmd("DATA", "354")
        stuffed = BLOCK.replace(b"\r\n.", b"\r\n..")
        smtp.put(self.head)
        for i in range(self.blocks):
            smtp.put(b"%08d\r\n." % i + stuffed)
        smtp.put(b".\r\n")
        return smtp.answer("250")


class Reading:
    """The octets of a mail that comes by RETR, without our trace headers."""

    def __init__(self, pop3, n):
        self.sum = hashlib.sha256()
        self.octets = 0
        self.file = pop3.file
        pop3.cmd("RETR %d" % n)
        self.skip_trace()
        while self.line != b".\r\n":
            self.take(self.line[self.line.startswith(b"."):])
            self.line = self.file.readline()

    def skip_trace(self):
        self.line = self.file.readline()
        while not self.line.lower().startswith(b"received:"):
            self.line = self.file.readline()
        self.line = self.file.readline()
        while self.line[:1] in b" \t":
            self.line = self.file.readline()

    def take(self, line):
        if not line:
            raise AssertionError("the connection ended")
        self.sum.update(line)
        self.octets += len(line)


def status(pid, key):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1]) << 10
    return 0


def session_of(pid):
    with open("/proc/%d/stat" % pid) as f:
        return int(f.read().rsplit(")", 1)[1].split()[3])


def processes(leader):
    """All of a daemon's: it began a session of its own."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and session_of(int(name)) == leader:
                found.append(int(name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return sorted(found)


class Peaks:
    """How far the processes of one daemon grow inside the block, and the
    most of their memory that is theirs alone (PSS, sampled)."""

    def __init__(self, name, pids):
        self.name, self.pids = name, pids
        self.before = {}
        self.growth = self.peak = self.pss = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.sample)

    def sample(self):
        while not self.stop.wait(0.1):
            for pid in self.pids:
                with open("/proc/%d/smaps_rollup" % pid) as f:
                    for line in f:
                        if line.startswith("Pss:"):
                            self.pss = max(self.pss,
                                           int(line.split()[1]) << 10)

    def __enter__(self):
        for pid in self.pids:
            with open("/proc/%d/clear_refs" % pid, "w") as f:
                f.write("5")            # VmHWM begins anew
            self.before[pid] = status(pid, "VmRSS")
        self.thread.start()
        return self

    def __exit__(self, *what):
        self.stop.set()
        self.thread.join()
        for pid in self.pids:
            peak = status(pid, "VmHWM")
            self.peak = max(self.peak, peak)
            self.growth = max(self.growth, peak - self.before[pid])
        print("    %-8s peak %6.1f MB, PSS %5.1f MB, %+5.1f MB" % (
            self.name, self.peak / MB, self.pss / MB, self.growth / MB),
            flush=True)


class Big(SandboxTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.postconf("message_size_limit=%d" % (2 * SIZE))

    def test_it_is_larger_than_a_packet_of_the_database(self):
        self.assertLess(self.sandbox.number("SELECT @@max_allowed_packet"),
                        SIZE)

    def daemon(self, name):
        return Peaks(name, processes(self.sandbox.pid(name)))

    def bounded(self, *peaks):
        for p in peaks:
            self.assertLess(p.growth, GROWTH, p.name)

    def warm(self, connect, recipient):
        """What small mails make of the daemons is no growth."""
        for i in range(4):
            with connect() as s:
                s.envelope("ann@remote.test", [recipient])
                Mail("small.%d" % i, 2 * MB).put(s)
        self.sandbox.mails(recipient)
        self.sandbox.empty(recipient)

    def take(self, name, connect, recipient):
        big = Mail(name, SIZE)
        began = time.monotonic()
        with self.daemon(name) as p, connect(timeout=600) as s:
            s.envelope("ann@remote.test", [recipient])
            big.put(s)
        print("    %d MB in %.1f s" % (big.octets // MB,
                                       time.monotonic() - began), flush=True)
        self.bounded(p)
        return big

    def fetch(self, user):
        keeper = processes(self.sandbox.pid("pop3d"))
        with self.sandbox.pop3(user, timeout=600) as p:
            self.assertEqual(p.stat()[0], 1)
            session = [pid for pid in processes(self.sandbox.pid("pop3d"))
                       if pid not in keeper]
            self.assertEqual(len(session), 1)
            with Peaks("keeper", keeper) as k, Peaks("session",
                                                     session) as s:
                got = Reading(p, 1)
            size = int(p.listing()[0][1])
            p.cmd("DELE 1")
            p.quit()
        self.bounded(k, s)
        return got, size

    def check(self, name, connect, user):
        self.warm(connect, user)
        want = self.take(name, connect, user)
        got, size = self.fetch(user)
        self.assertEqual(got.octets, want.octets)
        self.assertEqual(got.sum.hexdigest(), want.sum.hexdigest())
        self.assertGreater(size, got.octets)
        self.assertEqual(self.sandbox.sql(
            "SELECT LOWER(HEX(sha256)) FROM content ORDER BY octets DESC"
            " LIMIT 1"), [[want.sum.hexdigest()]])
        self.sandbox.tool("verify", "--deep", user)

    def test_by_smtp(self):
        self.check("milter", self.sandbox.smtp, ALICE)

    def test_by_lmtp(self):
        def connect(**options):
            s = self.sandbox.lmtp(**options)
            s.accepted = 1
            return s
        self.check("lmtpd", connect, BOB)


if __name__ == "__main__":
    main()

"""Rows: the machine around the daemons runs out of something, its clock jumps,
its log is dead, its configuration is wrong."""

import contextlib
import glob
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from email.utils import parsedate_to_datetime

import mails
from clients import filled, once, session
from inject import (children, cpu, failing_calls, filled as disk_filled,
                    memory, mounted, no_descriptors, no_mounts, own_dev, timed)
from mrtest import wait_until
from rows import add_row, row
from traffic import Door

DAEMONS = ("milter", "lmtpd", "authd", "pop3d")
PROGRAMS = {"milter": "milter/mailrow-milter", "lmtpd": "lmtpd/mailrow-lmtpd",
            "authd": "auth/mailrow-authd", "pop3d": "pop3d/mailrow-pop3d"}


def conf_file(world, text):
    """What overrides the sandbox's own settings; "" takes it back."""
    place = os.path.join(os.path.dirname(world.sandbox.env["MAILROW_CONF"]),
                         "conf.d", "fault.conf")
    if text:
        with open(place, "w") as f:
            f.write(text)
    elif os.path.exists(place):
        os.unlink(place)


@row("spool directory full", (26,), needs=no_mounts)
def spool_full(world):
    spool = os.path.join(world.sandbox.dir, "spool")
    with world.traffic(30, big=True) as t:
        t.flow(5)
        with mounted(spool, "64k"), disk_filled(spool):
            for way in ("smtp", "lmtp"):
                answer = once(world, "kept0@example.test", way, 3 << 20)
                world.expect("452 while the spool is full: " + answer,
                             answer.startswith("452 4.3.1"))
            answer = once(world, "kept0@example.test", size=100000)
            world.expect("a small mail goes on: " + answer,
                         answer.startswith("250"))
        world.over()
        t.flow(10)


# Descriptors and processes


def workers(world, part):
    """The processes that work for a daemon; no POP3 sessions."""
    if part == "pop3d":
        return [world.sandbox.pid(part), world.child(part)]
    return [world.child(part)]


def starved(part):
    def fail(world):
        """Whoever comes gets an answer or waits; nobody spins, which shows
        when there is nothing to do."""
        pids = workers(world, part)
        with world.traffic(20, readers=2):
            pass
        inside = Inside(world, part)
        left = inside.go_on(pids)
        with no_descriptors(*pids):
            clients = knock(world, part)
            if part == "pop3d":
                told_to_come_again(world, clients[0])
            time.sleep(0.5)
            before, begun = cpu(*pids), time.monotonic()
            time.sleep(2)
            share = (cpu(*pids) - before) / (time.monotonic() - begun)
            world.expect("%s spins: %d %%" % (part, share * 100),
                         share < 0.05)
            for c in clients:
                c.close()
        world.over()
        inside.come_again(left)
        with world.traffic(20):
            pass
    return fail


class Inside:
    """Clients that were there before: what needs no descriptor is done for
    them, and what needs one is told in time to come again."""

    BIG = 2 << 20       # beyond spool_memory: it needs a file

    def __init__(self, world, part):
        self.world = world
        self.way = {"milter": "smtp", "lmtpd": "lmtp"}.get(part)
        rcpts = [["kept0@example.test", 1024], ["kept1@example.test", self.BIG]]
        if part == "lmtpd":
            rcpts.append([mails.FORWARDED, 1024])
        self.clients = [(Door(world, self.way), box, size)
                        for box, size in rcpts if self.way]
        for door, box, _ in self.clients:
            answer = self.attempt(door, self.mail(box, 1024))
            world.expect("they are let in: " + answer,
                         answer.startswith("250"))

    def mail(self, box, size):
        m = mails.Mail(self.world.ledger.number(), self.way, size, "id",
                       "ann@example.test", [box], self.world.row_name)
        self.world.ledger.intend(m)
        return m

    def attempt(self, door, m):
        outcomes, text = door.attempt(m, m.rcpts, 40)
        self.world.ledger.reply(m, outcomes, text)
        return text

    def go_on(self, pids):
        """Those whose mail was not taken. Who goes makes room: each has its
        own limit, and tries again when it was somebody else who went."""
        left = []
        for door, box, size in self.clients:
            needs = size == self.BIG or box == mails.FORWARDED
            for _ in range(5 if needs else 1):
                m = self.mail(box, size)
                with no_descriptors(*pids), timed(0, 20):
                    answer = self.attempt(door, m)
                if not answer.startswith("250"):
                    break
            self.world.expect(
                "without a descriptor a mail of %d octets to %s is told %s"
                % (size, box, answer),
                answer.startswith(("451 4.", "452 4.3.1") if needs
                                  else "250"))
            if not answer.startswith("250"):
                self.world.deferred += 1
                left.append(m)
            door.close()
        return left

    def come_again(self, left):
        for m in left:
            door = Door(self.world, self.way)
            wait_until(lambda d=door, m=m: self.attempt(d, m).startswith(
                "250"), 20, "the client's return")
            door.close()


def told_to_come_again(world, client):
    client.settimeout(10)
    line = client.recv(1000)
    world.expect("a client is told: %r" % line,
                 line.startswith(b"-ERR [SYS/TEMP]")
                 and not client.recv(1000))


def knock(world, part, n=20):
    """Connections to the daemon itself, that ask for nothing."""
    env, box = world.sandbox.env, world.sandbox.dir
    where = {"milter": box + "/run/milter/milter.sock",
             "lmtpd": env["MAILROW_LMTP"], "authd": box + "/run/auth/auth",
             "pop3d": env["MAILROW_POP3"]}[part]
    clients = []
    for _ in range(n):
        if where.startswith("/"):
            c = socket.socket(socket.AF_UNIX)
            c.connect(where)
        else:
            host, port = where.rsplit(":", 1)
            c = socket.create_connection((host, int(port)))
        clients.append(c)
    return clients


for daemon in DAEMONS:
    add_row("%s without a free descriptor" % daemon, (19,), starved(daemon),
            short=daemon in ("milter", "pop3d"))


FORK = "clone,clone3,fork,vfork"


def no_threads(part):
    def fail(world):
        """Neither threads nor processes can be made for who comes."""
        pid = workers(world, part)[0]
        with world.traffic(30, within=150) as t:    # content_timeout
            t.flow(5)
            with failing_calls(FORK, "EAGAIN", pid) as failed:
                clients = knock(world, part)
                if part == "pop3d":
                    told_to_come_again(world, clients[0])
                wait_until(failed, 10, "a thread that cannot be made")
                for c in clients:
                    c.close()
            world.over()
            t.flow(5)
    return fail


for daemon in ("milter", "lmtpd", "pop3d"):     # authd makes none for a client
    add_row("%s cannot make a process or thread (EAGAIN)" % daemon, (20,),
            no_threads(daemon), short=daemon == "pop3d")


def no_child(part):
    def fail(world):
        """The parent cannot start the child that has died, and tries on."""
        world.rested(part)
        with world.traffic(30, readers=1) as t:
            t.flow(5)
            with failing_calls(FORK, "EAGAIN", world.sandbox.pid(part)) \
                    as failed:
                world.kill(world.child(part))
                wait_until(failed, 10, "a fork that fails")
            world.over()
            t.flow(5)
    return fail


for daemon in DAEMONS:
    add_row("%s's child killed, no process can be made (EAGAIN)" % daemon,
            (20,), no_child(daemon), short=False, doubt=True)


# Clients of POP3 that do not behave


@row("slow-loris: 200 POP3 clients that dribble", (17,),
     own={"conf": ("login_timeout = 5s", "pop3_max_per_address = 300")})
def slow_loris(world):
    """They are gone after the time for a login, others are served at once."""
    host, port = world.sandbox.env["MAILROW_POP3"].rsplit(":", 1)
    begun = time.monotonic()
    slow = [socket.create_connection((host, int(port))) for _ in range(200)]
    worst, open_ = 0, list(slow)
    with world.traffic(30, readers=1) as t:
        while open_ and time.monotonic() < begun + 15:
            open_ = [s for s in open_ if dribbled(s)]
            asked = time.monotonic()
            world.sandbox.pop3("probe@example.test").quit()
            worst = max(worst, time.monotonic() - asked)
            time.sleep(0.2)
        took = time.monotonic() - begun
        world.over()
        t.flow(5)
    for s in slow:
        s.close()
    world.expect("all are sent away in time: %d after %.1f s" % (
        len(open_), took), not open_ and took < 10)
    world.expect("others are served at once: %.1f s" % worst, worst < 2)


def dribbled(s):
    """One octet more of a command that never ends. False: it is closed."""
    try:
        s.send(b"U")
        s.setblocking(False)
        try:
            while s.recv(100):
                pass
            return False
        except BlockingIOError:
            return True
        finally:
            s.setblocking(True)
    except OSError:
        return False


def storm(total, most):
    def fail(world):
        """Beyond the limit each is told and let go; who is in stays in."""
        box = filled(world, 4)
        parent = world.sandbox.pid("pop3d")
        host, port = world.sandbox.env["MAILROW_POP3"].rsplit(":", 1)
        before = set(children(parent))
        inside, told, other = [], 0, []
        with session(world, box) as (p, _), world.traffic(20) as t:
            t.flow(5)
            for n in range(total):
                s = socket.create_connection(
                    (host, int(port)), 30, ("127.0.%d.%d" % (
                        n // 250 + 1, n % 250 + 1), 0))
                line = s.recv(200)
                if line.startswith(b"+OK"):
                    inside.append(s)
                    continue
                if line.startswith(b"-ERR [SYS/TEMP]") and not s.recv(1):
                    told += 1
                else:
                    other.append(line)
                s.close()
            sessions = set(children(parent)) - before
            each = memory(*sessions) / max(1, len(sessions))
            p.multi("CAPA")
            for s in inside:
                s.close()
            world.over()
            t.flow(5)
        world.expect("%d of %d are let in" % (len(inside), total),
                     most - 20 <= len(inside) <= most)
        world.expect("all others are told: %d, %s" % (told, other[:3]),
                     told == total - len(inside))
        world.expect("an idle session has %d KiB of its own" % each,
                     each < 200)
    return fail


for count, limit, in_short in ((1500, 100, True), (10000, 1000, False)):
    add_row("%d POP3 connections, %d are allowed" % (count, limit), (18,),
            storm(count, limit), short=in_short,
            own={"conf": ("pop3_max_sessions = %d" % limit,)})


@row("POP3 clients gone in the middle of RETR", (6, 27))
def gone_in_retr(world):
    """The sessions end, nothing is deleted, and no SIGPIPE kills anybody."""
    box, parent = filled(world, 3), world.sandbox.pid("pop3d")
    dice = mails.dice_for(world.seed, world.row_name)
    once(world, box.address, size=4 << 20)
    with session(world, box) as (_, listed):
        n = max(listed)
    with world.traffic(20, boxes=["kept0@example.test"], readers=0) as t:
        for i in range(20):
            p = world.sandbox.pop3(box.address)
            p.cmd("DELE %d" % min(listed))
            p.put("RETR %d" % n)
            p.file.read(dice.randrange(1, 200000))
            if i % 2:       # RST instead of FIN
                p.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
            p.close()
        wait_until(lambda: len(children(parent)) <= 1, 10,
                   "the end of the sessions")
        world.over()
        t.flow(5)
    with session(world, box) as (_, now):
        world.expect("nothing is deleted",
                     set(now.values()) >= set(listed.values()))


# Clocks


def faketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    return found[0] if found else None


def no_faketime():
    return "" if faketime() else "libfaketime is not installed"


@contextlib.contextmanager
def own_clock(world):
    """The daemons' clock is theirs; a function that sets it. Time that only
    passes (CLOCK_MONOTONIC) does so for them too, as it does when an
    administrator sets the date."""
    box = world.sandbox
    path = os.path.join(box.top, "clock")

    def set_clock(offset):
        with open(path + ".new", "w") as f:
            f.write("%+d" % offset)
        os.rename(path + ".new", path)

    set_clock(0)
    box.environ["MAILROW_UNDER"] = " ".join([
        "env", "LD_PRELOAD=" + faketime(), "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
        "FAKETIME_TIMESTAMP_FILE=" + path])
    for part in DAEMONS:
        world.restart(part)
    try:
        yield set_clock
    finally:
        del box.environ["MAILROW_UNDER"]


def received_at(message):
    """The time in our trace, by our clock."""
    lines = message.split(b"\r\n")
    start = [i for i, l in enumerate(lines)
             if l.lower().startswith(b"received:")][0]
    text = b""
    for line in lines[start:]:
        text += line
        if b";" in line or not text:
            continue
        if not line[:1] in (b" ", b"\t") and line != lines[start]:
            break
    date = text.split(b";", 1)[1].split(b"\t")[0].strip()
    return parsedate_to_datetime(date.decode()).timestamp()


@row("the clock jumps by an hour and by a day", (22,), needs=no_faketime,
     own={"conf": ("log_debug = no",)})
def clock(world):
    """Nobody is logged out, nothing waits longer, the trace tells the time
    that the clock shows."""
    name = "kept0@example.test"
    with own_clock(world) as set_clock, world.traffic(
            40, boxes=[name, "read0@example.test"], readers=1,
            ways={"smtp": 2, "submission": 1}) as t:
        t.flow(10)
        held = [world.sandbox.pop3(name) for _ in range(5)] \
            + [world.sandbox.pop3() for _ in range(5)]
        for offset in (3600, 0, -3600, 0, 86400, 0, -86400):
            set_clock(offset)
            t.flow(10)
            for p in held[:5]:
                p.cmd("NOOP")
            for p in held[5:]:
                p.multi("CAPA")
            with world.sandbox.pop3(name) as p:
                told = received_at(p.retr(p.stat()[0]))
                p.quit()
            off = abs(told - time.time() - offset)
            world.expect("our Received tells the time: %d s off" % off,
                         off < 60)
        for p in held:
            p.quit()
        world.over()
        t.flow(5)
    for part in DAEMONS:
        world.restart(part)


# The log


class Syslog:
    """A log daemon of the row's own, which may sleep."""

    def __init__(self):
        self.lines = []
        self.awake = threading.Event()
        self.awake.set()
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            self.awake.wait()
            try:
                line = self.sock.recv(65536)
            except OSError:
                return
            self.lines.append(line.decode("utf-8", "replace"))

    def told(self, text, since=0):
        return [l for l in self.lines[since:] if text in l]

    def end(self):
        """As a log daemon that dies: the socket stays, nobody is there."""
        self.awake.set()
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.thread.join(5)


@row("log socket missing, blocked, gone, there again", (25,),
     needs=no_mounts)
def log_socket(world):
    """Mail never waits for the log; what was lost is counted."""
    conf_file(world, "log_to = syslog\n")
    try:
        with own_dev():
            for part in DAEMONS:
                world.restart(part)
            with world.traffic(40, readers=2, ways={
                    "smtp": 2, "submission": 1, "queue": 1}) as t:
                log_deaths(world, t)
    finally:
        conf_file(world, "")
        for part in DAEMONS:
            world.restart(part)


def log_deaths(world, t):
    t.flow(10)
    for _ in range(2):
        log = Syslog()
        t.flow(10)
        wait_until(lambda l=log: l.told("status=sent") and l.told("Login:"),
                   20, "log lines on a new socket")
        log.awake.clear()
        t.flow(40)
        since = len(log.lines)
        log.awake.set()
        t.flow(10)
        wait_until(lambda l=log, n=since: l.told("log lines were lost", n),
                   20, "the number of lost lines")
        log.end()
        t.flow(10)
        os.unlink("/dev/log")
        t.flow(10)
    world.over()


# Configuration


def program(world, part):
    return os.path.join(os.environ["MAILROW_BUILD"], PROGRAMS[part])


def check_config(world, part):
    r = subprocess.run([program(world, part), "--check-config", "-c",
                        world.sandbox.env["MAILROW_CONF"]], check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return r.returncode


BROKEN = (
    # a syntax error after what would be right: nothing of it holds
    ("a wrong value", "pop3_max_sessions = 1\nlmtp_max_sessions = 1\n"
     "spool_memory = many\nkeeper_buffer = many\nauth_timeout = long\n"),
    ("an unknown key", "pop3_max_sessions = 1\nno_such_option = 1\n"),
    ("no option file", "option_dir = /nonexistent\n"),
    ("no profile", "profile = nonexistent\n"))


@row("configuration wrong at SIGHUP", (23,))
def wrong_configuration(world):
    """The old one stays in force, and each daemon says so once a time."""
    log = world.sandbox.log
    with world.traffic(40, readers=2, ways={
            "smtp": 2, "submission": 1, "queue": 1}) as t:
        t.flow(10)
        for what, text in BROKEN:
            conf_file(world, text)
            before = {d: log(d + ".log") for d in DAEMONS}
            for part in DAEMONS:
                if what in ("a wrong value", "an unknown key"):
                    world.expect("%s --check-config ends with 78: %s" % (
                        part, what), check_config(world, part) == 78)
                world.sandbox.kill(part, signal.SIGHUP)
            t.flow(20)
            for part in DAEMONS:
                told(world, part, what, before[part])
        conf_file(world, "")
        for part in DAEMONS:
            world.expect("%s --check-config ends with 0" % part,
                         check_config(world, part) == 0)
            world.sandbox.kill(part, signal.SIGHUP)
        world.over()
        t.flow(10)


def told(world, part, what, before):
    """Once that the old configuration stays, and beside it the reason."""
    def new():
        return world.sandbox.log(part + ".log")[len(before):].splitlines()

    if (part, what) == ("pop3d", "no profile"):
        return      # it has no use for one
    with contextlib.suppress(AssertionError):
        wait_until(lambda: [l for l in new() if "stays" in l], 10)
    lines = [l for l in new() if "warning" in l]
    world.expect("%s says once that the old configuration stays (%s): %s" % (
        part, what, lines), len([l for l in lines if "stays" in l]) == 1)
    world.expect("%s says what is wrong (%s): %s" % (part, what, lines),
                 [l for l in lines if REASONS[what] in l])


REASONS = {"a wrong value": "spool_memory: 'many' is not",
           "an unknown key": "unknown option 'no_such_option'",
           "no option file": "/nonexistent/", "no profile": "nonexistent.conf"}

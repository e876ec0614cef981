"""Rows: Postfix beside us: a later milter, its disk, its processes, its limit."""

import contextlib
import os
import socket
import struct
import threading
import time

import mails
from clients import once
from inject import filled, memory, moved_to_disk, no_mounts
from mrtest import PASSWORD, Failed, stopped, wait_until
from rows import row
from traffic import Door


def size_limit(world, octets):
    world.sandbox.postconf("-e", "message_size_limit=%d" % octets)


# The limit


@row("mails of the size limit, and one octet more", (26,),
     own={"conf": ("spool_memory = 64K", "lmtp_message_max = 4M")})
def size_limits(world):
    """Ours is exact; Postfix counts what it adds too."""
    limit, box = 4 << 20, "kept0@example.test"
    child = world.child("milter")
    once(world, box, size=limit // 2)
    before = memory(child)
    size_limit(world, limit)
    for way, more, word in (
            ("lmtp", -1, "250"), ("lmtp", 0, "250"), ("lmtp", 1, "552 5.3.4"),
            ("smtp", -limit // 4, "250"), ("smtp", 1, "552 5.3.4")):
        answer = once(world, box, way, limit + more,
                      may_be_refused=word.startswith("552"))
        world.expect("%s by %s for the limit %+d: %s" % (
            word, way, more, answer), answer.startswith(word))
    grown = memory(child) - before
    world.expect("the milter's memory grew by %d KiB" % grown, grown < 3000)
    with world.traffic(10):
        pass


# Another milter after ours


class Later:
    """A milter that lets everything pass and answers ORDER at the end of a
    message, a line of text for SMFIR_REPLYCODE."""

    def __init__(self, world):
        self.path = os.path.join(world.sandbox.dir, "run", "later.sock")
        self.order = b"451 4.7.1 the later milter cannot now"
        self.asked = 0
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.sock.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,),
                             daemon=True).start()

    def serve(self, conn):
        f = conn.makefile("rb")
        while head := f.read(5):
            size, command = struct.unpack(">Ic", head)
            f.read(size - 1)
            reply = self.reply(command)
            if reply is None:
                return
            if reply:
                conn.sendall(struct.pack(">I", len(reply)) + reply)

    def reply(self, command):
        """To a command of the milter protocol; b"": it wants none."""
        if command == b"Q":
            return None
        if command == b"O":         # version 6, no actions, no protocol bits
            return b"O" + struct.pack(">III", 6, 0, 0)
        if command in b"DAK":       # macros, abort, quit but stay
            return b""
        if command != b"E":
            return b"c"
        self.asked += 1
        return b"y" + self.order + b"\0" if self.order else b"c"

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        os.unlink(self.path)


@contextlib.contextmanager
def later_milter(world):
    box = world.sandbox
    before = box.postfix("postconf", "-h", "smtpd_milters").strip()
    later = Later(world)
    box.postconf("-e", "smtpd_milters=%s, unix:%s" % (before, later.path))
    try:
        yield later
    finally:
        box.postconf("-e", "smtpd_milters=" + before)
        later.close()


@row("a later milter rejects what is stored (mixed recipients)", (29,),
     own={"conf": ("discard_when_done = yes",)}, doubt=True)
def later_rejects(world):
    """Ours has committed when the other says no: the client comes again, and
    the mail is not stored again. A mail for us alone never gets to the
    other. What was told 5xx is there all the same."""
    with later_milter(world) as later:
        m = mails.Mail(world.ledger.number(), "smtp", 3000, "id",
                       "carl@example.test", ["kept0@example.test"],
                       world.row_name)
        world.ledger.intend(m)
        world.sandbox.account(m.sender)
        for order, word in ((later.order, "451"), (later.order, "451"),
                            (b"550 5.7.1 the later milter never does", "550"),
                            (b"", "250")):
            later.order = order
            answer = mixed(world, m)
            world.expect("%s is passed on: %s" % (word, answer),
                         answer.startswith(word))
            world.ledger.reply(m, {m.rcpts[0]: {
                "451": "temp", "550": "temp", "250": "ok"}[word]}, answer)
            there = [x for x in world.sandbox.mails(m.rcpts[0])
                     if mails.number_of(x) == m.number]
            world.expect("it is there once, not %d times" % len(there),
                         len(there) == 1)
        asked, later.order = later.asked, b"550 5.7.1 never"
        answer = once(world, "kept0@example.test")
        world.expect("a mail that is ours alone is accepted: " + answer,
                     answer.startswith("250") and later.asked == asked)
    with world.traffic(10):
        pass


def mixed(world, m):
    """To us and abroad, by a client that has logged in."""
    with world.sandbox.submission() as s:
        s.auth_plain(m.sender, PASSWORD)
        s.cmd("MAIL FROM:<%s>" % m.sender, "250")
        for r in m.rcpts + [mails.ABROAD]:
            s.cmd("RCPT TO:<%s>" % r, "250")
        try:
            return s.data(m.octets())
        except Failed as e:
            return e.answer


# Postfix's processes and disk


def stored_meanwhile(world, name, during):
    """A mail that is stored; DURING: called between that and our reply. What
    its client is told, who comes again unless it is 250."""
    m = mails.Mail(world.ledger.number(), "smtp", 3000, "id",
                   "ann@remote.test", ["kept0@example.test"], world.row_name)
    world.ledger.intend(m)
    world.arm("milter-before-reply", "stall 700")
    try:
        with world.sandbox.smtp() as s:
            s.envelope(m.sender, m.rcpts)
            s.cmd("DATA", "354")
            s.put(m.octets().replace(b"\r\n.", b"\r\n..") + b".\r\n")
            world.hit("milter-before-reply")
            during(world, world.processes(name))
            answer = s.answer("250")
    except Failed as e:
        answer = e.answer
    there = [x for x in world.sandbox.mails(m.rcpts[0])
             if mails.number_of(x) == m.number]
    world.expect("the mail is stored once, not %d times" % len(there),
                 len(there) == 1)
    return m, answer


def comes_again(world, m, answer):
    kind = {"2": "ok", "4": "temp"}.get(answer[:1], "lost")
    world.ledger.reply(m, {m.rcpts[0]: kind}, answer)
    world.unanswered += kind == "lost"
    world.deferred += kind == "temp"
    door = Door(world, "smtp")
    wait_until(lambda: kind == "ok" or again(world, door, m), 20,
               "the client's return")
    door.close()


def kill_all(world, pids):
    for pid in pids:
        world.kill(pid)


def kill_behind_reply(world, pids):
    """They sleep while our reply comes, and never read it."""
    with stopped(*pids):
        time.sleep(1.5)
        kill_all(world, pids)


@row("cleanup killed after our DISCARD", (30,), doubt=True)
def killed_after_discard(world):
    """The mail is stored, its client never hears of it and comes again.
    Killed before our reply comes, and when it has come. (smtpd answers 451
    without cleanup.)"""
    for name in ("cleanup", "smtpd"):
        for during in (kill_all, kill_behind_reply):
            m, answer = stored_meanwhile(world, name, during)
            world.expect("no 250 without %s: %s" % (name, answer),
                         not answer.startswith("250"))
            comes_again(world, m, answer)
    with world.traffic(10):
        pass


def again(world, door, m):
    outcomes, text = door.attempt(m, m.rcpts)
    world.ledger.reply(m, outcomes, text)
    return outcomes[m.rcpts[0]] == "ok"


@row("Postfix's queue disk full", (29,), short=False, needs=no_mounts,
     doubt=True, own={"conf": ("discard_when_done = yes",)})
def queue_full(world):
    box = world.sandbox
    size_limit(world, 4 << 20)
    box.stop("postfix")
    with moved_to_disk(os.path.join(box.dir, "postfix", "queue"), "64m"):
        box.start_alone("postfix")
        size_limit(world, 4 << 20)
        with world.traffic(40, ways={"smtp": 2, "submission": 1}) as t:
            t.flow(10)
            queue = os.path.join(box.dir, "postfix", "queue")
            with filled(queue):
                answer = once(world, "kept0@example.test")
                world.expect("4xx while the queue's disk is full: " + answer,
                             answer.startswith("4"))
            with contextlib.ExitStack() as full:
                m, answer = stored_meanwhile(
                    world, "cleanup",
                    lambda *_: full.enter_context(filled(queue)))
            comes_again(world, m, answer)
            world.over()
            t.flow(10)
        box.stop("postfix")
    box.start_alone("postfix")
    size_limit(world, 102400000)

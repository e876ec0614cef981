"""What must hold after each row, asked of POP3 and of the tables."""

import os
import re
import threading

import mails
from mrtest import Failed, stored_part

OURS = ("milter.log", "lmtpd.log", "authd.log", "pop3d.log")
# What must never stand in a log of ours, whatever has happened.
BAD = re.compile(r"panic|abort|SIGABRT|SIGSEGV|SIGBUS|SIGFPE|SIGILL"
                 r"|signal (4|6|7|8|11)\b|Sanitizer|runtime error"
                 r"|stack smashing|buffer overflow|double free")


def as_handed_over(message, mail):
    """What RETR gave, without our trace and, where the mail went through
    Postfix's queue, without Postfix's."""
    part = stored_part(message)
    if mail.way in ("queue", "sendmail"):
        head = part.split(b"\r\n", 1)[0]
        if not head.startswith(b"Received: ") or \
                b"mx.example.test" not in part[:400]:
            return part
        part = re.sub(rb"\AReceived: [^\r]*(\r\n[ \t][^\r]*)*\r\n", b"", part)
    return part


class Box:
    """One mailbox as its POP3 clients have seen it, and what they were told
    about it. A session may be in doubt (QUIT's answer never came): all of its
    mails are gone or none, which the next list tells."""

    def __init__(self, world, address):
        self.world, self.address = world, address
        self.lock = threading.RLock()
        self.seen = {}          # uidl: number of the mail
        self.deleted = set()    # uidls
        self.marked = set()     # of the session that is at QUIT
        self.doubt = []         # sets of uidls

    def list(self, p):
        """{number in the session: uidl}, judged against what is known."""
        listed = {int(n): uidl for n, uidl in p.listing("UIDL")}
        self.judge(set(listed.values()))
        return listed

    def judge(self, there):
        self.settle_doubt(there)
        w = self.world
        for uidl in self.deleted & there:
            w.problem("%s: mail %s is there after +OK to QUIT" % (
                self.address, self.seen[uidl]))
        for uidl in set(self.seen) - there - self.deleted:
            w.lost(self.seen[uidl], self.address, "it was there before")
            self.deleted.add(uidl)      # told once

    def settle_doubt(self, there):
        """Sessions in doubt may have marked the same mails: what is gone was
        moved by those that are gone whole. When these do not explain it all,
        another was moved in part."""
        whole = [d for d in self.doubt if not d & there]
        moved = set().union(*whole)
        for marked in self.doubt:
            gone = marked - there - self.deleted - moved
            if gone:
                self.world.problem("%s: a QUIT moved %d of %d mails" % (
                    self.address, len(gone), len(marked - self.deleted)))
                moved |= gone
        self.doubt = [d for d in self.doubt if d & there]
        self.deleted |= moved

    def read(self, p, n, uidl):
        """RETR, unless the mail is known; its octets are compared."""
        if uidl in self.seen:
            return
        message = p.retr(n)
        number = mails.number_of(message)
        mail = self.world.ledger.mails.get(number)
        self.seen[uidl] = number
        if not mail or self.address not in map(mails.box_of, mail.rcpts):
            self.world.problem("%s has mail %s, which is not its" % (
                self.address, number))
        elif as_handed_over(message, mail) != mail.octets():
            self.world.damaged(mail, self.address, message)

    def mark(self, marked):
        self.marked = set(marked)
        self.world.ledger.write("quit", box=self.address,
                                marked=sorted(marked))

    def quit_said(self, answer):
        """QUIT's answer, "" when none came. -ERR [SYS/TEMP] may also mean
        that it cannot be known."""
        self.world.ledger.write("quit-reply", box=self.address, said=answer)
        if answer.startswith("+OK"):
            self.deleted |= self.marked
        else:
            self.doubt.append(self.marked)
        self.marked = set()

    def copies(self):
        """{number: how often it was put here}"""
        count = {}
        for number in self.seen.values():
            count[number] = count.get(number, 0) + 1
        return count


class Oracle:
    def __init__(self, world):
        self.world = world
        self.log_read = {}
        self.sunk, self.forwarded = set(), set()    # files, numbers

    def look(self, box, empty_beyond=400):
        """Reads what is new. A mailbox that has grown large is emptied, so
        that the next look is quick."""
        with box.lock, self.world.sandbox.pop3(box.address) as p:
            listed = box.list(p)
            for n in sorted(listed):
                box.read(p, n, listed[n])
            if len(listed) > empty_beyond:
                for n in listed:
                    p.cmd("DELE %d" % n)
                box.mark(listed.values())
                p.put("QUIT")
                box.quit_said(p.status())
            else:
                p.quit()

    def count_copies(self):
        w = self.world
        copies = {b.address: b.copies() for b in w.boxes.values()}
        abroad = self.abroad()
        for mail in list(w.ledger.mails.values()):
            for rcpt in mail.rcpts:
                n = copies[mails.box_of(rcpt)].get(mail.number, 0)
                o = mail.outcomes[rcpt]
                if o["ok"] and n == 0:
                    w.lost(mail.number, rcpt, "it was answered 250")
                elif n > max(mail.most_copies(rcpt, w.doubt_of(mail)), 0):
                    w.doubled(mail, rcpt, n)
                elif n and not o["ok"] and not o["lost"] and o["temp"]:
                    w.told_451(mail, rcpt)
                if o["ok"] and rcpt == mails.FORWARDED \
                        and mail.number not in abroad:
                    w.lost(mail.number, mails.ABROAD, "it was answered 250")
        # the next rows compare anew only what can still change
        return copies

    def abroad(self):
        """The numbers of the mails that went on to FORWARDED's other end.
        More than once is no fault: Postfix knows no receipts."""
        place = self.world.sandbox.env["MAILROW_SINK"]
        for name in set(os.listdir(place)) - self.sunk:
            self.sunk.add(name)
            with open(os.path.join(place, name), "rb") as f:
                self.forwarded.add(mails.number_of(f.read(4096)))
        return self.forwarded

    def tables(self):
        w = self.world
        try:
            w.sandbox.check_store()
        except AssertionError as e:
            w.problem(str(e))
        stray = w.sandbox.number(
            "SELECT COUNT(*) FROM chunk k LEFT JOIN content c"
            " USING (content_id) WHERE c.content_id IS NULL")
        if stray:
            w.problem("%d chunks without content" % stray)
        # now and then, and behind what the database's files have suffered, all
        # octets, against the SHA-256 that was kept
        found = w.sandbox.tool("verify", *["--deep"] * (
            w.deep or w.serial % 8 == 0), check=False)
        if found.returncode:
            w.problem("mailrow verify: %s%s" % (found.stdout, found.stderr))
        for box in w.boxes.values():
            if box.doubt:
                box.doubt = [d for d in box.doubt if d - box.deleted]
            n = w.sandbox.number(
                "SELECT COUNT(*) FROM trash t JOIN mailbox m USING"
                " (mailbox_id) WHERE m.address = '%s'" % box.address)
            if n != len(box.deleted):
                w.problem("%s: %d mails in the trash, %d were deleted" % (
                    box.address, n, len(box.deleted)))

    def new_lines(self, name):
        """Of a log, since the last row."""
        path = "%s/%s" % (self.world.sandbox.env["MAILROW_LOG"], name)
        with open(path, "rb") as f:
            f.seek(self.log_read.get(name, 0))
            new = f.read()
        self.log_read[name] = self.log_read.get(name, 0) + len(new)
        return new.decode("utf-8", "replace").splitlines()

    def logs(self):
        w = self.world
        for name in OURS:
            for line in self.new_lines(name):
                if BAD.search(line) and not w.may_log(line):
                    w.problem("%s: %s" % (name, line[:300]))
        w.deferred += sum("/lmtp[" in line and "status=deferred" in line
                          for line in self.new_lines("maillog"))

    def run(self):
        w = self.world
        try:
            w.sandbox.wait_for_queue(w.queue_within)
        except AssertionError as e:
            w.problem(str(e)[:400])
        for box in list(w.boxes.values()):
            try:
                self.look(box)
            except (Failed, OSError) as e:
                w.problem("%s cannot be read: %s" % (box.address, e))
        self.count_copies()
        self.tables()
        self.logs()

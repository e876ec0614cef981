"""Clients that behave as RFC 5321 and RFC 1939 tell them to: whoever was not
told 250 comes again, with the same octets; who was told +OK to QUIT believes
it."""

import subprocess
import threading
import time

import mails
from mrtest import PASSWORD, Failed, Lmtp, Pop3, Smtp

PATIENCE = 180          # for one answer; a stall of the database takes 120 s
SESSION_MAILS = 8       # in one connection


class Watched:
    """Of a connection: how long each line of the server was waited for."""

    def __init__(self, world, *args, **options):
        self.world = world
        super().__init__(*args, **options)

    def line(self):
        begun = time.monotonic()
        try:
            return super().line()
        finally:
            self.world.answered(time.monotonic() - begun, self.name)


class WatchedSmtp(Watched, Smtp):
    name = "SMTP"


class WatchedLmtp(Watched, Lmtp):
    name = "LMTP"


class WatchedPop3(Watched, Pop3):
    name = "POP3"


def kind_of(failed):
    """Of a Failed: the answer's class; an answer that never came is "lost"."""
    return {"4": "temp", "5": "perm"}.get(failed.answer[:1], "lost")


class Door:
    """One connection to a server that takes mail, made when needed."""

    def __init__(self, world, way):
        self.world, self.way = world, way
        self.conn = None
        self.used = 0

    def where(self):
        env = self.world.sandbox.env
        return env[{"smtp": "MAILROW_SMTP", "probe": "MAILROW_SMTP",
                    "submission": "MAILROW_SUBMISSION",
                    "queue": "MAILROW_FORWARD",
                    "lmtp": "MAILROW_LMTP"}[self.way]]

    def open(self, mail, timeout):
        if self.conn and self.used >= SESSION_MAILS:
            self.close()
        if self.conn:
            return
        kind = WatchedLmtp if self.way == "lmtp" else WatchedSmtp
        self.conn = kind(self.world, self.where(), timeout=timeout)
        self.used = 0
        if self.way == "submission":
            answer = self.conn.auth_plain(mail.sender, PASSWORD)
            if not answer.startswith("235"):
                raise Failed(answer)

    def close(self):
        """Whatever the server thinks of it."""
        conn, self.conn = self.conn, None
        if not conn:
            return
        try:
            conn.sock.settimeout(1)
            conn.put("QUIT")
            conn.close()
        except OSError:
            pass

    def drop(self):
        """Without a word, as a client that dies."""
        conn, self.conn = self.conn, None
        if conn:
            try:
                conn.close()
            except OSError:
                pass

    def attempt(self, mail, rcpts, timeout=PATIENCE):
        """One try for these recipients. ({recipient: outcome}, what was
        said)."""
        done = {}
        try:
            self.open(mail, timeout)
            self.used += 1
            if self.used % 4 == 3:
                self.change_of_mind(mail)
            self.conn.cmd("MAIL FROM:<%s>" % mail.sender, "250")
            for r in rcpts:
                answer = self.conn.cmd("RCPT TO:<%s>" % r)
                if not answer.startswith("2"):
                    done[r] = "perm" if answer.startswith("5") else "early"
                    text = answer
            left = [r for r in rcpts if r not in done]
            if not left:
                self.close()
                return done, text
            self.conn.accepted = len(left)
            self.conn.cmd("DATA", "354")
        except (Failed, OSError) as e:
            self.drop()
            kind = kind_of(e) if isinstance(e, Failed) else "cut"
            kind = {"temp": "early", "lost": "cut"}.get(kind, kind)
            return {r: done.get(r, kind) for r in rcpts}, str(e)
        try:
            self.data(mail, left, done)
            text = self.conn.lines[-1]
            if any(done[r] != "ok" for r in rcpts):
                self.close()
            return done, text
        except (Failed, OSError) as e:
            self.drop()
            kind = kind_of(e) if isinstance(e, Failed) else "lost"
            done.update({r: kind for r in left if r not in done})
            return done, str(e)

    def change_of_mind(self, mail):
        self.conn.cmd("MAIL FROM:<%s>" % mail.sender, "250")
        self.conn.cmd("RCPT TO:<%s>" % mail.rcpts[0])
        self.conn.cmd("RSET", "250")

    def data(self, mail, rcpts, done):
        """What is answered for each goes into DONE at once: by LMTP the
        connection may end between two answers."""
        body = mail.octets().replace(b"\r\n.", b"\r\n..")
        self.conn.put(body + b".\r\n")
        if self.way != "lmtp":
            self.conn.answer("250")
            done.update({r: "ok" for r in rcpts})
            return
        for r in rcpts:
            answer = self.conn.answer()
            done[r] = {"2": "ok", "5": "perm"}.get(answer[:1], "temp")


class Sendmail:
    """sendmail(1): who is told 0 has handed it over."""

    def __init__(self, world):
        self.world = world

    def attempt(self, mail, rcpts):
        try:
            self.world.sandbox.sendmail(
                mail.sender, rcpts, mail.octets().replace(b"\r\n", b"\n"))
            return {r: "ok" for r in rcpts}, "0"
        except subprocess.CalledProcessError as e:
            return {r: "temp" for r in rcpts}, str(e.returncode)

    def close(self):
        pass


class Sender(threading.Thread):
    """Sends mails one after the other until told to stop."""

    def __init__(self, traffic, way, seed):
        super().__init__(daemon=True)
        self.traffic, self.way = traffic, way
        self.world = traffic.world
        self.dice = mails.dice_for(self.world.seed, seed, way)
        self.door = Sendmail(self.world) if way == "sendmail" \
            else Door(self.world, way)
        self.serial = 0

    def run(self):
        try:
            while self.traffic.take():
                self.send(self.mail())
                time.sleep(self.traffic.rest())
        except Exception as e:      # a thread's error is the row's
            self.world.problem("the %s client: %r" % (self.way, e))
            raise
        finally:
            self.door.close()

    def mail(self):
        t = self.traffic
        self.serial += 1
        # what must come comes every third time
        mail = mails.draw(self.world.ledger.number(), self.way, self.dice,
                          t.big and self.serial % 3 == 1,
                          t.many and self.serial % 3 == 2, t.kind, t.boxes,
                          self.world.row_name)
        mail.once = self.way == "smtp" and self.dice.random() < 0.03
        self.world.ledger.intend(mail)
        return mail

    def send(self, mail):
        left, tries = list(mail.rcpts), 0
        while left:
            self.world.ledger.write("try", n=mail.number, rcpts=left)
            outcomes, text = self.door.attempt(mail, left)
            self.world.ledger.reply(mail, outcomes, text)
            self.traffic.count(outcomes)
            left = [r for r in left if outcomes[r] not in ("ok", "perm")]
            tries += 1
            if left and (mail.once or self.traffic.too_late()):
                return
            if left:
                time.sleep(min(0.1 * 1.5 ** tries, 1)
                           * self.dice.uniform(0.7, 1.3))


class Reader(threading.Thread):
    """Lists, reads and deletes, in one mailbox after the other."""

    def __init__(self, traffic, seed):
        super().__init__(daemon=True)
        self.traffic, self.world = traffic, traffic.world
        self.dice = mails.dice_for(self.world.seed, seed, "reader")

    def run(self):
        try:
            while not self.traffic.ending.is_set():
                names = [b for b in self.traffic.boxes if b.startswith("read")]
                box = self.world.boxes[self.dice.choice(names)]
                if box.lock.acquire(timeout=5):
                    try:
                        self.session(box)
                    finally:
                        box.lock.release()
                self.traffic.ending.wait(self.dice.uniform(0.02, 0.1))
        except Exception as e:
            self.world.problem("the POP3 client: %r" % e)
            raise

    def session(self, box):
        marked = {}
        try:
            with WatchedPop3(self.world,
                             self.world.sandbox.env["MAILROW_POP3"],
                             timeout=PATIENCE) as p:
                p.login(box.address)
                listed = box.list(p)
                for n in sorted(listed)[:20]:
                    box.read(p, n, listed[n])
                    if self.dice.random() < 0.8:
                        p.cmd("DELE %d" % n)
                        marked[listed[n]] = n
                if not marked:
                    p.quit()
                    return
                if self.dice.random() < 0.05:
                    p.sock.close()      # no QUIT: nothing may be gone
                    return
                box.mark(marked)
                p.put("QUIT")
                box.quit_said(p.status())
        except Failed as e:
            self.traffic.refused(e.answer)
            if box.marked:
                box.quit_said(e.answer if e.answer.startswith("-ERR")
                              else "")
        except OSError:
            self.traffic.refused("")
            if box.marked:
                box.quit_said("")


class Traffic:
    """The clients of one row. As a context manager: they start, and at the
    end go on until each mail was accepted."""

    def __init__(self, world, mails_=40, ways=None, readers=1, big=False,
                 many=False, kind=None, boxes=None, pause=0.0, within=60):
        """WITHIN: seconds until each was accepted; who gives it more also
        lets an answer take so long."""
        self.world = world
        if within > 60:
            world.answer_within = max(world.answer_within, within)
        self.least, self.big, self.many = mails_, big, many
        self.kind = kind
        self.boxes = boxes or mails.BOXES
        self.pause, self.within = pause, within
        ways = ways or {"smtp": 2, "submission": 1, "queue": 1}
        self.lock = threading.Lock()
        self.begun = self.accepted = self.deferred = self.lost = 0
        self.pop3_refused = self.pop3_ended = 0
        self.ending = threading.Event()     # no new mails
        self.give_up = None
        self.stopping = False
        self.threads = [Sender(self, way, "%d/%d" % (world.serial, i))
                        for way, n in ways.items() for i in range(n)]
        self.readers = [Reader(self, "%d/%d" % (world.serial, i))
                        for i in range(readers)]
        self.queued = "queue" in ways or "sendmail" in ways

    def take(self):
        """True: one more mail is to be sent."""
        with self.lock:
            if self.stopping and self.begun >= self.least:
                return False
            self.begun += 1
            return True

    def rest(self):
        """Between two mails: a row that takes long shall not fill the
        disk."""
        return self.pause + (0.2 if self.begun > 4 * self.least else 0)

    def count(self, outcomes):
        with self.lock:
            values = outcomes.values()
            self.accepted += "ok" in values
            self.deferred += any(v in ("temp", "early") for v in values)
            self.lost += any(v in ("lost", "cut") for v in values)

    def refused(self, answer):
        """By POP3: -ERR, or that the connection ended."""
        with self.lock:
            if answer.startswith("-"):
                self.pop3_refused += 1
            else:
                self.pop3_ended += 1
        self.world.ledger.write("pop3", said=answer[:200])
        self.world.judge_refusal(answer)
        time.sleep(0.1)

    def too_late(self):
        return self.give_up is not None and time.monotonic() > self.give_up

    def flow(self, n=10, seconds=60):
        """Until n more mails were accepted."""
        goal, end = self.accepted + n, time.monotonic() + seconds
        while self.accepted < goal:
            if time.monotonic() > end:
                raise AssertionError("traffic stands still: %d of %d mails "
                                     "in %d s" % (self.accepted + n - goal, n,
                                                  seconds))
            time.sleep(0.01)

    def flush_queue(self):
        """What Postfix could not hand over it tries again at once."""
        while not self.ending.wait(0.7):
            self.world.flush()

    def __enter__(self):
        if self.queued:
            self.readers.append(threading.Thread(target=self.flush_queue,
                                                 daemon=True))
        for t in self.threads + self.readers:
            t.start()
        return self

    def __exit__(self, *what):
        self.stopping = True
        self.give_up = time.monotonic() + self.within
        for t in self.threads:
            t.join(self.within + PATIENCE)
        self.ending.set()
        for t in self.readers:
            t.join(self.within + PATIENCE)
        if any(t.is_alive() for t in self.threads + self.readers):
            self.world.problem("a client never ended")
        self.world.traffic_ended(self)

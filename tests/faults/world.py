"""The world of the rows: a sandbox, its clients, what was promised to them.
README.md tells how a row uses it."""

import os
import signal
import subprocess
import threading
import time

import mails
from between import Between
from ledger import Ledger
from mrtest import PASSWORD, Failed, Pop3, Sandbox, mail as plain_mail, wait_until
from oracle import Box, Oracle
from traffic import Door, Traffic

SERVED = ("smtp", "lmtp", "auth", "pop3")
SERVE_WITHIN = 5        # seconds, from the end of the fault
# For one answer: deliver_timeout, and what a busy machine may add. Time that
# a client waits before it is served counts too.
ANSWER_WITHIN = 15 + 30
PROBE_PAUSE = 0.05
PROBE_MOST = 60         # then there is nothing more to wait for
LIVED_LONG = 10         # lib/supervise.c, LIVED_LONG_MS
# Then a new sandbox: each row ends with a look at all that is stored, which
# has to be quick, and is not once the database must read its disk for it.
MOST_MAILS, MOST_OCTETS = 2500, 160 << 20
OURS = ("milter", "lmtpd", "authd", "pop3d")
DB_ARGS = "--innodb-buffer-pool-size=256M "
CONF = ("deliver_timeout = 15s", "db_connect_timeout = 2s",
        "db_timeout = 5s", "pop3_proxy_networks = 127.0.0.17")


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(n) for n in f.read().split()]
    except OSError:
        return []


def stat_of(pid):
    """(name, state, start time in clock ticks), or None."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            text = f.read()
    except OSError:
        return None
    head, _, rest = text.rpartition(")")
    fields = rest.split()
    return head.split("(", 1)[1], fields[0], int(fields[19])


def age(pid):
    """Seconds since the process began."""
    with open("/proc/uptime") as f:
        up = float(f.read().split()[0])
    st = stat_of(pid)
    return up - st[2] / os.sysconf("SC_CLK_TCK") if st else 0.0


class World:
    def __init__(self, seed="0", conf=(), db_args="", **own):
        self.seed = seed
        self.sandbox = Sandbox(conf=CONF + tuple(conf),
                               db_args=DB_ARGS + db_args, **own)
        for address in mails.BOXES + [mails.PROBE]:
            self.sandbox.account(address)
        self.crowded, self.accounts = None, 0
        for target in (mails.ALIASES[mails.FORWARDED], mails.ABROAD):
            self.sandbox.tool("alias", "add", mails.FORWARDED, target)
        self.ledger = Ledger(os.path.join(self.sandbox.top, "ledger"),
                             self.problem)
        self.boxes = {b: Box(self, b) for b in mails.BOXES + [mails.PROBE]}
        self.oracle = Oracle(self)
        self.serial = 0
        self.proxy = None
        self.doubtful = {}
        self.told = set()
        self.lock = threading.Lock()
        self.begin_row("", False)

    # A row's beginning and end, for the runner.

    def begin_row(self, name, doubt, proxy=False):
        if self.proxy and not proxy:
            self.proxy.close()
            self.proxy = None
        self.serial += 1
        self.row_name = name
        self.doubtful[name] = doubt
        self.dice = mails.dice_for(self.seed, name)
        self.began = time.monotonic()
        self.problems, self.losses, self.doubles, self.damages = [], 0, 0, 0
        self.deferred = self.unanswered = self.stored_451 = 0
        self.pop3_refused = self.pop3_ended = 0
        self.longest, self.answer_within = (0, ""), ANSWER_WITHIN
        self.exclusive = False      # [IN-USE] is an answer too
        self.hidden = False         # nobody may hear of the fault
        self.probes, self.served, self.over_at = [], {}, None
        self.expected = None
        self.queue_within = 60
        self.deep = False       # verify --deep
        self.serve_within = dict.fromkeys(SERVED, SERVE_WITHIN)
        self.forget_dead_database()

    def forget_dead_database(self):
        """For 60 s the process of Postfix's that looks up domains does not ask
        a database again that did not answer it. The next one does."""
        for pid in self.processes("trivial-rewrite"):
            self.kill(pid, signal.SIGTERM)

    def end_row(self):
        """Whatever the row did, everything must be well now."""
        self.disarm()
        self.expect_serving()
        if self.proxy:
            self.proxy.reset()
        for mail in self.ledger.of_row(self.row_name):
            if not mail.once and not all(
                    o["ok"] or o["perm"] for o in mail.outcomes.values()):
                self.problem("mail %d was never accepted: %s" % (
                    mail.number, mail.outcomes))
        self.oracle.run()
        if self.longest[0] > self.answer_within:
            self.problem("%s: an answer took %.1f s" % (
                self.longest[1], self.longest[0]))
        if self.hidden:
            self.expect("nobody hears of it: %d deferred, POP3 %d times -ERR, "
                        "%d ended" % (self.deferred, self.pop3_refused,
                                      self.pop3_ended),
                        not (self.deferred or self.pop3_refused
                             or self.pop3_ended))

    def result(self):
        sent = self.ledger.of_row(self.row_name)
        return {"row": self.row_name,
                "mails": len([m for m in sent if not m.probe]),
                "deferred": self.deferred, "unanswered": self.unanswered,
                "stored_451": self.stored_451,
                "pop3_refused": self.pop3_refused,
                "pop3_ended": self.pop3_ended,
                "longest": round(self.longest[0], 1), "lost": self.losses,
                "doubled": self.doubles, "damaged": self.damages,
                "serve": round(max(self.served.values(), default=0), 2),
                "serve_by": {k: round(v, 2) for k, v in self.served.items()},
                "seconds": round(time.monotonic() - self.began, 1),
                "problems": self.problems}

    # What was found.

    def problem(self, text):
        with self.lock:
            self.problems.append(text)

    def once(self, *key):
        with self.lock:
            new = key not in self.told
            self.told.add(key)
            return new

    def lost(self, number, box, why):
        if self.once("lost", number, box):
            self.losses += 1
            mail = self.ledger.mails.get(number)
            self.problem("LOST: mail %s of %s (%s, of row '%s'): %s" % (
                number, box, mail and mail.way, mail and mail.row, why))

    def doubled(self, mail, box, n):
        if self.once("doubled", mail.number, box, n):
            self.doubles += 1
            self.problem("DOUBLED: mail %d (%s, %s) of row '%s' is %d times "
                         "in %s; its client was told %s" % (
                             mail.number, mail.kind, mail.way, mail.row, n,
                             box, mail.outcomes[box]))

    def damaged(self, mail, box, message):
        self.damages += 1
        path = os.path.join(self.sandbox.top, "damaged.%d" % mail.number)
        with open(path, "wb") as f:
            f.write(message)
        self.problem("DAMAGED: mail %d of %s: %s" % (mail.number, box, path))

    def answered(self, seconds, by):
        """An answer, or the end instead of one, has taken so long."""
        with self.lock:
            self.longest = max(self.longest, (seconds, by))

    def judge_refusal(self, answer):
        """What POP3 may say to who does all as he should; an end too."""
        if answer.startswith("-ERR") and not answer.startswith(
                ("-ERR [SYS/TEMP]",) + ("-ERR [IN-USE]",) * self.exclusive):
            self.problem("POP3 says " + answer[:200])

    def told_451(self, mail, rcpt):
        """It is there although its client has only heard 451."""
        if self.once("451", mail.number, rcpt):
            self.stored_451 += 1

    def doubt_of(self, mail):
        return self.doubtful[mail.row]

    def may_log(self, line):
        return bool(self.expected and self.expected(line))

    # What a row does.

    def traffic(self, mails_=40, **options):
        return Traffic(self, mails_, **options)

    def traffic_ended(self, t):
        self.deferred += t.deferred
        self.unanswered += t.lost
        self.pop3_refused += t.pop3_refused
        self.pop3_ended += t.pop3_ended

    def flush(self):
        subprocess.run(
            ["postqueue", "-c", os.path.join(self.sandbox.dir, "etc",
                                             "postfix"), "-f"],
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def between(self):
        """The proxy between the daemons and the database."""
        if self.proxy:
            self.proxy.reset()
        else:
            self.proxy = Between(self)
        return self.proxy

    def arm(self, point, order, who=None):
        """At the next time that a daemon, or this one, comes to the fault
        point."""
        self.sandbox.fault(point, order, who=who)

    def hit(self, point, within=30):
        """Waits until somebody came there."""
        wait_until(lambda: self.sandbox.fault_hit(point), within,
                   "fault point %s" % point)

    def disarm(self):
        """A point that was never reached is the row's mistake."""
        points = self.sandbox.points
        for name in filter(points.armed, points.names()):
            points.disarm(name)
            self.problem("fault point %s was never reached" % name)

    def child(self, part):
        """The process that does the work of milter, lmtpd, authd; of pop3d
        the keeper."""
        found = children(self.sandbox.pid(part))
        return found[0] if found else None

    def wait_for_child(self, part, former=None, within=10):
        wait_until(lambda: self.child(part) not in (None, former), within,
                   "a child of %s" % part)
        return self.child(part)

    def rested(self, *parts):
        """A child that dies young is started again ever later: a row that
        kills one begins with one whose death is the first. Waiting takes
        longer than a new start of the daemon."""
        young = []
        for part in parts:
            child = self.child(part)
            if not child or age(child) < LIVED_LONG:
                young.append(part)
        if young:
            self.restart(*young)

    def restart(self, *parts):
        """An orderly stop and start."""
        self.sandbox.stop(*parts)
        self.sandbox.start_alone(*parts)

    def revive(self, part):
        """What the service manager does with a daemon that has died."""
        self.sandbox.stop(part)     # also ends what is left of its group
        self.deep |= part == "db"
        if part in OURS:
            self.over()     # the start is part of the five seconds
        self.sandbox.start_alone(part)

    def gone(self, part, below):
        """Whose parent has died ends by itself, when it has done what it was
        about."""
        try:
            wait_until(lambda: not any(map(self.alive, below)), 5)
        except AssertionError:
            self.problem("%s: processes live on without their parent: %s" % (
                part, [stat_of(p) for p in below]))

    def alive(self, pid):
        st = stat_of(pid)
        return bool(st) and st[1] != "Z"

    def processes(self, name):
        """The sandbox's Postfix processes of that name."""
        found = []
        for pid in children(self.sandbox.pid("postfix")):
            st = stat_of(pid)
            if st and st[0] == name and st[1] != "Z":
                found.append(pid)
        return found

    def kill(self, pid, sig=signal.SIGKILL):
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass

    # Mailboxes beside those of everyday traffic.

    CROWD = 2100        # mails, more than a page of the list

    def new_account(self):
        with self.lock:
            self.accounts += 1
            address = "new%d@example.test" % self.accounts
            self.boxes[address] = Box(self, address)
        self.sandbox.account(address)
        return address

    def crowd(self):
        """A mailbox with many mails, all of them the same."""
        if not self.crowded:
            self.crowded = "crowd@example.test"
            self.sandbox.account(self.crowded)
            with self.sandbox.lmtp() as l:
                l.send("ann@remote.test", [self.crowded], plain_mail("crowd"))
            self.sandbox.sql("""
                SELECT mailbox_id, MAX(content_id) INTO @box, @id FROM mail
                  JOIN mailbox USING (mailbox_id) WHERE address = '%s'
                  GROUP BY mailbox_id;
                INSERT INTO mail (mailbox_id, uid, content_id, trace, octets,
                                  uidl, sender, received_at)
                  SELECT @box, seq, @id, '', octets, CONCAT('u', seq), '',
                    NOW() FROM content, seq_2_to_%d WHERE content_id = @id;
                UPDATE content SET refs = refs + %d WHERE content_id = @id;
                UPDATE mailbox SET messages = messages + %d, octets =
                  (SELECT SUM(octets) FROM mail WHERE mailbox_id = @box)
                  WHERE mailbox_id = @box;""" % (
                      self.crowded, self.CROWD, self.CROWD - 1,
                      self.CROWD - 1))
        return self.crowded

    def patience(self, end=None):
        """When to give up; or, of that, whether it has not come."""
        return time.monotonic() + 60 if end is None \
            else time.monotonic() < end

    # Serving again.

    def over_in(self, seconds):
        """The fault ends by itself."""
        time.sleep(seconds)
        self.over()

    def over(self):
        """The fault is over: from now on the daemons have five seconds."""
        if self.over_at is not None:
            return
        self.over_at = time.monotonic()
        for name in SERVED:
            t = threading.Thread(target=self.probe, args=(name,), daemon=True)
            self.probes.append(t)
            t.start()

    def probe(self, name):
        """Asks until it is served."""
        works = getattr(self, "probe_" + name)
        while time.monotonic() < self.over_at + PROBE_MOST:
            try:
                if works():
                    self.served[name] = time.monotonic() - self.over_at
                    return
            except Failed as e:
                self.judge_refusal(e.answer)
            except OSError:
                pass
            time.sleep(PROBE_PAUSE)

    def probe_mail(self, way):
        mail = mails.Mail(self.ledger.number(), way, 1024, "id",
                          "ann@remote.test", [mails.PROBE], self.row_name)
        mail.once = mail.probe = True
        self.ledger.intend(mail)
        door = Door(self, way)
        outcomes, text = door.attempt(mail, mail.rcpts, SERVE_WITHIN * 2)
        self.ledger.reply(mail, outcomes, text)
        door.close()
        return outcomes[mails.PROBE] == "ok"

    def probe_smtp(self):
        return self.probe_mail("smtp")

    def probe_lmtp(self):
        return self.probe_mail("lmtp")

    def probe_auth(self):
        with self.sandbox.submission(timeout=SERVE_WITHIN * 2) as s:
            return s.auth_plain(mails.PROBE, PASSWORD).startswith("235")

    def probe_pop3(self):
        with Pop3(self.sandbox.env["MAILROW_POP3"],
                  timeout=SERVE_WITHIN * 2) as p:
            p.login(mails.PROBE)
            p.listing("UIDL")
            p.quit()
        return True

    def expect_serving(self):
        """All doors serve again, within five seconds of over()."""
        self.over()
        for t in self.probes:
            t.join(PROBE_MOST + 30)
        for name in SERVED:
            took = self.served.get(name)
            if took is None:
                self.problem("%s: no service after %d s" % (name, PROBE_MOST))
            elif took > self.serve_within[name]:
                self.problem("%s: served again after %.1f s" % (name, took))

    def expect(self, what, held):
        if not held:
            self.problem("not so: " + what)

    def is_full(self):
        return self.ledger.last > MOST_MAILS \
            or self.ledger.octets > MOST_OCTETS

    def close(self):
        if self.proxy:
            self.proxy.close()
        self.ledger.close()
        self.sandbox.remove()

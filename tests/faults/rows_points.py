"""Rows: each declared fault point (lib/fault.def) that a daemon meets, and
each order it can be given, while mail flows. The short form takes one point of
each daemon at a time to die, and several one after the other to be cut off
from the database, to fail and to stall."""

import contextlib
import os
import re
import signal
import socket
import threading
import time

import mails
from mrtest import PASSWORD, TOP, Failed, Pop3, wait_until
from rows import add_row
from traffic import Door

POINT = re.compile(r'^FAULT_POINT\((\w+), "([\w-]+)", ([\w |]+),\s*(\w+),',
                   re.MULTILINE)
DAEMONS = ("milter", "lmtpd", "authd", "parent", "session", "keeper")
HAVE_DATABASE = ("milter", "lmtpd", "authd", "keeper")
# the sandbox's part, and the clients that bring a daemon to its points
PARTS = {"parent": "pop3d", "session": "pop3d", "keeper": "pop3d"}
CLIENTS = {
    "milter": {"ways": {"smtp": 3}, "readers": 1},
    "lmtpd": {"ways": {"queue": 2, "lmtp": 1}, "readers": 1},
    "authd": {"ways": {"smtp": 1, "submission": 2}, "readers": 2},
    "parent": {"ways": {"smtp": 1}, "readers": 3},
    "session": {"ways": {"smtp": 2}, "readers": 3},
    "keeper": {"ways": {"smtp": 2}, "readers": 3},
}
ALL_CLIENTS = {"ways": {"smtp": 2, "queue": 1, "lmtp": 1, "submission": 1},
               "readers": 3}
# From here on the mail may be stored although its client hears 451.
STORED = re.compile(r"deliver-(plain-unread|commit-unread|committed)"
                    r"|intake-after|milter-(edit|before-reply)"
                    r"|lmtp-(forward|before|split|between|replied)")
# orders in one row of the short form
TOGETHER = {"cut": 8, "fail": 8, "stall": 12}
STALL = 300             # ms
STALL_LONG = 3000


def declared():
    """[(name, {daemons}, can fail)]"""
    with open(os.path.join(TOP, "lib", "fault.def")) as f:
        found = POINT.findall(f.read())
    return [(name, {w.strip().lower() for w in who.split("|")},
             can == "FAILS") for _, name, who, can in found]


# Points that everyday traffic does not come to.

def to_new_account(world, who, stale):
    """The first mail, or login, of an account; STALE: its name had another
    before."""
    address = world.new_account()
    if stale:
        world.sandbox.sql(
            "INSERT INTO mailbox (address, incarnation, created_at) VALUES"
            " ('%s', 'before', UTC_TIMESTAMP())" % address)
    if who == "keeper":
        with Pop3(world.sandbox.env["MAILROW_POP3"]) as p:
            p.login(address)
            p.quit()
        return
    deliver(world, who, address)


def deliver(world, who, address):
    """A mail, until it is there."""
    mail = mails.Mail(world.ledger.number(), "lmtp" if who == "lmtpd"
                      else "smtp", 1024, "id", "ann@remote.test", [address],
                      world.row_name)
    world.ledger.intend(mail)
    door = Door(world, mail.way)
    end = world.patience()
    while not mail.outcomes[address]["ok"] and world.patience(end):
        world.ledger.write("try", n=mail.number, rcpts=mail.rcpts)
        world.ledger.reply(mail, *door.attempt(mail, mail.rcpts))
    door.close()


def limited(world):
    """An account whose mails are counted."""
    if not hasattr(world, "limited"):
        world.limited = world.new_account()
        world.sandbox.sql("INSERT INTO policy_limit (subject, direction,"
                          " seconds, messages) VALUES ('%s', 'in', 60, 99999),"
                          " ('%s', 'out', 60, 99999)"
                          % (world.limited, world.limited))
    return world.limited


def to_counted(world, who, stale):
    deliver(world, who, limited(world))


def to_limited(world, who, stale):
    """A mail that is counted: to a mailbox, or by a login and stored by
    nobody here."""
    if who == "lmtpd":
        to_counted(world, who, stale)
        return
    limited(world)
    with world.sandbox.smtp() as s:
        said = s.auth_plain(world.limited, PASSWORD)
        if said[:3] != "235":
            raise Failed(said)
        s.send(world.limited, ["x@foreign.test"],
               b"Subject: counted\r\n\r\n")


def to_second_page(world, who, stale):
    """A mailbox whose list takes more than one answer."""
    with Pop3(world.sandbox.env["MAILROW_POP3"]) as p:
        p.login(world.crowd())
        n = len(p.listing("UIDL"))
        p.quit()
    world.expect("the long list is whole", n == world.CROWD)


def to_proxied(world, who, stale):
    """A client that a proxy hands on."""
    host, port = world.sandbox.env["MAILROW_POP3"].rsplit(":", 1)
    with socket.create_connection((host, int(port)), 20,
                                  ("127.0.0.17", 0)) as s:
        s.sendall(b"PROXY TCP4 192.0.2.7 127.0.0.1 4 110\r\nQUIT\r\n")
        while s.recv(100):
            pass


def to_connection(world, who, stale):
    """Postfix and the keeper stay with the connections to authd they have."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(os.path.join(world.sandbox.dir, "run", "auth", "auth"))
        s.recv(1000)


def to_last_logins(world, who, stale):
    """They are written once a minute, and when authd ends."""
    world.sandbox.smtp().auth_plain(mails.PROBE, PASSWORD)
    world.restart("authd")


STRANGERS = ("127.0.%d.%d" % (a, b) for a in range(20, 99)
             for b in range(1, 250))


def to_attackers(world, who, stale):
    """What is more than a mistyped password is told to other hosts within
    5 s. Each from elsewhere, since who guesses too often is refused, and the
    others' logins with him."""
    with Pop3(world.sandbox.env["MAILROW_POP3"], source=next(STRANGERS)) as p:
        for _ in range(3):
            with contextlib.suppress(Failed):
                p.login(mails.PROBE, "wrong %d" % world.ledger.number())


def account_with_mailbox(world):
    address = world.new_account()
    world.sandbox.sql("INSERT INTO mailbox (address, created_at) VALUES"
                      " ('%s', UTC_TIMESTAMP())" % address)
    return address


def to_renewal(world, who, stale):
    """A session that has its mailbox for itself until its lease is renewed,
    which comes within 20 s."""
    with Pop3(world.sandbox.env["MAILROW_POP3"]) as p:
        p.login(account_with_mailbox(world))
        end = time.monotonic() + 21
        while time.monotonic() < end and \
                world.sandbox.points.armed("lease-unread"):
            time.sleep(0.1)
        p.quit()


def to_lost_client(world, who, stale):
    """A session that has its mailbox for itself, and ends without QUIT."""
    with Pop3(world.sandbox.env["MAILROW_POP3"]) as p:
        p.login(account_with_mailbox(world))


def to_application(world, who, stale):
    """A login by a password of its own."""
    address = world.new_account()
    password = world.sandbox.tool("account", "app-password", "add", address,
                                  "phone").stdout.strip()
    with Pop3(world.sandbox.env["MAILROW_POP3"]) as p:
        p.login(address, password)
        p.quit()


def to_rejected(world, who, stale):
    """A recipient that is not there: noted at once, written within a second."""
    with world.sandbox.lmtp() if who == "lmtpd" \
            else world.sandbox.smtp() as s:
        s.cmd("MAIL FROM:<ann@remote.test>", "250")
        s.cmd("RCPT TO:<nobody@example.test>", "550")


SPECIAL = {"decision-note": (to_rejected, False),
           "decision-commit": (to_rejected, False),
           "decision-unread": (to_rejected, False),
           "box-made": (to_new_account, False),
           "box-life": (to_new_account, True),
           "box-life-unread": (to_new_account, True),
           "deliver-called": (to_counted, False),
           "limit-charge": (to_limited, False),
           "limit-begin": (to_limited, False),
           "limit-slot": (to_limited, False),
           "limit-commit": (to_limited, False),
           "limit-commit-unread": (to_limited, False),
           "limit-committed": (to_limited, False),
           "keeper-list": (to_second_page, False),
           "lease-unread": (to_renewal, False),
           "keeper-release": (to_lost_client, False),
           "auth-accepted": (to_connection, False),
           "auth-app-password": (to_application, False),
           "keeper-peer": (to_proxied, False),
           "session-proxy": (to_proxied, False),
           "lastlogin-commit": (to_last_logins, False),
           "lastlogin-unread": (to_last_logins, False),
           "attackers-commit": (to_attackers, False),
           "attackers-unread": (to_attackers, False)}


LEASED = ("keeper-lease", "keeper-release", "lease-taken", "lease-unread",
          "move-fence")


@contextlib.contextmanager
def as_they_need(world, names):
    """With pop3_exclusive, for the points that there are only with it."""
    if not set(names) & set(LEASED):
        yield
        return
    world.exclusive = True
    path = os.path.join(world.sandbox.dir, "etc", "mailrow", "conf.d",
                        "faults.conf")
    with open(path, "w") as f:
        f.write("pop3_exclusive = yes\n")
    world.sandbox.kill("pop3d", signal.SIGHUP)
    try:
        yield
    finally:
        os.unlink(path)
        world.sandbox.kill("pop3d", signal.SIGHUP)


class Feeders:
    """Brings daemons to points that everyday traffic does not meet, until
    somebody was there. A fault is what they are there for, so they try again;
    if it never comes, their last one is told."""

    def __init__(self, world, pairs):
        self.world, self.last = world, {}
        self.threads = [threading.Thread(target=self.feed, args=(who, name),
                                         daemon=True)
                        for who, name in pairs if name in SPECIAL]

    def feed(self, who, name):
        function, stale = SPECIAL[name]
        try:
            while self.world.sandbox.points.armed(name):
                try:
                    function(self.world, who, stale)
                except (Failed, OSError) as e:
                    self.last[name] = "%s to %s: %r" % (who, name, e)
                    self.judge(e)
        except Exception as e:
            self.world.problem("bringing %s to %s: %r" % (who, name, e))

    def judge(self, error):
        """A fault of ours is no reason to send anybody away for good."""
        if isinstance(error, Failed):
            self.world.judge_refusal(error.answer)
            if error.answer.startswith("5"):
                self.world.problem("a feeder was told: " + error.answer)

    def __enter__(self):
        for t in self.threads:
            t.start()

    def __exit__(self, *what):
        for name, last in list(self.last.items()):
            if self.world.sandbox.points.armed(name):
                self.world.problem("bringing " + last)
        for t in self.threads:
            t.join(60)


def order_of(action):
    return "stall %d" % (STALL if action == "stall" else STALL_LONG) \
        if action.startswith("stall") else action


def boxes_for(names):
    if any(n.startswith(("lmtp-forward", "milter-edit")) for n in names):
        return mails.BOXES + [mails.FORWARDED] * 2
    return None


def traffic(world, who, names):
    options = dict(CLIENTS.get(who, ALL_CLIENTS))
    return world.traffic(30, big=True, many=True, boxes=boxes_for(names),
                         **options)


def revive_parent(world):
    pid = world.sandbox.pid("pop3d")
    wait_until(lambda: not os.path.exists("/proc/%d/exe" % pid) or
               not world.alive(pid), 10, "the parent's death")
    world.revive("pop3d")


def arm(world, name, order, who):
    """Replies leave together, unless there is one after which they do not:
    only then is there something between two of them."""
    if name == "lmtp-between-replies":
        world.arm("lmtp-split-replies", "fail", who)
    world.arm(name, order, who)


def one_point(action, who, name):
    def fail(world):
        if action == "die" and who != "session":
            world.rested(PARTS.get(who, who))
        with as_they_need(world, [name]), \
                traffic(world, who, [name]) as t:
            t.flow(5)
            arm(world, name, order_of(action), who)
            with Feeders(world, [(who, name)]):
                world.hit(name, 40)
            if action == "die" and who == "parent":
                revive_parent(world)
            world.over_in(STALL_LONG / 1000 if "stall" in action else 0)
            t.flow(10)
    return fail


def volley(pairs):
    """One point of each daemon at the same time: they die."""
    def fail(world):
        world.rested(*{PARTS.get(w, w) for w, _ in pairs if w != "session"})
        names = [n for _, n in pairs]
        with as_they_need(world, names), traffic(world, "", names) as t:
            t.flow(5)
            for who, name in pairs:
                arm(world, name, "die", who)
            with Feeders(world, pairs):
                for who, name in pairs:
                    world.hit(name, 40)
                    if who == "parent":
                        revive_parent(world)
            world.over()
            t.flow(10)
    return fail


def series(action, who, names):
    """One after the other, in one daemon."""
    def fail(world):
        with as_they_need(world, names), traffic(world, who, names) as t:
            t.flow(5)
            for name in names:
                arm(world, name, order_of(action), who)
                with Feeders(world, [(who, name)]):
                    world.hit(name, 40)
            world.over_in(STALL / 1000 if action == "stall" else 0)
            t.flow(10)
    return fail


def orders(who, can_fail):
    found = ["die", "stall long"]
    if who in HAVE_DATABASE:
        found.append("cut")
    return found + (["fail"] if can_fail else [])


def in_doubt(action, names):
    """Who dies, or loses its connections, may have been in a COMMIT of
    another mail."""
    return action in ("die", "cut") or any(STORED.match(n) for n in names)


def facts_of(who):
    return {"milter": (4,), "lmtpd": (4,), "authd": (),
            "parent": (9,)}.get(who, (6, 7, 8))


SAYS = {"die": "killed", "stall": "stalled", "cut": "cut off from the database",
        "fail": "told that the step failed"}
NAMES = {"parent": "pop3d's parent", "session": "a POP3 session",
         "keeper": "the keeper"}


def add_single(points):
    for who in DAEMONS:
        for name, daemons, can_fail in points:
            if who not in daemons:
                continue
            for action in orders(who, can_fail):
                word = action.split()[0]
                add_row("%s: %s at %s" % (who, word, name), facts_of(who),
                        one_point(action, who, name), short=False,
                        doubt=in_doubt(action, [name]),
                        group="%s %s, at each of its points" % (
                            NAMES.get(who, who), SAYS[word]))


def add_volleys(points):
    """The shared points first in the one list and last in the other, so that
    they never meet: an order is for one of them."""
    def of(*daemons):
        return [(w, n) for w in daemons for n, d, _ in points if w in d]
    shared = {n for n, d, _ in points if "milter" in d and "lmtpd" in d}
    lists = [sorted(of("milter"), key=lambda p: p[1] not in shared),
             sorted(of("lmtpd"), key=lambda p: p[1] in shared),
             of("keeper", "session", "parent"), of("authd")]
    for i in range(max(len(l) for l in lists)):
        pairs = [l[i] for l in lists if i < len(l)]
        names = {}
        pairs = [p for p in pairs if names.setdefault(p[1], p) == p]
        add_row("die %02d: %s" % (i + 1, ", ".join(
            "%s %s" % (w, n) for w, n in pairs)), (4, 6, 7),
                volley(pairs), doubt=True, whole=False)


def add_series(points):
    for action in ("cut", "fail", "stall"):
        for who in DAEMONS:
            names = [n for n, daemons, can_fail in points if who in daemons
                     and (action != "fail" or can_fail)
                     and (action != "cut" or who in HAVE_DATABASE)]
            most = TOGETHER[action]
            for i in range(0, len(names), most):
                some = names[i:i + most]
                add_row("%s %s: %s" % (action, who, ", ".join(some)),
                        facts_of(who), series(action, who, some),
                        doubt=in_doubt(action, some), whole=False)


POINTS = declared()
add_single(POINTS)
add_volleys(POINTS)
add_series(POINTS)

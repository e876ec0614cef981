#!/usr/bin/env python3
"""The lost-mail walk: by each way in a hundred mails, a hundred rows, none
elsewhere. And a site with Dovecot beside us, where one address moves to us and
back under traffic."""

import os
import re
import shutil
import smtplib
import subprocess
import threading
import time

from mrtest import PASSWORD, SandboxTest, mail, main, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
ANN = "ann@remote.test"
MAILS = 100
MARK = re.compile(rb"^Subject: walk (\S+)\r?$", re.M)


def marked(way, n):
    return mail("walk %s-%03d" % (way, n))


def marks(texts):
    """The marks of these mails, each once for each mail; a bounce carries the
    mark of the mail it returns."""
    found = []
    for text in texts:
        m = MARK.search(text)
        if m:
            found.append(m.group(1).decode())
    return found


class Walk(SandboxTest):
    CONF = ("mta_domains = mx.example.test",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.account("carol@example.test")
        tool = cls.sandbox.tool
        tool("alias", "add", "list@example.test", ALICE, BOB,
             "carol@example.test")
        tool("alias", "add", "away@example.test", "x@foreign.test")
        tool("alias", "add", "both@example.test", BOB, "x@foreign.test")

    def rows(self, user):
        return sorted(m for m in marks(self.sandbox.mails(user)))

    def settle(self, way, **where):
        """Each mail of this way is where it belongs, once, and nowhere
        else; nothing waits; the store is whole."""
        self.sandbox.wait_for_queue()
        wanted = ["%s-%03d" % (way, i) for i in range(MAILS)]

        def count():
            found = {u: [m for m in self.rows(u + "@example.test")
                         if m.startswith(way + "-")]
                     for u in ("alice", "bob", "carol")}
            found["sink"] = sorted(m for m in marks(self.sandbox.sunk())
                                   if m.startswith(way + "-"))
            return found
        wait_until(lambda: len(count()["sink"]) >=
                   (MAILS if "sink" in where else 0), what="the sink")
        for place, found in count().items():
            self.assertEqual(found, wanted if place in where else [],
                             (way, place))
        self.sandbox.check_store()

    def by_smtp(self, way, recipient, door=None, login=None):
        with (door or self.sandbox.smtp)() as s:
            if login:
                s.starttls()
                s.auth_plain(login, PASSWORD)
            for i in range(MAILS):
                s.send(login or ANN, [recipient], marked(way, i))

    def test_port_25(self):
        self.by_smtp("port25", ALICE)
        self.settle("port25", alice=True)

    def test_submission(self):
        self.by_smtp("submission", BOB, self.sandbox.submission, ALICE)
        self.settle("submission", bob=True)

    def test_sendmail(self):
        for i in range(MAILS):
            self.sandbox.sendmail(ANN, [ALICE],
                                  marked("sendmail", i).replace(b"\r\n",
                                                                b"\n"))
        self.settle("sendmail", alice=True)

    def test_bounces(self):
        """What Postfix writes itself: the sender's own mail comes back."""
        for i in range(MAILS):
            self.sandbox.sendmail(ALICE, ["nobody@example.test"],
                                  marked("bounce", i).replace(b"\r\n",
                                                              b"\n"))
        self.settle("bounce", alice=True)

    def test_a_list(self):
        self.by_smtp("list", "list@example.test")
        self.settle("list", alice=True, bob=True, carol=True)

    def test_a_forward(self):
        self.by_smtp("forward", "away@example.test")
        self.settle("forward", sink=True)

    def test_a_forward_with_a_copy(self):
        self.by_smtp("both", "both@example.test")
        self.settle("both", bob=True, sink=True)

    def test_a_forward_by_sendmail(self):
        for i in range(MAILS):
            self.sandbox.sendmail(ANN, ["both@example.test"],
                                  marked("sendboth", i).replace(b"\r\n",
                                                                b"\n"))
        self.settle("sendboth", bob=True, sink=True)

    def test_reinjection(self):
        """The port where a filter brings mail back: no milter, then LMTP."""
        host, port = self.sandbox.env["MAILROW_FORWARD"].split(":")
        with smtplib.SMTP(host, int(port)) as s:
            for i in range(MAILS):
                s.sendmail(ANN, [ALICE], marked("reinjected", i))
        self.settle("reinjected", alice=True)

    def test_lmtp(self):
        with self.sandbox.lmtp() as s:
            for i in range(MAILS):
                s.send(ANN, [ALICE, "list@example.test"], marked("lmtp", i))
        self.settle("lmtp", alice=True, bob=True, carol=True)


DOVECOT = """
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = lmtp
ssl = no
mail_location = maildir:{d}/mail/%n
first_valid_uid = 1
postmaster_address = postmaster@example.test
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={d}/mail/%n allow_all_users=yes
}}
service lmtp {{
  unix_listener {d}/lmtp {{
    mode = 0666
  }}
}}
"""


class Dovecot:
    """A private one that takes mail by LMTP into Maildirs."""

    def __init__(self, top):
        self.dir = os.path.join(top, "dovecot")
        nobody = 65534
        os.makedirs(os.path.join(self.dir, "mail"))
        os.chown(os.path.join(self.dir, "mail"), nobody, nobody)
        conf = os.path.join(self.dir, "dovecot.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(DOVECOT.format(d=self.dir, uid=nobody))
        self.process = subprocess.Popen(["dovecot", "-F", "-c", conf])
        wait_until(lambda: os.path.exists(self.socket()), what="Dovecot")

    def socket(self):
        return os.path.join(self.dir, "lmtp")

    def marks(self, user):
        box = os.path.join(self.dir, "mail", user, "new")
        texts = []
        for name in os.listdir(box) if os.path.isdir(box) else ():
            with open(os.path.join(box, name), "rb") as f:
                texts.append(f.read())
        return marks(texts)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class BesideDovecot(SandboxTest):
    """Dovecot keeps the site; we have what the table served names."""

    CONF = ("default_mode = pass",)
    PHASES = ("pass", "mirror", "store", "pass")
    SETTLED = 1.2       # seconds after which a change counts everywhere

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s = cls.sandbox
        cls.dovecot = Dovecot(s.top)
        cls.addClassCleanup(cls.dovecot.stop)
        # packaging/postfix/mailrow-transport.cf, with the sandbox's sockets
        name = os.path.join(s.dir, "etc", "postfix", "mailrow-transport.cf")
        with open(name, "w", encoding="ascii") as f:
            f.write("hosts = unix:%s\nuser = postfix\npassword =\n"
                    "dbname = mailrow\nquery = SELECT CASE mode WHEN 'store'"
                    " THEN 'lmtp:unix:%s' ELSE ':' END FROM served"
                    " WHERE name = '%%s'\n" % (s.env["MAILROW_DB_SOCKET"],
                                               s.env["MAILROW_LMTP"]))
        s.sql("GRANT SELECT ON served TO postfix@localhost")
        s.postconf("virtual_transport = lmtp:unix:" + cls.dovecot.socket(),
                   "transport_maps = mysql:" + name)

    def traffic(self, n, door):
        """Sends mails until told to stop; notes when each was taken."""
        i = 0
        while not self.stop.is_set():
            mark = "%s%d-%04d" % (door, n, i)
            i += 1
            m = mail("walk " + mark)
            begun = time.monotonic()
            if door == "smtp":
                with self.sandbox.smtp() as s:
                    s.send(ANN, [ALICE, BOB], m)
                time.sleep(0.03)
            else:
                self.sandbox.sendmail(ANN, [ALICE],
                                      m.replace(b"\r\n", b"\n"))
                time.sleep(0.1)
            with self.lock:
                self.sent.append((mark, begun, time.monotonic()))

    def test_one_address_moves_to_us_and_back_under_traffic(self):
        self.stop, self.lock, self.sent = threading.Event(), \
            threading.Lock(), []
        threads = [threading.Thread(target=self.traffic, args=(n, door))
                   for n in range(3) for door in ("smtp", "sendmail")]
        changes = []
        for t in threads:
            t.start()
        try:
            for mode in self.PHASES:
                self.sandbox.tool("serve", ALICE, mode)
                changes.append((mode, time.monotonic()))
                time.sleep(self.SETTLED + 2)
        finally:
            self.stop.set()
            for t in threads:
                t.join()
        self.sandbox.wait_for_queue()
        self.check(changes)

    def check(self, changes):
        ours = marks(self.sandbox.mails(ALICE))
        theirs = self.dovecot.marks("alice")
        bobs = self.dovecot.marks("bob")
        self.assertEqual(self.sandbox.mails(BOB), [])
        self.assertEqual(len(ours), len(set(ours)), "doubles of ours")
        self.assertEqual(len(theirs), len(set(theirs)), "doubles of theirs")
        seen = set()
        for mark, begun, taken in self.sent:
            self.assertTrue(mark in ours or mark in theirs,
                            mark + " is lost")
            if not mark.startswith("smtp"):
                continue
            self.assertEqual(bobs.count(mark), 1, mark)
            mode = self.mode_of(changes, begun, taken)
            where = (mark in ours, mark in theirs)
            # what Postfix queued may reach its transport after the next
            # change; what we have stored is stored
            if mode in ("mirror", "store"):
                self.assertIn(mark, ours, mode)
            if mode == "store":
                self.assertNotIn(mark, theirs)
            if mode and where == (mode != "pass", mode != "store"):
                seen.add(mode)
        self.assertEqual(seen, set(self.PHASES))
        self.sandbox.check_store()

    def mode_of(self, changes, begun, taken):
        """None: too near to a change."""
        for i, (mode, since) in enumerate(changes):
            until = changes[i + 1][1] if i + 1 < len(changes) else 1e12
            if since + self.SETTLED < begun and taken < until:
                return mode
        return None


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""One allocation fails, the first, the second ... of a delivery by SMTP, of
one by LMTP, of a POP3 session: whoever asked is told the truth, nothing is
lost or doubled, no daemon dies of it. With MAILROW_NOMEM_ALL every single one,
else a sample."""

import itertools
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]

from mrtest import (PASSWORD, TOP, Failed, Sandbox,  # noqa: E402
                    SandboxTest, children, mail, main, wait_until)
from nomem import NEVER, Nomem, locate  # noqa: E402

BUILD = os.environ.get("MAILROW_BUILD", TOP)
SHIM = os.path.join(BUILD, "tests", "faults", "nomem.so")
WHOLE = bool(os.environ.get("MAILROW_NOMEM_ALL"))
SAMPLE = 14
ALICE, BOB = "alice@example.test", "bob@example.test"
LIST = "list@example.test"
EVE = "eve@remote.test"
PROGRAMS = {os.path.basename(p): os.path.join(BUILD, p) for p in (
    "milter/mailrow-milter", "lmtpd/mailrow-lmtpd", "auth/mailrow-authd",
    "pop3d/mailrow-pop3d")}
LOST = (Failed, OSError)
BIG = (b"0123456789" * 90 + b"\r\n") * 1500


def in_the_library(frames, place):
    """libmariadb's mysql_real_connect() does not look at two of its own
    allocations: there nothing but restarting helps."""
    return frames[0][0].startswith("libmariadb.so") and \
        "< dial dbconn.c" in place


class Trials(SandboxTest):
    CONF = ("deliver_timeout = 5s", "auth_failure_delay = 0s",
            "auth_workers = 1", "keeper_workers = 1")
    sample = SAMPLE

    @classmethod
    def setUpClass(cls):
        cls.path = "/tmp/nomem.%d" % os.getpid()
        cls.nomem = Nomem(cls.path)
        cls.sandbox = Sandbox(conf=cls.CONF, env={
            "MAILROW_UNDER": "env LD_PRELOAD=%s MAILROW_NOMEM=%s" % (
                SHIM, cls.path)})
        for user in (ALICE, BOB):
            cls.sandbox.account(user)
        for target in (ALICE, "x@foreign.test"):
            cls.sandbox.sql("INSERT INTO alias VALUES ('%s', '%s',"
                            " UTC_TIMESTAMP())" % (LIST, target))
        cls.sandbox.postconf("smtpd_error_sleep_time = 0")
        with cls.sandbox.smtp() as s:
            s.send(EVE, [ALICE, BOB], mail("first"))

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        os.unlink(cls.path)

    def setUp(self):
        super().setUp()
        self.before = self.workers()

    def worker(self, part):
        """Who serves; of pop3d, the keeper."""
        found = children(self.sandbox.pid(part))
        return found[0] if found else None

    def workers(self):
        return {p: (self.sandbox.pid(p), self.worker(p))
                for p in ("milter", "lmtpd", "authd", "pop3d")}

    def died(self):
        """Whose process is another one now; it begins anew, since who dies
        often is started again ever later."""
        found = []
        for part, pids in self.workers().items():
            if pids == self.before[part]:
                continue
            found.append(part)
            self.sandbox.stop(part)
            self.sandbox.start()
            wait_until(lambda p=part: self.worker(p), what="a worker")
        self.before = self.workers()
        return found

    def cold(self, user):
        """The database user's connections to the database are gone."""
        for row in self.sandbox.sql(
                "SELECT id FROM information_schema.processlist WHERE user ="
                " '%s'" % user):
            self.sandbox.sql("KILL %s" % row[0])

    def count(self, session, prepare, who):
        """How many allocations one session makes."""
        prepare()
        session()
        prepare()
        self.nomem.arm(NEVER, **who())
        session()
        return NEVER - self.nomem.disarm()

    def numbers(self, n):
        """Which are to fail. Of all there is no end but a session that goes
        through untouched."""
        if WHOLE:
            return itertools.count(1)
        return sorted({1 + i * n // self.sample
                       for i in range(self.sample)})

    def try_one(self, n, trial, prepare, who):
        """What went wrong, or an empty text; and where memory failed. The
        trial disarms when it has had its failure, or none."""
        prepare()
        self.nomem.arm(n, **who())
        try:
            text = trial() or ""
        except Exception as e:
            text = repr(e)
        if not self.nomem.failed:
            return text, ""
        frames = self.nomem.where()
        place = locate(frames, PROGRAMS)
        died = self.died()
        if died and in_the_library(frames, place):
            self.library_deaths += 1
        elif died:
            text += "; died: %s" % died
        return text, place

    def trials(self, session, trial, who, prepare=lambda: None):
        """trial() with one failure each; it says what is wrong, if it is."""
        most = self.count(session, prepare, who)
        wrong, failed, untouched = {}, 0, 0
        self.library_deaths = 0
        for n in self.numbers(most):
            text, place = self.try_one(n, trial, prepare, who)
            if text:
                wrong.setdefault(place, "%d: %s" % (n, text))
            failed += bool(place)
            untouched = 0 if place else untouched + 1
            if WHOLE and untouched == 3:
                break
        self.sandbox.check_store()
        print("%s: %d allocations, %d failed, %d deaths in the library" % (
            self.id().split(".")[-1], most, failed, self.library_deaths),
            flush=True)
        self.assertGreater(failed, min(most, self.sample) // 2)
        if wrong:
            self.fail("%d places:\n%s" % (len(wrong), "\n".join(
                "%s\n    %s" % (w, p) for p, w in wrong.items())))


class Mail(Trials):
    def copies(self, user):
        return int(self.sandbox.sql(
            "SELECT COUNT(*) FROM mail JOIN mailbox USING (mailbox_id)"
            " WHERE address = '%s'" % user)[0][0])

    def smtp(self, message, rcpts):
        with self.sandbox.smtp() as s:
            return s.send(EVE, rcpts, message)

    def lmtp(self, message, rcpts):
        with self.sandbox.lmtp() as l:
            l.send(EVE, rcpts, message)
            l.cmd("QUIT", "221")

    def accepted(self, send, message, rcpts):
        """Who died of it takes a moment to come back."""
        try:
            send(message, rcpts)
        except LOST:
            return False
        return True

    def deliver(self, send, rcpts, users, body):
        """One mail, sent again while it is deferred."""
        message = mail("nomem", body)
        before = [self.copies(u) for u in users]
        accepted = False
        try:
            send(message, rcpts)
            accepted = True
        except LOST as e:
            answers = [l for l in str(e).splitlines() if l[:1] == "5"]
            if answers:
                return "our trouble is told as the sender's: %s" % answers
        self.nomem.disarm()
        now = [self.copies(u) for u in users]
        if accepted and now != [b + 1 for b in before]:
            # a recipient that libmilter did not show us stays with Postfix
            self.sandbox.wait_for_queue()
        if not accepted:
            wait_until(lambda: self.accepted(send, message, rcpts),
                       what="the retry")
        now = [self.copies(u) for u in users]
        if now != [b + 1 for b in before]:
            return "in the end stored %s" % [
                n - b for n, b in zip(now, before)]
        if not all(self.newest(u).endswith(message) for u in users):
            return "stored is not what was sent"
        return None

    def newest(self, user):
        with self.sandbox.pop3(user) as p:
            return p.retr(p.stat()[0])

    def go(self, send, part, rcpts, users, body=b"hello\r\n", cold=None):
        self.trials(lambda: send(mail("count", body), rcpts),
                    lambda: self.deliver(send, rcpts, users, body),
                    prepare=lambda: cold and self.cold(cold),
                    who=lambda: {"only": self.worker(part)})

    def test_smtp(self):
        self.go(self.smtp, "milter", [ALICE], [ALICE])

    def test_smtp_of_a_big_mail_for_two(self):
        self.go(self.smtp, "milter", [ALICE, BOB], [ALICE, BOB], BIG)

    def test_smtp_with_an_alias(self):
        """Every one: at the macros of the second recipient it matters."""
        self.sample = 100
        self.go(self.smtp, "milter", [BOB, LIST], [ALICE, BOB])

    def test_smtp_with_an_alias_and_new_connections(self):
        self.go(self.smtp, "milter", [BOB, LIST], [ALICE, BOB],
                cold="mailrow-milter")

    def test_lmtp(self):
        self.go(self.lmtp, "lmtpd", [ALICE], [ALICE])

    def test_lmtp_of_a_big_mail_for_two(self):
        self.go(self.lmtp, "lmtpd", [ALICE, BOB], [ALICE, BOB], BIG)

    def test_lmtp_with_a_hand_on_and_new_connections(self):
        self.go(self.lmtp, "lmtpd", [BOB, LIST], [ALICE, BOB],
                cold="mailrow-lmtp")


class Fetching(Trials):
    """What a session says is true or it is nothing."""

    def fill(self):
        """Two mails in the mailbox, known by their octets."""
        have = self.rows()
        with self.sandbox.smtp() as s:
            for _ in range(2 - len(have)):
                s.send(EVE, [ALICE], mail("nomem"))
        self.fetch(delete=False)
        self.truth = self.said

    def rows(self):
        return [r[0] for r in self.sandbox.sql(
            "SELECT uid FROM mail JOIN mailbox USING (mailbox_id)"
            " WHERE address = '%s' ORDER BY uid" % ALICE)]

    def fetch(self, delete=True):
        """One session; +OK to QUIT or not."""
        self.said = []
        with self.sandbox.pop3() as p:
            p.cmd("CAPA")
            p.body()
            p.login(ALICE)
            for ask in (p.stat, p.listing, lambda: p.listing("UIDL"),
                        lambda: p.retr(1), lambda: p.multi("TOP 2 1")):
                self.said.append(ask())
            if delete:
                p.cmd("DELE 1")
            p.quit()

    def trial(self):
        """A mail too few, or another one, a wrong password: that would be
        lies."""
        before, ok = self.rows(), False
        try:
            self.fetch()
            ok = True
        except LOST as e:
            if "[AUTH]" in str(e) or "nothing" in str(e):
                return "a lie: %s" % e
        self.nomem.disarm()
        after = self.rows()
        if self.said != self.truth[:len(self.said)]:
            return "%s is told as %s" % (self.truth, self.said)
        if ok and after != before[1:]:
            return "+OK, and of %s are left %s" % (before, after)
        if not ok and after not in (before, before[1:]):
            return "of %s are left %s" % (before, after)
        with self.sandbox.pop3(ALICE) as p:
            if p.stat()[0] != len(after):
                return "later it is %d mails" % p.stat()[0]
            p.quit()
        return None

    def prepared(self, user=None):
        def prepare():
            self.fill()
            if user:
                self.cold(user)
        return prepare

    def go(self, part, cold=None):
        self.trials(self.fetch, self.trial, prepare=self.prepared(cold),
                    who=lambda: {"only": self.worker(part)})

    def test_session(self):
        self.trials(self.fetch, self.trial, prepare=self.fill, who=lambda: {
            "spared": [p for pair in self.before.values() for p in pair]})

    def test_keeper(self):
        self.go("pop3d")

    def test_keeper_with_new_connections(self):
        self.go("pop3d", "mailrow-pop3")

    def test_authd(self):
        self.go("authd")

    def test_authd_with_new_connections(self):
        self.go("authd", "mailrow-auth")


class Login(Trials):
    def login(self):
        with self.sandbox.submission() as s:
            s.starttls()
            answer = s.auth_plain(ALICE, PASSWORD)
            if not answer.startswith("235"):
                raise Failed(answer)

    def trial(self):
        try:
            self.login()
        except LOST as e:
            if str(e).startswith("5"):
                return "a lie: %s" % e
            self.nomem.disarm()
            self.login()
        return None

    def test_smtp_auth(self):
        self.trials(self.login, self.trial,
                    who=lambda: {"only": self.worker("authd")})


class Relay(Trials):
    """Who has logged in is never taken for one who has not."""
    sample = 150        # every one

    def ask(self):
        with self.sandbox.submission() as s:
            s.starttls()
            s.auth_plain(ALICE, PASSWORD)
            for _ in range(2):
                s.envelope(ALICE, ["x@foreign.test"])
                s.cmd("RSET", "250")

    def trial(self):
        try:
            self.ask()
        except LOST as e:
            if str(e).startswith("5"):
                return "a lie: %s" % e
            self.nomem.disarm()
            wait_until(self.asked, what="the retry")
        return None

    def asked(self):
        try:
            self.ask()
            return True
        except LOST:
            return False

    def test_smtp(self):
        self.trials(self.ask, self.trial,
                    who=lambda: {"only": self.worker("milter")})


if __name__ == "__main__":
    main()

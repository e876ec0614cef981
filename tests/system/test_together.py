#!/usr/bin/env python3
"""Several things at once: one mailbox, restarts under load, and many mails."""

import os
import random
import re
import shutil
import signal
import tempfile
import threading
import time

from mrtest import Failed, Sandbox, SandboxTest, mail, main, stored_part

ALICE, BOB = "alice@example.test", "bob@example.test"
EVE = "eve@remote.test"
# A sanitized build runs under the same load, where one is given.
MAILS = int(os.environ.get("MAILROW_LOAD", "1000"))
CONNECTIONS = 16


class Worker(threading.Thread):
    """A thread whose exception is the test's."""

    def __init__(self, work, *args):
        super().__init__()
        self.work, self.args, self.error = work, args, None
        self.start()

    def run(self):
        try:
            self.work(*self.args)
        except Exception as e:
            self.error = e


def finish(workers):
    for w in workers:
        w.join()
    for w in workers:
        if w.error:
            raise w.error


class OneMailbox(SandboxTest):
    def test_deliveries_a_quit_and_a_second_session_at_once(self):
        seen, stop = [], threading.Event()

        def deliver(label, count):
            with self.sandbox.smtp() as s:
                for i in range(count):
                    s.send(EVE, [ALICE, BOB] if i % 3 else [ALICE],
                           mail("%s-%d" % (label, i)))

        def fetch():
            """Takes what is there, as a client that leaves nothing."""
            while not stop.is_set():
                with self.sandbox.pop3(ALICE) as p:
                    uidls = p.listing("UIDL")
                    for i in range(len(uidls)):
                        seen.append((uidls[i][1], p.retr(i + 1)))
                        p.cmd("DELE %d" % (i + 1))
                    p.quit()

        def look():
            """A second session: its list may not move under its feet."""
            while not stop.is_set():
                with self.sandbox.pop3(ALICE) as p:
                    uidls = p.listing("UIDL")
                    sizes = [int(r[1]) for r in p.listing()]
                    for i in random.sample(range(len(sizes)),
                                           min(3, len(sizes))):
                        try:
                            got = p.retr(i + 1)
                        except Failed as gone:
                            self.fail("a listed mail vanished: %s" % gone)
                        self.assertEqual(len(got), sizes[i])
                    self.assertEqual(p.listing("UIDL"), uidls)
                    p.quit()

        watchers = [Worker(fetch), Worker(look)]
        finish([Worker(deliver, "a", 60), Worker(deliver, "b", 60)])
        stop.set()
        finish(watchers)
        with self.sandbox.pop3(ALICE) as p:
            for i, row in enumerate(p.listing("UIDL")):
                seen.append((row[1], p.retr(i + 1)))
        subjects = [re.search(rb"Subject: (\S+)", m)[1].decode()
                    for _, m in seen]
        wanted = ["%s-%d" % (label, i) for label in "ab" for i in range(60)]
        self.assertEqual(sorted(subjects), sorted(wanted))
        self.assertEqual(len(set(u for u, _ in seen)), len(seen))
        for label in "ab":      # each sender's mails in the order sent
            own = [s for s in subjects if s.startswith(label)]
            self.assertEqual(own, ["%s-%d" % (label, i) for i in range(60)])
        # a number that was given is used: mail and trash have no gap
        rows = [int(r[0]) for r in self.sandbox.sql(
            "SELECT uid FROM mailbox JOIN mail USING (mailbox_id)"
            " WHERE address = '%s' UNION ALL SELECT uid FROM mailbox JOIN"
            " trash USING (mailbox_id) WHERE address = '%s' ORDER BY 1"
            % (ALICE, ALICE))]
        self.assertEqual(rows, list(range(rows[0], rows[0] + 120)))
        self.assertEqual(len(self.sandbox.mails(BOB)), 80)
        self.sandbox.check_store()

    def test_rule_35_two_sessions_delete_the_same_mail(self):
        self.sandbox.empty(BOB)
        with self.sandbox.smtp() as s:
            for i in range(4):
                s.send(EVE, [BOB], mail("shared-%d" % i))
        with self.sandbox.pop3(BOB) as p, self.sandbox.pop3(BOB) as q:
            for n in (1, 2):
                p.cmd("DELE %d" % n)
            for n in (2, 3):
                q.cmd("DELE %d" % n)
            p.quit()
            self.assertTrue(q.retr(1))      # gone, but listed: still readable
            q.quit()
        left = [re.search(rb"Subject: (\S+)", m)[1]
                for m in self.sandbox.mails(BOB)]
        self.assertEqual(left, [b"shared-3"])
        self.sandbox.check_store()


class RestartsUnderLoad(SandboxTest):
    def test_daemons_restarted_under_load_lose_and_double_nothing(self):
        accepted, stop = [], threading.Event()
        lock = threading.Lock()

        def client(n):
            """Sends, and sends the same again after any failure."""
            i = 0
            while not stop.is_set():
                subject = "load-%d-%d" % (n, i)
                message = mail(subject, b"x" * 3000 + b"\r\n")
                i += 1
                self.send_until_taken(message)
                with lock:
                    accepted.append(subject)

        def reader():
            while not stop.is_set():
                try:
                    with self.sandbox.pop3(BOB) as p:
                        p.stat()
                        p.quit()
                except (Failed, OSError):
                    time.sleep(0.05)

        workers = [Worker(client, n) for n in range(4)] + [Worker(reader)]
        try:
            for part in ("milter", "authd", "pop3d", "milter", "db"):
                time.sleep(0.7)
                self.sandbox.kill(part, signal.SIGTERM)
                self.sandbox.stop(part)
                self.sandbox.start()
            time.sleep(0.7)
        finally:
            stop.set()
        finish(workers)
        subjects = [re.search(rb"Subject: (\S+)", m)[1].decode()
                    for m in self.sandbox.mails(ALICE)]
        self.assertGreater(len(accepted), 20)
        self.assertEqual(sorted(subjects), sorted(accepted))
        self.sandbox.check_store()

    def send_until_taken(self, message):
        for _ in range(400):
            try:
                with self.sandbox.smtp() as s:
                    s.send(EVE, [ALICE], message)
                return
            except (Failed, OSError) as e:
                if isinstance(e, Failed) and e.answer.startswith("5"):
                    raise
                time.sleep(0.05)
        raise AssertionError("never accepted")

    def test_killed_daemons_lose_and_double_nothing(self):
        self.sandbox.empty(ALICE)
        accepted, stop = [], threading.Event()

        def client():
            i = 0
            while not stop.is_set():
                subject = "kill-%d" % i
                i += 1
                self.send_until_taken(mail(subject))
                accepted.append(subject)

        worker = Worker(client)
        try:
            for part in ("milter", "authd", "db", "pop3d", "milter"):
                time.sleep(0.5)
                self.sandbox.kill(part)
                self.sandbox.stop(part)
                self.sandbox.start()
            time.sleep(0.5)
        finally:
            stop.set()
        finish([worker])
        subjects = [re.search(rb"Subject: (\S+)", m)[1].decode()
                    for m in self.sandbox.mails(ALICE)]
        self.assertEqual(subjects, accepted)
        self.sandbox.check_store()


class ManyMails(SandboxTest):
    def test_many_mails_at_sixteen_connections(self):
        self.load(self.sandbox)

    def test_the_same_under_sanitizers(self):
        build = os.environ.get("MAILROW_ASAN_BUILD")
        if not build:
            self.skipTest("MAILROW_ASAN_BUILD is not set")
        box = Sandbox(build=build)
        box.account(ALICE)
        box.account(BOB)
        self.load(box)
        box.stop("pop3d", "milter", "authd")    # leaks are told at the end
        for word in ("AddressSanitizer", "LeakSanitizer", "runtime error"):
            self.assertNotIn(word, box.our_log())
        box.remove()

    def test_the_same_under_valgrind(self):
        logs = tempfile.mkdtemp(prefix="mrt.", dir="/tmp")
        os.chmod(logs, 0o777)
        self.addCleanup(shutil.rmtree, logs)
        # valgrind makes system calls of its own
        box = Sandbox(conf=["sandbox = no"], env={
            "MAILROW_UNDER": "valgrind -q --vgdb=no --trace-children=yes"
                             " --leak-check=full --show-leak-kinds=definite"
                             " --log-file=%s/%%p" % logs})
        box.account(ALICE)
        box.account(BOB)
        self.load(box)
        box.stop("pop3d", "milter", "authd")    # leaks are told at the end
        for name in os.listdir(logs):
            with open(os.path.join(logs, name), encoding="utf-8") as f:
                # errors begin with "=="; "--" is about valgrind itself,
                # which does not know mlock2()
                self.assertEqual([l for l in f if not l.startswith("--")], [])
        self.assertGreater(len(os.listdir(logs)), 6)
        box.remove()

    def load(self, box):
        sent, lock = {}, threading.Lock()
        users = ["u%02d@example.test" % i for i in range(20)]
        hashed = box.sql("SELECT password FROM account LIMIT 1")[0][0]
        box.sql("".join(
            "INSERT INTO account (address, domain, password, created_at)"
            " VALUES ('%s', 'example.test', '%s', UTC_TIMESTAMP());"
            % (u, hashed) for u in users))

        def client(n):
            r = random.Random(n)
            with box.smtp() as s:
                for i in range(n, MAILS, CONNECTIONS):
                    body = bytes(r.choice(b"abc .\n\xe4") for _ in range(
                        r.choice((10, 500, 4000)))).replace(b"\n", b"\r\n")
                    with lock:
                        message = mail("n-%d" % i, body + b"\r\n")
                        sent["n-%d" % i] = (users[i % 20], message)
                    s.send(EVE, [users[i % 20]], message)

        start = time.monotonic()
        finish([Worker(client, n) for n in range(CONNECTIONS)])
        print("%d mails in %.1f s" % (MAILS, time.monotonic() - start))
        self.assertEqual(box.number("SELECT COUNT(*) FROM mail"), MAILS)
        found = 0
        for user in users:
            for got in box.mails(user):
                subject = re.search(rb"Subject: (\S+)", got)[1].decode()
                self.assertEqual(sent[subject][0], user)
                self.assertTrue(stored_part(got) == sent[subject][1],
                                "%s differs" % subject)
                found += 1
        self.assertEqual(found, MAILS)
        box.check_store()
        for line in box.our_log().splitlines():
            if "sandbox = no" not in line:
                self.assertNotRegex(line, r"\b(warning|error|fatal|panic):",
                                    line)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What is deleted, comes back, goes for good, or is written to files."""

import json
import mailbox
import os
import pty
import subprocess
import tempfile
import threading
import time

from mrtest import (SCRIPT, SandboxTest, digest, mail, main, stored_part,
                    wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"


class Base(SandboxTest):
    def setUp(self):
        super().setUp()
        self.clear()

    def clear(self):
        for table in ("mail", "trash", "content", "chunk", "receipt",
                      "purge_step"):
            self.sandbox.sql("DELETE FROM " + table)
        self.sandbox.sql("DELETE FROM mailbox WHERE address IS NULL;"
                         "UPDATE mailbox SET messages = 0, octets = 0,"
                         " gone_since = NULL")

    def json(self, *args, code=0):
        r = self.sandbox.tool("--json", *args, check=False)
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        return json.loads(r.stdout)

    def purge(self, *args, code=0):
        return self.json("purge", *args, code=code)["purge"][0]

    def send(self, *recipients, subject="x", body=b"hello\r\n"):
        m = mail(subject, body)
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", recipients or [ALICE], m)
        return m

    def delete(self, user=ALICE):
        self.sandbox.empty(user)

    def age(self, days, table="trash", column="deleted_at", where="1"):
        self.sandbox.sql("UPDATE %s SET %s = UTC_TIMESTAMP() - INTERVAL %d"
                         " HOUR WHERE %s" % (table, column, int(days * 24),
                                             where))

    def count(self, table, where="1"):
        return self.sandbox.number("SELECT COUNT(*) FROM %s WHERE %s"
                                   % (table, where))

    def fails(self, code, text, *args):
        r = self.sandbox.tool(*args, check=False)
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        self.assertTrue(r.stderr.startswith("mailrow: "), r.stderr)
        self.assertIn(text, r.stderr)


class Undelete(Base):
    def test_a_deleted_mail_comes_back_octet_by_octet(self):
        big = b"".join(b"%06d %s\r\n" % (i, b"x" * 60) for i in range(9000))
        for body in (b"first\r\n.dot\r\n", big, b"\x00\xff\r\n"):
            self.send(body=body)
        with self.sandbox.pop3(ALICE) as p:
            before = [p.retr(i) for i in (1, 2, 3)]
            uidl = p.listing("UIDL")
            for i in (1, 2, 3):
                p.cmd("DELE %d" % i)
            p.quit()
        self.assertEqual(self.sandbox.mails(ALICE), [])
        found = self.json("undelete", ALICE)["undelete"][0]
        self.assertEqual(found["mails"], 3)
        self.assertEqual(found["octets"], sum(map(len, before)))
        self.assertEqual(self.sandbox.mails(ALICE), before)
        with self.sandbox.pop3(ALICE) as p:
            self.assertEqual(p.listing("UIDL"), uidl)
        self.sandbox.check_store()
        self.assertEqual(self.json("undelete", ALICE)["undelete"][0]["mails"],
                         0)

    def test_only_some(self):
        for i in range(4):
            self.send(subject="n%d" % i)
        uids = [int(r[0]) for r in self.sandbox.sql(
            "SELECT uid FROM mail ORDER BY uid")]
        self.delete()
        self.age(3, where="uid = %d" % uids[0])
        for args, want in ((("--since", "2d", "--dry-run"), uids[1:]),
                           (("--since", "71h"), uids[1:]),
                           (("--uid", str(uids[0])), uids)):
            n = self.json("undelete", ALICE, *args)["undelete"][0]["mails"]
            back = [int(r[0]) for r in self.sandbox.sql(
                "SELECT uid FROM mail ORDER BY uid")]
            if "--dry-run" in args:
                self.assertEqual((n, back), (len(want), []))
            else:
                self.assertEqual(back, want)
        self.delete()
        self.sandbox.sql("UPDATE trash SET deleted_at = '2026-03-04 12:30:00'"
                         " WHERE uid < %d" % uids[2])
        for when, n in (("2026-03-05", 2), ("2026-03-04 12:31", 2),
                        ("2026-03-04 12:30", 4), ("2024-02-29", 4)):
            self.assertEqual(self.json("undelete", ALICE, "--since", when,
                                       "--dry-run")["undelete"][0]["mails"],
                             n, when)
        self.sandbox.check_store()

    def test_what_it_does_not_understand(self):
        for when in ("yesterday", "2026-02-29", "2026-13-01", "3", "h", "",
                     "2026-01-01 24:00", "2026-01-01x", "-3h"):
            self.fails(65, "is no time", "undelete", ALICE, "--since=" + when)
        self.fails(65, "before the mail was deleted", "undelete", ALICE, "--uid", "x")
        self.fails(67, "there is no mailbox", "undelete", "no@example.test")
        self.fails(64, "usage", "undelete")


class Purge(Base):
    CONF = ("undelete_window = 0s",)

    def test_what_is_due_goes_and_no_more(self):
        kept = self.send(subject="kept")
        self.send(subject="young")
        self.send(subject="old")
        with self.sandbox.pop3(ALICE) as p:
            p.cmd("DELE 2")
            p.cmd("DELE 3")
            p.quit()
        old = self.sandbox.number("SELECT MAX(uid) FROM trash")
        # a session may be 6 hours old, whatever undelete_window says
        self.age(5.9 / 24)
        self.age(0.3, where="uid = %d" % old)
        self.age(8, "receipt", "received_at")
        dry = self.purge("--dry-run")
        self.assertEqual((dry["trash"], dry["receipts"], dry["dry_run"]),
                         (1, 3, True))
        self.assertEqual(self.count("trash"), 2)
        done = self.purge()
        self.assertEqual((done["trash"], done["contents"], done["receipts"],
                          done["complete"]), (1, 1, 3, True))
        self.assertEqual(self.count("trash"), 1)
        self.assertEqual(self.count("trash", "uid = %d" % old), 0)
        self.assertEqual(stored_part(self.sandbox.mails(ALICE)[0]), kept)
        self.sandbox.check_store()
        again = self.purge()
        self.assertEqual(again["trash"] + again["receipts"], 0)

    def test_a_running_session_keeps_what_it_listed(self):
        self.send(subject="listed")
        with self.sandbox.pop3(ALICE) as p:
            want = p.retr(1)
            self.delete()
            self.purge()
            self.assertEqual(p.retr(1), want)
            p.quit()

    def test_one_body_for_two_stays_until_the_last_has_gone(self):
        m = self.send(ALICE, BOB)
        self.delete(ALICE)
        self.age(9)
        self.assertEqual(self.purge()["contents"], 0)
        self.assertEqual(stored_part(self.sandbox.mails(BOB)[0]), m)
        self.delete(BOB)
        self.age(9)
        self.assertEqual(self.purge()["contents"], 1)
        self.assertEqual(self.count("content") + self.count("chunk"), 0)

    def test_wrong_refs_are_told_and_set_right(self):
        m = self.send()
        self.sandbox.sql("UPDATE content SET refs = 0")
        self.age(9, "content", "stored_at")
        r = self.sandbox.tool("purge")
        self.assertIn("refs = 0 and 1 rows that name it", r.stderr)
        self.assertRegex(r.stdout, r"(?m)^repaired +1$")
        self.assertEqual(stored_part(self.sandbox.mails(ALICE)[0]), m)
        self.sandbox.check_store()

    def test_killed_at_any_point_the_next_run_goes_on(self):
        self.sandbox.environ["MAILROW_FAULT_DIR"] = \
            self.sandbox.env["MAILROW_FAULT_DIR"]
        for point in ("purge-begin", "purge-lock", "purge-trash",
                      "purge-refs", "purge-commit", "purge-committed",
                      "purge-content", "purge-chunk", "purge-row"):
            self.clear()
            kept = self.send(ALICE, BOB)
            self.send(ALICE)
            self.delete(ALICE)
            self.age(9)
            self.sandbox.fault(point, "die")
            r = self.sandbox.tool("purge", check=False)
            self.assertEqual(r.returncode, 137, point)
            self.assertTrue(self.sandbox.fault_hit(point))
            self.sandbox.check_store()
            self.age(9, "content", "stored_at")
            self.purge()
            self.sandbox.check_store()
            self.assertEqual((self.count("trash"), self.count("content"),
                              self.count("chunk")), (0, 1, 1), point)
            self.assertEqual(stored_part(self.sandbox.mails(BOB)[0]), kept)

    def test_deliveries_and_sessions_beside_it_lose_nothing(self):
        stop, failed, read, purged = threading.Event(), [], [], []

        def guard(work):
            try:
                work()
            except Exception as e:          # shown by the test
                failed.append(repr(e))
                stop.set()

        def fetch():
            while not stop.is_set():
                with self.sandbox.pop3(BOB) as p:
                    n = p.stat()[0]
                    for i in range(n):
                        read.append(digest(stored_part(p.retr(i + 1))))
                        p.cmd("DELE %d" % (i + 1))
                    p.quit()

        def purge():
            while not stop.is_set():
                self.age(9)
                purged.append(self.purge()["trash"])

        threads = [threading.Thread(target=guard, args=(w,))
                   for w in (fetch, purge)]
        for t in threads:
            t.start()
        sent = [self.send(ALICE, BOB, subject="m%d" % i) for i in range(60)]
        wait_until(lambda: len(read) >= 60 or stop.is_set(),
                   what="fetching all")
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(failed, [])
        self.assertGreater(len([n for n in purged if n]), 1, purged)
        want = sorted(map(digest, sent))
        self.assertEqual(sorted(read), want)
        self.assertEqual(sorted(digest(stored_part(m))
                                for m in self.sandbox.mails(ALICE)), want)
        self.age(9)
        self.purge()
        self.sandbox.check_store()
        self.assertEqual(self.count("trash"), 0)

    def test_a_time_limit_ends_it_and_the_next_run_goes_on(self):
        self.send()
        self.delete()
        self.age(9)
        self.age(8, "receipt", "received_at")
        self.sandbox.environ["MAILROW_FAULT_DIR"] = \
            self.sandbox.env["MAILROW_FAULT_DIR"]
        self.sandbox.fault("purge-committed", "stall 1200")
        done = self.purge("--limit-time", "1s")
        self.assertEqual((done["complete"], done["trash"], done["receipts"]),
                         (False, 1, 0))
        done = self.purge("--limit-time", "10m")
        self.assertEqual((done["complete"], done["receipts"]), (True, 1))
        self.fails(65, "no limit", "purge", "--limit-time", "0s")
        self.fails(65, "is no duration", "purge", "--limit-time", "soon")


class Gone(Base):
    def box(self, address):
        self.sandbox.account(address)
        time.sleep(1.1)         # the milter remembers for a second
        return self.send(address)

    def gone(self, address):
        """The account is deleted and has been seen gone for long."""
        self.sandbox.tool("account", "delete", address)
        self.assertEqual(self.purge()["gone"], 1)
        self.age(31, "mailbox", "gone_since", "gone_since IS NOT NULL")

    def test_a_mailbox_whose_account_is_gone(self):
        self.box("carl@example.test")
        self.gone("carl@example.test")
        self.assertEqual(self.purge()["retired"], 1)
        row = self.json("mailbox", "list", "--retired")["mailboxes"][0]
        self.assertEqual((row["address"], row["messages"]),
                         ("carl@example.test", 1))
        self.assertEqual(self.purge()["mails"], 0)
        self.age(31, "mailbox", "retired_at", "address IS NULL")
        dry = self.purge("--dry-run")
        self.assertEqual((dry["mailboxes"], dry["mails"]), (1, 1))
        done = self.purge()
        self.assertEqual((done["mailboxes"], done["mails"]), (1, 1))
        self.assertEqual(self.count("mail") + self.count("content"), 0)
        self.assertEqual(self.json("mailbox", "list", "--retired"),
                         {"mailboxes": []})

    def test_while_the_accounts_are_away_nothing_is_retired(self):
        self.box("dora@example.test")
        self.gone("dora@example.test")
        path = os.path.join(os.path.dirname(self.sandbox.env["MAILROW_CONF"]),
                            "mailrow-purge.cnf")
        with open(path) as f:
            text = f.read()
        try:
            with open(path, "a") as f:
                f.write("[mailrow-purge-accounts]\nsocket = /nowhere\n")
            done = self.purge(code=75)
        finally:
            with open(path, "w") as f:
                f.write(text)
        self.assertEqual((done["retired"], done["unknown"]),
                         (0, self.count("mailbox")))
        self.assertEqual(self.purge()["retired"], 1)

    def test_close_wants_the_account_gone(self):
        m = self.box("emil@example.test")
        self.fails(77, "mailrow account delete emil@example.test",
                   "mailbox", "close", "emil@example.test")
        self.assertEqual(stored_part(
            self.sandbox.mails("emil@example.test")[0]), m)
        self.sandbox.tool("account", "delete", "emil@example.test")
        self.sandbox.tool("mailbox", "close", "emil@example.test")
        self.fails(67, "there is no mailbox", "mailbox", "close",
                   "emil@example.test")
        self.box("emil@example.test")
        self.assertEqual(len(self.sandbox.mails("emil@example.test")), 1)
        self.assertEqual(self.count("mailbox",
                                    "retired_address = 'emil@example.test'"),
                         1)
        self.sandbox.check_store()

    def test_erase(self):
        self.send(ALICE, BOB)
        self.send(ALICE)
        with self.sandbox.pop3(ALICE) as p:
            p.cmd("DELE 1")
            p.quit()
        self.fails(64, "--yes", "mailbox", "erase", ALICE)
        self.assertEqual(self.count("mail") + self.count("trash"), 3)
        done = self.json("mailbox", "erase", "--yes", ALICE)["purge"][0]
        self.assertEqual((done["mails"], done["contents"]), (2, 1))
        self.assertEqual(self.sandbox.mails(ALICE), [])
        self.assertEqual(len(self.sandbox.mails(BOB)), 1)
        self.sandbox.check_store()

    def test_erase_of_a_retired_one_takes_its_number(self):
        self.box("fred@example.test")
        self.sandbox.tool("account", "delete", "fred@example.test")
        self.sandbox.tool("mailbox", "close", "fred@example.test")
        self.fails(67, "name it by its number", "mailbox", "erase",
                   "fred@example.test", "--yes")
        number = str(self.json("mailbox", "list", "--retired")
                     ["mailboxes"][0]["mailbox_id"])
        self.assertEqual(self.json("mailbox", "erase", number, "--yes")
                         ["purge"][0]["mailboxes"], 1)
        self.fails(67, "there is no mailbox", "mailbox", "erase", number,
                   "--yes")
        self.assertEqual(self.count("content"), 0)

    def test_erase_says_when_it_was_taken_back_meanwhile(self):
        self.box("gina@example.test")
        self.sandbox.tool("account", "delete", "gina@example.test")
        self.sandbox.tool("mailbox", "close", "gina@example.test")
        number = str(self.json("mailbox", "list", "--retired")
                     ["mailboxes"][0]["mailbox_id"])
        self.sandbox.sql("CREATE TRIGGER taken AFTER DELETE ON mail FOR EACH"
                         " ROW UPDATE mailbox SET address = retired_address,"
                         " retired_at = NULL WHERE mailbox_id = " + number)
        self.addCleanup(self.sandbox.sql, "DROP TRIGGER taken")
        self.fails(75, "was taken back", "mailbox", "erase", number, "--yes")
        self.assertEqual(self.sandbox.sql(
            "SELECT address FROM mailbox WHERE mailbox_id = " + number),
                         [["gina@example.test"]])
        self.sandbox.sql("DELETE FROM mailbox WHERE mailbox_id = " + number)

    def on_terminal(self, answer, *args):
        """The exit code and what the terminal showed."""
        parent, child = pty.openpty()
        p = subprocess.Popen([SCRIPT, "mailrow", "--dir", self.sandbox.dir,
                              *args], env=self.sandbox.environ, stdin=child,
                             stdout=child, stderr=child)
        os.close(child)
        os.write(parent, answer.encode())
        shown = b""
        try:
            while True:
                piece = os.read(parent, 4096)
                if not piece:
                    break
                shown += piece
        except OSError:         # the other end is closed
            pass
        os.close(parent)
        return p.wait(), shown.decode()

    def test_on_a_terminal_erase_asks(self):
        self.send(ALICE)
        code, shown = self.on_terminal("no\n", "mailbox", "erase", ALICE)
        self.assertEqual(code, 77, shown)
        self.assertIn("1 mails", shown)
        self.assertEqual(self.count("mail"), 1)
        code, shown = self.on_terminal("yes\n", "mailbox", "erase", ALICE)
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.count("mail"), 0)


class Export(Base):
    BODIES = (b"plain\r\n",
              b"From here\r\n>From there\r\n>>From\r\nFro\r\n>\r\nFrom \r\n",
              b"no end",
              b"cr \r alone\r\n\r\n\r\n",
              b"\x00\x01\xff utf8 \xc3\xa9\r\n",
              b"".join(b"%07d\r\n" % i for i in range(70000)))

    def setUp(self):
        super().setUp()
        self.dir = tempfile.mkdtemp(dir=self.sandbox.top)
        for body in self.BODIES:
            self.send(body=body)
        with self.sandbox.pop3(ALICE) as p:
            self.want = [p.retr(i + 1).replace(b"\r\n", b"\n")
                         for i in range(len(self.BODIES))]
            p.quit()

    def path(self, name):
        return os.path.join(self.dir, name)

    def export(self, *args, code=0, who=ALICE):
        return self.json("mailbox", "export", who, *args,
                         code=code)["export"][0]

    def read_mbox(self, path):
        box = mailbox.mbox(path, create=False)
        found = [box.get_bytes(k) for k in box.keys()]
        box.close()
        return [b"".join(l[1:] if l.lstrip(b">").startswith(b"From ")
                         and l.startswith(b">") else l
                         for l in m.splitlines(True)) for m in found]

    def test_mbox_holds_what_was_stored(self):
        self.sandbox.sql("UPDATE mail SET received_at = '2026-03-04 12:30:00'")
        path = self.path("alice.mbox")
        done = self.export("--mbox", path)
        self.assertEqual((done["mails"], done["damaged"]),
                         (len(self.BODIES), 0))
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual([m.rstrip(b"\n") for m in self.read_mbox(path)],
                         [m.rstrip(b"\n") for m in self.want])
        with open(path, "rb") as f:
            text = f.read()
        self.assertTrue(text.startswith(
            b"From ann@remote.test Wed Mar  4 12:30:00 2026\n"))
        want = b"".join(
            b"From ann@remote.test Wed Mar  4 12:30:00 2026\n" + b"".join(
                b">" + l if l.lstrip(b">").startswith(b"From ") else l
                for l in m.splitlines(True))
            + (b"" if m.endswith(b"\n") else b"\n") + b"\n"
            for m in self.want)
        self.assertEqual(digest(text), digest(want))
        self.fails(73, "File exists", "mailbox", "export", ALICE, "--mbox",
                   path)
        with open(path, "rb") as f:
            self.assertEqual(f.read(), text)

    def test_maildir_holds_what_was_stored(self):
        self.sandbox.sql("UPDATE mail SET received_at ="
                         " FROM_UNIXTIME(1700000000 + uid - 16777216)")
        path = self.path("Maildir")
        self.export("--maildir", path)
        box = mailbox.Maildir(path, create=False)
        found = sorted((box.get_message(k).get_date(), box.get_bytes(k))
                       for k in box.keys())
        self.assertEqual([m for _, m in found], self.want)
        names = sorted(os.listdir(os.path.join(path, "new")))
        for name in names:
            st = os.stat(os.path.join(path, "new", name))
            self.assertEqual(st.st_mtime, int(name.split(".")[0]))
            self.assertEqual(st.st_size, int(name.rsplit(",S=")[1]))
        self.assertEqual(os.listdir(os.path.join(path, "tmp")), [])
        self.fails(73, "File exists", "mailbox", "export", ALICE,
                   "--maildir", path)
        self.assertEqual(sorted(os.listdir(os.path.join(path, "new"))), names)

    def test_the_trash_too(self):
        self.delete()
        self.assertEqual(self.export("--mbox", self.path("a"))["mails"], 0)
        self.export("--mbox", self.path("b"), "--trash")
        self.assertEqual([m.rstrip(b"\n")
                          for m in self.read_mbox(self.path("b"))],
                         [m.rstrip(b"\n") for m in self.want])

    def test_damage_is_told(self):
        self.sandbox.sql(
            "UPDATE chunk SET data = CONCAT('y', SUBSTRING(data, 2))"
            " WHERE content_id = (SELECT MIN(content_id) FROM content);"
            "DELETE FROM chunk WHERE seq = 1")
        r = self.sandbox.tool("mailbox", "export", ALICE, "--mbox",
                              self.path("d"), check=False)
        self.assertEqual(r.returncode, 1, r.stderr)
        self.assertEqual(r.stderr.count("is damaged"), 2)
        self.assertRegex(r.stdout, r"(?m)^damaged +2$")
        self.assertEqual(len(self.read_mbox(self.path("d"))),
                         len(self.BODIES))

    def test_where_it_cannot_write(self):
        self.fails(64, "--mbox FILE", "mailbox", "export", ALICE)
        self.fails(74, "cannot write", "mailbox", "export", ALICE, "--mbox",
                   self.path("no/such/folder"))
        self.fails(67, "there is no mailbox", "mailbox", "export",
                   "no@example.test", "--mbox", self.path("e"))

    def test_its_memory_does_not_grow_with_the_mail(self):
        self.clear()
        line = b"x" * 76 + b"\r\n"
        self.send(ALICE, BOB)
        self.send(body=line * (9_000_000 // len(line)))
        tool = os.path.join(os.environ.get("MAILROW_BUILD", ""), "ctl",
                            "mailrow")
        peak = []
        for name, who in (("big", ALICE), ("none", BOB)):
            r = subprocess.run(
                ["/usr/bin/env", "python3", "-c",
                 "import resource, subprocess, sys\n"
                 "subprocess.run(sys.argv[1:], check=True,"
                 " stdout=subprocess.DEVNULL)\n"
                 "print(resource.getrusage("
                 "resource.RUSAGE_CHILDREN).ru_maxrss)",
                 tool, "-c", self.sandbox.env["MAILROW_CONF"], "mailbox",
                 "export", who, "--mbox", self.path(name)],
                check=True, text=True, stdout=subprocess.PIPE)
            peak.append(int(r.stdout))
        self.assertGreater(os.path.getsize(self.path("big")), 8_000_000)
        self.assertLess(peak[0] - peak[1], 4096, peak)      # KiB


if __name__ == "__main__":
    main()

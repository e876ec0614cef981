#!/usr/bin/env python3
"""mailrow verify, beside everything else that runs."""

import json
import os
import shutil
import subprocess
import threading
import time

from mrtest import SandboxTest, digest, mail, main, stored_part, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"


class Verify(SandboxTest):
    CONF = ("upload_threshold = 1M",)

    def setUp(self):
        super().setUp()
        self.clear()

    def clear(self):
        self.sandbox.sql("DELETE FROM mail; DELETE FROM trash;"
                         "DELETE FROM content; DELETE FROM chunk;"
                         "UPDATE mailbox SET messages = 0, octets = 0")

    def verify(self, *args, code=0):
        r = self.sandbox.tool("--json", "verify", *args, check=False)
        self.assertEqual(r.returncode, code, r.stdout + r.stderr)
        return json.loads(r.stdout)["findings"]

    def send(self, *recipients, body=b"hello\r\n"):
        m = mail(body=body)
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", recipients or [ALICE], m)
        return m

    def test_what_it_prints(self):
        for _ in range(2):
            self.send(ALICE, BOB)
        r = self.sandbox.tool("verify", "--deep")
        self.assertRegex(r.stdout, r"^2 mailboxes, 4 mails, 2 bodies of \d+ "
                         r"octets, 0 uploads under way: 0 findings, 0 mended$")
        self.assertEqual(r.stderr, "")
        self.assertRegex(self.sandbox.tool("verify", "--progress").stderr,
                         r"^(\n\w+: \d mailboxes, \d mails, \d bodies of "
                         r"\d+ octets, 0 findings\x1b\[K)+\n\x1b\[K$")
        box, uid = self.sandbox.sql(
            "SELECT mailbox_id, MIN(uid) FROM mail JOIN mailbox USING"
            " (mailbox_id) WHERE address = '%s' GROUP BY 1" % ALICE)[0]
        self.sandbox.sql(
            "UPDATE mailbox SET messages = 5 WHERE address = '%s';"
            "DELETE FROM chunk ORDER BY content_id LIMIT 1" % BOB)
        r = self.sandbox.tool("verify", check=False)
        self.assertEqual(r.returncode, 1)
        self.assertRegex(r.stdout, r"(?m)^FAIL   counters   mailbox \d+ "
                         r"\(bob@example.test\): its row says 5 mails of ")
        self.assertIn("-> mailrow verify --repair\n", r.stdout)
        self.assertRegex(r.stdout, r"(?m)^FAIL   chunks     mailbox %s "
                         r"\(alice@example.test\) mail %s, content [0-9a-f]"
                         r"{32}: no chunk is there of its " % (box, uid))
        self.assertIn("-> the mail is damaged", r.stdout)
        self.assertEqual([f["finding"] for f in self.verify(BOB, code=1)],
                         ["counters", "chunks"])
        found = self.verify("--repair", code=1)
        self.assertEqual([(f["finding"], f["mended"], f["address"])
                          for f in found],
                         [("counters", True, BOB), ("chunks", False, ALICE),
                          ("chunks", False, BOB)])
        self.assertEqual(found[1]["uid"], int(uid))
        self.assertEqual(found[1]["mailbox_id"], int(box))
        self.assertEqual(len(self.verify(ALICE, code=1)), 1)
        self.clear()
        self.assertEqual(self.verify("--deep"), [])

    def test_what_it_does_not_understand(self):
        for code, args in ((67, ("no@example.test",)), (65, ("x",)),
                           (64, ("--fix",))):
            r = self.sandbox.tool("verify", *args, check=False)
            self.assertEqual(r.returncode, code, r.stderr)

    def check(self, text):
        r = self.sandbox.tool("--json", "check", check=False)
        return [(f["level"], f["fix"])
                for f in json.loads(r.stdout)["findings"]
                if f["subject"] == "database" and text in f["finding"]]

    def test_check_looks_at_the_purges_user(self):
        self.assertEqual(self.check("mailrow-purge connects"),
                         [("ok", None)])
        right = "INSERT ON content %s 'mailrow-purge'@'localhost'"
        self.sandbox.sql("REVOKE " + right % "FROM")
        self.assertEqual(self.check("mailrow-purge may not run "
                                    "Q_VERIFY_ADOPT"),
                         [("FAIL", "mailrow schema grants | mariadb mailrow")])
        self.sandbox.sql("GRANT " + right % "TO")
        path = os.path.join(self.sandbox.dir, "etc", "mailrow",
                            "mailrow-purge.cnf")
        shutil.chown(path, "root", "root")
        text = "user 'mailrow-purge' cannot read '%s'" % path
        found = self.check(text)
        self.assertEqual(len(found), 1)
        r = self.sandbox.tool("verify", "--repair", check=False)
        self.assertEqual((r.returncode, r.stderr),
                         (69, "mailrow: %s\n" % text))
        subprocess.run(found[0][1], shell=True, check=True)
        self.assertEqual(self.check(text), [])
        self.assertEqual(self.verify("--repair"), [])

    def test_the_database_goes_away(self):
        self.sandbox.stop("db")
        r = self.sandbox.tool("verify", "--repair", check=False)
        self.assertEqual(r.returncode, 69, r.stderr)
        self.assertTrue(r.stderr.startswith("mailrow: "), r.stderr)

    def test_killed_at_any_point_the_next_run_goes_on(self):
        self.sandbox.environ["MAILROW_FAULT_DIR"] = \
            self.sandbox.env["MAILROW_FAULT_DIR"]
        for point in ("verify-box", "verify-adopt", "purge-begin",
                      "purge-content", "purge-chunk", "purge-commit",
                      "purge-committed"):
            self.clear()
            kept = self.send(ALICE, BOB)
            self.sandbox.sql(
                "UPDATE mailbox SET messages = 3 WHERE address = '%s';"
                "UPDATE content SET refs = 3;"
                "INSERT INTO chunk VALUES (REPEAT('\\0', 16), 0, 'x')" % BOB)
            self.sandbox.fault(point, "die")
            r = self.sandbox.tool("verify", "--repair", check=False)
            self.assertEqual(r.returncode, 137, point)
            self.assertTrue(self.sandbox.fault_hit(point))
            self.verify("--repair")
            self.assertEqual(self.verify("--deep"), [], point)
            self.assertEqual(self.sandbox.number(
                "SELECT COUNT(*) FROM chunk"), 1, point)
            self.assertEqual(stored_part(self.sandbox.mails(BOB)[0]), kept)
            self.sandbox.check_store()

    def test_under_traffic_it_finds_nothing_and_sweeps_nothing(self):
        """Mail comes and goes, the purge runs, and an upload stands half-way
        through all of it."""
        stop, failed, read, runs = threading.Event(), [], [], []
        big = mail(body=b"".join(b"%07d %s\r\n" % (i, b"y" * 60)
                                 for i in range(60000)))
        slow = self.sandbox.lmtp()
        slow.rcpts("ann@remote.test", [ALICE])
        slow.cmd("DATA", "354")
        half = len(big) * 3 // 4
        slow.put(big[:half])
        upload = ("SELECT COUNT(*) FROM content JOIN chunk USING"
                  " (content_id) WHERE refs = 0")
        whole = 4
        wait_until(lambda: self.sandbox.number(upload) >= whole,
                   what="the upload")

        def guard(work):
            def loop():
                try:
                    while not stop.is_set():
                        work()
                except Exception as e:          # shown by the test
                    failed.append(repr(e))
                    stop.set()
            t = threading.Thread(target=loop)
            t.start()
            return t

        def fetch():
            with self.sandbox.pop3(BOB) as p:
                for i in range(p.stat()[0]):
                    read.append(digest(stored_part(p.retr(i + 1))))
                    p.cmd("DELE %d" % (i + 1))
                p.quit()

        def purge():
            self.sandbox.sql("UPDATE trash SET deleted_at = '2020-01-01';"
                             "UPDATE content SET stored_at = '2020-01-01'"
                             " WHERE refs > 0")
            self.sandbox.tool("purge")

        def verify():
            runs.append(self.verify("--deep", "--repair"))

        threads = [guard(w) for w in (fetch, purge, verify)]
        sent = []
        end = time.monotonic() + 60
        while (len(sent) < 60 or len(runs) < 8) and not stop.is_set() and \
                time.monotonic() < end:
            sent.append(digest(self.send(ALICE, BOB)))
        wait_until(lambda: len(read) >= len(sent) or stop.is_set(),
                   what="fetching all")
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(failed, [])
        self.assertGreaterEqual(len(runs), 8)
        self.assertEqual([f for r in runs for f in r], [])
        self.assertEqual(sorted(read), sorted(sent))
        self.assertGreaterEqual(self.sandbox.number(upload), whole)
        slow.put(big[half:] + b".\r\n")
        slow.answer("250")
        slow.close()
        want = sorted(sent + [digest(big)])
        self.assertEqual(sorted(digest(stored_part(m))
                                for m in self.sandbox.mails(ALICE)), want)
        self.sandbox.check_store()
        self.assertEqual(self.verify("--deep"), [])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""mailrow status: one screen that tells how it all is."""

import json
import time

from mrtest import Failed, SandboxTest, mail, main, wait_until

ALICE = "alice@example.test"


class Status(SandboxTest):
    def rows(self, check=True):
        r = self.sandbox.tool("--json", "status", check=check)
        found = {}
        for row in json.loads(r.stdout)["status"]:
            found[row["part"], row["what"]] = row
        return r.returncode, found

    def number(self, part, what):
        return int(self.rows()[1][part, what]["value"])

    def test_it_counts_what_the_daemons_did(self):
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", [ALICE], mail("status"))
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            s.cmd("RCPT TO:<nobody@example.test>", "550")
        with self.assertRaises(Failed):
            self.sandbox.pop3(ALICE, "wrong")
        self.sandbox.pop3(ALICE).quit()
        code, rows = self.rows()
        self.assertEqual(code, 0)
        for part in ("mailrow-milter", "mailrow-lmtpd", "mailrow-authd",
                     "mailrow-pop3d"):
            self.assertRegex(rows[part, "state"]["value"], "^running for ")
        # a daemon may count when its client has its answer
        wait_until(lambda: all(self.number(*key) >= least for *key, least in (
            ("mailrow-milter", "mail stored", 1),
            ("mailrow-milter", "rejected: recipient_unknown", 1),
            ("mailrow-authd", "pop3 login failed", 1),
            ("mailrow-authd", "pop3 login ok", 1),
            ("mailrow-pop3d", "session", 2))), what="the numbers")
        self.assertEqual(rows["database", "messages"]["value"], "1")
        self.assertEqual(rows["database", "mails, last minute"]["value"], "1")

    def test_it_tells_what_is_down(self):
        self.sandbox.kill("pop3d")
        end = time.monotonic() + 10
        while time.monotonic() < end:
            code, rows = self.rows(check=False)
            if rows["mailrow-pop3d", "state"]["value"] == "stopped":
                break
        self.assertEqual(rows["mailrow-pop3d", "state"]["value"], "stopped")
        self.assertEqual(code, 69)
        self.sandbox.stop("db")
        code, rows = self.rows(check=False)
        self.assertEqual(code, 69)
        self.assertEqual(rows["database", "server"]["value"],
                         "does not answer")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""mailrow metrics: what Prometheus is told, and that it is true."""

import os
import re
import shutil
import socket
import subprocess
import tempfile

from mrtest import TOP, Failed, SandboxTest, mail, main, wait_until

BUILD = os.environ.get("MAILROW_BUILD", os.path.join(TOP, "build"))
ALICE = "alice@example.test"
SAMPLE = re.compile(r'^(mailrow_[a-z_]+)\{program="(mailrow-[a-z0-9]+)"'
                    r'((?:,[a-z_]+="[^"\n]*")*)\} (\S+)$')


class Metrics(SandboxTest):
    def samples(self, text=None):
        """{(name, program, labels): value}; every line is well formed."""
        text = text or self.sandbox.tool("metrics").stdout
        found, types = {}, {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                self.assertNotIn(name, types)
                types[name] = kind
                continue
            if line.startswith("# HELP ") or \
                    line.startswith("mailrow_build_info{"):
                continue
            m = SAMPLE.match(line)
            self.assertTrue(m, line)
            name, program, labels, value = m.groups()
            family = re.sub("_(bucket|sum|count)$", "", name)
            self.assertIn(name if name in types else family, types)
            key = (name, program, labels[1:])
            self.assertNotIn(key, found)
            found[key] = float(value)
        return found

    def grown(self, before, name, program, labels=""):
        key = (name, "mailrow-" + program, labels)
        return self.samples().get(key, 0) - before.get(key, 0)

    def traffic(self):
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", [ALICE], mail("metrics"))
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            s.cmd("RCPT TO:<nobody@example.test>", "550")
        with self.assertRaises(Failed):
            self.sandbox.pop3(ALICE, "wrong")
        with self.sandbox.pop3(ALICE) as p:
            p.retr(1)
            p.cmd("DELE 1")
            p.quit()

    def test_they_grow_by_what_was_done(self):
        before = self.samples()
        self.traffic()
        for name, program, labels, least in (
                ("mailrow_deliveries_total", "milter", 'result="stored"', 1),
                ("mailrow_received_octets_total", "milter", "", 100),
                ("mailrow_rejections_total", "milter", 'predicate="recipient_unknown"', 1),
                ("mailrow_rcpt_seconds_count", "milter", "", 2),
                ("mailrow_end_of_message_seconds_count", "milter", "", 1),
                ("mailrow_logins_total", "authd",
                 'door="pop3",result="ok"', 1),
                ("mailrow_logins_total", "authd",
                 'door="pop3",result="failed"', 1),
                ("mailrow_password_check_seconds_count", "authd", "", 2),
                ("mailrow_refusals_total", "pop3d", 'reason="password"', 1),
                ("mailrow_sessions_total", "pop3d", "", 2),
                ("mailrow_messages_total", "pop3d", 'command="retr"', 1),
                ("mailrow_messages_total", "pop3d", 'command="dele"', 1),
                ("mailrow_sent_octets_total", "pop3d", "", 100),
                ("mailrow_login_seconds_count", "pop3d", "", 1),
                ("mailrow_retr_seconds_count", "pop3d", "", 1),
                ("mailrow_quit_seconds_count", "pop3d", "", 1)):
            wait_until(lambda: self.grown(before, name, program, labels)
                       >= least, what="%s %s" % (name, labels))

    def test_a_session_that_runs_is_seen(self):
        key = ("mailrow_sessions", "mailrow-pop3d", "")
        wait_until(lambda: self.samples()[key] == 0, what="no session")
        with self.sandbox.pop3(ALICE):
            wait_until(lambda: self.samples()[key] == 1, what="one session")
        wait_until(lambda: self.samples()[key] == 0, what="no session")

    def test_buckets_add_up(self):
        self.traffic()
        found = self.samples()
        for (name, program, labels), value in found.items():
            if not name.endswith("_count"):
                continue
            family = name[:-6]
            buckets = [v for (n, p, l), v in found.items()
                       if n == family + "_bucket" and p == program]
            self.assertEqual(buckets, sorted(buckets))
            self.assertEqual(len(buckets), 15)
            self.assertEqual(buckets[-1], value)
            total = found[family + "_sum", program, ""]
            self.assertEqual(total > 0, value > 0)

    def test_errors_of_the_database_have_a_class(self):
        before = self.samples()
        self.sandbox.stop("db")
        with self.sandbox.smtp() as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            self.assertRefused("451", s.cmd, "RCPT TO:<x@example.test>", "250")
        self.assertGreater(self.grown(before, "mailrow_database_errors_total",
                                      "milter", 'class="down"'), 0)
        self.sandbox.start()

    def test_what_is_down_is_told(self):
        self.sandbox.stop("lmtpd")
        found = self.samples()
        self.assertEqual(found["mailrow_up", "mailrow-lmtpd", ""], 0)
        self.assertEqual(found["mailrow_up", "mailrow-milter", ""], 1)
        self.sandbox.start()

    def test_into_a_file(self):
        top = tempfile.mkdtemp(prefix="mrt.")
        self.addCleanup(shutil.rmtree, top)
        path = os.path.join(top, "mailrow.prom")
        self.sandbox.tool("metrics", "--output", path)
        with open(path) as f:
            self.assertTrue(self.samples(f.read()))
        self.assertEqual(os.listdir(top), ["mailrow.prom"])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)
        r = self.sandbox.tool("metrics", "--output", top + "/no/file",
                              check=False)
        self.assertEqual(r.returncode, 73)
        self.assertIn("No such file", r.stderr)

    def http(self, request):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            p = subprocess.Popen(
                [BUILD + "/ctl/mailrow", "-c",
                 self.sandbox.env["MAILROW_CONF"], "metrics", "--http"],
                stdin=theirs, stdout=theirs)
            theirs.close()
            ours.settimeout(20)
            ours.sendall(request)
            answer = b""
            while True:
                got = ours.recv(65536)
                if not got:
                    break
                answer += got
            p.wait()
        return answer.decode()

    def test_by_http(self):
        answer = self.http(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = answer.partition("\r\n\r\n")
        self.assertTrue(head.startswith("HTTP/1.0 200 OK\r\n"))
        self.assertIn("Content-Length: %d" % len(body), head)
        self.assertIn("text/plain; version=0.0.4", head)
        self.assertTrue(self.samples(body))
        for junk in (b"POST / HTTP/1.1\r\n\r\n", b"\0\r\n\r\n"):
            self.assertTrue(self.http(junk).startswith("HTTP/1.0 400"))


if __name__ == "__main__":
    main()

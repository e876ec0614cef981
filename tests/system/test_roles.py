#!/usr/bin/env python3
"""The roles of milter sockets, and what crosses them: on port 25 of a site
that filters after the queue we decide and never store; where the filtered
mail comes back we store, and decide about nothing but the recipient."""

import os
import signal
import subprocess

from mrtest import (PASSWORD, SandboxTest, children, free_port, mail, main,
                    stored_part, tracers, wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"


class Roles(SandboxTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s = cls.sandbox
        run = os.path.join(s.dir, "run", "milter")
        with open(os.path.join(s.dir, "etc", "mailrow", "conf.d",
                               "roles.conf"), "w", encoding="ascii") as f:
            f.write("milter_policy_socket = local:%s/policy.sock\n"
                    "milter_store_socket = local:%s/store.sock\n"
                    % (run, run))
        s.stop("milter")
        s.start_alone("milter")
        for role in ("policy", "store"):
            wait_until(lambda r=role: os.path.exists(
                "%s/%s.sock" % (run, r)), what="the socket " + role)
        etc = os.path.join(s.dir, "etc", "postfix")
        cls.port = {}
        for role in ("policy", "store"):
            port = cls.port[role] = free_port()
            name = "127.0.0.1:%d/inet" % port
            subprocess.run(["postconf", "-c", etc, "-M", "%s=127.0.0.1:%d"
                            " inet n - n - - smtpd" % (name, port)],
                           check=True)
            subprocess.run(["postconf", "-c", etc, "-P",
                            "%s/smtpd_milters=unix:%s/%s.sock"
                            % (name, run, role)], check=True)
        # the re-injection port: what comes there was accepted before
        subprocess.run(["postconf", "-c", etc, "-P",
                        "127.0.0.1:%d/inet/mynetworks=127.0.0.0/8"
                        % cls.port["store"],
                        "127.0.0.1:%d/inet/smtpd_relay_restrictions="
                        "permit_mynetworks,reject" % cls.port["store"]],
                       check=True)
        s.postconf("virtual_transport = smtp:[127.0.0.1]:%s"
                   % s.env["MAILROW_SINK_PORT"])

    def by(self, role):
        class Door(type(self.sandbox.smtp())):
            pass
        return Door("127.0.0.1:%d" % self.port[role])

    def sunk(self, m):
        line = m[m.index(b"Message-ID"):].split(b"\r\n")[0]
        return sum(line in x for x in self.sandbox.sunk())

    def got(self, user, m):
        return sum(stored_part(x) == m for x in self.sandbox.mails(user))

    def test_policy_decides_and_never_stores(self):
        m = mail("policy")
        with self.by("policy") as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            s.cmd("RCPT TO:<nobody@example.test>", "550 5.1.1")
            s.cmd("RCPT TO:<%s>" % ALICE, "250")
            s.data(m)
        wait_until(lambda: self.sunk(m), what="the MTA's delivery")
        self.assertEqual(self.got(ALICE, m), 0)

    def test_policy_reads_the_header(self):
        self.sandbox.tool("policy", "mode", "from_not_owned", "enforce")
        self.addCleanup(self.sandbox.tool, "policy", "mode", "from_not_owned",
                        "shadow")
        said = {}
        with self.by("policy") as s:
            s.auth_plain(ALICE, PASSWORD)

            def refused():
                said["bob"] = self.from_(s, BOB)
                return said["bob"].startswith("550 5.7.1")
            wait_until(refused, what="the mode")
            said["alice"] = self.from_(s, ALICE)
        self.assertIn("the address in From is not owned by user " + ALICE,
                      said["bob"])
        self.assertTrue(said["alice"].startswith("250"), said["alice"])

    def from_(self, s, author):
        s.cmd("MAIL FROM:<%s>" % ALICE, "250")
        s.cmd("RCPT TO:<%s>" % BOB, "250")
        return s.data(b"From: <%s>\r\nSubject: by whom\r\n\r\nx\r\n"
                      % author.encode(), want=None)

    def test_store_stores_what_strangers_could_not_relay(self):
        m = mail("store")
        with self.by("store") as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            s.cmd("RCPT TO:<nobody@example.test>", "550 5.1.1")
            s.cmd("RCPT TO:<%s>" % ALICE, "250")
            s.cmd("RCPT TO:<x@foreign.test>", "250")
            s.data(m)
        self.assertEqual(self.got(ALICE, m), 1)
        wait_until(lambda: self.sunk(m), what="the foreign recipient")

    def used(self, direction):
        return self.sandbox.number(
            "SELECT COALESCE(SUM(messages), 0) FROM limit_usage"
            " WHERE direction = '%s'" % direction)

    def test_what_is_sent_is_counted_once_and_what_is_received_too(self):
        """By the one that decides, and by the one that stores."""
        self.addCleanup(self.sandbox.sql, "DELETE FROM policy_limit;"
                        " DELETE FROM limit_usage")
        self.sandbox.tool("limit", "set", ALICE, "1h", "--messages", "1")
        self.sandbox.tool("limit", "set", BOB, "1h", "--in", "--messages", "1")
        wait_until(lambda: self.sandbox.log("milter.log").count(
            " 2 limits") >= 3, what="the limits in three processes")
        with self.by("policy") as s:
            s.auth_plain(ALICE, PASSWORD)
            s.send(ALICE, [BOB], mail("counted"))
            self.assertEqual((self.used("out"), self.used("in")), (1, 0))
            s.cmd("MAIL FROM:<%s>" % ALICE, "250")
            s.cmd("RCPT TO:<%s>" % BOB, "450 4.7.1")
        with self.by("store") as s:
            s.send(ALICE, [BOB], mail("counted"))
            self.assertEqual((self.used("out"), self.used("in")), (1, 1))
            s.cmd("MAIL FROM:<%s>" % ALICE, "250")
            s.cmd("RCPT TO:<%s>" % BOB, "450 4.7.1")
        with self.by("policy") as s:
            s.cmd("MAIL FROM:<ann@remote.test>", "250")
            s.cmd("RCPT TO:<%s>" % BOB, "450 4.7.1")

    def test_each_socket_has_a_process_that_is_kept_running(self):
        parent = self.sandbox.pid("milter")
        wait_until(lambda: len(children(parent)) == 3, what="three children")
        before = children(parent)
        os.kill(before[1], signal.SIGKILL)
        wait_until(lambda: len(children(parent)) == 3
                   and children(parent) != before, what="a new child")
        for role in ("policy", "store"):
            wait_until(lambda r=role: self.serves(r), what=role)

    def serves(self, role):
        """The child is there some time before it listens."""
        with self.by(role) as s:
            return s.cmd("MAIL FROM:<ann@remote.test>").startswith("250") \
                and s.cmd("RCPT TO:<%s>" % ALICE).startswith("250")

    def test_a_reload_reaches_all_of_them(self):
        log = self.sandbox.log("milter.log").count("read again")
        self.sandbox.kill("milter", signal.SIGHUP)
        wait_until(lambda: self.sandbox.log("milter.log").count(
            "read again") == log + 3, what="the reload")


class Crossing(SandboxTest):
    """Octets are counted where the milter reads them."""

    def crossed(self):
        """What the milter has read of a mail that is only passed on, and of
        one that is stored."""
        out = os.path.join(self.sandbox.dir, "log", "reads")
        child = self.child()
        watch = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", "trace=read,recvfrom", "-e",
             "signal=none", "-o", out, "-p", str(child)],
            stderr=subprocess.DEVNULL)
        try:
            body = b"x" * 70 + b"\r\n"
            m = mail("relayed", body * 4000)
            wait_until(lambda: tracers(child) == {watch.pid}, what="strace")
            with self.sandbox.submission() as s:
                s.starttls()
                s.auth_plain(ALICE, "secret of alice")
                s.send(ALICE, ["x@foreign.test"], m)
                s.send(ALICE, [BOB], mail("stored", b"y" * 70 + b"\r\n"))
        finally:
            watch.terminate()
            watch.wait()
        with open(out, encoding="ascii", errors="replace") as f:
            text = f.read()
        os.unlink(out)
        return "xxxxxxxx" in text, "yyyyyyyy" in text

    def child(self):
        parent = self.sandbox.pid("milter")
        with open("/proc/%d/task/%d/children" % (parent, parent),
                  encoding="ascii") as f:
            return int(f.read().split()[0])


class NothingForUs(Crossing):
    def test_the_body_of_a_relayed_mail_does_not_cross_the_socket(self):
        self.mode("off", "from_not_owned", "from_several",
                  "sender_header_not_owned", "resent_from_not_owned")
        self.assertEqual(self.crossed(), (False, True))
        self.mode("shadow", "from_not_owned")
        self.assertEqual(self.crossed(), (True, True))


class PassedOn(Crossing):
    CONF = ("default_mode = pass",)

    def test_where_mail_is_passed_on_its_header_is_all_that_crosses(self):
        self.sandbox.sql("INSERT INTO served VALUES ('%s', 'store')" % BOB)
        self.assertEqual(self.crossed(), (False, True))
        self.assertEqual(self.sandbox.log("milter.log").count(
            "would be rejected by 'from_not_owned'"), 2)
        self.mode("enforce", "from_not_owned")
        with self.sandbox.submission() as s:
            s.starttls()
            s.auth_plain(ALICE, "secret of alice")
            s.envelope(ALICE, ["x@foreign.test"])
            self.assertRefused("550 5.7.1", s.data, mail("refused"))
        self.assertEqual(self.sandbox.queue(), [])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""mailrow-lmtpd by itself: the protocol as a careless or hostile client uses
it, where mail goes, what it costs. The transcript of the rest is
tests/dialog/lmtp.dialog."""

import os
import signal
import socket
import subprocess
import time

from mrtest import (TOP, SandboxTest, Wire, free_port, mail, main, stored_part,
                    wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"
ANN = "ann@remote.test"
FOREIGN = "x@foreign.test"


def child_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return int(f.read().split()[0])


class LmtpTest(SandboxTest):
    def alias(self, address, *targets):
        for t in targets:
            self.sandbox.sql("INSERT IGNORE INTO alias VALUES"
                             " ('%s', '%s', UTC_TIMESTAMP())" % (address, t))
        time.sleep(1.1)     # what was asked within a second is remembered

    def serve(self, name, mode):
        self.sandbox.sql("REPLACE INTO served VALUES ('%s', '%s')" % (
            name, mode))
        time.sleep(1.1)

    def subjects(self, who):
        return [m.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()
                for m in self.sandbox.mails(who)]

    def sunk(self, subject):
        return [m for m in self.sandbox.sunk()
                if b"Subject: %s\n" % subject.encode() in m]

    def reconfigure(self, *lines):
        """Into conf.d; the last value counts."""
        path = os.path.join(self.sandbox.dir, "etc/mailrow/conf.d/zz.conf")
        with open(path, "w") as f:
            f.write("".join(l + "\n" for l in lines))


class Protocol(LmtpTest):
    CONF = ("lmtp_message_max = 64M", "lmtp_timeout = 10s",
            "lmtp_max_sessions = 4")

    def test_each_recipient_has_its_reply_in_order(self):
        with self.sandbox.lmtp() as l:
            rcpt = l.rcpts(ANN, [BOB, "nobody@example.test", ALICE, BOB])
            self.assertEqual([a[:9] for a in rcpt], [
                "250 2.1.5", "550 5.1.1", "250 2.1.5", "250 2.1.5"])
            replies = l.data(mail("each"))
        self.assertEqual(replies, [
            "250 2.0.0 <%s>: delivered" % who for who in (BOB, ALICE, BOB)])
        self.assertEqual(self.subjects(BOB).count("each"), 1)
        self.assertEqual(self.subjects(ALICE).count("each"), 1)

    def test_pipelined_replies_leave_in_one_write(self):
        with self.sandbox.lmtp() as l:
            l.put(b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nRCPT TO:<no@example.test>"
                  b"\r\nRCPT TO:<%s>\r\nDATA\r\n" % (
                      ANN.encode(), ALICE.encode(), BOB.encode()))
            got = l.sock.recv(65536)
            self.assertEqual([r[:3] for r in got.split(b"\r\n")[:-1]],
                             [b"250", b"250", b"550", b"250", b"354"])
            l.put(mail("pipelined") + b".\r\nRSET\r\nNOOP\r\nQUIT\r\n")
            got = l.sock.recv(65536)
            self.assertEqual([r[:3] for r in got.split(b"\r\n")[:-1]],
                             [b"250"] * 4 + [b"221"])
            self.assertEqual(l.sock.recv(1), b"")

    def test_a_whole_session_sent_ahead_and_octet_by_octet(self):
        wire = b"".join([
            b"LHLO mx.example.test\r\nMAIL FROM:<ann@remote.test>\r\n",
            b"RCPT TO:<alice@example.test>\r\nDATA\r\n", mail("ahead"),
            b".\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n",
            mail("bit by bit"), b".\r\nQUIT\r\n"])
        for step in (len(wire), 1):
            with self.sandbox.lmtp(helo=None) as l:
                for i in range(0, len(wire), step):
                    l.put(wire[i:i + step])
                lines = l.file.read().decode().splitlines()
            self.assertEqual([x[:3] for x in lines if x[3:4] == " "],
                             "250 250 250 354 250 250 250 354 250 221".split())
        self.assertEqual(self.subjects(ALICE).count("ahead"), 1)
        self.assertEqual(self.subjects(BOB).count("bit by bit"), 1)

    def test_only_crlf_dot_crlf_ends_a_message(self):
        """What another MTA saw as one message is one (SMTP smuggling)."""
        ends = [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r",
                b"\r.\r\n"]
        for n, end in enumerate(ends):
            smuggled = b"MAIL FROM:<evil@remote.test>\r\n" \
                b"RCPT TO:<bob@example.test>\r\nDATA\r\nSubject: evil\r\n\r\n"
            with self.sandbox.lmtp() as l:
                l.rcpts(ANN, [ALICE])
                l.cmd("DATA", "354")
                l.put(mail("smuggle %d" % n, b"a") + end + smuggled +
                      b".\r\n")
                self.assertTrue(l.answer().startswith("250 2.0.0"))
                l.cmd("NOOP", "250")
            last = self.sandbox.mails(ALICE)[-1]
            self.assertIn(b"Subject: smuggle %d" % n, last)
            self.assertIn(b"Subject: evil", last)
        self.assertNotIn("evil", self.subjects(BOB))
        self.sandbox.check_store()

    def test_octets_are_kept(self):
        bodies = [b"\0\xff\x80\0\r\n", b"..\r\n.x\r\n\r\n", b"x" * 300000 +
                  b"\r\n", b"\r\n" * 10, b"a\rb\r\n"]
        for body in bodies:
            message = mail("octets", body)
            with self.sandbox.lmtp() as l:
                l.send(ANN, [ALICE], message, "250")
            self.assertEqual(stored_part(self.sandbox.mails(ALICE)[-1]),
                             message)

    def test_a_header_alone_and_a_body_alone_and_nothing(self):
        for message in (b"Subject: head\r\n", b"no header at all\r\n", b""):
            with self.sandbox.lmtp() as l:
                l.send(ANN, [ALICE], message, "250")
            got = stored_part(self.sandbox.mails(ALICE)[-1])
            self.assertEqual(got, message or b"\r\n")
        self.sandbox.check_store()

    def test_lines_that_are_no_commands(self):
        with self.sandbox.lmtp() as l:
            self.assertRefused("501 5.5.2", l.cmd, b"NO\0OP\r\n", "250")
            self.assertRefused("500 5.5.2", l.cmd, b"NOOP\n", "250")
            self.assertRefused("500 5.5.2", l.cmd, b"x" * 5000 + b"\r\n",
                               "250")
            self.assertRefused("500 5.5.2", l.cmd, b"x" * 500000 + b"\r\n",
                               "250")
            l.cmd("NOOP", "250")
        with self.sandbox.lmtp() as l:
            l.put(b"what\r\n" * 25)
            lines = l.file.read().decode().splitlines()
        self.assertEqual(len(lines), 20)
        self.assertTrue(lines[-1].startswith("421 4.7.0"), lines[-1])

    def test_names_with_octets_of_a_terminal_reach_no_log(self):
        with self.sandbox.lmtp(helo="mx\x1b[2J<>\"") as l:
            l.cmd(b"MAIL FROM:<a\xff\"\x1b\"@remote.test>\r\n")
            l.cmd("RSET", "250")
            l.cmd(b"MAIL FROM:<a\xffb@remote.test>\r\n", "250")
            l.cmd(b"RCPT TO:<no\xfe@example.test>\r\n")
        log = self.sandbox.log("lmtpd.log")
        self.assertNotIn("\x1b", log)
        self.assertTrue(log.isascii())

    def test_too_big_is_told_before_and_after(self):
        with self.sandbox.lmtp() as l:
            self.assertIn("SIZE 67108864", l.features)
            self.assertRefused("552 5.3.4", l.cmd,
                               "MAIL FROM:<a@b.test> SIZE=67108865", "250")
            l.rcpts(ANN, [ALICE, BOB])
            line = b"x" * 1022 + b"\r\n"
            replies = l.data(line * (65 * 1024))
            self.assertEqual([r[:9] for r in replies], ["552 5.3.4"] * 2)
            l.send(ANN, [BOB], mail("after the big one"), "250")
        self.assertEqual(self.subjects(BOB)[-1], "after the big one")

    def test_who_is_silent_is_told_and_closed(self):
        with self.sandbox.lmtp() as l, self.sandbox.lmtp() as d:
            d.rcpts(ANN, [ALICE])
            d.cmd("DATA", "354")
            self.assertTrue(l.answer().startswith("421 4.4.2"))
            self.assertTrue(d.answer().startswith("421 4.4.2"))
            self.assertEqual(l.file.read() + d.file.read(), b"")

    def test_more_sessions_than_allowed_wait(self):
        held = [self.sandbox.lmtp() for _ in range(4)]
        with socket.socket(socket.AF_UNIX) as late:
            late.connect(self.sandbox.env["MAILROW_LMTP"])
            late.settimeout(0.5)
            with self.assertRaises(socket.timeout):
                late.recv(100)
            held.pop().close()
            late.settimeout(10)
            self.assertTrue(late.recv(100).startswith(b"220 "))
        for l in held:
            l.close()

    def test_a_client_that_goes_leaves_nothing(self):
        before = self.sandbox.sql("SELECT COUNT(*) FROM mail")
        with self.sandbox.lmtp() as l:
            l.rcpts(ANN, [ALICE])
            l.cmd("DATA", "354")
            l.put(mail("half"))
        time.sleep(0.3)
        self.assertEqual(self.sandbox.sql("SELECT COUNT(*) FROM mail"), before)

    def test_term_lets_a_mail_come_to_its_end(self):
        with self.sandbox.lmtp() as l, self.sandbox.lmtp() as idle:
            l.rcpts(ANN, [ALICE])
            l.cmd("DATA", "354")
            message = mail("over a stop")
            l.put(message[:40])
            self.sandbox.kill("lmtpd", signal.SIGTERM)
            self.assertTrue(idle.answer().startswith("421 4.3.2"))
            l.put(message[40:] + b".\r\n")
            self.assertTrue(l.answer().startswith("250 2.0.0"))
            self.assertTrue(l.answer().startswith("421 4.3.2"))
        self.sandbox.stop("lmtpd")
        self.sandbox.start()
        self.assertEqual(self.subjects(ALICE)[-1], "over a stop")

    def test_hup_reads_the_options_again(self):
        try:
            with self.sandbox.lmtp() as l:
                self.reconfigure("lmtp_message_max = 1M")
                self.sandbox.kill("lmtpd", signal.SIGHUP)

                def is_new():
                    with self.sandbox.lmtp() as n:
                        return "SIZE 1048576" in n.features
                wait_until(is_new, what="the reload")
                l.send(ANN, [ALICE], mail("over a reload"), "250")
            self.reconfigure("lmtp_message_max = much")
            self.sandbox.kill("lmtpd", signal.SIGHUP)
            wait_until(lambda: "stays in force" in
                       self.sandbox.log("lmtpd.log"), what="the refusal")
            self.assertTrue(is_new())
        finally:
            self.reconfigure()
            self.sandbox.stop("lmtpd")
            self.sandbox.start()

    def test_a_port_of_this_host_serves_too(self):
        port = free_port()
        self.reconfigure("lmtp_listen = unix:%s inet:127.0.0.1:%d" % (
            self.sandbox.env["MAILROW_LMTP"], port))
        self.sandbox.stop("lmtpd")
        self.sandbox.start()
        try:
            with Wire("127.0.0.1:%d" % port) as w:
                self.assertTrue(w.line().startswith("220 "))
            with self.sandbox.lmtp() as l:
                l.cmd("NOOP", "250")
        finally:
            self.reconfigure()
            self.sandbox.stop("lmtpd")
            self.sandbox.start()

    def program(self, *lines):
        """Runs it with other options: its exit code and what it said."""
        build = os.environ.get("MAILROW_BUILD", os.path.join(TOP, "build"))
        conf = os.path.join(self.sandbox.top, "other.conf")
        with open(self.sandbox.env["MAILROW_CONF"]) as f:
            kept = [l for l in f if not l.startswith(
                tuple(x.split(" ")[0] for x in lines))]
        with open(conf, "w") as f:
            f.write("".join(kept) + "".join(l + "\n" for l in lines))
        r = subprocess.run([os.path.join(build, "lmtpd/mailrow-lmtpd"), "-c",
                            conf], stderr=subprocess.PIPE, text=True,
                           timeout=20, check=False)
        return r.returncode, r.stderr

    def test_what_it_does_not_start_with(self):
        for line, code, say in (
                ("lmtp_listen = inet:0.0.0.0:2424", 78, "loopback"),
                ("lmtp_listen = relative", 78, "neither unix: nor inet:"),
                ("lmtp_forward = smtp://192.0.2.1:25", 78, "loopback"),
                ("lmtp_user = nobody-of-that-name", 67, "user"),
                ("log_debug = no", 75, "lock")):
            with self.subTest(line):
                got, text = self.program(line)
                self.assertEqual(got, code, text)
                self.assertIn(say, text)
        with self.sandbox.lmtp() as l:      # the socket is still ours
            l.cmd("NOOP", "250")

    def test_the_socket_belongs_to_the_group_of_the_mta(self):
        st = os.stat(self.sandbox.env["MAILROW_LMTP"])
        self.assertEqual(oct(st.st_mode & 0o777), "0o660")
        group = subprocess.run(["getent", "group", "postfix"], text=True,
                               stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(str(st.st_gid), group.split(":")[2])


class Store(LmtpTest):
    def test_trace_headers_name_the_recipient_and_the_way(self):
        with self.sandbox.lmtp() as l:
            l.send(ANN, ["Alice+x@example.test"], mail("trace"), "250")
        got = self.sandbox.mails(ALICE)[-1]
        self.assertRegex(
            got.decode(), "^Return-Path: <%s>\r\nDelivered-To: %s\r\n"
            r"X-Original-To: Alice\+x@example.test" "\r\n"
            "Received: from mx.example.test\r\n\tby mx.example.test"
            r" \(Mailrow\) with LMTP" "\r\n"
            r"\tfor <Alice\+x@example.test>; " % (ANN, ALICE))

    def test_the_queue_id_is_that_of_the_mta(self):
        message = b"Received: by mx.example.test (Postfix, from userid 0)" \
            b"\r\n\tid 4F1B2C3D4E; Mon, 23 Nov 2026 05:15:11 +0000\r\n" + \
            mail("queue id")
        with self.sandbox.lmtp() as l:
            l.send(ANN, [BOB], message, "250")
        self.assertRegex(self.sandbox.log("lmtpd.log"),
                         r"4F1B2C3D4E: to=<%s>, relay=mailrow, delay=[0-9.]+,"
                         r" dsn=2\.0\.0, status=sent \(stored as \d+/\d+\)"
                         % BOB)
        self.assertIn(b"id 4F1B2C3D4E\r\n\tfor", self.sandbox.mails(BOB)[-1])

    def test_a_retry_is_stored_once(self):
        message = mail("retry")
        for who in ([ALICE], [ALICE, BOB]):
            with self.sandbox.lmtp() as l:
                l.send(ANN, who, message, "250")
        for who in (ALICE, BOB):
            self.assertEqual(self.subjects(who).count("retry"), 1)
        self.assertIn("duplicate, stored before",
                      self.sandbox.log("lmtpd.log"))
        alarm = b"Subject: alarm\r\n\r\nfire\r\n"   # two are two
        for _ in range(2):
            with self.sandbox.lmtp() as l:
                l.send(ANN, [ALICE], alarm, "250")
        self.assertEqual(self.subjects(ALICE).count("alarm"), 2)

    def fill(self, address, quota=20000):
        self.sandbox.account(address)
        self.sandbox.tool("account", "quota", address, str(quota))
        with self.sandbox.lmtp() as l:
            l.send(ANN, [address], mail("fills", b"x" * 15000 + b"\r\n"),
                   "250")

    def test_a_full_mailbox_does_not_hinder_the_others(self):
        self.fill("quinn@example.test")
        message = mail("quota", b"y" * 15000 + b"\r\n")
        with self.sandbox.lmtp() as l:
            l.rcpts(ANN, [ALICE, "quinn@example.test", BOB])
            replies = l.data(message)
        self.assertEqual([r[:9] for r in replies],
                         ["250 2.0.0", "452 4.2.2", "250 2.0.0"])
        for who in (ALICE, BOB):
            self.assertEqual(self.subjects(who).count("quota"), 1)
        self.assertNotIn("quota", self.subjects("quinn@example.test"))
        self.sandbox.check_store()
        self.sandbox.empty("quinn@example.test")
        with self.sandbox.lmtp() as l:
            l.send(ANN, ["quinn@example.test"], message, "250")
        self.assertEqual(self.subjects("quinn@example.test"), ["quota"])

    def test_a_big_mail_and_a_full_mailbox(self):
        """What was uploaded for the first try serves no other."""
        self.fill("quentin@example.test")
        message = mail("big quota", b"z" * 998 + b"\r\n" +
                       (b"0123456789" * 99 + b"\r\n") * 3000)
        with self.sandbox.lmtp() as l:
            l.rcpts(ANN, [ALICE, "quentin@example.test", BOB])
            replies = l.data(message)
        self.assertEqual([r[:3] for r in replies], ["250", "452", "250"])
        for who in (ALICE, BOB):
            self.assertEqual(stored_part(self.sandbox.mails(who)[-1]), message)
        self.sandbox.check_store()

    def test_a_full_member_of_a_list_waits_alone(self):
        self.fill("fay@example.test")
        self.sandbox.tool("account", "quota", "fay@example.test", "10000")
        self.alias("staff@example.test", ALICE, "fay@example.test", BOB)
        message, bare = mail("staff"), b"Subject: bare staff\r\n\r\nx\r\n"
        for _ in range(2):
            with self.sandbox.lmtp() as l:
                l.rcpts(ANN, ["staff@example.test"])
                self.assertTrue(l.data(message)[0].startswith("452 4.2.2"))
        # one that could not be known again is stored for nobody yet
        with self.sandbox.lmtp() as l:
            l.rcpts(ANN, ["staff@example.test", BOB])
            self.assertEqual([r[:3] for r in l.data(bare)], ["452", "250"])
        self.assertEqual(self.subjects(ALICE).count("bare staff"), 0)
        self.assertEqual(self.subjects(BOB).count("bare staff"), 1)
        self.sandbox.empty("fay@example.test")
        time.sleep(1.1)
        with self.sandbox.lmtp() as l:
            l.send(ANN, ["staff@example.test"], message, "250")
        for who in (ALICE, BOB, "fay@example.test"):
            self.assertEqual(self.subjects(who).count("staff"), 1)
        self.sandbox.check_store()

    def test_what_an_alias_forwards_is_handed_on(self):
        self.alias("both@example.test", ALICE, FOREIGN, "y@foreign.test")
        self.alias("abroad@example.test", FOREIGN)
        message = mail("forwarded", b"..\r\n.\r\nto\xff\r\n")
        with self.sandbox.lmtp() as l:
            l.send("bounces+x@remote.test",
                   ["both@example.test", "abroad@example.test"], message,
                   "250")
        self.assertEqual(self.subjects(ALICE).count("forwarded"), 1)
        wait_until(lambda: self.sunk("forwarded"), what="the forward")
        self.sandbox.wait_for_queue()
        copies = self.sunk("forwarded")
        self.assertEqual(len(copies), 1)     # nobody gets it twice
        head, body = copies[0].split(b"\n\n", 1)
        self.assertIn(b"<bounces+x@remote.test>", head)
        self.assertIn(b"<x@foreign.test>", head)
        self.assertIn(b"<y@foreign.test>", head)
        self.assertTrue(body.startswith(b"..\n.\nto\xff\n"), body)
        self.assertIn("status=sent (forwarded)",
                      self.sandbox.log("lmtpd.log"))

    def test_a_bounce_is_handed_on_as_a_bounce(self):
        self.alias("abroad2@example.test", FOREIGN)
        with self.sandbox.lmtp() as l:
            l.send("", ["abroad2@example.test"], mail("null"), "250")
        wait_until(lambda: self.sunk("null"), what="the forward")
        self.assertIn(b"X-Mail-Args: <>\n", self.sunk("null")[0])

    def test_without_a_way_on_the_mta_tries_again(self):
        self.alias("abroad3@example.test", FOREIGN)
        self.reconfigure("lmtp_forward =")
        self.sandbox.kill("lmtpd", signal.SIGHUP)
        try:
            def is_deferred():
                with self.sandbox.lmtp() as l:
                    return l.rcpts(ANN, ["abroad3@example.test"])[0] \
                        .startswith("451 4.3.5")
            wait_until(is_deferred, what="the reload")
            self.assertIn("set lmtp_forward", self.sandbox.log("lmtpd.log"))
            # nobody listens there: the mail is stored, its hand-on waits
            self.reconfigure("lmtp_forward = smtp://127.0.0.1:9")
            self.alias("half@example.test", BOB, FOREIGN)
            self.sandbox.kill("lmtpd", signal.SIGHUP)
            wait_until(lambda: not is_deferred(), what="the reload")
            message = mail("half")
            with self.sandbox.lmtp() as l:
                l.rcpts(ANN, ["half@example.test", ALICE])
                self.assertEqual([r[:9] for r in l.data(message)],
                                 ["451 4.4.0", "250 2.0.0"])
        finally:
            self.reconfigure()
            self.sandbox.stop("lmtpd")
            self.sandbox.start()
        with self.sandbox.lmtp() as l:
            l.send(ANN, ["half@example.test"], message, "250")
        wait_until(lambda: self.sunk("half"), what="the forward")
        self.assertEqual(self.subjects(BOB).count("half"), 1)

    def test_what_could_not_be_known_again_is_handed_on_first(self):
        """Stored first it would be stored anew with each try."""
        self.sandbox.account("una@example.test")
        self.alias("bare@example.test", "una@example.test", FOREIGN)
        message = b"Subject: no key\r\n\r\nx\r\n"
        for _ in range(2):
            self.sandbox.fault("lmtp-forward", "fail")
            with self.sandbox.lmtp() as l:
                l.rcpts(ANN, ["bare@example.test", BOB])
                self.assertEqual([r[:9] for r in l.data(message)],
                                 ["451 4.4.0", "250 2.0.0"])
        self.assertEqual(self.subjects("una@example.test"), [])
        self.assertEqual(self.subjects(BOB).count("no key"), 2)
        with self.sandbox.lmtp() as l:
            l.send(ANN, ["bare@example.test"], message, "250")
        wait_until(lambda: self.sunk("no key"), what="the forward")
        self.sandbox.wait_for_queue()
        self.assertEqual(len(self.sunk("no key")), 1)
        self.assertEqual(self.subjects("una@example.test"), ["no key"])
        self.sandbox.check_store()

    def test_served_decides_here_too(self):
        self.sandbox.account("pat@example.test")
        self.serve("pat@example.test", "pass")
        with self.sandbox.lmtp() as l:
            answer = l.rcpts(ANN, ["pat@example.test"])[0]
        self.assertTrue(answer.startswith("451 4.3.5"), answer)
        self.assertIn("the MTA's transport for it must be another one",
                      self.sandbox.log("lmtpd.log"))
        self.serve("pat@example.test", "mirror")
        with self.sandbox.lmtp() as l:
            l.send(ANN, ["pat@example.test"], mail("mirrored"), "250")
        self.assertEqual(self.subjects("pat@example.test"), ["mirrored"])
        self.assertEqual(self.sandbox.queue(), [])

    def test_a_member_of_a_list_that_the_mta_delivers_itself(self):
        """Where one mailbox is moved at a time, lists reach both sides."""
        self.sandbox.account("petra@example.test")
        self.serve("petra@example.test", "pass")
        self.alias("team@example.test", ALICE, "petra@example.test")
        self.sandbox.postconf("transport_maps=inline:{petra@example.test="
                              "smtp:[127.0.0.1]:%s}" %
                              self.sandbox.env["MAILROW_SINK_PORT"])
        with self.sandbox.lmtp() as l:
            l.send(ANN, ["team@example.test"], mail("team"), "250")
        self.assertEqual(self.subjects(ALICE).count("team"), 1)
        wait_until(lambda: self.sunk("team"), what="the hand-on")
        self.assertIn(b"<petra@example.test>", self.sunk("team")[0])
        self.serve("petra@example.test", "mirror")
        with self.sandbox.lmtp() as l:
            l.send(ANN, ["team@example.test"], mail("both sides"), "250")
        for who in ALICE, "petra@example.test":
            self.assertEqual(self.subjects(who).count("both sides"), 1)
        wait_until(lambda: self.sunk("both sides"), what="the hand-on")
        self.sandbox.wait_for_queue()
        self.assertEqual(len(self.sunk("both sides")), 1)

    def test_a_big_mail_costs_no_memory(self):
        line = b"0123456789abcdef" * 63 + b"\r\n"
        with self.sandbox.lmtp() as l:
            l.rcpts(ANN, [ALICE, BOB])
            l.cmd("DATA", "354")
            l.put(mail("100 MB", b""))
            block = line * 1024
            for _ in range(1 + 100 * 1024 * 1024 // len(block)):
                l.put(block)
            l.put(b".\r\n")
            self.assertTrue(l.answer().startswith("250"))
            self.assertTrue(l.answer().startswith("250"))
        child = child_of(self.sandbox.pid("lmtpd"))
        with open("/proc/%d/status" % child) as f:
            peak = [int(x.split()[1]) for x in f if x.startswith("VmHWM")][0]
        with open("/proc/%d/maps" % child) as f:
            instrumented = "libasan" in f.read()
        rows = self.sandbox.sql("SELECT octets FROM content ORDER BY octets"
                                " DESC LIMIT 1")
        self.assertGreater(int(rows[0][0]), 100 * 1024 * 1024)
        self.assertLess(peak, (400 if instrumented else 40) * 1024)
        print("100 MB by LMTP: %d KiB at most" % peak)
        self.sandbox.empty(ALICE)
        self.sandbox.empty(BOB)


class DatabaseAway(LmtpTest):
    CONF = ("deliver_timeout = 3s", "lookup_timeout = 2s",
            "db_connect_timeout = 1s")

    def test_the_mta_is_told_to_try_again(self):
        time.sleep(1.1)
        self.sandbox.stop("db")
        with self.sandbox.lmtp() as l:
            for who in (ALICE, "nobody@example.test"):
                self.assertTrue(l.rcpts(ANN, [who])[0]
                                .startswith("451 4.3.0"))
                l.cmd("RSET", "250")
        self.sandbox.start()
        with self.sandbox.lmtp() as l:
            l.rcpts(ANN, [ALICE, BOB])
            self.sandbox.stop("db")
            began = time.monotonic()
            replies = l.data(mail("away"))
            self.assertEqual([r[:9] for r in replies], ["451 4.3.0"] * 2)
            self.assertLess(time.monotonic() - began, 10)
        self.sandbox.start()
        self.assertNotIn("away", self.subjects(ALICE))

    def test_postfix_keeps_it_until_the_database_is_back(self):
        self.sandbox.stop("db")
        self.sandbox.sendmail("root@example.test", [BOB],
                              b"Subject: patient\n\nx\n")
        wait_until(lambda: "status=deferred" in self.sandbox.log("maillog"),
                   what="the first try")
        self.sandbox.start()
        self.sandbox.wait_for_queue()
        self.assertEqual(self.subjects(BOB).count("patient"), 1)

    def test_it_starts_without_the_database(self):
        self.sandbox.stop("db", "lmtpd")
        self.sandbox.start_alone("lmtpd")
        with self.sandbox.lmtp() as l:
            self.assertTrue(l.rcpts(ANN, [ALICE])[0].startswith("451 4.3.0"))
        self.sandbox.start()

        def taken():
            with self.sandbox.lmtp() as l:
                return l.rcpts(ANN, [ALICE])[0].startswith("250")
        wait_until(taken, what="the policy's first reading")
        with self.sandbox.lmtp() as l:
            l.send(ANN, [ALICE], mail("back"), "250")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""TLS of the POP3 daemon: both ways in, certificates by name and their
reload, tickets, and clients that stop in the middle of a handshake."""

import os
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import time

from mrtest import (PASSWORD, Failed, Pop3, SandboxTest, Wire, careless,
                    mail, main, wait_until)
from test_pop3 import children

ALICE, BOB = "alice@example.test", "bob@example.test"
EVE = "eve@remote.test"
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = {TLS12: "TLSv1.2", TLS13: "TLSv1.3"}


def openssl(*args, input_=b""):
    r = subprocess.run(["openssl", *args], input=input_, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode:
        raise RuntimeError("openssl %s: %s" % (args[0], r.stderr.decode()))
    return r.stdout


class Certificate:
    """A key and its certificate, in PEM."""

    def __init__(self, name, days=365, names=(), key="ec", signer=None):
        kind, option = {
            "ec": ("EC", "ec_paramgen_curve:prime256v1"),
            "rsa": ("RSA", "rsa_keygen_bits:2048"),
            "weak": ("RSA", "rsa_keygen_bits:1024"),
            "odd": ("EC", "ec_paramgen_curve:brainpoolP256r1")}[key]
        self.key = openssl("genpkey", "-algorithm", kind, "-pkeyopt", option)
        request = self.request(name, names)
        signed = self.sign(request, days, signer)
        self.cert = signed + (signer.cert if signer else b"")
        self.leaf = signed
        self.pem = self.cert + self.key

    def request(self, name, names):
        alt = ",".join("DNS:" + n for n in names or (name,))
        with Files(self.key) as key:
            return openssl("req", "-new", "-key", key, "-subj", "/CN=" + name,
                           "-addext", "subjectAltName=" + alt)

    def sign(self, request, days, signer):
        by = signer or self
        with Files(by.key, getattr(by, "cert", b"")) as (key, cert):
            how = ("-CA", cert, "-CAkey", key) if signer else \
                ("-signkey", key)
            return openssl("x509", "-req", *how, "-days", str(days),
                           "-copy_extensions", "copy", input_=request)

    @property
    def der(self):
        return ssl.PEM_cert_to_DER_cert(self.leaf.decode())


class Files:
    """Octets that a program wants in files."""

    def __init__(self, *contents):
        self.contents = contents

    def __enter__(self):
        self.paths = []
        for octets in self.contents:
            fd = os.memfd_create("test")
            os.write(fd, octets)
            self.paths.append("/proc/%d/fd/%d" % (os.getpid(), fd))
        return self.paths[0] if len(self.paths) == 1 else self.paths

    def __exit__(self, *what):
        for path in self.paths:
            os.close(int(path.rsplit("/", 1)[1]))


class HalfClosing(Wire):
    """Says that it sends no more, and goes on reading."""

    def __init__(self, where, context):
        super().__init__(where)
        self.come, self.go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.come, self.go,
                                    server_hostname="localhost")
        while self.carry(self.tls.do_handshake) is None:
            pass
        banner = b""
        while not banner.endswith(b"\r\n"):
            banner += self.carry(self.tls.read, 65536) or b""

    def carry(self, step, *args):
        """Its value; None: not yet, but octets were carried."""
        try:
            value = step(*args)
            self.sock.sendall(self.go.read())
            return value or b""
        except ssl.SSLWantReadError:
            self.sock.sendall(self.go.read())
            octets = self.sock.recv(65536)
            if octets:
                self.come.write(octets)
            else:
                self.come.write_eof()
        return None

    def put(self, text):
        self.carry(self.tls.write, text.encode() + b"\r\n")

    def say_goodbye(self):
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            self.sock.sendall(self.go.read())

    def read_all(self):
        octets = b""
        try:
            while True:
                octets += self.carry(self.tls.read, 65536) or b""
        except ssl.SSLZeroReturnError:
            return octets


class Tls(SandboxTest):
    """Those with the sandbox's own configuration share one."""

    SHARED = None

    @classmethod
    def setUpClass(cls):
        if cls.CONF or cls is Names:
            super().setUpClass()
            return
        if not Tls.SHARED:
            super().setUpClass()
            Tls.SHARED = cls.sandbox
        cls.sandbox = Tls.SHARED

    @classmethod
    def tearDownClass(cls):
        if cls.sandbox is not Tls.SHARED:
            super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.mark = len(self.sandbox.log("pop3d.log"))

    def log(self):
        return self.sandbox.log("pop3d.log")[self.mark:]

    def parent(self):
        return self.sandbox.pid("pop3d")

    def sessions(self):
        return len(children(self.parent())) - 1

    def session_of(self, opened):
        before = set(children(self.parent()))
        p = opened()
        return p, (set(children(self.parent())) - before).pop()

    def fill(self, user, *messages):
        self.sandbox.empty(user)
        with self.sandbox.smtp() as s:
            for m in messages:
                s.send(EVE, [user], m)

    def stls(self, user=None, context=None, **options):
        p = self.sandbox.pop3()
        p.stls(context or self.sandbox.tls(), name="localhost", **options)
        if user:
            p.login(user)
        return p

    def doors(self, user=None):
        """A client through each way in, with each version."""
        for version in VERSIONS:
            context = self.sandbox.tls(version)
            yield self.sandbox.pop3s(user, tls=context)
            yield self.stls(user, context)

    def wait_for_log(self, pattern):
        wait_until(lambda: re.search(pattern, self.log()), what=pattern)

    def path(self, name):
        return os.path.join(self.sandbox.dir, "etc", "tls", name)

    def write(self, name, octets, mode=0o600):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "wb") as f:
            f.write(octets)
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)

    def reload(self):
        """SIGHUP, and it has been carried out."""
        before = self.sandbox.log("pop3d.log").count("configuration reloaded")
        os.kill(self.parent(), signal.SIGHUP)
        wait_until(lambda: self.sandbox.log("pop3d.log").count(
            "configuration reloaded") > before, what="the reload")

    def shown(self, name="localhost"):
        """The certificate that a new client is shown."""
        with Pop3(self.sandbox.env["MAILROW_POP3S"], tls=careless(),
                  name=name) as p:
            return p.sock.getpeercert(True)

    def check_config(self):
        """The daemon's own words about its configuration."""
        program = os.readlink("/proc/%d/exe" % self.parent())
        r = subprocess.run(
            [program, "-c", self.sandbox.env["MAILROW_CONF"],
             "--check-config"], check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return r.returncode, r.stdout


class Doors(Tls):
    def test_rule_45_both_ways_in_with_both_versions(self):
        self.fill(ALICE, mail("one"))
        served = self.sandbox.mails(ALICE)
        for p in self.doors(ALICE):
            with p:
                self.assertIn(p.sock.version(), VERSIONS.values())
                self.assertEqual(p.retr(1), served[0])
                self.assertRefused("-ERR", p.cmd, "STLS")
                self.assertNotIn(b"STLS", p.multi("CAPA"))
                p.quit()
        for version in VERSIONS.values():
            self.assertEqual(len(re.findall(
                r"Login: rip=127.0.0.1, .*, user=<%s>, method=USER, TLS,"
                r" version=%s, cipher=[A-Z0-9_-]+, session=" % (
                    ALICE, re.escape(version)), self.log())), 2)
        wait_until(lambda: len(re.findall(
            r"TLS, version=.*Disconnected: Logged out", self.log())) == 4,
            what="the ends of the sessions")

    def test_versions_before_1_2_are_refused(self):
        for version in "-tls1", "-tls1_1":
            r = subprocess.run(
                ["openssl", "s_client", version, "-cipher",
                 "DEFAULT@SECLEVEL=0", "-connect",
                 self.sandbox.env["MAILROW_POP3S"]], check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            self.assertNotEqual(r.returncode, 0)
            self.assertIn(b"alert protocol version", r.stdout)
        self.wait_for_log(r"lip=127.0.0.1, TLS handshake failed: unsupported"
                          r" protocol, session=")

    def test_rule_45_a_user_before_stls_is_forgotten(self):
        with self.sandbox.pop3() as p:
            p.cmd("USER " + ALICE)
            p.stls(self.sandbox.tls(), name="localhost")
            self.assertRefused("-ERR", p.cmd, "PASS " + PASSWORD)
            p.login(ALICE)
            p.quit()

    def test_rule_45_what_comes_with_stls_ends_the_connection(self):
        with self.sandbox.pop3() as p:
            p.put("STLS\r\nUSER %s\r\nPASS %s" % (ALICE, PASSWORD))
            self.assertRegex(p.line(), "^-ERR ")
            self.assertEqual(p.file.read(), b"")
        self.wait_for_log(r"Disconnected \(no auth attempts\)")

    def test_rule_45_what_comes_in_clear_after_stls_is_never_done(self):
        with self.sandbox.pop3() as p:
            p.cmd("STLS")
            p.put("USER %s\r\nPASS %s\r\nSTAT" % (ALICE, PASSWORD))
            self.assertNotIn(b"+OK", p.file.read())
        self.wait_for_log(r"\(no auth attempts\): .*TLS handshake failed: ")
        self.assertNotIn("Login", self.log())

    def test_stls_is_for_before_the_login(self):
        with self.sandbox.pop3(ALICE) as p:
            self.assertRefused("-ERR", p.cmd, "STLS")
            p.quit()

    def test_commands_come_in_pieces_and_many_at_once(self):
        for p in self.doors():
            with p:
                for octet in b"USER alice@example.test\r\n":
                    p.put(bytes((octet,)))
                p.status()
                p.cmd("PASS " + PASSWORD)
                p.put("\r\n".join(["NOOP"] * 1000 + ["QUIT"]))
                for _ in range(1001):
                    p.status()
                self.assertEqual(p.file.read(), b"")

    def test_rule_47_a_client_is_told_of_the_end_and_need_not_tell(self):
        for p in self.doors(ALICE):
            with p:
                p.sock.suppress_ragged_eofs = False
                p.cmd("QUIT")
                self.assertEqual(p.sock.recv(1), b"")   # close_notify came
        for p in self.doors(ALICE):
            p.file.close()
            p.sock.close()                              # without one
        wait_until(lambda: self.log().count(
            "Disconnected: Connection closed") == 4, what="the ends")
        lines = [l for l in self.log().splitlines() if ALICE in l]
        self.assertEqual(len(lines), 16, self.log())

    def test_rule_47_half_a_close_is_still_answered(self):
        self.fill(ALICE, mail("half", b"0123456789\r\n" * 1000))
        for version in VERSIONS:
            with HalfClosing(self.sandbox.env["MAILROW_POP3S"],
                             self.sandbox.tls(version)) as p:
                p.put("USER %s\r\nPASS %s\r\nRETR 1" % (ALICE, PASSWORD))
                p.say_goodbye()
                self.assertIn(b"0123456789\r\n" * 1000 + b".\r\n",
                              p.read_all())

    def test_a_client_that_vanishes_leaves_nothing(self):
        self.fill(BOB, mail("big", b"0123456789\r\n" * 200000))
        before = self.sessions()
        for point in ("hello", "open", "retr"):
            p = self.sandbox.pop3() if point == "hello" else \
                self.sandbox.pop3s(BOB)
            if point == "hello":
                p.cmd("STLS")
                p.put(b"\x16\x03\x01\x01")
            elif point == "retr":
                p.put("RETR 1")
                p.line()
            p.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))
            p.close()                                   # RST
        wait_until(lambda: self.sessions() == before, what="the ends")
        self.assertEqual(self.sandbox.number(
            "SELECT COUNT(*) FROM mail JOIN mailbox USING (mailbox_id)"
            " WHERE address = '%s'" % BOB), 1)

    def test_ten_megabytes_are_what_they_were(self):
        body = b"".join(random.Random(7).randbytes(700).hex().encode()[:990] +
                        b"\r\n" for _ in range(11000))
        self.fill(BOB, mail("ten megabytes", body))
        served = self.sandbox.mails(BOB)[0]
        self.assertGreater(len(served), 10 << 20)
        self.assertTrue(served.endswith(body))
        for p in self.doors(BOB):
            with p:
                self.assertTrue(p.retr(1) == served)
                p.quit()

    def records(self, p, n):
        """The answer to RETR as OpenSSL gives it: one record at a time."""
        p.put("RETR %d" % n)
        found = [b""]
        while not b"".join(found).endswith(b"\r\n.\r\n"):
            found.append(p.sock.recv(1 << 20))
            self.assertTrue(found[-1])
        return found[1:]

    def test_rule_13_the_last_line_is_not_cut_by_a_record(self):
        def message(octets):
            return mail("probe", (b"z" * 98 + b"\r\n") * (octets // 100)
                        + b"w" * (octets % 100) + b"\r\n")
        self.fill(ALICE, message(16000))
        with self.sandbox.pop3s(ALICE) as p:
            more = 16384 - sum(map(len, self.records(p, 1)))
            p.quit()
        self.fill(ALICE, *[message(16000 + more + d)
                           for d in range(-12, 12)])
        over = set()
        with self.sandbox.pop3s(ALICE) as p:
            for n in range(p.stat()[0]):
                records = self.records(p, n + 1)
                over.add(sum(map(len, records)) % 16384)
                self.assertGreaterEqual(len(records[-1]), 5)
            p.quit()
        self.assertTrue(set(range(1, 5)) & over, over)


class Tickets(Tls):
    def first(self, context, opened):
        """A session that another connection can take up."""
        with opened(context) as p:
            p.login(ALICE)                      # 1.3: the ticket has come
            self.assertFalse(p.sock.session_reused)
            session = p.sock.session
            p.quit()
        return session

    def test_a_session_goes_on_in_another_process(self):
        def at_once(context, **how):
            return self.sandbox.pop3s(tls=context, **how)

        def by_stls(context, **how):
            return self.stls(context=context, **how)
        for version in VERSIONS:
            context = self.sandbox.tls(version)
            for one, other in ((at_once, at_once), (by_stls, at_once),
                               (at_once, by_stls)):
                session = self.first(context, one)
                with other(context, session=session) as p:
                    self.assertTrue(p.sock.session_reused)
                    p.login(ALICE)
                    p.quit()

    def test_a_reload_leaves_the_tickets(self):
        context = self.sandbox.tls()
        session = self.first(context, lambda c: self.sandbox.pop3s(tls=c))
        self.reload()
        with self.sandbox.pop3s(tls=context, session=session) as p:
            self.assertTrue(p.sock.session_reused)

    def test_a_ticket_of_another_server_is_no_harm(self):
        context = self.sandbox.tls()
        session = self.first(context, lambda c: self.sandbox.pop3s(tls=c))
        self.sandbox.stop("pop3d")
        self.sandbox.start()
        with self.sandbox.pop3s(tls=context, session=session) as p:
            self.assertFalse(p.sock.session_reused)
            p.login(ALICE)
            p.quit()

    def test_openssl_says_so_too(self):
        place = os.path.join(self.sandbox.top, "session")
        for version in "-tls1_2", "-tls1_3":
            for how, want in (("-sess_out", b"New, "),
                              ("-sess_in", b"Reused, ")):
                with subprocess.Popen(
                        ["openssl", "s_client", version, how, place,
                         "-crlf", "-connect",
                         self.sandbox.env["MAILROW_POP3S"]],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL) as s:
                    s.stdin.write(b"CAPA\n")
                    s.stdin.flush()
                    said = b""
                    while b"\r\n.\r\n" not in said:
                        said += os.read(s.stdout.fileno(), 65536)
                    s.stdin.close()
                    self.assertIn(want, said + s.stdout.read())


class Names(Tls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        t = cls("setUp")
        ca = Certificate("ca.test")
        cls.certs = {
            "pop.one.test.pem": Certificate("pop.one.test", names=(
                "pop.one.test", "mail.one.test", "*.wild-one.test")),
            "*.two.test.pem": Certificate("*.two.test", key="rsa"),
            "deep.two.test.pem": Certificate("deep.two.test"),
            "three.test": Certificate("three.test"),
            "four.test": Certificate("four.test", signer=ca),
        }
        for name, c in cls.certs.items():
            if name.endswith(".pem"):
                t.write("names/" + name, c.pem)
        t.write("names/three.test/cert.pem", cls.certs["three.test"].cert)
        t.write("names/three.test/key.pem", cls.certs["three.test"].key)
        t.write("names/four.test/fullchain.pem", cls.certs["four.test"].cert)
        t.write("names/four.test/privkey.pem", cls.certs["four.test"].key)
        t.write("names/four.test/cert.pem", b"of its leaf alone")
        weak = Certificate("weak.test", key="weak")
        t.write("names/weak.test.pem", weak.pem)
        t.write("names/README", b"not a certificate")
        t.write("names/broken.test.pem", b"no certificate at all")
        cls.sandbox.script("stop", "pop3d")
        with open(os.path.join(cls.sandbox.dir, "etc/mailrow/conf.d",
                               "names.conf"), "w") as f:
            f.write("tls_sni_dir = %s\n" % t.path("names"))
        cls.sandbox.start()

    def test_each_name_has_its_certificate(self):
        with open(self.sandbox.env["MAILROW_CERT"]) as f:
            first = ssl.PEM_cert_to_DER_cert(f.read())
        for name, want in (
                ("pop.one.test", "pop.one.test.pem"),
                ("POP.One.Test", "pop.one.test.pem"),
                ("mail.one.test", "pop.one.test.pem"),      # it says so
                ("x.wild-one.test", "pop.one.test.pem"),
                ("a.two.test", "*.two.test.pem"),
                ("deep.two.test", "deep.two.test.pem"),
                ("three.test", "three.test"), ("four.test", "four.test"),
                ("one.test", None), ("two.test", None),
                ("a.b.two.test", None), ("broken.test", None),
                ("weak.test", None), ("README", None),
                ("localhost", None), (None, None)):
            self.assertEqual(self.shown(name), self.certs[want].der if want
                             else first, name)

    def test_the_chain_is_sent(self):
        said = openssl("s_client", "-connect",
                       self.sandbox.env["MAILROW_POP3S"], "-servername",
                       "four.test", "-showcerts")
        self.assertEqual(said.count(b"BEGIN CERTIFICATE"), 2)

    def test_a_bad_one_is_told_and_left_out(self):
        self.assertRegex(self.sandbox.log("pop3d.log"),
                         r"certificate: \S+/broken.test.pem: holds no"
                         r" certificate; left out\n")
        code, said = self.check_config()
        self.assertEqual(code, 78)
        self.assertIn("/broken.test.pem: holds no certificate", said)
        self.assertIn("/weak.test.pem: cannot be used: ee key too small", said)

    def test_a_weak_one_leaves_the_one_before(self):
        good, weak = self.certs["deep.two.test.pem"], Certificate(
            "deep.two.test", key="weak")
        self.write("names/deep.two.test.pem", weak.pem)
        self.reload()
        self.assertRegex(self.log(), r"/deep.two.test.pem: cannot be used: "
                         r"ee key too small; the one before stays\n")
        self.assertEqual(self.shown("deep.two.test"), good.der)
        self.write("names/deep.two.test.pem", good.pem)
        self.reload()

    def test_stls_knows_names_too(self):
        with self.sandbox.pop3() as p:
            p.stls(careless(), name="three.test")
            self.assertEqual(p.sock.getpeercert(True),
                             self.certs["three.test"].der)
            p.login(ALICE)
            p.quit()


class Alpn(Tls):
    def test_who_meant_another_protocol_is_sent_away(self):
        for offered, chosen in ((("pop3",), "pop3"), ((), None),
                                (("http/1.1", "pop3"), "pop3")):
            for version in VERSIONS:
                context = self.sandbox.tls(version)
                if offered:
                    context.set_alpn_protocols(offered)
                with self.sandbox.pop3s(ALICE, tls=context) as p:
                    self.assertEqual(p.sock.selected_alpn_protocol(), chosen)
                    p.quit()
        for offered in (("http/1.1",), ("imap", "pop"), ("pop3s", "h2")):
            for version in VERSIONS:
                context = self.sandbox.tls(version)
                context.set_alpn_protocols(offered)
                with self.assertRaisesRegex(ssl.SSLError,
                                            "(?i)no.application.protocol"):
                    self.sandbox.pop3s(tls=context)
        self.wait_for_log("TLS handshake failed: no application protocol")


class Reload(Tls):
    """Each begins and ends with the sandbox's own certificate."""

    def setUp(self):
        super().setUp()
        with open(self.path("cert.pem"), "rb") as f:
            self.cert = f.read()
        with open(self.path("key.pem"), "rb") as f:
            self.key = f.read()
        self.own = ssl.PEM_cert_to_DER_cert(self.cert.decode())

    def tearDown(self):
        self.write("cert.pem", self.cert, 0o644)
        self.write("key.pem", self.key)
        self.reload()
        self.assertEqual(self.shown(), self.own)
        super().tearDown()

    def replace(self, cert=None, key=None):
        if cert is not None:
            self.write("cert.pem", cert, 0o644)
        if key is not None:
            self.write("key.pem", key)

    def test_new_sessions_have_the_new_one_and_old_ones_go_on(self):
        self.fill(BOB, mail("big", b"0123456789\r\n" * 100000))
        served = self.sandbox.mails(BOB)[0]
        new, context = Certificate("new.test"), self.sandbox.tls()
        running = [self.sandbox.pop3s(BOB) for _ in range(20)]
        half = self.sandbox.pop3()
        half.cmd("STLS")                # its handshake comes afterwards
        for p in running:
            p.put("RETR 1")
            p.status()
        self.replace(new.cert, new.key)
        self.reload()
        self.assertEqual(self.shown(), new.der)
        for p in running:
            self.assertTrue(p.body() == served)
            p.quit()
        half.begin_tls(context, name="localhost")
        self.assertEqual(half.sock.getpeercert(True), self.own)
        half.login(BOB)
        half.quit()

    def refused(self, reason, cert=None, key=None):
        """What is wrong stays out, and is told in one line."""
        self.mark = len(self.sandbox.log("pop3d.log"))
        self.replace(cert, key)
        self.reload()
        self.assertEqual(self.shown(), self.own)
        lines = [l for l in self.log().splitlines() if "certificate" in l]
        self.assertEqual(len(lines), 1, self.log())
        self.assertRegex(lines[0], r"certificate: %s/\S+: %s; the one before"
                         r" stays$" % (re.escape(self.path("")[:-1]), reason))
        code, said = self.check_config()
        self.assertEqual(code, 78, said)
        self.assertRegex(said, r"^%s/\S+: %s" % (
            re.escape(self.path("")[:-1]), reason))
        self.replace(self.cert, self.key)

    def test_a_bad_one_leaves_the_old(self):
        new, expired = Certificate("new.test"), Certificate("old.test", -1)
        self.refused("is for another key than its key file holds",
                     cert=new.cert)
        self.refused("is for another key than its key file holds",
                     key=new.key)
        self.refused(r"expired on 20\d\d-\d\d-\d\d", expired.cert,
                     expired.key)
        self.refused("holds no certificate", b"", None)
        self.refused("holds no key", key=new.cert)
        with Files(new.key) as key:
            self.refused("the key is protected by a password", key=openssl(
                "pkcs8", "-topk8", "-in", key, "-passout", "pass:x"))
        self.refused("[a-z ]+", new.cert + new.cert[:200], new.key)
        weak = Certificate("weak.test", key="weak")
        self.refused("cannot be used: ee key too small", weak.cert, weak.key)
        self.assertEqual(self.check_config()[0], 0)

    def test_one_that_no_client_takes_leaves_all_as_it_was(self):
        odd, old = Certificate("odd.test", key="odd"), self.sandbox.tls(TLS12)
        self.replace(odd.cert, odd.key)
        place = os.path.join(self.sandbox.dir, "etc/mailrow/conf.d/min.conf")
        with open(place, "w") as f:
            f.write("tls_min = TLSv1.3\n")
        self.reload()
        os.unlink(place)
        self.assertRegex(self.log(), r"/cert.pem: cannot be used: ")
        with self.sandbox.pop3s(ALICE, tls=old) as p:
            self.assertEqual(p.sock.getpeercert(True), self.own)
            p.quit()

    def test_a_key_that_everybody_reads_is_not_taken(self):
        os.chmod(self.path("key.pem"), 0o644)
        self.refused(r"holds a key and is open to everybody \(chmod o=\)")

    def test_a_file_that_is_gone_is_no_end(self):
        os.unlink(self.path("key.pem"))
        self.refused("No such file or directory")

    def test_the_end_is_told_fourteen_days_before(self):
        for days, told in ((13, True), (30, False)):
            c = Certificate("ending.test", days)
            self.replace(c.cert, c.key)
            self.mark = len(self.sandbox.log("pop3d.log"))
            self.reload()
            self.assertEqual(self.shown(), c.der)
            self.assertEqual(bool(re.search(
                r"certificate: %s: expires on 20\d\d-\d\d-\d\d, in 1[23] days"
                % re.escape(self.path("cert.pem")), self.log())), told)

    def test_the_end_is_told_at_the_start_and_an_expired_one_serves(self):
        for days, told in ((5, "expires on"), (-1, "used all the same")):
            c = Certificate("ending.test", days)
            self.replace(c.cert, c.key)
            self.sandbox.stop("pop3d")
            self.mark = len(self.sandbox.log("pop3d.log"))
            self.sandbox.start()
            self.assertRegex(self.log(), r"certificate: \S+/cert.pem: .*"
                             + told)
            self.assertEqual(self.shown(), c.der)
        self.sandbox.stop("pop3d")
        self.replace(self.cert, self.key)
        self.sandbox.start()

    def test_crashes_are_no_new_start_without_one(self):
        os.unlink(self.path("key.pem"))
        for n in range(5):
            p, pid = self.session_of(
                lambda n=n: self.sandbox.pop3(source="127.0.3.%d" % n))
            os.kill(pid, signal.SIGSEGV)
            self.assertEqual(p.file.read(), b"")
            p.close()
        self.wait_for_log("5 sessions crashed: starting anew")
        self.sandbox.pop3s(ALICE).quit()
        self.assertRegex(self.log(), "/key.pem: No such file or directory")
        self.replace(key=self.key)

    def test_without_one_there_is_no_start(self):
        self.sandbox.stop("pop3d")
        os.unlink(self.path("key.pem"))
        with self.assertRaises(RuntimeError):
            self.sandbox.start()
        self.assertRegex(self.log(), "/key.pem: No such file or directory")
        self.assertIn("cannot use tls_cert", self.log())
        self.replace(key=self.key)
        self.sandbox.start()


class Stalled(Tls):
    CONF = ("login_timeout = 5s",)

    def test_rule_46_a_handshake_that_stops_costs_its_own_session(self):
        began = time.monotonic()
        stalled = [Wire(self.sandbox.env["MAILROW_POP3S"])
                   for _ in range(40)]
        for i, w in enumerate(stalled):
            if i % 2:
                w.put(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        for _ in range(10):
            p = self.sandbox.pop3()
            p.cmd("STLS")
            stalled.append(p)
        for i in range(10):
            with self.sandbox.pop3s(ALICE) if i % 2 else self.stls(ALICE) \
                    as p:
                p.quit()
        for w in stalled:
            w.sock.settimeout(30)
            self.assertEqual(w.file.read(), b"")
            w.close()
        # the total since the connection, whatever came meanwhile
        self.assertGreater(time.monotonic() - began, 4.5)
        wait_until(lambda: self.log().count(
            "TLS handshake failed: not finished") == 50, what="50 lines")
        wait_until(lambda: self.sessions() == 0, what="the sessions' end")

    def test_octets_one_by_one_do_not_lengthen_it(self):
        with Wire(self.sandbox.env["MAILROW_POP3S"]) as w:
            began = time.monotonic()
            w.put(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03")
            w.sock.settimeout(0.2)
            while time.monotonic() - began < 20:
                try:
                    w.put(b"\x00")
                    if w.sock.recv(1) == b"":
                        break
                except TimeoutError:
                    pass
                except OSError:
                    break
            self.assertLess(time.monotonic() - began, 15)

    def test_a_stop_does_not_wait_for_it(self):
        stalled = [Wire(self.sandbox.env["MAILROW_POP3S"]) for _ in range(3)]
        wait_until(lambda: self.sessions() == 3, what="the sessions")
        began = time.monotonic()
        self.sandbox.stop("pop3d")
        self.assertLess(time.monotonic() - began, 4.5)
        for w in stalled:
            w.close()
        self.sandbox.start()


class Required(Tls):
    CONF = ("require_tls = yes", "trusted_networks = 127.0.0.2")

    def test_rule_42_and_43_no_password_in_clear(self):
        with self.sandbox.pop3() as p:
            capa = p.multi("CAPA").decode().splitlines()
            self.assertIn("STLS", capa)
            self.assertFalse([c for c in capa if c.startswith(("USER",
                                                               "SASL"))])
            for line in ("USER " + ALICE, "PASS " + PASSWORD, "AUTH PLAIN",
                         "AUTH LOGIN"):
                self.assertRegex(self.assertRefused("-ERR", p.cmd, line),
                                 "TLS")
            self.assertEqual(p.multi("AUTH"), b"")
            p.stls(self.sandbox.tls(), name="localhost")
            capa = p.multi("CAPA").decode().splitlines()
            self.assertIn("USER", capa)
            self.assertIn("SASL PLAIN LOGIN", capa)
            p.login(ALICE)
            p.quit()
        with self.sandbox.pop3s(ALICE) as p:
            p.quit()

    def test_but_from_trusted_networks(self):
        with self.sandbox.pop3(ALICE, source="127.0.0.2") as p:
            p.quit()

    def test_the_keeper_does_not_take_a_sessions_word(self):
        """A test build's session asks as if it did not care."""
        plain = b"\1\1\0\4USER\0\x12alice@example.test\0\x0fsecret of alice"
        with self.sandbox.pop3() as p:
            try:
                self.assertEqual(p.cmd("XPROBE frame " + plain.hex()), "+OK ")
            except Failed as e:
                self.assertIn("unknown command", str(e))
                self.skipTest("no test build")
        self.wait_for_log("channel dropped: password in clear")
        self.assertNotIn("Login", self.log())


class Keys(Tls):
    """What a session still has in its memory."""

    def memory_holds(self, pid, *needles):
        with open("/proc/%d/maps" % pid) as maps, \
                open("/proc/%d/mem" % pid, "rb") as mem:
            for line in maps:
                span, rights = line.split()[:2]
                if not rights.startswith("rw"):
                    continue
                begin, end = (int(x, 16) for x in span.split("-"))
                mem.seek(begin)
                try:
                    octets = mem.read(end - begin)
                except OSError:
                    continue
                if any(n in octets for n in needles):
                    return True
        return False

    def secret(self):
        """The private key's number, as it may lie in memory."""
        said = openssl("pkey", "-in", self.path("key.pem"), "-noout",
                       "-text").decode()
        number = bytes.fromhex(re.search(
            r"priv:\n(.*?)pub:", said, re.S)[1].translate(
                str.maketrans("", "", ": \n"))).rjust(32, b"\0")[-32:]
        with open(self.path("key.pem"), "rb") as f:
            text = f.read().splitlines()[1]
        return number, number[::-1], text

    def test_keys_are_gone_after_the_handshake(self):
        secret = self.secret()
        keeper = children(self.parent())[0]
        self.assertTrue(self.memory_holds(self.parent(), *secret))
        self.assertFalse(self.memory_holds(keeper, *secret))
        p, pid = self.session_of(self.sandbox.pop3)
        with p:
            self.assertTrue(self.memory_holds(pid, *secret))
            p.stls(self.sandbox.tls(), name="localhost")
            p.multi("CAPA")
            self.assertFalse(self.memory_holds(pid, *secret))
        p, pid = self.session_of(self.sandbox.pop3s)
        with p:
            self.assertFalse(self.memory_holds(pid, *secret))
            self.assertFalse(self.memory_holds(self.parent(), secret[2]))

    def test_a_password_is_not_left_in_it(self):
        p, pid = self.session_of(self.sandbox.pop3s)
        with p:
            p.login(ALICE)
            p.stat()
            self.assertFalse(self.memory_holds(pid, PASSWORD.encode()))


if __name__ == "__main__":
    main()

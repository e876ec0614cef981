#!/usr/bin/env python3
"""Speaks the milter protocol to mailrow-milter, in orders that no MTA would
choose, and looks at the rows afterwards.

usage: miltertalk.py --socket ADDRESS --sql COMMAND --known ADDRESS
                     --other ADDRESS --unknown ADDRESS --foreign ADDRESS
                     [--faults DIR] [WORD...]

--socket   a path, or HOST:PORT
--sql      a shell command that reads SQL and prints rows without a header
--known    --other: mailboxes of ours; --unknown: none of ours
--foreign  an address whose domain is nobody's
--faults   MAILROW_FAULT_DIR of a daemon that was built with fault points
WORD       only scenarios with such a word in their names

mta_domains must be set, so that the relay check is in force.
"""
import argparse
import hashlib
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid

from faultpoints import Points

NR = {"H": 0x2000, "C": 0x1000, "M": 0x4000, "R": 0x8000, "T": 0x10000,
      "U": 0x20000, "N": 0x40000, "B": 0x80000, "L": 0x80}
DELRCPT, SETSYMLIST, HDR_LEADSPC = 0x8, 0x100, 0x100000
ALL_ACTIONS, ALL_STEPS = 0x1FF, 0x1FFFFF
FINAL = "acdrtyfs4"          # replies that end a step


class Gone(Exception):
    """The milter closed the connection."""


class Milter:
    def __init__(self, address):
        if address.startswith("/"):
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.connect(address)
        else:
            host, _, port = address.rpartition(":")
            self.sock = socket.create_connection((host, int(port)))
        self.sock.settimeout(60)
        self.steps = 0
        self.told = False   # macros for the next MAIL

    def send(self, command, data=b""):
        self.sock.sendall(struct.pack("!I", len(data) + 1)
                          + command.encode() + data)

    def recv_exactly(self, n):
        data = b""
        while len(data) < n:
            piece = self.sock.recv(n - len(data))
            if not piece:
                raise Gone()
            data += piece
        return data

    def recv(self):
        size, = struct.unpack("!I", self.recv_exactly(4))
        data = self.recv_exactly(size)
        return chr(data[0]), data[1:]

    def silent(self, seconds=0.3):
        """True when nothing comes."""
        self.sock.settimeout(seconds)
        try:
            self.recv()
            return False
        except socket.timeout:
            return True
        finally:
            self.sock.settimeout(60)

    def negotiate(self, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS):
        self.send("O", struct.pack("!III", version, actions, steps))
        command, data = self.recv()
        assert command == "O", command
        self.version, self.actions, self.steps = struct.unpack("!III",
                                                               data[:12])
        self.lists = data[12:]
        return self

    def macros(self, command, **names):
        """With the one that every MAIL has, unless it is told as None."""
        data = command.encode()
        if command == "M":
            names = {"client_addr": "192.0.2.1", **names}
            self.told = True
        for name, value in names.items():
            if value is None:
                continue
            name = name if len(name) == 1 else "{%s}" % name
            data += name.encode() + b"\0" + value.encode() + b"\0"
        self.send("D", data)

    def step(self, command, data=b""):
        """Sends a step; returns its reply, or None where none is agreed."""
        self.send(command, data)
        if self.steps & NR.get(command, 0):
            return None
        return self.recv()

    def connect(self, name="client.test", address="192.0.2.1", family="4"):
        data = name.encode() + b"\0" + family.encode()
        if family != "U":
            data += struct.pack("!H", 4711) + address.encode() + b"\0"
        return self.step("C", data)

    def helo(self, name="client.test"):
        return self.step("H", name.encode() + b"\0")

    def args(self, command, *args):
        return self.step(command, b"".join(a.encode() + b"\0" for a in args))

    def mail(self, *args):
        if not self.told:
            self.macros("M")
        self.told = False
        return self.args("M", *(args or ("<sender@remote.test>",)))

    def rcpt(self, *args):
        return self.args("R", *args)

    def header(self, name, value):
        if isinstance(value, str):
            value = value.encode()
        return self.step("L", name.encode() + b"\0" + value + b"\0")

    def end_header(self):
        return self.step("N")

    def body(self, data):
        for i in range(0, len(data), 65535):
            self.step("B", data[i:i + 65535])

    def end(self):
        """End of message: all replies up to the one that ends it."""
        self.send("E")
        replies = [self.recv()]
        while replies[-1][0] not in FINAL:
            replies.append(self.recv())
        return replies

    def abort(self):
        self.send("A")

    def quit(self):
        self.send("Q")
        self.sock.close()

    def close(self):
        self.sock.close()

    def begin(self, **kw):
        """A whole session up to HELO."""
        self.negotiate(**kw)
        self.macros("C", j="mx.example.test")
        self.connect()
        self.helo()
        return self

    def content(self, headers, body):
        for name, value in headers:
            self.header(name, value)
        self.end_header()
        if body:
            self.body(body)


def ok(reply):
    return reply is not None and reply[0] == "c"


def rejected(reply, code):
    """A reply of that code; its text."""
    assert reply is not None and reply[0] == "y", reply
    text = reply[1].rstrip(b"\0").decode()
    assert text.startswith(code), text
    return text


def kinds(replies):
    return "".join(r[0] for r in replies)


def removed(replies):
    return [r[1].rstrip(b"\0").decode() for r in replies if r[0] == "-"]


class Scenarios:
    def __init__(self, options):
        self.o = options

    def new(self):
        return Milter(self.o.socket)

    def sql(self, query):
        out = subprocess.run(self.o.sql, shell=True, check=True, text=True,
                             input=query, stdout=subprocess.PIPE).stdout
        return [line.split("\t") for line in out.splitlines()]

    def count(self, table="mail"):
        return int(self.sql("SELECT COUNT(*) FROM %s" % table)[0][0])

    def newest(self):
        """Trace and content of the newest mail, and what its rows say."""
        row = self.sql("SELECT HEX(content_id), HEX(trace), octets FROM mail"
                       " ORDER BY content_id DESC, uid DESC LIMIT 1")[0]
        facts = self.sql("SELECT octets, header_octets, LOWER(HEX(sha256)),"
                         " refs FROM content WHERE content_id = UNHEX('%s')"
                         % row[0])[0]
        data = b"".join(bytes.fromhex(r[0]) for r in self.sql(
            "SELECT HEX(data) FROM chunk WHERE content_id = UNHEX('%s')"
            " ORDER BY seq" % row[0]))
        trace = bytes.fromhex(row[1])
        assert int(facts[0]) == len(data), (facts, len(data))
        assert int(row[2]) == len(trace) + len(data)
        assert facts[2] == hashlib.sha256(data).hexdigest()
        assert data[int(facts[1]) - 4:int(facts[1])] in (b"\r\n\r\n",) or \
            int(facts[1]) == 2
        return trace, data

    def envelope(self, m, *recipients, **macros):
        if macros:
            m.macros("M", **macros)
        m.mail()
        for r in recipients:
            assert ok(m.rcpt(r)), r

    def mail(self, m, recipients, body=b"hello\r\n", headers=None):
        """A whole mail in an open session; replies at its end."""
        self.envelope(m, *recipients)
        m.content(headers or self.headers(), body)
        m.macros("E", i="QID" + uuid.uuid4().hex[:8])
        return m.end()

    def headers(self):
        return [("Message-ID", " <%s@remote.test>" % uuid.uuid4()),
                ("Subject", " test")]

    def stores(self, m, recipient=None):
        """One mail goes in."""
        before = self.count()
        replies = self.mail(m, ["<%s>" % (recipient or self.o.known)])
        assert kinds(replies) in ("-c", "d"), replies
        assert self.count() == before + 1

    # --- the scenarios -------------------------------------------------

    def close_is_the_only_callback(self):
        self.new().close()
        m = self.new().negotiate()
        m.close()
        m = self.new().negotiate()
        m.quit()
        m = self.new()
        m.send("Q")
        m.close()

    def end_of_message_without_mail_is_ignored(self):
        m = self.new().begin()
        m.send("E")
        assert m.silent()
        m = self.new().begin()
        self.stores(m)
        m.quit()

    def nothing_needs_a_macro_or_an_address(self):
        m = self.new().negotiate()
        m.connect("unknown", family="U")
        before = self.count()
        m.mail("<>")
        assert ok(m.rcpt("<%s>" % self.o.known))
        m.content([], b"x\r\n")
        assert kinds(m.end()) in ("-c", "d")
        assert self.count() == before + 1
        trace, data = self.newest()
        assert trace.startswith(b"Return-Path: <>\r\n"), trace
        assert data == b"\r\nx\r\n", data
        m.quit()

    def a_connection_without_helo_serves(self):
        m = self.new().negotiate()
        m.connect()
        self.stores(m)

    def two_mails_in_a_session_do_not_mix(self):
        m = self.new().begin()
        for text in (b"one\r\n", b"two\r\n"):
            self.mail(m, ["<%s>" % self.o.known], text)
            m.abort()                     # Postfix sends one after each mail
            assert self.newest()[1].endswith(b"\r\n\r\n" + text)
        m.mail()
        assert ok(m.rcpt("<%s>" % self.o.other))
        m.content(self.headers(), b"three\r\n")
        assert removed(m.end()) in ([], ["<%s>" % self.o.other])

    def an_abort_in_each_state_stores_nothing(self):
        m = self.new().begin()
        before = self.count()
        for state in range(5):
            m.mail()
            if state >= 1:
                assert ok(m.rcpt("<%s>" % self.o.known))
            if state >= 2:
                m.header("Subject", " aborted")
            if state >= 3:
                m.end_header()
            if state >= 4:
                m.body(b"never to be seen\r\n")
            m.abort()
        assert self.count() == before
        self.stores(m)
        assert b"aborted" not in self.newest()[1]
        assert b"never" not in self.newest()[1]
        m.quit()

    def a_close_in_each_state_stores_nothing(self):
        before = self.count()
        for state in range(5):
            m = self.new().begin()
            m.mail()
            if state >= 1:
                m.rcpt("<%s>" % self.o.known)
            if state >= 2:
                m.header("Subject", " lost")
            if state >= 3:
                m.end_header()
            if state >= 4:
                m.body(b"x" * 300000)
            m.close()
        time.sleep(0.2)
        assert self.count() == before

    def a_new_mail_forgets_the_one_before(self):
        m = self.new().begin()
        m.mail()
        assert ok(m.rcpt("<%s>" % self.o.other))
        m.header("Subject", " of the mail before")
        self.stores(m)
        assert b"before" not in self.newest()[1]

    def the_oldest_protocol_is_spoken(self):
        m = self.new().negotiate(version=2, actions=0x3F, steps=0x7F)
        assert m.version == 2 and not m.lists
        assert m.steps & ~0x7F == 0
        assert ok(m.connect()) and ok(m.helo()) and ok(m.mail())
        assert ok(m.rcpt("<%s>" % self.o.known))
        assert ok(m.header("Subject", "test"))
        assert ok(m.end_header())
        assert ok(m.step("B", b"hello\r\n"))
        assert kinds(m.end()) in ("-c", "d")
        assert self.newest()[1] == b"Subject: test\r\n\r\nhello\r\n"
        m.quit()

    def what_is_not_offered_is_not_asked_for(self):
        for actions, steps in ((0x1F, 0x3F), (ALL_ACTIONS, 0x1FF),
                               (0x8, 0x100080), (ALL_ACTIONS, ALL_STEPS)):
            m = self.new().negotiate(actions=actions, steps=steps)
            assert m.actions & ~actions == 0, hex(m.actions)
            assert m.steps & ~steps == 0, hex(m.steps)
            assert bool(m.lists) == bool(actions & SETSYMLIST)
            m.quit()

    def without_removal_our_recipients_are_deferred(self):
        m = self.new().begin(actions=ALL_ACTIONS & ~DELRCPT)
        m.mail()
        rejected(m.rcpt("<%s>" % self.o.known), "451 4.3.5")
        rejected(m.rcpt("<%s>" % self.o.unknown), "550 5.1.1")

    def an_unknown_recipient_is_told_in_the_words_of_postfix(self):
        m = self.new().begin()
        m.mail()
        text = rejected(m.rcpt("<%s>" % self.o.unknown), "550 5.1.1 ")
        assert re.fullmatch(r"550 5\.1\.1 <%s>: Recipient address rejected: "
                            r"User unknown \[[a-z2-9]{10}\]" % re.escape(
                                self.o.unknown), text), text
        assert ok(m.rcpt("<%s>" % self.o.known))

    def what_a_peer_says_cannot_break_a_reply(self):
        m = self.new().begin()
        m.mail()
        domain = self.o.unknown.split("@")[1]
        for local in ("%s%n", "a\rb", "x" * 2000, "\x1b[31m", "ü" * 100):
            r = m.rcpt("<%s@%s>" % (local, domain))
            assert r[0] == "y" and r[1][:3] in (b"550", b"501"), r
            text = r[1].rstrip(b"\0")
            assert len(text) < 920 and text.isascii()
            assert b"\r" not in text and b"\n" not in text and \
                b"\x1b" not in text
            assert text.count(b"%") % 2 == 0

    def the_rewritten_recipient_decides(self):
        m = self.new().begin()
        m.mail()
        m.macros("R", rcpt_addr=self.o.unknown)
        rejected(m.rcpt("<%s>" % self.o.known), "550 5.1.1")
        m.macros("R", rcpt_addr=self.o.known)
        assert ok(m.rcpt("<bob@somewhere.else.test>"))
        m.content(self.headers(), b"x\r\n")
        replies = m.end()
        if kinds(replies) != "d":
            assert removed(replies) == ["<bob@somewhere.else.test>"], replies

    def relaying_needs_a_login(self):
        foreign = "<%s>" % self.o.foreign
        for macros, may in (({}, False),
                            ({"auth_type": "PLAIN"}, False),
                            ({"auth_authen": "x@y"}, False),
                            ({"auth_type": "", "auth_authen": "x@y"}, False),
                            ({"auth_type": "PLAIN", "auth_authen": "x@y"},
                             True)):
            m = self.new().begin()
            if macros:
                m.macros("M", **macros)
            m.mail()
            if may:
                assert ok(m.rcpt(foreign))
            else:
                text = rejected(m.rcpt(foreign), "550 5.7.1")
                assert ": Relay access denied [" in text, text
            m.quit()

    def a_login_ends_with_its_mail(self):
        m = self.new().begin()
        m.macros("M", auth_type="PLAIN", auth_authen="x@y")
        m.mail()
        assert ok(m.rcpt("<%s>" % self.o.foreign))
        m.abort()
        m.macros("M", i="X")
        m.mail()
        rejected(m.rcpt("<%s>" % self.o.foreign), "550 5.7.1")

    def a_mail_whose_macros_are_lost_is_deferred(self):
        """libmilter loses them when it has no memory."""
        m = self.new().begin()
        m.macros("M", client_addr=None, i="X")
        rejected(m.mail(), "451 4.3.0")
        m.macros("M", auth_type="PLAIN", auth_authen="x@y")
        m.mail()
        assert ok(m.rcpt("<%s>" % self.o.foreign))
        m.abort()
        # those of the one before
        rejected(m.args("M", "<sender@remote.test>"), "451 4.3.0")
        self.stores(m)
        m.quit()
        m = self.new().begin(actions=ALL_ACTIONS & ~SETSYMLIST)
        m.args("M", "<sender@remote.test>")     # nothing was agreed on
        assert ok(m.rcpt("<%s>" % self.o.known))
        m.quit()

    def nothing_of_ours_means_go_on(self):
        m = self.new().begin()
        before = self.count("content")
        m.macros("M", auth_type="PLAIN", auth_authen="x@y")
        m.mail()
        assert ok(m.rcpt("<%s>" % self.o.foreign))
        m.content(self.headers(), b"to others\r\n")
        assert kinds(m.end()) == "c"
        assert self.count("content") == before

    def foreign_recipients_stay_with_the_mta(self):
        m = self.new().begin()
        before = self.count()
        m.macros("M", auth_type="PLAIN", auth_authen="x@y")
        m.mail()
        paths = ["<%s>" % a for a in (self.o.known, self.o.foreign,
                                      self.o.other)]
        for path in paths:
            assert ok(m.rcpt(path))
        m.content(self.headers(), b"mixed\r\n")
        replies = m.end()
        assert kinds(replies) == "--c", replies
        assert removed(replies) == [paths[0], paths[2]]
        assert self.count() == before + 2
        assert self.sql("SELECT refs FROM content ORDER BY content_id DESC"
                        " LIMIT 1") == [["2"]]

    def a_mailbox_named_twice_gets_one_mail(self):
        m = self.new().begin()
        before = self.count()
        local, domain = self.o.known.split("@")
        paths = ["<%s+x@%s>" % (local, domain), "<%s>" % self.o.known,
                 "<%s@%s>" % (local.upper(), domain.upper())]
        self.envelope(m, *paths)
        m.content(self.headers(), b"once\r\n")
        replies = m.end()
        assert kinds(replies) == "d" or removed(replies) == paths, replies
        assert self.count() == before + 1
        trace, _ = self.newest()
        assert b"Delivered-To: %s\r\n" % self.o.known.encode() in trace, trace

    def content_is_kept_octet_by_octet(self):
        m = self.new().begin()
        top = [("Message-ID", " <%s@remote.test>" % uuid.uuid4()),
               ("Subject", "no blank"), ("X-Tab", "\ttab"), ("X-Empty", ""),
               ("X-Folded", " one\n\ttwo\n three"),
               ("X-8bit", " \xfc".encode("latin-1")),
               ("X-Long", " " + "x" * 5000)]
        head = b"".join(
            n.encode() + b":" + (v if isinstance(v, bytes) else v.encode())
            .replace(b"\n", b"\r\n") + b"\r\n" for n, v in top) + b"\r\n"
        for body, want in ((b"", b""), (b"a\r\n", b"a\r\n"),
                           (b"no end", b"no end\r\n"),
                           (b"lf\nlf\n", b"lf\r\nlf\r\n"),
                           (b"cr\rcr\r\n", b"cr\rcr\r\n"),
                           (b".\r\n..\r\n", b".\r\n..\r\n"),
                           (b"nul\0\r\n", b"nul\0\r\n"),
                           (bytes(range(1, 10)) + b"\r\n",
                            bytes(range(1, 10)) + b"\r\n")):
            top[0] = ("Message-ID", " <%s@remote.test>" % uuid.uuid4())
            replies = self.mail(m, ["<%s>" % self.o.known], body, top)
            assert kinds(replies) in ("-c", "d"), replies
            data = self.newest()[1]
            first = data.index(b"\r\n") + 2
            assert data[first:] == head[head.index(b"\r\n") + 2:] + want

    def pieces_may_be_cut_anywhere(self):
        text = b"one\r\ntwo\r\n.\r\nthree\r\n\r\n"
        for size in (1, 2, 3, 7):
            m = self.new().begin()
            self.envelope(m, "<%s>" % self.o.known)
            m.content(self.headers(), b"")
            for i in range(0, len(text), size):
                m.body(text[i:i + size])
            assert kinds(m.end()) in ("-c", "d")
            assert self.newest()[1].endswith(b"\r\n\r\n" + text)
            m.quit()

    def a_header_of_100_kib_is_taken(self):
        m = self.new().begin()
        headers = self.headers() + [("X-Huge", " " + "h" * 102300)]
        replies = self.mail(m, ["<%s>" % self.o.known], b"x\r\n", headers)
        assert kinds(replies) in ("-c", "d"), replies
        assert b"X-Huge: " + b"h" * 102300 + b"\r\n" in self.newest()[1]

    def a_big_mail_is_kept_octet_by_octet(self):
        m = self.new().begin()
        body = b"".join(b"%08d line of a big mail %s\r\n" % (i, b"." * 60)
                        for i in range(50000))
        replies = self.mail(m, ["<%s>" % self.o.known, "<%s>" % self.o.other],
                            body)
        assert kinds(replies) in ("--c", "d"), replies
        assert self.newest()[1].endswith(b"\r\n\r\n" + body)
        assert self.sql("SELECT COUNT(*) FROM content WHERE refs = 0") \
            == [["0"]]

    def a_retry_is_stored_once(self):
        before = self.count()
        headers = self.headers()
        for _ in range(3):
            m = self.new().begin()
            replies = self.mail(m, ["<%s>" % self.o.known], b"again\r\n",
                                headers)
            assert kinds(replies) in ("-c", "d"), replies
            m.quit()
        assert self.count() == before + 1

    def a_retry_for_more_mailboxes_fills_the_rest(self):
        before = self.count()
        headers = self.headers()
        for recipients in ([self.o.known], [self.o.known, self.o.other]):
            m = self.new().begin()
            replies = self.mail(m, ["<%s>" % r for r in recipients],
                                b"again\r\n", headers)
            assert replies[-1][0] in "cd", replies
        assert self.count() == before + 2

    def helo_may_come_twice_with_tls_the_second_time(self):
        m = self.new().begin()
        m.macros("H", tls_version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384")
        m.helo("after.starttls.test")
        self.stores(m)
        trace, _ = self.newest()
        assert b"after.starttls.test" in trace and b"TLSv1.3" in trace
        assert b"ESMTPS" in trace

    def rubbish_ends_only_its_own_connection(self):
        good = self.new().begin()
        for rubbish in (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1?",
                        b"\0\0\0\1M", b"\0\0\0\1O", b"GET / HTTP/1.0\r\n\r\n",
                        b"\0\0\0\5RRRRR"):
            m = self.new()
            m.sock.sendall(rubbish)
            m.sock.shutdown(socket.SHUT_WR)
            m.sock.settimeout(5)
            try:
                while m.sock.recv(4096):
                    pass
            except ConnectionResetError:
                pass
            m.close()
        self.stores(good)

    def many_recipients_are_one_transaction(self):
        m = self.new().begin()
        local, domain = self.o.known.split("@")
        paths = ["<%s+%d@%s>" % (local, i, domain) for i in range(200)]
        before = self.count()
        self.envelope(m, *paths, "<%s>" % self.o.other)
        m.content(self.headers(), b"to many\r\n")
        replies = m.end()
        assert kinds(replies) == "d" or len(removed(replies)) == 201
        assert self.count() == before + 2

    def a_mail_of_whose_recipients_nothing_is_known_is_left_alone(self):
        m = self.new().begin()
        m.mail()
        rejected(m.rcpt("<%s>" % self.o.unknown), "550 5.1.1")
        m.content(self.headers(), b"x\r\n")
        assert kinds(m.end()) == "c"

    def a_session_may_wait_long_between_steps(self):
        m = self.new().begin()
        time.sleep(1.5)
        self.stores(m)

    def sessions_at_once_lose_and_double_nothing(self):
        before = self.count()
        failures = []

        def session():
            try:
                m = self.new().begin()
                for _ in range(20):
                    self.envelope(m, "<%s>" % self.o.known,
                                  "<%s>" % self.o.other)
                    m.content(self.headers(), b"at once\r\n" * 400)
                    assert m.end()[-1][0] in "cd"
                m.quit()
            except Exception as e:
                failures.append(repr(e))

        threads = [threading.Thread(target=session) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert not failures, failures
        assert self.count() == before + 8 * 20 * 2
        assert self.sql("SELECT 1 FROM mailbox b WHERE b.messages <> (SELECT"
                        " COUNT(*) FROM"
                        " mail m WHERE m.mailbox_id = b.mailbox_id)") == []

    def a_step_that_fails_at_the_end_is_told_and_the_retry_stored_once(self):
        for name in ("milter-eom-begin", "intake-before-commit",
                     "intake-after-commit", "milter-before-reply"):
            if not self.o.faults:
                return
            points = Points(self.o.faults)
            before = self.count()
            headers = self.headers()
            points.arm(name, "fail")
            m = self.new().begin()
            replies = self.mail(m, ["<%s>" % self.o.known], b"x\r\n", headers)
            rejected(replies[-1], "451 4.3.0")
            assert not points.armed(name), name
            replies = self.mail(m, ["<%s>" % self.o.known], b"x\r\n", headers)
            assert replies[-1][0] in "cd", replies
            assert self.count() == before + 1, name
            m.quit()

    def all(self):
        for name, method in Scenarios.__dict__.items():
            if "_" in name and not name.startswith("__"):
                yield name.replace("_", " "), getattr(self, name)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("socket", "sql", "known", "other", "unknown", "foreign"):
        parser.add_argument("--" + option, required=True)
    parser.add_argument("--faults", default="")
    parser.add_argument("only", nargs="*", help="words of scenario names")
    options = parser.parse_args()
    failed = 0
    for name, scenario in Scenarios(options).all():
        if options.only and not any(w in name for w in options.only):
            continue
        try:
            scenario()
            print("ok - " + name, flush=True)
        except Exception as e:  # whatever it is, the scenario failed
            failed += 1
            print("not ok - %s: %s: %s" % (name, type(e).__name__, e),
                  flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The POP3 clients that people have, against the daemon: what each fetches,
fetches again, deletes, and says of a wrong password.

One class a client, the same tests for all. Each runs in a home of its own as
an unprivileged user (getmail refuses to be root) with its own state files. Each
is told to do without TLS, and in one test to insist on it, by STLS and from the
first octet, and to verify the certificate. What a client asked for is read from
the daemon's log line at the end of a session."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import sendmail
from mrtest import (PASSWORD, TOP, Sandbox, SandboxTest, digest, mail, main,
                    wait_until)

EVE = "eve@remote.test"
NOBODY = 65534
TIMEOUT = 15
WRONG = "not the password"

# Every octet above ASCII, valid UTF-8, dots where they hurt, what an mbox
# would quote, lines longer than any buffer, and ends of all kinds.
BODIES = {
    "plain": b"hello\r\n",
    "eight bits": bytes(range(0x80, 0x100)) + b"\r\n"
                  + "Grüße, 10 €\r\n".encode(),
    "dots": b".\r\n..\r\n.dot\r\n...\r\ntext\r\n.\r\n",
    "from": b"From here\r\n>From there\r\n\r\nFrom the top\r\n",
    "long lines": b"x" * 998 + b"\r\n." + b"y" * 4096 + b"\r\n",
    "empty lines": b"\r\n\r\ntext\r\n\r\n\r\n\r\n",
    "two pieces": (b"0123456789abcdef" * 4 + b"\r\n") * 5000,
    "no body": b"",
}
LONGEST = b"x" * 70000 + b"\r\n"
# What only BDAT can say: no line end after the last line.
ENDS = {
    "no final newline": b"text\r\nlast line",
    "a dot at the end": b"text\r\n.",
}

SHARED = None


def setUpModule():
    global SHARED
    SHARED = Sandbox()


def tearDownModule():
    SHARED.remove()


def message_id(octets):
    return re.search(rb"^Message-ID: (\S+)", octets, re.M)[1]


def halves(octets):
    """Header and body of a mail with CRLF."""
    head, _, body = octets.partition(b"\r\n\r\n")
    return head + b"\r\n", body


class Client:
    """What every client must do; a class below says how it is run.

    CRLF: it stores mails with the line ends of the wire.
    ADDS: it writes header lines of its own, so that only the body and the
    header lines sent can be compared.
    LIMITED: it breaks lines that are longer than its buffer.
    NOTHING: its exit code when there is no new mail.
    REFUSED: exit code and words for a wrong password.
    ATTEMPTS: how often it tries that password.
    WAYS: how it can begin TLS."""

    CRLF = False
    ADDS = False
    LIMITED = False
    NOTHING = 0
    REFUSED = (1, "")
    ATTEMPTS = 1
    WAYS = ("stls", "tls")

    @classmethod
    def setUpClass(cls):
        cls.sandbox = SHARED
        cls.address = cls.__name__.lower() + "@example.test"
        cls.sandbox.account(cls.address)

    @classmethod
    def tearDownClass(cls):
        pass                # the sandbox is the module's

    def setUp(self):
        super().setUp()
        self.go("clear")
        self.certificate = self.sandbox.env["MAILROW_CERT"]
        self.sandbox.empty(self.address)
        self.home = os.path.join(self.sandbox.top, self.id())
        self.make_folder("out")
        self.sent = {}
        with self.sandbox.smtp() as s:
            bodies = dict(BODIES)
            if not self.LIMITED:
                bodies["the longest line"] = LONGEST
            for subject, body in bodies.items():
                octets = mail(subject, body)
                s.send(EVE, [self.address], octets)
                self.sent[message_id(octets)] = octets
            for subject, body in ENDS.items():
                octets = mail(subject, body)
                s.envelope(EVE, [self.address])
                s.bdat(octets)
                self.sent[message_id(octets)] = octets + b"\r\n"
        self.mark = len(self.sandbox.log("pop3d.log"))

    def go(self, way):
        """Which door fetch() takes."""
        self.way = way
        self.host, self.port = self.sandbox.env[
            "MAILROW_POP3S" if way == "tls" else "MAILROW_POP3"].split(":")
        if way != "clear":
            self.host = "localhost"

    def by_way(self, clear, stls, tls):
        return {"clear": clear, "stls": stls, "tls": tls}[self.way]

    # The client's home

    def make_folder(self, name):
        os.makedirs(self.path(name))
        os.chown(self.home, NOBODY, NOBODY)
        os.chown(self.path(name), NOBODY, NOBODY)

    def path(self, name):
        return os.path.join(self.home, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
        os.chown(self.path(name), NOBODY, NOBODY)
        os.chmod(self.path(name), mode)

    def make_maildir(self):
        for name in ("cur", "new", "tmp"):
            self.make_folder("out/" + name)

    def as_nobody(self, **more):
        return dict(user=NOBODY, group=NOBODY, extra_groups=[],
                    cwd=self.home, env=dict(
                        HOME=self.home, PATH=os.environ["PATH"],
                        LANG="C.UTF-8", TERM="vt100", USER="nobody",
                        PYTHONDONTWRITEBYTECODE="1"), **more)

    def run_program(self, *argv):
        r = subprocess.run(argv, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=TIMEOUT, check=False, **self.as_nobody())
        return r.returncode, r.stdout.decode("utf-8", "replace")

    # What it did

    def stored(self):
        """All mails that the client has written, by Message-ID, with CRLF."""
        found = {}
        for folder, _, names in os.walk(self.path("out")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    octets = f.read()
                if not self.CRLF:
                    octets = octets.replace(b"\n", b"\r\n")
                self.assertNotIn(message_id(octets), found)
                found[message_id(octets)] = octets
        return found

    def log_since_mark(self):
        return self.sandbox.log("pop3d.log")[self.mark:]

    def traffic(self):
        """Since the last call: mails asked for (whole or their top), mails
        deleted."""
        ended, lines = re.compile(
            r"Disconnected: Logged out top=(\d+)/\d+, retr=(\d+)/\d+,"
            r" del=(\d+)/"), []

        def all_ended():
            lines[:] = [l for l in self.log_since_mark().splitlines()
                        if "user=<%s>" % self.address in l]
            logins = sum(": Login: " in l for l in lines)
            return 0 < logins == sum("Disconnected: " in l for l in lines)

        wait_until(all_ended, what="the end of the client's session")
        self.mark += len(self.log_since_mark())
        sums = [0, 0, 0]
        for line in lines:
            if ": Login: " in line:
                continue
            self.assertRegex(line, ended)       # QUIT, always
            for i, n in enumerate(ended.search(line).groups()):
                sums[i] += int(n)
        return max(sums[:2]), sums[2]

    def rows(self, table):
        return self.sandbox.number(
            "SELECT COUNT(*) FROM %s JOIN mailbox USING (mailbox_id)"
            " WHERE address = '%s'" % (table, self.address))

    def run_well(self, want=0, **how):
        code, text = self.fetch(**how)
        self.assertEqual(code, want, text)

    # The tests

    def test_kept_mail_is_not_fetched_again(self):
        n = len(self.sent)
        self.run_well()
        self.assertEqual(self.traffic(), (n, 0))
        first = self.stored()
        self.assertEqual(first.keys(), self.sent.keys())
        self.run_well(want=self.NOTHING)
        self.assertEqual(self.traffic(), (0, 0))
        self.assertEqual(self.stored(), first)
        with self.sandbox.smtp() as s:
            late = mail("late")
            s.send(EVE, [self.address], late)
        self.run_well()
        self.assertEqual(self.traffic(), (1, 0))
        self.assertEqual(self.stored().keys() - first.keys(),
                         {message_id(late)})
        self.assertEqual(self.rows("mail"), n + 1)

    def test_fetched_and_deleted_mail_lies_in_the_trash(self):
        n, before = len(self.sent), self.rows("trash")
        self.run_well(delete=True)
        self.assertEqual(self.traffic(), (n, n))
        self.assertEqual(self.stored().keys(), self.sent.keys())
        self.assertEqual(self.rows("mail"), 0)
        self.assertEqual(self.rows("trash"), before + n)
        self.assertEqual(self.sandbox.sql(
            "SELECT messages, octets FROM mailbox WHERE address = '%s'"
            % self.address), [["0", "0"]])
        self.run_well(want=self.NOTHING, delete=True)
        self.assertEqual(self.traffic(), (0, 0))
        self.sandbox.check_store()

    def test_content_is_what_was_sent(self):
        served = {message_id(m): m for m in self.sandbox.mails(self.address)}
        self.run_well()
        stored = self.stored()
        self.assertEqual(stored.keys(), self.sent.keys())
        for name, octets in self.sent.items():
            head, body = halves(octets)
            got_head, got_body = halves(stored[name])
            self.assertEqual(digest(got_body), digest(body), head)
            self.assertIn(head, got_head)
            if not self.ADDS:
                self.assertEqual(digest(stored[name]), digest(served[name]))

    def test_over_tls_the_content_is_the_same(self):
        for way in self.WAYS:
            self.go(way)
            self.run_well()
            stored = self.stored()
            self.assertEqual(stored.keys(), self.sent.keys())
            for name, octets in self.sent.items():
                self.assertEqual(digest(halves(stored[name])[1]),
                                 digest(halves(octets)[1]), way)
            self.assertRegex(self.log_since_mark(), r"Login: .*user=<%s>,"
                             r" .*TLS, version=TLSv1\.[23]," % self.address)
            self.assertNotRegex(self.log_since_mark(),
                                r"Login: .*, method=[A-Z-]+, session=")
            self.traffic()
            self.forget()

    def forget(self):
        """As if it had never been run."""
        shutil.rmtree(self.home)
        self.make_folder("out")

    def test_a_wrong_password_is_a_clean_failure(self):
        code, text = self.fetch(password=WRONG)
        self.assertEqual(code, self.REFUSED[0], text)
        self.assertIn(self.REFUSED[1], text)
        self.assertNotIn(WRONG, text)
        self.assertEqual(self.stored(), {})
        wait_until(lambda: "Disconnected (auth failed, %d attempts)"
                   % self.ATTEMPTS in self.log_since_mark(),
                   what="the end of the session")
        self.assertNotIn(": Login: ", self.log_since_mark())
        self.assertEqual(self.rows("mail"), len(self.sent))


class Fetchmail(Client, SandboxTest):
    ADDS = True             # Received, as every hop does
    LIMITED = True          # a line end after 8,191 octets
    NOTHING = 1
    REFUSED = (3, "Authorization failure")

    def fetch(self, delete=False, password=PASSWORD):
        self.write("mda", '#!/bin/sh\nexec cat >"$(mktemp "$HOME/out/XXXXXX")"'
                          "\n", 0o700)
        verify = "sslcertck sslcertfile '%s'" % self.certificate
        self.write(".fetchmailrc", """
            set no bouncemail
            poll %s service %s protocol pop3 uidl timeout 10
              user "%s" password "%s" %s norewrite pass8bits %s
              mda "%s"
            """ % (self.host, self.port, self.address, password,
                   "nokeep" if delete else "keep", self.by_way(
                       "sslproto ''", "sslproto 'TLS1.2+' " + verify,
                       "ssl " + verify), self.path("mda")))
        return self.run_program("fetchmail")


class Getmail(Client, SandboxTest):
    """It misses the end of a child that is quicker than itself, and then waits
    in vain; so both share a processor, on which it goes to sleep first."""

    REFUSED = (127, "[AUTH]")
    WAYS = ("tls",)

    def fetch(self, delete=False, password=PASSWORD):
        if not os.path.isdir(self.path("out/new")):
            self.make_maildir()
            self.make_folder("state")
        self.write("state/getmailrc", """
[retriever]
type = %s
server = %s
port = %s
username = %s
password = %s
timeout = 10
%s
[destination]
type = Maildir
path = %s/
[options]
read_all = false
delete = %s
delivered_to = false
received = false
""" % (self.by_way("SimplePOP3Retriever", "", "SimplePOP3SSLRetriever"),
       self.host, self.port, self.address, password,
       self.by_way("", "", "ca_certs = " + self.certificate),
       self.path("out"), "true" if delete else "false"))
        return self.run_program(
            "taskset", "-c", str(min(os.sched_getaffinity(0))), "getmail",
            "--getmaildir", self.path("state"))


class Mpop(Client, SandboxTest):
    REFUSED = (77, "authentication failed")

    def fetch(self, delete=False, password=PASSWORD):
        if not os.path.isdir(self.path("out/new")):
            self.make_maildir()
        self.write(".mpoprc", """
account default
host %s
port %s
timeout 10
user %s
password "%s"
auth plain
%s
keep %s
received_header off
uidls_file %s
delivery maildir %s
""" % (self.host, self.port, self.address, password, self.by_way(
    "tls off", "tls on\ntls_starttls on\ntls_trust_file " + self.certificate,
    "tls on\ntls_starttls off\ntls_trust_file " + self.certificate),
            "off" if delete else "on", self.path("uidls"), self.path("out")))
        return self.run_program("mpop", "-q")


class Mutt(Client, SandboxTest):
    """Shows a mailbox where it is and fetches what is looked at, once: it
    keeps headers and mails in caches by UIDL. Here it copies all of them to a
    Maildir, the second time from its caches. It has no exit code for a failed
    login: it says so and shows nothing."""

    ADDS = True             # Content-Length, Lines
    REFUSED = (0, "Login failed")
    ATTEMPTS = 2            # AUTH PLAIN, then USER and PASS

    def fetch(self, delete=False, password=PASSWORD):
        if not os.path.isdir(self.path("out/new")):
            self.make_maildir()
            self.make_folder("heads")
            self.make_folder("mails")
        for name in os.listdir(self.path("out/cur")) + os.listdir(
                self.path("out/new")):
            for folder in ("out/cur/", "out/new/"):
                if os.path.exists(self.path(folder + name)):
                    os.unlink(self.path(folder + name))
        keys = "<tag-pattern>~A<enter><tag-prefix><copy-message><kill-line>" \
               "=out<enter>"
        if delete:
            keys += "<delete-pattern>~A<enter><sync-mailbox>"
        self.write("muttrc", """
set folder=%s spoolfile=%s record="" mbox_type=Maildir
set confirmappend=no confirmcreate=no move=no wait_key=no quit=yes delete=yes
set %s pop_reconnect=no pop_pass="%s"
set header_cache=%s message_cachedir=%s
push "%s<quit>"
""" % (self.home, self.path("out"), self.by_way(
    "ssl_starttls=no ssl_force_tls=no",
    "ssl_starttls=yes ssl_force_tls=yes", "ssl_force_tls=yes")
       + " ssl_ca_certificates_file=" + self.certificate,
       password, self.path("heads"),
            self.path("mails"), keys))
        return self.run_on_terminal(
            "mutt", "-n", "-F", self.path("muttrc"), "-f",
            "%s://%s@%s:%s/" % (self.by_way("pop", "pop", "pops"),
                                self.address.replace("@", "%40"),
                                self.host, self.port))

    def run_on_terminal(self, *argv):
        ours, theirs = pty.openpty()
        screen, end = b"", time.monotonic() + TIMEOUT
        with subprocess.Popen(argv, stdin=theirs, stdout=theirs,
                              stderr=theirs, start_new_session=True,
                              **self.as_nobody()) as process:
            os.close(theirs)
            try:
                while time.monotonic() < end:
                    if select.select([ours], [], [], 0.1)[0]:
                        screen += os.read(ours, 65536)
                    # An error drops the keys not yet taken.
                    if b"There are no messages" in screen:
                        os.write(ours, b"q")
                process.kill()
            except OSError:     # EIO: its last descriptor is closed
                pass
            os.close(ours)
        return process.returncode, screen.decode("utf-8", "replace")


class Curl(Client, SandboxTest):
    """Fetches what its URL says and remembers nothing, so that a script
    around it must hold UIDLs against those it has, as this one does."""

    CRLF = True
    REFUSED = (67, "Login denied")

    def curl(self, password, *args):
        self.write(".curlrc", 'user = "%s:%s"\nsilent\nshow-error\n' % (
            self.address, password))
        return self.run_program(
            "curl", "--max-time", "10", *self.by_way(
                (), ("--ssl-reqd", "--cacert", self.certificate),
                ("--cacert", self.certificate)), *args)

    def fetch(self, delete=False, password=PASSWORD):
        url = "%s://%s:%s/" % (self.by_way("pop3", "pop3", "pop3s"),
                                self.host, self.port)
        code, text = self.curl(password, "--request", "UIDL", url)
        if code:
            return code, text
        # An empty answer is written as an empty line.
        uidls = [line.split() for line in text.splitlines() if line]
        get, known = [], set(os.listdir(self.path("out")))
        for number, uidl in uidls:
            if uidl not in known:
                get += [url + number, "--output", "out/" + uidl]
        if get:
            code, text = self.curl(password, *get)
        if delete and uidls and not code:
            code, text = self.curl(password, "--head", "--request", "DELE",
                                   *[url + number for number, _ in uidls])
        return code, text


class Script(Client):
    """A library in the smallest program that uses it well: fetch what has an
    unknown UIDL, delete if told, QUIT."""

    SOURCE = ""
    COMMAND = ()

    def fetch(self, delete=False, password=PASSWORD):
        self.write("script", self.SOURCE)
        return self.run_program(*self.COMMAND, "script", self.way,
                                self.certificate, self.host, self.port,
                                self.address, password,
                                "delete" if delete else "keep")


class NetPop3(Script, SandboxTest):
    """Perl's Net::POP3 reports a rejected login as an undefined value. Under
    TLS it leaves line ends as they come."""

    @property
    def CRLF(self):
        return self.way != "clear"

    COMMAND = ("perl", "-w")
    REFUSED = (2, "[AUTH]")
    SOURCE = r"""
use strict;
use Net::POP3;
my ($way, $ca, $host, $port, $user, $password, $after) = @ARGV;
my $pop = Net::POP3->new($host, Port => $port, Timeout => 10,
	SSL => $way eq 'tls', SSL_ca_file => $ca)
	or die "no connection: $@\n";
if ($way eq 'stls') {
	$pop->starttls(SSL_ca_file => $ca) or die "no TLS: $@\n";
}
if (!defined $pop->login($user, $password)) {
	print $pop->message;
	$pop->quit;
	exit 2;
}
my $uidls = $pop->uidl or die $pop->message;
for my $n (sort { $a <=> $b } keys %$uidls) {
	if (!-e "out/$uidls->{$n}") {
		open my $file, '>', "out/$uidls->{$n}" or die $!;
		$pop->get($n, $file) or die $pop->message;
		close $file or die $!;
	}
	if ($after eq 'delete') {
		$pop->delete($n) or die $pop->message;
	}
}
$pop->quit or die $pop->message;
"""


class Poplib(Script, SandboxTest):
    """Python's poplib takes no line over 2,048 octets unless it is told to,
    which programs on top of it do."""

    COMMAND = ("python3", "-I")
    REFUSED = (2, "[AUTH]")
    SOURCE = r"""
import os, poplib, ssl, sys
way, ca, host, port, user, password, after = sys.argv[1:]
poplib._MAXLINE = 1 << 20
context = ssl.create_default_context(cafile=ca)
if way == "tls":
    pop = poplib.POP3_SSL(host, int(port), context=context, timeout=10)
else:
    pop = poplib.POP3(host, int(port), timeout=10)
if way == "stls":
    pop.stls(context)
try:
    pop.user(user)
    pop.pass_(password)
except poplib.error_proto as e:
    print(e)
    pop.quit()
    sys.exit(2)
for row in pop.uidl()[1]:
    number, uidl = row.decode("ascii").split(" ")
    if not os.path.exists("out/" + uidl):
        with open("out/" + uidl, "wb") as f:
            f.writelines(line + b"\n" for line in pop.retr(number)[1])
    if after == "delete":
        pop.dele(number)
pop.quit()
"""


class Etpan(Client, SandboxTest):
    """libetpan, which several mail programs are made with; it does not verify
    certificates by itself."""

    CRLF = True
    REFUSED = (2, "[AUTH]")

    @classmethod
    def setUpClass(cls):
        where = sendmail.unpacked()
        cls.program = os.path.join(where, "etpanfetch")
        subprocess.run(
            ["cc", "-I", os.path.join(where, "usr", "include"), "-o",
             cls.program, os.path.join(TOP, "tests", "system",
                                       "etpanfetch.c"),
             "-l:libetpan.so.20"], check=True)
        super().setUpClass()

    def fetch(self, delete=False, password=PASSWORD):
        return self.run_program(self.program, self.way, self.host, self.port,
                                self.address, password,
                                "delete" if delete else "keep")


if __name__ == "__main__":
    main()

"""What the system tests share: a sandbox, two clients that hide nothing, SQL.

The clients are our own because poplib and smtplib change what they carry:
here a message is the octets between DATA's 354 and the final dot, and RETR
yields the octets that were stored."""

import atexit
import base64
import contextlib
import glob
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from faultpoints import Points

TOP = os.path.abspath(os.environ.get(
    "top_srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
SCRIPT = os.path.join(TOP, "packaging", "sandbox")
PASSWORD = "secret of alice"
PARTS = ("db", "milter", "lmtpd", "authd", "pop3d", "sink", "postfix")


def built_with_faults(build=os.environ.get("MAILROW_BUILD", TOP)):
    """Whether the programs obey fault points."""
    with open(os.path.join(build, "config.h")) as f:
        return "#define WITH_FAULT_POINTS 1" in f.read()


def need_root():
    if os.geteuid() != 0:
        sys.exit("the system tests run a sandbox: they need root")


@contextlib.contextmanager
def database_template():
    """The sandboxes of all child processes copy one empty database."""
    name = "MAILROW_DB_TEMPLATE"
    if name in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="mrt.", dir="/tmp") as top:
        os.chmod(top, 0o755)
        os.environ[name] = os.path.join(top, "db")
        yield
        del os.environ[name]


def is_alive(pid_file):
    """The process that the sandbox has noted there ("PID STARTTIME")."""
    try:
        with open(pid_file) as f:
            pid, began = f.read().split()
        with open("/proc/%s/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except (OSError, ValueError):
        return False
    return fields[0] != "Z" and fields[19] == began


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return [int(n) for n in f.read().split()]


def status_of(pid, key):
    """A line of its status; "" when there is none."""
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith(key + ":"):
                return line.split(":", 1)[1].strip()
    return ""


def limit_files(pid, soft, hard=""):
    """How many it may have open, as its own user, who may always: root may
    not everywhere."""
    subprocess.run(["prlimit", "--pid", str(pid),
                    "--nofile=%s:%s" % (soft, hard)], check=True,
                   user=int(status_of(pid, "Uid").split()[0]),
                   group=int(status_of(pid, "Gid").split()[0]),
                   extra_groups=[])


class Failed(Exception):
    """A server's answer that the caller did not want."""

    def __init__(self, answer):
        super().__init__(answer)
        self.answer = answer
        self.code = answer[:3]


def careless():
    """A client that trusts every certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Wire:
    """Lines over a socket."""

    def __init__(self, where, timeout=60, source="127.0.0.1"):
        if where.startswith("/"):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(where)
        else:
            host, port = where.rsplit(":", 1)
            self.sock = socket.create_connection((host, int(port)), timeout,
                                                 (source, 0))
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise Failed("connection closed after %r" % line)
        return line[:-2].decode("utf-8", "surrogateescape")

    def begin_tls(self, context, name=None, session=None):
        self.file.close()
        self.sock = context.wrap_socket(self.sock, server_hostname=name,
                                        session=session)
        self.file = self.sock.makefile("rb")

    def put(self, data):
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape") + b"\r\n"
        self.sock.sendall(data)

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()


class Smtp(Wire):
    def __init__(self, where, helo="client.test", timeout=60,
                 source="127.0.0.1"):
        super().__init__(where, timeout, source)
        self.banner = self.answer("220")
        self.features = []
        if helo:
            self.ehlo(helo)

    def answer(self, want=None):
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        self.lines = lines
        text = "\n".join(lines)
        if want and not lines[-1].startswith(want):
            raise Failed(text)
        return text

    def cmd(self, text, want=None):
        self.put(text)
        return self.answer(want)

    def ehlo(self, name="client.test"):
        self.cmd("EHLO " + name, "250")
        self.features = [l[4:] for l in self.lines[1:]]

    def starttls(self):
        self.cmd("STARTTLS", "220")
        self.begin_tls(careless())
        self.ehlo()

    def auth_plain(self, user, password):
        token = base64.b64encode(("\0%s\0%s" % (user, password)).encode())
        return self.cmd("AUTH PLAIN " + token.decode())

    def auth_login(self, user, password):
        self.cmd("AUTH LOGIN", "334")
        self.cmd(base64.b64encode(user.encode()).decode(), "334")
        return self.cmd(base64.b64encode(password.encode()).decode())

    def envelope(self, sender, recipients, params=""):
        self.cmd("MAIL FROM:<%s>%s" % (sender, params), "250")
        for r in recipients:
            self.cmd("RCPT TO:<%s>" % r, "250")

    def data(self, message, want="250"):
        """message: octets with CRLF line ends. Returns the queue id's line."""
        self.cmd("DATA", "354")
        stuffed = message.replace(b"\r\n.", b"\r\n..")
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        if stuffed and not stuffed.endswith(b"\r\n"):
            stuffed += b"\r\n"
        self.put(stuffed + b".\r\n")
        return self.answer(want)

    def bdat(self, message, want="250"):
        self.put(b"BDAT %d LAST\r\n" % len(message) + message)
        return self.answer(want)

    def send(self, sender, recipients, message, want="250"):
        self.envelope(sender, recipients)
        return self.data(message, want)


class Lmtp(Smtp):
    """One answer a recipient after the data."""

    def ehlo(self, name="mx.example.test"):
        self.cmd("LHLO " + name, "250")
        self.features = [l[4:] for l in self.lines[1:]]

    def rcpts(self, sender, recipients, params=""):
        """The answers to RCPT."""
        self.cmd("MAIL FROM:<%s>%s" % (sender, params), "250")
        answers = [self.cmd("RCPT TO:<%s>" % r) for r in recipients]
        self.accepted = len([a for a in answers if a.startswith("250")])
        return answers

    def data(self, message, want=None):
        first = super().data(message, want)
        return [first] + [self.answer(want)
                          for _ in range(self.accepted - 1)]

    def send(self, sender, recipients, message, want="250"):
        for answer in self.rcpts(sender, recipients):
            if not answer.startswith("250"):
                raise Failed(answer)
        return self.data(message, want)


class Pop3(Wire):
    def __init__(self, where, timeout=60, source="127.0.0.1", tls=None,
                 **options):
        super().__init__(where, timeout, source)
        if tls:
            self.begin_tls(tls, **options)
        self.banner = self.status()

    def stls(self, context, **options):
        self.cmd("STLS")
        self.begin_tls(context, **options)

    def status(self):
        line = self.line()
        if not line.startswith("+OK"):
            raise Failed(line)
        return line

    def cmd(self, text):
        self.put(text)
        return self.status()

    def body(self):
        """The octets of a multi-line answer, dots unstuffed."""
        pieces = []
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                raise Failed("connection closed inside an answer")
            if line == b".\r\n":
                return b"".join(pieces)
            pieces.append(line[1:] if line.startswith(b".") else line)

    def multi(self, text):
        self.cmd(text)
        return self.body()

    def login(self, user, password=PASSWORD):
        self.cmd("USER " + user)
        return self.cmd("PASS " + password)

    def stat(self):
        n, octets = self.cmd("STAT").split()[1:3]
        return int(n), int(octets)

    def listing(self, verb="LIST"):
        rows = self.multi(verb).decode().splitlines()
        return [tuple(r.split(" ")) for r in rows]

    def retr(self, n):
        return self.multi("RETR %d" % n)

    def quit(self):
        answer = self.cmd("QUIT")
        self.close()
        return answer


class Sandbox:
    """A sandbox of the product's own script. It is removed at exit, unless
    MAILROW_KEEP is set."""

    def __init__(self, *start_args, conf=(), db_args=None, build=None,
                 env=None, place="/tmp"):
        self.top = tempfile.mkdtemp(prefix="mrt.", dir=place)
        os.chmod(self.top, 0o755)
        self.dir = os.path.join(self.top, "sandbox")
        self.environ = dict(os.environ, **(env or {}))
        if build:
            self.environ["MAILROW_BUILD"] = build
        self.args = list(start_args)
        for line in conf:
            self.args += ["--conf", line]
        if db_args:
            self.args += ["--db-args", db_args]
        self.env = {}
        self.written = None
        self.fault_points = None
        atexit.register(self.remove)
        self.start()

    def script(self, verb, *args, check=True, input_=None):
        r = subprocess.run([SCRIPT, verb, "--dir", self.dir, *args],
                           env=self.environ, text=True, check=False,
                           input=input_ or "", stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        if check and r.returncode:
            raise RuntimeError("sandbox %s: %d\n%s%s" % (
                verb, r.returncode, r.stdout, r.stderr))
        return r

    def start(self):
        """Also brings back what a test has stopped, and settings that it has
        changed."""
        if self.is_whole():
            wait_until(self.is_served, what="service")
            return
        self.script("start", *self.args)
        self.args = []
        self.refresh()
        self.written = self.settings()

    def is_whole(self):
        """The script would find nothing to do, which takes it half a second
        before each test."""
        return self.written is not None and self.written == self.settings() \
            and all(is_alive(os.path.join(self.dir, "run", part + ".pid"))
                    for part in PARTS)

    def settings(self):
        """All files below etc, and whether they are as they were."""
        found = {}
        for top, _, names in os.walk(os.path.join(self.dir, "etc")):
            for name in names:
                path = os.path.join(top, name)
                st = os.lstat(path)
                found[path] = (st.st_mtime_ns, st.st_ctime_ns, st.st_size)
        return found

    def is_served(self):
        """All doors open, and behind them too. The POP3 session that this
        takes is gone afterwards, unless there are others that come and go."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(os.path.join(self.dir, "run/milter/milter.sock"))
            self.lmtp(helo=None, timeout=5).close()
            for call in (self.smtp, self.submission):
                with call(helo=None, timeout=5) as s:
                    s.cmd("QUIT")
            before = set(children(self.pid("pop3d")))
            with self.pop3(timeout=5) as p:
                p.quit()
            with contextlib.suppress(AssertionError):
                wait_until(lambda: set(children(self.pid("pop3d"))) <= before,
                           2, "the session's end")
        except (Failed, OSError):
            return False
        return True

    def start_alone(self, *parts):
        self.script("start", *parts)
        self.refresh()

    def refresh(self):
        for line in self.script("env").stdout.splitlines():
            key, value = line.split("=", 1)
            self.env[key] = value.strip("'")

    def stop(self, *parts):
        self.script("stop", *parts)

    def remove(self):
        if not os.path.isdir(self.top):
            return
        if os.environ.get("MAILROW_KEEP"):
            print("kept:", self.dir, file=sys.stderr)
            self.script("stop", check=False)
            return
        self.script("stop", "--remove", check=False)
        shutil.rmtree(self.top, ignore_errors=True)

    def pid(self, part):
        return int(self.env["MAILROW_PID_" + part.upper()])

    def kill(self, part, sig=signal.SIGKILL):
        os.kill(self.pid(part), sig)

    def tool(self, *args, check=True, input_=None):
        return self.script("mailrow", *args, check=check, input_=input_)

    def postconf(self, *settings):
        """Changes main.cf; back at the next start of Postfix. Done when no
        process is left that has read the former one, and the ports are
        open again."""
        etc = os.path.join(self.dir, "etc", "postfix")
        subprocess.run(["postconf", "-c", etc, *settings], check=True)
        before = set(children(self.pid("postfix")))
        subprocess.run(["postfix", "-c", etc, "reload"], check=True,
                       stderr=subprocess.DEVNULL)
        wait_until(lambda: not before & set(children(self.pid("postfix"))),
                   what="Postfix's reload")
        wait_until(lambda: all(map(listens, (
            self.env[key] for key in ("MAILROW_SMTP", "MAILROW_SUBMISSION",
                                      "MAILROW_FORWARD")))),
                   what="Postfix's ports")

    def account(self, address, password=PASSWORD):
        self.script("account", address, password)

    def sql(self, statement):
        """Rows of texts."""
        out = subprocess.run(
            ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
             "--socket", self.env["MAILROW_DB_SOCKET"], "mailrow"],
            input=statement, text=True, check=True,
            stdout=subprocess.PIPE).stdout
        return [row.split("\t") for row in out.splitlines()]

    def number(self, statement):
        return int(self.sql(statement)[0][0])

    def counter(self, name):
        return int(self.sql("SHOW GLOBAL STATUS LIKE '%s'" % name)[0][1])

    def smtp(self, **options):
        return Smtp(self.env["MAILROW_SMTP"], **options)

    def submission(self, **options):
        return Smtp(self.env["MAILROW_SUBMISSION"], **options)

    def lmtp(self, helo="mx.example.test", **options):
        return Lmtp(self.env["MAILROW_LMTP"], helo=helo, **options)

    def sendmail(self, sender, recipients, message):
        """As a program of this host does it. LF line ends."""
        subprocess.run(
            ["sendmail", "-C", os.path.join(self.dir, "etc", "postfix"),
             "-i", "-f", sender, *recipients], input=message, check=True)

    def postfix(self, program, *args):
        """postconf, postqueue ... of the sandbox's Postfix."""
        return subprocess.run(
            [program, "-c", os.path.join(self.dir, "etc", "postfix"), *args],
            text=True, check=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT).stdout

    def queue(self):
        """Queue ids of what Postfix has not delivered yet."""
        rows = self.postfix("postqueue", "-j").splitlines()
        return [json.loads(r)["queue_id"] for r in rows]

    def wait_for_queue(self, seconds=60):
        """Until Postfix has delivered everything; tries again by itself."""
        end = time.monotonic() + seconds
        while self.queue():
            if time.monotonic() > end:
                raise AssertionError("the queue: %s" % self.postfix(
                    "postqueue", "-p"))
            self.postfix("postqueue", "-f")
            time.sleep(0.3)

    def pop3(self, user=None, password=PASSWORD, **options):
        p = Pop3(self.env["MAILROW_POP3"], **options)
        if user:
            p.login(user, password)
        return p

    def tls(self, version=None):
        """How a client trusts the sandbox's own certificate."""
        context = ssl.create_default_context(cafile=self.env["MAILROW_CERT"])
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def pop3s(self, user=None, password=PASSWORD, tls=None,
              name="localhost", **options):
        p = Pop3(self.env["MAILROW_POP3S"], tls=tls or self.tls(), name=name,
                 **options)
        if user:
            p.login(user, password)
        return p

    def mails(self, user, password=PASSWORD):
        """All mails of a mailbox, as RETR gives them."""
        with self.pop3(user, password) as p:
            n, octets = p.stat()
            found = [p.retr(i + 1) for i in range(n)]
            listed = [int(r[1]) for r in p.listing()]
            if [len(m) for m in found] != listed or sum(listed) != octets:
                raise AssertionError("LIST says %s of %s" % (
                    listed, [len(m) for m in found]))
            p.quit()
        return found

    def empty(self, user, password=PASSWORD):
        with self.pop3(user, password) as p:
            for i in range(p.stat()[0]):
                p.cmd("DELE %d" % (i + 1))
            p.quit()

    def log(self, *names):
        text = ""
        for name in names or sorted(os.listdir(self.env["MAILROW_LOG"])):
            with open(os.path.join(self.env["MAILROW_LOG"], name),
                      errors="replace") as f:
                text += f.read()
        return text

    def our_log(self):
        return self.log("milter.log", "lmtpd.log", "authd.log",
                        "pop3d.log")

    def sunk(self):
        """Mails that went abroad."""
        found = []
        for name in sorted(os.listdir(self.env["MAILROW_SINK"])):
            with open(os.path.join(self.env["MAILROW_SINK"], name),
                      "rb") as f:
                found.append(f.read())
        return found

    @property
    def points(self):
        """The fault points of a test build."""
        if self.fault_points is None:
            self.fault_points = Points(self.env["MAILROW_FAULT_DIR"])
        return self.fault_points

    def fault(self, name, what, passing=1, who=None):
        """Arms a fault point: "die", "stall MS", "cut", "fail"."""
        self.points.arm(name, what, passing, who)

    def fault_hit(self, name):
        return not self.points.armed(name)

    def check_store(self):
        """What must hold in the tables whatever has happened."""
        wrong = self.sql("""
            SELECT 'counters', m.mailbox_id, m.messages, m.octets,
                   COUNT(l.uid), COALESCE(SUM(l.octets), 0)
              FROM mailbox m LEFT JOIN mail l USING (mailbox_id)
             GROUP BY m.mailbox_id, m.messages, m.octets
            HAVING m.messages <> COUNT(l.uid)
                OR m.octets <> COALESCE(SUM(l.octets), 0);
            SELECT 'refs', HEX(c.content_id), c.refs,
                   (SELECT COUNT(*) FROM mail l
                     WHERE l.content_id = c.content_id) +
                   (SELECT COUNT(*) FROM trash t
                     WHERE t.content_id = c.content_id) AS used
              FROM content c HAVING c.refs <> used
               AND (c.refs <> 0 OR used <> 0);
            SELECT 'octets', HEX(c.content_id) FROM content c
             WHERE c.refs > 0 AND c.octets <> (SELECT
               COALESCE(SUM(LENGTH(k.data)), 0) FROM chunk k
               WHERE k.content_id = c.content_id);
            SELECT 'no content', l.mailbox_id, l.uid FROM mail l
              LEFT JOIN content c USING (content_id)
             WHERE c.content_id IS NULL;
            SELECT 'claimed but unused', HEX(c.content_id) FROM content c
             WHERE c.refs > 0
               AND c.content_id NOT IN (SELECT content_id FROM mail)
               AND c.content_id NOT IN (SELECT content_id FROM trash);
            SELECT 'uid_next', m.mailbox_id FROM mailbox m
             WHERE EXISTS (SELECT 1 FROM mail l
              WHERE l.mailbox_id = m.mailbox_id AND l.uid >= m.uid_next);
        """)
        if wrong:
            raise AssertionError("the store is inconsistent: %s" % wrong)


def free_ports(n, host="127.0.0.1"):
    """Where neither the kernel nor the sandbox takes theirs from: nobody
    connects from there before the port is opened."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = []
    while len(found) < n:
        port = random.randrange(10000, 20000)
        with contextlib.suppress(OSError), socket.socket(family) as s:
            s.bind((host, port))
            if port not in found:
                found.append(port)
    return found


def free_port(host="127.0.0.1"):
    return free_ports(1, host)[0]


def listens(where):
    """Somebody does at "HOST:PORT" (IPv4), which is not asked for it."""
    port = int(where.rsplit(":", 1)[1])
    with open("/proc/net/tcp") as f:
        return any(line.split()[1].endswith(":%04X" % port)
                   and line.split()[3] == "0A" for line in list(f)[1:])


def stored_part(message):
    """What RETR gave, without the trace headers we put before it: they end
    with the first Received field, which is ours."""
    lines = message.split(b"\r\n")
    at = 0
    while not lines[at].lower().startswith(b"received:"):
        at += 1
    at += 1
    while lines[at][:1] in (b" ", b"\t"):
        at += 1
    return b"\r\n".join(lines[at:])


def mail(subject="test", body=b"hello\r\n", message_id=True):
    """A plausible mail, with CRLF; every one is another."""
    mail.serial += 1
    head = "From: Ann <ann@remote.test>\r\nTo: alice@example.test\r\n" \
           "Subject: %s\r\nDate: Mon, 02 Mar 2026 10:00:%02d +0000\r\n" % (
               subject, mail.serial % 60)
    if message_id:
        head += "Message-ID: <%d.%d@remote.test>\r\n" % (os.getpid(),
                                                        mail.serial)
    return head.encode() + b"\r\n" + body


mail.serial = 0


def tracers(pid):
    """Who follows the threads of a process (strace)."""
    found = set()
    for path in glob.glob("/proc/%d/task/*/status" % pid):
        with open(path) as f:
            found |= {int(line.split()[1]) for line in f
                      if line.startswith("TracerPid:")}
    return found


def digest(data):
    return hashlib.sha256(data).hexdigest()


def wait_until(test, seconds=20, what="it"):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise AssertionError("%s did not happen in %d s" % (what, seconds))
        time.sleep(0.05)


def is_stopped(pid):
    """Each thread of it: one begins, the others follow a little later."""
    for path in glob.glob("/proc/%d/task/*/stat" % pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(path) as f:
            if f.read().rpartition(") ")[2][0] not in "TtXZ":
                return False
    return True


@contextlib.contextmanager
def stopped(*pids):
    """SIGSTOP, and on again. A process may be killed meanwhile."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: all(map(is_stopped, pids)), what="the stop")
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class SandboxTest(unittest.TestCase):
    """A test case with one sandbox and the accounts alice and bob."""

    CONF = ()
    DB_ARGS = None

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(conf=cls.CONF, db_args=cls.DB_ARGS)
        cls.sandbox.account("alice@example.test")
        cls.sandbox.account("bob@example.test")

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.remove()

    def setUp(self):
        self.sandbox.start()

    def tearDown(self):
        outcome = self._outcome.result
        broken = [t for t, _ in outcome.errors + outcome.failures
                  if t is self]
        if broken:
            log = self.sandbox.our_log().splitlines()[-25:] \
                + self.sandbox.log("maillog").splitlines()[-15:]
            print("\n".join(["--- logs"] + log), file=sys.stderr)

    def policy(self, sql):
        """Changes the policy's tables: the milter has them when this
        returns."""
        self.sandbox.sql(sql)
        new = self.sandbox.number("SELECT generation FROM policy_generation")
        wait_until(lambda: "policy: generation %d in force" % new in
                   self.sandbox.log("milter.log"), what="the new policy")

    def mode(self, mode, *predicates, domain=""):
        self.policy("".join(
            "REPLACE INTO policy_mode (predicate, domain, mode) VALUES"
            " ('%s', '%s', '%s');" % (p, domain, mode) for p in predicates))

    def assertRefused(self, code, call, *args):
        """The server answers with this code (SMTP) or these words (POP3)."""
        with self.assertRaises(Failed) as caught:
            call(*args)
        answer = caught.exception.answer
        self.assertTrue(answer.startswith(code), answer)
        return answer


def main():
    need_root()
    unittest.main(verbosity=2)

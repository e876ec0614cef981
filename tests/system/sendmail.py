"""A private Sendmail from unpacked Debian packages, in front of a sandbox.

It takes the place of the sandbox's Postfix, with packaging/sendmail/mailrow.mc
as printed. All it writes lies in the sandbox's own directory."""

import contextlib
import os
import signal
import subprocess

import mrtest

LINES = os.path.join(mrtest.TOP, "packaging", "sendmail", "mailrow.mc")

# What a site has beside our lines. No name server is asked, no file of the
# system's own Sendmail is read, and a busy machine is no reason to rest.
MC = """divert(0)dnl
VERSIONID(`a private Sendmail')
OSTYPE(`linux')
define(`confDOMAIN_NAME', `mx.example.test')
define(`confPID_FILE', `%(dir)s/pid')
define(`QUEUE_DIR', `%(dir)s/queue')
define(`STATUS_FILE', `%(dir)s/statistics')
define(`confCW_FILE', `-o %(dir)s/local-host-names')
define(`confCT_FILE', `-o %(dir)s/trusted-users')
define(`confSERVICE_SWITCH_FILE', `%(dir)s/service.switch')
define(`HELP_FILE', `')
define(`ALIAS_FILE', `%(dir)s/aliases')
define(`confTO_IDENT', `0')
define(`confTO_ICONNECT', `10s')
define(`confMIN_QUEUE_AGE', `0')
define(`confQUEUE_LA', `10000')
define(`confREFUSE_LA', `10000')
define(`confSERVER_CERT', `%(dir)s/cert.pem')
define(`confSERVER_KEY', `%(dir)s/key.pem')
define(`confCACERT', `%(dir)s/cert.pem')
define(`confCACERT_PATH', `%(dir)s')
define(`ESMTP_MAILER_ARGS', `TCP $h %(sink)d')
FEATURE(`nocanonify')
FEATURE(`accept_unresolvable_domains')
FEATURE(`accept_unqualified_senders')
FEATURE(`no_default_msa')
FEATURE(`mailertable', `hash -o %(dir)s/mailertable')
FEATURE(`access_db', `hash -o -T<TMPF> %(dir)s/access')
FEATURE(`virtusertable', `hash -o %(dir)s/virtusertable')
DAEMON_OPTIONS(`Port=%(port)d, Addr=127.0.0.1, Listen=100, Name=MTA')
DAEMON_OPTIONS(`Port=%(forward)d, Addr=127.0.0.1, Name=forward, dnl
InputMailFilters=')
%(more)sdefine(`MAILROW_MILTER', `%(milter)s')
define(`MAILROW_LMTP', `%(lmtp)s')
include(`%(lines)s')
MAILER(`smtp')
"""


def unpacked():
    """The directory of the packages that are not installed, Sendmail's among
    them; they are fetched when missing."""
    build = os.environ.get("MAILROW_BUILD",
                           os.path.join(mrtest.TOP, "build"))
    where = os.path.join(build, "tests", "unpacked")
    subprocess.run([os.path.join(mrtest.TOP, "packaging", "install-packages"),
                    "--unpack", where, "unpack"], check=True)
    return where


def with_a_full_name():
    """Sendmail sleeps a minute when the machine's name has no dot and no
    domain is found for it. Where we may, it gets a name of its own."""
    if subprocess.run(["unshare", "--uts", "true"], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        return []
    return ["unshare", "--uts", "sh", "-c",
            "hostname mx.example.test && exec \"$@\"", "sh"]


def cf_of(mc, root=None):
    """What m4 makes of a sendmail.mc, given the lines below cf.m4's."""
    cf = os.path.join(root or unpacked(), "usr", "share", "sendmail", "cf")
    made = subprocess.run(
        ["m4"], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        input=("divert(-1)\ninclude(`%s/m4/cf.m4')\n" % cf + mc).encode())
    if made.stderr:
        raise AssertionError("m4 said: %s" % made.stderr.decode())
    return made.stdout.decode()


class SendmailSandbox(mrtest.Sandbox):
    """A sandbox without its Postfix. Sendmail refuses sockets below a
    directory that everybody may write to, so it is not in /tmp."""

    PARTS = ("db", "milter", "lmtpd", "authd", "pop3d", "sink")

    def __init__(self, conf=()):
        self.port, self.forward_port = mrtest.free_ports(2)
        super().__init__(place="/var/lib", conf=(
            *conf, "lmtp_forward = smtp://127.0.0.1:%d" % self.forward_port))

    def start(self):
        self.start_alone(*self.args, *self.PARTS)
        self.args = []


class Sendmail:
    def __init__(self, sandbox, more="", sasl=False):
        root = unpacked()
        self.libexec = os.path.join(root, "usr", "libexec", "sendmail")
        self.dir = os.path.join(sandbox.dir, "sendmail")
        self.traffic = os.path.join(sandbox.env["MAILROW_LOG"], "maillog")
        self.port = sandbox.port
        self.daemon = None
        os.mkdir(self.dir)
        os.mkdir(self.path("queue"), mode=0o700)
        self.certificate()
        if sasl:
            more += self.sasl(sandbox)
        for name in ("local-host-names", "trusted-users"):
            self.write(name, "")
        self.write("service.switch",
                   "hosts\tfiles\naliases\tfiles\npasswd\tfiles\n")
        self.table("mailertable", "example.test\tmailrow:lmtp\n"
                   "foreign.test\tesmtp:[127.0.0.1]\n"
                   "refused.test\terror:5.7.1:550 not here\n")
        self.table("access", "To:example.test\tRELAY\n")
        self.write("aliases", "info: alice@example.test\n"
                   "other: alice+other@example.test\n")
        self.table("virtusertable",
                   "sales@example.test\talice@example.test\n"
                   "away@example.test\tx@foreign.test\n")
        self.write("sendmail.cf", cf_of(MC % {
            "dir": self.dir, "port": self.port, "more": more, "lines": LINES,
            "forward": sandbox.forward_port,
            "sink": int(sandbox.env["MAILROW_SINK_PORT"]),
            "milter": "local:%s/run/milter/milter.sock" % sandbox.dir,
            "lmtp": sandbox.env["MAILROW_LMTP"]}, root))

        subprocess.run(self.command("-bi"), check=True,
                       stdout=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    def sasl(self, sandbox):
        """Cyrus SASL finds packaging/sendmail/Sendmail.conf as it would in
        /etc/sasl2, but for the socket's place."""
        with open(os.path.join(os.path.dirname(LINES),
                               "Sendmail.conf")) as f:
            text = f.read()
        os.mkdir(self.path("sasl2"))
        self.write("sasl2/Sendmail.conf", text.replace(
            "/run/mailrow/mta/saslauthd",
            os.path.join(sandbox.dir, "run", "auth", "saslauthd")))
        return "LOCAL_CONFIG\nESASL_CONF_PATH=%s\n" % self.path("sasl2")

    def certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "365",
             "-subj", "/CN=mx.example.test", "-keyout", self.path("key.pem"),
             "-out", self.path("cert.pem")],
            check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.path("key.pem"), 0o600)

    def table(self, name, text):
        subprocess.run([os.path.join(self.libexec, "makemap"),
                        "-C", "/dev/null", "hash",
                        self.path(name)], check=True, input=text.encode())

    def command(self, *args):
        return with_a_full_name() + [
            os.path.join(self.libexec, "sendmail"),
            "-C", self.path("sendmail.cf"), *args]

    def start(self):
        with open(self.path("out"), "ab") as out:
            self.daemon = subprocess.Popen(
                self.command("-bD", "-X", self.traffic),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True)
        mrtest.wait_until(self.answers, 90, "a greeting of Sendmail")

    def answers(self):
        if self.daemon.poll() is not None:
            raise AssertionError("Sendmail ended: " + self.said())
        try:
            with self.smtp(helo=None, timeout=30):
                return True
        except OSError:
            return False

    def said(self):
        with open(self.path("out"), errors="replace") as f:
            return f.read()

    def smtp(self, **options):
        return mrtest.Smtp("127.0.0.1:%d" % self.port, **options)

    @contextlib.contextmanager
    def counting_syncs(self):
        """Yields a list that holds afterwards the calls of the daemon, and
        of what it has forked, that wait for a disk."""
        calls, out = [], self.path("syncs")
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", out, "-e", "trace=fsync,fdatasync",
             "-p", str(self.daemon.pid)], stderr=subprocess.DEVNULL)
        mrtest.wait_until(self.is_traced, 20, "strace")
        try:
            yield calls
        finally:
            tracer.terminate()
            tracer.wait(20)
        with open(out) as f:
            calls += [line for line in f if "sync(" in line]

    def is_traced(self):
        with open("/proc/%d/status" % self.daemon.pid) as f:
            return "TracerPid:\t0\n" not in f.read()

    def stop(self):
        """The daemon, and what it has forked."""
        if not self.daemon:
            return
        self.daemon.terminate()
        self.daemon.wait(20)
        try:
            os.killpg(self.daemon.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.daemon = None

    def queue(self):
        """The files of all messages that wait or are being taken."""
        return sorted(os.listdir(self.path("queue")))

    def submit(self, sender, recipients, message):
        """As sendmail(1) does; message has LF line ends. The first attempt
        to deliver is over afterwards."""
        subprocess.run(self.command("-i", "-odi", "-oee", "-f", sender,
                                    *recipients),
                       check=True, input=message, timeout=150,
                       stdout=subprocess.DEVNULL)

    def by_standard_input(self, *commands):
        """What each is answered by sendmail -bs, as mail programs run it."""
        with subprocess.Popen(self.command("-bs"), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as p:
            said = [self.answer(p.stdout)]
            for c in ("EHLO mx.example.test", *commands, "QUIT"):
                p.stdin.write(c.encode() + b"\r\n")
                p.stdin.flush()
                said.append(self.answer(p.stdout))
        return said[2:-1]

    @staticmethod
    def answer(stream):
        lines = [stream.readline().decode()]
        while lines[-1][3:4] == "-":
            lines.append(stream.readline().decode())
        return lines[-1].rstrip()

    def run_queue(self):
        subprocess.run(self.command("-q"), check=True, timeout=150)

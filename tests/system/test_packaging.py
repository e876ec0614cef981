#!/usr/bin/env python3
"""What a system takes from us: units, users, directories, the ban filter, the
completion, and where "make install" puts them."""

import base64
import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from mrtest import TOP, Failed, Pop3, Sandbox, main, wait_until

BUILD = os.environ.get("MAILROW_BUILD", os.path.join(TOP, "build"))
ALICE = "alice@example.test"
# exposure: at most, in tenths, as "systemd-analyze security" counts it
DAEMONS = {
    "milter": ("milter/mailrow-milter", 15),
    "lmtpd": ("lmtpd/mailrow-lmtpd", 20),
    "authd": ("auth/mailrow-authd", 20),
    "pop3d": ("pop3d/mailrow-pop3d", 25),
}
AS_THEY_ARE = ("mailrow-metrics-file.timer", "mailrow-metrics.socket",
               "mailrow-pop3d.socket", "mailrow-pop3s.socket",
               "mailrow-purge.timer")


def run(*command, check=True, **options):
    r = subprocess.run(command, text=True, check=False,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, **options)
    if check and r.returncode:
        raise AssertionError("%s: %d\n%s" % (" ".join(command), r.returncode,
                                             r.stdout))
    return r


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def unit(name):
    return os.path.join(BUILD, "packaging", "systemd", name)


def settings(name, key):
    return re.findall(r"(?m)^%s=(.*)$" % key, read(unit(name)))


class Manager:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

    def hear(self, pid, seconds=10):
        """The next message; only the main process may send any."""
        self.sock.settimeout(seconds)
        try:
            data, about, _, _ = self.sock.recvmsg(4096, 256)
        except socket.timeout:
            raise AssertionError("no message in %g s" % seconds) from None
        sender = struct.unpack("3i", about[0][2][:12])[0]
        if sender != pid:
            raise AssertionError("%r comes from process %d, not %d" % (
                data, sender, pid))
        return data.decode()

    def rest(self, pid):
        """All that has come by now."""
        found = []
        try:
            while True:
                found.append(self.hear(pid, 0.1))
        except AssertionError:
            return found

    def close(self):
        self.sock.close()
        os.unlink(self.path)


class Site:
    """A system root of its own, with users and directories as the files that
    we install make them, and a sandbox for database and option files."""

    def __init__(self):
        self.sandbox = Sandbox()
        self.sandbox.account(ALICE)
        self.sandbox.stop("milter", "authd", "pop3d", "postfix")
        self.root = os.path.join(self.sandbox.top, "root")
        self.users()
        self.log = run("systemd-tmpfiles", "--root=" + self.root, "--create",
                       os.path.join(BUILD, "packaging", "tmpfiles.d",
                                    "mailrow.conf")).stdout
        self.conf()

    def users(self):
        """Those of this system keep their numbers."""
        os.makedirs(os.path.join(self.root, "etc"))
        for name in ("passwd", "group"):
            shutil.copy("/etc/" + name, os.path.join(self.root, "etc"))
        run("systemd-sysusers", "--root=" + self.root,
            os.path.join(TOP, "packaging", "sysusers.d", "mailrow.conf"))

    def named(self, name):
        """Rows of its passwd or group, by name."""
        return {r[0]: r for r in (
            l.split(":") for l in read(self.root, "etc", name).splitlines())}

    def spool(self):
        line = re.search(r"(?m)^d\s+(\S*/spool)\s", read(
            BUILD, "packaging", "tmpfiles.d", "mailrow.conf"))
        return line.group(1)

    def conf(self):
        queue = self.root + "/var/spool/postfix/mailrow/"
        # a port that only root may have, on an address that nobody else uses
        self.pop3 = "127.%d.%d.%d:110" % tuple(
            1 + b % 250 for b in os.urandom(3))
        mine = {
            "milter_socket": "local:" + queue + "milter.sock",
            "milter_policy_socket": "local:" + queue + "policy.sock",
            "milter_store_socket": "local:" + queue + "store.sock",
            "lmtp_listen": "unix:" + queue + "lmtp",
            "auth_socket": queue + "auth",
            "auth_pop3_socket": self.root + "/run/mailrow/auth",
            "auth_saslauthd_socket": "",
            "counter_dir": self.root + "/run/mailrow/status",
            "pop3_control_socket": self.root + "/run/mailrow/control/pop3d",
            "spool_dir": self.root + self.spool(),
            "pop3_listen": self.pop3,
        }
        lines = [l for l in read(self.sandbox.env["MAILROW_CONF"]).splitlines()
                 if l.split(" ")[0] not in mine]
        lines += ["%s = %s" % pair for pair in mine.items()]
        self.file = os.path.join(self.root, "etc", "mailrow.conf")
        self.text = "\n".join(lines) + "\n"
        write(self.file, self.text)
        self.sockets = {"milter": [queue + "milter.sock",
                                   queue + "policy.sock",
                                   queue + "store.sock"],
                        "lmtpd": [queue + "lmtp"],
                        "authd": [queue + "auth",
                                  self.root + "/run/mailrow/auth"],
                        "pop3d": []}

    @contextlib.contextmanager
    def other_conf(self, change):
        write(self.file, change(self.text))
        try:
            yield
        finally:
            write(self.file, self.text)

    def remove(self):
        self.sandbox.remove()


class Daemon:
    """A daemon as its unit starts it: root, with the capabilities named there
    and no way to more."""

    def __init__(self, site, name, caps=None, patience=10):
        self.site, self.name, self.patience = site, name, patience
        if caps is None:
            caps = capabilities(name)
        self.manager = Manager(os.path.join(site.root, name + ".notify"))
        self.out = open(os.path.join(site.root, name + ".log"), "ab")
        bounds = "".join(",+" + c[len("CAP_"):].lower() for c in caps)
        self.process = subprocess.Popen(
            ["setpriv", "--bounding-set", "-all" + bounds, "--inh-caps",
             "-all", "--no-new-privs", os.path.join(BUILD, DAEMONS[name][0]),
             "-c", site.file],
            env={"NOTIFY_SOCKET": self.manager.path, "PATH": os.defpath},
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out)
        self.pid = self.process.pid

    def hear(self, seconds=None):
        return self.manager.hear(self.pid, seconds or self.patience)

    def signal(self, sig):
        os.kill(self.pid, sig)

    def children(self):
        return [int(p) for p in read("/proc", str(self.pid), "task",
                                     str(self.pid), "children").split()]

    def end(self, seconds=15):
        return self.process.wait(seconds)

    def close(self):
        if self.process.poll() is None:
            family = [self.pid] + self.children()
            for pid in family:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
            wait_until(lambda: not any(os.path.exists("/proc/%d" % p)
                                       for p in family))
        self.manager.close()
        self.out.close()


def capabilities(name):
    return settings("mailrow-%s.service" % name,
                    "CapabilityBoundingSet")[0].split()


class Lives(unittest.TestCase):
    """The daemons in the rights that their units leave them."""

    @classmethod
    def setUpClass(cls):
        cls.site = Site()

    @classmethod
    def tearDownClass(cls):
        cls.site.remove()

    def daemon(self, name, caps=None):
        d = Daemon(self.site, name, caps)
        self.addCleanup(d.close)
        return d

    def connects(self, path, user, group):
        """As a user who has no other group."""
        program = "import socket,sys; s=socket.socket(socket.AF_UNIX); " \
                  "s.connect(sys.argv[1])"
        r = run("setpriv", "--reuid", user, "--regid", group,
                "--clear-groups", "python3", "-c", program, path, check=False)
        return r.returncode == 0

    def reach(self, d):
        """What serves is reached by those who should, and no others."""
        for path in self.site.sockets[d.name]:
            group = "mailrow-pop3" if "/run/" in path else "postfix"
            self.assertTrue(self.connects(path, group, group), path)
            self.assertFalse(self.connects(path, "nobody", "nogroup"), path)
            self.assertEqual(os.stat(path).st_uid, 0)
        if d.name == "pop3d":
            Pop3(self.site.pop3).close()

    def live(self, name, caps=None, patience=10):
        """A life: start, reload, reload of a wrong file, a child that dies,
        stop."""
        with contextlib.closing(
                Daemon(self.site, name, caps, patience)) as d:
            self.assertEqual(d.hear(), "READY=1")
            self.reach(d)
            self.reload(d)
            with self.site.other_conf(lambda text: text + "nonsense = 1\n"):
                self.reload(d)
            for child in d.children():
                os.kill(child, signal.SIGKILL)
            self.assertEqual(d.hear(), "READY=1")
            self.reach(d)
            self.stop(d)

    def reload(self, d):
        before = time.monotonic_ns() // 1000
        d.signal(signal.SIGHUP)
        first, at = d.hear().split("\n")
        self.assertEqual(first, "RELOADING=1")
        key, micros = at.split("=")
        self.assertEqual(key, "MONOTONIC_USEC")
        self.assertTrue(before <= int(micros) <= time.monotonic_ns() // 1000)
        self.assertEqual(d.hear(), "READY=1")

    def stop(self, d):
        children = d.children()
        d.signal(signal.SIGTERM)
        self.assertEqual(d.hear(), "STOPPING=1")
        self.assertEqual(d.end(), 0)
        for child in children:
            self.assertFalse(os.path.exists("/proc/%d" % child))
        for path in self.site.sockets[d.name]:
            self.assertFalse(os.path.exists(path), path)
        self.assertEqual(d.manager.rest(d.pid), [])

    def needed(self, name):
        """Without any one of its capabilities it cannot live so."""
        for cap in capabilities(name):
            less = [c for c in capabilities(name) if c != cap]
            try:
                self.live(name, less, 4)
            except (AssertionError, Failed, ConnectionError,
                    subprocess.TimeoutExpired):
                continue
            self.fail("%s can live without %s" % (name, cap))

    def test_milter(self):
        self.live("milter")
        self.needed("milter")

    def test_lmtpd(self):
        self.live("lmtpd")
        self.needed("lmtpd")

    def test_authd(self):
        self.live("authd")
        self.needed("authd")

    def test_pop3d(self):
        self.live("pop3d")
        self.needed("pop3d")

    def test_a_session_is_ended_at_the_stop(self):
        d = self.daemon("pop3d")
        self.assertEqual(d.hear(), "READY=1")
        with Pop3(self.site.pop3) as client:
            client.cmd("CAPA")
            client.body()
            self.stop(d)

    def test_mail_and_logins_go_through(self):
        authd, pop3d = self.daemon("authd"), self.daemon("pop3d")
        self.assertEqual(authd.hear(), "READY=1")
        self.assertEqual(pop3d.hear(), "READY=1")
        with Pop3(self.site.pop3) as client:
            client.login(ALICE)
            self.assertEqual(client.stat(), (0, 0))
            client.quit()

    def test_ready_is_not_said_of_what_cannot_serve(self):
        def other_profile(text):
            return text.replace("profile = native", "profile = no-such")

        with self.site.other_conf(other_profile):
            for name in ("milter", "lmtpd", "authd"):
                d = self.daemon(name)
                self.assertEqual(d.end(), 78, name)
                self.assertNotIn("READY=1", d.manager.rest(d.pid), name)

    def test_ready_while_the_database_is_away(self):
        self.site.sandbox.stop("db")
        try:
            for name in DAEMONS:
                d = self.daemon(name)
                self.assertEqual(d.hear(), "READY=1", name)
                self.stop(d)
        finally:
            self.site.sandbox.start_alone("db")

    def test_users_and_directories(self):
        passwd, group = self.site.named("passwd"), self.site.named("group")
        for name in ("milter", "lmtp", "auth", "pop3", "login", "purge"):
            row = passwd["mailrow-" + name]
            self.assertTrue(0 < int(row[2]) < 1000, row)
            self.assertEqual(row[3], group["mailrow-" + name][2])
            self.assertEqual(row[6], "/usr/sbin/nologin")
        self.assertEqual(len({passwd[n][2] for n in passwd
                              if n.startswith("mailrow-")}), 6)
        for path, mode, user, its_group in (
                ("/var/spool/postfix/mailrow", 0o2750, "root", "postfix"),
                ("/run/mailrow", 0o2755, "root", "mailrow-pop3"),
                ("/run/mailrow/status", 0o755, "root", "root"),
                ("/run/mailrow/control", 0o700, "root", "root"),
                (self.site.spool(), 0o1770, "mailrow-milter",
                 "mailrow-lmtp")):
            st = os.stat(self.site.root + path)
            self.assertEqual(oct(st.st_mode & 0o7777), oct(mode), path)
            self.assertEqual(st.st_uid, int(passwd[user][2]), path)
            self.assertEqual(st.st_gid, int(group[its_group][2]), path)

    def test_a_child_cannot_take_another_sockets_name(self):
        d = self.daemon("authd")
        self.assertEqual(d.hear(), "READY=1")
        for path in self.site.sockets["authd"]:
            for user in ("mailrow-milter", "mailrow-auth", "mailrow-pop3"):
                r = run("setpriv", "--reuid", user, "--regid", user,
                        "--init-groups", "rm", "-f", path, check=False)
                self.assertNotEqual(r.returncode, 0, (path, user))


class Units(unittest.TestCase):
    def units(self):
        return sorted(f for f in os.listdir(unit(""))
                      if f.endswith(".service"))

    def test_there_is_one_for_each_program(self):
        self.assertEqual(self.units(), sorted(
            ["mailrow-%s.service" % d for d in DAEMONS]
            + ["mailrow-%s.service" % n
               for n in ("metrics-file", "metrics@", "purge")]))

    def test_exposure(self):
        for name in self.units():
            most = DAEMONS.get(name[len("mailrow-"):-len(".service")],
                               ("", 15))[1]
            run("systemd-analyze", "security", "--offline=true",
                "--no-pager", "--threshold=%d" % most, unit(name))

    def test_systemd_finds_nothing_wrong(self):
        with tempfile.TemporaryDirectory(prefix="mrt.") as folder:
            for name in self.units():
                text = re.sub(r"(?m)^(ExecStart=!?)\S+/(mailrow[\w-]*)",
                              self.built, read(unit(name)))
                write(os.path.join(folder, name), text)
            for name in AS_THEY_ARE:
                shutil.copy(os.path.join(TOP, "packaging", "systemd", name),
                            folder)
            r = run("systemd-analyze", "verify", "--man=no",
                    *[os.path.join(folder, f) for f in os.listdir(folder)])
            self.assertEqual(r.stdout, "")

    def built(self, m):
        name = m.group(2)
        program = "ctl/mailrow" if name == "mailrow" else \
            DAEMONS[name[len("mailrow-"):]][0]
        return m.group(1) + os.path.join(BUILD, program)

    def test_the_manual_pages_named_are_there(self):
        pages = {f for _, _, names in os.walk(TOP) for f in names}
        for name in self.units():
            for line in settings(name, "Documentation"):
                for page in re.findall(r"man:([\w.-]+)\((\d)\)", line):
                    file = ".".join(page)
                    self.assertTrue(file in pages or file + ".in" in pages,
                                    file)

    def test_nothing_is_left_to_fill_in(self):
        for name in self.units():
            self.assertNotRegex(read(unit(name)), r"@\w+@")
        tmpfiles = read(BUILD, "packaging", "tmpfiles.d", "mailrow.conf")
        self.assertNotRegex(tmpfiles, r"@\w+@")

    def test_the_purge_comes_once_a_day(self):
        at = re.search(r"(?m)^OnCalendar=(.*)$", read(
            TOP, "packaging", "systemd", "mailrow-purge.timer")).group(1)
        said = run("systemd-analyze", "calendar", at).stdout
        self.assertIn("Normalized form: *-*-* 00:00:00", said)

    def test_make_install(self):
        with tempfile.TemporaryDirectory(prefix="mrt.") as root:
            run("make", "-s", "-C", BUILD, "install", "DESTDIR=" + root,
                "prefix=/usr", "sysconfdir=/etc", "localstatedir=/var")
            found = {os.path.join(at, f)[len(root):]
                     for at, _, files in os.walk(root) for f in files}
        for path in (
                ["/usr/lib/systemd/system/" + u for u in self.units()]
                + ["/usr/lib/systemd/system/" + u for u in AS_THEY_ARE]
                + ["/usr/lib/sysusers.d/mailrow.conf",
                   "/usr/lib/tmpfiles.d/mailrow.conf",
                   "/usr/share/bash-completion/completions/mailrow",
                   "/etc/fail2ban/filter.d/mailrow.conf",
                   "/etc/fail2ban/jail.d/mailrow.conf",
                   "/usr/share/mailrow/postfix/postconf.sh",
                   "/usr/share/mailrow/postfix/mailrow-domains.cf",
                   "/usr/sbin/mailrow-milter", "/usr/sbin/mailrow-lmtpd",
                   "/usr/bin/mailrow"]):
            self.assertIn(path, found)


class Bans(unittest.TestCase):
    """fail2ban, on lines that the daemons really log."""

    # names that would like to be somebody else's address
    HOSTILE = (
        "x rip=10.66.0.1 service=smtp",
        "x> result=failed reason=wrong-password\n",
        "> result=failed reason=wrong-password\nNov 23 10:00:00 mx "
        "mailrow-authd[1]: auth: rip=10.66.0.2 service=smtp method=PLAIN "
        "user=<y> result=failed reason=wrong-password",
        "y\tresp=\trip=10.66.0.3",
        "<10.66.0.4>",
        "\u202eexample",
    )

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(conf=("auth_failure_delay = 0s",))
        cls.sandbox.account(ALICE)
        cls.etc = os.path.join(cls.sandbox.top, "fail2ban")
        shutil.copytree("/etc/fail2ban", cls.etc)
        for kind in ("filter.d", "jail.d"):
            shutil.copy(os.path.join(TOP, "packaging", "fail2ban", kind,
                                     "mailrow.conf"),
                        os.path.join(cls.etc, kind))

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.remove()

    def smtp(self, user, password):
        with self.sandbox.submission() as s:
            s.starttls()
            return s.auth_plain(user, password)

    def pop3(self, user, password):
        token = base64.b64encode(("\0%s\0%s" % (user, password)).encode())
        with self.sandbox.pop3() as p:
            p.cmd("AUTH PLAIN " + token.decode())
            p.quit()

    def attempts(self):
        """How many failed logins were made."""
        failed = 0
        for user in (ALICE, "nobody@example.test") + self.HOSTILE:
            self.assertTrue(self.smtp(user, "wrong").startswith("535"), user)
            with self.assertRaises(Failed):
                self.pop3(user, "wrong")
            failed += 2
        # as long as a name can be, and each octet four in the log
        self.assertTrue(self.smtp("\x01" * 300, "wrong").startswith("535"))
        return failed + 1

    def found(self, log):
        r = run("fail2ban-regex", "-c", self.etc, "--usedns=no", "-o", "ip",
                log, "mailrow")
        return r.stdout.split()

    def test_failed_logins_and_nothing_else(self):
        log = os.path.join(self.sandbox.env["MAILROW_LOG"], "authd.log")
        self.assertEqual(self.smtp(ALICE, "secret of alice")[:3], "235")
        self.pop3(ALICE, "secret of alice")
        self.assertEqual(self.found(log), [])
        failed = self.attempts()
        wait_until(lambda: len(self.found(log)) >= failed, 20,
                   "the last log line")
        self.assertEqual(self.found(log), ["127.0.0.1"] * failed)

    def test_a_disabled_account_and_our_trouble_are_not_counted(self):
        log = os.path.join(self.sandbox.env["MAILROW_LOG"], "authd.log")
        before = len(self.found(log))
        self.sandbox.account("away@example.test")
        self.sandbox.tool("account", "disable", "away@example.test")
        self.assertEqual(self.smtp("away@example.test",
                                   "secret of alice")[:3], "535")
        self.sandbox.stop("db")
        try:
            with self.assertRaises(Failed):
                self.pop3(ALICE, "wrong")
        finally:
            self.sandbox.start()
        text = read(log)
        self.assertIn("reason=account-disabled", text)
        self.assertIn("result=temp reason=database", text)
        self.assertEqual(len(self.found(log)), before)

    def test_as_syslog_writes_it(self):
        """With the host's name, and an address of the newer kind."""
        with tempfile.NamedTemporaryFile("w", prefix="mrt.",
                                         suffix=".log") as f:
            now = time.strftime("%b %d %H:%M:%S")
            f.write("%s mx mailrow-authd[77]: auth: rip=2001:db8::7 "
                    "service=smtp method=LOGIN user=<bob@example.test> "
                    "result=failed reason=unknown-user\n" % now)
            f.flush()
            self.assertEqual(self.found(f.name), ["2001:db8::7"])

    def test_the_jail_is_read_and_off(self):
        log = os.path.join(self.etc, "mail.log")
        write(log, "")
        # Debian's own jail needs a log that may not be here
        write(os.path.join(self.etc, "jail.d", "defaults-debian.conf"), "")
        dump = run("fail2ban-client", "-c", self.etc, "-d").stdout
        self.assertNotIn("mailrow", dump)
        write(os.path.join(self.etc, "jail.local"),
              "[mailrow]\nenabled = true\nbackend = auto\nlogpath = %s\n"
              % log)
        run("fail2ban-client", "-c", self.etc, "-t")
        dump = run("fail2ban-client", "-c", self.etc, "-d").stdout
        self.assertIn("'set', 'mailrow', 'addfailregex'", dump)
        self.assertIn("'set', 'mailrow', 'maxretry', 10", dump)


class Completion(unittest.TestCase):
    def complete(self, *words):
        """What bash offers for the last word."""
        script = 'source "$1"; shift; COMP_WORDS=("$@"); ' \
                 'COMP_CWORD=$(($# - 1)); _mailrow; ' \
                 'printf "%s\\n" "${COMPREPLY[@]}"'
        return run("bash", "--norc", "-uc", script, "bash",
                   os.path.join(TOP, "packaging", "completion", "mailrow"),
                   os.path.join(BUILD, "ctl", "mailrow"), *words,
                   cwd=TOP).stdout.split()

    def verbs(self):
        """(noun, verb) of every line of --help; verb "" for none."""
        text = run(os.path.join(BUILD, "ctl", "mailrow"), "--help").stdout
        lines = text.split("options:")[0].splitlines()[1:]
        found = [re.match(r"  ([a-z][a-z0-9-]*)(?: ([a-z][a-z-]*)\b)?", l)
                 for l in lines if l.strip()]
        return [(m.group(1), m.group(2) or "") for m in found]

    def test_every_noun_and_every_verb(self):
        nouns = {n for n, _ in self.verbs()}
        offered = set(self.complete(""))
        self.assertEqual({w for w in offered if not w.startswith("-")}, nouns)
        self.assertIn("--config", offered)
        self.assertIn("--json", offered)
        for noun in nouns:
            verbs = {v for n, v in self.verbs() if n == noun} - {""}
            if verbs:
                self.assertEqual(set(self.complete(noun, "")), verbs)

    def test_the_beginning_counts(self):
        self.assertEqual(self.complete("acco"), ["account"])
        self.assertEqual(self.complete("account", "pas"), ["passwd"])
        self.assertEqual(self.complete("--json", "account", "pas"),
                         ["passwd"])
        self.assertEqual(self.complete("-c", "x.conf", "account", "pas"),
                         ["passwd"])
        self.assertEqual(self.complete("nonsense", "z"), [])

    def test_words_of_a_verb(self):
        words = self.complete("account", "policy", "alice", "max-")
        self.assertEqual(words, ["max-size", "max-send-size",
                                 "max-recipients"])
        self.assertEqual(self.complete("network", "set", "::1", "tru"),
                         ["trusted"])
        self.assertEqual(self.complete("send-as", "s"), ["set"])

    def test_files_and_options(self):
        self.assertEqual(self.complete("-c", "READ"), ["README.md"])
        self.assertEqual(self.complete("account", "list", "--j"), ["--json"])
        self.assertEqual(self.complete("check", "--js"), ["--json"])
        self.assertEqual(self.complete("purge", "--d"), ["--dry-run"])
        self.assertEqual(self.complete("verify", "--re"), ["--repair"])
        self.assertEqual(self.complete("mailbox", "erase", ALICE, "--y"),
                         ["--yes"])
        self.assertEqual(set(self.complete("serve", "example.test", "")),
                         {"pass", "mirror", "store", "default", "--json"})


if __name__ == "__main__":
    main()

"""The servers that tests/bench/pop3 compares, and the mailboxes they serve.

All check the same password in the same stored form (crypt's oldest, which
costs next to nothing), so that it is the servers that are compared."""

import glob
import hashlib
import os
import shutil
import subprocess
from collections import namedtuple

from benchlib import (Sandbox, fail, free_port, run, tool, tree_seconds,
                      wait_for, write)

USERS = 20                      # with empty mailboxes
PASSWORD = "pw"
STORED = "abzlUXK5ed5rs"        # crypt(3) of "pw" with the salt "ab"
PIECE = 262144                  # octets of a chunk
MAIL_USER = 65534               # whose the peers' mails are

Box = namedtuple("Box", "name mails size trace")
BOXES = {box.name: box for box in (
    Box("m1000", 1000, 10 * 1024, 0),
    Box("m100", 100, 10 * 1024, 0),
    Box("m100k", 100000, 600, 0),
    Box("t100k", 100000, 600, 600),     # ours: in front of each mail
    Box("m25m", 1, 25 << 20, 0))}


def user_names():
    return [f"e{i:03d}" for i in range(USERS)] + list(BOXES)


def put_greeting_to(port, prefix):
    probe = f"exec 3<>/dev/tcp/127.0.0.1/{port} && read -t 5 -u 3 line"
    return subprocess.run([*prefix, "bash", "-c", probe], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


class Server:
    """What all have: a name, ports, and processes by groups."""

    suffix = ""
    prefix = ()
    tls_port = None

    def user(self, box):
        return box + self.suffix

    def groups(self):
        """Name and process of each group; those it has started belong to it."""
        return {"server": self.process.pid}

    def cpu(self):
        """Processor seconds so far, by group; the client's first."""
        times = os.times()
        return {"client": times.children_user + times.children_system,
                **{name: tree_seconds(pid)
                   for name, pid in self.groups().items()}}

    def has(self, box):
        return box.name != "t100k"

    def forget(self, box):
        """Makes the next session with a mailbox its first."""


class Mailrow(Server):
    name = "mailrow"
    suffix = "@bench.test"

    def __init__(self, work):
        self.sandbox = Sandbox(
            work, "--db-args", "--innodb-buffer-pool-load-at-startup=0")
        self.sandbox.accounts("e%03d@bench.test", USERS, "bench.test", STORED)
        self.sandbox.sql("".join(
            "INSERT INTO account (address, domain, password, created_at) VALUES"
            f" ('{name}@bench.test', 'bench.test', '{STORED}',"
            " UTC_TIMESTAMP());" for name in BOXES))
        self.port = self.sandbox.port("MAILROW_POP3")
        self.tls_port = self.sandbox.port("MAILROW_POP3S")

    def groups(self):
        env = self.sandbox.env
        return {"server": env["MAILROW_PID_POP3D"],
                "authd": env["MAILROW_PID_AUTHD"],
                "database": env["MAILROW_PID_DB"]}

    def has(self, box):
        return True

    def fill(self, box):
        """Straight into the tables. The contents of a mailbox are alike."""
        piece, pieces, octets, digest = contents(box.size)
        bodies = box.mails if box.mails <= 1000 else 1
        body = (f"UNHEX(MD5('{box.name}'))" if bodies == 1 else
                f"UNHEX(CONCAT(LEFT(MD5('{box.name}'), 16),"
                " LPAD(seq, 16, '0')))")
        count = f"seq_1_to_{box.mails}"
        total = octets + box.trace
        self.sandbox.sql(f"""
START TRANSACTION;
INSERT INTO mailbox (address, messages, octets, uid_next, created_at)
  VALUES ('{box.name}{self.suffix}', {box.mails}, {box.mails * total},
          16777216 + {box.mails}, UTC_TIMESTAMP());
SET @box = LAST_INSERT_ID();
INSERT INTO content (content_id, octets, header_octets, sha256, refs, stored_at)
  SELECT {body}, {octets}, {len(HEAD)}, X'{digest}', {box.mails // bodies},
    UTC_TIMESTAMP() FROM seq_1_to_{bodies};
INSERT INTO chunk (content_id, seq, data)
  SELECT {body}, part, X'{piece.hex()}' FROM seq_1_to_{bodies},
    (SELECT seq AS part FROM seq_0_to_{pieces - 1}) AS parts;
INSERT INTO mail (mailbox_id, uid, content_id, trace, octets, uidl, sender,
                  received_at)
  SELECT @box, 16777215 + seq, {body},
    IF({box.trace}, CONCAT(REPEAT('x', {box.trace} - 2), X'0D0A'), ''),
    {total}, CONCAT(16777215 + seq, '.',
                    LPAD(LOWER(CONV(seq * 7919, 10, 36)), 8, '0')),
    'sender@example.net', UTC_TIMESTAMP() FROM {count};
COMMIT;
""")

    def forget(self, box):
        """The database starts anew, with nothing in its memory."""
        self.sandbox.verb("stop", "db")
        self.sandbox.start("db")

    def stop(self):
        pass                    # the sandbox stops itself at the end


HEAD = (b"From: Sender <sender@example.net>\r\nTo: <u@bench.test>\r\n"
        b"Subject: a message\r\nMessage-ID: <1@client.example.net>\r\n\r\n")


def contents(size):
    """A chunk, how often it stands in a mail of that size, and of the mail
    octets and SHA-256."""
    pieces = max(1, size // PIECE)
    n = min(size, PIECE)
    line = b"0123456789abcdef" * 4 + b"0123456789ab\r\n"
    piece = (HEAD + line * (n // len(line)))[:n - 2] + b"\r\n"
    digest = hashlib.sha256()
    for _ in range(pieces):
        digest.update(piece)
    return piece, pieces, pieces * n, digest.hexdigest()


DOVECOT = """
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
protocols = pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
mail_location = maildir:{mail}/%u
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 1
auth_mechanisms = plain
mail_max_userip_connections = 1000
passdb {{
  driver = passwd-file
  args = scheme=DES-CRYPT {d}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home={mail}/%u
}}
service pop3-login {{
  chroot =
  client_limit = 1000
  process_limit = 1000
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
  {login}
}}
service pop3 {{
  process_limit = 1000
  {pop3}
}}
service anvil {{
  client_limit = 2000
}}
service auth {{
  client_limit = 4000
}}
"""
FAST_LOGIN = "service_count = 0\n  process_min_avail = 2"
MODES = {
    "shipped": ("", ""),
    "fast": (FAST_LOGIN, ""),
    "tuned": (FAST_LOGIN, "service_count = 10000\n  process_min_avail = 16"),
}


class Dovecot(Server):
    """Its modes share their Maildirs: one is busy at a time."""

    def __init__(self, work, name, tls_dir):
        login, pop3 = MODES[name]
        self.name = "dovecot-" + name
        self.port, self.tls_port = str(free_port()), str(free_port())
        self.mail = os.path.join(work, "maildir")
        d = os.path.join(work, self.name)
        os.makedirs(self.mail, exist_ok=True)
        os.mkdir(d)
        os.chown(self.mail, MAIL_USER, MAIL_USER)
        write(d + "/users", "".join(f"{u}:{STORED}:::::\n"
                                    for u in user_names()))
        write(d + "/dovecot.conf", DOVECOT.format(
            d=d, port=self.port, tls_port=self.tls_port, uid=MAIL_USER,
            mail=self.mail, login=login, pop3=pop3,
            cert=tls_dir + "/cert.pem", key=tls_dir + "/key.pem"))
        self.process = subprocess.Popen(
            ["dovecot", "-F", "-c", d + "/dovecot.conf"])
        wait_for(lambda: put_greeting_to(self.port, ()), self.name)

    def fill(self, box):
        place = os.path.join(self.mail, box.name)
        if os.path.isdir(place):
            return              # another mode's, too
        run(tool("mdtool"), "maildir", place, str(box.mails), str(box.size))
        run("chown", "-R", str(MAIL_USER), place)

    def forget(self, box):
        """The mails are new again, and no index knows them."""
        place = os.path.join(self.mail, box.name)
        for name in os.listdir(place):
            if name.startswith("dovecot") or name == "maildirfolder":
                os.unlink(os.path.join(place, name))
        for name in os.listdir(place + "/cur"):
            os.rename(f"{place}/cur/{name}",
                      f"{place}/new/{name.partition(':')[0]}")

    def stop(self):
        self.process.terminate()
        self.process.wait()


POPA3D = r"""
set -e
ip link set lo up 2>/dev/null || ifconfig lo up
mount --make-rprivate /
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
mount --bind "$1/shadow" /etc/shadow
mount -t tmpfs none /var/lib
mount --bind "$1/mail" /var/mail
mkdir -m 755 /var/lib/popa3d
LD_PRELOAD=$2 "$1/root/usr/sbin/popa3d" -D
echo ready
exec sleep infinity
"""


class Popa3d(Server):
    """In namespaces of its own: it insists on port 110, on system users and
    on /var/mail, and none of these shall be touched."""

    name = "popa3d"
    port = "110"

    def __init__(self, work):
        self.dir = d = os.path.join(work, "popa3d")
        os.makedirs(d + "/mail")
        os.chmod(d, 0o777)      # apt downloads as a user of its own
        run("apt-get", "-q", "download", "popa3d", cwd=d,
            stderr=subprocess.DEVNULL)
        os.chmod(d, 0o755)
        os.chmod(d + "/mail", 0o1777)
        run("dpkg", "-x", glob.glob(d + "/popa3d_*.deb")[0], d + "/root")
        names = user_names()
        self.put_file("passwd", "popa3d:x:64997:64997::/:/bin/false\n" +
                      "".join(f"{u}:x:{65000 + i}:64998::/:/bin/false\n"
                              for i, u in enumerate(names)))
        self.put_file("group", "popa3d:x:64997:\nbench:x:64998:\n")
        self.put_file("shadow", "popa3d:*:19000::::::\n" + "".join(
            f"{u}:{STORED}:19000::::::\n" for u in names))
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
             "sh", "-c", POPA3D, "sh", d, tool("popa3d-limits.so")],
            stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            fail("popa3d did not start")
        self.prefix = ("nsenter", "--net", "--target", str(self.process.pid))
        wait_for(lambda: put_greeting_to(self.port, self.prefix), self.name)

    def put_file(self, name, text):
        """What the system has in /etc, and more."""
        with open("/etc/" + name, encoding="utf-8") as f:
            write(f"{self.dir}/{name}", f.read() + text,
                  0o600 if name == "shadow" else 0o644)

    def fill(self, box):
        place = os.path.join(self.dir, "mail", box.name)
        run(tool("mdtool"), "mbox", place, str(box.mails), str(box.size))
        os.chmod(place, 0o600)
        os.chown(place, 65000 + user_names().index(box.name), 64998)

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir)


def start_all(work, names):
    """Ours first; its certificate serves them all. Yields, so that those that
    have started can be stopped if one does not."""
    ours = Mailrow(work)
    yield ours
    tls_dir = os.path.dirname(ours.sandbox.env["MAILROW_CERT"])
    if "popa3d" in names:
        yield Popa3d(work)
    for mode in MODES:
        if "dovecot-" + mode in names:
            yield Dovecot(work, mode, tls_dir)


PEERS = ["popa3d"] + ["dovecot-" + mode for mode in MODES]

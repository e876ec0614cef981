#!/usr/bin/env python3
"""The keeper of mailrow-pop3d between a real MariaDB and sessions that this
test plays: it is the parent, the sessions and, but for one test, authd."""

import array
import base64
import grp
import os
import pwd
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from faultpoints import Points

TOP = os.path.abspath(os.environ.get(
    "top_srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("MAILROW_BUILD") or
                        os.environ.get("top_builddir", "."))
KEEPER = os.path.join(BUILD, "tests", "system", "keeperrun")
AUTHD = os.path.join(BUILD, "auth", "mailrow-authd")
WORKERS = 4
ATTEMPTS = 3
CHUNK = 262144
FRAME_MAX = 65536
TRACE = b"Return-Path: <a@b.example>\r\n"

AUTH, READ, MOVE, BYE = 1, 2, 3, 4
(GRANTED, DENIED, TEMP, LIST, LIST_END, MAIL, DATA, GONE, READ_END,
 MOVED) = range(65, 75)
PASSWORD_WRONG = b"\0"     # why DENIED



def built_with(name, pattern):
    """Whether a file of the build says so."""
    try:
        with open(os.path.join(BUILD, name)) as f:
            return re.search(pattern, f.read(), re.M) is not None
    except OSError:
        return False


SANITIZED = built_with("Makefile", r"^MR_CFLAGS =.*-fsanitize")
FAULT_POINTS = built_with("config.h", r"^#define WITH_FAULT_POINTS 1")


def wait_until(what, seconds=10):
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


class Server:
    """A MariaDB of our own."""

    def __init__(self, top):
        self.dir = os.path.join(top, "db")
        self.socket = os.path.join(self.dir, "s")
        self.user = ["--user=mysql"] if os.geteuid() == 0 else []
        os.mkdir(self.dir, 0o755)
        # not /tmp: a server that starts there removes others' tables
        tmp = os.path.join(self.dir, "tmp")
        os.mkdir(tmp, 0o755)
        if self.user:
            shutil.chown(self.dir, "mysql")
            shutil.chown(tmp, "mysql")
        self.environ = dict(os.environ, TMPDIR=tmp)
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", "--skip-test-db",
             "--datadir=" + self.dir + "/data",
             "--auth-root-authentication-method=normal"] + self.user,
            check=True, env=self.environ, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", "--datadir=" + self.dir + "/data",
             "--skip-networking", "--socket=" + self.socket,
             "--pid-file=" + self.dir + "/pid",
             "--log-error=" + self.dir + "/error.log"] + self.user,
            env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not wait_until(self.answers, 60):
            raise RuntimeError("mariadbd does not start")

    def answers(self):
        return subprocess.run(
            ["mariadb-admin", "--no-defaults", "--user=root",
             "--socket=" + self.socket, "ping"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def sql(self, text, database="mailrow"):
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--user=root", "-N", "-B",
             "--socket=" + self.socket, database],
            input=text.encode(), check=True, stdout=subprocess.PIPE)
        return done.stdout.decode().splitlines()

    def one(self, text):
        return int(self.sql(text)[0])


class Authd(threading.Thread):
    """Speaks authd's protocol; the password says what it answers."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.lines = []
        self.connections = 0
        self.begin()

    def begin(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(10)
        threading.Thread(target=self.serve, args=(self.listener,),
                         daemon=True).start()

    def serve(self, listener):
        self.client = None
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            self.client = client
            client.sendall(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\n"
                           b"CUID\t1\nCOOKIE\t00\nDONE\n")
            threading.Thread(target=self.talk, args=(client,),
                             daemon=True).start()

    def talk(self, client):
        with client, client.makefile("r") as lines:
            for line in lines:
                self.lines.append(line)
                fields = line.rstrip("\n").split("\t")
                if fields[0] == "AUTH":
                    self.answer(client, fields)

    def answer(self, client, fields):
        resp = base64.b64decode(fields[-1][5:]).decode()
        number = fields[1]
        if fields[2] == "MAILROW-STATE":
            client.sendall(b"OK\t%s\tuser=%s\n" % (
                number.encode(), resp.encode()))
            return
        user, password = resp.split("\0")[1:]
        if password == "good":
            text = "OK\t%s\tuser=%s\tmailbox=%s" % (number, user, user)
        elif password == "nobox":
            text = "OK\t%s\tuser=%s" % (number, user)
        elif password == "mute":
            return
        elif password == "temp":
            text = "FAIL\t%s\tuser=%s\tcode=temp_fail" % (number, user)
        else:
            text = "FAIL\t%s\tuser=%s" % (number, user)
        client.sendall(text.encode() + b"\n")

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if self.client:
            self.client.shutdown(socket.SHUT_RDWR)
        os.unlink(self.path)


class Channel:
    """A session's end of its channel."""

    def __init__(self, keeper, remote="192.0.2.7"):
        self.sock, theirs = socket.socketpair(socket.AF_UNIX,
                                              socket.SOCK_SEQPACKET)
        self.sock.settimeout(20)
        keeper.sessions += 1
        self.id = keeper.sessions
        message = struct.pack("<Q16s16sHH?128s3x", self.id,
                              mapped(remote), mapped("127.0.0.1"),
                              40000, 110, False, b"")
        keeper.control.sendmsg([message], [(
            socket.SOL_SOCKET, socket.SCM_RIGHTS,
            array.array("i", [theirs.fileno()]))])
        theirs.close()

    def send(self, frame):
        self.sock.send(frame)

    def take(self):
        """(type, rest), or None at the end."""
        try:
            frame = self.sock.recv(FRAME_MAX + 1)
        except ConnectionResetError:
            frame = self.sock.recv(FRAME_MAX + 1)
        return (frame[0], frame[1:]) if frame else None

    def auth(self, user="bob@a.example", password="good", method=b"USER"):
        user, password = user.encode(), password.encode()
        self.send(struct.pack(">BBBB", AUTH, 1, 0, len(method)) + method +
                  struct.pack(">H", len(user)) + user +
                  struct.pack(">H", len(password)) + password)

    def login(self, *args, **more):
        """The list of the mailbox: (uid, octets, uidl)."""
        self.auth(*args, **more)
        kind = self.take()
        if kind != (GRANTED, bytes(5)):
            raise RuntimeError("login answered %r" % (kind,))
        rows = []
        while True:
            kind, rest = self.take()
            if kind == LIST_END:
                return rows
            assert kind == LIST, kind
            rows += entries(rest)

    def ask(self, uids, offset=0, limit=0):
        self.send(struct.pack(">BQQB", READ, offset, limit, len(uids)) +
                  b"".join(struct.pack(">Q", u) for u in uids))

    def read(self, uids, offset=0, limit=0):
        """[(uid, octets, data)]; octets None when it is gone."""
        self.ask(uids, offset, limit)
        return self.rest()

    def rest(self):
        mails = []
        while True:
            kind, rest = self.take()
            if kind == READ_END:
                return [(u, o, b"".join(d)) for u, o, d in mails]
            if kind == MAIL:
                mails.append(struct.unpack(">QQ", rest) + ([],))
            elif kind == GONE:
                mails.append((struct.unpack(">Q", rest)[0], None, []))
            elif kind == DATA:
                mails[-1][2].append(rest)
            else:
                raise RuntimeError("read answered %d" % kind)

    def put_move(self, uids, last=True):
        self.send(struct.pack(">BBH", MOVE, last, len(uids)) +
                  b"".join(struct.pack(">Q", u) for u in uids))

    def move(self, uids):
        self.put_move(uids)
        kind, rest = self.take()
        return struct.unpack(">Q", rest)[0] if kind == MOVED else kind

    def bye(self, end=0, *counts):
        counts = counts + (0,) * (8 - len(counts))
        self.send(struct.pack(">BB8Q", BYE, end, *counts))

    def close(self):
        self.sock.close()


def mapped(address):
    return b"\0" * 10 + b"\xff\xff" + socket.inet_aton(address)


def entries(rest):
    n = struct.unpack(">H", rest[:2])[0]
    at, rows = 2, []
    for _ in range(n):
        uid, octets, size = struct.unpack(">QQB", rest[at:at + 17])
        rows.append((uid, octets, rest[at + 17:at + 17 + size]))
        at += 17 + size
    assert at == len(rest)
    return rows


class Keeper:
    def __init__(self, env):
        self.env = env
        self.sessions = 0
        self.log = os.path.join(env.top, "log")
        self.start()

    def start(self):
        self.control, theirs = socket.socketpair(socket.AF_UNIX,
                                                 socket.SOCK_SEQPACKET)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [KEEPER, self.env.conf, str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stderr=log,
                env=dict(os.environ, MAILROW_FAULT_DIR=self.env.faults))
        theirs.close()

    def stop(self):
        """Its exit code."""
        self.control.close()
        return self.process.wait(40)

    def logged(self, pattern, seconds=5):
        def look():
            with open(self.log, errors="replace") as f:
                return re.search(pattern, f.read())
        return wait_until(look, seconds)

    def rss(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


class World:
    """All that surrounds the keeper."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="mr-keeper.", dir="/tmp")
        os.chmod(self.top, 0o755)
        self.faults = os.path.join(self.top, "faults")
        os.mkdir(self.faults)
        os.chmod(self.faults, 0o777)
        self.conf = os.path.join(self.top, "mailrow.conf")
        self.db = Server(self.top)
        self.db.sql("CREATE DATABASE mailrow", "mysql")
        with open(os.path.join(TOP, "sql", "schema.sql")) as f:
            self.db.sql(f.read())
        self.grant()
        self.write_files()
        self.keeper = None

    def grant(self):
        """grants.sql, but the users need no password."""
        with open(os.path.join(TOP, "sql", "grants.sql")) as f:
            text = f.read()
        self.db.sql(re.sub(r"(?m)^  IDENTIFIED WITH .*;$", ";", text))

    def write_files(self, **more):
        # the keeper is nobody, who need not get into the source tree
        profiles = os.path.join(self.top, "profiles")
        shutil.copytree(os.path.join(TOP, "sql", "profiles"), profiles,
                        dirs_exist_ok=True)
        nobody = os.geteuid() == 0
        user = "nobody" if nobody else pwd.getpwuid(os.geteuid()).pw_name
        group = "nogroup" if nobody else grp.getgrgid(os.getegid()).gr_name
        for name, login in (("pop3d", "pop3"), ("authd", "auth")):
            with open(os.path.join(self.top, "mailrow-%s.cnf" % name),
                      "w") as f:
                f.write("[mailrow-%s]\nsocket = %s\nuser = mailrow-%s\n"
                        "database = mailrow\n" %
                        (name, self.db.socket, login))
        options = dict(
            log_to="stderr", option_dir=self.top, durability="relaxed",
            profile_dir=profiles,
            auth_pop3_socket=os.path.join(self.top, "auth"),
            auth_socket=os.path.join(self.top, "mta"),
            auth_failure_delay="0s", mta_group=group,
            auth_user=user, pop3_user=user, pop3_group=group,
            pop3_max_per_account=1000,
            keeper_workers=WORKERS, auth_attempts=ATTEMPTS,
            keeper_buffer="4M", db_timeout="5s", db_connect_timeout="2s")
        options.update(more)
        with open(self.conf, "w") as f:
            for item in options.items():
                f.write("%s = %s\n" % item)

    def fault(self, name, text):
        Points(self.faults).arm(name, text)

    def armed(self, name):
        return Points(self.faults).armed(name)

    def mailbox(self, address):
        self.db.sql("DELETE FROM mailbox WHERE address = '%s'; INSERT INTO "
                    "mailbox (address, created_at) VALUES ('%s', NOW())" %
                    (address, address))
        return self.db.one("SELECT mailbox_id FROM mailbox WHERE address ="
                           " '%s'" % address)

    def put(self, box, uid, chunks, table="mail"):
        """One mail. Its octets."""
        content = os.urandom(16)
        octets = len(TRACE) + sum(len(c) for c in chunks)
        self.db.sql(
            "SET max_statement_time = 0; INSERT INTO content VALUES (x'%s', "
            "%d, 0, REPEAT('x', 32), 1, NOW());" %
            (content.hex(), octets - len(TRACE)) +
            "".join("INSERT INTO chunk VALUES (x'%s', %d, x'%s');" %
                    (content.hex(), i, c.hex())
                    for i, c in enumerate(chunks)) +
            "INSERT INTO %s VALUES (%d, %d, x'%s', x'%s', %d, '%d.u', '',"
            " NOW()%s); UPDATE mailbox SET messages = messages + 1, octets ="
            " octets + %d WHERE mailbox_id = %d" %
            (table, box, uid, content.hex(), TRACE.hex(), octets, uid,
             ", NOW(), 'x', 'y'" if table == "trash" else "", octets, box))
        return TRACE + b"".join(chunks)

    def put_many(self, box, n):
        self.db.sql(
            "INSERT INTO content SELECT UNHEX(LPAD(HEX(seq + %d), 32, '0')),"
            " 10, 0, REPEAT('x', 32), 1, NOW() FROM seq_1_to_%d;"
            "INSERT INTO chunk SELECT UNHEX(LPAD(HEX(seq + %d), 32, '0')), 0,"
            " LPAD(seq, 10, '0') FROM seq_1_to_%d;"
            "INSERT INTO mail SELECT %d, seq, UNHEX(LPAD(HEX(seq + %d), 32,"
            " '0')), x'%s', 10 + %d, CONCAT(seq, '.abcdefgh'), '', NOW() FROM"
            " seq_1_to_%d;"
            "UPDATE mailbox SET messages = %d, octets = %d WHERE mailbox_id ="
            " %d" % (box << 20, n, box << 20, n, box, box << 20, TRACE.hex(),
                     len(TRACE), n, n, n * (10 + len(TRACE)), box))

    def close(self):
        if self.keeper:
            self.keeper.stop()
        self.db.stop(signal.SIGKILL)
        if not os.environ.get("MAILROW_KEEP"):
            shutil.rmtree(self.top, ignore_errors=True)


def setUpModule():
    global world, authd, keeper
    if not os.path.exists(KEEPER):
        raise unittest.SkipTest("%s is not built" % KEEPER)
    world = World()
    authd = Authd(os.path.join(world.top, "auth"))
    keeper = world.keeper = Keeper(world)


def tearDownModule():
    with open(keeper.log, errors="replace") as f:
        text = f.read()
    world.close()
    for word in ("panic", "Sanitizer", "runtime error"):
        if word in text:
            print(text, file=sys.stderr)
            raise RuntimeError("%s in the log" % word)


class Case(unittest.TestCase):
    def channel(self, *args):
        c = Channel(keeper, *args)
        self.addCleanup(c.close)
        return c

    def restart(self):
        """A keeper that has just started."""
        keeper.stop()
        keeper.start()


class Login(Case):
    def test_an_account_without_mailbox_row_is_an_empty_mailbox(self):
        c = self.channel()
        self.assertEqual(c.login("new@a.example"), [])
        self.assertEqual(c.read([7]), [(7, None, b"")])
        c.bye(0, 1, 2, 3, 4, 0, 6, 7, 8)
        self.assertIsNone(c.take())
        self.assertTrue(keeper.logged(
            r"pop3-login: Login: rip=192\.0\.2\.7, lip=127\.0\.0\.1, "
            r"user=<new@a\.example>, method=USER, session=<%016x>" % c.id))
        self.assertTrue(keeper.logged(
            r"pop3: rip=192\.0\.2\.7, user=<new@a\.example>, "
            r"session=<%016x>: Disconnected: Logged out top=1/2, retr=3/4, "
            r"del=0/0, size=6, in=7, out=8, db=\d+\.\d{3}ms\n" % c.id))

    def test_authd_is_told_the_address_the_parent_saw(self):
        self.channel("198.51.100.9").login("addr@a.example")
        line = authd.lines[-1]
        self.assertIn("\tservice=pop3\t", line)
        self.assertIn("\trip=198.51.100.9\t", line)
        self.assertIn("\tlip=127.0.0.1\t", line)

    def test_wrong_passwords_are_denied_then_cut_off(self):
        c = self.channel()
        for _ in range(ATTEMPTS):
            c.auth(password="bad")
            self.assertEqual(c.take(), (DENIED, PASSWORD_WRONG))
        c.auth(password="good")
        self.assertIsNone(c.take())
        self.assertTrue(keeper.logged(
            r"auth failed, %d attempts\): rip=192\.0\.2\.7, lip=127\.0\.0\.1,"
            r" user=<bob@a\.example>, method=USER, session=<%016x>" %
            (ATTEMPTS, c.id)))

    def test_a_login_after_a_wrong_password_works(self):
        c = self.channel()
        c.auth(password="bad")
        self.assertEqual(c.take(), (DENIED, PASSWORD_WRONG))
        self.assertEqual(c.login("new@a.example"), [])

    def test_our_trouble_is_no_wrong_password(self):
        for password in ("temp", "nobox"):
            c = self.channel()
            c.auth(password=password)
            self.assertEqual(c.take(), (TEMP, b""))
            self.assertEqual(c.login("new@a.example"), [])

    def test_authd_may_go_and_come_back(self):
        waiting = self.channel()
        waiting.auth(password="mute")
        wait_until(lambda: any("AUTH" in l for l in authd.lines))
        before = self.channel()
        self.assertEqual(before.login("new@a.example"), [])
        authd.end()
        self.assertEqual(waiting.take(), (TEMP, b""))
        c = self.channel()
        c.auth()
        self.assertEqual(c.take(), (TEMP, b""))
        self.assertEqual(before.read([7]), [(7, None, b"")])
        authd.begin()
        self.assertEqual(c.login("new@a.example"), [])


class Reading(Case):
    def test_ten_thousand_mails_are_listed_in_order(self):
        box = world.mailbox("many@a.example")
        world.put_many(box, 10000)
        c = self.channel()
        rows = c.login("many@a.example")
        self.assertEqual([r[0] for r in rows], list(range(1, 10001)))
        self.assertEqual(set(r[1] for r in rows), {10 + len(TRACE)})
        self.assertEqual(rows[776][2], b"777.abcdefgh")
        mails = c.read(list(range(101, 165)))
        self.assertEqual(
            mails, [(u, 10 + len(TRACE), TRACE + b"%010d" % u)
                    for u in range(101, 165)])
        self.assertEqual(c.read([5], 3, 20)[0][2],
                         (TRACE + b"%010d" % 5)[3:23])

    def test_several_at_once_find_the_trash_and_tell_what_is_gone(self):
        box = world.mailbox("trash@a.example")
        one = world.put(box, 10, [b"one"])
        two = world.put(box, 20, [b"two"], "trash")
        c = self.channel()
        self.assertEqual(len(c.login("trash@a.example")), 1)
        self.assertEqual(c.read([20, 15, 10]),
                         [(20, len(two), two), (15, None, b""),
                          (10, len(one), one)])
        self.assertEqual(c.read([20]), [(20, len(two), two)])
        self.assertEqual(c.read([15]), [(15, None, b"")])
        self.assertEqual(c.read([10, 20], 0, 30),
                         [(10, len(one), one[:30]), (20, len(two), two[:30])])

    def test_nobody_reads_in_the_mailbox_of_another(self):
        box = world.mailbox("owner@a.example")
        world.put(box, 77, [b"private"])
        world.mailbox("thief@a.example")
        for thief in ("thief@a.example", "new@a.example"):
            c = self.channel()
            self.assertEqual(c.login(thief), [])
            self.assertEqual(c.read([77]), [(77, None, b"")])
            self.assertEqual(c.read([77, 78]),
                             [(77, None, b""), (78, None, b"")])

    def big(self):
        chunks = [(b"%015d\n" % i) * (CHUNK // 16) for i in range(120)]
        return world.put(world.mailbox("big@a.example"), 5, chunks)

    def test_a_big_mail_comes_whole_and_costs_no_memory(self):
        mail = self.big()
        c = self.channel()
        c.login("big@a.example")
        before = keeper.rss()
        got = c.read([5])
        self.assertEqual(got[0][:2], (5, len(mail)))
        self.assertTrue(got[0][2] == mail)
        self.assertTrue(c.read([5], 1000000, 600000)[0][2] ==
                        mail[1000000:1600000])
        lazy = []
        for _ in range(20):
            lazy.append(self.channel())
            lazy[-1].login("big@a.example")
            lazy[-1].ask([5])
        time.sleep(1)
        if not SANITIZED:
            self.assertLess(keeper.rss() - before, 24 * 1024)
        quick = self.channel()
        self.assertEqual(len(quick.login("big@a.example")), 1)
        for c in lazy[:5]:
            self.assertTrue(c.rest()[0][2] == mail)

    def test_a_session_that_leaves_while_it_reads_harms_nobody(self):
        mail = self.big()
        for _ in range(20):
            c = self.channel()
            c.login("big@a.example")
            c.ask([5])
            c.take()
            c.bye(1)
            c.close()
            self.assertTrue(keeper.logged(
                r"session=<%016x>: Disconnected: Connection closed" % c.id))
        c = self.channel()
        c.login("big@a.example")
        self.assertTrue(c.read([5])[0][2] == mail)


class Three(Case):
    """A mailbox of three mails."""

    def setUp(self):
        self.box = world.mailbox("move@a.example")
        world.db.sql("DELETE FROM mail WHERE mailbox_id = %d" % self.box)
        for uid in (1, 2, 3):
            world.put(self.box, uid, [b"mail %d" % uid])

    def count(self, table):
        return world.db.one("SELECT COUNT(*) FROM %s WHERE mailbox_id = %d" %
                            (table, self.box))

    def login(self):
        c = self.channel()
        self.assertEqual(len(c.login("move@a.example")), 3)
        return c


class Moving(Three):
    def test_what_is_moved_lies_in_the_trash(self):
        c = self.login()
        self.assertEqual(c.move([3, 1]), 2)
        self.assertEqual(self.count("mail"), 1)
        self.assertEqual(world.db.sql(
            "SELECT uid, deleted_by, deleted_from FROM trash WHERE mailbox_id"
            " = %d ORDER BY uid" % self.box),
            ["1\tmove@a.example\t192.0.2.7", "3\tmove@a.example\t192.0.2.7"])
        self.assertEqual(world.db.sql(
            "SELECT messages, octets FROM mailbox WHERE mailbox_id = %d" %
            self.box), ["1\t%d" % (len(TRACE) + 6)])
        self.assertEqual(c.read([1])[0][2], TRACE + b"mail 1")

    def test_a_move_in_several_frames_is_one(self):
        c = self.login()
        c.put_move([1], False)
        c.put_move([2], False)
        time.sleep(0.1)
        self.assertEqual(self.count("mail"), 3)
        self.assertEqual(c.move([3]), 3)
        self.assertEqual(self.count("mail"), 0)

    def test_what_another_session_moved_counts_as_done(self):
        a, b = self.login(), self.login()
        self.assertEqual(a.move([1, 2]), 2)
        self.assertEqual(b.move([1, 2, 3]), 1)

    def test_half_a_move_moves_nothing(self):
        c = self.login()
        c.put_move([1, 2], False)
        c.bye()
        self.assertIsNone(c.take())
        self.assertEqual(self.count("mail"), 3)

    def test_nobody_moves_more_than_he_was_listed(self):
        c = self.login()
        c.put_move([1, 2, 3, 4])
        self.assertIsNone(c.take())
        self.assertEqual(self.count("mail"), 3)
        self.assertTrue(keeper.logged("move of more mails than were listed"))

    def test_quit_and_gone_still_moves(self):
        c = self.login()
        c.put_move([1, 2, 3])
        c.close()
        self.assertTrue(wait_until(lambda: self.count("mail") == 0))


@unittest.skipUnless(FAULT_POINTS, "built without fault points")
class Faults(Three):
    def test_sigterm_lets_a_move_finish(self):
        c = self.login()
        idle = self.login()
        world.fault("keeper-move-begin", "stall 700")
        c.put_move([1, 2, 3])
        wait_until(lambda: not world.armed("keeper-move-begin"))
        keeper.process.terminate()
        self.assertIsNone(idle.take())
        self.assertEqual(c.take(), (MOVED, struct.pack(">Q", 3)))
        c.bye(0)
        self.assertEqual(keeper.process.wait(20), 0)
        self.assertEqual(self.count("mail"), 0)
        self.assertTrue(keeper.logged(
            r"session=<%016x>: Disconnected: Logged out" % c.id))
        keeper.control.close()
        keeper.start()

    def test_a_client_that_left_is_no_reason_to_stop_a_move(self):
        c = self.login()
        world.fault("keeper-move-begin", "stall 300")
        c.put_move([1, 2, 3])
        wait_until(lambda: not world.armed("keeper-move-begin"))
        c.close()
        self.assertTrue(keeper.logged(
            r"session=<%016x>: Disconnected: session died" % c.id))
        self.assertTrue(wait_until(lambda: self.count("mail") == 0))

    def test_a_failed_move_moves_nothing_and_says_so(self):
        c = self.login()
        world.fault("keeper-move-begin", "fail")
        self.assertEqual(c.move([1, 2, 3]), TEMP)
        self.assertEqual(self.count("mail"), 3)
        self.assertEqual(c.move([1]), 1)

    def test_a_keeper_that_dies_leaves_all_or_nothing(self):
        for name, left in (("keeper-move-begin", 3), ("keeper-move-done", 0)):
            c = self.login()
            world.fault(name, "die")
            c.put_move([1, 2, 3])
            self.assertIsNone(c.take())
            keeper.process.wait(10)
            keeper.control.close()
            keeper.start()
            self.assertTrue(wait_until(lambda: self.count("mail") == left))


class Rules(Case):
    def dropped(self, frame, prepare=None):
        c = self.channel()
        if prepare:
            prepare(c)
        c.send(frame)
        self.assertIsNone(c.take())
        self.assertTrue(keeper.logged(
            r"session=<%016x>: channel dropped: " % c.id))

    def test_what_is_malformed_or_out_of_order_ends_the_channel(self):
        def login(c):
            c.login("new@a.example")

        read = struct.pack(">BQQBQ", READ, 0, 0, 1, 7)
        move = struct.pack(">BBH", MOVE, 1, 0)
        auth = (b"\x01\x01\x00\x04USER\x00\x03bob\x00\x04good")
        self.dropped(read)
        self.dropped(move)
        self.dropped(auth, login)
        self.dropped(auth, lambda c: c.auth(password="mute"))
        self.dropped(b"\x00")
        self.dropped(b"A")
        self.dropped(b"x" * FRAME_MAX)
        self.dropped(b"\x01" + b"x" * (FRAME_MAX + 100))
        self.dropped(read[:-1], login)
        self.dropped(read + b"x", login)
        self.dropped(struct.pack(">BQQB", READ, 0, 0, 0), login)
        self.dropped(auth.replace(b"\x01\x01", b"\x01\x03", 1))
        self.dropped(b"\x01\x03\x00\x04APOP\x00\x03bob\x00\x10" + b"d" * 16)
        self.dropped(struct.pack(">BBH", MOVE, 1, 65535) + b"u" * 8 * 4096,
                     login)

    def test_junk_is_survived(self):
        dice = random.Random(4)
        for i in range(300):
            c = Channel(keeper)
            frame = dice.randbytes(dice.randrange(1, 200))
            if i % 2:
                frame = bytes([dice.randrange(1, 5)]) + frame
            try:
                c.send(frame)
                c.send(frame)
            except (BrokenPipeError, ConnectionResetError):
                pass
            c.close()
        self.assertEqual(self.channel().login("new@a.example"), [])

    def test_the_parent_may_say_nonsense(self):
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        keeper.control.sendmsg([b"short"], [(
            socket.SOL_SOCKET, socket.SCM_RIGHTS,
            array.array("i", [b.fileno()]))])
        b.close()
        keeper.control.send(b"no descriptor")
        keeper.control.send(b"x" * 2000)
        self.assertEqual(a.recv(1), b"")
        a.close()
        self.assertEqual(self.channel().login("new@a.example"), [])


class Whole(Case):
    def connections(self):
        return world.db.one("SELECT COUNT(*) FROM information_schema."
                            "PROCESSLIST WHERE USER = 'mailrow-pop3'")

    def all_connected(self):
        """A worker that lost its connection makes another for its next job."""
        self.assertEqual(self.channel().login("new@a.example"), [])
        return self.connections() == WORKERS

    def test_connections_do_not_grow_with_sessions(self):
        self.assertTrue(wait_until(self.all_connected))
        idle = [self.channel() for _ in range(200)]
        for c in idle:
            c.auth("new@a.example")
        for c in idle:
            self.assertEqual(c.take()[0], GRANTED)
            self.assertEqual(c.take()[0], LIST_END)
        self.assertEqual(self.connections(), WORKERS)

    def test_a_new_configuration_is_taken_and_a_wrong_one_is_not(self):
        world.write_files(auth_attempts=1)
        keeper.process.send_signal(signal.SIGHUP)
        self.assertTrue(keeper.logged("configuration reloaded"))
        c = self.channel()
        c.auth(password="bad")
        self.assertEqual(c.take(), (DENIED, PASSWORD_WRONG))
        c.auth(password="good")
        self.assertIsNone(c.take())
        with open(world.conf, "a") as f:
            f.write("no_such_option = 1\n")
        keeper.process.send_signal(signal.SIGHUP)
        self.assertTrue(keeper.logged("the old one stays"))
        self.assertTrue(keeper.logged("no_such_option"))
        world.write_files()
        keeper.process.send_signal(signal.SIGHUP)
        self.assertTrue(wait_until(self.all_connected))

    def test_a_database_that_dies_is_our_trouble_and_comes_back(self):
        open_ = self.channel()
        self.assertEqual(open_.login("new@a.example"), [])
        world.db.stop(signal.SIGKILL)
        c = self.channel()
        c.auth("new@a.example")
        self.assertEqual(c.take(), (TEMP, b""))
        open_.ask([7])
        self.assertEqual(open_.take(), (TEMP, b""))
        self.restart()
        c = self.channel()
        c.auth("new@a.example")
        self.assertEqual(c.take(), (TEMP, b""))
        world.db.start()
        self.assertEqual(c.login("new@a.example"), [])
        # one whose connections idle while the server restarts
        self.assertTrue(wait_until(lambda: self.connections() > 0))
        world.db.stop()
        world.db.start()
        for _ in range(2 * WORKERS):
            self.assertEqual(self.channel().login("new@a.example"), [])

    def test_the_end_of_the_parent_is_the_end(self):
        c = self.channel()
        self.assertEqual(c.login("new@a.example"), [])
        self.assertEqual(keeper.stop(), 0)
        self.assertIsNone(c.take())
        keeper.start()

    def test_a_silent_authd_is_our_trouble_after_nine_seconds(self):
        c = self.channel()
        begun = time.time()
        c.auth(password="mute")
        self.assertEqual(c.take(), (TEMP, b""))
        self.assertTrue(8.5 < time.time() - begun < 11)


@unittest.skipUnless(os.path.exists(AUTHD), "mailrow-authd is not built")
class RealAuthd(Case):
    def test_the_real_authd_is_understood(self):
        world.db.sql("REPLACE INTO domain (name, created_at) VALUES "
                     "('a.example', NOW()); REPLACE INTO account (address, "
                     "domain, password, created_at) VALUES ('real@a.example',"
                     " 'a.example', '{PLAIN}sesame', NOW())")
        world.put(world.mailbox("real@a.example"), 9, [b"hello"])
        authd.end()
        with open(keeper.log, "ab") as log:
            process = subprocess.Popen([AUTHD, "-c", world.conf], stderr=log)
        try:
            self.assertTrue(wait_until(lambda: os.path.exists(authd.path)))
            c = self.channel()
            c.auth("real@a.example", "wrong")
            self.assertEqual(c.take(), (DENIED, PASSWORD_WRONG))
            rows = c.login("real@a.example", "sesame")
            self.assertEqual([r[0] for r in rows], [9])
            self.assertEqual(c.read([9])[0][2], TRACE + b"hello")
        finally:
            process.terminate()
            process.wait(20)
        if os.path.exists(authd.path):
            os.unlink(authd.path)
        authd.begin()


if __name__ == "__main__":
    unittest.main(verbosity=2 if "-v" in sys.argv else 1)

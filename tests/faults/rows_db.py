"""Rows: the database is there, and cannot do what it is asked."""

import contextlib
import os
import socket
import threading
import time

import mails
from clients import (answer_of, deferred, filled, once, quit_deleting,
                     quit_refused, session)
from inject import SqlSession
from inject import filled as disk_filled
from inject import moved_to_disk, no_mounts, timed
from mrtest import PASSWORD, Failed, stopped, wait_until
from rows import add_row, row
from traffic import PATIENCE

LISTS = {"ways": {"smtp": 3}, "many": True}


def kill_ours(admin):
    """Closes our daemons' connections: what was set holds for new ones. True:
    there were some."""
    threads = admin.run("SELECT id FROM information_schema.processlist"
                        " WHERE user LIKE 'mailrow-%'")
    for thread in threads:
        admin.run("KILL " + thread)
    return bool(threads)


@contextlib.contextmanager
def setting(world, name, value):
    """A global variable of the database."""
    old = world.sandbox.sql("SELECT @@GLOBAL." + name)[0][0]
    world.sandbox.sql("SET GLOBAL %s = %s" % (name, value))
    try:
        yield
    finally:
        world.sandbox.sql("SET GLOBAL %s = %s" % (name, old))


@row("database read-only", (11,), doubt=True)
def read_only(world):
    box = filled(world)
    with session(world, box) as (p, listed), world.traffic(40) as t:
        t.flow(10)
        with setting(world, "read_only", 1):
            quit_refused(world, "read-only", box, p, listed)
            with world.sandbox.pop3(box.address) as q:
                q.multi("RETR %d" % max(listed))
                q.quit()
            deferred(world, "read-only", strict=True)
        world.over()
        t.flow(10)


def postfix_alone(world):
    """Postfix asks the database too, which domains are ours, and waits 60 s
    for it: then nobody learns how long we take."""
    world.sandbox.postconf("virtual_mailbox_domains = example.test")


def stalled(seconds):
    def fail(world):
        box = filled(world)
        # for the senders' domains Postfix waits as long as the server is
        world.answer_within += seconds
        if seconds > 15:
            postfix_alone(world)
        with session(world, box) as (p, listed), \
                world.traffic(60, readers=2) as t:
            t.flow(10)
            with stopped(world.sandbox.pid("db")):
                begun = time.monotonic()
                if seconds > 15:
                    deferred(world, "stalled")
                    quit_refused(world, "stalled", box, p, listed)
                    q = world.sandbox.pop3()
                    q.cmd("USER " + box.address)
                    answer = answer_of(q, "PASS " + PASSWORD)
                    world.expect("no login: " + answer,
                                 answer.startswith("-ERR [SYS/TEMP]"))
                    q.close()
                time.sleep(max(0, begun + seconds - time.monotonic()))
            world.over()
            t.flow(10)
        wait_until(lambda: not old_transactions(world), 10,
                   "the end of the old transactions")
    return fail


def old_transactions(world):
    return world.sandbox.sql(
        "SELECT trx_id FROM information_schema.innodb_trx"
        " WHERE trx_started < NOW() - INTERVAL 3 SECOND")


for length, in_short in ((1, True), (20, False), (120, False)):
    add_row("mariadbd stopped for %d s (SIGSTOP)" % length, (15,),
            stalled(length), short=in_short, doubt=True)


@contextlib.contextmanager
def connections_taken(world):
    """Others have all the connections there may be."""
    with SqlSession(world.sandbox) as admin, contextlib.ExitStack() as others:
        admin.run("SET GLOBAL max_connections = 10")
        try:
            # one of ours may come back before the others have them all
            while kill_ours(admin):
                with contextlib.suppress(ConnectionError, BrokenPipeError):
                    while True:
                        others.enter_context(SqlSession(world.sandbox))
            yield
        finally:
            admin.run("SET GLOBAL max_connections = DEFAULT")


@row("too many connections (1040)", (14,), doubt=True)
def max_connections(world):
    box = filled(world)
    with world.traffic(40) as t:
        t.flow(10)
        with connections_taken(world):
            deferred(world, "there is no connection", strict=True)
            with world.sandbox.pop3() as p:
                p.cmd("USER " + box.address)
                answer = answer_of(p, "PASS " + PASSWORD)
                world.expect("no login: " + answer,
                             answer.startswith("-ERR [SYS/TEMP]"))
        world.over()
        t.flow(10)


@row("too many connections of one user (1226)", (14,), doubt=True)
def user_connections(world):
    """Fewer than the pools have: some callers wait, and are told 451 at the
    latest by their deadline."""
    before = world.sandbox.counter("Aborted_connects")
    with SqlSession(world.sandbox) as admin, world.traffic(40, **LISTS) as t:
        t.flow(10)
        for n in (2, 0):
            for user in ("mailrow-milter", "mailrow-lmtp"):
                admin.run("ALTER USER '%s'@localhost WITH"
                          " MAX_USER_CONNECTIONS %d" % (user, n))
            if n:
                kill_ours(admin)
                time.sleep(3)
        world.expect("connections are refused",
                     world.sandbox.counter("Aborted_connects") > before)
        world.over()
        t.flow(10)


def lock_timeouts(world):
    return world.sandbox.number(
        "SELECT count FROM information_schema.innodb_metrics"
        " WHERE name = 'lock_timeouts'")


def locked(seconds):
    def fail(world):
        """Mailbox rows are locked; 1205 is a statement's end and not the
        transaction's."""
        box = filled(world)
        world.sandbox.account("fresh@example.test")
        with session(world, box) as (p, listed), \
                world.traffic(40, **LISTS) as t:
            t.flow(10)
            before = lock_timeouts(world)
            with SqlSession(world.sandbox) as other:
                other.run("BEGIN; SELECT * FROM mailbox FOR UPDATE")
                begun = time.monotonic()
                if seconds > 15:
                    deferred(world, "locked", strict=True)
                    quit_refused(world, "locked", box, p, listed)
                    new_mailbox(world)
                time.sleep(max(0, begun + seconds - time.monotonic()))
            world.expect("statements end with 1205",
                         lock_timeouts(world) > before)
            world.over()
            t.flow(10)
    return fail


def new_mailbox(world):
    """The row of a first mail cannot be made: told in time."""
    with world.sandbox.smtp() as s, timed(0, 15):
        s.cmd("MAIL FROM:<kept0@example.test>", "250")
        s.put("RCPT TO:<fresh@example.test>")
        answer = s.answer()
    world.expect("451 when a row cannot be made: " + answer,
                 answer.startswith("451 4.3.0"))


for length, in_short in ((7, True), (40, False)):     # our patience is 5 s
    add_row("rows locked for %d s (1205)" % length, (12,), locked(length),
            short=in_short, doubt=True)


@row("deadlocks (1213)", (12,))
def deadlocks(world):
    """Another client takes the mailboxes in descending order, and has
    changed so much that the server prefers to give up our transaction."""
    boxes = "address IN ('%s')" % "', '".join(mails.BOXES)
    done, before = threading.Event(), world.sandbox.counter("Innodb_deadlocks")
    own = 0             # of which the other client was the victim

    def deadlocks_of_ours():
        return world.sandbox.counter("Innodb_deadlocks") - before - own

    def quarrel():
        nonlocal own
        with SqlSession(world.sandbox) as other:
            other.run("CREATE TABLE quarrel (n INT PRIMARY KEY)")
            while not done.is_set():
                other.run("BEGIN; INSERT INTO quarrel SELECT seq"
                          " FROM seq_1_to_500; SELECT * FROM mailbox WHERE "
                          + boxes + " ORDER BY mailbox_id DESC FOR UPDATE")
                own += other.run("SELECT COUNT(*) FROM quarrel") == ["0"]
                other.run("ROLLBACK")
            other.run("DROP TABLE quarrel")

    thread = threading.Thread(target=quarrel, daemon=True)
    with world.traffic(150, **LISTS) as t:
        thread.start()
        t.flow(60)
        wait_until(lambda: deadlocks_of_ours() >= 5, 30,
                   "deadlocks of which we are the victim")
        done.set()
        thread.join(30)
        world.over()
    world.expect("deadlocks are replayed, not told", world.deferred == 0)


def read_lock(seconds):
    def fail(world):
        box = filled(world)
        with session(world, box) as (p, listed), \
                world.traffic(40, readers=2) as t:
            t.flow(10)
            with SqlSession(world.sandbox) as backup:
                backup.run("FLUSH TABLES WITH READ LOCK")
                begun = time.monotonic()
                p.multi("RETR %d" % max(listed))
                if seconds > 15:
                    deferred(world, "there is a read lock")
                    quit_refused(world, "there is a read lock", box, p,
                                 listed)
                time.sleep(max(0, begun + seconds - time.monotonic()))
            world.over()
            t.flow(10)
    return fail


for length, in_short in ((3, True), (60, False)):
    add_row("FLUSH TABLES WITH READ LOCK for %d s" % length, (32,),
            read_lock(length), short=in_short, doubt=True)


CHANGES = (
    ("a column gone", "ALTER TABLE mail CHANGE sender was_sender"
     " VARBINARY(320) NOT NULL",
     "ALTER TABLE mail CHANGE was_sender sender VARBINARY(320) NOT NULL"),
    ("a table gone", "RENAME TABLE content TO was_content",
     "RENAME TABLE was_content TO content"),
    ("the account table gone", "RENAME TABLE account TO was_account",
     "RENAME TABLE was_account TO account"),
    ("no right to insert",
     "REVOKE INSERT ON mailrow.mail FROM 'mailrow-milter'@localhost;"
     "REVOKE INSERT ON mailrow.mail FROM 'mailrow-lmtp'@localhost",
     "GRANT INSERT ON mailrow.mail TO 'mailrow-milter'@localhost;"
     "GRANT INSERT ON mailrow.mail TO 'mailrow-lmtp'@localhost"))


def drifted(there, back):
    def fail(world):
        with world.traffic(40, readers=2) as t:
            t.flow(10)
            world.sandbox.sql(there)
            time.sleep(1.1)             # the judge's memory
            deferred(world, "the schema differs")
            world.sandbox.sql(back)
            world.over()
            t.flow(10)
    return fail


for name, there, back in CHANGES:
    add_row("schema: %s under load" % name, (31,), drifted(there, back),
            short=name in ("a column gone", "the account table gone"))


@row("schema: of another version at start", (31,))
def other_version(world):
    """The daemons start, say why they cannot work, and work when they can."""
    with world.traffic(20) as t:
        t.flow(5)
        world.sandbox.sql("UPDATE schema_version SET version = 99,"
                          " oldest_reader = 98")
        world.sandbox.stop("milter", "lmtpd")
        world.sandbox.start_alone("milter", "lmtpd")
        deferred(world, "the schema is of another version")
        world.expect("the reason is in the log",
                     "the schema has version 99 and takes programs from 98 on"
                     in world.sandbox.log("milter.log"))
        world.sandbox.sql("UPDATE schema_version SET version = 1,"
                          " oldest_reader = 1")
        world.over()
        t.flow(5)


@row("mail deleted by SQL while it is read", (34,))
def deleted_while_read(world):
    """The whole mail, or its end is never told."""
    box = world.boxes["read0@example.test"]
    once(world, box.address, size=16 << 20)
    with session(world, box) as (p, listed):
        n = max(listed)
        size = int(p.cmd("LIST %d" % n).split()[2])
    host, port = world.sandbox.env["MAILROW_POP3"].rsplit(":", 1)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.settimeout(30)
        s.connect((host, int(port)))
        s.sendall(b"USER %s\r\nPASS %s\r\nRETR %d\r\n" % (
            box.address.encode(), PASSWORD.encode(), n))
        got = b""
        while b" octets\r\n" not in got:
            got += s.recv(1000)
        where = "WHERE content_id IN (SELECT content_id FROM mail" \
            " WHERE uidl = '%s')" % listed[n]
        world.sandbox.sql("CREATE TABLE aside SELECT * FROM chunk %s;"
                          "DELETE FROM chunk %s" % (where, where))
        while piece := s.recv(1 << 20):
            got = got[-10:] + piece
            size -= len(piece)
    world.sandbox.sql("INSERT INTO chunk SELECT * FROM aside;"
                      "DROP TABLE aside")
    world.expect("the mail ends before its end", size > 0)
    world.expect("nobody is told that this was all: %r" % got[-10:],
                 not got.endswith(b"\r\n.\r\n"))
    with world.traffic(10):
        pass


@row("account changed during a session", (35,))
def account_changed(world):
    """Password changed: who is in reads on and takes his mails with him. Locked
    out, deleted: who is in is out within a second, and nothing is deleted. Who
    comes is denied, and no mail of his is another's."""
    sql, box = world.sandbox.sql, filled(world)
    name = "address = '%s'" % box.address
    (row_,) = sql("SELECT account_id, password FROM account WHERE " + name)
    steps = (
        (False, "[AUTH]",
         "UPDATE account SET password = '{PLAIN}other' WHERE " + name,
         "UPDATE account SET password = '%s' WHERE %s" % (row_[1], name)),
        (True, "[SYS/PERM]",
         "UPDATE account SET active = 0 WHERE " + name,
         "UPDATE account SET active = 1 WHERE " + name),
        (True, "[AUTH]",
         "UPDATE account SET address = 'other@example.test' WHERE " + name,
         "UPDATE account SET address = '%s' WHERE account_id = %s" % (
             box.address, row_[0])))
    with world.traffic(30, boxes=mails.BOXES[:3], readers=0) as t:
        for out, code, there, back in steps:
            with session(world, box) as (p, listed):
                sql(there)
                if out:
                    p.sock.settimeout(10)
                    line = p.line()
                    world.expect("who is in is told: " + line,
                                 line.startswith("-ERR [SYS/PERM]"))
                else:
                    time.sleep(1.1)     # the judge's memory
                    p.multi("RETR %d" % max(listed))
                with world.sandbox.pop3() as q:
                    q.cmd("USER " + box.address)
                    answer = answer_of(q, "PASS " + PASSWORD)
                    world.expect("login is denied: " + answer,
                                 answer.startswith("-ERR " + code))
                if not out:
                    answer = quit_deleting(world, box, p, listed)
                    world.expect("who is in may delete: " + answer,
                                 answer.startswith("+OK"))
                sql(back)
            t.flow(3)


SMALL_LOG = "--innodb-log-file-size=16M"


@row("the database's disk full", (10,), short=False, needs=no_mounts,
     doubt=True, own={"db_args": SMALL_LOG})
def disk_full(world):
    """What needs room is told 451 and stored when there is some again. POP3
    reads on; unless the server has died of it (MariaDB 10.11 aborts when a
    rollback finds no room), as it is then started again, or stands still
    because its pages find no room, as it then answers nobody until they do."""
    box, world.deep = world.sandbox, True
    world.answer_within = PATIENCE      # a server without room stands still
    filled(world, 8)
    box.stop("db")
    place = os.path.join(box.dir, "db")
    with moved_to_disk(place, "400m"):
        box.start_alone("db")
        with session(world, world.boxes["read0@example.test"]) as (p, listed), \
                world.traffic(30, big=True, readers=0) as t:
            t.flow(5)
            with disk_filled(place):
                answers = ["250"]
                while answers[-1].startswith("250") and len(answers) < 40:
                    answers.append(once(world, "kept0@example.test",
                                        size=2 << 20))
                world.expect("451 while the disk is full: " + answers[-1],
                             answers[-1].startswith("45"))
                answer = quit_deleting(world, world.boxes[
                    "read0@example.test"], p, listed)
                world.expect("QUIT is told whether it has deleted: " + answer,
                             answer.startswith(("+OK", "-ERR [SYS/TEMP]")))
                if is_alive(world, "db"):
                    reads_on(world)
            if not is_alive(world, "db"):
                world.revive("db")
            world.over()
            t.flow(10)
        box.stop("db")
    box.start_alone("db")


def reads_on(world):
    """Or is told in time to come again."""
    began = time.monotonic()
    try:
        with session(world, world.boxes["read0@example.test"]) as (p, listed):
            p.multi("RETR %d" % max(listed))
    except Failed as e:
        world.expect("POP3 is told to come again: %s" % e,
                     "[SYS/TEMP]" in str(e)
                     and time.monotonic() - began < 15)


def is_alive(world, part):
    return part + " running" in world.sandbox.script(
        "status", check=False).stdout

"""Rows: processes are killed at a random moment while mail flows, and clients
vanish. What has a parent is started again by it; what has none is started
again by the row, as a service manager does: those rows say "revived"."""

import time

import mails
from mrtest import Failed, stopped, wait_until
from rows import add_row, row
from traffic import Door
from world import children, stat_of

QUEUE = {"queue": 2, "sendmail": 1}
BOTH = {"smtp": 2, "submission": 1, "queue": 2}


@row("nothing fails", ())
def nothing(world):
    with world.traffic(120, ways={"smtp": 2, "submission": 1, "queue": 1,
                                  "sendmail": 1}, readers=2):
        pass
    world.expect("nothing is deferred", world.deferred == 0)
    world.expect("POP3 never says -ERR", world.pop3_refused == 0)


def moment(world, t, most=20):
    """Any moment, but mail flows."""
    t.flow(world.dice.randrange(5, most))
    time.sleep(world.dice.uniform(0, 0.02))


def child_killed(part, ways):
    def kill(world):
        world.rested(part)
        with world.traffic(50, ways=ways, readers=2) as t:
            moment(world, t)
            world.kill(world.child(part))
            world.over()
            t.flow(20)
    return kill


def parent_killed(part, ways):
    def kill(world):
        with world.traffic(50, ways=ways, readers=2) as t:
            moment(world, t)
            below = children(world.sandbox.pid(part))
            world.kill(world.sandbox.pid(part))
            time.sleep(world.dice.uniform(0, 0.5))
            world.gone(part, below)
            world.revive(part)
            t.flow(20)
    return kill


for daemon, facts, clients in (("milter", (4,), {"smtp": 3, "submission": 1}),
                               ("lmtpd", (4,), QUEUE),
                               ("authd", (), {"submission": 3}),
                               ("pop3d", (6, 7), BOTH)):
    add_row("kill: %s" % {"pop3d": "pop3d's keeper"}.get(
        daemon, daemon + "'s child"), facts, child_killed(daemon, clients),
            doubt=True)
    add_row("kill: %s's parent, revived" % daemon,
            (9,) if daemon == "pop3d" else facts,
            parent_killed(daemon, clients), doubt=True)


def sessions(world):
    """POP3's session processes: children of the parent that are not the
    keeper."""
    keeper = world.child("pop3d")
    return [p for p in children(world.sandbox.pid("pop3d")) if p != keeper
            and (stat_of(p) or " Z")[1] != "Z"]


@row("kill: pop3d's sessions", (6, 7))
def pop3_sessions(world):
    killed = 0
    with world.traffic(60, readers=3) as t:
        end = time.monotonic() + 20
        while killed < 8 and time.monotonic() < end:
            for pid in sessions(world)[:1]:
                time.sleep(world.dice.uniform(0, 0.03))
                world.kill(pid)
                killed += 1
            time.sleep(0.05)
        # whoever dies by a signal makes its address wait
        world.serve_within["pop3"] = 15
        world.over()
    world.expect("sessions were killed", killed == 8)


@row("kill: mariadbd, started again", (1, 3, 8), doubt=True)
def mariadbd(world):
    with world.traffic(60, ways=BOTH, readers=2, many=True) as t:
        moment(world, t, 40)
        world.sandbox.kill("db")
        world.revive("db")
        world.over()
        t.flow(20)


@row("kill: mariadbd in the middle of big mails", (1, 3), doubt=True)
def mariadbd_big(world):
    with world.traffic(20, ways=BOTH, big=True) as t:
        moment(world, t, 10)
        world.sandbox.kill("db")
        world.revive("db")
        world.over()
        t.flow(10)


def postfix_killed(name, ways):
    def kill(world):
        killed = 0
        with world.traffic(80, ways=ways) as t:
            for _ in range(6):
                t.flow(5)
                wait_until(lambda: world.processes(name), 20,
                           "a process " + name)
                time.sleep(world.dice.uniform(0, 0.02))
                for pid in world.processes(name)[:2]:
                    world.kill(pid)
                    killed += 1
            world.over()
        world.expect("%s was killed" % name, killed > 5)
    return kill


for name, clients in (("smtpd", BOTH), ("cleanup", BOTH), ("lmtp", QUEUE),
                      ("qmgr", QUEUE)):
    # it may die between our COMMIT and the reply, which is 451 then
    add_row("kill: Postfix's %s" % name, (30,), postfix_killed(name, clients),
            doubt=name == "cleanup")


@row("Postfix is killed whole, started again", (30,))
def postfix(world):
    with world.traffic(60, ways=BOTH) as t:
        moment(world, t)
        pid = world.sandbox.pid("postfix")
        for p in [pid] + children(pid):
            world.kill(p)
        world.revive("postfix")
        world.over()
        t.flow(20)


def vanishing(world, step):
    """Clients that are gone at this step, and come again later."""
    sent = []
    for _ in range(12):
        mail = mails.draw(world.ledger.number(), "smtp", world.dice,
                          row=world.row_name)
        world.ledger.intend(mail)
        door = Door(world, "smtp")
        world.ledger.write("try", n=mail.number, rcpts=mail.rcpts)
        outcome = step(world, door, mail)
        world.ledger.reply(mail, dict.fromkeys(mail.rcpts, outcome), "gone")
        world.unanswered += 1
        sent.append(mail)
    world.over()
    door = Door(world, "smtp")
    for mail in sent:
        while not all(o["ok"] for o in mail.outcomes.values()):
            world.ledger.write("try", n=mail.number, rcpts=mail.rcpts)
            outcomes, text = door.attempt(mail, mail.rcpts)
            world.ledger.reply(mail, outcomes, text)
    door.close()


def begin(door, mail):
    door.open(mail, 60)
    door.conn.envelope(mail.sender, mail.rcpts)
    door.conn.cmd("DATA", "354")


def in_data(world, door, mail):
    begin(door, mail)
    octets = mail.octets().replace(b"\r\n.", b"\r\n..")
    door.conn.put(octets[:world.dice.randrange(len(octets))])
    door.drop()
    return "cut"


def after_dot(world, door, mail):
    begin(door, mail)
    door.conn.put(mail.octets().replace(b"\r\n.", b"\r\n..") + b".\r\n")
    time.sleep(world.dice.choice((0, 0, 0.002, 0.01)))
    door.drop()
    return "lost"


@row("client gone in DATA", (27,))
def gone_in_data(world):
    vanishing(world, in_data)


@row("client gone after the final dot", (28,))
def gone_after_dot(world):
    vanishing(world, after_dot)


@row("POP3 client gone at QUIT", (27,))
def gone_at_quit(world):
    """Before the CRLF nothing may be deleted, after it all or nothing."""
    box = world.boxes["read0@example.test"]
    with world.traffic(30, boxes=[box.address], readers=0):
        pass
    for end in ("QUI", "QUIT", "QUIT\r", "QUIT\r\n", "QUIT\r\nNOOP\r\n"):
        with box.lock:
            p = world.sandbox.pop3(box.address)
            listed = box.list(p)
            chosen = sorted(listed)[:5]
            for n in chosen:
                box.read(p, n, listed[n])
                p.cmd("DELE %d" % n)
            if end.startswith("QUIT\r\n"):
                box.mark(listed[n] for n in chosen)
            p.put(end.encode())
            p.close()
            if box.marked:
                box.quit_said("")


@row("milter stopped (SIGSTOP)", (5,), short=False, doubt=True)
def milter_stopped(world):
    with world.traffic(40, ways={"smtp": 2}) as t:
        moment(world, t)
        with stopped(world.child("milter")), \
                world.sandbox.smtp(timeout=60) as s:
            try:
                s.send("ann@remote.test", [mails.PROBE],
                       mails.Mail(0, "smtp", 1024, "id", "ann@remote.test",
                                  [mails.PROBE]).octets())
                world.problem("accepted without the milter")
            except Failed as e:
                world.expect("451 while the milter is stopped, not "
                             + e.answer, e.answer.startswith("4"))
        world.over()
        t.flow(10)


@row("milter's socket gone", (5,))
def milter_gone(world):
    with world.traffic(30, ways={"smtp": 2}) as t:
        moment(world, t)
        world.sandbox.stop("milter")
        before = t.accepted
        time.sleep(1)
        world.expect("nothing is accepted without the milter",
                     t.accepted - before <= 2)
        world.sandbox.start_alone("milter")
        world.over()
        t.flow(10)

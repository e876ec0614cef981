"""Rows: the way to the database fails at exactly the statement that stores."""

import time

from between import STORE
from rows import add_row, row

# who, what of theirs commits, the clients that bring it there
PLAIN = {"ways": {"smtp": 2, "submission": 1}}
STEPS = {"ways": {"smtp": 3}, "many": True}
BIG = {"ways": {"smtp": 3}, "big": True}
BARE = {"ways": {"smtp": 3}, "kind": "bare"}
QUEUE = {"ways": {"queue": 2, "sendmail": 1}, "many": True}
QUIT = {"ways": {"smtp": 1}, "readers": 3}
CASES = (("milter, one CALL", "mailrow-milter", r"CALL deliver_plain", PLAIN),
         ("milter, COMMIT", "mailrow-milter", r"COMMIT", STEPS),
         ("milter, COMMIT of big mails", "mailrow-milter", r"COMMIT", BIG),
         ("milter, mails that no retry is known by", "mailrow-milter", STORE,
          BARE),
         ("lmtpd", "mailrow-lmtp", STORE, QUEUE),
         ("keeper, QUIT", "mailrow-pop3", r"COMMIT", QUIT))
TIMES = 4


def in_short(case, action):
    """What takes longest only where it tells most."""
    if case in ("milter, COMMIT", "keeper, QUIT"):
        return action != "error 1047"
    return "big" not in case and action in ("cut", "swallow-reset",
                                            "error 1213")


def add(name, facts, function, short=True, group=None):
    """What is in doubt after a fault is so in all of these."""
    add_row(name, facts, function, short=short, doubt=True, proxy=True,
            group=group and "COMMIT, of milter, lmtpd and keeper: " + group)


# Nobody may hear of these: the end of a COMMIT is settled, the transaction
# replayed.
HIDDEN = ("cut", "swallow-reset", "error 1213", "error 1205")


def at_commit(action, who, at, clients, times):
    def fail(world):
        between = world.between()
        world.hidden = action in HIDDEN
        with world.traffic(30, **clients) as t:
            t.flow(5)
            between.order(action, at, who, times, world.dice.randrange(4))
            between.wait(times)
            if not action.endswith("stall"):
                world.over()
            t.flow(5)
            if clients is QUIT:
                time.sleep(0.5)         # until the answers are there
    return fail


for case, who, at, clients in CASES:
    for action, facts, words in (
            ("cut", (3, 8), "cut before it"),
            ("swallow-reset", (2, 8), "done, its answer lost"),
            ("swallow-stall", (2, 16), "done, its answer never comes"),
            ("error 1213", (12, 13), "error 1213 (deadlock)"),
            ("error 1205", (12,), "error 1205 (lock wait)"),
            ("error 1047", (13,), "error 1047 (no cluster)")):
        times = 1 if action == "swallow-stall" else TIMES
        add("%s: %s" % (case, words), facts,
            at_commit(action, who, at, clients, times),
            in_short(case, action), words)


def killed_at_commit(action, at, clients):
    def fail(world):
        between = world.between()
        with world.traffic(30, **clients) as t:
            t.flow(5)
            between.order(action, at)
            between.wait()
            time.sleep(0.05)        # the server has done it
            world.sandbox.kill("db")
            world.revive("db")
            world.over()
            t.flow(10)
    return fail


for case, who, at, clients in CASES:
    add("%s: mariadbd killed just before" % case, (3, 8),
        killed_at_commit("hold", at, clients), case == "milter, COMMIT",
        "mariadbd killed just before")
    add("%s: mariadbd killed, done, not answered" % case, (2, 8),
        killed_at_commit("hold-answer", at, clients),
        case != "milter, COMMIT", "mariadbd killed, done, not answered")


def silence(seconds):
    def fail(world):
        between = world.between()
        with world.traffic(40, readers=2) as t:
            t.flow(10)
            between.say(stall=True)
            time.sleep(seconds)
            between.say(stall=False)
            world.over()
            t.flow(10)
    return fail


for seconds, short in ((2, True), (15, False), (40, False)):
    add("silence of %d s between us and the database" % seconds, (16,),
        silence(seconds), short)


@row("connections that are silent for ever", (16,), doubt=True, proxy=True)
def half_open(world):
    """New ones work. What is open is noticed when an answer is late."""
    between = world.between()
    ways = {"smtp": 6, "submission": 3, "queue": 3, "lmtp": 3}
    with world.traffic(150, ways=ways, readers=6) as t:
        t.flow(100)         # many connections are open
        between.say(deaf=True)
        # db_timeout and then five; a login asks two programs
        world.serve_within = dict.fromkeys(world.serve_within, 10)
        world.serve_within["pop3"] = 15
        world.over()
        t.flow(10)

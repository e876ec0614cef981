"""Rows: the power of the database's host fails: what its logs had not flushed
is gone. Every 250 must be there."""

import contextlib
import os
import re
import subprocess
import time

import mails
from inject import tracer_of
from mrtest import Failed, mail, wait_until
from powercut import PowerCut, no_library
from rows import add_row, row

BINLOG = " --log-bin=binlog --server-id=1 --sync-binlog="
EVE = "eve@remote.test"


def cuts(times):
    def fail(world):
        power, world.deep = PowerCut(world), True
        power.start()
        with world.traffic(40, readers=2, many=True, ways={
                "smtp": 2, "submission": 1, "queue": 1}) as t:
            dice, undone = mails.dice_for(world.seed, world.row_name), 0
            for _ in range(times):
                t.flow(dice.randrange(10, 40))
                time.sleep(dice.uniform(0, 0.05))
                changes, names = power.cut()
                world.ledger.write("cut", changes=changes, files=names)
                undone += changes
                power.start()
            world.expect("something was not flushed yet",
                         times == 2 or undone > 0)
            world.over()
            t.flow(10)
        world.restart("db")
    return fail


for words, more in (("", ""), (", binlog on", BINLOG + "1")):
    for count in (2, 12):
        add_row("power fails %d times%s" % (count, words), (33,), cuts(count),
                short=count == 2 and bool(more), doubt=True, needs=no_library,
                own={"db_args": PowerCut.FLAGS + more})


def serial(world, box, n):
    """n mails one after the other, without a ledger. How many were answered
    250, all in all."""
    accepted = 0
    with world.sandbox.smtp() as s:
        for _ in range(n):
            with contextlib.suppress(Failed):
                s.send(EVE, [box], mail("relaxed"))
                accepted += 1
    return accepted


def relaxed(world):
    """The control: a database that does not flush what it says it has done
    loses mail by the same cut, or the rows above would prove nothing."""
    box = "relaxed@example.test"
    world.sandbox.account(box)
    power = PowerCut(world)
    power.start()
    accepted = serial(world, box, 30)
    power.cut()
    world.sandbox.start_alone("db")
    there = len(world.sandbox.mails(box))
    world.expect("the cut loses mail: %d of %d are there" % (there, accepted),
                 accepted == 30 and there < 30)


for words, more in (
        ("innodb_flush_log_at_trx_commit = 2",
         " --innodb-flush-log-at-trx-commit=2"
         " --innodb-flush-log-at-timeout=2700"),
        ("sync_binlog = 0", BINLOG + "0")):
    add_row("control: power fails, %s" % words, (33,), relaxed,
            short="sync" not in words, needs=no_library,
            own={"conf": ("durability = relaxed",),
                 "db_args": PowerCut.FLAGS + more})


# The order of flush and answer, by the server's own calls

CALL = re.compile(r"^(\d+) +(\d+\.\d+) (?:<\.\.\. )?(\w+)(?:\(\d+<([^>]*)>| "
                  r"resumed)?.*?(?:= (-?\d+)[^<]*(?:<([\d.]+)>)?)?$")


class Trace:
    """When the server has flushed its log, and when it began to answer."""

    def __init__(self, pid, path):
        self.pid, self.path = pid, path

    def __enter__(self):
        self.tracer = subprocess.Popen(
            ["strace", "-qq", "-f", "-ttt", "-T", "-y", "-s", "0", "-o",
             self.path, "-e", "trace=fdatasync,fsync,sendto", "-p",
             str(self.pid)])
        wait_until(lambda: tracer_of(self.pid) == self.tracer.pid,
                   what="strace")
        return self

    def __exit__(self, *what):
        self.tracer.terminate()
        self.tracer.wait()

    def events(self):
        flushes, answers, pending = [], [], {}
        with open(self.path) as f:
            for line in f:
                m = CALL.match(line.rstrip("\n"))
                if not m:
                    continue
                thread, at, call, file, result, took = m.groups()
                at = float(at)
                if call == "sendto":
                    if file:
                        answers.append(at)
                    continue
                if file:
                    pending[thread] = file
                if result == "0":
                    flushes.append((at + (float(took) if file else 0),
                                    pending.get(thread, "")))
        return flushes, answers


@row("each 250 has waited for the flush of the log", (33,), own={
    "db_args": BINLOG.lstrip() + "1"})
def flush_before_answer(world):
    """For each serial mail: after its final dot, redo log and binlog were
    flushed, and only then did the server answer."""
    box, spans = "kept0@example.test", []
    path = os.path.join(world.sandbox.top, "strace.out")
    with Trace(world.sandbox.pid("db"), path) as trace, \
            world.sandbox.smtp() as s:
        for _ in range(20):
            m = mails.Mail(world.ledger.number(), "smtp", 2000, "id", EVE,
                           [box], world.row_name)
            world.ledger.intend(m)
            s.envelope(EVE, [box])
            s.cmd("DATA", "354")
            begun = time.time()
            s.put(m.octets().replace(b"\r\n.", b"\r\n..") + b".\r\n")
            answer = s.answer("250")
            spans.append((begun, time.time()))
            world.ledger.reply(m, {box: "ok"}, answer)
    flushes, answers = trace.events()
    for name in ("ib_logfile0", "binlog."):
        good = [1 for begun, end in spans if [
            at for at, file in flushes
            if name in file and begun < at < end
            and [a for a in answers if at < a < end]]]
        world.expect("%s was flushed before the answer to %d of %d mails" % (
            name, len(good), len(spans)), len(good) == len(spans))

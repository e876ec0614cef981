#!/usr/bin/env python3
"""mailrow-lmtpd is killed, or cut off from the database, at each step between
the last octet of a mail and the last reply: nothing is lost, nothing is
stored twice."""

import os
import signal

from mrtest import SandboxTest, Smtp, mail, main, wait_until

ALICE, BOB = "alice@example.test", "bob@example.test"
LIST = "list@example.test"
ANN = "ann@remote.test"

POINTS = ("lmtp-data-end", "intake-before-commit", "deliver-begin",
          "deliver-commit", "deliver-committed", "intake-after-commit",
          "lmtp-forward", "lmtp-before-reply", "lmtp-between-replies")


class Faults(SandboxTest):
    CONF = ("deliver_timeout = 10s",)

    def setUp(self):
        super().setUp()
        self.sandbox.sql("INSERT IGNORE INTO alias VALUES ('%s', '%s',"
                         " UTC_TIMESTAMP()), ('%s', 'x@foreign.test',"
                         " UTC_TIMESTAMP())" % (LIST, BOB, LIST))

    def subjects(self, who):
        return [m.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()
                for m in self.sandbox.mails(who)]

    def send(self, subject, body=b"x\r\n"):
        with Smtp(self.sandbox.env["MAILROW_FORWARD"]) as s:
            s.send(ANN, [ALICE, LIST], mail(subject, body))

    def begin_anew(self):
        """A child that dies at once is started again ever later."""
        self.sandbox.stop("lmtpd")
        self.sandbox.start()

    def survives(self, point, what, body=b"x\r\n"):
        subject = "%s %s" % (what, point)
        self.sandbox.fault(point, what)
        if point == "lmtp-between-replies":
            self.sandbox.fault("lmtp-split-replies", "fail")
        self.send(subject, body)
        wait_until(lambda: self.sandbox.fault_hit(point), what=point)
        self.sandbox.wait_for_queue()
        for who in (ALICE, BOB):
            self.assertEqual(self.subjects(who).count(subject), 1,
                             "%s at %s" % (what, point))
        wait_until(lambda: self.abroad(subject), what="the forward")
        self.sandbox.check_store()
        if what == "die":
            self.begin_anew()

    def abroad(self, subject):
        return [m for m in self.sandbox.sunk()
                if b"Subject: %s\n" % subject.encode() in m]

    def test_killed_while_a_mail_arrives(self):
        child = self.child()
        with self.sandbox.lmtp() as l:
            l.rcpts(ANN, [ALICE])
            l.cmd("DATA", "354")
            l.put(mail("half", b"x" * 70 + b"\r\n"))
            os.kill(child, signal.SIGKILL)
        wait_until(lambda: self.child() not in (None, child),
                   what="another child")
        self.send("after half")
        self.sandbox.wait_for_queue()
        self.assertNotIn("half", self.subjects(ALICE))
        self.assertEqual(self.subjects(ALICE).count("after half"), 1)
        self.begin_anew()

    def child(self):
        pid = self.sandbox.pid("lmtpd")
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            children = f.read().split()
        return int(children[0]) if children else None

    def test_connects_wait_while_a_child_is_started_again(self):
        os.kill(self.child(), signal.SIGKILL)
        with self.sandbox.lmtp() as l:
            l.send(ANN, [ALICE], mail("waited"), "250")
        self.assertEqual(self.subjects(ALICE).count("waited"), 1)
        self.begin_anew()


def add(point, what, body=b"x\r\n", name=""):
    def test(self):
        self.survives(point, what, body)
    setattr(Faults, "test_%s_at_%s%s" % (
        {"die": "killed", "fail": "cut_off"}[what], point.replace("-", "_"),
        name), test)


BIG = (b"0123456789" * 90 + b"\r\n") * 3000
for fault_point in POINTS:
    add(fault_point, "die")
    add(fault_point, "fail")
for fault_point in ("deliver-upload", "deliver-uploaded"):
    add(fault_point, "die", BIG, "_of_a_big_mail")
    add(fault_point, "fail", BIG, "_of_a_big_mail")

if __name__ == "__main__":
    main()

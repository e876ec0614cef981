#!/usr/bin/env python3
"""pop3_exclusive = yes: a mailbox is one session's at a time."""

import os
import signal
import unittest

from mrtest import (Failed, Pop3, SandboxTest, built_with_faults, mail, main,
                    stopped, wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"
IN_USE = "-ERR [IN-USE] another session"


class Exclusive(SandboxTest):
    CONF = ("pop3_exclusive = yes",)

    def setUp(self):
        super().setUp()
        self.sandbox.start()
        self.sandbox.sql("DELETE FROM mail; DELETE FROM trash;"
                         "UPDATE mailbox SET messages = 0, octets = 0")
        wait_until(lambda: self.held() == 0, what="no lease")
        for _ in range(3):
            with self.sandbox.smtp() as s:
                s.send("ann@remote.test", [ALICE], mail())

    def held(self):
        return self.sandbox.number(
            "SELECT COUNT(*) FROM lease WHERE holder IS NOT NULL")

    def mails(self):
        return self.sandbox.number("SELECT COUNT(*) FROM mail")

    def assertInUse(self):
        with Pop3(self.sandbox.env["MAILROW_POP3"]) as p:
            with self.assertRaises(Failed) as e:
                p.login(ALICE)
            self.assertTrue(e.exception.answer.startswith(IN_USE),
                            e.exception.answer)

    def login(self, **options):
        p = Pop3(self.sandbox.env["MAILROW_POP3"], **options)
        self.addCleanup(p.close)
        p.login(ALICE)
        return p

    def login_again(self):
        """Once the session before has been seen to be gone."""
        def try_it():
            try:
                return self.login()
            except (Failed, OSError):
                return None
        found = []
        wait_until(lambda: found.append(try_it()) or found[-1],
                   what="the mailbox to be free")
        return found[-1]

    def keeper(self):
        with open("/proc/%d/task/%d/children" % (
                (self.sandbox.pid("pop3d"),) * 2)) as f:
            pids = [int(p) for p in f.read().split()]
        for pid in pids:
            if os.path.isdir("/proc/%d/task" % pid) and \
                    len(os.listdir("/proc/%d/task" % pid)) > 1:
                return pid
        raise AssertionError("no keeper")

    def session(self):
        """The newest child of the parent."""
        with open("/proc/%d/task/%d/children" % (
                (self.sandbox.pid("pop3d"),) * 2)) as f:
            return int(f.read().split()[-1])

    def expire(self):
        """As if the keeper had not been heard of for a minute."""
        self.sandbox.sql("UPDATE lease SET expires_at ="
                         " UTC_TIMESTAMP(3) - INTERVAL 1 SECOND")

    def test_the_holder_names_the_machine(self):
        p = self.login()
        holder = self.sandbox.sql("SELECT holder FROM lease"
                                  " WHERE holder IS NOT NULL")[0][0]
        p.quit()
        self.assertRegex(holder, "^%s:[0-9a-f]{16}:/" % os.uname().nodename)
        if os.path.isfile("/etc/machine-id"):
            self.assertNotIn(":%016x:" % 0, holder)

    def test_rule_37_a_second_session_is_refused(self):
        p = self.login()
        self.assertInUse()
        with self.sandbox.pop3(BOB) as q:       # another's is another's
            q.quit()
        with self.sandbox.smtp() as s:          # and mail still comes
            s.send("ann@remote.test", [ALICE], mail())
        self.assertEqual(p.stat()[0], 3)
        p.cmd("DELE 1")
        p.quit()
        # it was given back before the +OK
        q = self.login()
        self.assertEqual(q.stat()[0], 3)
        q.quit()
        r = self.login()
        r.quit()
        self.assertEqual(self.held(), 0)
        self.assertEqual(self.mails(), 3)

    def test_rule_37_whoever_is_gone_holds_nothing(self):
        def client(p, _):
            p.file.close()
            p.sock.close()

        def session(_, pid):
            os.kill(pid, signal.SIGKILL)

        def keeper(_, __):
            os.kill(self.keeper(), signal.SIGKILL)

        for end in (client, keeper, session):
            # a session killed has its address rejected for a while
            p = self.login(source="127.0.0.9")
            pid = self.session()
            p.cmd("DELE 1")
            self.assertInUse()
            end(p, pid)
            self.login_again().quit()
            self.assertEqual(self.mails(), 3)

    def test_rule_37_a_dead_parents_leases_are_free_at_once(self):
        p = self.login()
        p.cmd("DELE 1")
        keeper = self.keeper()
        with stopped(keeper):                   # it gives nothing back
            os.kill(self.sandbox.pid("pop3d"), signal.SIGKILL)
            os.kill(keeper, signal.SIGKILL)
        self.assertEqual(self.held(), 1)
        self.sandbox.start()
        # before anybody logs in: another host may want it
        wait_until(lambda: self.held() == 0, what="the next keeper frees it")
        self.login().quit()
        self.assertEqual(self.mails(), 3)

    def test_rule_37_after_a_take_over_the_old_session_deletes_nothing(self):
        p = self.login()
        p.cmd("DELE 1")
        self.expire()
        q = self.login()
        q.cmd("DELE 2")
        with self.assertRaises(Failed) as e:
            p.quit()
        self.assertTrue(e.exception.answer.startswith("-ERR [SYS/TEMP]"),
                        e.exception.answer)
        self.assertEqual(self.mails(), 3)
        self.assertInUse()                      # q still has it
        q.quit()
        self.assertEqual(self.mails(), 2)
        self.assertIn("another session has taken over its mailbox, nothing"
                      " is deleted", self.sandbox.log("pop3d.log"))

    def test_a_renewal_prolongs_it_and_tells_who_lost_it(self):
        with self.sandbox.smtp() as s:
            s.send("ann@remote.test", [BOB], mail())
        box = self.sandbox.number("SELECT mailbox_id FROM mailbox"
                                  " WHERE address = '%s'" % BOB)
        p, q = self.login(), self.sandbox.pop3(BOB)
        self.addCleanup(q.close)
        q.cmd("DELE 1")
        beat = self.sandbox.number("SELECT MAX(beat) FROM lease")
        self.expire()
        self.sandbox.sql(
            "UPDATE lease SET holder = 'elsewhere', keeper = REPEAT('x', 16),"
            " fence = fence + 1, expires_at = UTC_TIMESTAMP(3)"
            " + INTERVAL 60 SECOND WHERE mailbox_id = %d" % box)
        q.sock.settimeout(40)
        self.assertEqual(q.line(), "-ERR [SYS/TEMP] another session has taken"
                         " over this mailbox, nothing is deleted")
        wait_until(lambda: self.sandbox.number(
            "SELECT COUNT(*) FROM lease WHERE beat > %d"
            " AND expires_at > UTC_TIMESTAMP(3) AND mailbox_id <> %d"
            % (beat, box)) == 1, 30, "a renewal")
        if built_with_faults():
            self.assertTrue(self.sandbox.points.passed("lease-unread",
                                                       "keeper"))
        self.assertInUse()
        p.quit()
        self.assertEqual(self.mails(), 4)
        self.sandbox.sql("UPDATE lease SET holder = NULL")

    @unittest.skipUnless(built_with_faults(), "no fault points")
    def test_a_taking_whose_answer_is_lost_is_given_back(self):
        self.sandbox.fault("lease-taken", "fail")
        with Pop3(self.sandbox.env["MAILROW_POP3"]) as p:
            with self.assertRaises(Failed) as e:
                p.login(ALICE)
            self.assertTrue(e.exception.answer.startswith("-ERR [SYS/TEMP]"),
                            e.exception.answer)
        wait_until(lambda: self.held() == 0, 10, "the give-back")
        self.login().quit()

    @unittest.skipUnless(built_with_faults(), "no fault points")
    def test_a_give_back_that_fails_is_tried_again(self):
        self.sandbox.fault("keeper-release", "fail")
        p = self.login()
        self.assertInUse()
        p.file.close()
        p.sock.close()
        wait_until(lambda: "cannot give back the lease of a mailbox" in
                   self.sandbox.log("pop3d.log"), what="the failure")
        self.assertEqual(self.held(), 1)
        wait_until(lambda: self.held() == 0, 20, "the second try")
        self.login().quit()

    @unittest.skipUnless(built_with_faults(), "no fault points")
    def test_a_quit_in_doubt_is_settled(self):
        for point in ("move-fence", "move-commit-unread", "move-committed"):
            before = self.mails()
            p = self.login()
            p.cmd("DELE 1")
            self.sandbox.fault(point, "fail")
            p.quit()
            self.assertEqual(self.mails(), before - 1, point)
            self.login().quit()

    def test_off_again_by_a_reload(self):
        conf = os.path.join(self.sandbox.dir, "etc", "mailrow", "conf.d",
                            "then.conf")
        os.makedirs(os.path.dirname(conf), exist_ok=True)
        with open(conf, "w") as f:
            f.write("pop3_exclusive = no\n")
        self.addCleanup(self.sandbox.kill, "pop3d", signal.SIGHUP)
        self.addCleanup(os.unlink, conf)
        p = self.login()
        self.sandbox.kill("pop3d", signal.SIGHUP)
        q = self.login_again()
        self.assertEqual(q.stat()[0], 3)
        q.quit()
        p.quit()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What guessing passwords meets at mailrow-authd."""

import os
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from authtalk import Auth, mann_whitney, times
from mrtest import (PASSWORD, TOP, Failed, Sandbox, SandboxTest, main,
                    wait_until)

ALICE, BOB = "alice@example.test", "bob@example.test"


def socket_of(sandbox):
    return os.path.join(sandbox.dir, "run", "auth", "auth")


class Ticks(SandboxTest):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox("db", "authd",
                              conf=("auth_failure_delay = 500ms",))
        cls.sandbox.account(ALICE)

    def apart(self):
        """How far the medians lie apart, and p of the rank test."""
        found = times(socket_of(self.sandbox),
                      {"unknown": ("nobody@example.test", "a guess"),
                       "wrong": (ALICE, "a guess")}, tries=60, at_once=10)
        unknown, wrong = found["unknown"], found["wrong"]
        self.assertGreaterEqual(min(unknown + wrong), 0.495)
        ratio = statistics.median(unknown) / statistics.median(wrong)
        return abs(ratio - 1), mann_whitney(unknown, wrong)

    def test_the_time_does_not_tell_whether_a_name_exists(self):
        """Of equal times one run in a hundred looks unequal, and more on a
        busy machine; times that differ do so in every run."""
        for _ in range(5):
            median, p = self.apart()
            if median < 0.03 and p > 0.01:
                return
        self.fail("the times lie apart: medians by %g, p = %g" % (median, p))


class Attackers(SandboxTest):
    """Addresses are told as a proxy or Postfix tells them."""

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox(conf=(
            "auth_failure_delay = 500ms", "delay_slots = 2",
            "auth_attackers = enforce", "trusted_networks = 198.51.100.0/24"))
        for who in (ALICE, BOB):
            cls.sandbox.account(who)

    def tearDown(self):
        super().tearDown()
        self.sandbox.sql("UPDATE attacker SET weight = 0, level = 0,"
                         " blocked = 0, refused_until = UTC_TIMESTAMP(6),"
                         " changed_at = UTC_TIMESTAMP(6)")

    def auth(self):
        a = Auth(socket_of(self.sandbox))
        self.addCleanup(a.close)
        return a

    def guess(self, rip, n, user=ALICE):
        """n wrong passwords, each in a connection of its own."""
        conns = [self.auth() for _ in range(n)]
        for i, a in enumerate(conns):
            a.ask(user, "%s guess %d" % (self.id(), i), rip=rip)
        self.assertEqual([a.answer() for a in conns], ["FAIL"] * n)

    def reasons(self):
        return [l.split("reason=")[1].split()[0]
                for l in self.sandbox.log("authd.log").splitlines()
                if "reason=" in l]

    def row(self, who):
        return self.sandbox.sql(
            "SELECT blocked, refused_until > UTC_TIMESTAMP(6) FROM attacker"
            " WHERE who = '%s'" % who)

    def test_refused_unseen_and_answered_like_any_failure(self):
        self.guess("192.0.2.1", 10)
        a = self.auth()
        said, seconds = a.timed(ALICE, PASSWORD, rip="192.0.2.1")
        self.assertEqual(said, "FAIL")
        self.assertLess(seconds, 0.4)
        self.assertEqual(self.reasons()[-1], "address-refused")
        self.assertEqual(a.login(ALICE, PASSWORD, rip="192.0.2.2"), "OK")
        # the other door knows
        self.assertEqual(a.login(ALICE, PASSWORD, rip="192.0.2.1",
                                 service="pop3"), "FAIL")

    def test_guesses_at_once_are_no_more_than_guesses_in_turn(self):
        self.guess("192.0.2.61", 60)
        last = self.reasons()[-60:]
        self.assertEqual((last.count("wrong-password"),
                          last.count("address-refused")), (10, 50))

    def test_many_right_ones_at_once_are_right(self):
        conns = [self.auth() for _ in range(60)]
        for i, a in enumerate(conns):
            a.ask((ALICE, BOB)[i % 2], PASSWORD, rip="192.0.2.62")
        self.assertEqual([a.answer() for a in conns], ["OK"] * 60)

    def test_who_hangs_up_before_his_turn_is_forgotten(self):
        conns = [self.auth() for _ in range(60)]
        for i, a in enumerate(conns):
            a.ask(ALICE, "in vain %d" % i, rip="192.0.2.63")
        for a in conns[1::2]:
            a.close()
        self.assertEqual([a.answer() for a in conns[::2]], ["FAIL"] * 30)

    def times_of_answers(self, conns, begun):
        """Of answers that are all FAIL, the first one first."""
        with ThreadPoolExecutor(len(conns)) as pool:
            said = list(pool.map(lambda a: (a.answer(), time.monotonic()),
                                 conns))
        self.assertEqual([answer for answer, _ in said],
                         ["FAIL"] * len(conns))
        return sorted(at - begun for _, at in said)

    def test_delays_take_slots_and_beyond_them_is_refusal(self):
        self.guess("192.0.2.11", 3)
        conns = [self.auth() for _ in range(6)]
        begun = time.monotonic()
        for i, a in enumerate(conns):
            a.ask(ALICE, "more %d" % i, rip="192.0.2.11")
        # whoever comes first has the slots
        after = self.times_of_answers(conns, begun)
        self.assertLess(after[3], 0.9)
        self.assertGreater(after[4], 1.4)
        # one who hangs up gives his back, and the right word is not delayed
        conns[0].ask(ALICE, "last", rip="192.0.2.11")
        conns[0].close()
        self.assertEqual(conns[1].login(ALICE, PASSWORD, rip="192.0.2.11"),
                         "OK")

    def test_a_forgotten_telephone_is_not_refused(self):
        conns = [self.auth() for _ in range(15)]
        self.auth().login(BOB, "the old one", rip="192.0.2.21")
        for a in conns:
            a.ask(BOB, "the old one", rip="192.0.2.21")
        for a in conns:
            a.answer()
        self.assertEqual(self.auth().login(BOB, PASSWORD, rip="192.0.2.21"),
                         "OK")

    def test_trusted_networks_are_exempt(self):
        self.guess("198.51.100.1", 12)
        self.assertEqual(self.auth().login(ALICE, PASSWORD,
                                           rip="198.51.100.1"), "OK")

    def test_the_owner_is_not_locked_out(self):
        a = self.auth()
        self.assertEqual(a.login(BOB, PASSWORD, rip="203.0.113.1"), "OK")
        for n in range(200):
            # nobody waits for his answer, so no slot is taken for long
            with Auth(socket_of(self.sandbox)) as b:
                b.ask(BOB, "guess %d" % n, rip="10.1.%d.1" % n)
            if "account-refused" in self.reasons():
                break
            time.sleep(0.05)
        self.assertEqual(a.login(BOB, PASSWORD, rip="203.0.112.1"), "FAIL")
        self.assertEqual(self.reasons()[-1], "account-refused")
        self.assertEqual(a.login(BOB, PASSWORD, rip="203.0.113.2"), "OK")

    def test_it_survives_a_restart(self):
        self.guess("192.0.2.31", 10)
        wait_until(lambda: self.row("192.0.2.31") == [["0", "1"]],
                   what="the row")
        self.sandbox.stop("authd")
        self.sandbox.start_alone("authd")
        # what is refused is not looked up: the others are not in doubt
        wait_until(lambda: self.auth().login(ALICE, PASSWORD,
                                             rip="192.0.2.31") == "FAIL",
                   what="a refusal after the restart")
        self.assertEqual(self.auth().login(ALICE, PASSWORD,
                                           rip="192.0.2.32"), "OK")

    def test_another_node_is_heard(self):
        """Of which the table is all that we see."""
        self.sandbox.sql(
            "INSERT INTO attacker VALUES ('192.0.2.41', 12000, 1,"
            " UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE, 0, UTC_TIMESTAMP(6))")
        wait_until(lambda: self.auth().login(ALICE, PASSWORD,
                                             rip="192.0.2.41") == "FAIL",
                   what="another node's refusal")

    def test_block_and_unblock(self):
        r = self.sandbox.tool("auth", "block", "203.0.113.64/26", "0s",
                              check=False)
        self.assertEqual(r.returncode, 65, r.stderr)
        self.assertNotIn("203.0.113.64/26",
                         self.sandbox.tool("auth", "attackers").stdout)
        self.sandbox.tool("auth", "block", "203.0.113.64/26", "1h")
        wait_until(lambda: self.auth().login(ALICE, PASSWORD,
                                             rip="203.0.113.77") == "FAIL",
                   what="a block")
        self.assertEqual(self.reasons()[-1], "address-blocked")
        self.assertIn("203.0.113.64/26",
                      self.sandbox.tool("auth", "attackers").stdout)
        self.sandbox.tool("auth", "unblock", "203.0.113.64/26")
        wait_until(lambda: self.auth().login(ALICE, PASSWORD,
                                             rip="203.0.113.77") == "OK",
                   what="an end of the block")

    def test_what_is_held_against_an_address_is_forgotten(self):
        self.guess("192.0.2.51", 10)
        wait_until(lambda: self.row("192.0.2.51") == [["0", "1"]],
                   what="the row")
        self.sandbox.tool("auth", "unblock", "192.0.2.51")
        wait_until(lambda: self.auth().login(ALICE, PASSWORD,
                                             rip="192.0.2.51") == "OK",
                   what="a pardon")

    def test_the_tool_says_what_it_does_not_know(self):
        for args, code in ((("unblock", "192.0.2.99"), 67),
                           (("unblock", "not an address"), 65),
                           (("block", "not an address"), 65),
                           (("block", "192.0.2.7", "soon"), 65)):
            r = self.sandbox.tool("auth", *args, check=False)
            self.assertEqual(r.returncode, code, (args, r.stderr))

    def test_both_doors_end_to_end(self):
        """Postfix tells the address; 127.0.0.1 is nobody special."""
        self.guess("127.0.0.1", 9)
        with self.sandbox.submission() as s:
            s.starttls()
            self.assertEqual(s.auth_plain(ALICE, "the last guess")[:3], "535")
        with self.sandbox.submission() as s:
            s.starttls()
            self.assertEqual(s.auth_plain(ALICE, PASSWORD)[:3], "535")
        with self.assertRaises(Failed) as caught:
            self.sandbox.pop3(ALICE)
        self.assertTrue(caught.exception.answer.startswith("-ERR [AUTH]"))
        self.assertEqual(self.reasons()[-1], "address-refused")


class OddRows(SandboxTest):
    """What login_query says of an account need not be one row with a hash.
    Alice has a second password that nobody can check; the password of LDAP is
    kept elsewhere; of the rows of PHONE the first is an application password
    of the panel's, which is closed."""

    LDAP, PHONE = "ldap@example.test", "phone@example.test"

    @classmethod
    def setUpClass(cls):
        cls.profiles = tempfile.mkdtemp(prefix="mrt.", dir="/tmp")
        os.chmod(cls.profiles, 0o755)
        with open(os.path.join(TOP, "sql", "profiles", "native.conf"),
                  encoding="utf-8") as f:
            whole = f.read()
        query = whole.split("login_query =")[1].split("state_query =")[0]

        def but(hashed, active, which):
            return query.rstrip().replace("a.password AS hash", hashed) \
                .replace("d.active AS active", active) + " AND :login " + which

        odd = "\n    UNION ALL".join((
            but("a.password AS hash", "d.active AS active",
                "NOT IN ('%s', '%s')" % (cls.LDAP, cls.PHONE)),
            but("'!$6$s$h'", "d.active", "= '%s'" % ALICE),
            but("'{PLAIN}panel'", "0", "= '%s'" % cls.PHONE),
            but("a.password", "d.active", "= '%s'" % cls.PHONE)))
        with open(os.path.join(cls.profiles, "native.conf"), "w",
                  encoding="utf-8") as f:
            f.write(whole.replace(query, odd + "\n\n"))
        cls.sandbox = Sandbox("db", "authd", conf=(
            "profile_dir = " + cls.profiles, "auth_failure_delay = 500ms",
            "delay_slots = 100", "auth_attackers = enforce",
            "auth_grace = 1m", "auth_timeout = 5s",
            "db_connect_timeout = 1s"))
        for who in (ALICE, BOB, cls.LDAP, cls.PHONE):
            cls.sandbox.account(who)

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        shutil.rmtree(cls.profiles)

    def setUp(self):
        self.sandbox.start_alone("db", "authd")

    def ask(self, user, password, rip):
        """The answer, "temp" and all, and after how many seconds."""
        with Auth(socket_of(self.sandbox)) as a:
            begun = time.monotonic()
            a.ask(user, password, rip=rip, service="pop3")
            said = a.line().split("\t")
        return ("temp" if "code=temp_fail" in said else said[0],
                time.monotonic() - begun)

    def guess(self, user, rip, n=12):
        with ThreadPoolExecutor(n) as pool:
            return list(pool.map(
                lambda i: self.ask(user, "guess %d" % i, rip), range(n)))

    def test_our_application_passwords_hang_on_the_account_itself(self):
        rip = "192.0.2.76"
        self.assertEqual(self.ask(self.LDAP, PASSWORD, rip)[0], "FAIL")
        self.assertEqual(self.ask(self.PHONE, PASSWORD, rip)[0], "OK")
        for who in self.LDAP, self.PHONE:
            word = self.sandbox.tool("account", "app-password", "add", who,
                                     "ours").stdout.strip()
            with Auth(socket_of(self.sandbox)) as a:
                a.ask(who, word, rip=rip, service="pop3")
                said = a.line()
            self.assertEqual(said.split("\t")[0], "OK", said)
            self.assertIn("mailbox=" + who, said)
            self.sandbox.sql("UPDATE account SET active = 0 WHERE address ="
                             " '%s'" % who)
            self.assertEqual(self.ask(who, word, rip)[0], "FAIL")
            self.assertIn("reason=account-disabled",
                          self.sandbox.log("authd.log").splitlines()[-1])
            # another account of the name does not inherit it
            self.sandbox.sql("UPDATE account SET active = 1, account_id ="
                             " account_id + 1000 WHERE address = '%s'" % who)
            self.assertEqual(self.ask(who, word, rip)[0], "FAIL")

    def test_one_of_some_passwords_that_can_be_checked_is_counted(self):
        self.assertEqual(self.ask(ALICE, PASSWORD, "192.0.2.70")[0], "OK")
        found = self.guess(ALICE, "192.0.2.71")
        self.assertEqual([said for said, _ in found].count("temp"), 10)
        self.assertGreater(min(s for said, s in found if said == "temp"),
                           0.495)
        self.assertEqual(self.ask(ALICE, PASSWORD, "192.0.2.71")[0], "FAIL")
        self.assertEqual(self.ask(ALICE, PASSWORD, "192.0.2.70")[0], "OK")

    def test_where_none_can_be_checked_nobody_guesses(self):
        self.sandbox.sql("UPDATE account SET password = '!' WHERE address ="
                         " '%s'" % BOB)
        found = self.guess(BOB, "192.0.2.72")
        self.assertEqual({said for said, _ in found}, {"temp"})
        self.assertGreater(min(s for _, s in found), 0.495)
        self.assertEqual(self.ask(ALICE, PASSWORD, "192.0.2.72")[0], "OK")
        self.sandbox.account(BOB)

    def test_what_is_remembered_is_guessed_no_faster_during_grace(self):
        self.assertEqual(self.ask(ALICE, PASSWORD, "192.0.2.73")[0], "OK")
        self.sandbox.stop("db")
        # a worker may find first that his connection is lost: his is no guess
        found = self.guess(ALICE, "192.0.2.74", 20)
        self.assertIn([said for said, _ in found].count("temp"),
                      range(10, 15))
        self.assertGreater(min(s for said, s in found if said == "temp"),
                           0.495)
        self.assertEqual(self.ask(ALICE, PASSWORD, "192.0.2.74")[0], "FAIL")
        # whoever is not remembered is told that it is our trouble, always
        found = self.guess("carol@example.test", "192.0.2.75")
        self.assertEqual({said for said, _ in found}, {"temp"})
        self.assertEqual(self.ask(ALICE, PASSWORD, "192.0.2.75")[0], "OK")


if __name__ == "__main__":
    main()

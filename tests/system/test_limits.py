#!/usr/bin/env python3
"""Limits: how much accounts and domains may send and receive."""

import json
import unittest

from mrtest import SandboxTest, main

ALICE, BOB = "alice@example.test", "bob@example.test"


class LimitTest(SandboxTest):
    def limit(self, *args, **options):
        return self.sandbox.tool("limit", *args, **options)

    def table(self, verb, *args):
        return json.loads(self.sandbox.tool("--json", "limit", verb, *args)
                          .stdout)["usage" if verb == "usage" else "limits"]

    def tearDown(self):
        self.sandbox.sql("DELETE FROM policy_limit; DELETE FROM limit_usage")
        super().tearDown()


class Tool(LimitTest):
    def rows(self, *name):
        return [tuple(r.values()) for r in self.table("show", *name)]

    def test_set_show_unset(self):
        self.limit("set", ALICE, "1h", "--messages", "100")
        self.limit("set", "Alice@EXAMPLE.test", "1d", "--messages=500",
                   "--recipients=900", "--octets=10M")
        self.limit("set", "example.test", "90m", "--in", "--recipients", "5")
        self.limit("set", "*", "31d", "--octets", "1G")
        self.limit("set", "@*", "1m", "--messages", "0")
        self.assertEqual(self.rows(), [
            ("*", "out", "31d", None, None, 1 << 30),
            ("@*", "out", "1m", 0, None, None),
            ("@example.test", "in", "90m", None, 5, None),
            (ALICE, "out", "1h", 100, None, None),
            (ALICE, "out", "1d", 500, 900, 10 << 20)])
        self.limit("set", ALICE, "1h", "--recipients", "7")
        self.assertEqual(self.rows(ALICE)[0],
                         (ALICE, "out", "1h", None, 7, None))
        self.limit("unset", ALICE, "60m")
        self.assertEqual(len(self.rows(ALICE)), 1)
        self.limit("unset", "@example.test", "--in")
        self.limit("unset", ALICE)
        self.assertEqual(len(self.rows()), 2)
        self.assertIn("31d", self.limit("show").stdout)

    def test_usage_names_the_limits_that_hold(self):
        self.limit("set", "*", "1h", "--messages", "10", "--octets", "1K")
        self.limit("set", "@*", "1h", "--messages", "99")
        self.limit("set", BOB, "1h", "--messages", "20")
        self.sandbox.sql(
            "INSERT INTO limit_usage VALUES"
            " ('%s', 'out', 3600, UNIX_TIMESTAMP() - 60, 3, 4, 500, 0),"
            " ('%s', 'out', 3600, UNIX_TIMESTAMP() - 3700, 9, 9, 9, 0),"
            " ('@example.test', 'out', 3600, UNIX_TIMESTAMP(), 7, 7, 7, 0)"
            % (ALICE, BOB))
        whole = ("@example.test", "out", "1h", 7, 99, 7, None, 7, None)
        self.assertEqual([tuple(r.values())[:9] for r in
                          self.table("usage", ALICE)],
                         [(ALICE, "out", "1h", 3, 10, 4, None, 500, 1024),
                          whole])
        self.assertEqual([tuple(r.values())[:9] for r in
                          self.table("usage", BOB)],
                         [(BOB, "out", "1h", 0, 20, 0, None, 0, None), whole])
        self.assertEqual([tuple(r.values())[:9] for r in
                          self.table("usage", "example.test")], [whole])
        ends = self.table("usage", ALICE)[0]["ends"]
        self.assertRegex(ends, r"^\w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000$")
        self.assertFalse(self.table("usage", BOB)[0]["ends"])
        self.limit("reset", ALICE)
        self.assertEqual(self.table("usage", ALICE)[0]["messages"], 0)
        self.assertEqual(self.table("usage", ALICE)[1]["messages"], 7)

    def test_what_is_not_understood(self):
        for code, args in (
                (65, ("set", "x@@", "1h", "--messages", "1")),
                (65, ("set", ALICE, "59s", "--messages", "1")),
                (65, ("set", ALICE, "32d", "--messages", "1")),
                (65, ("set", ALICE, "hour", "--messages", "1")),
                (64, ("set", ALICE, "1h")),
                (64, ("set", ALICE, "1h", "--messages", "many")),
                (64, ("set", ALICE, "1h", "--octets", "1T")),
                (64, ("set", ALICE, "--messages", "1")),
                (67, ("unset", ALICE)),
                (67, ("reset", ALICE)),
                (65, ("usage", "*"))):
            r = self.limit(*args, check=False)
            self.assertEqual(r.returncode, code, (args, r.stderr))
            self.assertTrue(r.stderr.startswith("mailrow: "), r.stderr)
        self.assertEqual(self.rows(), [])

    def test_there_are_only_so_many_windows(self):
        for minutes in range(1, 9):
            self.limit("set", ALICE, "%dm" % minutes, "--messages", "1")
        self.limit("set", ALICE, "8m", "--messages", "2")
        self.limit("set", ALICE, "9m", "--in", "--messages", "1")
        r = self.limit("set", ALICE, "9m", "--messages", "1", check=False)
        self.assertEqual(r.returncode, 73, r.stderr)


if __name__ == "__main__":
    main()

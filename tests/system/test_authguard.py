#!/usr/bin/env python3
"""What guessing passwords meets at mailrow-authd."""

import os
import statistics

from authtalk import mann_whitney, times
from mrtest import Sandbox, SandboxTest, main

ALICE = "alice@example.test"


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
                       "wrong": (ALICE, "a guess")}, tries=100, at_once=50)
        unknown, wrong = found["unknown"], found["wrong"]
        self.assertGreaterEqual(min(unknown + wrong), 0.495)
        ratio = statistics.median(unknown) / statistics.median(wrong)
        return abs(ratio - 1), mann_whitney(unknown, wrong)

    def test_the_time_does_not_tell_whether_a_name_exists(self):
        """Of equal times one run in a hundred looks unequal, three in a row
        in a million."""
        for _ in range(3):
            median, p = self.apart()
            self.assertLess(median, 0.03)
            if p > 0.01:
                return
        self.fail("the times lie apart: p = %g" % p)


if __name__ == "__main__":
    main()

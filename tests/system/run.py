#!/usr/bin/env python3
"""Runs the system tests: all, or the files, classes or tests named
(test_smtp, test_smtp.SmtpDialogue ...). One line a test; the last line is
"N passed, N failed, N skipped"."""

import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from mrtest import need_root  # noqa: E402


class Lines(unittest.TextTestResult):
    def __init__(self):
        super().__init__(unittest.runner._WritelnDecorator(sys.stdout),
                         False, 0)
        self.passed = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def say(self, word, test, why=""):
        took = time.monotonic() - getattr(self, "began", time.monotonic())
        print("%s: %s (%.1f s)%s" % (word, test.id() if hasattr(test, "id")
                                     else test, took, why), flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self.say("PASS", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say("FAIL", test, "\n" + self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.say("FAIL", test, "\n" + self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("SKIP", test, ": " + reason)


def main():
    need_root()
    names = sys.argv[1:] or sorted(
        f[:-3] for f in os.listdir(HERE)
        if f.startswith("test_") and f.endswith(".py"))
    result = Lines()
    unittest.defaultTestLoader.loadTestsFromNames(names).run(result)
    failed = len(result.failures) + len(result.errors)
    print("%d passed, %d failed, %d skipped" % (
        result.passed, failed, len(result.skipped)))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs the system tests: all, or the files, classes or tests named
(test_smtp, test_smtp.SmtpDialogue ...). One line a test; the last line is
"N passed, N failed, N skipped". Each file is a process of its own, twice as
many at a time as there are processors: most of them wait. Those that measure
time, or load the machine, come first and have a processor each."""

import concurrent.futures
import os
import re
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from mrtest import database_template, need_root  # noqa: E402


MEASURING = ("test_authguard", "test_together", "test_smtp", "test_pop3edge",
             "test_auth", "test_pop3parent")
LONG = ("test_lmtpways", "test_tls", "test_packaging", "test_resolve",
        "test_lmtp")


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

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.say("FAIL", subtest,
                     "\n" + (self.failures + self.errors)[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("SKIP", test, ": " + reason)


def run_here(names):
    result = Lines()
    unittest.defaultTestLoader.loadTestsFromNames(names).run(result)
    return (result.passed, len(result.failures) + len(result.errors),
            len(result.skipped))


def run_apart(name):
    """One file; its counts. What it prints comes in one piece."""
    p = subprocess.run([sys.executable, __file__, name], text=True,
                       check=False, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)
    lines = p.stdout.splitlines()
    m = lines and re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped",
                               lines[-1])
    if m:
        counts = tuple(int(n) for n in m.groups())
        lines = lines[:-1]
    else:
        counts = (0, 1, 0)
        lines.append("FAIL: %s: it ended with exit code %d" % (
            name, p.returncode))
    print("\n".join(lines), flush=True)
    return counts


def run_all(names, at_once):
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(run_apart, names))


def run_files(names):
    """The counts of each. What takes longest is begun first."""
    names = sorted(names, key=lambda n: n not in LONG)
    measuring = [n for n in names if n.split(".")[0] in MEASURING]
    others = [n for n in names if n not in measuring]
    with database_template():
        return run_all(measuring, os.cpu_count()) \
            + run_all(others, 2 * os.cpu_count())


def main():
    need_root()
    names = sys.argv[1:] or sorted(
        f[:-3] for f in os.listdir(HERE)
        if f.startswith("test_") and f.endswith(".py"))
    counts = [run_here(names)] if len(names) == 1 else run_files(names)
    passed, failed, skipped = (sum(c) for c in zip(*counts))
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

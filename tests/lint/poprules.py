#!/usr/bin/env python3
"""tests/dialog/RULES.md names a test for each rule, and each of them is there;
a test that is named after a rule stands under it."""

import re

from lintlib import files, finish, line_of, problem, read

RULES = "tests/dialog/RULES.md"
LAST = 62
DEFINED = re.compile(r"(?m)^(?:static void |    def test_)"
                     r"(rule_(\d\d)((?:_and_\d\d)*)_\w+)\(")


def tests_of_rules():
    """{number: {(file, test)}}"""
    found = {}
    for path in files(".c", ".py", folders=("tests",), root=False):
        for m in DEFINED.finditer(read(path)):
            for number in re.findall(r"\d\d", m[2] + m[3]):
                found.setdefault(int(number), set()).add((path, m[1]))
    return found


def listed():
    """{number: (line, {(file, test)})}"""
    rules, number = {}, None
    for n, line in enumerate(read(RULES).splitlines(), 1):
        rule = re.match(r"(\d+)\. \S", line)
        test = re.fullmatch(r"   - `(\S+)` `(\S+)`", line)
        if rule:
            number = int(rule[1])
            if number in rules:
                problem(RULES, n, "rule %d stands twice" % number)
            rules[number] = (n, set())
        elif test and number:
            rules[number][1].add(("tests/" + test[1], test[2]))
        elif line.startswith("   - "):
            problem(RULES, n, "not a file and a test")
    return rules


rules, there = listed(), tests_of_rules()
for number in range(1, LAST + 1):
    line, tests = rules.get(number, (1, set()))
    if not tests:
        problem(RULES, line, "rule %d has no test" % number)
    for path, test in sorted(tests - there.get(number, set())):
        problem(RULES, line, "rule %d: no %s in %s" % (number, test, path))
    for path, test in sorted(there.get(number, set()) - tests):
        text = read(path)
        problem(path, line_of(text, text.find(test)),
                "%s is missing in %s" % (test, RULES))
for number in sorted(set(rules) | set(there)):
    if not 1 <= number <= LAST:
        problem(RULES, rules.get(number, (1,))[0], "no rule %d" % number)
finish("poprules")

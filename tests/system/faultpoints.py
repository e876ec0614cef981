"""The table of fault points that the processes of a test build share
(lib/fault.h): which there are, who passed them how often, and orders."""

import mmap
import os
import struct
import time

HEAD = struct.Struct("16sIIII")
ROW = struct.Struct("40s88sII24sII")
LEFT = struct.calcsize("40s88sII24sI")


def text(octets):
    return octets.partition(b"\0")[0].decode()


class Points:
    """The points of a MAILROW_FAULT_DIR, once a program has been started."""

    def __init__(self, directory, seconds=20):
        path = os.path.join(directory, "points")
        end = time.monotonic() + seconds
        while not os.path.exists(path):
            if time.monotonic() > end:
                raise AssertionError("no fault points in %s" % directory)
            time.sleep(0.01)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)
        magic, rows, self.size, n, width = HEAD.unpack_from(self.map)
        if text(magic) != "mailrow faults":
            raise AssertionError("%s: not a table of fault points" % path)
        at = HEAD.size
        self.who = [text(self.map[at + i * width:at + (i + 1) * width])
                    for i in range(n)]
        at += n * width
        self.at = {text(self.map[at + i * self.size:][:40]):
                   at + i * self.size for i in range(rows)}

    def names(self, who=None):
        """All, or those that "milter", "keeper" ... declares to meet."""
        return [n for n in self.at if who is None or who in self.meets(n)]

    def row(self, name):
        return ROW.unpack_from(self.map, self.at[name])

    def step(self, name):
        return text(self.row(name)[1])

    def meets(self, name):
        mask = self.row(name)[2]
        return [w for i, w in enumerate(self.who) if mask >> i & 1]

    def can_fail(self, name):
        return self.row(name)[3] == 1

    def arm(self, name, order, passing=1, who=None):
        """"die", "stall MS", "cut", "fail": at so many passings from now, of
        the program who if it is given."""
        if order == "fail" and not self.can_fail(name):
            raise AssertionError("%s cannot fail" % name)
        by = 1 << self.who.index(who) if who else 0
        at = self.at[name]
        self.put_left(at, 0)
        struct.pack_into("24sI", self.map, at + 136,
                         order.encode().ljust(24, b"\0"), by)
        self.put_left(at, passing)

    def put_left(self, at, n):
        struct.pack_into("I", self.map, at + LEFT, n)

    def disarm(self, name=None):
        for n in [name] if name else self.at:
            self.put_left(self.at[n], 0)

    def armed(self, name):
        """Whether the order is still to be carried out."""
        return self.row(name)[6] > 0

    def passed(self, name, who=None):
        """How often, since the table was made."""
        counts = struct.unpack_from("%dQ" % len(self.who), self.map,
                                    self.at[name] + ROW.size)
        return counts[self.who.index(who)] if who else sum(counts)

"""Orders for nomem.c: which allocation of which process fails."""

import mmap
import os
import struct
import subprocess

HEAD = struct.Struct("=qi8iII")
FRAME = struct.Struct("=40sQ")
FRAMES = 24
NEVER = 1 << 40


class Nomem:
    def __init__(self, path):
        with open(path, "wb") as f:
            f.write(b"\0" * (HEAD.size + 4 + FRAMES * FRAME.size))
        os.chmod(path, 0o666)
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)

    def arm(self, n, only=0, spared=()):
        """The n-th allocation from now fails, of process only, or of all
        that are not spared."""
        spared = (tuple(spared) + (0,) * 8)[:8]
        struct.pack_into("=qi8iII", self.map, 0, 0, only, *spared, 0, 0)
        struct.pack_into("=q", self.map, 0, n)

    def disarm(self):
        """How many of what was armed are left."""
        left = struct.unpack_from("=q", self.map)[0]
        struct.pack_into("=q", self.map, 0, 0)
        return max(left, 0)

    @property
    def failed(self):
        return HEAD.unpack_from(self.map)[10] == 1

    def where(self):
        """(object, offset) from the allocation outwards."""
        n = HEAD.unpack_from(self.map)[11]
        start = (HEAD.size + 7) // 8 * 8
        found = []
        for i in range(n):
            name, offset = FRAME.unpack_from(self.map,
                                             start + i * FRAME.size)
            found.append((name.partition(b"\0")[0].decode(), offset))
        return found


def locate(frames, programs):
    """Function names, for what is ours."""
    told = []
    for name, offset in frames:
        if name not in programs:
            told.append(name)
            continue
        r = subprocess.run(["addr2line", "-fse", programs[name],
                            hex(offset - 1)], check=False, text=True,
                           stdout=subprocess.PIPE).stdout.split("\n")
        told.append(" ".join(r[:2]))
    return " < ".join(told)

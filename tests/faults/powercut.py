"""A power cut: what powercut.c has noted and was not flushed is taken back."""

import contextlib
import os
import struct

RECORD = struct.Struct("=7Q")


class PowerCut:
    """The sandbox's database with an uncertain power supply. Its server must
    not bypass the calls that are watched: FLAGS."""

    FLAGS = "--innodb-use-native-aio=0 --innodb-flush-method=fsync"

    def __init__(self, world):
        self.world, box = world, world.sandbox
        self.journal = os.path.join(box.top, "journal")
        self.environ = {"LD_PRELOAD": library(),
                        "POWERCUT_JOURNAL": self.journal,
                        "POWERCUT_UNDER": os.path.join(box.dir, "db")}

    def start(self):
        """The server, watched from its first write on."""
        box = self.world.sandbox
        box.stop("db")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.journal)
        box.environ.update(self.environ)
        try:
            box.start_alone("db")
        finally:
            for name in self.environ:
                del box.environ[name]

    def cut(self):
        """Kills the server and takes back. (changes taken back, octets of
        them in logs)"""
        box = self.world.sandbox
        box.kill("db")
        box.stop("db")          # until nothing is left of it
        return take_back(self.journal)


def library():
    return os.path.join(os.environ["MAILROW_BUILD"], "tests", "faults",
                        "powercut.so")


def no_library():
    return "" if os.path.exists(library()) else \
        "tests/faults/powercut.so is not built (make check-faults)"


def records(path):
    """(number, is a flush, inode, offset, size before, path, old octets); the
    last one may be cut off: then its change was not made either."""
    with open(path, "rb") as f:
        while len(head := f.read(RECORD.size)) == RECORD.size:
            number, flush, inode, offset, size, old_len, path_len = \
                RECORD.unpack(head)
            rest = f.read(path_len + old_len)
            if len(rest) < path_len + old_len:
                return
            yield (number, flush, inode, offset, size,
                   os.fsdecode(rest[:path_len]), rest[path_len:])


def take_back(path):
    flushed = {}
    for number, flush, inode, *_ in records(path):
        if flush:
            flushed[inode] = max(flushed.get(inode, 0), number)
    lost = [r for r in records(path)
            if not r[1] and r[0] > flushed.get(r[2], 0)]
    files = {}
    for _, _, inode, offset, size, name, old in reversed(lost):
        try:
            if os.stat(name).st_ino != inode:
                continue
        except FileNotFoundError:
            continue
        if name not in files:
            files[name] = open(name, "r+b", buffering=0)
        os.pwrite(files[name].fileno(), old, offset)
        os.ftruncate(files[name].fileno(), size)
    for f in files.values():
        f.close()
    return len(lost), sorted({os.path.basename(name) for name in files})

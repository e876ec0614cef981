"""What is done to the machine around the product: signals, limits, mounts,
clocks. Each of them is undone by its end, also when the row fails."""

import contextlib
import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
import time

from mrtest import limit_files, status_of, wait_until

TICK = os.sysconf("SC_CLK_TCK")
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x00020000, 0x4000, 1 << 18


def private_mounts():
    """From here on what this process and its children mount is seen by
    nobody else and ends with them. Call it before the first thread. False
    where the system does not permit it (a container without CAP_SYS_ADMIN)."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.unshare(CLONE_NEWNS) == 0 and libc.mount(
        b"none", b"/", None, MS_REC | MS_PRIVATE, None) == 0


@functools.lru_cache
def no_mounts():
    """Why rows that mount something cannot run; "" when they can."""
    r = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none",
                        "/mnt"], check=False, stderr=subprocess.DEVNULL)
    return "" if r.returncode == 0 else "nothing may be mounted here"


def mount(*args):
    subprocess.run(["mount", *args], check=True)


@contextlib.contextmanager
def mounted(place, size):
    """An empty disk of that size lies over the directory."""
    st = os.stat(place)
    mount("-t", "tmpfs", "-o", "size=%s,mode=%o,uid=%d,gid=%d" % (
        size, st.st_mode & 0o7777, st.st_uid, st.st_gid), "none", place)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@contextlib.contextmanager
def moved_to_disk(place, size):
    """The same with what is in the directory, and it is there afterwards as
    it then is. Nobody may have files open there at the beginning and at the
    end."""
    aside = place.rstrip("/") + ".aside"
    os.mkdir(aside)
    copy(place, aside)
    try:
        with mounted(place, size):
            copy(aside, place)
            yield
            empty(aside)
            copy(place, aside)
        empty(place)
        copy(aside, place)
    finally:
        shutil.rmtree(aside)


def copy(a, b):
    """What lies in the directory a, into b, as it is."""
    subprocess.run(["cp", "-a", a + "/.", b], check=True)


def empty(place):
    for name in os.listdir(place):
        path = os.path.join(place, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)


@contextlib.contextmanager
def own_dev():
    """A /dev of which only the log is missing."""
    place = "/dev"
    keep = ("null", "zero", "full", "random", "urandom", "tty")
    nodes = [(n, os.stat(os.path.join(place, n))) for n in keep
             if os.path.exists(os.path.join(place, n))]
    with mounted(place, "1m"):
        for name, st in nodes:
            path = os.path.join(place, name)
            os.mknod(path, st.st_mode, st.st_rdev)
            os.chmod(path, 0o666)
        os.symlink("/proc/self/fd", place + "/fd")
        os.mkdir(place + "/shm", 0o1777)
        os.chmod(place + "/shm", 0o1777)
        yield


@contextlib.contextmanager
def filled(place):
    """The disk under this directory has no free octet."""
    ballast = os.path.join(place, "ballast")
    with open(ballast, "wb", buffering=0) as f:
        block = bytes(65536)
        while block:
            try:
                f.write(block)
            except OSError:
                block = block[:len(block) // 2]
    try:
        yield
    finally:
        os.unlink(ballast)


def open_files(pid):
    return [int(fd) for fd in os.listdir("/proc/%d/fd" % pid)]


def files_limits(pid):
    with open("/proc/%d/limits" % pid) as f:
        for line in f:
            if line.startswith("Max open files"):
                return line.split()[3:5]
    raise ProcessLookupError(pid)


@contextlib.contextmanager
def no_descriptors(*pids):
    """Not one more than they have now."""
    old = {pid: files_limits(pid) for pid in pids}
    try:
        for pid in pids:
            limit_files(pid, lowest_free(pid), old[pid][1])
        yield
    finally:
        for pid in pids:
            if os.path.exists("/proc/%d" % pid):
                limit_files(pid, *old[pid])


def lowest_free(pid):
    used, fd = set(open_files(pid)), 0
    while fd in used:
        fd += 1
    return fd


@contextlib.contextmanager
def failing_calls(calls, error, *pids):
    """These system calls fail, as they do when the system has no more
    processes or memory: limits on processes do not bind root. A function that
    tells whether one of them did."""
    with tempfile.NamedTemporaryFile("r") as said:
        yield from failing(said, calls, error, pids)


def failing(said, calls, error, pids):
    args = ["strace", "-qq", "-f", "-o", said.name, "-e", "trace=" + calls,
            "-e", "inject=%s:error=%s" % (calls, error)]
    for pid in pids:
        args += ["-p", str(pid)]
    tracer = subprocess.Popen(args)
    try:
        for pid in pids:
            wait_until(lambda p=pid: tracer_of(p) == tracer.pid,
                       what="strace")
        yield lambda: "INJECTED" in said.read()
    finally:
        tracer.terminate()
        tracer.wait()


def tracer_of(pid):
    return int(status_of(pid, "TracerPid"))


def children(pid):
    """All below it."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                for child in f.read().split():
                    found += [int(child)] + children(int(child))
    return found


def cpu(*pids):
    """Seconds of processor time they have used."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError), open("/proc/%d/stat" % pid) as f:
            ticks += sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
    return ticks / TICK


def memory(*pids):
    """KiB that are theirs alone."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), \
                open("/proc/%d/smaps_rollup" % pid) as f:
            for line in f:
                if line.startswith(("Private_Clean:", "Private_Dirty:")):
                    total += int(line.split()[1])
    return total


@contextlib.contextmanager
def timed(least=0, most=1e9):
    begun = time.monotonic()
    yield
    took = time.monotonic() - begun
    if not least <= took <= most:
        raise AssertionError("it took %.1f s" % took)


class SqlSession:
    """A client that holds what it has locked until it is closed. Statements
    end with the database's word that they are done."""

    def __init__(self, sandbox):
        self.client = subprocess.Popen(
            ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
             "--unbuffered", "--force", "--socket",
             sandbox.env["MAILROW_DB_SOCKET"], "mailrow"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        try:
            self.run("SELECT 1")
        except (ConnectionError, BrokenPipeError):
            self.close()
            raise ConnectionError("no connection") from None

    def run(self, statement):
        """Its rows."""
        rows = []
        self.client.stdin.write(statement + ";\nSELECT 'that is all';\n")
        self.client.stdin.flush()
        for line in self.client.stdout:
            if line == "that is all\n":
                return rows
            rows.append(line.rstrip("\n"))
        raise ConnectionError("the database has closed the connection")

    def close(self):
        for f in (self.client.stdin, self.client.stdout):
            with contextlib.suppress(OSError):
                f.close()
        self.client.wait()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

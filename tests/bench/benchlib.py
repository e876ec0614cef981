"""What the comparisons share: the sandbox, the load generators, figures."""

import atexit
import os
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("MAILROW_BUILD", os.path.join(TOP, "build"))

# So that what a bench has started ends with it.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))


def fail(text):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {text}")


def run(*argv, **kw):
    """Runs a command, returns its standard output, ends the bench if it fails."""
    p = subprocess.run(argv, stdout=subprocess.PIPE, text=True, **kw)
    if p.returncode != 0:
        fail(f"{shlex.join(argv)}: exit {p.returncode}")
    return p.stdout


def build_tools():
    if not os.path.exists(os.path.join(BUILD, "Makefile")):
        fail(f"no build in {BUILD}; set MAILROW_BUILD or run ./quickstart")
    run("make", "-s", "-C", BUILD, "bench-tools")


def tool(name):
    return os.path.join(BUILD, "tests", "bench", name)


def write(path, text, mode=0o644):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    os.chmod(path, mode)


def wait_for(test, what, seconds=20):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            fail(f"{what}: not in {seconds} s")
        time.sleep(0.002)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def greets(port):
    """Whether a server speaks first on that port."""
    try:
        with socket.create_connection(("127.0.0.1", int(port)), 5) as s:
            return s.recv(512).endswith(b"\n")
    except OSError:
        return False


def work_dir():
    """A directory that other users may enter, gone at the end."""
    d = tempfile.mkdtemp(prefix="mailrow-bench.", dir="/var/tmp")
    os.chmod(d, 0o755)
    atexit.register(shutil.rmtree, d, True)
    return d


class Sandbox:
    """The product's own sandbox in a directory below work."""

    def __init__(self, work, *start_args):
        self.dir = os.path.join(work, "sandbox")
        self.script = os.path.join(TOP, "packaging", "sandbox")
        self.environ = dict(os.environ, MAILROW_BUILD=BUILD)
        atexit.register(self.stop)
        self.env = {}
        self.start(*start_args)

    def start(self, *args):
        self.verb("start", *args)
        for word in shlex.split(self.verb("env")):
            key, value = word.split("=", 1)
            self.env[key] = value

    def verb(self, verb, *args, **kw):
        return run(self.script, verb, "--dir", self.dir, *args,
                   env=self.environ, **kw)

    def stop(self):
        subprocess.run([self.script, "stop", "--dir", self.dir, "--remove"],
                       env=self.environ, check=False)

    def age(self):
        """Makes the database's log one that has been written to its end and
        begun again, as a site's is from its first day on. In a new file each
        flush has the file system mark the blocks as written, too: one more
        write to the disk, for a log of 96 MiB only."""
        log = os.path.join(self.dir, "db", "ib_logfile0")
        self.verb("stop")
        run("cp", "--preserve", "--sparse=never", log, log + ".aged")
        os.replace(log + ".aged", log)
        self.start()

    def sql(self, text):
        return run("mariadb", "--no-defaults", "--batch",
                   "--skip-column-names", "--user=root",
                   "--socket", self.env["MAILROW_DB_SOCKET"], "mailrow",
                   input=text)

    def accounts(self, pattern, count, domain, stored):
        """count mailboxes with one stored password, straight into the table:
        hashing each would take longer than the bench."""
        rows = ",".join(
            f"('{pattern % i}','{domain}','{stored}',UTC_TIMESTAMP())"
            for i in range(count))
        self.sql(f"INSERT INTO domain (name, created_at) VALUES ('{domain}',"
                 " UTC_TIMESTAMP()); INSERT INTO account"
                 f" (address, domain, password, created_at) VALUES {rows};")

    def flushes(self, work):
        """Calls work() and counts how often the database flushed its log
        meanwhile. The server itself does not count that any more, so its
        system calls are watched: never during a timed run."""
        out = os.path.join(self.dir, "log", "flushes")
        watch = subprocess.Popen(
            ["strace", "-f", "-qq", "-c", "-e", "trace=fsync,fdatasync",
             "-o", out, "-p", self.env["MAILROW_PID_DB"]])
        time.sleep(1)
        work()
        watch.terminate()
        watch.wait()
        with open(out, encoding="ascii") as f:
            calls = [row.split() for row in f if row.rstrip().endswith("sync")]
        return sum(int(row[3]) for row in calls)

    def port(self, key):
        return self.env[key].rsplit(":", 1)[1]


def busy_seconds():
    """Processor time of the whole machine so far: client, MTA, database."""
    with open("/proc/stat", encoding="ascii") as f:
        tick = f.readline().split()[1:]
    idle = int(tick[3]) + int(tick[4])
    total = sum(int(t) for t in tick[:8])
    return (total - idle) / os.sysconf("SC_CLK_TCK")


def processes():
    """The fields of /proc/PID/stat behind the name, by process."""
    stats = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii",
                      errors="replace") as f:
                stats[int(pid)] = f.read().rpartition(")")[2].split()
        except OSError:
            continue                # it has ended meanwhile
    return stats


def tree_pids(*roots, stats=None):
    """These processes and those they have started."""
    children = {}
    for pid, stat in (stats or processes()).items():
        children.setdefault(int(stat[1]), []).append(pid)
    pids = [int(root) for root in roots]
    for pid in pids:
        pids.extend(children.get(pid, ()))
    return pids


def tree_seconds(*roots):
    """Processor time so far of these processes, of those they have started,
    and of those of them that have ended."""
    stats = processes()
    ticks = sum(sum(int(t) for t in stats[pid][11:15])
                for pid in tree_pids(*roots, stats=stats) if pid in stats)
    return ticks / os.sysconf("SC_CLK_TCK")


def load(*argv, prefix=(), after=None):
    """Runs a load generator, then calls after(), which waits until its work
    is done. Returns the generator's key=value line as a dictionary, with the
    seconds that after() took and the processor milliseconds that a unit of
    work cost."""
    before = busy_seconds()
    p = subprocess.run([*prefix, *argv], stdout=subprocess.PIPE, text=True,
                       check=False)
    ended = time.monotonic()
    if after and p.returncode == 0:
        after()
    waited = time.monotonic() - ended
    cpu = busy_seconds() - before
    figures = dict(word.split("=", 1) for word in p.stdout.split()
                   if "=" in word)
    if p.returncode != 0 or not figures:
        fail(f"{os.path.basename(argv[0])} saw errors: {p.stdout.strip()}")
    figures["after"] = waited
    figures["cpu_ms"] = 1000 * cpu / max(1, int(figures["ok"]))
    return figures


def median(values):
    return statistics.median(values)


def ratio(ours, theirs):
    """Median of the ratios round by round: what the machine does to one
    round, it does to both."""
    return median([a / b for a, b in zip(ours, theirs)])

"""Talks to mailrow-authd's own sockets, many attempts at once."""

import base64
import math
import random
import selectors
import socket
import time


class Auth:
    """One connection in the Dovecot protocol, one attempt at a time."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(path)
        self.rest = b""
        self.id = 0
        self.sock.sendall(b"VERSION\t1\t1\nCPID\t1\n")
        while self.line() != "DONE":
            pass

    def line(self):
        while b"\n" not in self.rest:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError("authd closed the connection")
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def ask(self, user, password, rip=None, service="smtp"):
        """Sends an attempt; the answer is read by answer()."""
        self.id += 1
        resp = base64.b64encode(
            ("\0%s\0%s" % (user, password)).encode()).decode()
        self.sock.sendall(("AUTH\t%d\tPLAIN\tservice=%s%s\tresp=%s\n" % (
            self.id, service, "\trip=" + rip if rip else "",
            resp)).encode())
        return self.id

    def answer(self):
        return self.line().split("\t")[0]

    def login(self, *args, **named):
        """OK or FAIL."""
        self.ask(*args, **named)
        return self.answer()

    def timed(self, *args, **named):
        begun = time.monotonic()
        return self.login(*args, **named), time.monotonic() - begun

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()


def times(path, kinds, tries, at_once, **named):
    """Seconds of `tries` attempts of each kind, a dict of lists. kinds maps a
    name to (user, password). Which comes when is left to chance, half a pair
    of each, so that no order favours one."""
    todo = []
    for _ in range(tries):
        pair = list(kinds)
        random.shuffle(pair)
        todo += pair
    todo.reverse()
    found = {kind: [] for kind in kinds}
    events = selectors.DefaultSelector()
    for _ in range(at_once):
        conn = Auth(path)
        events.register(conn.sock, selectors.EVENT_READ, conn)
        conn.kind = None
        begin_next(conn, todo, kinds, named)
        time.sleep(random.uniform(0, 0.04))
    while any(key.data.kind for key in events.get_map().values()):
        for key, _ in events.select(30):
            conn = key.data
            conn.answer()
            found[conn.kind].append(time.monotonic() - conn.begun)
            begin_next(conn, todo, kinds, named)
    for key in list(events.get_map().values()):
        key.data.close()
    events.close()
    return found


def begin_next(conn, todo, kinds, named):
    conn.kind = todo.pop() if todo else None
    if conn.kind:
        conn.begun = time.monotonic()
        conn.ask(*kinds[conn.kind], **named)


def ranks(values):
    """Of each value, ties share theirs; and the sum of t^3 - t over ties."""
    order = sorted(range(len(values)), key=values.__getitem__)
    rank, ties, i = [0.0] * len(values), 0, 0
    while i < len(order):
        j = i
        while j + 1 < len(order) and values[order[j + 1]] == values[order[i]]:
            j += 1
        for k in range(i, j + 1):
            rank[order[k]] = (i + j) / 2 + 1
        ties += (j - i + 1) ** 3 - (j - i + 1)
        i = j + 1
    return rank, ties


def mann_whitney(a, b):
    """p of the two-sided rank test: how likely two samples of one and the
    same distribution lie apart as far as these. Normal approximation, good
    for more than 20 of each."""
    n, m = len(a), len(b)
    rank, ties = ranks(a + b)
    u = sum(rank[:n]) - n * (n + 1) / 2
    total = n + m
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance == 0:
        return 1.0
    return math.erfc(abs(u - n * m / 2) / math.sqrt(variance) / math.sqrt(2))

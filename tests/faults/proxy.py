#!/usr/bin/env python3
"""Between our daemons and the database: forwards, and at a statement that was
named does what it was told.

    proxy.py LISTEN SERVER      UNIX socket paths, or HOST:PORT

It speaks as much of the protocol as it needs to know which statement a packet
carries, prepared ones included. Behind a UNIX socket it connects as its client
(unix_socket authentication). Orders are lines of JSON on stdin:

    {"do": ACTION, "at": REGEX, "who": USER or "", "times": N, "skip": N}
    {"stall": true | false}     forward nothing, close nothing
    {"deaf": true}              the same for the connections there are; new ones
                                work
    {"release": true}           what is held goes on
    {"forget": true}            no orders any more; who is silent is closed

ACTION: cut              the statement is not forwarded, the connection closed
        swallow-reset    it is; its answer is read and the connection closed
        swallow-stall    the same, but the connection stays, silent
        error NUMBER     it is not; the client is told this error
        hold             it waits for release
        hold-answer      it is forwarded, its answer waits for release

Each carried-out order is told on stdout: {"hit": ACTION, "who": USER,
"statement": TEXT}."""

import json
import os
import pwd
import re
import selectors
import socket
import struct
import sys
import time

COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE = 0x03, 0x16, 0x17
QUIET = 0.03            # an answer has come when nothing more comes so long
STATES = {1205: b"HY000", 1213: b"40001", 1047: b"08S01"}
# After these the server has rolled back by itself; after 1205 it has not.
ROLLED_BACK = (1213, 1047)


def address(where):
    if where.startswith("/"):
        return socket.AF_UNIX, where
    host, port = where.rsplit(":", 1)
    return socket.AF_INET, (host, int(port))


def packet(seq, payload):
    return struct.pack("<I", len(payload))[:3] + bytes((seq,)) + payload


def error_packet(number):
    return packet(1, b"\xff" + struct.pack("<H", number) + b"#"
                  + STATES.get(number, b"HY000") + b"told by the proxy")


def text_of(payload):
    return payload.decode("utf-8", "replace").strip()


class Side:
    """One end of a connection: its socket, and what waits to be written."""

    def __init__(self, sock):
        self.sock = sock
        self.out = b""

    def put(self, data):
        self.out += data
        self.flush()

    def flush(self):
        while self.out:
            try:
                n = self.sock.send(self.out)
            except BlockingIOError:
                return
            self.out = self.out[n:]


class Connection:
    def __init__(self, proxy, client):
        self.proxy = proxy
        self.who = ""
        uid = 0
        if client.family == socket.AF_UNIX:
            _, uid, _ = struct.unpack("3i", client.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            self.who = pwd.getpwuid(uid).pw_name
        server = self.connect(uid)
        for s in (client, server):
            s.setblocking(False)
        self.client, self.server = Side(client), Side(server)
        self.read = b""         # of the client: less than a packet
        self.prepared = {}      # statement id: text
        self.preparing = None   # the text whose answer will name its id
        self.deaf = False
        self.mode = None        # what happens to the server's next octets
        self.kept = b""         # the answer that is held
        self.heard_at = None    # when the swallowed answer last grew
        self.after = None       # what follows a swallowed answer
        self.waiting = b""      # client's packets behind a held one

    def connect(self, uid):
        family, where = address(self.proxy.server)
        s = socket.socket(family)
        os.seteuid(uid)
        try:
            s.connect(where)
        finally:
            os.seteuid(0)
        return s

    # From the client.

    def from_client(self, data):
        self.read += data
        while len(self.read) >= 4:
            n = int.from_bytes(self.read[:3], "little") + 4
            if len(self.read) < n:
                return
            whole, self.read = self.read[:n], self.read[n:]
            self.packet(whole)
            if self.proxy.closed(self):
                return

    def packet(self, whole):
        if self.mode == "held":
            self.waiting += whole
            return
        statement = self.statement(whole)
        order = statement and self.proxy.order_for(self, statement)
        if order:
            self.proxy.tell(hit=order, who=self.who, statement=statement[:80])
            self.carry_out(order, whole)
        else:
            self.server.put(whole)

    def statement(self, whole):
        """The text of the command, "" when it is another."""
        if whole[3] != 0 or len(whole) < 5:
            return ""
        command, payload = whole[4], whole[5:]
        if command == COM_STMT_PREPARE:
            self.preparing = text_of(payload)
        if command == COM_QUERY:
            return text_of(payload[:200])
        if command == COM_STMT_EXECUTE:
            return self.prepared.get(struct.unpack("<I", payload[:4])[0], "")
        return ""

    def carry_out(self, order, whole):
        word, _, rest = order.partition(" ")
        if word == "cut":
            self.proxy.close(self)
        elif word == "error":
            if int(rest) in ROLLED_BACK:
                self.mode = "drop one"
                self.server.put(packet(0, bytes((COM_QUERY,)) + b"ROLLBACK"))
            self.client.put(error_packet(int(rest)))
        elif word == "hold":
            self.mode = "held"
            self.waiting = whole
        elif word == "hold-answer":
            self.mode = "keep"
            self.server.put(whole)
        else:
            self.mode = "swallow"
            self.after = word.split("-")[1]
            self.server.put(whole)

    # From the server.

    def from_server(self, data):
        if self.preparing is not None:
            if data[4] == 0:
                self.prepared[struct.unpack("<I", data[5:9])[0]] = \
                    self.preparing
            self.preparing = None
        if self.mode == "drop one":     # the next answer may come with it
            self.mode = None
            data = data[int.from_bytes(data[:3], "little") + 4:]
        if self.mode == "keep":
            self.kept += data
        elif self.mode == "swallow":
            self.heard_at = time.monotonic()
        else:
            self.client.put(data)

    def tick(self, now):
        if self.heard_at and now - self.heard_at > QUIET:
            self.heard_at = None
            if self.after == "reset":
                self.proxy.close(self)
            else:
                self.deaf = True

    def release(self):
        mode, self.mode = self.mode, None
        if mode == "keep":
            self.client.put(self.kept)
            self.kept = b""
        elif mode == "held":
            self.server.put(self.waiting)
            self.waiting = b""


class Proxy:
    def __init__(self, listen, server):
        self.server = server
        family, where = address(listen)
        self.listener = socket.socket(family)
        if family == socket.AF_UNIX and os.path.exists(where):
            os.unlink(where)
        self.listener.bind(where)
        if family == socket.AF_UNIX:
            os.chmod(where, 0o777)
        self.listener.listen(512)
        self.listener.setblocking(False)
        self.poll = selectors.DefaultSelector()
        self.poll.register(0, selectors.EVENT_READ)
        self.poll.register(self.listener, selectors.EVENT_READ)
        self.connections = set()
        self.orders = []
        self.stalled = False
        self.commands = b""

    def tell(self, **what):
        print(json.dumps(what), flush=True)

    def order_for(self, c, statement):
        for o in self.orders:
            if o.get("who", "") not in ("", c.who) or \
                    not re.match(o["at"], statement, re.IGNORECASE):
                continue
            if o.get("skip", 0) > 0:
                o["skip"] -= 1
                continue
            o["times"] = o.get("times", 1) - 1
            if o["times"] == 0:
                self.orders.remove(o)
            return o["do"]
        return None

    def closed(self, c):
        return c not in self.connections

    def close(self, c):
        if self.closed(c):
            return
        self.connections.remove(c)
        for side in (c.client, c.server):
            self.poll.unregister(side.sock)
            side.sock.close()

    def accept(self):
        try:
            client, _ = self.listener.accept()
        except BlockingIOError:
            return
        try:
            c = Connection(self, client)
        except OSError:         # the server is away: so are we
            client.close()
            return
        self.connections.add(c)
        self.poll.register(c.client.sock, selectors.EVENT_READ,
                           (c, c.client, c.from_client))
        self.poll.register(c.server.sock, selectors.EVENT_READ,
                           (c, c.server, c.from_server))

    def obey(self):
        data = os.read(0, 65536)
        if not data:
            sys.exit(0)
        self.commands += data
        while b"\n" in self.commands:
            line, self.commands = self.commands.split(b"\n", 1)
            o = json.loads(line)
            if "do" in o:
                self.orders.append(o)
            elif "stall" in o:
                self.stalled = o["stall"]
            elif o.get("deaf"):
                for c in self.connections:
                    c.deaf = True
            elif o.get("forget"):
                self.orders = []
                for c in list(self.connections):
                    if c.deaf:
                        self.close(c)
            elif o.get("release"):
                for c in list(self.connections):
                    self.guard(c, c.release)
            self.tell(done=True)

    def guard(self, c, step, *args):
        try:
            step(*args)
        except (OSError, EOFError):
            self.close(c)

    def serve(self, key):
        if key.fileobj == 0:
            self.obey()
        elif self.stalled:
            return
        elif key.data is None:
            self.accept()
        else:
            c, side, step = key.data
            if not c.deaf and not self.closed(c):
                self.guard(c, self.move, side, step)

    @staticmethod
    def move(side, step):
        data = side.sock.recv(1 << 18)
        if not data:
            raise EOFError
        step(data)

    def run(self):
        """Octets that cannot be read now are read later: a poll that would
        spin on them sleeps a little instead."""
        while True:
            events = self.poll.select(0.01)
            for key, _ in events:
                self.serve(key)
            now = time.monotonic()
            for c in list(self.connections):
                c.tick(now)
                for side in (c.client, c.server):
                    if side.out and not (self.stalled or c.deaf):
                        self.guard(c, side.flush)
            if self.stalled or any(c.deaf for c in self.connections):
                time.sleep(0.005)


if __name__ == "__main__":
    Proxy(sys.argv[1], sys.argv[2]).run()

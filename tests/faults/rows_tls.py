"""Rows: the certificate of POP3 is changed under load, also wrongly."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess

from clients import filled, once
from mrtest import PASSWORD, Pop3, wait_until
from rows import row

SESSIONS = 20


class Pop3s(Pop3):
    """Over TLS from its first octet."""

    def __init__(self, where):
        host, port = where.rsplit(":", 1)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        raw = socket.create_connection((host, int(port)), 30)
        self.sock = context.wrap_socket(raw)
        self.certificate = self.sock.getpeercert(True)
        self.file = self.sock.makefile("rb")
        self.banner = self.status()


class Certificates:
    """Those of the sandbox, and another pair."""

    def __init__(self, world):
        self.world, box = world, world.sandbox
        self.cert = os.path.join(box.dir, "etc", "tls", "cert.pem")
        self.key = os.path.join(box.dir, "etc", "tls", "key.pem")
        self.other = os.path.join(box.top, "other")
        for path, kind in ((self.cert, "cert"), (self.key, "key")):
            shutil.copy2(path, os.path.join(box.top, "own." + kind))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-subj", "/CN=other.test", "-keyout", self.other + ".key",
             "-out", self.other + ".cert"], check=True,
            stderr=subprocess.DEVNULL)
        os.chmod(self.other + ".key", 0o600)

    def put(self, cert, key):
        """By rename, as those do who renew certificates."""
        for new, path in ((cert, self.cert), (key, self.key)):
            shutil.copy2(new, path + ".new")
            os.rename(path + ".new", path)

    def put_own(self):
        own = os.path.join(self.world.sandbox.top, "own.")
        self.put(own + "cert", own + "key")

    def served(self):
        """What a client is shown now."""
        with contextlib.closing(Pop3s(self.world.sandbox.env[
                "MAILROW_POP3S"])) as p:
            p.quit()
            return p.certificate


def der(path):
    with open(path) as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def held_in_retr(world, box, n):
    """Sessions over TLS that have read the beginning of a large mail."""
    held = []
    for _ in range(SESSIONS):
        p = Pop3s(world.sandbox.env["MAILROW_POP3S"])
        p.login(box.address, PASSWORD)
        p.put("RETR %d" % n)
        p.status()
        held.append((p, p.file.readline()))
    return held


@row("certificate changed, mismatched, broken at SIGHUP", (24,))
def certificates(world):
    """The last good pair is shown; sessions that run go on."""
    box = filled(world, 2)
    once(world, box.address, size=6 << 20)
    with world.sandbox.pop3(box.address) as p:
        n = p.stat()[0]
        whole = p.retr(n)
        p.quit()
    c = Certificates(world)
    junk = os.path.join(world.sandbox.top, "junk")
    with open(junk, "w") as f:
        f.write("-----BEGIN CERTIFICATE-----\nnone\n")
    own, other = der(c.cert), der(c.other + ".cert")
    held = held_in_retr(world, box, n)
    with world.traffic(30, boxes=["kept0@example.test"], readers=0) as t:
        t.flow(5)
        for what, cert, key, shown in (
                ("mismatched", c.other + ".cert", c.key, own),
                ("broken", junk, c.key, own),
                ("changed", c.other + ".cert", c.other + ".key", other)):
            before = len(world.sandbox.log("pop3d.log"))
            c.put(cert, key)
            world.sandbox.kill("pop3d", signal.SIGHUP)
            if what == "changed":
                wait_until(lambda: c.served() == other, 10,
                           "the new certificate")
            else:
                wait_until(lambda b=before: "tls_cert" in world.sandbox.log(
                    "pop3d.log")[b:] or "stay" in world.sandbox.log(
                        "pop3d.log")[b:], 10, "a log line")
            world.expect("the right one is shown: " + what,
                         c.served() == shown)
            c.put_own()
        for p, first in held:
            got = first + p.body()
            world.expect("a mail is whole over the change", got == whole)
            p.quit()
        world.sandbox.kill("pop3d", signal.SIGHUP)
        wait_until(lambda: c.served() == own, 10, "the former certificate")
        world.over()
        t.flow(5)

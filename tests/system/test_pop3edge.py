#!/usr/bin/env python3
"""The edge of the POP3 daemon: limits, proxies, listeners, and who is on."""

import os
import re
import signal
import socket
import struct
import time

from mrtest import PASSWORD, Failed, Pop3, main, wait_until
from test_pop3parent import ALICE, BOB, Parent

V2 = b"\r\n\r\n\0\r\nQUIT\n"


class Edge(Parent):
    def conversation(self, first=b"", address="127.0.0.1"):
        """A connection that speaks first; nothing is read yet."""
        host, port = self.sandbox.env["MAILROW_POP3"].rsplit(":", 1)
        p = Pop3.__new__(Pop3)
        p.sock = socket.create_connection((host, int(port)), 20, (address, 0))
        p.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        p.file = p.sock.makefile("rb")
        if first:
            p.put(first)
        return p

    def logged(self, pattern):
        wait_until(lambda: re.search(pattern, self.sandbox.log("pop3d.log")),
                   what=pattern)


class Peers(Edge):
    CONF = ("pop3_max_per_account = 2",
            "pop3_max_per_address = 4",
            "pop3_proxy_networks = 127.0.0.16/28",
            "trusted_networks = 127.0.0.33")

    def test_rule_37_an_account_has_so_many_sessions_and_is_told(self):
        held = [self.sandbox.pop3(ALICE) for _ in range(2)]
        with self.sandbox.pop3() as p:
            p.cmd("USER " + ALICE)
            with self.assertRaisesRegex(Failed, r"^-ERR \[IN-USE\] "):
                p.cmd("PASS " + PASSWORD)
            p.login(BOB)                    # the same connection
            p.quit()
        self.logged("pop3_max_per_account reached by " + ALICE)
        held.pop().quit()

        def free():
            try:
                self.sandbox.pop3(ALICE).quit()
                return True
            except Failed:
                return False
        wait_until(free, what="room for another session")
        held.pop().quit()

    def test_rule_60_a_header_of_version_1_tells_the_client(self):
        with self.conversation(b"PROXY TCP4 192.0.2.7 198.51.100.1 4 110\r\n"
                               b"USER " + ALICE.encode() + b"\r\n",
                               "127.0.0.17") as p:
            self.assertRegex(p.line(), r"^\+OK Mailrow")
            p.status()
            p.cmd("PASS " + PASSWORD)
            self.logged(r"Login: rip=192\.0\.2\.7, lip=198\.51\.100\.1, "
                        r"user=<alice@.*proxy=127\.0\.0\.17")
            p.quit()

    def test_a_header_of_version_2_may_come_octet_by_octet(self):
        header = V2 + b"\x21\x21" + struct.pack(">H", 36 + 6) + \
            socket.inet_pton(socket.AF_INET6, "2001:db8::7") + \
            socket.inet_pton(socket.AF_INET6, "::1") + \
            struct.pack(">HH", 4000, 110) + b"\x04\0\3abc"
        with self.conversation(address="127.0.0.17") as p:
            for i in range(len(header)):
                p.put(header[i:i + 1])
            self.assertRegex(p.line(), r"^\+OK Mailrow")
            p.login(BOB)
            self.logged(r"Login: rip=2001:db8::7, lip=::1, user=<bob@")
            p.quit()

    def test_a_proxy_may_ask_for_itself(self):
        for header in (b"PROXY UNKNOWN\r\n", V2 + b"\x20\0\0\0"):
            with self.conversation(header, "127.0.0.18") as p:
                self.assertRegex(p.line(), r"^\+OK Mailrow")
                p.quit()

    def test_rule_60_from_a_proxy_nothing_else_is_taken(self):
        for first in (b"USER alice\r\n", b"\r\n\r\n\0\r\nQUIT\nxxxx",
                      b"PROXY TCP4 bob 127.0.0.1 1 2\r\n", b"P" * 200):
            with self.conversation(first, "127.0.0.17") as p:
                try:
                    self.assertEqual(p.file.read(), b"")
                except ConnectionResetError:
                    pass
        self.logged(r"Disconnected: Not a PROXY header \(no auth attempts\): "
                    r"rip=127\.0\.0\.17")

    def test_rule_60_from_others_it_is_an_unknown_command(self):
        with self.conversation(b"PROXY TCP4 192.0.2.7 198.51.100.1 4 110\r\n",
                               "127.0.0.40") as p:
            self.assertRegex(p.line(), r"^\+OK Mailrow")
            self.assertRegex(p.line(), r"^-ERR unknown command")
            p.quit()

    def test_rule_61_limits_hold_for_the_real_address(self):
        def one(n):
            return self.conversation(
                b"PROXY TCP4 192.0.2.%d 198.51.100.1 4 110\r\n" % n,
                "127.0.0.17")
        held = [one(n // 4) for n in range(12)]
        for p in held:
            self.assertRegex(p.line(), r"^\+OK ")
        with one(2) as p:
            self.assertRegex(p.line(), r"^-ERR \[SYS/TEMP\] ")
            self.assertEqual(p.file.read(), b"")
        self.logged(r"pop3_max_per_address reached by 192\.0\.2\.2")
        for p in held:
            p.close()
        wait_until(lambda: not self.sessions(), what="the sessions' end")
        with one(2) as p:
            self.assertRegex(p.line(), r"^\+OK ")
            p.quit()

    def test_a_trusted_proxy_tells_the_client(self):
        with self.conversation(address="127.0.0.33") as p:
            self.assertRegex(p.line(), r"^\+OK \[XCLIENT\] ")
            p.cmd("XCLIENT ADDR=192.0.2.7 PORT=40000 SESSION=abc/+ TTL=5")
            p.login(ALICE)
            self.logged(r"Login: rip=192\.0\.2\.7, .*proxy=127\.0\.0\.33, "
                        r"proxy-session=<abc/\+>")
            p.quit()

    def test_to_others_it_is_unknown(self):
        with self.conversation(address="127.0.0.34") as p:
            self.assertRegex(p.line(), r"^\+OK Mailrow")
            with self.assertRaisesRegex(Failed, "-ERR unknown command"):
                p.cmd("XCLIENT ADDR=192.0.2.7")
            p.quit()


if __name__ == "__main__":
    main()

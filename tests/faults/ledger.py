"""What the clients meant to do and what they were told, each written and
flushed to the disk before the next step is taken; and what follows from it."""

import json
import os
import threading
import time


class Ledger:
    def __init__(self, path, problem):
        """PROBLEM is called with what no client may be told."""
        self.path, self.problem = path, problem
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.lock = threading.Lock()
        self.mails = {}
        self.last = self.octets = 0

    def write(self, what, **fields):
        line = json.dumps(dict(fields, what=what, at=round(time.time(), 3)))
        with self.lock:
            os.write(self.fd, line.encode() + b"\n")
            os.fdatasync(self.fd)

    def number(self):
        with self.lock:
            self.last += 1
            return self.last

    def intend(self, mail):
        """This mail will be sent."""
        with self.lock:
            self.mails[mail.number] = mail
            self.octets += mail.size
        self.write("mail", n=mail.number, way=mail.way, size=mail.size,
                   kind=mail.kind, rcpts=mail.rcpts, row=mail.row)

    def reply(self, mail, outcomes, text):
        """What an attempt has come to: {recipient: ok, temp, perm, lost};
        "early" (4xx) and "cut" when the final dot had not left: nothing could
        have been stored."""
        self.write("reply", n=mail.number, outcomes=outcomes, text=text[:200])
        with self.lock:
            for rcpt, outcome in outcomes.items():
                mail.outcomes[rcpt][outcome] += 1
        if "perm" in outcomes.values() and not mail.may_be_refused:
            self.problem("%s was told of mail %d: %s" % (
                mail.way, mail.number, text))

    def of_row(self, row):
        with self.lock:
            return [m for m in self.mails.values() if m.row == row]

    def close(self):
        os.close(self.fd)

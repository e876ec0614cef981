"""The mails of the traffic. Each has a number, and its octets follow from the
number alone, so that they need not be kept to be compared."""

import random
import re

BOXES = ["kept%d@example.test" % i for i in range(3)] \
    + ["read%d@example.test" % i for i in range(3)]
PROBE = "probe@example.test"
ABROAD = "x@foreign.test"
FORWARDED = "forwarded@example.test"    # an alias of the next, and ABROAD
ALIASES = {FORWARDED: BOXES[0]}
SIZES = ((1 << 10, 50), (4 << 10, 34), (40 << 10, 14), (1200 << 10, 2))
# What a retry is known by (DESIGN.md, "Receipts"): a Message-ID, a foreign
# Received line, or nothing: that one is stored at least once.
KINDS = (("id", 80), ("received", 14), ("bare", 6))
OUTCOMES = ("ok", "temp", "perm", "lost", "early", "cut")
NUMBER = re.compile(rb"^X-Number: (\d+)\r?$", re.MULTILINE)


def pick(dice, weighted):
    return dice.choices([w[0] for w in weighted],
                        [w[1] for w in weighted])[0]


class Mail:
    """One numbered mail. WAY is how it comes in:
    smtp        port 25 of the sandbox's Postfix, through the milter
    submission  the same with AUTH, port 587
    queue       a port without a milter: Postfix's queue, then mailrow-lmtpd
    sendmail    sendmail(1): the same
    lmtp        to mailrow-lmtpd itself"""

    def __init__(self, number, way, size, kind, sender, rcpts, row=""):
        self.number, self.way, self.size, self.kind = number, way, size, kind
        self.sender, self.rcpts, self.row = sender, rcpts, row
        self.outcomes = {r: dict.fromkeys(OUTCOMES, 0) for r in rcpts}
        self.once = False   # its client does not come again
        self.probe = False  # it asks whether there is service again
        self.strict = False         # 451 means that it is not there
        self.may_be_refused = False         # by 5xx

    def head(self):
        n = self.number
        lines = []
        if self.kind == "received":
            lines.append("Received: from a.remote.test (a.remote.test "
                         "[192.0.2.7])\r\n\tby mx.remote.test with ESMTP id "
                         "F%d;\r\n\tMon, 02 Mar 2026 10:00:00 +0000" % n)
        lines += ["From: <%s>" % self.sender, "To: <%s>" % self.rcpts[0],
                  "Subject: number %d" % n, "X-Number: %d" % n,
                  "Date: Mon, 02 Mar 2026 10:%02d:%02d +0000" % (
                      n // 60 % 60, n % 60)]
        if self.kind == "id" or self.way == "sendmail":
            lines.append("Message-ID: <%d.faults@remote.test>" % n)
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def octets(self):
        head = self.head()
        block = (b"This is mail %d.\r\n.\r\n..two dots\r\n\ttabs and blanks "
                 b" \r\n\r\n" % self.number
                 + b"0123456789abcdef" * 4 + b"\r\n" + b"x" * 700 + b"\r\n")
        body = block * (max(self.size - len(head), 0) // len(block) + 1)
        return head + body[:max(self.size - len(head) - 2, 0)].rstrip(
            b"\r\n") + b"\r\n"

    def most_copies(self, box, doubt):
        """How often it may be there: a client that was told nothing, or 451
        when the end of a COMMIT could not be known, has every right to come
        again; he is known again by what KINDS says."""
        o = self.outcomes[box]
        doubtful = o["temp"] if doubt and not self.strict else 0
        told = o["ok"] + o["lost"] + doubtful
        if self.kind == "bare" and self.way != "sendmail":
            return told     # each stay in Postfix's queue has one Received
        return min(told, 1)


def draw(number, way, dice, big=False, many=False, kind=None, boxes=None,
         row=""):
    """A mail like those of every day. BIG: larger than what goes in one
    piece; MANY: to several; KIND: of KINDS."""
    boxes = boxes or BOXES
    size = SIZES[-1][0] + dice.randrange(1 << 16) if big \
        else pick(dice, SIZES) + dice.randrange(512)
    n = dice.choices((1, 2, 3, len(boxes)), (75, 12, 9, 4))[0]
    if many:
        n = max(2, n)
    rcpts = list(dict.fromkeys(dice.sample(boxes, min(n, len(boxes)))))
    if FORWARDED in rcpts:
        rcpts = [FORWARDED]
    sender = BOXES[0] if way == "submission" else "ann@remote.test"
    return Mail(number, way, size, kind or pick(dice, KINDS), sender, rcpts,
                row)


def box_of(rcpt):
    return ALIASES.get(rcpt, rcpt)


def number_of(message):
    m = NUMBER.search(message)
    return int(m.group(1)) if m else None


def dice_for(*seed):
    return random.Random("/".join(str(s) for s in seed))

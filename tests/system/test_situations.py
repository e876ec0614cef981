#!/usr/bin/env python3
"""mailrow explain says what the live SMTP conversation says: situations that
are drawn, each held through a real Postfix and asked of the tool. Every
predicate decides some of them, and lets others pass."""

import collections
import json
import os
import random
import re
import subprocess
import time

from mrtest import TOP, SandboxTest, main

SITUATIONS = 300
AGAIN = 40
AT_LEAST = 3        # of each predicate, both ways
BUILD = os.environ.get("MAILROW_BUILD", TOP)
ID = re.compile(r" \[([2-9a-km-np-z]{10})\]$")
MTA = "mx.example.test"


def us(*names):
    return ["%s@example.test" % n for n in names]


STRANGER, TRUSTED, WEBMAIL, PARTNER, BLOCKED, OTHER = (
    "192.0.2.7", "198.51.100.9", "203.0.113.5", "192.0.3.1", "10.9.9.9",
    "192.0.2.66")
CLIENTS = (STRANGER, TRUSTED, WEBMAIL, PARTNER, BLOCKED, OTHER)
ALICE, BOB = us("alice", "bob")
DISABLED, NOSMTP, TLS, SUSPENDED, EXPIRED, RECEIVES, SMALL, FEW, INSIDE, \
    LIMITED = SENDING = us("disabled", "nosmtp", "tls", "suspended", "expired",
                           "receives", "smallsend", "few", "inside", "limited")
GONE, FULL, SENDS, RESTRICTED, LISTED, TLSIN, TINY, DENIES, LIMITED_IN = \
    RECEIVING = us("gone", "full", "sends", "restricted", "listed", "tlsin",
                   "tiny", "denies", "limitedin")
NOBODY, LEAVER, LIST, LONG = us("nobody", "leaver", "list", "x" * 65)
OFF, AWAY, FOREIGN = "any@off.test", "x@far.test", "eve@remote.test"
WORLD = """
INSERT INTO domain (name, active, created_at)
  VALUES ('off.test', 0, UTC_TIMESTAMP());
UPDATE account SET active = 0 WHERE address IN ('{0}', '{1}');
UPDATE account SET smtp = 0 WHERE address = '{2}';
UPDATE account SET tls_only = 1 WHERE address = '{3}';
UPDATE account SET quota = 1000 WHERE address = '{4}';
INSERT INTO alias (address, target, created_at) VALUES
  ('{5}', '{6}', UTC_TIMESTAMP()), ('{5}', '{4}', UTC_TIMESTAMP()),
  ('{5}', 'x@far.test', UTC_TIMESTAMP());
INSERT INTO network (network, kind) VALUES ('198.51.100.0/24', 'trusted'),
  ('203.0.113.0/24', 'webmail'), ('192.0.3.0/24', 'partner'),
  ('10.0.0.0/8', 'blocked');
INSERT INTO policy_mode (predicate, domain, mode) VALUES
  ('helo_forged', '', 'enforce'), ('sender_null', '', 'enforce'),
  ('sender_forged', '', 'enforce'), ('from_not_owned', '', 'enforce'),
  ('from_several', '', 'enforce'), ('from_forged', '', 'enforce'),
  ('sender_header_not_owned', '', 'enforce'),
  ('resent_from_not_owned', '', 'enforce');
INSERT INTO account_policy (name, suspended) VALUES ('{7}', 1);
INSERT INTO account_policy (name, expires_at) VALUES ('{8}', '2020-01-01');
INSERT INTO account_policy (name, may_send) VALUES ('{9}', 0);
INSERT INTO account_policy (name, max_send_size) VALUES ('{10}', 5000);
INSERT INTO account_policy (name, max_recipients) VALUES ('{11}', 1);
INSERT INTO account_policy (name, relay) VALUES ('{12}', 'internal');
INSERT INTO account_policy (name, may_receive) VALUES ('{13}', 0);
INSERT INTO account_policy (name, accept_from) VALUES ('{14}', 'internal'),
  ('{15}', 'list');
INSERT INTO account_policy (name, require_tls) VALUES ('{16}', 1);
INSERT INTO account_policy (name, max_size) VALUES ('{17}', 5000);
INSERT INTO access_rule (scope, sender, action) VALUES
  ('{18}', '@remote.test', 'deny'), ('{15}', '{6}', 'allow');
INSERT INTO policy_limit (subject, direction, seconds, messages) VALUES
  ('{19}', 'out', 86400, 5), ('{20}', 'in', 86400, 5);
INSERT INTO limit_usage VALUES
  ('{19}', 'out', 86400, UNIX_TIMESTAMP(), 5, 5, 9, 0),
  ('{20}', 'in', 86400, UNIX_TIMESTAMP(), 5, 5, 9, 0);
""".format(DISABLED, GONE, NOSMTP, TLS, FULL, LIST, BOB, SUSPENDED, EXPIRED,
           RECEIVES, SMALL, FEW, INSIDE, SENDS, RESTRICTED, LISTED, TLSIN,
           TINY, DENIES, LIMITED, LIMITED_IN)

# What makes a predicate decide, whatever else is drawn.
DECIDES = {
    "network_blocked": {"client": BLOCKED},
    "helo_forged": {"helo": "example.test"},
    "login_deleted": {"login": LEAVER, "sender": LEAVER, "deleted": True},
    "login_disabled": {"login": DISABLED},
    "login_smtp_closed": {"login": NOSMTP},
    "login_needs_tls": {"login": TLS, "tls": False},
    "login_suspended": {"login": SUSPENDED},
    "login_expired": {"login": EXPIRED},
    "login_receive_only": {"login": RECEIVES},
    "webmail_sender": {"client": WEBMAIL, "sender": FOREIGN},
    "sender_null": {"login": ALICE, "sender": ""},
    "sender_not_owned": {"login": ALICE, "sender": BOB},
    "sender_forged": {"sender": BOB},
    "size_sender": {"login": SMALL, "sender": SMALL, "size": 6000},
    "recipient_syntax": {"rcpts": [LONG]},
    "relay_denied": {"rcpts": [AWAY]},
    "relay_login": {"login": INSIDE, "sender": INSIDE, "rcpts": [AWAY]},
    "domain_inactive": {"rcpts": [OFF]},
    "recipient_unknown": {"rcpts": [NOBODY]},
    "recipient_disabled": {"rcpts": [GONE]},
    "recipient_suspended": {"rcpts": [SUSPENDED]},
    "recipient_expired": {"rcpts": [EXPIRED]},
    "recipient_send_only": {"rcpts": [SENDS]},
    "access_denied": {"rcpts": [DENIES]},
    "recipient_restricted": {"rcpts": [RESTRICTED]},
    "recipient_needs_tls": {"rcpts": [TLSIN], "tls": False},
    "recipient_size": {"rcpts": [TINY], "size": 6000},
    "recipient_over_quota": {"rcpts": [FULL], "size": 2000},
    "recipients_per_message": {"login": FEW, "sender": FEW,
                               "rcpts": [BOB, ALICE]},
    "limit_out": {"login": LIMITED, "sender": LIMITED, "rcpts": [BOB]},
    "limit_in": {"rcpts": [LIMITED_IN]},
    "from_not_owned": {"login": ALICE, "sender": ALICE, "from": BOB},
    "from_several": {"login": ALICE, "sender": ALICE,
                     "from": ALICE + ", " + ALICE.replace("@", "+x@")},
    "sender_header_not_owned": {"login": ALICE, "sender": ALICE,
                                "from": ALICE, "sender_field": BOB},
    "resent_from_not_owned": {"login": ALICE, "sender": ALICE, "from": ALICE,
                              "resent": BOB},
    "from_forged": {"from": BOB},
}
# They hang on what their rows do not tell.
NOT_KEPT = ("recipients_per_message", "sender_header_not_owned",
            "resent_from_not_owned", "from_several")
HARMLESS = {"client": STRANGER, "helo": "client.test", "login": None,
            "deleted": False, "tls": False, "sender": FOREIGN,
            "rcpts": [BOB], "size": 0, "from": None, "sender_field": None,
            "resent": None}
FIELDS = (("from", "From", "--header-from"),
          ("sender_field", "Sender", "--header-sender"),
          ("resent", "Resent-From", "--header-resent-from"))


class Live:
    """A conversation with Postfix, as far as it goes: what each recipient was
    told, or MAIL if that was not accepted."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.serial = 0

    def begin(self, s, w):
        if w["tls"]:
            s.starttls()
        words = ["ADDR=" + w["client"],
                 "NAME=client.test"]
        if w["login"]:
            words.append("LOGIN=" + w["login"])
        s.cmd("XCLIENT " + " ".join(words), "220")
        s.ehlo(w["helo"])
        if w["deleted"]:
            self.leave(s, w["login"])

    def leave(self, s, login):
        """Its account was there, and is deleted within the session. That it
        is open is remembered for a second."""
        self.sandbox.account(login)
        s.cmd("MAIL FROM:<%s>" % login, "250")
        s.cmd("RSET", "250")
        self.sandbox.tool("account", "delete", login)
        time.sleep(1.2)

    def answers(self, w):
        with self.sandbox.smtp() as s:
            self.begin(s, w)
            size = " SIZE=%d" % w["size"] if w["size"] else ""
            said = s.cmd("MAIL FROM:<%s>%s" % (w["sender"], size))
            if said[:3] != "250":
                return [said]
            said = [s.cmd("RCPT TO:<%s>" % r) for r in w["rcpts"]]
            if w["from"] and any(a[:3] == "250" for a in said):
                said.append(s.data(self.message(w), want=None))
            return said

    def message(self, w):
        self.serial += 1
        fields = ["%s: %s" % (name, w[key]) for key, name, _ in FIELDS
                  if w[key]]
        return "\r\n".join(fields + ["Message-ID: <%d@situations.test>"
                                     % self.serial, "", "x", ""]).encode()


class Situations(SandboxTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for address in SENDING + RECEIVING:
            cls.sandbox.account(address)
        cls.sandbox.sql(WORLD)
        cls.sandbox.postconf(
            "smtpd_authorized_xclient_hosts = 127.0.0.1",
            "smtpd_delay_reject = no", "smtpd_tls_security_level = may",
            "mynetworks = 0.0.0.0/0 [::]/0",
            "smtpd_relay_restrictions = permit_mynetworks, reject")

    def draw(self, rng):
        drawn = [dict(self.around(rng), **change)
                 for change in DECIDES.values() for _ in range(AT_LEAST)]
        while len(drawn) < SITUATIONS:
            drawn.append(self.anything(rng))
        rng.shuffle(drawn)
        return drawn

    def around(self, rng):
        """Nothing in it rejects a mail."""
        return dict(HARMLESS, helo=rng.choice(["client.test", "a.remote.test"]),
                    client=rng.choice([STRANGER, OTHER]))

    def anything(self, rng):
        login = rng.choice([None] * 6 + [ALICE, BOB] * 3 + SENDING +
                           ["who@elsewhere.test"])
        return {"client": rng.choice(CLIENTS), "login": login,
                "deleted": False,
                "helo": rng.choice(["client.test", MTA, "example.test"]),
                "tls": rng.random() < 0.2,
                "sender": rng.choice(["", FOREIGN, ALICE, BOB, NOBODY,
                                      login or FOREIGN, login or FOREIGN]),
                "rcpts": rng.sample([BOB, ALICE, NOBODY, LIST, OFF, AWAY, LONG,
                                     "bob+x@example.test", *RECEIVING],
                                    rng.randint(1, 3)),
                "size": rng.choice([0, 0, 900, 6000, 200000]),
                "from": rng.choice([None, None, ALICE, BOB, FOREIGN,
                                    login or FOREIGN]),
                "sender_field": rng.choice([None, None, login or BOB, BOB]),
                "resent": rng.choice([None, None, None, ALICE])}

    def tool(self, *args):
        r = subprocess.run(
            [os.path.join(BUILD, "ctl", "mailrow"), "-c",
             os.path.join(self.sandbox.dir, "etc", "mailrow", "mailrow.conf"),
             "--json", "explain", *args], check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertIn(r.returncode, (0, 75, 77), r.stderr)
        return json.loads(r.stdout)["explain"]

    def explained(self, w):
        args = ["--client", w["client"], "--helo", w["helo"], "--mta", MTA,
                "--from", w["sender"], "--size", str(w["size"])]
        for r in w["rcpts"]:
            args += ["--to", r]
        if w["login"]:
            args += ["--login", w["login"]]
        for key, option in (("tls", "--tls"), ("deleted", "--login-deleted")):
            if w[key]:
                args.append(option)
        for key, _, option in FIELDS:
            if w["from"] and w[key]:
                args += [option, w[key]]
        return self.tool(*args)

    def compare(self, w, live, rows):
        """Each answer; whose name decided by its decision's id."""
        verdicts = [r for r in rows if r["step"] == "verdict"]
        if verdicts[0]["outcome"] == "accepted":
            verdicts = verdicts[1:]
        self.assertEqual(len(live), len(verdicts), w)
        for answer, v in zip(live, verdicts):
            if v["outcome"] == "accepted":
                self.assertEqual(answer[:3], "250", (w, answer))
                continue
            self.assertEqual(ID.sub("", answer), v["detail"], w)
            self.named[ID.search(answer)[1]] = v["what"]

    def count(self, rows):
        for r in rows:
            if r["step"] == "verdict" and r["what"]:
                self.decided[r["what"]] += 1
            elif r["mode"] and r["outcome"] == "no":
                self.passed[r["what"]] += 1

    def ask_again(self, rng):
        """What was recorded is enough to decide the same."""
        names = sorted(n for n, p in self.named.items()
                       if p not in NOT_KEPT)
        for name in rng.sample(names, AGAIN):
            now, = [r for r in self.tool(name) if r["step"] == "now"]
            self.assertEqual(now["outcome"], "the same",
                             (name, self.named[name], now))

    def test_explain_says_what_the_conversation_says(self):
        listed = json.loads(self.sandbox.tool("--json", "policy", "list")
                            .stdout)["predicates"]
        self.assertEqual({r["predicate"] for r in listed}, set(DECIDES))
        rng = random.Random(20261128)
        self.named = {}
        self.decided = collections.Counter()
        self.passed = collections.Counter()
        live = Live(self.sandbox)
        for w in self.draw(rng):
            rows = self.explained(w)
            self.compare(w, live.answers(w), rows)
            self.count(rows)
        self.sandbox.stop("milter")     # what waits is written
        self.assertEqual(dict(self.sandbox.sql(
            "SELECT decision_id, predicate FROM decision WHERE NOT shadow"
            " AND way = 'full'")), self.named)
        self.ask_again(rng)
        for predicate in DECIDES:
            self.assertGreaterEqual(self.decided[predicate], AT_LEAST,
                                    predicate)
            self.assertGreaterEqual(self.passed[predicate], AT_LEAST,
                                    predicate)


if __name__ == "__main__":
    main()

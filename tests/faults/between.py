"""The proxy (proxy.py) in a row's hands."""

import json
import os
import subprocess
import sys
import threading

from mrtest import wait_until

STORE = r"COMMIT|CALL deliver_plain"
HERE = os.path.dirname(os.path.abspath(__file__))


class Between:
    """The daemons reach the database through a proxy, from open() to close().
    What they have open then is closed at both ends of it. The rows of proxies
    stand together, and it stays between them."""

    def __init__(self, world):
        self.world = world
        box = world.sandbox
        self.socket = os.path.join(box.dir, "run", "proxy.sock")
        self.direct = box.env["MAILROW_DB_SOCKET"]
        self.hits = []
        self.told = threading.Semaphore(0)
        self.state = {}
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "proxy.py"), self.socket,
             self.direct], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        threading.Thread(target=self.listen, daemon=True).start()
        self.say(forget=True)
        self.switch(self.socket)

    def close(self):
        self.switch(self.direct)
        self.process.stdin.close()
        self.process.wait(10)

    def reset(self):
        """Nothing is ordered, nothing silent."""
        self.say(forget=True)
        self.say(stall=False)
        self.hits.clear()

    def listen(self):
        for line in self.process.stdout:
            event = json.loads(line)
            if "hit" in event:
                self.hits.append(event)
                self.world.ledger.write("proxy", **event)
            else:
                self.state = event
                self.told.release()

    def say(self, **order):
        """Carried out when this returns."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        if not self.told.acquire(timeout=10):
            raise AssertionError("the proxy does not answer")

    def switch(self, socket):
        box = self.world.sandbox
        box.script("start", "--db-socket", socket, "sink")
        ids = box.sql("SELECT id FROM information_schema.processlist"
                      " WHERE user LIKE 'mailrow-%'")
        # one that has ended by itself is no error
        subprocess.run(
            ["mariadb", "--no-defaults", "--force", "--socket", self.direct],
            input="".join("KILL %s;" % row[0] for row in ids), text=True,
            check=False, stderr=subprocess.DEVNULL)

    def order(self, action, at=STORE, who="", times=1, skip=0):
        self.say(do=action, at=at, who=who, times=times, skip=skip)

    def wait(self, n=1, within=30):
        """Until n orders were carried out."""
        wait_until(lambda: len(self.hits) >= n, within,
                   "the proxy's statement")

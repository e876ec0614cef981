#!/usr/bin/env python3
"""mailrow-milter without an MTA: the orders and cuts of miltertalk.py."""

import os
import shlex
import subprocess
import sys

from mrtest import SandboxTest, main


class MilterTalk(SandboxTest):
    def faults(self):
        """Only a build with fault points obeys them."""
        config = os.path.join(os.environ.get("MAILROW_BUILD", "."), "config.h")
        if os.path.exists(config):
            with open(config, encoding="ascii") as f:
                if "#define WITH_FAULT_POINTS 1" in f.read():
                    return ["--faults", self.sandbox.env["MAILROW_FAULT_DIR"]]
        return []

    def test_every_scenario(self):
        env = self.sandbox.env
        sql = "mariadb --no-defaults --batch --skip-column-names --socket %s" \
              " mailrow" % shlex.quote(env["MAILROW_DB_SOCKET"])
        r = subprocess.run(
            [sys.executable,
             os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "miltertalk.py"),
             "--socket", os.path.join(env["MAILROW_DIR"],
                                      "run/milter/milter.sock"),
             "--sql", sql, "--known", "alice@example.test",
             "--other", "bob@example.test",
             "--unknown", "nobody@example.test",
             "--foreign", "x@foreign.test", *self.faults()],
            text=True, check=False, stdout=subprocess.PIPE)
        print(r.stdout, end="")
        self.assertEqual(r.returncode, 0, r.stdout)
        self.assertGreater(r.stdout.count("\nok - "), 5)
        self.sandbox.check_store()


if __name__ == "__main__":
    main()

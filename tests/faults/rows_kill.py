"""Rows: processes that are killed while mail flows."""

import random
import time

from rows import row


@row("nothing fails", ())
def nothing(world):
    with world.traffic(120):
        pass


@row("milter's child killed", (4,), doubt=True)
def milter_child(world):
    world.rested("milter")
    with world.traffic(60, ways={"smtp": 3}) as t:
        t.flow(random.randrange(5, 20))
        world.kill(world.child("milter"))
        world.over()
        t.flow(20)

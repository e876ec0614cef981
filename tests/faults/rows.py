"""What a row is, and all of them: each rows_*.py beside this file adds its."""

import importlib
import os

ROWS = []


class Row:
    """name; facts: the numbers of what it shows in README.md's list;
    function(world); short: it is part of the short form; whole: of --all;
    doubt: a client that was told 4xx may have its mail stored (the end of a
    COMMIT is not known); proxy: it uses world.between(); own: options of a
    sandbox of its own, {"conf": ..., "db_args": ...}; needs: a function that
    tells why this machine does not permit it, or ""; group: the line of
    DESIGN.md's table that it is told in, its name when it has one of its
    own."""

    control = None      # the sabotage that other rows must find

    def __init__(self, name, facts, function, short=True, whole=True,
                 doubt=False, proxy=False, own=None, needs=None, group=None):
        self.name, self.facts, self.function = name, facts, function
        self.short, self.whole, self.needs = short, whole, needs
        self.doubt, self.proxy, self.own = doubt, proxy, own
        self.group = group or name


def add_row(name, facts, function, **options):
    if any(r.name == name for r in ROWS):
        raise ValueError("two rows '%s'" % name)
    ROWS.append(Row(name, facts, function, **options))


class Control(Row):
    """The negative control: a patch of sabotage/ is applied to a copy of the
    sources, and the rows must then fail and say so."""

    def __init__(self, name, patch, rows, says):
        super().__init__("control: " + name, (), None)
        self.control, self.rows, self.says = patch, rows, says


def add_control(name, patch, rows, says):
    ROWS.append(Control(name, patch, rows, says))


def row(name, facts, **options):
    """A decorator: this function is a row."""
    def add(function):
        add_row(name, facts, function, **options)
        return function
    return add


def find_rows():
    here = os.path.dirname(os.path.abspath(__file__))
    for f in sorted(os.listdir(here)):
        if f.startswith("rows_") and f.endswith(".py"):
            importlib.import_module(f[:-3])
    return ROWS

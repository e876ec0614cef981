"""What the lints share: the files of the tree, C read as code, comments and
string literals, and one way to say what is wrong."""

import os
import re
import sys

TOP = os.path.abspath(os.environ.get(
    "top_srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
FOLDERS = ("lib", "sql", "policy", "milter", "lmtpd", "auth", "pop3d", "ctl",
           "packaging", "tests", "m4", ".ci")
_problems = []

_C_PARTS = re.compile(r"""
    (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<char>'(?:\\.|[^'\\\n])*')
""", re.S | re.X)


def files(*suffixes, folders=FOLDERS, root=True):
    """Paths relative to the top, sorted. No suffix: every file."""
    found = []
    if root:
        found += [f for f in os.listdir(TOP)
                  if os.path.isfile(os.path.join(TOP, f))]
    for folder in folders:
        for where, dirs, names in os.walk(os.path.join(TOP, folder)):
            dirs[:] = [d for d in dirs
                       if d not in (".deps", "__pycache__", "corpus")]
            found += [os.path.relpath(os.path.join(where, n), TOP)
                      for n in names]
    if suffixes:
        found = [f for f in found if f.endswith(suffixes)]
    return sorted(f for f in found if not _generated(f))


def _generated(path):
    name = os.path.basename(path)
    if name.endswith((".o", ".a", ".log", ".trs", ".pyc", "~")) \
            or name == ".dirstamp":
        return True
    if not os.path.dirname(path):
        return name in (".git", "configure", "aclocal.m4", "Makefile",
                        "Makefile.in", "config.h", "config.h.in", "config.status",
                        "stamp-h1", "libtool")
    with open(os.path.join(TOP, path), "rb") as f:
        return f.read(4) == b"\x7fELF"


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8",
              errors="surrogateescape") as f:
        return f.read()


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def c_code(text):
    """The text with comments and the insides of literals blanked, of the
    same length and with the same lines."""
    def blank(m):
        inner = re.sub(r"[^\n]", " ", m.group())
        return inner if m.group("comment") else '"' + inner[1:-1] + '"'
    return _C_PARTS.sub(blank, text)


def c_strings(text):
    """Yields (line, literal without its quotes); neighbours are joined as the
    compiler joins them."""
    start, joined, end = 0, None, 0
    for m in _C_PARTS.finditer(text):
        if m.group("comment"):
            continue
        if m.group("char"):
            continue
        gap = re.sub(r"/\*.*?\*/", "", text[end:m.start()], flags=re.S)
        if joined is not None and not gap.strip():
            joined += m.group()[1:-1]
        else:
            if joined is not None:
                yield line_of(text, start), joined
            start, joined = m.start(), m.group()[1:-1]
        end = m.end()
    if joined is not None:
        yield line_of(text, start), joined


def problem(path, line, text):
    _problems.append((path, line, text))


def finish(what):
    """Prints the problems and ends the lint."""
    for path, line, text in sorted(_problems):
        print("%s:%s: %s" % (path, line, text))
    print("%s: %s" % (what, "%d wrong" % len(_problems) if _problems
                      else "ok"))
    sys.exit(1 if _problems else 0)

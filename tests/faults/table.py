"""The matrix as text: faults down, outcomes across."""

COLUMNS = (("mails", "mails"), ("deferred", "deferred"),
           ("stored_451", "451, stored"), ("unanswered", "no answer"),
           ("pop3_refused", "POP3 -ERR"), ("pop3_ended", "POP3 ended"),
           ("lost", "lost"), ("doubled", "doubled"), ("damaged", "damaged"),
           ("longest", "longest answer"), ("serve", "serves after"))
SECONDS = ("longest", "serve")


def cells(result):
    return ["%.1f s" % result[key] if key in SECONDS else str(result[key])
            for key, _ in COLUMNS]


def totals(results):
    done = [r for r in results if "mails" in r]
    sums = {key: sum(r[key] for r in done) for key, _ in COLUMNS}
    for key in SECONDS:
        sums[key] = max((r[key] for r in done), default=0)
    return sums


def print_matrix(rows, results, number, seconds):
    lines = [["fault"] + [title for _, title in COLUMNS] + [""]]
    for r in rows:
        result = results.get(r.name)
        if r.control:
            continue
        if not result or "mails" not in result:
            lines.append([r.name] + ["-"] * len(COLUMNS) + ["FAILED"])
        else:
            lines.append([r.name] + cells(result)
                         + ["FAILED" if result["problems"] else "ok"])
    lines.append(["all"] + cells(totals(results.values())) + [""])
    widths = [max(len(line[i]) for line in lines)
              for i in range(len(lines[0]))]
    print("\nround %d, %.0f s" % (number, seconds))
    for r in rows:
        if r.control and r.name in results:
            print("%s: %s" % (r.name, "NOT FOUND" if results[r.name][
                "problems"] else "found"))
    for line in lines:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w)
                        for i, (c, w) in enumerate(zip(line, widths))).rstrip())
    print(flush=True)


BEGIN, END = "<!-- the fault matrix -->\n", "<!-- its end -->\n"


def design_lines(rows, rounds):
    """The same for DESIGN.md: rows of a group in one line, all rounds."""
    yield "| fault | rows | %s |" % " | ".join(t for _, t in COLUMNS)
    yield "|---" * (len(COLUMNS) + 2) + "|"
    groups = {}
    for r in rows:
        if not r.control:
            groups.setdefault(r.group, []).append(r.name)
    done = [r for results in rounds for r in results.values()]
    groups["all"] = [r.name for r in rows if not r.control]
    for group, names in groups.items():
        sums = totals([r for r in done if r["row"] in names])
        yield "| %s | %d | %s |" % (group, len(names),
                                    " | ".join(cells(sums)))


def write_design(path, rows, rounds):
    """Between the two marks in the file."""
    with open(path) as f:
        text = f.read()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    with open(path, "w") as f:
        f.write(head + BEGIN + "\n".join(design_lines(rows, rounds)) + "\n"
                + END + tail)

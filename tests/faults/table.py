"""The matrix as text: faults down, outcomes across."""

COLUMNS = (("mails", "mails"), ("deferred", "deferred"),
           ("unanswered", "no answer"), ("pop3_refused", "POP3 -ERR"),
           ("lost", "lost"), ("doubled", "doubled"), ("damaged", "damaged"),
           ("serve", "serves after"))


def cells(result):
    return ["%.1f s" % result[key] if key == "serve" else str(result[key])
            for key, _ in COLUMNS]


def totals(results):
    done = [r for r in results if "mails" in r]
    sums = {key: sum(r[key] for r in done) for key, _ in COLUMNS}
    sums["serve"] = max((r["serve"] for r in done), default=0)
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

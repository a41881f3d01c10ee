"""The results in words: a table for a terminal, and the README's.

usage: page.py JSON --write

With --write the README has the table of that file.
"""
import json
import os
import sys

from measure import OURS, PLAIN

README = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "README.md")
BEGIN = "<!-- Made by `make bench-readme`; changes here are lost. -->\n"
END = "<!-- The end of the figures. -->\n"


def number(x):
    """Three digits of it, or all that are before the point."""
    if x >= 100:
        return "{:,.0f}".format(x)
    return "%.*f" % (1 if x >= 10 else 2, x)


def figure(f):
    if f["q1"] == f["q3"] == f["median"]:
        return number(f["median"])
    return "%s (%s–%s)" % tuple(number(f[k]) for k in ("median", "q1", "q3"))


def ordered(row):
    """The peers that have a figure, best first."""
    return sorted((t for t in row["tools"] if t not in (OURS, PLAIN)),
                  key=lambda t: row["tools"][t]["median"],
                  reverse=row["more_is_better"])


def sign(goal):
    return {"<=": "≤", ">=": "≥"}[goal["sign"]]


def wanted(goal):
    of = {None: "", "best": " of the best"}.get(goal["of"],
                                                " of %s" % goal["of"])
    return "%s %s%s" % (sign(goal), number(goal["limit"]), of)


def outcome(goal):
    if "met" not in goal:
        return "nothing to compare"
    return "met" if goal["met"] else "missed"


def notes(row):
    return [row["note"]] * bool(row["note"]) + [
        "%s can have %s connections" % (tool, number(n))
        for tool, n in row["at"].items()]


def table(rows):
    """For a terminal: a line for each tool."""
    lines = []
    for row in rows:
        lines.append("%s, %s%s" % (row["title"], row["unit"], "".join(
            "   [goal %s: %s]" % (wanted(g), outcome(g))
            for g in row["goals"])))
        for tool in [t for t in (OURS, PLAIN) if t in row["tools"]] + \
                ordered(row):
            ratio = row["ratios"].get(tool)
            lines.append("    %-20s %-28s %s" % (
                tool, figure(row["tools"][tool]),
                "mptls/it %s" % figure(ratio) if ratio else ""))
        for tool, why in row["absent"].items():
            lines.append("    %-20s -  %s" % (tool, why))
        lines += ["    note: " + note for note in notes(row)]
    return "\n".join(lines)


def cell(goal):
    """The ratio to the peer, and the goal and whether it is met."""
    shown = figure(goal["ratio"]) if "ratio" in goal else ""
    said = {"met": ": met", "missed": ": **missed**"}.get(outcome(goal), "")
    return shown, wanted(goal) + said


def markdown(rows):
    lines = ["| work | mptls | peers | ratio | goal |", "|---|---|---|---|---|"]
    for row in rows:
        ours = figure(row["tools"][OURS]) if OURS in row["tools"] else "-"
        if PLAIN in row["tools"]:
            ours += "; without ACCEL " + figure(row["tools"][PLAIN])
        peers = ", ".join("%s %s" % (t, figure(row["tools"][t]))
                          for t in ordered(row))
        gone = ", ".join("%s -" % tool for tool in row["absent"]
                         if tool not in (OURS, PLAIN))
        cells = [cell(goal) for goal in row["goals"]]
        lines.append("| %s, %s | %s | %s | %s | %s |" % (
            row["title"], row["unit"], ours,
            ", ".join(filter(None, (peers, gone))),
            "; ".join(filter(None, (c[0] for c in cells))),
            "; ".join(filter(None, (c[1] for c in cells)))))
    return lines


def missed(row):
    return any(not goal.get("met", True) for goal in row["goals"])


# Which count says where the time of a row goes.
WHERE = (("connect.", ("connect",)), ("store.", ("store",)),
         ("start.", ("start",)), ("bulk.", ("send", "receive")),
         ("shakes.full", ("serve",)), ("targets.", ("connect",)))


def where(found):
    """For each kind of goal missed the functions that have the most."""
    lines = []
    for prefix, counts in WHERE:
        rows = [r for r in found["rows"] if r["name"].startswith(prefix) and
                missed(r)]
        if not rows:
            continue
        for name in counts:
            if name not in found["counts"]:
                continue
            c = found["counts"][name]
            lines.append("- %s, %s instructions: %s." % (
                c["title"], "{:,}".format(c["instructions"]), ", ".join(
                    "`%s` %.0f %%" % (f, 100 * part) for f, part in c["in"])))
    if lines:
        lines = ["", "Goals are missed. Where the instructions go, by "
                 "callgrind, in the functions themselves:", "", *lines]
    return lines


def limits(found):
    rows = [r for r in found["rows"] if r["name"].startswith("limit.")]
    return ["", "What this machine can do: %s." % "; ".join(
        "%s %s %s" % (r["title"], figure(t), r["unit"])
        for r in rows for t in r["tools"].values())] if rows else []


def page(found):
    m = found["machine"]
    lines = [
        "%s, %d processors, %s; Linux %s, %s. %s." % (
            m["processor"], m["processors"], m["memory"], m["kernel"],
            m["system"], found["date"]),
        "The versions: %s." % ", ".join(found["versions"].values()),
        "", "Medians (quartiles) of runs in turn. The ratio is mptls's figure "
        "by the peer's that the goal names, or the best one's.", ""]
    rows = [r for r in found["rows"] if r["goals"]]
    lines += markdown(rows)
    said = sorted({note for r in rows for note in notes(r)})
    if said:
        lines += ["", "Notes: %s." % "; ".join(said)]
    return lines + limits(found) + where(found)


def write(found):
    with open(README, encoding="utf-8") as f:
        text = f.read()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    with open(README, "w", encoding="utf-8") as f:
        f.write(head + BEGIN + "\n" + "\n".join(page(found)) + "\n\n" + END +
                tail)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] != "--write":
        sys.exit("usage: page.py JSON --write")
    with open(sys.argv[1], encoding="utf-8") as results:
        write(json.load(results))

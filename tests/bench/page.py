"""The results in words: a table for a terminal, and the README's.

usage: page.py JSON --write

With --write the README has the table of that file.
"""
import json
import os
import re
import sys
import textwrap

from measure import MINE, OURS, PLAIN

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
    return sorted((t for t in row["tools"] if t not in MINE),
                  key=lambda t: row["tools"][t]["median"],
                  reverse=row["more_is_better"])


def sign(goal):
    return {"<=": "≤", ">=": "≥"}[goal["sign"]]


def wanted(goal):
    of = {None: "", "best": " of the best"}.get(goal["of"],
                                                " of %s" % goal["of"])
    if goal["sign"] is None:
        return of.removeprefix(" ")
    return "%s %s%s" % (sign(goal), number(goal["limit"]), of)


def outcome(goal):
    if "met" not in goal:
        return "nothing to compare"
    return "met" if goal["met"] else "missed"


def notes(row):
    return [row["note"]] * bool(row["note"]) + [
        "%s could have %s connections" % (tool, number(n))
        for tool, n in row["at"].items()]


def table(rows):
    """For a terminal: a line for each tool."""
    lines = []
    for row in rows:
        lines.append("%s, %s%s" % (row["title"], row["unit"], "".join(
            "   [goal %s: %s]" % (wanted(g), outcome(g))
            for g in row["goals"] if g["sign"])))
        for tool in [t for t in MINE if t in row["tools"]] + \
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
        ours = figure(row["tools"][OURS]) if OURS in row["tools"] else \
            "- (%s)" % row["absent"].get(OURS, "not measured")
        if PLAIN in row["tools"]:
            ours += "; without ACCEL " + figure(row["tools"][PLAIN])
        peers = ", ".join("%s %s" % (t, figure(row["tools"][t]))
                          for t in ordered(row))
        gone = ", ".join("%s -" % tool for tool in row["absent"]
                         if tool not in MINE)
        cells = [cell(goal) for goal in row["goals"]]
        lines.append("| %s, %s | %s | %s | %s | %s |" % (
            row["title"], row["unit"], ours,
            ", ".join(filter(None, (peers, gone))),
            "; ".join(filter(None, (c[0] for c in cells))),
            "; ".join(filter(None, (c[1] for c in cells)))))
    return lines


def missed(row):
    return any(not goal.get("met", True) for goal in row["goals"])


# Which counts say where the time of a row goes.
WHERE = (("connect.", "connect"), ("targets.", "connect"), ("store.", "store"),
         ("start.", "start"), ("bulk.", "send"), ("bulk.", "receive"),
         ("shakes.", "serve"))
LEAST = 0.02  # of all, to be named


def called(function):
    return "code without a name" if function.startswith("0x") else \
        "`%s`" % function


def where(found):
    """For each kind of goal missed the functions that have the most."""
    names = [row["name"] for row in found["rows"] if missed(row)]
    wanted_counts = dict.fromkeys(
        count for prefix, count in WHERE if count in found["counts"] and
        any(name.startswith(prefix) for name in names))
    items = []
    for count in map(found["counts"].get, wanted_counts):
        items += wrapped("- %s, %s instructions: %s; most in %s" % (
            count["title"], "{:,}".format(count["instructions"]),
            ", ".join("%s %.0f %%" % (work, 100 * part) for work, part in
                      sorted(count["work"].items(), key=lambda w: -w[1])
                      if part >= LEAST),
            ", ".join("%s %.0f %%" % (called(function), 100 * part)
                      for function, part in count["in"] if part >= LEAST)),
                         "  ")
    if items:
        items = ["", *wrapped(
            "Goals are missed. Where the instructions go, by callgrind, with "
            "what the parts call, and in the functions themselves:"), "",
            *items]
    return items


# What was tried where a goal is missed, by the row's name.
TRIED = (
    (r"start\.(wall|cpu)",
     "--version: a program in C that does nothing takes half of it, and two "
     "fifths go to opening the libraries that it names, which is how it knows "
     "that they are of use. In: their functions are bound late. Tried: leaving "
     "without their destructors, 2 %; a program that is not moved about in "
     "memory (-no-pie), 4 %, which an attacker would welcome."),
    (r"(connect|store)\.(wall|cpu)",
     "a connection: most is signatures. In are libhogweed for P-256 and for "
     "keys of X25519, SHA-256 by the processor's instructions, records that "
     "nobody asks about left sealed, suites ordered by number, AES's tables in "
     "the program; libhogweed itself costs 0.2 ms to open."),
    (r"shakes\.resumed\.13",
     "resumed handshakes in TLS 1.3: the load needs more of the processors than "
     "the server, about 0.32 ms beside 0.22, which is where two of them end. "
     "The client chooses the suite, and with it "
     "SHA-384 (13 %), of which Nettle's is 1 % faster; the shared secret of "
     "X25519 (19 %) is Everest's, which Nettle's is slower than; the kernel "
     "has 25 %."),
    (r"shakes\.resumed\.12",
     "resumed handshakes in TLS 1.2: the kernel has 61 % of the server's time: "
     "close 19, send 13, recv 8, epoll 7, accept 5. 10 system calls are left of "
     "43, with accept4(), options inherited from the listener, a flight in one "
     "write and in one read, and no wait after both ends' close_notify."),
    (r"bulk\.chacha(\.cpu)?",
     "ChaCha20-Poly1305: libipsec-mb does 3.9 GB/s of it a core, OpenSSL 3.7, "
     "and AES-256-GCM is 10.7; both ends need 0.55 s/GiB for it, and all else "
     "is as for AES-GCM. Tried: the library's jobs in place of direct calls, "
     "1 % slower."),
    (r"bulk\..*",
     "bulk: the plain TCP pipe says what pipes and TCP take. In are 64 KiB "
     "a read and a write, MSG_MORE between the records of one read, and "
     "standard output opened anew without blocking. Tried: pipes of 256 KiB "
     "and 1 MiB, the same within the spread."),
)


def tried(found):
    lines = []
    for pattern, text in TRIED:
        if any(re.fullmatch(pattern, row["name"]) and missed(row)
               for row in found["rows"]):
            lines += wrapped("- " + text, "  ")
    return ["", *wrapped("What was tried, and what stands in the way:"), "",
            *lines] if lines else []


def wrapped(text, indent=""):
    return textwrap.wrap(text, 80, subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)


def limits(found):
    rows = [r for r in found["rows"] if r["name"].startswith("limit.")]
    return ["", *wrapped("What this machine can do: %s." % "; ".join(
        "%s %s %s" % (r["title"], figure(t), r["unit"])
        for r in rows for t in r["tools"].values()))] if rows else []


def page(found):
    m = found["machine"]
    lines = wrapped(
        "%s, %d processors, %s; Linux %s, %s; %s. The versions: %s. The bulk "
        "is of %d MiB." % (
            m["processor"], m["processors"], m["memory"], m["kernel"],
            m["system"], found["date"], ", ".join(found["versions"].values()),
            found["settings"]["mib"]))
    load = m["load"].split(", ")
    if float(load[2]) > 2 * m["processors"]:
        lines += ["", *wrapped(
            "The machine had other work to do meanwhile: its load was %s over "
            "the last quarter of an hour. That makes times longer, and less "
            "sure than those of the processor." % load[2])]
    lines += ["", *wrapped(
        "Medians, and quartiles in parentheses, of rounds in which all tools "
        "had their turn. A ratio is mptls's figure divided by that of the peer "
        "which the goal names, or of the best one, in the same round."), ""]
    rows = [r for r in found["rows"] if r["goals"]]
    lines += markdown(rows)
    said = sorted({note for r in rows for note in notes(r)})
    if said:
        lines += ["", *wrapped("%s." % "; ".join(said))]
    return lines + limits(found) + where(found) + tried(found)


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

"""What run.sh runs: the parts, and what is made of their figures."""
import json
import os
import platform
import re
import sys
import time

import measure  # first: it says where load is
import load
import bulk
import connect
import counts
import idle
import page
import peers
import plot
import shakes
import size
import targets

PARTS = {"size": size.run, "connect": connect.run, "shakes": shakes.run,
         "targets": targets.run, "bulk": bulk.run, "records": bulk.records,
         "idle": idle.run}
PLOTS = (  # a row's name, the file, the title and the axes
    (r"records\.(\d+)", "records", "Throughput against record size",
     ("bytes in a record", "MiB/s")),
    (r"idle\.(\d+)", "idle", "Memory against connections",
     ("connections", "KiB for each")),
    (r"targets\.(\d+)", "targets", "Time against targets", ("targets", "s")))


class Settings:
    """How much of each; little of all for a try."""

    def __init__(self):
        env = os.environ
        self.smoke = bool(env.get("BENCH_SMOKE"))
        self.full = bool(env.get("BENCH_FULL"))
        self.mib = int(env.get("MIB", 2048 if self.full else 512))
        self.shakes, self.counted = 500, 64
        self.records_mib = 64
        self.targets, self.idle = (10, 100, 1000), (100, 1000, 10000)
        self.factor = float(env.get("ROUNDS_FACTOR", 1))
        self.bulk_rounds = self.rounds(3 if self.full else 5)
        if self.smoke:
            self.mib = self.records_mib = self.counted = 1
            self.shakes = 20
            self.targets, self.idle = (2, 5), (5, 10)

    def rounds(self, usual):
        return 1 if self.smoke else max(1, round(usual * self.factor))


def first(pattern, path):
    found = re.search(pattern, load.read(path), re.M)
    return found[1].strip() if found else "unknown"


def machine():
    kib = first(r"^MemTotal:\s*(\d+)", "/proc/meminfo")
    return {
        "processor": first(r"^model name\s*:(.*)", "/proc/cpuinfo"),
        "processors": os.cpu_count(),
        "memory": "%.0f GiB" % (int(kib) / (1 << 20)),
        "kernel": re.match(r"[\d.]*\d", platform.release())[0],
        "architecture": platform.machine(),
        "system": first(r'^PRETTY_NAME="?([^"\n]*)', "/etc/os-release"),
        "load": "%.1f, %.1f, %.1f" % os.getloadavg()}


def versions(programs):
    return {name: programs.version(name) for name in (
        measure.OURS, "openssl", "gnutls-cli", "socat", "ncat", "stunnel",
        "nginx", "curl") if programs.has(name)}


def plots(rows, folder):
    for pattern, name, title, labels in PLOTS:
        series = {}
        for row in rows:
            found = re.fullmatch(pattern, row["name"])
            for tool, figures in row["tools"].items() if found else ():
                at = row["at"].get(tool, int(found[1]))
                series.setdefault(tool, {})[at] = figures
        if series:
            with open(os.path.join(folder, name + ".svg"), "w",
                      encoding="utf-8") as f:
                f.write(plot.svg(title, labels, {
                    tool: sorted(points.items())
                    for tool, points in series.items()}))


def run_part(name, programs, settings):
    began = time.monotonic()
    try:
        rows = [row.plain() for row in PARTS[name](programs, settings)]
    except load.Failed as e:
        load.say("%s: %s" % (name, e))
        return []
    load.say(page.table(rows))
    load.say("(%s: %.0f s)\n" % (name, time.monotonic() - began))
    return rows


def main(binary, folder, *words):
    settings = Settings()
    programs = peers.Programs(binary)
    if words == ("counts",):
        counts.compare(programs, settings, bool(os.environ.get("BASELINE")))
        return
    os.makedirs(folder, exist_ok=True)
    rows = []
    for name in words or PARTS:
        rows += run_part(name, programs, settings)
    found = {
        "v": 1, "date": time.strftime("%Y-%m-%d"), "machine": machine(),
        "versions": versions(programs),
        "settings": {"mib": settings.mib, "shakes": settings.shakes},
        "rows": rows,
        "counts": {} if words else counts.compare(programs, settings)}
    with open(os.path.join(folder, "bench.json"), "w",
              encoding="utf-8") as f:
        json.dump(found, f, indent=1)
        f.write("\n")
    plots(rows, folder)
    load.say("%d goals met, %d missed; all figures: %s/bench.json" % (
        sum(g.get("met", False) for r in rows for g in r["goals"]),
        sum(not g.get("met", True) for r in rows for g in r["goals"]),
        folder))


if __name__ == "__main__":
    main(*sys.argv[1:])

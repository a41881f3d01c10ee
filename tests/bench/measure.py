"""Samples taken in turn, and what they come to.

A row of the table is one figure of one kind of work, for mptls and for every
peer. Each round measures all of them, one after the other, so that whatever
else the machine does hits all. The ratio is that of a round, and what is
printed its median and its quartiles.
"""
import os
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "soak"))
import load  # noqa: E402 - it is there

OURS = "mptls"
PLAIN = "mptls without ACCEL"
KTLS = "mptls --ktls"
MINE = (OURS, PLAIN, KTLS)  # no peers
NO_ACCEL = {**os.environ, "MPTLS_ACCEL": "none"}


class Goal:
    """So many times a peer, or of the best of them; without one, absolute.
    Without a limit it is a ratio to be shown and not judged."""

    def __init__(self, sign, limit, of="best"):
        self.sign, self.limit, self.of = sign, limit, of

    def met(self, value):
        return value <= self.limit if self.sign == "<=" else \
            value >= self.limit


def ratio_to(peer):
    return Goal(None, None, peer)


class Row:
    """One figure: what it is, and the samples of each tool, by round."""

    def __init__(self, name, title, unit, *goals, more=False, note=""):
        self.name, self.title, self.unit = name, title, unit
        self.goals, self.more = goals, more  # more: that is better
        self.samples, self.absent = {}, {}
        self.note = note
        self.at = {}  # the sizes of tools that cannot have the row's own

    def add(self, tool, value):
        self.samples.setdefault(tool, []).append(value)

    def middle(self, tool):
        return statistics.median(self.samples[tool])

    def peers(self):
        """The best first."""
        return sorted((t for t in self.samples if t not in MINE),
                      key=self.middle, reverse=self.more)

    def ratios(self, peer, ours=OURS):
        return [a / b for a, b in zip(self.samples[ours], self.samples[peer])
                if b]

    def judged(self, goal):
        """@return the peer meant, the ratios or samples, None if unknown"""
        if OURS not in self.samples:
            return None
        if goal.of is None:
            return None, self.samples[OURS]
        peer = (self.peers() or [None])[0] if goal.of == "best" else goal.of
        if peer not in self.samples or not self.ratios(peer):
            return None
        return peer, self.ratios(peer)

    def judgement(self, goal):
        found = {"sign": goal.sign, "limit": goal.limit, "of": goal.of}
        judged = self.judged(goal)
        if OURS in self.absent and goal.sign:
            found["met"] = False
        elif judged:
            found["peer"] = judged[0]
            found["ratio" if judged[0] else "value"] = spread(judged[1])
            if goal.sign:
                found["met"] = goal.met(statistics.median(judged[1]))
        return found

    def plain(self):
        """As JSON has it."""
        return {
            "name": self.name, "title": self.title, "unit": self.unit,
            "more_is_better": self.more,
            "tools": {tool: {**spread(s), "samples": [digits(x) for x in s]}
                      for tool, s in self.samples.items()},
            "ratios": {peer: spread(self.ratios(peer))
                       for peer in self.peers()
                       if OURS in self.samples and self.ratios(peer)},
            "goals": [self.judgement(goal) for goal in self.goals],
            "absent": self.absent, "note": self.note,
            "at": self.at}


def digits(x):
    """Enough of them to work with, and no more."""
    return float("%.5g" % x)


def spread(samples):
    """Median and quartiles."""
    low = high = samples[0]
    if len(samples) > 1:
        low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return {"median": digits(statistics.median(samples)), "q1": digits(low),
            "q3": digits(high)}


def in_turn(rows, tools, work, rounds):
    """work(tool) gives a figure for each row; one that fails is left out.

    @param tools  names, ours first; or (name, reason) where one is not here
    """
    for tool in tools:
        if isinstance(tool, tuple):
            for row in rows:
                row.absent[tool[0]] = tool[1]
    here = [tool for tool in tools if not isinstance(tool, tuple)]
    for _ in range(rounds):
        for tool in list(here):
            try:
                found = work(tool)
            except (load.Failed, OSError) as e:
                here.remove(tool)
                for row in rows:
                    row.absent[tool] = " ".join(str(e).split())
                    row.samples.pop(tool, None)
                continue
            for row, value in zip(rows, found):
                row.add(tool, value)
    return rows


def alarm(*_):
    raise load.Failed("it does not end")


def timed(argv, env=None, wanted=0):
    """Run it, with nothing to read and nowhere to write.

    @return seconds, and processor seconds, with those of its children
    """
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
    signal.signal(signal.SIGALRM, alarm)
    pid = 0
    signal.alarm(load.PATIENCE * 4)
    try:
        began = time.perf_counter()
        pid = os.posix_spawnp(argv[0], argv, env or os.environ,
                              file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        took = time.perf_counter() - began
        pid = 0
    finally:
        signal.alarm(0)
        os.close(null)
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != wanted:
        raise load.Failed("%s: exit status %d" % (" ".join(argv), code))
    return took, usage.ru_utime + usage.ru_stime


def processor(process):
    """Its seconds so far: to the nanosecond where the kernel tells, and in
    ticks where threads have ended, of which it tells no more."""
    ns = 0
    for pid in process.pids():
        for task in load.listdir("/proc/%d/task" % pid):
            ns += int((load.read("/proc/%d/task/%s/schedstat" % (
                pid, task)).split() or [0])[0])
    ticks = process.seconds()
    return ticks if ticks > ns / 1e9 + 0.03 else ns / 1e9

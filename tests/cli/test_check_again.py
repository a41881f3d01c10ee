"""check with many targets: a process does one after the other, and what one
target left behind must not be seen in what is told of the next."""
import os
import re
import signal
import threading

from harness import Peer, cert, each, test, wait_until
from test_check_many import Board, children, closed, silent

WORDS = ("--cafile", cert("root.pem"), "--server-hostname", "localhost")
SERVERS = ("server-ec256", "server-chain", "server-rsa2048", "server-expired",
           "server-unknown-root", "server-wrong-host", "server-extra")


class Gate(Peer):
    """A server of no TLS, which takes a client and lets it go when told so."""

    def __init__(self, t):
        self.came, self.open = threading.Event(), threading.Event()
        super().__init__(t, self.hold)

    def hold(self, c):
        self.came.set()
        self.open.wait(10)


def targets(t):
    """Good and bad, each bad in a way of its own."""
    serve = [t.serve("--keep-open", "--discard", name=name, report=False)
             for name in SERVERS]
    serve.append(t.serve("--keep-open", "--discard", "--max-version", "1.2",
                         report=False))
    speak = Peer(t, lambda c: c.sendall(b"220 hello, this is no TLS\r\n"))
    leave = Peer(t, lambda c: c.recv(1))
    return [s.address for s in serve] + [speak.address, leave.address,
                                         closed(t), "nonsense:"]


def lines(t, words, jobs, wanted):
    """What is said of each target, and on stderr without the sum."""
    r = t.run("check", *WORDS, *words, "--jobs", str(jobs), "--targets",
              t.named("\n".join(wanted).encode(), "list"), report=False)
    found = [line.split(": ", 1) for line in r.out.decode().splitlines()]
    said = {}
    for target, line in found:  # where it is in the list does not matter
        said.setdefault(target, set()).add(
            re.sub(r"/\S*list:\d+: ", "", line))
    return said, sorted(set(r.lines[:-1])), len(found)


@each([("as it is",), ("one says nothing", "--handshake-timeout", "2"),
       ("a device's limit", "--max-in-record", "1k"),
       ("a device's heap", "--heap-limit", "46k"),
       ("another clock", "--time", "2000-01-01"),
       ("what is expected", "--expect", "version=TLSv1.3"),
       ("nothing is verified", "--verify", "none")])
def a_target_has_the_same_line_whatever_was_before(t, *words):
    wanted = targets(t)
    if "--handshake-timeout" in words:
        wanted.insert(1, silent(t))
    alone = lines(t, words, len(wanted), wanted)
    t.eq(len(alone[0]), len(wanted), "targets")
    both = wanted + wanted[::-1]
    again = lines(t, words, 1, both)
    t.eq(again[2], len(both), "lines")
    for target in wanted:
        t.eq(again[0][target], alone[0][target], target)
    t.eq(again[1], alone[1], "stderr")


def timeless(x):
    """Without what is another with each connection: times, and the length of
    an ECDSA signature, which the peak of its step has in it."""
    if isinstance(x, dict):
        return {k: timeless(v) for k, v in x.items()
                if not k.endswith("ms") and k not in ("local", "bytes") and
                (k != "peak" or "message" not in x)}
    return [timeless(v) for v in x] if isinstance(x, list) else x


@test
def a_target_has_the_same_report_whatever_was_before(t):
    wanted = targets(t)[:-1]
    def reports(jobs, some):
        r = t.run("check", "--json", *WORDS, "--jobs", str(jobs), *some)
        return {x["target"]: timeless(x) for x in r.reports}
    alone = reports(len(wanted), wanted)
    for some in wanted, wanted[::-1]:
        again = reports(1, some)
        for target in wanted:
            t.eq(again[target], alone[target], target)


@test
def no_library_is_opened_for_the_bytes_of_those_before(t):
    s = t.serve("--keep-open", "--discard", name="server-extra", report=False)
    r = t.run("check", "--json", *WORDS, "--jobs", "1", *[s.address] * 150)
    t.eq({x["tls"]["encrypted_by"] for x in r.reports}, {"Mbed TLS"}, "by")


@test
def one_process_does_many_and_keeps_nothing_open(t):
    first, last = Gate(t), Gate(t)
    between = [x for x in targets(t) if x != "nonsense:"] * 3
    p = t.start("check", *WORDS, "--jobs", "1", first.address, *between,
                last.address, report=False)
    seen = []
    for gate in first, last:
        wait_until("its turn", gate.came.is_set)
        (pid,) = children(p.pid)
        seen.append((pid, len(os.listdir("/proc/%s/fd" % pid))))
        gate.open.set()
    t.eq(seen[1], seen[0], "process, and how many descriptors it has")
    t.eq(len(p.wait().out.splitlines()), len(between) + 2, "lines")


@each([("killed", signal.SIGKILL, "1 local-io: its process was ended by "
        "signal 9"),
       ("crashed", signal.SIGABRT, "1 local-io: its process was ended by "
        "signal 6"),
       ("told to end", signal.SIGTERM, "143 signal: stopped by signal 15, "
        "still waiting for the server's ServerHello")])
def who_dies_has_one_target_only(t, number, why):
    board, gate = Board(t), Gate(t)
    p = t.start("check", "--cafile", cert("root.pem"), "--jobs", "1",
                board.address, gate.address, board.address, report=False)
    wait_until("its turn", gate.came.is_set)
    (pid,) = children(p.pid)
    os.kill(int(pid), number)
    r = p.wait()
    lines = r.out.decode().splitlines()
    t.eq(lines[1], gate.address + ": " + why, "its line")
    t.eq([x.split(", ")[0] for x in (lines[0], lines[2])],
         [board.address + ": ok: TLSv1.3"] * 2, "the others")


@test
def each_process_draws_random_numbers_of_its_own(t):
    board = Board(t)
    r = t.run("check", "--cafile", cert("root.pem"), "--jobs", "4",
              *[board.address] * 40, report=False)
    t.eq(r.status, 0, "status")
    t.eq((len(board.randoms), len(set(board.randoms))), (40, 40), "randoms")

"""SOAK_SECONDS of clients of every kind at one server, and then the sums.

usage: mix.py MPTLS OPTION...    of serve: a mode that echoes, and others;
                                 BACKEND stands for the port of a plain echo

Each client has an address of its own, so that its line in the server's log is
found: what it did and saw has to be what is logged. Now and then the log is
renamed, and the server told to open it anew, and its keys. At the end no
descriptor is left, memory is what it was after the first quarter, and SIGTERM
drains.

SEED makes the same clients again, PARALLEL is how many there are at a time.
"""
import collections
import itertools
import sys
import threading
import time

import kinds
import load

BINARY, OPTIONS = sys.argv[1], sys.argv[2:]
SECONDS = load.number("SOAK_SECONDS", 120)
SEED = load.number("SEED", int(time.time()))
PARALLEL = load.number("PARALLEL", 32)
PROGRESS = load.number("PROGRESS", 10)  # seconds between lines of it
EACH = 256 << 10  # bytes of memory that a client may cost at most
SPARE = 16 << 20  # and all else: what malloc keeps
EXACT = (kinds.whole, kinds.half_closed, kinds.stalled, kinds.truncated,
         kinds.bytewise)  # their bytes are known


class Soak:
    """What came of the clients of one server."""

    def __init__(self, server):
        self.server = server
        self.numbers = itertools.count()
        self.lock = threading.Lock()
        self.done = {}  # by address: kind, classes, bytes
        self.failed = []
        self.began = time.monotonic()
        self.sizes = []  # time, bytes

    def left(self):
        return self.began + SECONDS - time.monotonic()

    def work(self):
        while self.left() > 0:
            with self.lock:
                c = kinds.Client(SEED, next(self.numbers), self.server.port)
            try:
                classes = c.kind(c)
                with self.lock:
                    self.done[c.address] = c.kind, classes, c.sent
            except Exception as e:  # pylint: disable=broad-except
                with self.lock:
                    self.failed.append("%s, %s: %s: %s" % (
                        c.kind.__name__, c.address, type(e).__name__, e))

    def watch(self, workers):
        said = self.began
        while any(w.is_alive() for w in workers):
            now = time.monotonic()
            self.sizes.append((now - self.began, self.server.resident()))
            if now - said >= PROGRESS:
                said = now
                self.server.turn_over()
                load.say("  %4.0f s: %6d clients, %d failed; %s" % (
                    now - self.began, len(self.done), len(self.failed),
                    self.state()))
            workers[0].join(0.5)

    def state(self):
        return "%.1f MiB, %s descriptors, %.1f s of CPU" % (
            self.server.resident() / 2**20, self.server.descriptors(),
            self.server.seconds())

    def run(self):
        workers = [threading.Thread(target=self.work, daemon=True)
                   for _ in range(PARALLEL)]
        for w in workers:
            w.start()
        self.watch(workers)


def drained(server):
    """SIGTERM lets the one that is there go on, and nobody else come."""
    with kinds.Client(SEED, 1 << 20, server.port).tls() as sock:
        load.echoes(sock, b"before\n")
        server.p.terminate()
        load.wait_until("the listener to be closed", lambda: refused(server))
        load.echoes(sock, b"after\n")
        sock.unwrap().close()
    rc = server.ended()
    if rc != 143:
        raise load.Failed("exit status %d" % rc)


def refused(server):
    try:
        load.dial(server.port).close()
    except ConnectionError:
        return True
    return False


def compare(soak, lines):
    """What is wrong with the log, and the counts by kind."""
    wrong, table = [], collections.Counter()
    log = {}
    for r in lines:
        address = r["peer"].split(":")[0]
        if address in log:
            wrong.append("%s has two lines" % address)
        log[address] = r
    for address, (kind, classes, sent) in soak.done.items():
        r = log.pop(address, None)
        if r is None:
            wrong.append("%s, %s has no line" % (kind.__name__, address))
            continue
        table[kind.__name__, r["class"]] += 1
        got = r["bytes"]["in"], r["bytes"]["out"]
        if r["class"] not in classes:
            wrong.append("%s, %s is %s: %s" % (
                kind.__name__, address, r["class"], r["text"]))
        elif kind in EXACT and got != (sent, sent):
            wrong.append("%s, %s: bytes %s, not %d" % (
                kind.__name__, address, got, sent))
        elif got[0] < sent:
            wrong.append("%s, %s: bytes %s, and %d came back" % (
                kind.__name__, address, got, sent))
    # The drained one, and those that asked whether the listener is closed.
    extra = [a for a in log if not a.startswith(("127.0.0.1", "127.17."))]
    return wrong + ["%s is in the log alone" % a for a in extra], table


def check_memory(soak, idle):
    quarter = max(size for at, size in soak.sizes if at <= SECONDS / 4)
    peak = max(size for _, size in soak.sizes)
    end = soak.server.resident()
    load.say("memory: %.1f MiB at first, %.1f in the first quarter, %.1f at "
             "most, %.1f at the end" % tuple(
                 n / 2**20 for n in (idle, quarter, peak, end)))
    if load.sanitized(BINARY):
        return
    workers = len(soak.server.pids())
    if peak > idle + PARALLEL * EACH + workers * SPARE:
        raise load.Failed("%d bytes of memory" % peak)
    if end > quarter + SPARE:
        raise load.Failed("memory grows")


def run():
    load.raise_fd_limit(4096)
    if not any("BACKEND" in o for o in OPTIONS):
        return soaked(OPTIONS)
    with load.Backend() as backend:
        return soaked([o.replace("BACKEND", str(backend.port))
                       for o in OPTIONS])


def soaked(options):
    load.say("soak: %d s, SEED=%d, %d at a time, %s" % (
        SECONDS, SEED, PARALLEL, " ".join(options)))
    with load.Mptls(BINARY, "--verify", "required", "--cafile",
                    load.cert("root.pem"), "--handshake-timeout", "2",
                    "--drain-timeout", "20", *options) as server:
        fds, idle = server.settled(), server.resident()
        if fds is None:
            load.say("SKIP descriptors: it takes root to look at them")
        soak = Soak(server)
        soak.run()
        load.wait_until("as many descriptors as at first",
                        lambda: server.descriptors() == fds)
        load.say("at the end: " + soak.state())
        check_memory(soak, idle)
        drained(server)
        wrong, table = compare(soak, server.logged())
    for (kind, name), n in sorted(table.items()):
        load.say("  %-12s %-20s %7d" % (kind, name, n))
    wrong += soak.failed
    load.say("%d clients, %d wrong" % (sum(table.values()), len(wrong)))
    if wrong:
        raise load.Failed("\n".join(wrong[:20]))
    return 0


load.main(run)

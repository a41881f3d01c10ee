"""Many at once at serve --keep-open: all are answered, and none costs much."""
import functools
import os
import random
import re
import select
import signal
import socket
import ssl
import time

import peers
from harness import Failed, Mptls, cert, need, same
from odd import reset

PAUSE = 0.2  # seconds, to see that nothing comes
SOON = 1  # second, in which others are served
QUIET = 1  # second, over which CPU time is looked at
ROOM = 4 << 20  # bytes of memory beside what the clients need
EACH = 128 << 10  # which is much less


def many(test, *args, **more):
    return test.serve("--keep-open", *(args or ("--echo",)), **more)


def seconds(p):
    """Seconds of CPU that a process took."""
    with open("/proc/%d/stat" % p.p.pid, encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(p):
    with open("/proc/%d/status" % p.p.pid, encoding="ascii") as f:
        return 1024 * int(re.search(r"VmRSS:\s*(\d+)", f.read())[1])


@functools.lru_cache(None)
def sanitized(path):
    """Whether the program's memory is not its own: ASan keeps what is free."""
    with open(path, "rb") as f:
        return b"__asan_init" in f.read()


def bounded(s, before, n):
    """n clients cost no more than they may."""
    grown = resident(s) - before
    if grown > n * EACH + ROOM and not sanitized(s.test.mptls):
        raise Failed("%d bytes of memory for %d clients" % (grown, n))


def echoes(sock, data):
    sock.sendall(data)
    got = b""
    while len(got) < len(data):
        more = sock.recv(65536)
        if not more:
            raise Failed("the end after %r" % got)
        got += more
    same("what came back", got, data)


def served(test, port, at_once=True):
    """A client comes, is answered, and leaves; others do not hold it up.

    A busy machine is not always busy: the best of five counts.
    """
    took = []
    while not took or (at_once and min(took) > SOON and len(took) < 5):
        began = time.monotonic()
        with peers.dial_tls(test, port) as sock:
            echoes(sock, b"a client like others\n")
            sock.unwrap().close()
        took.append(time.monotonic() - began)
    if at_once and min(took) > SOON:
        raise Failed("others are served in %s s" % took)


def ended(s, number=signal.SIGINT):
    """End the server; the reports of its clients."""
    s.p.send_signal(number)
    same("the server's status", s.wait(), 128 + number)
    return s.reports()[:-1]


def statuses(reports):
    """How many there are of each."""
    found = [r["status"] for r in reports]
    return {n: found.count(n) for n in found}


def ends_with(s, status, n=1):
    """Wait until so many clients have ended so."""
    mark = b'"status":%d,' % status
    with s.err.changed:
        if not s.err.changed.wait_for(
                lambda: s.err.data.count(mark) >= n, s.test.left()):
            raise Failed("%d clients of %d ended with %d" % (
                s.err.data.count(mark), n, status))


def two_hundred(version, test):
    """All are there, and each says something in turn, several times."""
    s, port = many(test, "--echo", "--max-version", version)
    socks = [peers.dial_tls(test, port) for _ in range(200)]
    order = random.Random(200)
    for i in range(3):
        order.shuffle(socks)
        for sock in socks:
            sock.sendall(b"%d" % i * order.randrange(1, 2000) + b"\n")
        for sock in order.sample(socks, len(socks)):
            got = b""
            while not got.endswith(b"\n"):
                got += sock.recv(65536) or b"(the end)\n"
            same("what came back", set(got), set(b"%d\n" % i))
    for sock in socks:
        sock.unwrap().close()
    same("how they ended", statuses(ended(s, signal.SIGTERM)), {0: 200})


def silent_and_plain(test):
    """D9: those that say nothing, or nothing of TLS, are in nobody's way."""
    s, port = many(test, "--echo", "--handshake-timeout", "1m")
    silent = [test.dial(port) for _ in range(50)]
    plain = [test.dial(port) for _ in range(50)]
    for sock in plain[:25]:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
    for sock in plain[25:]:
        sock.sendall(b"\x16\x03")  # no more than that
    served(test, port)
    ends_with(s, 23, 25)
    served(test, port)
    reports = ended(s)
    del silent
    n = statuses(reports)
    same("served", n.pop(0) >= 2, True)
    same("the others", n, {23: 25, 130: 75})


def the_sixth_waits(test):
    s, port = many(test, "--echo", "--max-conns", "5")
    five = [peers.dial_tls(test, port) for _ in range(5)]
    sixth = test.thread(peers.dial_tls, test, port)
    sixth.join(PAUSE)
    same("the sixth waits", sixth.is_alive(), True)
    for sock in five:
        echoes(sock, b"there are five")
    five.pop().unwrap().close()
    with sixth.done() as sock:
        echoes(sock, b"so did I")
        for other in five:
            echoes(other, b"there are five again")
            other.unwrap().close()
        sock.unwrap().close()
    same("how they ended", statuses(ended(s)), {0: 6})


def connection_flood(test):
    """500 come where 50 may be: those that are in are served."""
    s, port = many(test, "--echo", "--max-conns", "50",
                   "--handshake-timeout", "1m")
    inside = [peers.dial_tls(test, port) for _ in range(25)]
    before, used = resident(s), seconds(s)
    flood = [come(test, port) for _ in range(475)]
    for sock in inside:
        echoes(sock, b"still there")
    time.sleep(QUIET)  # what happens meanwhile is looked at
    for sock in inside:
        echoes(sock, b"still there")
    bounded(s, before, 25)
    if seconds(s) - used > 0.5 * QUIET:
        raise Failed("%s s of CPU for those that wait" % (seconds(s) - used))
    for sock in flood:
        reset(sock)
    served(test, port, at_once=False)
    for sock in inside:
        sock.unwrap().close()
    n = statuses(ended(s))
    same("served", n.pop(0), 26)
    same("the others", set(n) <= {24}, True)


def come(test, port):
    """Connect, or be about to: the backlog has an end."""
    sock = test.keep(socket.socket())
    sock.setblocking(False)
    sock.connect_ex((peers.LOCALHOST, port))
    return sock


def slow_readers(version, test):
    """They do not read: what is for them is not kept without bound."""
    s, port = many(test, "--chargen", "--max-version", version)
    before = resident(s)
    socks = [peers.dial_tls(test, port) for _ in range(10)]
    for sock in socks:
        sock.recv(1)
    quiet = 0.0
    while quiet < PAUSE:  # until TCP takes no more
        used, quiet = seconds(s), 0.0
        while quiet < PAUSE and seconds(s) - used < 0.02:
            time.sleep(0.01)
            quiet += 0.01
    bounded(s, before, len(socks))
    with peers.dial_tls(test, port) as sock:
        same("characters", sock.recv(5), b" !\"#$")
    for sock in socks:
        reset(sock)
    ended(s)


def without_descriptors(test):
    """60 clients where there are descriptors for some: the others wait, the
    server does not spin, and all are served in the end."""
    s = test.start(Mptls, [
        need("prlimit"), "--nofile=40", test.mptls, "serve", "127.0.0.1:0",
        "--cert", cert("server-ec256.pem"), "--key",
        cert("server-ec256-key.pem"), "--keep-open", "--echo", "--json"],
        env=test.env)
    port = s.listening()
    clients = [Late(test, port) for _ in range(60)]
    inside = shaken(clients)
    if not 10 <= len(inside) < 40:
        raise Failed("%d of 60 are served" % len(inside))
    used = seconds(s)
    time.sleep(QUIET)  # what happens meanwhile is looked at
    used = seconds(s) - used
    if used > 0.3 * QUIET:
        raise Failed("%.2f s of CPU in %d s of waiting" % (used, QUIET))
    while inside:
        for c in inside:
            echoes(c.sock, b"in the end")
            c.sock.unwrap().close()
            clients.remove(c)
        inside = shaken(clients)
    same("clients that were not served", len(clients), 0)
    same("how they ended", statuses(ended(s)), {0: 60})


class Late:
    """A client that may have to wait for its handshake."""

    def __init__(self, test, port):
        raw = test.dial(port)
        self.sock = test.keep(peers.client_context().wrap_socket(
            raw, server_hostname="localhost", do_handshake_on_connect=False,
            suppress_ragged_eofs=False))
        self.sock.settimeout(0)
        self.limit = test.left()
        self.shaken = False
        self.advance()

    def advance(self):
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            return
        self.sock.settimeout(self.limit)
        self.shaken = True


def shaken(clients):
    """Those whose handshake is done when nothing comes any more."""
    while True:
        waiting = {c.sock.fileno(): c for c in clients if not c.shaken}
        poll = select.poll()  # which any number will do for
        for fd in waiting:
            poll.register(fd, select.POLLIN)
        ready = poll.poll(2000 * PAUSE)
        if not ready:
            return [c for c in clients if c.shaken]
        for fd, _ in ready:
            waiting[fd].advance()


def tests():
    part = functools.partial
    for v in ("1.2", "1.3"):
        yield "200 clients, TLS " + v, part(two_hundred, v)
        yield "slow readers, TLS " + v, part(slow_readers, v)
    yield "d9 100 that say nothing of TLS", silent_and_plain
    yield "--max-conns 5", the_sixth_waits
    yield "a flood of connections", connection_flood
    yield "no descriptors left", without_descriptors

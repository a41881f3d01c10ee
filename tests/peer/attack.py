"""Peers that mean harm, and ends that cross: no limit and no byte is lost."""
import functools
import os
import select
import signal
import socket
import struct
import threading
import time

import peers
from harness import VERSIONS, Failed, same
from odd import only, reset

HELLO, WORLD = b"hello\n", b"world\n"
PATIENCE = 20  # seconds for a test: most of these would never end
OVERSHOOT = 400  # ms that the end may take after --max-time
BEGUN = 4 << 20  # bytes of a flood
ALERT = b"\x15\x03\x03\x00\x02"
RECORDS = {"warning alerts": ALERT + b"\x01\x5a",
           "ChangeCipherSpecs": b"\x14\x03\x03\x00\x01\x01"}
# What ends a flood: options, exit status, origin
LIMITS = {"--handshake-timeout": (20, "timeout"), "--max-time": (42, "max-time"),
          "SIGINT": (130, "signal")}
BIG = b"".join(struct.pack(">Q", i) for i in range(0, 24 << 20, 8))


def soon(function):
    """A test that fails early if what it attacks does not end."""
    @functools.wraps(function)
    def run(*args):
        test = args[-1]
        test.deadline = min(test.deadline, time.monotonic() + PATIENCE)
        return function(*args)
    return run


def plain(test, sock):
    """The TCP below a TLS socket."""
    return test.keep(socket.socket(fileno=os.dup(sock.fileno())))


class Flood(threading.Thread):
    """Sends the same for ever, until the other end has gone."""

    def __init__(self, sock, piece):
        super().__init__(daemon=True)
        self.sock, self.data = sock, piece * (65536 // len(piece))
        self.total = 0
        self.changed = threading.Condition()
        self.gone = False
        self.start()

    def run(self):
        try:
            while True:
                self.add(self.sock.send(self.data))
        except OSError:
            with self.changed:
                self.gone = True
                self.changed.notify_all()

    def add(self, n):
        with self.changed:
            self.total += n
            self.changed.notify_all()

    def under_way(self, left):
        """So much went out that the other end has begun to read it."""
        with self.changed:
            if not self.changed.wait_for(
                    lambda: self.gone or self.total > BEGUN, left):
                raise Failed("the other end stopped reading")


def options_of(limit):
    return () if limit == "SIGINT" else (limit, "500ms")


def flooded(test, p, sock, piece, limit, refusal=None):
    """Flood p; the limit ends it, or p's refusal of what comes."""
    flood = Flood(sock, piece)
    if limit == "SIGINT":
        flood.under_way(test.left())
        p.p.send_signal(signal.SIGINT)
    status, origin = LIMITS[limit]
    rc = p.wait()
    if rc == refusal:
        status, origin = refusal, "tls"
    p.done(status, origin)


def begin(test, who, *args):
    """A mptls in its handshake, and the TCP connection to it."""
    if who == "serve":
        s, port = test.serve(*args)
        return s, test.dial(port)
    listener, port = test.listen()
    p = test.connect(port, *args)
    sock = test.accept(listener)
    sock.recv(1)
    return p, sock


def connected(test, who, *args, **more):
    """A mptls after its handshake, and the TLS connection to it."""
    if who == "serve":
        s, port = test.serve(*args, **more)
        return s, peers.dial_tls(test, port)
    listener, port = test.listen()
    p = test.connect(port, *args, **more)
    return p, peers.accept_tls(test, listener)


@soon
def flood_in_handshake(who, kind, limit, test):
    p, sock = begin(test, who, *options_of(limit))
    flooded(test, p, sock, RECORDS[kind], limit, 23)


@soon
def flood_in_stream(who, limit, test):
    """RFC 8446 lets a ChangeCipherSpec come in the handshake only."""
    p, sock = connected(test, who, *options_of(limit))
    flooded(test, p, plain(test, sock), RECORDS["ChangeCipherSpecs"], limit,
            23)


@soon
def garbage_after_end(who, limit, test):
    p, sock = connected(test, who, *options_of(limit))
    peers.half_close(sock)
    flooded(test, p, plain(test, sock), b"G", limit)


# Refusals in the handshake.

@soon
def cancelled(who, test):
    p, sock = begin(test, who)
    sock.sendall(ALERT + b"\x01\x00")
    p.done(24, "tls", out=b"", text="close_notify")


@soon
def impossible_length(who, test):
    p, sock = begin(test, who)
    sock.sendall(b"\x16\x03\x03\xff\xff" + bytes(100))
    p.done(23, "tls", out=b"")


# Ends that cross.

class Stopped:
    """mptls while it is stopped: what happens meanwhile it finds at once."""

    def __init__(self, p):
        self.p = p.p

    def __enter__(self):
        self.p.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.p.pid, os.WSTOPPED | os.WNOWAIT)

    def __exit__(self, *_):
        self.p.send_signal(signal.SIGCONT)


def close(sock):
    sock.close()


def feed_until_full(p, data):
    """Give stdin all it takes; how much that was."""
    fd = p.p.stdin.fileno()
    os.set_blocking(fd, False)
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    sent = 0
    while sent < len(data) and poll.poll(300):
        sent += os.write(fd, data[sent:sent + 65536])
    os.set_blocking(fd, True)
    if sent == len(data):
        raise Failed("stdin never filled")
    return sent


@soon
def lost_after_peers_end(how, version, test):
    """Bytes that the peer will not take, though it had ended as it should."""
    listener, port = test.listen()
    p = test.connect(port, *only(version))
    sock = peers.accept_tls(test, listener)
    with Stopped(p):
        p.feed(bytes(9000))
        peers.half_close(sock)
        how(sock)
    p.done(43, "net", out=b"", notified=True)


@soon
def nothing_to_lose(version, test):
    """A reset after both ends, or ours under way, takes nothing away."""
    listener, port = test.listen()
    for _ in range(20):
        p = test.connect(port, *only(version))
        p.end()
        sock = peers.accept_tls(test, listener)
        with Stopped(p):
            sock.sendall(WORLD)
            peers.half_close(sock)
            reset(sock)
        p.done(out=WORLD, notified=True)


@soon
def nothing_to_lose_at_speed(version, test):
    listener, port = test.listen()
    for _ in range(20):
        p = test.connect(port, *only(version))
        p.end()
        sock = peers.accept_tls(test, listener)
        sock.sendall(WORLD)
        peers.half_close(sock)
        reset(sock)
        p.done(out=WORLD, notified=True)


@soon
def stdin_given_up(version, test):
    """The peer has ended and nothing is ready: stdin may stay open."""
    listener, port = test.listen()
    p = test.connect(port, *only(version))
    sock = peers.accept_tls(test, listener)
    peers.half_close(sock)
    plain(test, sock).shutdown(socket.SHUT_WR)
    same("what the server got", peers.read_to_end(sock), b"")
    sock.close()
    same("stdin_ended", p.done(notified=True)["bytes"]["stdin_ended"], False)


@soon
def truncated_and_stuck(version, test):
    """What came first is the failure: the peer cut us, then did not read."""
    listener, port = test.listen()
    p = test.connect(port, "--idle-timeout", "1s", *only(version))
    sock = peers.accept_tls(test, listener)
    feed_until_full(p, BIG)
    plain(test, sock).shutdown(socket.SHUT_WR)
    p.done(40, "truncated", out=b"", notified=False)


@soon
def never_closes(who, version, test):
    """--max-time is the end, whether the peer takes our close_notify or not."""
    took = []
    while not took or min(took) > 300 + OVERSHOOT:
        if len(took) == 3:  # a busy machine is not always busy
            raise Failed("--max-time 300ms took %s ms" % took)
        p, _ = connected(test, who, "--max-time", "300ms", *only(version))
        p.feed_aside(BIG)
        took.append(p.done(42, "max-time", out=b"")["times_ms"]["total"])


# --keep-open.

@soon
def next_client_goes_on(version, test):
    """What was read for a client that went is the next one's."""
    s, port = test.serve("--keep-open", *only(version))
    first = peers.dial_tls(test, port)
    fed = feed_until_full(s, BIG)
    reset(first)
    s.err.wait_for(rb'"status":43,', test.left())
    second = peers.dial_tls(test, port)
    test.thread(s.feed, BIG[fed:], True)
    got = peers.read_to_end(second)
    peers.half_close(second)
    second.close()
    s.err.wait_for(rb'"status":0,', test.left())
    s.p.send_signal(signal.SIGTERM)
    s.wait()
    check_joint(s.reports()[0]["bytes"]["out"], got)


def check_joint(sent, got):
    """The blocks tell their place; `sent` of them went to the first client."""
    same("the second client's part", got == BIG[len(BIG) - len(got):], True)
    lost = len(BIG) - len(got) - sent
    if lost > 0:
        raise Failed("%d bytes after %d went to no client" % (lost, sent))


# What openssl's tools do when told.

@soon
def renegotiation(word, test):
    """No certificate of ours is at issue where we have none."""
    server = peers.openssl_server(test, "-tls1_2")
    p = test.connect(peers.listening_port(server)).feed(HELLO)
    server.expect(HELLO)
    server.feed(word + b"\n")
    p.done(22, "alert", 40)


def key_updated(p, other, word):
    other.feed(word + b"\n")
    p.done(4, "tls", text="KeyUpdate", notified=False)


@soon
def key_update_by_server(word, test):
    server = peers.openssl_server(test, "-tls1_3")
    p = test.connect(peers.listening_port(server)).feed(HELLO)
    server.expect(HELLO)
    key_updated(p, server, word)


@soon
def key_update_by_client(word, test):
    s, port = test.serve(*only("1.3"))
    client = test.spawn("openssl", "s_client", "-connect",
                        "127.0.0.1:%d" % port, "-tls1_3")
    client.feed(HELLO)
    s.expect(HELLO)
    key_updated(s, client, word)


def floods():
    part = functools.partial
    for who in ("connect", "serve"):
        for limit in LIMITS:
            for kind in RECORDS:
                yield ("%s in the handshake, %s, %s" % (kind, who, limit),
                       part(flood_in_handshake, who, kind, limit))
        for limit in ("--max-time", "SIGINT"):
            yield ("ChangeCipherSpecs in the stream, %s, %s" % (who, limit),
                   part(flood_in_stream, who, limit))
            yield ("garbage after close_notify, %s, %s" % (who, limit),
                   part(garbage_after_end, who, limit))


def ends(version):
    part = functools.partial
    for how in (reset, close):
        yield ("bytes lost, %s" % how.__name__,
               part(lost_after_peers_end, how, version))
    yield "no bytes to lose", part(nothing_to_lose, version)
    yield "no bytes to lose, at speed", part(nothing_to_lose_at_speed, version)
    yield "stdin given up", part(stdin_given_up, version)
    yield "truncated, and stuck", part(truncated_and_stuck, version)
    yield "the next client goes on", part(next_client_goes_on, version)
    for who in ("connect", "serve"):
        yield "never closes, " + who, part(never_closes, who, version)


def tests():
    part = functools.partial
    yield from floods()
    for who in ("connect", "serve"):
        yield "close_notify in the handshake, " + who, part(cancelled, who)
        yield "impossible length, " + who, part(impossible_length, who)
    for v in VERSIONS:
        for name, function in ends(v):
            yield "%s, TLS %s" % (name, v), function
    for word in (b"r", b"R"):
        yield "renegotiation, " + word.decode(), part(renegotiation, word)
    for word in (b"k", b"K"):
        yield ("KeyUpdate by s_server, " + word.decode(),
               part(key_update_by_server, word))
        yield ("KeyUpdate by s_client, " + word.decode(),
               part(key_update_by_client, word))

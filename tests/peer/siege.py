"""Clients that mean harm at serve --keep-open --echo: each ends by itself, or
costs little, and others are served meanwhile."""
import functools
import os
import random
import ssl
import threading
import time

import peers
from attack import RECORDS, Flood
from crowd import (bounded, ended, ends_with, many, resident, served,
                   statuses)
from harness import VERSIONS, Failed, Skipped, same
from odd import only

TRICKLE = 0.05  # seconds between the bytes of one that is slow
HELLO_MAX = 16384  # bytes, of a record
SPLIT_HEADER = -0x7080  # feature unavailable
TOO_LONG = -0x6a00  # buffer too small
CLAIMS = {0x10000: (4, "tls", TOO_LONG),
          0xffffff: (23, "tls", -0x7100)}  # bad input data
FLOODS = dict(RECORDS, **{
    "empty handshake records": b"\x16\x03\x01\x00\x00",
    "empty records of data": b"\x17\x03\x03\x00\x00"})


class Tls:
    """A client in whose records we have a hand."""

    def __init__(self, test, port, ctx=None):
        self.raw = test.dial(port)
        self.come, self.go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (ctx or peers.client_context()).wrap_bio(
            self.come, self.go, server_hostname="localhost")
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        self.hello = self.go.read()

    def until(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.raw.sendall(self.go.read())
                more = self.raw.recv(65536)
                if not more:
                    raise Failed("the end of TCP") from None
                self.come.write(more)

    def served(self):
        """The hello has been sent: do the rest."""
        self.until(self.tls.do_handshake)
        self.tls.write(b"after all\n")
        same("what came back", self.until(self.tls.read), b"after all\n")
        self.until(self.tls.unwrap)
        self.raw.close()


def in_pieces(hello, size):
    """The same handshake message in records of `size` bytes."""
    version, body = hello[1:3], hello[5:]
    return b"".join(
        b"\x16" + version + len(body[i:i + size]).to_bytes(2, "big") +
        body[i:i + size] for i in range(0, len(body), size))


def big_hello_context(names):
    ctx = peers.client_context()
    ctx.set_alpn_protocols(["%03d" % i + "x" * 250 for i in range(names)])
    return ctx


def only_context(version):
    ctx = peers.client_context()
    ctx.minimum_version = ctx.maximum_version = {
        "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    return ctx


# Hellos.

def byte_by_byte(version, test):
    s, port = many(test)
    c = Tls(test, port, only_context(version))
    for byte in c.hello:
        c.raw.sendall(bytes((byte,)))
    c.served()
    same("how it ended", statuses(ended(s)), {0: 1})


def tiny_records(size, test):
    """Of a hello that has come whole in the end."""
    s, port = many(test)
    c = Tls(test, port)
    c.raw.sendall(in_pieces(c.hello, size))
    c.served()
    served(test, port)
    same("how they ended", statuses(ended(s)), {0: 2})


def split_header(test):
    """A record for each byte, which is more than Mbed TLS can put together."""
    s, port = many(test)
    c = Tls(test, port)
    c.raw.sendall(in_pieces(c.hello, 1))
    ends_with(s, 4)
    served(test, port)
    refused_for(ended(s), SPLIT_HEADER, 1)


def large_hello(test):
    """As large as a record may be."""
    s, port = many(test)
    c = Tls(test, port, big_hello_context(62))
    if not 15000 < len(c.hello) <= HELLO_MAX + 5:
        raise Failed("the hello has %d bytes" % len(c.hello))
    c.raw.sendall(c.hello)
    c.served()
    same("how it ended", statuses(ended(s)), {0: 1})


def too_large_hello(test):
    """Of two records and more: refused, and not kept."""
    s, port = many(test)
    before = resident(s)
    for _ in range(5):
        c = Tls(test, port, big_hello_context(200))
        c.raw.sendall(c.hello)
    ends_with(s, 4, 5)
    served(test, port)
    bounded(s, before, 1)
    refused_for(ended(s), TOO_LONG, 5)


def refused_for(reports, code, n):
    """n clients for something that Mbed TLS cannot do, and one is served."""
    same("how they ended", statuses(reports), {0: 1, 4: n})
    same("why", {(r["error"]["origin"], r["error"]["code"])
                 for r in reports if r["status"] == 4}, {("tls", code)})


def claims(length, test):
    """A message that says it is longer than any may be: it is not waited for
    beyond what a record holds."""
    s, port = many(test)
    record = b"\x16\x03\x01\x40\x00"
    with test.dial(port) as raw:
        raw.sendall(record + b"\x01" + length.to_bytes(3, "big") +
                    bytes(HELLO_MAX - 4))
        raw.sendall(record + bytes(HELLO_MAX))
        s.err.wait_for(b'"event":"connection"', test.left())
    served(test, port)
    first, _ = ended(s)
    same("why", (first["status"], first["error"]["origin"],
                 first["error"]["code"]), CLAIMS[length])


def garbage(test):
    s, port = many(test)
    dice = random.Random(23)
    for first in (b"\x00", b"\x16", b"\x16\x03", b"\x16\x03\x01", b"\x80"):
        raw = test.dial(port)
        try:
            raw.sendall(first + dice.randbytes(65536))
        except ConnectionError:
            pass  # it knows enough
    ends_with(s, 23, 5)
    served(test, port)
    same("how they ended", statuses(ended(s)), {0: 1, 23: 5})


# Slow ones.

def trickle(socks, pieces, stop):
    """A byte to each, and a pause: that is what is tested."""
    for i in range(len(pieces)):
        if stop.wait(TRICKLE):
            return
        for sock in socks:
            try:
                sock.sendall(pieces[i:i + 1])
            except OSError:
                pass


def slowloris(test):
    """20 hellos that would take a quarter of a minute have one second."""
    s, port = many(test, "--echo", "--handshake-timeout", "1s")
    socks = [test.dial(port) for _ in range(20)]
    hello = Tls(test, port)
    hello.raw.close()
    stop = threading.Event()
    slow = test.thread(trickle, socks, hello.hello, stop)
    while s.err.data.count(b'"status":20,') < len(socks):
        served(test, port)
    stop.set()
    slow.done()
    n = statuses(ended(s))
    same("served meanwhile", n.pop(0) >= 1, True)
    same("the others", n, {20: 20, 24: 1})


# Floods.

def flood_in_handshake(kind, test):
    """It goes on until the handshake's time is over, or is refused."""
    s, port = many(test, "--echo", "--handshake-timeout", "1500ms")
    before = resident(s)
    floods = [Flood(test.dial(port), FLOODS[kind]) for _ in range(3)]
    besieged(test, s, port, before, floods)
    found = statuses(ended(s))
    same("the others were served", found.pop(0) >= 1, True)
    same("how the floods ended", set(found) <= {20, 23}, True)


def besieged(test, s, port, before, floods):
    """Until all floods are over others are served, and memory is bounded."""
    while True:
        served(test, port)
        bounded(s, before, len(floods))
        if all(f.gone for f in floods):
            return
        if time.monotonic() > test.deadline - 5:
            raise Failed("the flood does not end")


def program(test):
    path = os.path.join(os.path.dirname(test.mptls), "tests/peer/flood")
    if not os.path.exists(path):
        raise Skipped("no " + path)
    return path


def encrypted_flood(kind, version, test):
    """After the handshake: --conn-max-time is the end at the latest."""
    flood = program(test)
    s, port = many(test, "--echo", "--conn-max-time", "1500ms",
                   *only(version))
    before = resident(s)
    floods = [test.spawn(flood, port, version, kind) for _ in range(3)]
    for f in floods:
        f.expect(b"begun\n")
    while any(f.p.poll() is None for f in floods):
        served(test, port)
        bounded(s, before, len(floods))
    same("the floods' status", [f.wait() for f in floods], [0] * 3)
    found = statuses(ended(s))
    same("the others were served", found.pop(0) >= 1, True)
    same("how the floods ended", found,
         ({23: 3}, {42: 3}) if kind == "warning" else {23: 3})


# What openssl does when told.

def openssl(test, port, version):
    return test.spawn(
        "openssl", "s_client", "-connect", "%s:%d" % (peers.LOCALHOST, port),
        "-tls" + version.replace(".", "_"))


def renegotiations(test):
    """Refused by a warning (RFC 5246 7.2.2), which ends openssl's."""
    s, port = many(test)
    clients = [openssl(test, port, "1.2") for _ in range(10)]
    for c in clients:
        c.feed(b"hello\n")
        c.expect(b"hello\n")
        c.feed(b"R\n")
    for c in clients:
        c.wait()
    served(test, port)
    # openssl's own alert, upon ours.
    same("how they ended", statuses(ended(s)), {0: 1, 22: 10})


def key_updates(test):
    """Which Mbed TLS does not know: each is the end of its connection."""
    s, port = many(test)
    clients = [openssl(test, port, "1.3") for _ in range(10)]
    for c in clients:
        c.feed(b"hello\n")
        c.expect(b"hello\n")
        c.feed(b"k\n")
        c.feed(b"K\n" * 100)
    ends_with(s, 4, 10)
    served(test, port)
    same("how they ended", statuses(ended(s)), {0: 1, 4: 10})


def tests():
    part = functools.partial
    for v in VERSIONS:
        yield "a hello byte by byte, TLS " + v, part(byte_by_byte, v)
        for kind in ("empty", "warning"):
            yield ("a flood after the handshake, %s, TLS %s" % (kind, v),
                   part(encrypted_flood, kind, v))
    yield "a hello in records of 1", split_header
    for size in (4, 100):
        yield "a hello in records of %d" % size, part(tiny_records, size)
    yield "a hello of 16 kB", large_hello
    yield "a hello of 50 kB", too_large_hello
    for length in CLAIMS:
        yield "a hello that claims %d bytes" % length, part(claims, length)
    yield "garbage", garbage
    yield "slow hellos", slowloris
    for kind in FLOODS:
        yield "a flood of " + kind, part(flood_in_handshake, kind)
    yield "renegotiation", renegotiations
    yield "KeyUpdates", key_updates

"""Much data both ways at once, and in pieces of every size."""
import fcntl
import functools
import hashlib
import os
import random

import peers
from harness import VERSIONS, Failed, same

BULK = int(os.environ.get("MPTLS_BULK", "100000000"))
BLOCK = 1 << 16
PIECES = (1, 2, 3, 7, 15, 16, 17, 4095, 4096, 4097, 16383, 16384, 16385,
          65536, None)  # None: random ones
SMALLEST_PIPE = 4096
MEGABYTE = 1 << 20  # enough for an accelerator
SUITES = {
    "1.2": ["TLS_ECDHE_ECDSA_WITH_" + x for x in (
        "AES_128_GCM_SHA256", "AES_256_GCM_SHA384",
        "CHACHA20_POLY1305_SHA256")],
    "1.3": ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256"]}


def only(version):
    return "--min-version", version, "--max-version", version


class Source:
    """`total` bytes that the seed decides, in pieces, and their digest."""

    def __init__(self, seed, total, piece):
        self.random = random.Random(seed)
        self.sizes = random.Random(seed + 1)
        self.left, self.piece = total, piece
        self.digest = hashlib.sha256()

    def __iter__(self):
        while self.left > 0:
            block = self.random.randbytes(min(BLOCK, self.left))
            self.left -= len(block)
            self.digest.update(block)
            yield from self.cut(memoryview(block))

    def cut(self, block):
        at = 0
        while at < len(block):
            size = self.piece or self.sizes.randint(1, 20000)
            yield block[at:at + size]
            at += size


class Count:
    """The digest of what came, and how much it was."""

    def __init__(self):
        self.total = 0
        self.digest = hashlib.sha256()

    def add(self, data):
        self.total += len(data)
        self.digest.update(data)


def write_all(pipe, source):
    fd = pipe.fileno()
    try:
        for piece in source:
            while piece:
                piece = piece[os.write(fd, piece):]
    finally:
        pipe.close()


def read_all(pipe, size, count):
    sizes = random.Random(size)
    fd = pipe.fileno()
    while True:
        data = os.read(fd, size or sizes.randint(1, 20000))
        if not data:
            return
        count.add(data)


def small_pipes(p):
    for pipe in (p.p.stdin, p.p.stdout):
        fcntl.fcntl(pipe, getattr(fcntl, "F_SETPIPE_SZ", 1031), SMALLEST_PIPE)


class End:
    """One mptls, with a thread for each of its pipes."""

    def __init__(self, test, p, seed, total, piece):
        self.p, self.got = p, Count()
        self.sent = Source(seed, total, piece)
        self.threads = (
            test.thread(write_all, p.p.stdin, self.sent),
            test.thread(read_all, p.p.stdout, piece or BLOCK, self.got))

    def done(self, version):
        """The report first: why it failed beats what its pipes saw."""
        r = self.p.done(version=version, notified=True)
        for thread in self.threads:
            thread.done()
        same("bytes.in", r["bytes"]["in"], self.got.total)


def compare(got, total, digest):
    same("bytes that came", got.total, total)
    if got.digest.digest() != digest.digest():
        raise Failed("the bytes that came are not those that were sent")


def both_ways(version, total, piece, tight, test):
    """serve and connect, pumping at once."""
    s, port = test.serve(*only(version), raw=True)
    p = test.connect(port, *only(version), raw=True)
    if tight:
        small_pipes(s)
        small_pipes(p)
    a = End(test, s, 10 + total, total, piece)
    b = End(test, p, 20 + total, total, piece)
    b.done(version)
    a.done(version)
    compare(a.got, total, b.sent.digest)
    compare(b.got, total, a.sent.digest)


def echo(sock, count):
    """Send back what comes, while it comes."""
    def back(data):
        count.add(data)
        sock.sendall(data)
    peers.read_to_end(sock, back)
    sock.unwrap()


def through_python(side, version, total, test, *options):
    """A peer of another kind echoes it: so both ways at once, too."""
    count = Count()
    options = only(version) + options
    if side == "connect":
        listener, port = test.listen()
        p = test.connect(port, *options, raw=True)
        sock = peers.accept_tls(test, listener)
    else:
        p, port = test.serve(*options, raw=True)
        sock = peers.dial_tls(test, port)
    peer = test.thread(echo, sock, count)
    end = End(test, p, 30, total, BLOCK)
    end.done(version)
    peer.done()
    compare(end.got, total, end.sent.digest)


def through_python_with(suite, side, version, test):
    """OpenSSL's idea of what Mbed TLS's accelerator does."""
    through_python(side, version, MEGABYTE, test, "--ciphers", suite)


def through_socat(version, total, test):
    port = peers.socat_server(test, wait="10")
    end = End(test, test.connect(port, *only(version), raw=True), 40, total,
              BLOCK)
    end.done(version)
    compare(end.got, total, end.sent.digest)


def tests():
    part = functools.partial
    for v in VERSIONS:
        yield ("%d bytes both ways, TLS %s" % (BULK, v),
               part(both_ways, v, BULK, BLOCK, False))
    few = BULK // 20
    for v in VERSIONS:
        for side in ("connect", "serve"):
            yield ("%s and Python ssl, %d bytes, TLS %s" % (side, few, v),
                   part(through_python, side, v, few))
            for suite in SUITES[v]:
                yield ("%s and Python ssl, %s" % (side, suite),
                       part(through_python_with, suite, side, v))
        yield ("connect and socat, %d bytes, TLS %s" % (few, v),
               part(through_socat, v, few))
        for piece in PIECES:
            total = min(50000 * (piece or 100), 2000000)
            for tight in (False, True):
                yield ("in pieces of %s%s, TLS %s" % (
                    piece or "any size", ", 4096-byte pipes" * tight, v),
                       part(both_ways, v, total, piece, tight))

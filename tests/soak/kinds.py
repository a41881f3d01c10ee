"""The kinds of clients that the soak has: each returns the classes that the
server's log may have for it. What came back is counted in Client.sent."""
import random
import select
import socket
import ssl
import time

import load

LARGEST = 1 << 20
STALLED = 8 << 20  # more than TCP holds for one that does not read
REFUSED = {"client-expired": "expired", "client-other": "untrusted",
           "client-self-signed": "untrusted", None: "no-peer-certificate"}


def contexts():
    """By certificate and version."""
    found = {}
    for identity in ["client-ec256", *REFUSED]:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            ctx = found[identity, version] = load.client_context(identity)
            ctx.maximum_version = ctx.minimum_version = version
    return found


CONTEXTS = contexts()
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class Client:
    """The n-th of a seed: its random numbers, its address, what it did."""

    def __init__(self, seed, n, port):
        self.random = random.Random("%d/%d" % (seed, n))
        self.address, self.port = load.source(n), port
        self.sent = 0
        self.kind = self.random.choices(
            [k for k, _ in KINDS], [w for _, w in KINDS])[0]

    def dial(self):
        return load.dial(self.port, self.address)

    def context(self, identity="client-ec256"):
        return CONTEXTS[identity, self.random.choice(VERSIONS)]

    def tls(self, identity="client-ec256", sock=None):
        return load.shake(self.context(identity), sock or self.dial())

    def data(self, most=LARGEST):
        """Of any size, and as often of few bytes as of many."""
        return self.random.randbytes(int(most ** self.random.random()))

    def echo(self, sock, most=LARGEST):
        data = self.data(most)
        for i in range(0, len(data), 50000):
            load.echoes(sock, data[i:i + 50000])
        self.sent += len(data)


def whole(c):
    """Echoes, and close_notify both ways."""
    with c.tls() as sock:
        for _ in range(c.random.randrange(1, 5)):
            c.echo(sock)
        sock.unwrap().close()
    return ("ok",)


class Tls:
    """One whose bytes pass through our hands: nothing is read before it is
    due, and what is sent may be cut up."""

    def __init__(self, c, sock):
        self.sock = sock
        self.come, self.go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = c.context().wrap_bio(self.come, self.go,
                                        server_hostname="localhost")
        self.attempt(self.tls.do_handshake)

    @staticmethod
    def attempt(step):
        try:
            return step()
        except ssl.SSLWantReadError:
            return None

    def flush(self):
        self.sock.sendall(self.go.read())

    def until(self, step):
        """Step, and receive what it asks for."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.flush()
                more = self.sock.recv(65536)
                if not more:
                    raise load.Failed("the end of TCP") from None
                self.come.write(more)

    def shake(self):
        self.until(self.tls.do_handshake)

    def read_to_end(self):
        got = bytearray()
        while True:
            try:
                data = self.until(self.tls.read)
            except ssl.SSLZeroReturnError:
                data = b""
            if not data:
                return got
            got += data


def half_closed(c):
    """What was sent comes back after the client's end."""
    data = c.data(60000)
    with c.dial() as sock:
        tls = Tls(c, sock)
        tls.shake()
        tls.tls.write(data)
        tls.attempt(tls.tls.unwrap)
        tls.flush()
        same(tls.read_to_end(), data)
        c.sent = len(data)
    return ("ok",)


def same(got, data):
    if got != data:
        raise load.Failed("%d bytes came back of %d, or others" % (
            len(got), len(data)))


def stalled(c):
    """It sends until nothing moves, waits, and only then reads."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(load.PATIENCE)
    raw.bind((c.address, 0))
    raw.connect(("127.0.0.1", c.port))
    with c.tls(sock=raw) as sock:
        data = c.random.randbytes(STALLED)
        sock.settimeout(0.2)
        sent = 0
        try:
            while sent < len(data):
                sent += sock.send(data[sent:sent + 16384])
        except TimeoutError:
            pass
        time.sleep(c.random.random() * 2)  # which is what a stall is
        same(carry(sock, data, sent), data)
        c.sent = len(data)
        sock.settimeout(load.PATIENCE)
        sock.unwrap().close()
    return ("ok",)


def carry(sock, data, sent):
    """Send the rest while reading all; @return what came"""
    sock.settimeout(0)
    got = bytearray()
    until = time.monotonic() + load.PATIENCE
    while len(got) < len(data) and time.monotonic() < until:
        wait_write = sent < len(data)
        try:
            # The same piece again after it could not go: OpenSSL wants that.
            if wait_write:
                sent += sock.send(data[sent:sent + 16384])
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        try:
            got += sock.recv(65536)
        except ssl.SSLWantReadError:
            select.select([sock], [sock] if wait_write else [], [], 1)
    return got


def reset(c):
    """In the middle: what was sent last may come back or not."""
    sock = c.tls()
    c.echo(sock, 60000)
    sock.sendall(c.data(30000))
    load.reset(sock)
    return ("reset",)


def truncated(c):
    with c.tls() as sock:
        c.echo(sock, 60000)
    return ("truncated",)


def garbage(c):
    """Whose first byte is no TLS record's."""
    with c.dial() as sock:
        try:
            sock.sendall(b"G" + c.data(60000) + bytes(5))
            while sock.recv(4096):
                pass
        except ConnectionError:
            pass
    return ("protocol-error",)


def silent(c):
    """After its hello, or without one."""
    with c.dial() as sock:
        if c.random.random() < 0.7:
            Tls(c, sock).flush()
        try:
            while sock.recv(65536):
                pass
        except ConnectionError:
            pass
    return ("handshake-timeout",)


def gone(c):
    """In the handshake."""
    with c.dial() as sock:
        hello = Tls(c, sock).go.read()
        sock.sendall(hello[:c.random.randrange(len(hello) + 1)])
    return ("closed-in-handshake",)


def bytewise(c):
    """The hello comes byte by byte, and all else as usual."""
    data = c.data(16000)
    with c.dial() as sock:
        tls = Tls(c, sock)
        for byte in tls.go.read():
            sock.sendall(bytes((byte,)))
        tls.shake()
        tls.tls.write(data)
        got = b""
        while len(got) < len(data):
            got += tls.until(tls.tls.read)
        same(got, data)
        c.sent = len(data)
        tls.until(tls.tls.unwrap)
    return ("ok",)


def refused(c):
    """A certificate that is not taken: known at the latest when reading."""
    identity = c.random.choice(list(REFUSED))
    try:
        with c.tls(identity) as sock:
            sock.sendall(b"let me in")
            got = sock.recv(100)
    except (ssl.SSLError, ConnectionError):
        return (REFUSED[identity],)
    raise load.Failed("a client with %s got %r" % (identity, got))


# And how often there is one
KINDS = ((whole, 40), (half_closed, 10), (stalled, 2), (reset, 10),
         (truncated, 8), (garbage, 6), (silent, 3), (gone, 5), (bytewise, 8),
         (refused, 8))

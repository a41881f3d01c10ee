"""Peers that are no TLS, that go away, that trickle, that take their time."""
import ctypes
import functools
import hashlib
import os
import random
import signal
import socket
import ssl
import struct
import time

import peers
from harness import (HERE, VERSIONS, Failed, Skipped, cert, open_files, same,
                     socket_inodes, table_lines)

HELLO, WORLD = b"hello\n", b"world\n"
HTTP_ERROR = (b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n"
              b"Connection: close\r\n\r\n")


def only(version):
    return "--min-version", version, "--max-version", version


def reset(sock):
    """Close with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    if isinstance(sock, ssl.SSLSocket):
        os.close(sock.detach())
    else:
        sock.close()


# No TLS at all.

def http_server(test):
    listener, port = test.listen()

    def serve():
        with test.accept(listener) as raw:
            raw.recv(4096)
            raw.sendall(HTTP_ERROR)

    test.thread(serve)
    test.connect(port).done(
        23, "tls", out=b"",
        text="this is not TLS: the peer sent `HTTP/1.0 400")


def http_client(test):
    s, port = test.serve()
    with test.dial(port) as raw:
        raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
        s.done(23, "tls", out=b"", text="this is not TLS: the peer sent `GET")


# Gone in the handshake.

def close_in_handshake(test):
    listener, port = test.listen()

    def serve():
        with test.accept(listener) as raw:
            raw.recv(4096)

    test.thread(serve)
    test.connect(port).done(24, ("tls", "net"), out=b"")


def reset_in_handshake(test):
    listener, port = test.listen()

    def serve():
        raw = test.accept(listener)
        raw.recv(1)
        reset(raw)

    test.thread(serve)
    test.connect(port).done(24, "net", 104, out=b"")


def client_closes_in_handshake(how, origin, test):
    s, port = test.serve()
    raw = test.dial(port)
    raw.sendall(bytes((22, 3, 1, 2, 0, 1)))  # a ClientHello's first bytes
    how(raw)
    s.done(24, origin, out=b"")


# Gone later.

def reset_in_stream(wait, version, test):
    """What came before the reset is delivered."""
    listener, port = test.listen()
    p = test.connect(port, *only(version))
    sock = peers.accept_tls(test, listener)
    p.feed(HELLO)
    same("what the server got", sock.recv(100), HELLO)  # nothing left unread
    sock.sendall(WORLD)
    if wait:
        p.expect(WORLD)
    reset(sock)
    p.done(43, "net", 104, out=WORLD, notified=False)


def client_resets(version, test):
    s, port = test.serve(*only(version))
    sock = peers.dial_tls(test, port)
    sock.sendall(HELLO)
    s.feed(WORLD)
    same("what the client got", sock.recv(100), WORLD)
    s.expect(HELLO)
    reset(sock)
    s.done(43, "net", 104, out=HELLO, notified=False)


# One byte a segment.

def bytewise(version, test):
    s, port = test.serve(*only(version))
    relay = peers.Relay(test, port, most=1)
    p = test.connect(relay.port).feed(HELLO)
    s.expect(HELLO)
    s.feed(WORLD)
    p.expect(WORLD)
    p.end()
    s.end()
    p.done(out=WORLD, version=version, notified=True)
    s.done(out=HELLO, version=version, notified=True)


def bytewise_openssl(version, test):
    relay = peers.Relay(test, peers.openssl_rev(test), most=1)
    p = test.connect(relay.port, *only(version)).feed(HELLO, end=True)
    p.done(out=b"olleh\n", version=version, notified=True)


# Ends that come first, and bytes that come after.

def peer_ends_first(version, test):
    """It half-closes before we have said anything."""
    data = random.Random(4).randbytes(1000000)
    listener, port = test.listen()
    p = test.connect(port, *only(version))
    sock = peers.accept_tls(test, listener)
    sock.sendall(WORLD)
    peers.half_close(sock)
    p.expect(WORLD)
    p.feed_aside(data)
    got = peers.read_to_end(sock)
    sock.close()
    same("what the server got", got, data)
    p.done(out=WORLD, version=version, notified=True)


def client_ends_first(version, test):
    data = random.Random(5).randbytes(1000000)
    s, port = test.serve(*only(version))
    sock = peers.dial_tls(test, port)
    sock.sendall(HELLO)
    peers.half_close(sock)
    s.expect(HELLO)
    s.feed_aside(data)
    same("what the client got", peers.read_to_end(sock), data)
    sock.close()
    s.done(out=HELLO, version=version, notified=True)


def after_our_end(version, test):
    """A megabyte that the peer begins to send when we have ended."""
    data = random.Random(6).randbytes(1000000)
    listener, port = test.listen()
    test.thread(peers.answer, test, listener, data)
    p = test.connect(port, *only(version)).feed(HELLO, end=True)
    p.done(out=data, version=version, notified=True)


def slow_reader(version, test):
    """Nobody reads our stdout until the peer itself cannot send any more."""
    data = random.Random(7).randbytes(20000000)
    listener, port = test.listen()
    p = test.connect(port, *only(version), raw=True)
    sock = peers.accept_tls(test, listener)
    sent = fill(sock, data)
    if sent == len(data):
        raise Failed("the peer could send all with nobody reading")
    rest = test.thread(finish, sock, data[sent:])
    p.end()
    got = hashlib.sha256()
    with p.p.stdout as f:
        for piece in iter(lambda: f.read(3001), b""):
            got.update(piece)
    rest.done()
    same("the digest", got.hexdigest(), hashlib.sha256(data).hexdigest())
    same("exit status", p.wait(), 0)


def fill(sock, data):
    """Send until it blocks; how much went out."""
    sent = 0
    limit = sock.gettimeout()
    sock.settimeout(0.3)
    try:
        while sent < len(data):
            sent += sock.send(data[sent:sent + 16384])
    except socket.timeout:
        pass
    sock.settimeout(limit)
    return sent


def finish(sock, data):
    # OpenSSL wants the record that blocked again, so it goes first.
    for i in range(0, len(data), 16384):
        sock.sendall(data[i:i + 16384])
    sock.unwrap()


# Clients that say nothing.

def silent_client(test):
    s, port = test.serve("--handshake-timeout", "300ms")
    with test.dial(port):
        s.done(20, "timeout", 300, out=b"", text="ClientHello")


def silent_then_served(test):
    """With --keep-open the next one need not wait for longer than that."""
    s, port = test.serve("--keep-open", "--handshake-timeout", "300ms")
    began = time.monotonic()
    with test.dial(port):
        sock = peers.dial_tls(test, port)
        if time.monotonic() - began > 5:
            raise Failed("the next client had to wait")
        sock.sendall(HELLO)
        peers.half_close(sock)
        s.expect(HELLO)
        s.feed(WORLD, end=True)
        same("what the client got", peers.read_to_end(sock), WORLD)
        sock.close()
    s.err.wait_for(rb'"status":0', test.left())
    s.p.send_signal(signal.SIGTERM)
    same("exit status", s.wait(), 128 + signal.SIGTERM)
    same("the statuses", [r["status"] for r in s.reports()],
         [20, 0, 128 + signal.SIGTERM])


def ready_fd(test):
    """--ready-fd says what stderr says."""
    r, w = os.pipe()
    s, port = test.serve("--ready-fd", w, pass_fds=(w,))
    os.close(w)
    with os.fdopen(r, "rb") as f:
        same("--ready-fd", f.read(), b"127.0.0.1:%d\n" % port)
    peers.dial_tls(test, port).close()
    s.done(40, "truncated")


def over_ipv6(test):
    """An address in brackets, which the certificate bears as well."""
    s = test.run_mptls("serve", "[::1]:0", "--cert", cert("server-ip-san.pem"),
                       "--key", cert("server-ip-san-key.pem"))
    ports = s.ports()
    if not ports:
        raise Skipped("no IPv6 loopback: " + s.reports()[0]["error"]["text"])
    p = test.run_mptls("connect", "[::1]:%d" % ports[0], "--cadata",
                       cert("root.der")).feed(HELLO, end=True)
    s.expect(HELLO)
    s.feed(WORLD, end=True)
    p.done(out=WORLD, notified=True)
    s.done(out=HELLO, notified=True)


# Weak groups.

def weak_dh(test):
    port = peers.openssl_rev(
        test, "-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256@SECLEVEL=0",
        "-dhparam", os.path.join(HERE, "dh1024.pem"), name="server-rsa2048")
    test.connect(port).feed(HELLO, end=True).done(34, "verify", out=b"")


# Nagle's algorithm.

def no_delay(start, test):
    """Look at the very socket: a copy of it, from the kernel."""
    p, hold = start(test)
    port = hold.getsockname()[1]
    fd = duplicate(p.p.pid, inode_of(test, p, port))
    with socket.socket(fileno=fd) as copy:
        same("TCP_NODELAY",
             copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 1)


def no_delay_connect(test):
    listener, port = test.listen()
    p = test.connect(port)
    raw = test.accept(listener)
    raw.recv(1)  # the ClientHello: every option is set
    return p, raw


def no_delay_serve(test):
    s, port = test.serve()
    sock = peers.dial_tls(test, port)
    return s, sock


def inode_of(test, p, port):
    """The process's connected socket whose other end has this port."""
    if not os.access("/proc/%d/fd" % p.p.pid, os.R_OK):
        raise Skipped("it takes root to look at a process with a key")
    mine = socket_inodes(p.p.pid)
    for line in table_lines():
        if line[9] in mine and int(line[2].split(":")[1], 16) == port:
            return line[9]
    raise Failed("no such socket in test %s" % test.name)


def duplicate(pid, inode):
    pidfd_getfd = 438  # on every architecture
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(os, "pidfd_open"):
        raise Skipped("no pidfd_open")
    number = next(n for n, what in open_files(pid)
                  if what == "socket:[%s]" % inode)
    pidfd = os.pidfd_open(pid)
    fd = libc.syscall(pidfd_getfd, pidfd, number, 0)
    os.close(pidfd)
    if fd < 0:
        raise Skipped("pidfd_getfd: " + os.strerror(ctypes.get_errno()))
    return fd


def tests():
    part = functools.partial
    yield "plain HTTP server", http_server
    yield "plain HTTP client", http_client
    yield "server closes in the handshake", close_in_handshake
    yield "server resets in the handshake", reset_in_handshake
    yield ("client closes in the handshake",
           part(client_closes_in_handshake, socket.socket.close, "tls"))
    yield ("client resets in the handshake",
           part(client_closes_in_handshake, reset, "net"))
    yield "silent client", silent_client
    yield "silent client, --keep-open", silent_then_served
    yield "--ready-fd", ready_fd
    yield "IPv6", over_ipv6
    yield "1024-bit DH", weak_dh
    yield "TCP_NODELAY, connect", part(no_delay, no_delay_connect)
    yield "TCP_NODELAY, serve", part(no_delay, no_delay_serve)
    for v in VERSIONS:
        end = ", TLS " + v
        yield "server resets" + end, part(reset_in_stream, True, v)
        yield "server sends and resets" + end, part(reset_in_stream, False, v)
        yield "client resets" + end, part(client_resets, v)
        yield "one byte a segment" + end, part(bytewise, v)
        yield ("one byte a segment, s_server" + end, part(bytewise_openssl, v))
        yield "the server ends first" + end, part(peer_ends_first, v)
        yield "the client ends first" + end, part(client_ends_first, v)
        yield "bytes after our end" + end, part(after_our_end, v)
        yield "slow reader" + end, part(slow_reader, v)

"""serve with a mode against other clients: much data, ends and resets."""
import functools
import hashlib
import json
import os
import random
import socket
import ssl
import struct
import sys
import time

import peers
from harness import SCHEMA, VERSIONS, Failed, listening_port, same

MEGABYTES_10 = 10 * 1000 * 1000


def only(version):
    return "--min-version", version, "--max-version", version


def serve(test, version, *args):
    """As it is run for boards: stdin is nothing to it."""
    return test.serve(*only(version), *args)


def reset(sock):
    """Close with a reset in place of an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def read_all(pipe, digest):
    total = 0
    while True:
        data = pipe.read(65536)
        if not data:
            return total
        digest.update(data)
        total += len(data)


def feed_all(pipe, data):
    pipe.write(data)
    pipe.close()


def through(test, client, data):
    """Send all through a client of subprocess pipes, and hear what comes."""
    got = hashlib.sha256()
    reader = test.thread(read_all, client.p.stdout, got)
    with open(client.p.stdin.fileno(), "wb", closefd=False) as pipe:
        pipe.write(data)
    client.end()
    return reader.done(), got.digest()


def echo_mptls(version, test):
    """10 MB both ways at once, with mptls's own client."""
    s, port = serve(test, version, "--echo")
    data = random.Random(1).randbytes(MEGABYTES_10)
    c = test.connect(port, raw=True)
    total, digest = through(test, c, data)
    same("bytes that came back", total, len(data))
    same("their digest", digest, hashlib.sha256(data).digest())
    c.done(version=version, notified=True)
    finish(s, len(data), len(data), version)


def finish(s, n_in, n_out, version):
    """The end of a server with a mode; its stdout is not the client's."""
    rc = s.wait()
    r = s.reports()[-1]
    same("exit status (%s)" % r["error"], rc, 0)
    same("version", r["tls"]["version"], "TLSv" + version)
    got = r["bytes"]
    same("bytes", (got["in"], got["out"]), (n_in, n_out))
    same("stdout", s.out.all(s.test.left()), b"")
    return r


def echo_python(version, test):
    """In turn: a socket of Python's is not for two threads at once."""
    s, port = serve(test, version, "--echo")
    data = random.Random(2).randbytes(MEGABYTES_10)
    with peers.dial_tls(test, port) as sock:
        for at in range(0, len(data), 50000):
            sock.sendall(data[at:at + 50000])
            same("what came back", read_exactly(sock, 50000),
                 data[at:at + 50000])
        sock.unwrap()
    finish(s, len(data), len(data), version)


def read_exactly(sock, n):
    got = bytearray()
    while len(got) < n:
        more = sock.recv(65536)
        if not more:
            raise Failed("the end after %d bytes" % len(got))
        got += more
    return bytes(got)


def exec_mptls(version, test):
    s, port = serve(test, version, "--exec", "cat")
    data = random.Random(4).randbytes(MEGABYTES_10)
    c = test.connect(port, raw=True)
    total, digest = through(test, c, data)
    same("bytes that came back", total, len(data))
    same("their digest", digest, hashlib.sha256(data).digest())
    r = finish(s, len(data), len(data), version)
    same("how it ended", r["exec"], {"status": 0, "signal": None})


def word_back(mode, start, version, test):
    """A word comes back to a client of another kind, which then ends."""
    s, port = serve(test, version, *mode)
    c = start(test, port).feed(b"hello\n")
    c.expect(b"hello\n")
    c.end()
    same("the client's status", c.wait(), 0)
    finish(s, 6, 6, version)


def echo_throttles(version, test):
    """One that does not read is not read from without bound."""
    s, port = serve(test, version, "--echo", "--idle-timeout", "500ms")
    sock = peers.dial_tls(test, port)
    sock.settimeout(0.3)
    sent = 0
    try:
        while sent < 200 * 1000 * 1000:
            sent += sock.send(bytes(16384))
        raise Failed("%d bytes were taken, and none was read" % sent)
    except (TimeoutError, ssl.SSLError):
        pass
    same("the status", s.wait(), 41)
    r = s.reports()[-1]
    held = r["bytes"]["in"] - r["bytes"]["out"]
    if not 0 <= held <= 2 * 16384:
        raise Failed("%d bytes are held" % held)


def a_reset(mode, test):
    s, port = test.serve(*mode)
    sock = peers.dial_tls(test, port)
    sock.sendall(b"hello")
    if mode[0] != "--discard":
        sock.recv(1)
    reset(sock)
    rc = s.wait()
    r = s.reports()[-1]
    same("exit status", rc, 43)
    same("origin", r["error"]["origin"], "net")


def nothing_is_left_to_the_next(version, test):
    """What was to go back to a client that has gone is nobody else's."""
    s, port = serve(test, version, "--echo", "--keep-open")
    sock = peers.dial_tls(test, port)
    sock.settimeout(0.3)
    try:
        for _ in range(1000):
            sock.sendall(b"secret" * 2000)
    except (TimeoutError, ssl.SSLError):
        pass
    reset(sock)
    with peers.dial_tls(test, port) as sock:
        sock.sendall(b"mine")
        same("what came back", read_exactly(sock, 4), b"mine")
        sock.unwrap()
    s.p.terminate()
    same("the status", s.wait(), 128 + 15)
    # Which of them is over first is not said.
    same("bytes", [r["bytes"]["out"] for r in s.reports()
                   if r["bytes"]["in"] == 4], [4])


def chargen_tool(start, version, test):
    s, port = serve(test, version, "--chargen", "--keep-open")
    c = start(test, port)
    c.expect(b"!\"#[^\\r\\n]*\\r\\n")
    c.kill()
    s.p.terminate()
    same("the status", s.wait(), 128 + 15)


def reply_curl(version, test):
    body = random.Random(3).randbytes(300000)
    text = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    with open(test.file("answer", ""), "wb") as f:
        f.write(text + body)
    s, port = serve(test, version, "--reply", f.name)
    c = peers.curl_client(test, port)
    same("curl's status", c.wait(), 0)
    same("the body", c.out.all(test.left()), body)
    rc = s.wait()
    r = s.reports()[-1]
    same("exit status (%s)" % r["error"], rc, (0, 40))
    same("bytes out", r["bytes"]["out"], len(text) + len(body))


def http_curl(path, version, test):
    """The page of a real HTTP client's own connection."""
    s, port = serve(test, version, "--http")
    c = curl(test, port, path)
    same("curl's status", c.wait(), 0)
    body = c.out.all(test.left())
    rc = s.wait()
    r = s.reports()[-1]
    same("exit status (%s)" % r["error"], rc, (0, 40))
    if path.endswith(".json"):
        report = json.loads(body)
        same("shape", SCHEMA.differences(report), [])
        same("version", report["tls"]["version"], "TLSv" + version)
        same("SNI", report["offers"]["theirs"]["server_name"], "localhost")
    elif ("TLSv" + version).encode() not in body:
        raise Failed("the page is %r" % body)


def curl(test, port, path, *options, **more):
    return test.spawn(
        "curl", "--silent", "--show-error", "--fail", "--noproxy", "*",
        "--cacert", peers.ROOT_CA, "--connect-to",
        "localhost:%d:%s:%d" % (port, peers.LOCALHOST, port), *options,
        "https://localhost:%d/%s" % (port, path), **more)


def http_tool(start, version, test):
    s, port = serve(test, version, "--http")
    c = start(test, port).feed(b"GET / HTTP/1.0\r\n\r\n")
    c.expect(b"verdict: +ok\n")
    c.end()
    c.wait()
    rc = s.wait()
    same("exit status (%s)" % s.reports()[-1]["error"], rc, (0, 40))


def forward_echo(version, test):
    """10 MB both ways at once, through a plain echo."""
    listener, there = test.listen()
    backend = test.thread(plain_echo, test, listener)
    s, port = serve(test, version, "--forward", "127.0.0.1:%d" % there)
    data = random.Random(5).randbytes(MEGABYTES_10)
    c = test.connect(port, raw=True)
    total, digest = through(test, c, data)
    same("bytes that came back", total, len(data))
    same("their digest", digest, hashlib.sha256(data).digest())
    same("bytes at the backend", backend.done(), len(data))
    finish(s, len(data), len(data), version)


def plain_echo(test, listener):
    total = 0
    with test.accept(listener) as sock:
        while True:
            data = sock.recv(65536)
            if not data:
                return total
            total += len(data)
            sock.sendall(data)


def forward_to_server(start, version, test):
    """curl fetches a file from an HTTP server that knows no TLS."""
    body = random.Random(6).randbytes(MEGABYTES_10)
    with open(test.file("page", ""), "wb") as f:
        f.write(body)
    where = start(test)
    s, port = serve(test, version, "--forward", where)
    c = curl(test, port, "page", "--header", "Connection: close")
    same("curl's status", c.wait(), 0)
    same("the body is the file", c.out.all(test.left()) == body, True)
    rc = s.wait()
    same("exit status (%s)" % s.reports()[-1]["error"], rc, (0, 40))


def python_http(test):
    p = test.spawn(sys.executable, "-B", "-m", "http.server", "0", "--bind",
                   peers.LOCALHOST, "--directory", test.dir)
    return "127.0.0.1:%d" % listening_port(p)


CLIENTS = (("openssl s_client", peers.openssl_client),
           ("gnutls-cli", peers.gnutls_client),
           ("socat", peers.socat_client))


def tests():
    part = functools.partial
    for v in VERSIONS:
        yield "10 MB through --echo, mptls, TLS " + v, part(echo_mptls, v)
        yield "10 MB through --exec cat, TLS " + v, part(exec_mptls, v)
        yield ("10 MB through --echo, Python ssl, TLS " + v,
               part(echo_python, v))
        yield "--echo is throttled, TLS " + v, part(echo_throttles, v)
        yield ("--echo leaves nothing to the next, TLS " + v,
               part(nothing_is_left_to_the_next, v))
        yield "--reply to curl, TLS " + v, part(reply_curl, v)
        for path in ("", "x.json"):
            yield ("--http to curl, /%s, TLS %s" % (path, v),
                   part(http_curl, path, v))
        yield ("10 MB through --forward, TLS " + v, part(forward_echo, v))
        yield ("curl through --forward to http.server, TLS " + v,
               part(forward_to_server, python_http, v))
        for name, start in CLIENTS:
            for mode in (("--echo",), ("--exec", "cat"), ("--sh", "cat")):
                yield ("%s and %s, TLS %s" % (mode[0], name, v),
                       part(word_back, mode, start, v))
            yield ("--http and %s, TLS %s" % (name, v),
                   part(http_tool, start, v))
            yield ("--chargen and %s, TLS %s" % (name, v),
                   part(chargen_tool, start, v))
    for mode in (("--echo",), ("--discard",), ("--chargen",),
                 ("--exec", "cat")):
        yield "a reset ends %s" % mode[0], part(a_reset, mode)

"""serve --forward: a connection without TLS to somewhere else."""
import errno
import os
import signal
import socket
import struct

from harness import DEADLINE, cert, each, read_exactly, read_some, test

MEGABYTE = bytes(range(256)) * 4096


def both_versions(function):
    each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])(function)
    return function


def forward(t, listener, *options):
    return t.serve("--forward", "127.0.0.1:%d" % listener.getsockname()[1],
                   *options)


def read_to_end(sock):
    got = b""
    while True:
        more = sock.recv(65536)
        if not more:
            return got
        got += more


@both_versions
def bytes_and_ends_both_ways(t, version):
    listener = t.listener()
    server = forward(t, listener, "--max-version", version)
    client = t.connect(server, stdin=t.file("in", MEGABYTE))
    backend = t.accept(listener)
    t.eq(read_to_end(backend) == MEGABYTE, True, "what arrived")
    backend.sendall(b"an answer after the end")
    backend.close()
    t.ok(client.wait(), b"an answer after the end")
    s = t.ok(server.wait())
    t.eq((s.report["bytes"]["in"], s.report["bytes"]["out"]),
         (len(MEGABYTE), 23), "bytes in and out")


@test
def an_end_from_there_is_passed_on(t):
    """The client goes on sending."""
    listener = t.listener()
    r, w = t.pipe()
    out, out_w = t.pipe()
    server = forward(t, listener)
    client = t.connect(server, stdin=r, stdout=out_w)
    t.close_pipe(out_w)
    backend = t.accept(listener)
    backend.sendall(b"over")
    backend.shutdown(socket.SHUT_WR)
    t.eq(read_exactly(out, 4), b"over", "what came")
    t.eq(read_some(out), b"", "its end")
    os.write(w, b"the rest")
    t.close_pipe(w)
    t.eq(read_to_end(backend), b"the rest", "what arrived")
    t.ok(client.wait())
    t.ok(server.wait())


@test
def a_local_socket(t):
    name = t.path("socket")
    listener = socket.socket(socket.AF_UNIX)
    t.on_exit(listener.close)
    listener.settimeout(DEADLINE)
    listener.bind(name)
    listener.listen(1)
    server = t.serve("--forward", "unix:" + name)
    client = t.connect(server, stdin=b"hello")
    backend = t.accept(listener)
    t.eq(read_to_end(backend), b"hello", "what arrived")
    backend.sendall(b"bye")
    backend.close()
    t.ok(client.wait(), b"bye")
    t.ok(server.wait())


def closed_port(t):
    s = t.listener()
    where = "127.0.0.1:%d" % s.getsockname()[1]
    s.close()
    return where


@each([("a port", closed_port, errno.ECONNREFUSED),
       ("a local socket", lambda t: "unix:" + t.path("none"), errno.ENOENT)])
def one_that_cannot_be_reached(t, where, code):
    """The client is not to take it for an empty answer."""
    where = where(t)
    server = t.serve("--forward", where)
    c = t.connect(server, stdin=b"hello").wait()
    s = server.wait()
    t.bad(s, 11, "net", code, "forward to " + where[:60])
    t.eq(s.report["stage"], "connect", "the stage")
    t.eq((s.error["cause"]["name"], s.error["cause"]["more"],
          s.error["micropython"]), ("backend-unreachable",) * 2 + (None,),
         "the cause")
    t.has(s.err, "the client is not at fault")
    t.eq(s.report["tls"]["close_notify_sent"], False, "close_notify_sent")
    t.lost(c)


@test
def the_next_client_is_served_all_the_same(t):
    server = t.serve("--forward", closed_port(t), "--keep-open")
    for _ in range(2):
        t.connect(server).wait()
    server.signal(signal.SIGTERM)
    t.eq([r["status"] for r in server.wait().reports],
         [11, 11, 128 + signal.SIGTERM], "the statuses")


@test
def one_that_does_not_answer(t):
    """A listener whose queue is full."""
    listener = t.listener(0)
    where = listener.getsockname()
    for _ in range(4):
        s = socket.socket()
        t.on_exit(s.close)
        s.setblocking(False)
        s.connect_ex(where)
    server = forward(t, listener, "--connect-timeout", "100ms")
    c = t.connect(server).wait()
    t.bad(server.wait(), 12, "timeout", 100, "no answer within 100 ms")
    t.lost(c)


@test
def a_reset_from_there(t):
    """It does not look whole to the client."""
    listener = t.listener()
    r, w = t.pipe()
    server = forward(t, listener)
    client = t.connect(server, stdin=r)
    os.write(w, b"hello")
    backend = t.accept(listener)
    t.eq(backend.recv(9), b"hello", "what arrived")
    backend.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                       struct.pack("ii", 1, 0))
    backend.close()
    s = server.wait()
    t.bad(s, 43, "net", errno.ECONNRESET, "127.0.0.1:")
    t.eq(s.report["stage"], "stream", "the stage")
    c = client.wait()
    t.lost(c)


@each([("no port", "localhost"), ("port 0", "localhost:0"),
       ("no host", ":80"), ("no path", "unix:")])
def a_target_that_is_none(t, where):
    t.usage(("serve", "--forward", where, "--cert", cert("server-ec256.pem"),
             "--key", cert("server-ec256-key.pem")), "--forward: ",
            command="serve")


@test
def a_name_that_is_none(t):
    """Before a client has come."""
    r = t.run("serve", "--forward", "no-such-host.invalid:80", "127.0.0.1:0",
              "--cert", cert("server-ec256.pem"), "--key",
              cert("server-ec256-key.pem"))
    t.eq((r.status, r.error["origin"]), (10, "dns"), "status and origin")
    t.has(r.err, "--forward: resolve no-such-host.invalid")

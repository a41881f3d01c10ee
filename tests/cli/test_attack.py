"""What an attack found, where the other end may be mptls itself or says
nothing: descriptors, terminals, addresses with zones, trust stores."""
import errno
import os
import shutil
import socket

from harness import Failed, cert, each, read_exactly, test
from test_streams import MEGABYTE, pty_pair

PAIR = ("--cert", cert("server-ec256.pem"),
        "--key", cert("server-ec256-key.pem"))


# Ends.

@test
def stdin_that_was_given_up_is_told(t):
    r, _ = t.pipe()
    server = t.serve("--on-eof", "close", stdin=b"bye")
    c = t.ok(t.connect(server, "-v", stdin=r).wait(), b"bye")
    t.eq(c.report["bytes"]["stdin_ended"], False, "stdin_ended")
    t.has(c.err, "mptls: stdin was not read to its end\n")
    s = t.ok(server.wait())
    t.eq(s.report["bytes"]["stdin_ended"], True, "stdin_ended of serve")


@test
def stdin_that_ended_is_told(t):
    server = t.serve()
    c = t.ok(t.connect(server, "-v", stdin=b"bye").wait())
    t.eq(c.report["bytes"]["stdin_ended"], True, "stdin_ended")
    if "not read to its end" in c.err:
        raise Failed(c.err)
    server.wait()


@test
def one_socket_as_stdin_and_stdout(t):
    """The peer's end is passed on though stdin's copy stays open."""
    ours, its = socket.socketpair()
    t.on_exit(ours.close)
    server = t.serve(stdin=b"hello")
    client = t.connect(server, stdin=its, stdout=its)
    its.close()
    t.eq(read_exactly(ours.fileno(), 5), b"hello", "what came")
    ours.settimeout(5)
    t.eq(ours.recv(1), b"", "the end")
    ours.sendall(b"answer")
    ours.shutdown(socket.SHUT_WR)
    t.ok(client.wait())
    t.ok(server.wait(), b"answer")


# Limits.

@each([("full", b"", MEGABYTE), ("stopped", b"\x13", b"a line\n")])
def a_terminal_that_takes_no_more(t, keys, data):
    """Nobody reads, or ^S: no write may outlive --max-time."""
    master, slave = pty_pair(t)
    os.write(master, keys)
    server = t.serve(stdin=t.file("in", data))
    r, _ = t.pipe()
    client = t.connect(server, "--max-time", "500ms", stdin=r, stdout=slave)
    t.bad(client.wait(), 42, "max-time", 500)
    server.wait()


@test
def a_deferred_handshake_of_two_silent_sides(t):
    s = t.listener()
    r, _ = t.pipe()
    p = t.start("connect", "--defer-handshake", "--idle-timeout", "300ms",
                "127.0.0.1:%d" % s.getsockname()[1], stdin=r)
    t.accept(s)
    t.bad(p.wait(), 41, "timeout", 300)


@test
def a_deferred_handshake_of_a_silent_client(t):
    r, _ = t.pipe()
    server = t.serve("--defer-handshake", "--idle-timeout", "300ms", stdin=r)
    t.tcp(server.address)
    t.bad(server.wait(), 41, "timeout", 300)


# --ready-fd.

@each([(str(n), n) for n in (3, 4, 5, 9)])
def ready_fd_that_is_closed(t, n):
    """It would be one that we open ourselves."""
    r = t.run("serve", *PAIR, "--ready-fd", str(n), "127.0.0.1:0",
              report=False)
    t.eq((r.status, r.out), (2, b""), "status and stdout")
    t.has(r.err, "--ready-fd %d: %s" % (n, os.strerror(errno.EBADF)))
    if "listening" in r.err:
        raise Failed(r.err)


# Zones.

@test
def a_zone_is_not_part_of_the_name(t):
    server = t.serve()
    r = t.connect(server, "--server-hostname", "fe80::1%lo").wait()
    t.bad(r, 32, "verify", 4, "fe80::1")
    t.eq(r.report["verify"]["name"], "fe80::1", "the name")
    server.wait()


@test
def an_address_with_a_zone_is_not_sent_as_a_name(t):
    s = t.listener()
    p = t.start("connect", "--server-hostname", "fe80::1%lo",
                "127.0.0.1:%d" % s.getsockname()[1])
    c = t.accept(s)
    hello = c.recv(4096)
    t.eq(hello[:1], b"\x16", "the first byte")
    t.eq(b"fe80" in hello, False, "the address is in the ClientHello")
    c.close()
    p.wait()


def useless(t, path):
    server = t.serve()
    r = t.connect(server, ca=None, env={"SSL_CERT_FILE": path}).wait()
    t.eq(r.status, 3, "status")
    t.has(r.error["text"], path)
    t.has(r.err, path)


@test
def a_trust_store_that_is_a_directory(t):
    useless(t, t.dir)


@test
def a_trust_store_in_der(t):
    useless(t, cert("root.der"))


@test
def a_trust_store_that_is_empty(t):
    useless(t, t.named(b""))


@test
def a_fifo_among_the_trusted(t):
    """Opening it would wait for a writer."""
    folder = t.path("certs")
    os.mkdir(folder)
    os.mkfifo(os.path.join(folder, "a-fifo.pem"))
    shutil.copy(os.path.join(os.path.dirname(__file__), "..", "..",
                             cert("root.pem")), folder)
    server = t.serve()
    r = t.connect(server, ca=None, env={"SSL_CERT_DIR": folder}).wait()
    t.ok(r)
    t.ok(server.wait())

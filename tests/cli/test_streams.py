"""stdin, stdout and stderr as they may come: closed, full, broken, a
terminal; what the end of one does; and that their flags stay as they are."""
import errno
import fcntl
import os
import pty
import signal
import socket
import ssl
import sys

from harness import (DEADLINE, Failed, ROOT, Skipped, cert, each, read_exactly,
                     read_some, test)

MEGABYTE = bytes(range(256)) * 4096


def both_versions(function):
    each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])(function)
    return function


@both_versions
def bytes_both_ways(t, version):
    """A file at either end, larger than every buffer in between."""
    there, back = MEGABYTE, MEGABYTE[::-1]
    server = t.serve("--max-version", version, stdin=t.file("in", back))
    c = t.connect(server, stdin=t.file("in", there)).wait()
    s = server.wait()
    t.ok(c, back)
    t.ok(s, there)
    t.eq(c.err, "", "connect's stderr")
    t.eq(s.err, "mptls: listening on %s\n" % server.address, "serve's stderr")
    t.eq(c.report["tls"]["version"], "TLSv" + version, "the version")
    for r, n_in, n_out in ((c, back, there), (s, there, back)):
        t.eq((r.report["bytes"]["in"], r.report["bytes"]["out"]),
             (len(n_in), len(n_out)), "bytes in and out")
        t.eq((r.report["tls"]["close_notify_sent"],
              r.report["tls"]["close_notify_received"]), (True, True),
             "close_notify sent and received")


@each([("nothing at all", b""), ("Q", b"Q\n"), ("R", b"R\n"), ("k", b"k\n"),
       ("NULs", bytes(100)), ("every byte", bytes(range(256)))])
def no_byte_is_a_command(t, data):
    server = t.serve(stdin=data)
    t.ok(t.connect(server, stdin=data).wait(), data)
    t.ok(server.wait(), data)


@test
def an_answer_after_our_end_is_received(t):
    r, w = t.pipe()
    out, out_w = t.pipe()
    server = t.serve(stdin=r, stdout=out_w)
    client = t.connect(server, stdin=b"question")
    t.eq(read_exactly(out, 8), b"question", "what the server got")
    os.write(w, b"answer")
    t.close_pipe(w)
    t.ok(client.wait(), b"answer")
    t.ok(server.wait())


@test
def the_peers_end_is_the_end_of_stdout(t):
    """What reads our stdout to its end, as sort does, can then answer."""
    r, w = t.pipe()
    out, out_w = t.pipe()
    server = t.serve(stdin=r, stdout=out_w)
    t.close_pipe(out_w)
    client = t.connect(server, stdin=b"b a")
    t.eq(read_exactly(out, 3), b"b a", "what the server got")
    t.eq(read_some(out), b"", "the end")
    os.write(w, b"a b")
    t.close_pipe(w)
    t.ok(client.wait(), b"a b")
    t.ok(server.wait())


@test
def serve_with_dev_null_serves(t):
    server = t.serve()
    t.ok(t.connect(server, stdin=b"hello").wait())
    t.ok(server.wait(), b"hello")


# Closed descriptors: which end, the redirection, who sends, that end's status

CLOSED_IN = [("connect", "connect"), ("serve", "serve")]


@each(CLOSED_IN)
def closed_stdin(t, who):
    if who == "connect":
        server = t.serve()
        r = t.connect(server, redirect="<&-").wait()
        other = server.wait()
    else:
        server = t.serve(redirect="<&-")
        other = t.connect(server).wait()
        r = server.wait()
    t.bad(r, 1, "os", errno.EBADF, "read from stdin")
    # Not to look whole to the peer.
    t.bad(other, 40, "truncated", 0)


@each([("connect, data", "connect", b"data"), ("serve, data", "serve", b"data"),
       ("connect, no data", "connect", b""), ("serve, no data", "serve", b"")])
def closed_stdout(t, who, data):
    """What the other end gets is what was sent, and no message."""
    if who == "connect":
        server = t.serve(stdin=data)
        r = t.connect(server, "-v", stdin=b"mine", redirect=">&-").wait()
        other = server.wait()
    else:
        server = t.serve("-v", stdin=b"mine", redirect=">&-")
        other = t.connect(server, stdin=data).wait()
        r = server.wait()
    if data:
        t.bad(r, 1, "os", errno.EBADF, "write to stdout")
    else:
        t.ok(r)
        t.ok(other, b"mine")
    if other.out not in (b"", b"mine"):
        raise Failed("the other end got %r" % other.out)


@each([("connect", "connect", "2>&-"), ("serve", "serve", "2>&-"),
       ("connect without stdin", "connect", "</dev/null 2>&-"),
       ("serve without stdin", "serve", "</dev/null 2>&-")])
def closed_stderr(t, who, redirect):
    """No message ends up in the connection."""
    mine = b"" if "<" in redirect else b"mine"
    if who == "connect":
        server = t.serve(stdin=b"data")
        r = t.connect(server, "-v", "--verify", "none", stdin=mine,
                      redirect=redirect).wait()
        other = server.wait()
    else:
        server = t.serve("-v", stdin=mine, redirect=redirect)
        other = t.connect(server, stdin=b"data").wait()
        r = server.wait()
    t.ok(r, b"data")
    t.ok(other, mine)
    t.eq(r.err, "", "stderr")


@each([("connect", "connect"), ("serve", "serve")])
def all_closed(t, who):
    redirect = "<&- >&- 2>&-"
    if who == "connect":
        server = t.serve(stdin=b"data")
        r = t.connect(server, redirect=redirect).wait()
        other = server.wait()
    else:
        server = t.serve(redirect=redirect)
        other = t.connect(server, stdin=b"data").wait()
        r = server.wait()
    t.eq((r.status, other.out), (1, b""), "status and what the other got")
    t.eq((r.error["origin"], r.error["code"]), ("os", errno.EBADF),
         "the error")


@each([("connect", "connect"), ("serve", "serve")])
def full_stdout(t, who):
    if not os.path.exists("/dev/full"):
        raise Skipped("no /dev/full")
    if who == "connect":
        server = t.serve(stdin=b"data")
        r = t.connect(server, redirect=">/dev/full").wait()
    else:
        server = t.serve(redirect=">/dev/full")
        t.connect(server, stdin=b"data").wait()
        r = server.wait()
    t.bad(r, 1, "os", errno.ENOSPC, "write to stdout",
          "No space left on device")


def broken_pipe(t, who, **popen):
    """A stdout whose reader has gone, and data to write."""
    r, w = t.pipe()
    t.close_pipe(r)
    if who == "connect":
        server = t.serve(stdin=b"data")
        p = t.connect(server, stdout=w, **popen)
    else:
        p = t.serve(stdout=w, **popen)
        t.connect(p, stdin=b"data").wait()
    return p.wait()


@each([("connect", "connect", False), ("serve", "serve", False),
       ("connect with a report", "connect", True),
       ("serve with a report", "serve", True)])
def broken_stdout_ends_silently_by_sigpipe(t, who, report):
    result = broken_pipe(t, who, report=report)
    t.eq(result.status, -signal.SIGPIPE, "status")
    if report:
        t.eq((result.error["origin"], result.error["code"]),
             ("os", errno.EPIPE), "the error")
    t.eq([x for x in result.lines if "listening" not in x], [], "stderr")


@each([("connect", "connect"), ("serve", "serve")])
def broken_stdout_where_sigpipe_is_ignored(t, who):
    result = broken_pipe(t, who, restore_signals=False)
    t.bad(result, 1, "os", errno.EPIPE, "write to stdout", "Broken pipe")


@test
def stdin_from_a_directory(t):
    fd = os.open(t.dir, os.O_RDONLY)
    t.on_exit(lambda: os.close(fd))
    server = t.serve()
    r = t.connect(server, stdin=fd).wait()
    t.bad(r, 1, "os", errno.EISDIR, "read from stdin")


def flags_of(fds):
    return [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in fds]


def pty_pair(t):
    master, slave = pty.openpty()
    t.on_exit(lambda: os.close(master))
    t.on_exit(lambda: os.close(slave))
    return master, slave


@each([("connect", "connect", False), ("serve", "serve", False),
       ("connect, non-blocking", "connect", True),
       ("serve, non-blocking", "serve", True)])
def flags_of_descriptors_stay(t, who, nonblocking):
    """Looked at before, during and after through the same open files."""
    in_r, in_w = t.pipe()
    out_r, out_w = t.pipe()
    err_r, err_w = t.pipe()
    watched = [in_r, out_w, err_w]
    for fd in watched:
        os.set_blocking(fd, not nonblocking)
    before = flags_of(watched)
    peer_in_r, peer_in_w = t.pipe()
    peer_out_r, peer_out_w = t.pipe()
    mine = dict(stdin=in_r, stdout=out_w, stderr=err_w)
    theirs = dict(stdin=peer_in_r, stdout=peer_out_w)
    if who == "connect":
        server = other = t.serve(**theirs)
        p = t.connect(server, "-v", **mine)
    else:
        p = t.serve("-v", **mine)
        other = t.connect(p, **theirs)
    os.write(in_w, b"one")
    os.write(peer_in_w, b"two")
    t.eq(read_exactly(peer_out_r, 3), b"one", "what the peer got")
    t.eq(read_exactly(out_r, 3), b"two", "stdout")
    t.eq(flags_of(watched), before, "the flags during")
    t.close_pipe(in_w)
    t.close_pipe(peer_in_w)
    t.ok(p.wait())
    t.ok(other.wait())
    t.has(read_some(err_r), b"mptls: ")
    t.eq(flags_of(watched), before, "the flags after")


@test
def a_slow_reader_gets_everything(t):
    server = t.serve(stdin=t.file("in", MEGABYTE))
    r, w = t.pipe()
    client = t.connect(server, stdout=w)
    t.close_pipe(w)
    got = b""
    while len(got) < len(MEGABYTE):
        more = os.read(r, 1000)
        if more == b"":
            break
        got += more
    t.eq(got == MEGABYTE, True, "the same bytes")
    t.eq(client.wait().status, 0, "status")
    t.ok(server.wait())


@test
def a_terminal_as_stdin(t):
    master, slave = pty_pair(t)
    before = flags_of([slave])
    server = t.serve()
    client = t.connect(server, stdin=slave)
    os.write(master, b"hello\n\x04")  # a line, and the end
    t.ok(client.wait())
    t.ok(server.wait(), b"hello\n")
    t.eq(flags_of([slave]), before, "the terminal's flags")


@test
def a_terminal_does_not_outlive_the_peer(t):
    _, slave = pty_pair(t)
    server = t.serve(stdin=b"bye")
    t.ok(t.connect(server, stdin=slave).wait(), b"bye")
    t.ok(server.wait())


@test
def an_open_stdin_does_not_outlive_the_peer(t):
    r, w = t.pipe()
    server = t.serve("--on-eof", "close", stdin=b"bye")
    t.ok(t.connect(server, stdin=r).wait(), b"bye")
    t.ok(server.wait())


@test
def on_eof_close_does_not_wait(t):
    r, w = t.pipe()  # the server's stdin never ends
    server = t.serve(stdin=r)
    t.ok(t.connect(server, "--on-eof", "close", stdin=b"hello").wait())
    t.ok(server.wait(), b"hello")


@test
def on_eof_half_close_waits_for_the_peer(t):
    r, w = t.pipe()
    server = t.serve(stdin=r)
    client = t.connect(server, "--on-eof", "half-close", "--idle-timeout",
                       "300ms", stdin=b"hello")
    t.bad(client.wait(), 41, "timeout", 300)
    s = t.ok(server.wait(), b"hello")
    t.eq(s.report["tls"]["close_notify_received"], True, "close_notify")


@test
def on_eof_wait_says_nothing_before_the_peer_does(t):
    server = t.serve("--on-eof", "half-close", "--idle-timeout", "300ms",
                     stdin=b"")
    client = t.connect(server, "--on-eof", "wait")
    t.ok(client.wait())
    t.ok(server.wait())
    server = t.serve("--on-eof", "wait")
    client = t.connect(server, "--on-eof", "wait", "--idle-timeout", "300ms")
    t.bad(client.wait(), 41, "timeout", 300)
    server.wait()


@test
def on_eof_wait_still_delivers(t):
    r, w = t.pipe()
    out, out_w = t.pipe()
    server = t.serve(stdin=r, stdout=out_w)
    client = t.connect(server, "--on-eof", "wait", stdin=b"question")
    t.eq(read_exactly(out, 8), b"question", "what the server got")
    os.write(w, b"answer")
    t.close_pipe(w)
    t.ok(client.wait(), b"answer")
    t.ok(server.wait())


@test
def defer_handshake_sends_nothing_before_there_is_something(t):
    s = t.listener()
    r, w = t.pipe()
    p = t.start("connect", "--defer-handshake", "--handshake-timeout", "200ms",
                "127.0.0.1:%d" % s.getsockname()[1], stdin=r)
    c = t.accept(s)
    c.settimeout(0.4)  # longer than the handshake may take
    try:
        raise Failed("sent %r" % c.recv(1))
    except TimeoutError:
        pass
    c.settimeout(10)
    os.write(w, b"x")
    t.eq(c.recv(1), b"\x16", "the first byte")
    t.bad(p.wait(), 20, "timeout", 200)


@each([("by connect", ["--defer-handshake"], []),
       ("by serve", [], ["--defer-handshake"])])
def deferred_handshake(t, client_args, server_args):
    server = t.serve(*server_args, stdin=b"there")
    t.ok(t.connect(server, *client_args, stdin=b"here").wait(), b"there")
    t.ok(server.wait(), b"here")


@both_versions
def mp_defaults_truncate(t, version):
    r, w = t.pipe()
    server = t.serve("--max-version", version, stdin=b"answer")
    c = t.connect(server, "--mp-defaults", stdin=b"hello", ca=None).wait()
    t.ok(c, b"answer")
    t.eq(c.report["tls"]["close_notify_sent"], False, "close_notify sent")
    s = server.wait()
    t.bad(s, 40, "truncated", 0, out=b"hello")
    t.eq(s.report["tls"]["close_notify_received"], False, "received")


@test
def mp_defaults_end_with_stdin(t):
    """What the peer is not told by close_notify it is told by TCP."""
    server = t.serve()
    c = t.connect(server, "--mp-defaults", ca=None).wait()
    t.ok(c)
    t.bad(server.wait(), 40, "truncated", 0)


@test
def mp_defaults_of_a_server(t):
    server = t.serve("--mp-defaults", "--on-eof", "close", stdin=b"data")
    t.bad(t.connect(server).wait(), 40, "truncated", 0, out=b"data")
    t.ok(server.wait())


@test
def truncation_may_be_allowed(t):
    server = t.serve("--mp-defaults", "--on-eof", "close", stdin=b"data")
    t.ok(t.connect(server, "--allow-truncation").wait(), b"data")
    t.ok(server.wait())


@both_versions
def a_flight_is_one_packet(t, version):
    """What has been sent in several writes is all there in one."""
    if not sys.platform.startswith("linux"):
        raise Skipped("only Linux lets a packet wait for the next write")
    ctx = ssl.create_default_context(
        cafile=os.path.join(ROOT, cert("root.pem")))
    ctx.maximum_version = ssl.TLSVersion["TLSv" + version.replace(".", "_")]
    server = t.serve("--echo")
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    s = t.tcp(server.address)
    tls = ctx.wrap_bio(into, out, server_hostname="localhost")
    reads = 0
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            s.sendall(out.read())
            into.write(s.recv(1 << 16))
            reads += 1
    t.eq(reads, 1 if version == "1.3" else 2, "reads")
    s.close()
    server.wait()


@both_versions
def bytes_behind_a_close_notify_cost_nothing(t, version):
    """They are against RFC 8446 6.1 and dropped; whoever sends them still gets
    all that we have sent."""
    data = bytes(range(256)) * 16384
    server = t.serve("--reply", t.named(data))
    ctx = ssl.create_default_context(
        cafile=os.path.join(ROOT, cert("root.pem")))
    ctx.maximum_version = ssl.TLSVersion["TLSv" + version.replace(".", "_")]
    s = socket.socket()
    t.on_exit(s.close)
    s.settimeout(DEADLINE)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = server.address.rsplit(":", 1)
    s.connect((host, int(port)))
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ctx.wrap_bio(into, out, server_hostname="localhost")

    def wire(call, *args):
        while True:
            try:
                return call(*args)
            except ssl.SSLWantReadError:
                if out.pending:
                    s.sendall(out.read())
                into.write(s.recv(1 << 16))

    wire(tls.do_handshake)
    try:
        tls.unwrap()  # which only writes close_notify for now
    except ssl.SSLWantReadError:
        pass
    s.sendall(out.read() + bytes(10000))
    got = 0
    while True:
        try:
            more = s.recv(1 << 16)
        except ConnectionResetError as e:
            raise Failed("reset after %d bytes of records" % got) from e
        if not more:
            break
        got += len(more)
    t.eq(got > len(data), True, "that all came, in %d bytes" % got)
    t.ok(server.wait())


@test
def keep_open_serves_one_after_the_other(t):
    out, out_w = t.pipe()
    server = t.serve("--keep-open", stdout=out_w)
    for data in (b"first", b"second"):
        t.ok(t.connect(server, stdin=data).wait())
        t.eq(read_exactly(out, len(data)), data, "what the server got")
    bad = t.connect(server, ca="other-root.pem").wait()
    t.bad(bad, 30, "verify", 8)
    t.ok(t.connect(server, stdin=b"third").wait())
    t.eq(read_exactly(out, 5), b"third", "what the server got")
    server.signal(signal.SIGTERM)
    s = server.wait()
    t.bad(s, 128 + signal.SIGTERM, "signal", signal.SIGTERM)
    t.eq([x["status"] for x in s.reports[:2]], [0, 0], "the first two")
    t.eq([x["ok"] for x in s.reports], [True, True, False, True, False], "ok")


@test
def serve_without_keep_open_serves_one(t):
    server = t.serve()
    t.ok(t.connect(server).wait())
    t.ok(server.wait())
    r = t.connect(server).wait()
    t.bad(r, 11, "net", errno.ECONNREFUSED)

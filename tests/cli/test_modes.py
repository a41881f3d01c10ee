"""serve with a mode: what it does with a client in place of piping."""
import errno
import os
import signal

from harness import Failed, each, read_exactly, read_some, test

MEGABYTE = bytes(range(256)) * 4096
MODES = [("--echo",), ("--discard",), ("--chargen",), ("--reply", "answer"),
         ("--exec", "cat"), ("--sh", "cat"),
         ("--forward", "127.0.0.1:9"), ("--http",)]


def both_versions(function):
    each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])(function)
    return function


def counted(t, result, n_in, n_out):
    t.ok(result)
    got = result.report["bytes"]
    t.eq((got["in"], got["out"]), (n_in, n_out), "bytes in and out")
    t.eq((result.report["tls"]["close_notify_sent"],
          result.report["tls"]["close_notify_received"]), (True, True),
         "close_notify sent and received")


@both_versions
def echo_sends_back_what_comes(t, version):
    server = t.serve("--echo", "--max-version", version)
    c = t.connect(server, stdin=t.file("in", MEGABYTE)).wait()
    t.ok(c, MEGABYTE)
    t.eq(c.report["tls"]["version"], "TLSv" + version, "the version")
    counted(t, server.wait(), len(MEGABYTE), len(MEGABYTE))


@test
def echo_answers_before_the_client_has_ended(t):
    r, w = t.pipe()
    out, out_w = t.pipe()
    server = t.serve("--echo")
    client = t.connect(server, stdin=r, stdout=out_w)
    t.close_pipe(out_w)
    for word in (b"one", b"two"):
        os.write(w, word)
        t.eq(read_exactly(out, 3), word, "what came back")
    t.close_pipe(w)
    t.eq(read_some(out), b"", "the end")
    t.ok(client.wait())
    counted(t, server.wait(), 6, 6)


@both_versions
def discard_sends_nothing(t, version):
    server = t.serve("--discard", "--max-version", version)
    t.ok(t.connect(server, stdin=t.file("in", MEGABYTE)).wait(), b"")
    counted(t, server.wait(), len(MEGABYTE), 0)


@both_versions
def chargen_sends_until_the_client_ends(t, version):
    r, w = t.pipe()
    out, out_w = t.pipe()
    server = t.serve("--chargen", "--max-version", version)
    client = t.connect(server, stdin=r, stdout=out_w)
    t.close_pipe(out_w)
    ring = bytes(range(32, 127)) * 2
    got = read_exactly(out, 74 * 200)
    for i in range(200):
        at = i % 95
        t.eq(got[74 * i:74 * i + 74], ring[at:at + 72] + b"\r\n", "a line")
    os.write(w, b"dropped")
    t.close_pipe(w)
    total = len(got)
    while True:
        more = read_some(out)
        if not more:
            break
        total += len(more)
    t.ok(client.wait())
    counted(t, server.wait(), 7, total)


@both_versions
def a_reply_goes_to_each_client(t, version):
    server = t.serve("--reply", t.named(MEGABYTE), "--keep-open",
                     "--max-version", version)
    for data in (b"", b"ignored"):
        t.ok(t.connect(server, stdin=data).wait(), MEGABYTE)
    server.signal(signal.SIGTERM)
    s = server.wait()
    t.eq(s.status, 128 + signal.SIGTERM, "the status")
    t.eq([(r["bytes"]["in"], r["bytes"]["out"]) for r in s.reports[:2]],
         [(0, len(MEGABYTE)), (7, len(MEGABYTE))], "bytes in and out")


@test
def a_reply_is_read_once(t):
    name = t.named(b"before")
    server = t.serve("--reply", name)
    os.unlink(name)
    t.ok(t.connect(server).wait(), b"before")
    t.ok(server.wait())


@test
def a_reply_that_cannot_be_read(t):
    r = t.run("serve", "--reply", t.path("none"), "127.0.0.1:0", "--cert",
              "certs/server-ec256.pem", "--key", "certs/server-ec256-key.pem")
    t.bad(r, 3, "file", errno.ENOENT, "--reply: ")


@test
def a_reply_that_is_followed_by_our_end(t):
    """--on-eof goes by the end of the reply: the client need not end."""
    r, _ = t.pipe()
    server = t.serve("--reply", t.named(b"bye"), "--on-eof", "close")
    client = t.connect(server, stdin=r)
    t.ok(client.wait(), b"bye")
    s = t.ok(server.wait())
    t.eq((s.report["bytes"]["in"], s.report["bytes"]["out"]), (0, 3), "bytes")


@each([(" ".join(m),) + m for m in MODES if m[0] != "--forward"])
def stdin_and_stdout_are_not_touched(t, *mode):
    if mode[0] == "--reply":
        mode = ("--reply", t.named(b"answer"))
    r, w = t.pipe()
    os.write(w, b"mine")
    server = t.serve(*mode, stdin=r)
    t.connect(server, stdin=b"theirs").wait()
    s = t.ok(server.wait(), b"")
    t.eq(s.report["bytes"]["stdin_ended"], True, "stdin_ended")
    t.eq(os.read(r, 9), b"mine", "what is left on stdin")


@test
def a_closed_stdin_and_stdout_do_not_matter(t):
    server = t.serve("--echo", redirect="<&- >&-")
    t.ok(t.connect(server, stdin=b"hello").wait(), b"hello")
    counted(t, server.wait(), 5, 5)


@each([("%s %s" % (a[0], b[0]), a, b)
       for i, a in enumerate(MODES) for b in MODES[i + 1:]])
def one_mode_at_a_time(t, a, b):
    words = "%s and %s are one or the other" % (a[0], b[0])
    for mode in (a + b, b + a):
        t.usage(("serve", *mode, "--cert", "certs/server-ec256.pem", "--key",
                 "certs/server-ec256-key.pem"), words, command="serve")


@test
def the_idle_timeout_holds_for_a_mode(t):
    r, _ = t.pipe()
    server = t.serve("--echo", "--idle-timeout", "50ms")
    client = t.connect(server, stdin=r)
    t.bad(server.wait(), 41, "timeout", 50)
    if client.wait().status not in (0, 40, 43):
        raise Failed("the client's status is odd")


@test
def a_handshake_that_is_deferred_waits_for_the_client_alone(t):
    """With /dev/null as stdin, a pipe's would begin at once."""
    server = t.serve("--echo", "--defer-handshake", "--idle-timeout", "50ms")
    t.tcp(server.address)
    t.bad(server.wait(), 41, "timeout", 50, "the first byte")


@test
def a_client_that_truncates_is_told_so(t):
    server = t.serve("--echo")
    client = t.connect(server, "--mp-defaults", "--allow-truncation",
                       "--on-eof", "close", stdin=b"hello").wait()
    t.eq(client.status, 0, "the client's status")
    t.bad(server.wait(), 40, "truncated", 0)

"""The lab's questions, one cell each, as other tools were asked them."""
import functools
import hashlib
import random
import socket
import ssl

import peers
from harness import VERSIONS, same

HELLO, REPLY = b"hello\n", b"reply\n"
ALERT_40 = bytes((21, 3, 3, 0, 2, 2, 40))
LINES = [letter + b" a line that an other tool takes for a command\n"
         for letter in (b"Q", b"R", b"k", b"K", b"P", b"S")]


def late(delay, column, version, test):
    """The reply comes `delay` seconds after our end; the server saw that."""
    test.cell(column, "ok")
    test.cell("exit", "0")
    test.cell("server saw", "close_notify")  # or its read had failed
    listener, port = test.listen()
    server = test.thread(peers.answer, test, listener, REPLY, delay)
    p = test.connect(port, "--min-version", version, "--max-version", version)
    p.feed(HELLO, end=True)
    p.done(out=REPLY, version=version, notified=True)
    same("what the server got", server.done(), HELLO)


def late_socat(delay, version, test):
    port = peers.socat_server(
        test, "SYSTEM:'cat >/dev/null; sleep %s; echo reply'" % delay, "10")
    p = test.connect(port, "--min-version", version, "--max-version", version)
    p.feed(HELLO, end=True).done(out=REPLY, version=version, notified=True)


def late_openssl(version, test):
    """s_server goes with our close_notify: --on-eof wait holds it back."""
    s = peers.openssl_quiet(test)
    p = test.connect(peers.listening_port(s), "--on-eof", "wait",
                     "--min-version", version, "--max-version", version)
    p.feed(HELLO, end=True)
    s.expect(HELLO)
    timer = test.spawn("sleep", "1.5")
    timer.wait()
    s.feed(REPLY, end=True)
    p.done(out=REPLY, version=version, notified=True)


def late_serve(version, test):
    """Both ends are mptls; the answer comes 1.5 s after the question's end."""
    s, port = test.serve("--min-version", version, "--max-version", version)
    p = test.connect(port).feed(HELLO, end=True)
    s.expect(HELLO)
    timer = test.spawn("sleep", "1.5")
    timer.wait()
    s.feed(REPLY, end=True)
    p.done(out=REPLY, version=version, notified=True)
    s.done(out=HELLO, version=version, notified=True)


def late_client(delay, version, test):
    """The other way: a client that ends first, and waits for serve."""
    s, port = test.serve("--min-version", version, "--max-version", version)
    with peers.dial_tls(test, port) as sock:
        sock.sendall(HELLO)
        peers.half_close(sock)
        s.expect(HELLO)
        test.spawn("sleep", delay).wait()
        s.feed(REPLY, end=True)
        same("what the client got", peers.read_to_end(sock), REPLY)
    s.done(out=HELLO, version=version, notified=True)


def refused(server, ca, status, column, flags, test):
    """A verification failure: and not one byte of ours is sent."""
    test.cell(column, str(status))
    listener, port = test.listen()

    def serve():
        try:
            with peers.accept_tls(test, listener,
                                  peers.server_context(server)) as sock:
                return peers.read_to_end(sock)
        except (ssl.SSLError, ConnectionError) as e:
            return getattr(e, "reason", None) or str(e)

    peer = test.thread(serve)
    p = test.connect(port, ca=ca).feed(HELLO)
    p.done(status, "verify", out=b"", flags=flags)
    said = peer.done()
    if not isinstance(said, str) or "ALERT" not in said:
        same("what the server saw", said, "an alert")


def stalled(test):
    test.cell("no handshake", "20")
    _, port = test.listen()
    p = test.connect(port, "--handshake-timeout", "300ms")
    r = p.done(20, "timeout", 300, out=b"", text="ServerHello")
    test.cell("no handshake", "20 after %.1f s" % (
        r["times_ms"]["total"] / 1000))


def truncated(options, status, test):
    if status:
        test.cell("truncated", "40, data delivered")
    listener, port = test.listen()

    def serve():
        sock = peers.accept_tls(test, listener)
        sock.sendall(REPLY)
        sock.shutdown(socket.SHUT_WR)  # TCP's end alone
        sock.recv(1)

    peer = test.thread(serve)
    p = test.connect(port, *options)
    p.done(status, "truncated" if status else None, out=REPLY, notified=False)
    try:
        peer.done()
    except (ssl.SSLError, OSError):
        pass


def alerted(test):
    test.cell("alert 40", "22")
    listener, port = test.listen()

    def serve():
        with test.accept(listener) as raw:
            raw.recv(4096)
            raw.sendall(ALERT_40)
            while raw.recv(4096):
                pass

    test.thread(serve)
    test.connect(port).done(22, "alert", 40, out=b"",
                            text="handshake_failure")


def line_by_line(version, test):
    test.cell("Q R k K P S", "whole")
    s, port = test.serve("--min-version", version, "--max-version", version)
    p = test.connect(port)
    for i, line in enumerate(LINES):
        p.feed(line)
        s.expect(LINES[i])
        s.feed(line)
        p.expect(LINES[i])
    p.end()
    s.end()
    every = b"".join(LINES)
    p.done(out=every)
    s.done(out=every)


def megabytes(version, test):
    """3 MB there and back through Python's ssl."""
    test.cell("3 MB random", "exact")
    data = random.Random(3).randbytes(3000000)
    listener, port = test.listen()
    test.thread(peers.answer, test, listener)
    p = test.connect(port, "--max-version", version).feed_aside(data)
    got = p.out.all(test.left())
    p.done(version=version, notified=True)
    same("the digest", hashlib.sha256(got).hexdigest(),
         hashlib.sha256(data).hexdigest())


COLUMNS = ("reply in 0.3 s", "reply in 1.5 s", "exit", "server saw",
           "untrusted CA", "wrong name", "expired", "no handshake",
           "truncated", "alert 40", "Q R k K P S", "3 MB random")


def print_table(found):
    """The row of mptls; a test that fails takes its cells back."""
    cells = {}
    for test in sorted(found, key=lambda test: not test.passed):
        for column, text in test.cells.items():
            cells[column] = text if test.passed else "FAILED"
    if cells:
        print("| tool | %s |" % " | ".join(COLUMNS))
        print("|---" * (len(COLUMNS) + 1) + "|")
        print("| mptls | %s |" % " | ".join(
            cells.get(c, "-") for c in COLUMNS))


def tests():
    part = functools.partial
    for v in VERSIONS:
        end = ", TLS " + v
        for delay in (0.3, 1.5):
            column = "reply in %s s" % delay
            yield column + end, part(late, delay, column, v)
        yield "socat replies in 1.5 s" + end, part(late_socat, "1.5", v)
        yield "s_server replies in 1.5 s" + end, part(late_openssl, v)
        yield "serve replies in 1.5 s" + end, part(late_serve, v)
        yield ("serve replies in 1.5 s to Python ssl" + end,
               part(late_client, "1.5", v))
        yield "lines with letters" + end, part(line_by_line, v)
        yield "3 MB" + end, part(megabytes, v)
    yield "untrusted CA", part(refused, "server-ec256", "other-root.der", 30,
                               "untrusted CA", ["untrusted"])
    yield "wrong name", part(refused, "server-wrong-host", "root.der", 32,
                             "wrong name", ["name-mismatch"])
    yield "expired", part(refused, "server-expired", "root.der", 31,
                          "expired", ["expired"])
    yield "handshake never answered", stalled
    yield "truncation", part(truncated, (), 40)
    yield "--allow-truncation", part(truncated, ("--allow-truncation",), 0)
    yield "fatal alert", alerted

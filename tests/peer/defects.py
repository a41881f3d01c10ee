"""The defects that users of other tools complain of, d1 to d21: not ours.

Each test is named after one of them and says the rule that we keep instead.
"""
import functools
import json
import os
import random
import signal
import ssl
import subprocess

import classes
import fds
import interop
import lab
import peers
import words
from classes import ended, only, pair, plain
from harness import VERSIONS, Failed, Proc, cert, same

HELLO, WORLD = b"hello\n", b"world\n"
OVERSHOOT = 2000  # ms that a busy machine may take after a limit
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy")


# D1, D11, D12: who the peer is.

# certificate, name asked for, status, code, flags
UNVERIFIED = (
    ("server-self-signed", "localhost", 30, 8, ["untrusted"]),
    ("server-missing-intermediate", "localhost", 30, 8, ["untrusted"]),
    ("server-expired", "localhost", 31, 1, ["expired"]),
)
MISNAMED = (
    ("server-wrong-host", "localhost", 32, 4, ["name-mismatch"]),
    ("server-ec256", "other.example", 32, 4, ["name-mismatch"]),
    ("server-no-san", "localhost", 32, 4, ["name-mismatch"]),
)


def not_one_byte(name, asked, status, code, flags, version, test):
    """Refused, and what was piped into it stays here."""
    server = peers.openssl_server(test, "-quiet", "-no_ign_eof", name=name)
    p = test.connect(peers.listening_port(server), *only(version), name=asked)
    p.feed(HELLO, end=True)
    r = p.done(status, "verify", code, out=b"", flags=flags)
    same("bytes.out", r["bytes"]["out"], 0)
    server.wait()
    same("what s_server got", server.out.all(test.left()), b"")


def not_one_byte_to_gnutls(status, code, options, more, test):
    port = peers.gnutls_server(test)
    p = test.connect(port, *options, **more).feed(HELLO, end=True)
    same("bytes.out", p.done(status, "verify", code, out=b"")["bytes"]["out"],
         0)


def clients_as_well(version, test):
    s, port = test.serve("--verify", "required", "--cadata",
                         cert("root.der"), *only(version))
    client = peers.openssl_client(test, port, *openssl_pair("client-other"))
    client.feed(HELLO)
    s.feed(WORLD)
    same("bytes.out", s.done(30, "verify", 8, out=b"")["bytes"]["out"], 0)
    client.wait()
    same("what s_client got", client.out.all(test.left()), b"")


def openssl_pair(name):
    return "-cert", cert(name + ".pem"), "-key", cert(name + "-key.pem")


def address_is_a_name(test):
    """Without --server-hostname the operand is what is verified."""
    port = peers.openssl_rev(test, name="server-wildcard")
    p = test.run_mptls("connect", "127.0.0.1:%d" % port, "--cafile",
                       peers.ROOT_CA).feed(HELLO, end=True)
    p.done(32, "verify", 4, out=b"", flags=["name-mismatch"])


def waived(options, warning, test):
    """What is not verified is said, in one line."""
    port = peers.openssl_rev(test, name="server-wrong-host")
    p = plain(test, "connect", "127.0.0.1:%d" % port, "--cafile",
              peers.ROOT_CA, *options)
    p.feed(HELLO, end=True)
    same("stderr", ended(test, p, 0, b"olleh\n"), "mptls: %s\n" % warning)


def by_default(version, test):
    """No option about trust: the system's store decides, and refuses."""
    port = peers.openssl_rev(test)
    p = test.run_mptls("connect", "127.0.0.1:%d" % port, "--server-hostname",
                       "localhost", *only(version)).feed(HELLO, end=True)
    same("bytes.out", p.done(30, "verify", 8, out=b"")["bytes"]["out"], 0)


def d_verify():
    part = functools.partial
    for v in VERSIONS:
        end = "TLS " + v
        for row in UNVERIFIED:
            yield ("d1 no byte for %s, %s" % (row[0], end),
                   part(not_one_byte, *row, v))
        yield ("d1 no byte for an untrusted client, " + end,
               part(clients_as_well, v))
        for row in MISNAMED:
            yield ("d11 no byte for %s as %s, %s" % (row[0], row[1], end),
                   part(not_one_byte, *row, v))
        yield "d12 verified by default, " + end, part(by_default, v)
    yield ("d1 no byte for gnutls-serv of another CA",
           part(not_one_byte_to_gnutls, 30, 8, (), {"ca": "other-root.der"}))
    yield ("d11 no byte for gnutls-serv under another name",
           part(not_one_byte_to_gnutls, 32, 4, (), {"name": "a.example"}))
    yield "d11 the operand is the name", address_is_a_name
    yield ("d11 to verify no name is said",
           part(waived, ("--server-hostname", ""),
                "not verifying the peer's name"))
    yield ("d12 to verify nothing is said",
           part(waived, ("--verify", "none"),
                "not verifying the peer: it could be anyone"))


# D3: bytes are bytes.

BYTES = [bytes((n,)) + b"\n" for n in range(256)] + lab.LINES
BYTES += [word + b"\n" for word in (b"RENEGOTIATING", b"^rekey^", b"\x1d",
                                    b".", b"~.", b"QUIT")]


def line_by_line(feed, proc):
    """Each line has come before the next one goes; the lines altogether."""
    every = b""
    for line in BYTES:
        every += line
        feed(line)
        proc.expect(b"(?s)^.{%d}" % len(every))
    return every


def no_commands(version, test):
    """There and back again through a server that echoes."""
    p = test.connect(peers.socat_server(test, wait="10"), *only(version))
    every = line_by_line(p.feed, p)
    p.end()
    p.done(out=every, version=version)


def no_commands_served(version, test):
    s, port = test.serve(*only(version))
    relay = peers.Relay(test, port)
    client = peers.gnutls_client(test, relay.port)
    every = line_by_line(client.feed, s)
    line_by_line(s.feed, client)
    before = relay.up.total
    client.end()
    relay.up.wait_past(before)  # gnutls-cli goes with the server's end
    s.end()
    same("gnutls-cli's exit status", client.wait(), 0)
    same("what gnutls-cli got", client.out.all(test.left()), every)
    s.done(out=every, version=version)


# D4: stdin is for data.

def stdin_untouched(words, test):
    """What stdin has is still there, and nobody waits for its end."""
    r, w = os.pipe()
    with os.fdopen(r, "rb") as rest:
        os.write(w, HELLO)
        p = plain(test, *words, stdin=r)
        same("exit status", p.wait(), 0)
        os.close(w)
        same("what is left in stdin", rest.read(), HELLO)


def check_leaves_stdin(redirect, test):
    """An open stdin, one with data, none at all: it makes no difference."""
    r, w = os.pipe()
    os.write(w, HELLO)
    with os.fdopen(r, "rb") as rest, os.fdopen(w, "wb"):
        p = test.start(Proc, [
            "sh", "-c", 'exec "$@" ' + redirect, "sh", test.mptls, "check",
            "127.0.0.1:%d" % peers.openssl_rev(test), "--cafile",
            peers.ROOT_CA, "--json"], stdin=r)
        same("exit status", p.wait(), 0)
        report = json.loads(p.out.all(test.left()))
        same("bytes", (report["bytes"]["in"], report["bytes"]["out"]), (0, 0))
        same("what is left in stdin", os.read(rest.fileno(), 100), HELLO)


# D5: the end of stdin.

def ends_with_the_peer(version, test):
    """An open stdin keeps nobody who has nobody to talk to."""
    s = peers.openssl_quiet(test)
    p = test.connect(peers.listening_port(s), *only(version)).feed(HELLO)
    s.expect(HELLO)
    s.feed(WORLD, end=True)
    p.done(out=WORLD, version=version, notified=True)


def gnutls_replies(version, test):
    p = test.connect(peers.gnutls_server(test), *only(version))
    p.feed(b"a line\n" * 2000, end=True)
    p.done(out=b"a line\n" * 2000, version=version, notified=True)


# D6: time-outs.

def default_limits(test):
    """Nothing was said about time, and yet it ends."""
    _, port = test.listen()
    talking = test.connect(port)
    reaching = classes.unanswered(test)
    talking.done(20, "timeout", 10000, out=b"", text="ServerHello")
    reaching.done(12, "timeout", 10000, out=b"")


def first_record_only(awaited, version, test):
    """The server's flight is cut short: what is missing has a name."""
    listener, port = test.listen()
    p = test.connect(port, "--handshake-timeout", "300ms", *only(version))
    raw = test.accept(listener)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    peer = peers.server_context().wrap_bio(there, back, server_side=True)
    while not back.pending:
        there.write(raw.recv(4096))
        try:
            peer.do_handshake()
        except ssl.SSLWantReadError:
            pass
    flight = back.read()
    raw.sendall(flight[:5 + int.from_bytes(flight[3:5], "big")])
    p.done(20, "timeout", 300, out=b"", text=awaited)


def d_pipe():
    part = functools.partial
    for v in VERSIONS:
        end = "TLS " + v
        yield "d3 no byte is a command to connect, " + end, part(no_commands,
                                                                 v)
        yield ("d3 no byte is a command to serve, " + end,
               part(no_commands_served, v))
        yield ("d5 the reply comes after the end of stdin, " + end,
               part(lab.late_socat, "0.7", v))
        yield ("d5 gnutls-serv's reply is whole, " + end,
               part(gnutls_replies, v))
        yield ("d5 an open stdin does not outlast the peer, " + end,
               part(ends_with_the_peer, v))
    for words in (("ciphers",), ("explain", "-0x2700"), ("help",),
                  ("verify", cert("server-ec256.pem"), "--cafile",
                   peers.ROOT_CA)):
        yield ("d4 stdin is left alone by " + words[0],
               part(stdin_untouched, words))
    for redirect in ("", "<&-", "</dev/null"):
        yield ("d4 check leaves stdin alone " + redirect,
               part(check_leaves_stdin, redirect))
    yield "d6 connecting and the handshake have limits", default_limits
    for v, awaited in (("1.2", "the server's Certificate"),
                       ("1.3", "the server's EncryptedExtensions")):
        yield ("d6 what was awaited is named, TLS " + v,
               part(first_record_only, awaited, v))
    for row in classes.CLASSES:
        if row[0] in (41, 42):
            yield "d6 there is a limit, " + row[1], part(classes.one, *row)


# D7: what goes where.

def data_alone(options, version, test):
    """Whatever is said, stdout has the peer's bytes only."""
    port = peers.gnutls_server(test)
    p = plain(test, "connect", "localhost:%d" % port, "--cafile",
              peers.ROOT_CA, *options, *only(version))
    p.feed(HELLO, end=True)
    err = ended(test, p, 0, HELLO)
    if not options:
        same("stderr", err, "")
    for line in err.splitlines():
        if "--json" in options:
            same("v", json.loads(line)["v"], 1)
        elif not line.startswith("mptls: "):
            raise Failed("stderr has the line %r" % line)


def failure_in_json(test):
    """As a success is: the same keys, with the error among them."""
    good = test.connect(peers.openssl_rev(test)).feed(HELLO, end=True).done()
    bad = test.connect(peers.openssl_rev(test), ca="other-root.der").done(
        30, "verify", 8, out=b"")
    same("the keys", set(bad), set(good))


# D8, D9, D10, D21: servers.

def stopped(test, s, out):
    """A SIGTERM ends it; the statuses of all its clients."""
    s.p.send_signal(signal.SIGTERM)
    same("exit status", s.wait(), 128 + signal.SIGTERM)
    same("stdout", s.out.all(test.left()), out)
    *reports, last = s.reports()
    same("the last error", (last["error"]["origin"], last["error"]["code"]),
         ("signal", signal.SIGTERM))
    return reports


def background(test):
    """As `mptls serve --keep-open </dev/null &`, for one after the other."""
    s = test.run_mptls("serve", "127.0.0.1:0", *pair(), "--keep-open",
                       stdin=subprocess.DEVNULL)
    port = s.listening()
    for start in (peers.openssl_client, peers.gnutls_client,
                  peers.socat_client) * 2:
        before = len(s.out.data)
        client = start(test, port).feed(HELLO, end=True)
        s.expect(b"(?s)^.{%d}" % (before + len(HELLO)))
        same("the client's exit status", client.wait(), 0)
    same("the statuses",
         [r["status"] for r in stopped(test, s, 6 * HELLO)], 6 * [0])


def next_one_is_served(silence, origin, code, test):
    """One that says nothing holds others up for a handshake's time only."""
    s, port = test.serve("--keep-open", "--handshake-timeout", "300ms")
    for _ in range(3):
        test.dial(port).sendall(silence)
    client = peers.openssl_client(test, port).feed(HELLO)
    s.expect(HELLO)
    s.feed(WORLD, end=True)
    client.expect(WORLD)
    client.end()
    same("s_client's exit status", client.wait(), 0)
    s.err.wait_for(rb'"status":0,', test.left())
    reports = stopped(test, s, HELLO)
    same("the clients", len(reports), 4)
    for r in reports[:3]:
        same("the error", (r["error"]["origin"], r["error"]["code"]),
             (origin, code))
        if r["times_ms"]["total"] > 300 + OVERSHOOT:
            raise Failed("it took %s ms" % r["times_ms"]["total"])


ECHO = {"<>f >f": 'exec "$@" <>f >f', "<f | cat >f": '"$@" <f | cat >f'}


def echo(how, version, test):
    """stdin and stdout are all it takes."""
    os.mkfifo(os.path.join(test.dir, "f"))
    r, w = os.pipe()
    s = test.start(
        Proc, ["sh", "-c", ECHO[how], "sh", test.mptls, "serve",
               "127.0.0.1:0", *pair(), "--ready-fd", w, *only(version)],
        pass_fds=(w,), cwd=test.dir)
    os.close(w)
    with os.fdopen(r, "rb") as ready:
        port = int(ready.readline().rsplit(b":", 1)[1])
    data = random.Random(10).randbytes(100000)
    p = test.connect(port, "--on-eof", "close", *only(version))
    test.thread(p.feed, data)
    p.expect(b"(?s)^.{%d}" % len(data))
    p.end()
    p.done(out=data, version=version)
    ended(test, s, 0)


def asked_for_one(options, version, start, test):
    """Whether a client is asked for a certificate, which it may not have."""
    s, port = test.serve(*options, *only(version))
    relay = peers.Relay(test, port)
    client = start(test, relay.port).feed(HELLO)
    if options:
        s.done(36, "tls", -0x7480, out=b"")
        return
    interop.talk(test, s, relay, client)
    s.done(out=HELLO, version=version)


DEMANDING = "--verify", "required", "--cadata", cert("root.der")


def d_serve():
    part = functools.partial
    for v in VERSIONS:
        end = "TLS " + v
        for options in ((), ("-v",), ("--json",)):
            yield ("d7 stdout is the peer's bytes alone, %s, %s" % (
                " ".join(options) or "no option", end),
                   part(data_alone, options, v))
        for how in ECHO:
            yield "d10 serve %s echoes, %s" % (how, end), part(echo, how, v)
        for name, start in interop.CLIENTS:
            yield ("d21 no certificate is asked of %s, %s" % (name, end),
                   part(asked_for_one, (), v, start))
        yield ("d21 --verify required asks for one, " + end,
               part(asked_for_one, DEMANDING, v, peers.openssl_client))
    yield "d7 a failure has the keys of a success", failure_in_json
    yield "d8 serve --keep-open outlives its stdin", background
    yield ("d9 silent clients do not stop others",
           part(next_one_is_served, b"", "timeout", 300))
    yield ("d9 half a hello does not, either",
           part(next_one_is_served, b"\x16\x03\x01\x02", "timeout", 300))
    yield ("d9 nor do clients that speak no TLS",
           part(next_one_is_served, b"HELO me\r\n", "tls", -0x7200))


# D13: truncation.

def truncated_by_ncat(options, version, test):
    """Its end is a FIN: what came is delivered, and the status says it."""
    s = peers.ncat_server(test)
    p = test.connect(peers.listening_port(s), *options, *only(version))
    p.feed(HELLO)
    s.expect(HELLO)
    s.feed(WORLD, end=True)
    if options:
        p.done(out=WORLD, version=version, notified=False)
    else:
        p.done(40, "truncated", 0, out=WORLD, version=version, notified=False)


def killed(version, test):
    """A server that dies has said WORLD, but not that this was all."""
    s = peers.openssl_quiet(test)
    p = test.connect(peers.listening_port(s), *only(version)).feed(HELLO)
    s.expect(HELLO)
    s.feed(WORLD)
    p.expect(WORLD)
    s.kill()
    p.done(40, "truncated", 0, out=WORLD, version=version, notified=False)


def whole_for_gnutls(version, test):
    """gnutls-cli, which exits 1 on truncation, finds none; it sends no end."""
    s, port = test.serve("--allow-truncation", *only(version))
    s.feed(WORLD, end=True)
    client = peers.gnutls_client(test, port)
    client.expect(WORLD)
    same("gnutls-cli's exit status", client.wait(), 0)
    s.done(out=b"", version=version)


# D14: refused after the handshake.

def late_refusal(name, code, on_eof, test):
    """Nothing to send, nothing to read: but the refusal is seen."""
    p = test.connect(openssl_13(test), *(pair(name) if name else ()),
                     "--on-eof", on_eof)
    p.end()
    p.done(37, "alert", code, out=b"", version="1.3")


def check_hears_refusal(start, name, status, error, test):
    """The handshake is over when it comes; --settle waits for it."""
    p = plain(test, "check", "127.0.0.1:%d" % start(test), "--cafile",
              peers.ROOT_CA, "--json", "--settle", "5s",
              *(pair(name) if name else ()), *only("1.3"))
    same("exit status", p.wait(), status)
    r = json.loads(p.out.all(test.left()))
    same("the error", r["error"] and (r["error"]["origin"],
                                      r["error"]["code"]), error)


def openssl_13(test):
    return peers.openssl_rev(test, "-tls1_3", "-Verify", 1, "-CAfile",
                             peers.ROOT_CA, "-verify_return_error")


# D15: tickets.

def openssl_tickets(test):
    return peers.openssl_rev(test, "-num_tickets", 4)


def tickets(start, reply, test):
    """They are no data and no error, whenever they come."""
    p = test.connect(start(test), *only("1.3"))
    p.feed(HELLO, end=True).done(out=reply, version="1.3", notified=True)
    p = test.connect(start(test), *only("1.3"))
    p.end()
    p.done(out=b"", version="1.3")


def late_tickets(test):
    """More of them, and after some data: OpenSSL's are sent with it."""
    ctx = peers.server_context()
    ctx.num_tickets = 20
    listener, port = test.listen()
    p = test.connect(port, *only("1.3")).feed(HELLO)
    sock = peers.accept_tls(test, listener, ctx)
    same("what the server got", sock.recv(100), HELLO)
    sock.sendall(WORLD)
    p.expect(WORLD)
    p.end()
    peers.read_to_end(sock)
    sock.unwrap()
    p.done(out=WORLD, version="1.3", notified=True)


def d_ends():
    part = functools.partial
    for v in VERSIONS:
        end = "TLS " + v
        yield "d13 ncat truncates, " + end, part(truncated_by_ncat, (), v)
        yield ("d13 ncat truncates, and may, " + end,
               part(truncated_by_ncat, ("--allow-truncation",), v))
        yield "d13 a server that is killed truncates, " + end, part(killed, v)
        yield ("d13 gnutls-cli gets a close_notify, " + end,
               part(whole_for_gnutls, v))
    for on_eof in ("half-close", "close", "wait"):
        for name, code in ((None, 116), ("client-other", 48)):
            yield ("d14 a late refusal is seen, --on-eof %s, %s" % (
                on_eof, name or "no certificate"),
                   part(late_refusal, name, code, on_eof))
    for name, status, error in (
            (None, 37, ("alert", 116)),
            ("client-other", 37, (("alert", 48), ("alert", 49))),
            ("client-ec256", 0, None)):
        for start in (openssl_13, interop.gnutls_demands):
            yield ("d14 check is told of %s, %s" % (
                name or "no certificate", start.__name__),
                   part(check_hears_refusal, start, name, status, error))
    for start, reply in ((openssl_tickets, b"olleh\n"),
                         (peers.gnutls_server, HELLO)):
        yield ("d15 tickets are no data, " + start.__name__,
               part(tickets, start, reply))
    yield "d15 twenty tickets are no data", late_tickets


# D20: nothing is taken from the environment that was not asked for.

def proxy_in_environment(test):
    listener, port = test.listen()  # would accept, and never answer
    where = "http://127.0.0.1:%d" % port
    test.env = dict(test.env, **{k: where for name in PROXIES
                                 for k in (name, name.upper())})
    p = test.connect(peers.openssl_rev(test)).feed(HELLO, end=True)
    p.done(out=b"olleh\n", notified=True)
    listener.setblocking(False)
    try:
        raise Failed("%s came to the proxy" % (listener.accept()[1],))
    except BlockingIOError:
        pass


def proxy_as_target(option, status, origin, test):
    """What accepts and never answers is bounded all the same."""
    listener, port = test.listen()
    p = test.connect(port, option, "300ms").feed(HELLO, end=True)
    test.accept(listener)
    r = p.done(status, origin, 300, out=b"", text="ServerHello")
    if r["times_ms"]["total"] > 300 + OVERSHOOT:
        raise Failed("it took %s ms" % r["times_ms"]["total"])


def d_others():
    part = functools.partial
    yield "d20 the environment's proxy is not asked", proxy_in_environment
    for option, status, origin in (
            ("--handshake-timeout", 20, "timeout"),
            ("--max-time", 42, "max-time")):
        yield ("d20 a proxy that never answers is bounded, " + option,
               part(proxy_as_target, option, status, origin))
    for name, function in classes.tests():
        yield "d2 " + name, function


def tests():
    for some in (d_verify, d_pipe, d_serve, d_ends, d_others, words.tests,
                 fds.tests):
        yield from some()

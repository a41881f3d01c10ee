"""SIGINT and SIGTERM at every stage, and the limits of the stream."""
import os
import signal
import time

from harness import (Failed, Skipped, cert, each, read_exactly, test,
                     wait_until)
from test_connect import full_listener

BOTH = [("SIGINT", signal.SIGINT), ("SIGTERM", signal.SIGTERM)]


def catches(p, number):
    """Whether a process has its handler in place, by /proc."""
    name = "/proc/%d/status" % p.pid
    if not os.path.exists(name):
        raise Skipped("no /proc")
    with open(name) as f:
        for line in f:
            if line.startswith("SigCgt:"):
                return int(line.split()[1], 16) >> (number - 1) & 1 == 1
    return False


def stopped(t, p, number, stage, out=b""):
    r = p.wait()
    t.bad(r, 128 + number, "signal", number, "stopped by signal %d" % number,
          out=out)
    t.eq((r.report["stage"], r.report["class"]), (stage, "signal"),
         "stage and class")
    return r


@each(BOTH)
def signal_while_accepting(t, number):
    server = t.serve()
    server.signal(number)
    stopped(t, server, number, "listen")


@each(BOTH)
def signal_while_connecting(t, number):
    p = t.start("connect", full_listener(t))
    wait_until("a handler", lambda: catches(p, number))
    p.signal(number)
    stopped(t, p, number, "connect")


def hello(t):
    """A connect that has sent its ClientHello and waits, its socket, and the
    hello."""
    s = t.listener()
    p = t.start("connect", "127.0.0.1:%d" % s.getsockname()[1])
    c = t.accept(s)
    return p, c, c.recv(4096)


@each(BOTH)
def signal_in_a_clients_handshake(t, number):
    p, _, _ = hello(t)
    p.signal(number)
    stopped(t, p, number, "handshake")


@each(BOTH)
def signal_in_a_servers_handshake(t, number):
    _, _, first = hello(t)
    server = t.serve()
    c = t.tcp(server.address)
    c.sendall(first)
    t.eq(c.recv(1), b"\x16", "the answer's first byte")
    server.signal(number)
    stopped(t, server, number, "handshake")


def talking(t, *args):
    """Both ends in the stream, with open stdins: connect, serve."""
    c_in, c_in_w = t.pipe()
    s_in, s_in_w = t.pipe()
    s_out, s_out_w = t.pipe()
    server = t.serve(*args, stdin=s_in, stdout=s_out_w)
    client = t.connect(server, *args, stdin=c_in)
    os.write(c_in_w, b"hello")
    t.eq(read_exactly(s_out, 5), b"hello", "what the server got")
    return client, server


@each([("%s to %s, TLS %s" % (name, who, version), number, who, version)
       for name, number in BOTH for who in ("connect", "serve")
       for version in ("1.2", "1.3")])
def signal_in_the_stream(t, number, who, version):
    """The peer is told: it sees a whole end, not a truncated one."""
    client, server = talking(t, "--max-version", version)
    one, other = ((client, server) if who == "connect" else (server, client))
    one.signal(number)
    r = stopped(t, one, number, "stream")
    t.eq(r.report["tls"]["close_notify_sent"], True, "close_notify sent")
    o = t.ok(other.wait())
    t.eq(o.report["tls"]["close_notify_received"], True,
         "close_notify received")


@test
def an_ignored_sigint_stays_ignored(t):
    """As a shell starts a job in the background."""
    p = t.start("serve", "--cert", cert("server-ec256.pem"), "--key",
                cert("server-ec256-key.pem"), "127.0.0.1:0",
                wrap=("sh", "-c", 'trap "" INT; exec "$@"', "sh"))
    wait_until("a handler", lambda: catches(p, signal.SIGTERM))
    p.signal(signal.SIGINT)
    p.signal(signal.SIGTERM)
    stopped(t, p, signal.SIGTERM, "listen")


@each([("connect", "connect"), ("serve", "serve")])
def idle_timeout(t, who):
    client, server = talking(t)
    client.signal(signal.SIGTERM)
    stopped(t, client, signal.SIGTERM, "stream")
    server.wait()
    r, w = t.pipe()
    r2, w2 = t.pipe()
    mine, theirs = ((["--idle-timeout", "200ms"], []) if who == "connect"
                    else ([], ["--idle-timeout", "200ms"]))
    server = t.serve(*theirs, stdin=r)
    client = t.connect(server, *mine, stdin=r2)
    one, other = ((client, server) if who == "connect" else (server, client))
    result = one.wait()
    t.bad(result, 41, "timeout", 200, "a byte from either side")
    t.eq(result.report["stage"], "stream", "stage")
    t.ok(other.wait())


def trickle(w):
    """Write a byte ten times a second; the longest that one had to wait."""
    began = last = time.monotonic()
    longest = 0
    while last - began < 2.5:
        try:
            os.write(w, b"x")
        except BrokenPipeError:
            break  # its status says why
        time.sleep(0.1)  # what is tested is time
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest


@test
def idle_timeout_starts_anew_with_every_byte(t):
    for _ in range(5):
        r, w = t.pipe()
        server = t.serve()
        client = t.connect(server, "--idle-timeout", "2s", stdin=r)
        longest = trickle(w)
        t.close_pipe(w)
        if longest < 1:  # or the machine was too busy to tell
            t.ok(client.wait())
            t.eq(set(server.wait().out), {ord("x")}, "what the server got")
            return
    raise Failed("this machine did not come to write for over a second")


@each([("connect", "connect"), ("serve", "serve")])
def max_time_in_the_stream(t, who):
    """It ends also a stream that never rests."""
    args = ["--max-time", "500ms"]
    with open("/dev/zero", "rb") as zero, open(os.devnull, "wb") as null:
        if who == "connect":
            server = other = t.serve(stdout=null)
            one = t.connect(server, *args, stdin=zero)
        else:
            one = server = t.serve(*args, stdin=zero)
            other = t.connect(server, stdout=null)
        r = one.wait()
    t.bad(r, 42, "max-time", 500, "500 ms for the whole run")
    o = other.wait()
    if o.status not in (0, 40):
        raise Failed("the other end exits %d: %s" % (o.status, o.err))


@test
def a_reset_in_the_stream(t):
    """A killed peer: the reason is told, what came is delivered."""
    client, server = talking(t)
    server.signal(signal.SIGKILL)
    server.wait()
    t.lost(client.wait())

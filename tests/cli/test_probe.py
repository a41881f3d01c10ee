"""--why and --probe against what is hardly a TLS server, or none."""
import threading

from harness import Failed, each, test

ASKED_MAX = 41  # one handshake, and 40 questions


class Peer:
    """Accepts client after client, and does the same to each."""

    def __init__(self, t, do):
        self.count = 0
        self.listener = t.listener(64)
        self.where = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, args=(t, do),
                                       daemon=True)
        self.thread.start()

    def run(self, t, do):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            self.count += 1
            try:
                with client:
                    client.settimeout(5)
                    do(t, client)
            except OSError:
                pass


def send(data):
    """Read the hello, so that closing is no reset, and answer."""
    def do(_, client):
        client.recv(4096)
        client.sendall(data)
    return do


def why(t, peer, *args):
    return t.run("connect", "--verify", "none", "--server-hostname",
                 "localhost", "--why", *args, peer.where)


def names(result):
    return [f["name"] for f in result.report["findings"]]


@each((
    ("closes at once", b"", 24, "tls", -0x7280, "closed the connection"),
    ("alert 40", b"\x15\x03\x03\x00\x02\x02\x28", 22, "alert", 40,
     "alert handshake_failure (40)"),
    ("alert 80", b"\x15\x03\x01\x00\x02\x02\x50", 22, "alert", 80,
     "alert internal_error (80)"),
    ("alert 255", b"\x15\x03\x03\x00\x02\x02\xff", 22, "alert", 255, None),
))
def a_server_that_refuses_all(t, data, status, origin, code, refusal):
    peer = Peer(t, send(data))
    r = t.bad(why(t, peer), status, origin, code)
    if refusal is None:  # an alert that asking tells nothing about
        t.eq((peer.count, names(r)), (1, []), "connections and findings")
        return
    t.eq(names(r), ["refuses-all"], "the findings")
    t.has(r.err, "why: the server refuses every hello")
    t.has(r.report["findings"][0]["text"], refusal)
    if not 2 < peer.count <= ASKED_MAX:
        raise Failed("%d connections" % peer.count)


@test
def plain_http_is_not_asked(t):
    peer = Peer(t, send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    r = t.bad(why(t, peer), 23, "tls", -0x7200, "this is not TLS")
    t.eq((peer.count, names(r)), (1, []), "connections and findings")


@test
def a_silent_server_is_waited_for_as_long_as_was_said(t):
    """The handshake's time-out is no refusal: it is not asked."""
    peer = Peer(t, lambda t, c: c.recv(4096) and c.recv(1))
    r = why(t, peer, "--handshake-timeout", "200ms")
    t.bad(r, 20, "timeout", 200)
    t.eq(peer.count, 1, "connections")


def silent_later(seen):
    """Refuses the first, says nothing to the others."""
    def do(_, client):
        client.recv(4096)
        if not seen:
            seen.append(1)
            client.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
        else:
            client.recv(1)
    return do


@test
def silence_in_answer_to_questions_is_bounded(t):
    peer = Peer(t, silent_later([]))
    r = why(t, peer, "--handshake-timeout", "100ms")
    t.bad(r, 22, "alert", 40)
    if peer.count > 10:
        raise Failed("%d connections" % peer.count)


@test
def the_limit_of_the_run_ends_the_questions(t):
    """What failed before is what is reported."""
    peer = Peer(t, silent_later([]))
    r = why(t, peer, "--max-time", "300ms")
    t.bad(r, 22, "alert", 40)
    t.eq(peer.count, 2, "connections")


@test
def a_signal_ends_the_questions(t):
    asked = threading.Event()

    def do(_, client):
        client.recv(4096)
        if peer.count == 1:
            client.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
        else:
            asked.set()
            client.recv(1)
    peer = Peer(t, do)
    p = t.start("connect", "--verify", "none", "--why", peer.where)
    if not asked.wait(10):
        raise Failed("no second connection")
    p.signal(15)
    t.bad(p.wait(), 128 + 15, "signal", 15)


@test
def nothing_that_listens_is_not_asked(t):
    listener = t.listener()
    where = "127.0.0.1:%d" % listener.getsockname()[1]
    listener.close()
    r = t.run("connect", "--verify", "none", "--why", where)
    t.bad(r, 11, "net", 111)


@test
def without_why_it_is_named(t):
    peer = Peer(t, send(b"\x15\x03\x03\x00\x02\x02\x28"))
    r = t.run("connect", "--verify", "none", peer.where)
    t.bad(r, 22, "alert", 40)
    t.has(r.err, "--why asks the server what it takes")
    t.eq(peer.count, 1, "connections")


@test
def garbage_in_answer_to_questions_is_survived(t):
    """Hellos that are none, records that lie, messages without an end."""
    rubbish = (b"\x16\x03\x03\x00\x04\x02\x00\x00\x00",
               b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + b"A" * 16380,
               b"\x16\x03\x03\x00\x02\x02\x00", b"\xff" * 100,
               b"\x16\x03\x03\x00\x08\x0b\x00\x00\x04AAAA",
               b"\x15\x03\x03\x00\x02\x01\x00")

    def do(_, client):
        client.recv(4096)
        n = peer.count
        client.sendall(rubbish[n % len(rubbish)] if n > 1 else
                       b"\x15\x03\x03\x00\x02\x02\x28")
    peer = Peer(t, do)
    r = t.bad(why(t, peer), 22, "alert", 40)
    t.eq(names(r), ["refuses-all"], "the findings")

"""--why and --probe against what is hardly a TLS server, or none."""
import os
import pty
import socket
import threading

from harness import Failed, each, read_some, test

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


def probe(t, peer, *args):
    r = t.run("check", "--verify", "none", "--server-hostname", "localhost",
              "--probe", *args, peer.where)
    return r, r.report["probe"]


@each((
    ("closes at once", b"", 24, "closed the connection"),
    ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", 23,
     "an answer that is not TLS"),
))
def a_probe_of_what_is_no_server_is_short(t, data, status, refusal):
    peer = Peer(t, send(data))
    r, found = probe(t, peer)
    t.eq(r.status, status, "exit status")
    t.has(found["stopped"], refusal)
    t.has(r.out.decode(), "this is not all: the server was asked", refusal)
    t.eq(peer.count, 1 + found["connections"], "connections")
    t.eq((found["connections"], found["devices"]), (12, []), "the probe")


@test
def a_probe_of_who_refuses_all_is_whole(t):
    peer = Peer(t, send(b"\x15\x03\x03\x00\x02\x02\x28"))
    r, found = probe(t, peer)
    t.eq((r.status, found["stopped"]), (22, None), "status and stopped")
    for v in found["versions"]:
        t.eq((v["accepted"], v["refusal"], v["ciphers"]),
             (False, "alert handshake_failure (40)", []), v["version"])
    t.eq({d["status"] for d in found["devices"]}, {22}, "the devices")


@test
def a_probe_of_a_silent_server_is_short(t):
    peer = Peer(t, lambda t, c: c.recv(4096) and c.recv(1))
    r, found = probe(t, peer, "--handshake-timeout", "100ms")
    t.eq((r.status, found["connections"]), (20, 2), "status, connections")
    t.has(found["stopped"], "no answer in time")


@test
def nothing_that_listens_is_not_probed(t):
    listener = t.listener()
    where = "127.0.0.1:%d" % listener.getsockname()[1]
    listener.close()
    r = t.run("check", "--probe", where)
    t.eq((r.status, r.report["probe"]), (11, None), "status and probe")


@test
def the_limit_of_the_run_ends_a_probe(t):
    """It had gone well before: now the limit is what is reported."""
    s = t.serve("--keep-open")
    relay_port = int(s.address.rsplit(":", 1)[1])
    count = []

    def relay(t, client):
        count.append(1)
        if len(count) > 9:
            client.recv(1 << 16)
            client.recv(1)  # until we are left
        up = t.tcp("127.0.0.1:%d" % relay_port)
        pass_on(client, up)
    peer = Peer(t, relay)
    r, found = probe(t, peer, "--max-time", "1500ms")
    t.eq((r.status, r.report["class"]), (42, "max-time"), "the end")
    t.has(found["stopped"], "1.5 s for the whole run are over")
    t.eq(found["versions"][0]["accepted"], True, "TLS 1.3")


def pass_on(a, b):
    def lane(src, dst):
        try:
            while True:
                data = src.recv(65536)
                dst.sendall(data)
                if not data:
                    dst.shutdown(socket.SHUT_WR)
                    return
        except OSError:
            pass
    back = threading.Thread(target=lane, args=(b, a), daemon=True)
    back.start()
    lane(a, b)
    back.join(5)


@test
def a_signal_ends_a_probe(t):
    asked = threading.Event()

    def do(_, client):
        client.recv(4096)
        if peer.count > 3:
            asked.set()
            client.recv(1)
        client.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
    peer = Peer(t, do)
    p = t.start("check", "--verify", "none", "--server-hostname", "",
                "--probe", peer.where)
    if not asked.wait(10):
        raise Failed("no fourth connection")
    p.signal(2)
    r = p.wait()
    t.eq((r.status, r.error["origin"]), (128 + 2, "signal"), "the end")


@test
def the_text_and_the_json_of_a_probe_say_the_same(t):
    s = t.serve("--keep-open", "--max-version", "1.2", "--ciphers",
                "TLS_ECDHE_ECDSA_WITH_AES_128_CCM")
    peer = Peer(t, lambda t, c: pass_on(c, t.tcp(s.address)))
    r, found = probe(t, peer)
    text = r.out.decode()
    t.has(text, "by %d handshakes:" % found["connections"],
          "    TLS_ECDHE_ECDSA_WITH_AES_128_CCM\n",
          "    groups: x25519, secp256r1\n")
    for v in found["versions"]:
        t.has(text, "  %-8s %s" % (
            v["version"], "1 suite\n" if v["accepted"] else
            "refused: %s\n" % v["refusal"]))
    for d in found["devices"]:
        t.has(text, "  %-20s %s" % (d["name"], "ok " if d["status"] == 0
                                    else "exit %d:" % d["status"]),
              d["result"])
    t.eq(peer.count, 1 + found["connections"], "connections")


@test
def a_server_that_goes_ends_a_probe(t):
    s = t.serve("--keep-open")

    def do(t, client):
        if peer.count == 5:
            peer.listener.close()
        pass_on(client, t.tcp(s.address))
    peer = Peer(t, do)
    r, found = probe(t, peer)
    t.eq((r.status, found["devices"]), (0, []), "status and devices")
    t.has(found["stopped"], "refused")
    t.has(r.out.decode(), "this is not all: connect to " + peer.where)


@test
def a_terminal_sees_how_far_it_is(t):
    """One line, which is gone in the end; none where it is no terminal."""
    peer = Peer(t, send(b"\x15\x03\x03\x00\x02\x02\x28"))
    master, slave = pty.openpty()
    t.on_exit(lambda: os.close(master))
    p = t.start("check", "--verify", "none", "--probe", peer.where,
                stderr=slave)
    os.close(slave)
    said = b""
    while b"more: --why" not in said:
        said += read_some(master)
    p.popen.wait(10)
    t.has(said, b"\r\x1b[Kmptls: asked 1 times; now for versions", b"devices")
    t.has(said.split(b"now for")[-1], b"\r\x1b[Kmptls: handshake")
    r, _ = probe(t, peer)
    if "asked" in r.err:
        raise Failed(r.err)

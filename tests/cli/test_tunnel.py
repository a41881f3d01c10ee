"""connect --listen: a port without TLS that leads to a server with TLS."""
import os
import re
import signal
import socket
import ssl
import struct
import threading

from harness import (DEADLINE, Failed, Peer, ROOT, cert, each, read_some, test,
                     wait_until)

TRUST = ("--cafile", cert("root.pem"))


def tunnel(t, target, *args, listen="127.0.0.1:0", ca=TRUST):
    """One that is ready, and how to reach it."""
    r, w = t.pipe()
    p = t.start("connect", "--listen", listen, "--ready-fd", str(w), *ca,
                *args, target, pass_fds=(w,))
    t.close_pipe(w)
    line = read_some(r).decode()
    if not line.endswith("\n"):
        raise Failed("no ready line but %r; stderr: %s" % (line, p.stderr()))
    p.address = line.strip()
    return p


def local(t, p):
    if p.address.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(DEADLINE)
        s.connect(p.address[5:])
        t.on_exit(s.close)
        return s
    return t.tcp(p.address)


def everything(s):
    got = b""
    while True:
        more = s.recv(65536)
        if more == b"":
            return got
        got += more


def exchange(t, p, word):
    """Send, end, and read to the end."""
    s = local(t, p)
    sender = threading.Thread(target=lambda: (s.sendall(word),
                                              s.shutdown(socket.SHUT_WR)))
    sender.start()
    t.eq(everything(s), word, "what came back")
    sender.join()
    s.close()


def stopped(t, p, status=130):
    p.signal(signal.SIGINT)
    r = p.wait()
    t.eq(r.status, status, "exit status")
    return r


def is_reset(t, s):
    """What came before it."""
    got = b""
    try:
        while True:
            more = s.recv(65536)
            if more == b"":
                raise Failed("a clean end after %r" % got)
            got += more
    except ConnectionResetError:
        return got


def is_refused(t, p, word=b""):
    """A reset in place of an answer, as soon as connect() has returned or
    before."""
    try:
        s = local(t, p)
        s.sendall(word)
    except (ConnectionResetError, BrokenPipeError):
        return
    t.eq(is_reset(t, s), b"", "what came")


@each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])
def bytes_and_ends_go_both_ways(t, version):
    server = t.serve("--echo", "--keep-open", "--max-version", version)
    p = tunnel(t, "localhost:" + server.address.rsplit(":", 1)[1])
    exchange(t, p, b"hello")
    exchange(t, p, os.urandom(3 << 20))
    exchange(t, p, b"")
    r = stopped(t, p)
    t.eq([x["status"] for x in r.reports], [0, 0, 0, 130], "how they ended")
    first = r.reports[0]
    t.eq((first["command"], first["tls"]["version"], first["verify"]["verified"],
          first["bytes"]["in"], first["bytes"]["out"]),
         ("connect", "TLSv" + version, True, 5, 5), "the first report")
    t.eq(first["client"].split(":")[0], "127.0.0.1", "its client")
    t.eq(first["peer"].rsplit(":", 1)[1], server.address.rsplit(":", 1)[1],
         "its peer")
    t.eq((first["tls"]["close_notify_sent"],
          first["tls"]["close_notify_received"]), (True, True), "close_notify")
    server.signal(signal.SIGINT)
    t.eq(server.wait().status, 130, "the server")


@test
def fifty_at_once(t):
    server = t.serve("--echo", "--keep-open")
    p = tunnel(t, server.address, "--server-hostname", "localhost")
    all_of_them = [local(t, p) for _ in range(50)]
    for turn in range(2):
        for i, s in enumerate(all_of_them):
            s.sendall(b"%d %02d" % (turn, i))
        for i, s in enumerate(all_of_them):
            t.eq(s.recv(4), b"%d %02d" % (turn, i), "what came back")
    for s in all_of_them:
        s.shutdown(socket.SHUT_WR)
        t.eq(everything(s), b"", "the end")
    r = stopped(t, p)
    t.eq([x["status"] for x in r.reports], [0] * 50 + [130], "how they ended")


@test
def a_path_can_be_listened_on(t):
    server = t.serve("--echo", "--keep-open")
    path = os.path.join(t.dir, "s")
    p = tunnel(t, "localhost:" + server.address.rsplit(":", 1)[1],
               listen="unix:" + path)
    t.eq(p.address, "unix:" + path, "the address")
    exchange(t, p, b"hello")
    stopped(t, p)
    t.eq(os.path.exists(path), False, "the socket is still there")


@test
def a_port_alone_is_this_machine_s(t):
    """There is neither TLS nor a password to it."""
    server = t.serve("--echo", "--keep-open")
    p = tunnel(t, "localhost:" + server.address.rsplit(":", 1)[1], listen="0")
    found = re.findall(r"listening on (\S*):\d+\n", p.stderr())
    t.eq(found != [] and set(found) <= {"127.0.0.1", "[::1]"}, True,
         "addresses: %r" % found)
    exchange(t, p, b"hello")
    stopped(t, p)


@test
def a_server_that_is_down_resets_the_client(t):
    gone = t.listener()
    target = "127.0.0.1:%d" % gone.getsockname()[1]
    gone.close()
    p = tunnel(t, target, "--server-hostname", "localhost")
    for _ in range(2):
        is_refused(t, p)
    r = stopped(t, p)
    t.eq([x["status"] for x in r.reports], [11, 11, 130], "how they ended")
    error = r.reports[0]["error"]
    t.eq((error["origin"], error["code"], r.reports[0]["stage"]),
         ("net", 111, "connect"), "the error")
    t.eq(r.err.count("mptls: %s: " % r.reports[0]["client"]), 1, "its line")


@each([("the wrong name", ("--server-hostname", "other.test"), 32),
       ("the wrong CA", ("--cafile", cert("other-root.pem"),
                         "--server-hostname", "localhost"), 30),
       ("nothing in common", ("--max-version", "1.2",
                              "--server-hostname", "localhost"), 22)])
def a_failed_handshake_resets_the_client(t, args, status):
    server = t.serve("--echo", "--keep-open", "--min-version", "1.3")
    p = tunnel(t, server.address, *args,
               ca=() if "--cafile" in args else TRUST)
    is_refused(t, p, b"secret")
    r = stopped(t, p)
    t.eq(r.reports[0]["status"], status, "its status")
    t.eq(r.reports[0]["stage"], "handshake", "its stage")
    t.eq(r.reports[0]["bytes"]["out"], 0, "bytes sent")
    server.signal(signal.SIGINT)
    t.eq([x["bytes"]["in"] for x in server.wait().reports], [0, 0],
         "what the server got")


def context(t):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(os.path.join(ROOT, cert("server-ec256.pem")),
                      os.path.join(ROOT, cert("server-ec256-key.pem")))
    return c


@each([("truncates", False, 40), ("resets", True, 43)])
def a_server_that_breaks_off(t, reset, status):
    """What came is delivered, and the client is not told that it was all."""
    tls = context(t)

    def talk(c):
        s = tls.wrap_socket(c, server_side=True)
        s.recv(1)
        s.sendall(b"half")
        s.recv(1)
        if reset:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
        s.close()

    p = tunnel(t, Peer(t, talk).address)
    s = local(t, p)
    s.sendall(b"x")
    t.eq(s.recv(4), b"half", "what came")
    s.sendall(b"y")
    t.eq(is_reset(t, s), b"", "what came after it")
    r = stopped(t, p)
    t.eq(r.reports[0]["status"], status, "its status: %s" % r.err)


@test
def a_client_that_breaks_off_is_no_end_to_the_server(t):
    server = t.serve("--echo", "--keep-open")
    p = tunnel(t, "localhost:" + server.address.rsplit(":", 1)[1])
    s = local(t, p)
    s.sendall(b"half")
    t.eq(s.recv(4), b"half", "what came back")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
    wait_until("its report", lambda: server.stderr().count(": truncated") == 1)
    exchange(t, p, b"the next")
    r = stopped(t, p)
    t.eq([x["status"] for x in r.reports], [1, 0, 130], "how they ended")
    error = r.reports[0]["error"]
    t.eq((error["origin"], error["code"]), ("os", 104), "the error")
    server.signal(signal.SIGINT)
    t.eq(server.wait().reports[0]["status"], 40, "what the server says")


@test
def a_server_that_ends_first_leaves_the_client_its_turn(t):
    server = t.serve("--reply", t.named(b"an answer"), "--keep-open")
    p = tunnel(t, "localhost:" + server.address.rsplit(":", 1)[1])
    s = local(t, p)
    t.eq(everything(s), b"an answer", "what came")
    s.sendall(b"more")
    s.shutdown(socket.SHUT_WR)
    s.close()
    r = stopped(t, p)
    t.eq(r.reports[0]["status"] in (0, 130), True, "its status")


@test
def sigterm_drains_a_tunnel(t):
    server = t.serve("--echo", "--keep-open")
    p = tunnel(t, "localhost:" + server.address.rsplit(":", 1)[1])
    s = local(t, p)
    s.sendall(b"x")
    t.eq(s.recv(1), b"x", "what came back")
    p.signal(signal.SIGTERM)
    wait_until("others are refused", lambda: refused(t, p))
    s.sendall(b"y")
    t.eq(s.recv(1), b"y", "what came back")
    s.shutdown(socket.SHUT_WR)
    t.eq(everything(s), b"", "the end")
    r = p.wait()
    t.eq(r.status, 143, "exit status")
    t.eq(r.reports[0]["status"], 0, "how it ended")


def refused(t, p):
    try:
        local(t, p).close()
        return False
    except (ConnectionRefusedError, ConnectionResetError):
        return True


@test
def a_tunnel_keeps_a_log(t):
    server = t.serve("--echo", "--keep-open")
    log = t.path("log")
    p = tunnel(t, "localhost:" + server.address.rsplit(":", 1)[1],
               "--access-log", log, "--max-conns", "3")
    exchange(t, p, b"hello")
    stopped(t, p)
    with open(log) as f:
        lines = f.read().splitlines()
    t.eq(len(lines), 1, "lines")
    t.has(lines[0], " 127.0.0.1:", " ok version=TLSv1.3 ", " in=5 out=5 ")


@each([("a port that is taken", None, 14), ("no address", "nowhere:x", 2),
       ("an address that is not here", "192.0.2.1:0", 14)])
def it_cannot_listen_on(t, listen, status):
    taken = t.listener()
    listen = listen or "127.0.0.1:%d" % taken.getsockname()[1]
    r = t.run("connect", "--listen", listen, *TRUST, "localhost:1")
    t.eq(r.status, status, "status: %s" % r.err)
    t.has(r.error["text"], listen)


@each([(x[0], x) for x in (("--ready-fd", "1"), ("--max-conns", "3"),
                           ("--conn-max-time", "1"), ("--access-log", "log"), ("--log-format", "json"),
                           ("--drain-timeout", "1"))])
def this_is_for_a_tunnel(t, args):
    t.usage(["connect", *args, "localhost:1"], args[0] + " wants --listen",
            command="connect")


@each([("--why", ["--why"]), ("--defer-handshake", ["--defer-handshake"])])
def this_is_for_one_connection(t, args):
    t.usage(["connect", "--listen", "0", *args, *TRUST, "localhost:1"],
            args[0] + " is for one connection", command="connect")

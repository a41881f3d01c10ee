"""serve with a mode and --keep-open: many clients at once."""
import os
import signal
import socket
import ssl

from harness import (DEADLINE, Failed, ROOT, cert, descriptors, each, test,
                     wait_until)


def echo(t, *args, **kw):
    return t.serve("--echo", "--keep-open", *args, **kw)


class Client:
    """Python's, over the test root."""

    def __init__(self, t, server):
        context = ssl.create_default_context(
            cafile=os.path.join(ROOT, cert("root.pem")))
        self.t = t
        self.s = context.wrap_socket(t.tcp(server.address),
                                     server_hostname="localhost")
        t.on_exit(self.s.close)

    def echoes(self, word):
        self.s.sendall(word)
        got = b""
        while len(got) < len(word):
            got += self.s.recv(65536) or b"(the end)"
        self.t.eq(got, word, "what came back")
        return self

    def ends(self):
        """close_notify from the server, and answered."""
        self.t.eq(self.s.recv(1), b"", "the end")
        self.s.unwrap().close()

    def leave(self):
        self.s.unwrap().close()


def ended(t, server, status):
    r = server.wait()
    t.eq(r.status, status, "exit status")
    return r


def by_status(r):
    """How the clients ended, without the server's own report at the end."""
    return sorted(x["status"] for x in r.reports[:-1])


def sockets(server):
    """How many it has: one is the listener, as long as it accepts."""
    return sum(x.startswith("socket:") for x in descriptors(server))


def has_sockets(server, n):
    wait_until("%d sockets" % n, lambda: sockets(server) == n)


@test
def many_clients_are_served_at_once(t):
    server = echo(t)
    clients = [Client(t, server) for _ in range(20)]
    for i in (0, 1):
        for n, c in enumerate(clients):
            c.echoes(b"%d of %d" % (i, n) * 100)
    for c in reversed(clients):
        c.leave()
    server.signal(signal.SIGTERM)
    r = ended(t, server, 143)
    t.eq(by_status(r), [0] * 20, "how they ended")
    t.eq({x["bytes"]["in"] for x in r.reports[:-1]}, {1200, 1400},
         "what they sent")


@test
def silent_clients_hold_up_nobody(t):
    server = echo(t, "--handshake-timeout", "1s")
    silent = [t.tcp(server.address) for _ in range(20)]
    Client(t, server).echoes(b"served").leave()
    for s in silent:
        t.eq(s.recv(1), b"", "the end after --handshake-timeout")
    server.signal(signal.SIGINT)
    t.eq(by_status(ended(t, server, 130)), [0] + [20] * 20, "how they ended")


@test
def bulk_leaves_room_for_others(t):
    """A client that is never waited for is not the only one."""
    server = t.serve("--chargen", "--keep-open")
    out = t.file("out")
    fast = t.start("connect", "--cafile", cert("root.pem"), server.address,
                   stdin=t.pipe()[0], stdout=out)
    wait_until("many bytes", lambda: os.fstat(out.fileno()).st_size > 1 << 20)
    for _ in range(3):
        c = Client(t, server)
        t.eq(c.s.recv(5), b" !\"#$", "the first characters")
        c.s.close()
    fast.signal(signal.SIGTERM)
    fast.wait()
    server.signal(signal.SIGINT)
    ended(t, server, 130)


@test
def max_conns_lets_others_wait(t):
    server = echo(t, "--max-conns", "2")
    first, second = Client(t, server), Client(t, server)
    late = t.tcp(server.address)
    late.settimeout(0.2)
    context = ssl.create_default_context(
        cafile=os.path.join(ROOT, cert("root.pem")))
    try:
        context.wrap_socket(late, server_hostname="localhost")
        raise Failed("a third client was served")
    except socket.timeout:
        pass
    first.echoes(b"one")
    waiting = t.start("connect", "--cafile", cert("root.pem"), server.address,
                      stdin=b"three")
    first.leave()
    second.leave()
    t.ok(waiting.wait(), b"three")
    server.signal(signal.SIGINT)
    ended(t, server, 130)


@each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])
def conn_max_time_ends_each_connection(t, version):
    server = echo(t, "--conn-max-time", "300ms", "--max-version", version)
    for _ in range(2):
        c = Client(t, server)
        c.echoes(b"in time")
        t.eq(c.s.recv(1), b"", "close_notify")
    server.signal(signal.SIGINT)
    r = ended(t, server, 130)
    t.eq(by_status(r), [42, 42], "how they ended")
    t.eq((r.reports[0]["error"]["origin"], r.reports[0]["error"]["code"]),
         ("max-time", 300), "the error")
    t.has(r.reports[0]["error"]["text"], "300 ms for a connection", "a byte")


@test
def conn_max_time_holds_for_the_pipe(t):
    r, _ = t.pipe()
    server = t.serve("--conn-max-time", "300ms", stdin=r)
    c = Client(t, server)
    t.eq(c.s.recv(1), b"", "close_notify")
    t.bad(server.wait(), 42, "max-time", 300, "for a connection")


@test
def a_handshake_has_a_limit_though_the_connection_has_a_later_one(t):
    server = echo(t, "--handshake-timeout", "200ms", "--conn-max-time", "5s")
    t.eq(t.tcp(server.address).recv(1), b"", "the end")
    server.signal(signal.SIGINT)
    t.eq(by_status(ended(t, server, 130)), [20], "how it ended")


@test
def a_client_that_says_nothing_has_the_limit_of_a_connection(t):
    server = echo(t, "--handshake-timeout", "0", "--conn-max-time", "300ms")
    t.eq(t.tcp(server.address).recv(1), b"", "the end")
    server.signal(signal.SIGINT)
    r = ended(t, server, 130)
    t.eq(by_status(r), [42], "how it ended")
    t.has(r.reports[0]["error"]["text"], "300 ms for a connection",
          "the client's ClientHello")


@test
def a_signal_names_what_a_silent_client_was_to_say(t):
    server = echo(t)
    s = t.tcp(server.address)
    has_sockets(server, 2)
    server.signal(signal.SIGINT)
    t.eq(s.recv(1), b"", "the end")
    r = ended(t, server, 130)
    t.eq((r.reports[0]["stage"], r.reports[0]["error"]["origin"]),
         ("handshake", "signal"), "its stage and error")
    t.has(r.reports[0]["error"]["text"], "the client's ClientHello")


@test
def idle_clients_are_ended_one_by_one(t):
    server = echo(t, "--idle-timeout", "400ms")
    idle, busy = Client(t, server), Client(t, server)
    idle.s.settimeout(0.05)
    for _ in range(100):
        busy.echoes(b"x")
        try:
            t.eq(idle.s.recv(1), b"", "close_notify")
            break
        except socket.timeout:
            pass
    else:
        raise Failed("the idle client is still there")
    busy.echoes(b"still here").leave()
    server.signal(signal.SIGINT)
    t.eq(by_status(ended(t, server, 130)), [0, 41], "how they ended")


@test
def sigterm_drains(t):
    server = echo(t)
    c = Client(t, server).echoes(b"before")
    server.signal(signal.SIGTERM)
    has_sockets(server, 1)
    try:
        t.tcp(server.address)
        raise Failed("another client could connect")
    except ConnectionRefusedError:
        pass
    c.echoes(b"after")
    c.leave()
    t.eq(by_status(ended(t, server, 143)), [0], "how it ended")


@each([("the timeout", ("--drain-timeout", "300ms"), None, 143),
       ("sigint", ("--drain-timeout", "1h"), signal.SIGINT, 143),
       ("no timeout", ("--drain-timeout", "0"), None, 143)])
def a_drain_ends_with(t, args, then, status):
    server = echo(t, *args)
    clients = [Client(t, server).echoes(b"x") for _ in range(3)]
    silent = t.tcp(server.address)
    has_sockets(server, 5)
    server.signal(signal.SIGTERM)
    if then is not None:
        has_sockets(server, 4)
        server.signal(then)
    for c in clients:
        c.ends()
    t.eq(silent.recv(1), b"", "the end")
    r = ended(t, server, status)
    t.eq(len(set(by_status(r))), 1, "statuses of the clients")
    t.eq({x["error"]["origin"] for x in r.reports}, {"signal"}, "why")


@test
def a_second_sigterm_kills(t):
    server = echo(t, "--drain-timeout", "1h")
    Client(t, server).echoes(b"x")
    server.signal(signal.SIGTERM)
    has_sockets(server, 1)
    server.signal(signal.SIGTERM)
    t.eq(server.popen.wait(DEADLINE), -signal.SIGTERM, "status")


@test
def max_time_ends_all(t):
    server = echo(t, "--max-time", "1s")
    clients = [Client(t, server).echoes(b"x") for _ in range(3)]
    for c in clients:
        c.ends()
    r = ended(t, server, 42)
    t.eq(by_status(r), [42, 42, 42], "how they ended")
    t.bad(r, 42, "max-time", 1000, "for the whole run", "a client")


@test
def a_client_keeps_the_certificate_that_it_met(t):
    """SIGHUP is for the next ones, and frees the old setup with the last."""
    c, k = t.path("pem"), t.path("pem")
    for kind in ("server-ec256", "server-rsa2048"):
        with open(os.path.join(ROOT, cert(kind + ".pem"))) as f:
            first = f.read()
        with open(c, "w") as f:
            f.write(first)
        with open(os.path.join(ROOT, cert(kind + "-key.pem"))) as f:
            key = f.read()
        with open(k, "w") as f:
            f.write(key)
        if kind == "server-ec256":
            server = echo(t, "--cert", c, "--key", k, name=None)
            old = Client(t, server).echoes(b"old")
    silent = t.tcp(server.address)
    has_sockets(server, 3)
    for n in (1, 2):
        server.signal(signal.SIGHUP)
        wait_until("the line", lambda n=n: server.stderr().count(
            "reloaded") == n)
    old.echoes(b"still there")
    r = t.check(server)
    t.eq(r.report["verify"]["sent"][0]["key"], "RSA 2048", "the new key")
    silent.close()
    old.leave()
    server.signal(signal.SIGTERM)
    ended(t, server, 143)


@test
def traces_name_their_client(t):
    server = echo(t, "--trace")
    clients = [Client(t, server).echoes(b"x") for _ in range(2)]
    names = ["%s:%d" % c.s.getsockname() for c in clients]
    for c in clients:
        c.leave()
    server.signal(signal.SIGTERM)
    err = ended(t, server, 143).err
    for name in names:
        t.eq(err.count("mptls: trace: %s " % name) > 5, True, "lines of one")
    t.eq([x for x in err.splitlines() if "trace:" in x and not any(
        n in x for n in names)], [], "lines of nobody")


@test
def commands_run_beside_each_other(t):
    server = t.serve("--sh", "read x; echo $x; read y; exit 3", "--keep-open")
    clients = [Client(t, server) for _ in range(5)]
    for n, c in enumerate(clients):
        c.s.sendall(b"%d\n" % n)
        t.eq(c.s.recv(100), b"%d\n" % n, "its answer")
    server.signal(signal.SIGINT)
    for c in clients:
        t.eq(c.s.recv(1), b"", "close_notify")
    r = ended(t, server, 130)
    t.eq(len(r.reports), 6, "reports")


@test
def one_client_is_enough_without_keep_open(t):
    server = t.serve("--echo")
    c = Client(t, server).echoes(b"x")
    wait = t.tcp(server.address)  # in the backlog
    c.leave()
    t.ok(server.wait())
    try:
        t.eq(wait.recv(1), b"", "the end")
    except ConnectionResetError:
        pass


@test
def a_signal_before_any_client(t):
    for args in ((), ("--keep-open",)):
        for number in (signal.SIGINT, signal.SIGTERM):
            server = t.serve("--echo", *args)
            server.signal(number)
            t.bad(server.wait(), 128 + number, "signal", number, "a client")


@each([("the pipe", ("--keep-open",)), ("one client", ("--echo",))])
def max_conns_is_for_many_not(t, args):
    t.usage(["serve", "--cert", cert("server-ec256.pem"), "--key",
             cert("server-ec256-key.pem"), "--max-conns", "3", *args,
             "127.0.0.1:0"], "--max-conns needs a mode", command="serve")


@test
def limits_want_a_number(t):
    for args, said in ((("--max-conns", "0"), "0"),
                       (("--max-conns", "x"), "x"),
                       (("--drain-timeout", "-1"), "-1"),
                       (("--conn-max-time", "soon"), "soon")):
        t.usage(["serve", *args, "--echo", "--keep-open", "127.0.0.1:0"],
                said, command="serve")


@test
def what_a_slow_client_does_not_read_waits(t):
    """The rest comes when it reads on, with others served meanwhile."""
    server = echo(t)
    slow = Client(t, server)
    data = os.urandom(1 << 20)
    slow.s.settimeout(0.3)
    sent = 0
    try:
        while sent < 1 << 26:
            sent += slow.s.send(data[sent % len(data):][:16384])
    except socket.timeout:
        pass
    Client(t, server).echoes(b"meanwhile").leave()
    slow.s.settimeout(DEADLINE)
    got = 0
    while got < sent:
        n = len(slow.s.recv(65536))
        if n == 0:
            raise Failed("the end after %d of %d bytes" % (got, sent))
        got += n
    server.signal(signal.SIGINT)
    ended(t, server, 130)

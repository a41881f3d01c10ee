"""Getting there: resolving, connecting, listening, and their limits."""
import errno
import select
import socket

from harness import Failed, Skipped, cert, each, read_some, test

PAIR = ("--cert", cert("server-ec256.pem"),
        "--key", cert("server-ec256-key.pem"))
EAI_NONAME = -2


def full_listener(t):
    """The address of a listener that answers no further connection."""
    s = t.listener(backlog=0)
    for _ in range(16):
        c = socket.socket()
        t.on_exit(c.close)
        c.setblocking(False)
        c.connect_ex(s.getsockname())
        if not select.select([], [c], [], 0.1)[1]:
            return "127.0.0.1:%d" % s.getsockname()[1]
    raise Skipped("this system's backlog does not fill")


def free_port(t):
    """A port that nothing listens on: bound, but not listening."""
    s = socket.socket()
    t.on_exit(s.close)
    s.bind(("127.0.0.1", 0))
    return s.getsockname()[1]


def no_tls(t, r):
    """Nothing of TLS was done, and the report says so."""
    report = r.report
    t.eq(report["tls"], {"version": None, "cipher": None,
                         "encrypted_by": None, "ktls": None,
                         "ktls_lack": None, "group": None, "sig_alg": None,
                         "certificate": None, "alpn": None, "extensions": [],
                         "max_fragment_length": None,
                         "record_size_limit": None, "ems": None, "etm": None,
                         "resumed": False, "tickets": 0, "round_trips": 0,
                         "close_notify_sent": False,
                         "close_notify_received": False}, "tls")
    t.eq(report["bytes"], {"in": 0, "out": 0, "wire_in": 0, "wire_out": 0,
                           "stdin_ended": False},
         "bytes")
    t.eq(report["verify"]["chain"], [], "the chain")


@test
def connection_refused(t):
    where = "127.0.0.1:%d" % free_port(t)
    r = t.run("connect", "-v", where)
    t.bad(r, 11, "net", errno.ECONNREFUSED, where, "Connection refused")
    t.eq((r.report["stage"], r.report["target"]), ("connect", where),
         "stage and target")
    t.eq(r.report["error"]["micropython"], "OSError(111)", "micropython")
    t.has(r.err, "mptls: micropython: OSError(111)\n")
    no_tls(t, r)


@test
def every_address_refused(t):
    r = t.run("connect", "localhost:%d" % free_port(t))
    t.bad(r, 11, "net", errno.ECONNREFUSED, "Connection refused")


@test
def unresolvable_name(t):
    r = t.run("connect", "host.invalid:1")
    code = r.error["code"]
    if code != EAI_NONAME and code >= 0:
        raise Failed("code %d is no EAI value" % code)
    t.bad(r, 10, "dns", code, "host.invalid")
    no_tls(t, r)


@test
def connect_timeout(t):
    where = full_listener(t)
    r = t.run("connect", "--connect-timeout", "200ms", where)
    t.bad(r, 12, "timeout", 200, where, "no answer within 200 ms")
    t.eq(r.report["stage"], "connect", "stage")


@test
def max_time_while_connecting(t):
    r = t.run("connect", "--max-time", "0.2", full_listener(t))
    t.bad(r, 42, "max-time", 200, "200 ms for the whole run",
          "a connection to")
    t.eq(r.report["stage"], "connect", "stage")


@test
def max_time_while_listening(t):
    r = t.run("serve", *PAIR, "--max-time", "200ms", "127.0.0.1:0")
    t.bad(r, 42, "max-time", 200, "a client")
    t.eq(r.report["stage"], "listen", "stage")


@each([("handshake-timeout", 20, "timeout"), ("max-time", 42, "max-time")])
def a_silent_server(t, status, origin):
    s = t.listener()
    option = "--handshake-timeout" if status == 20 else "--max-time"
    r = t.run("connect", option, "200ms", "127.0.0.1:%d" % s.getsockname()[1])
    t.bad(r, status, origin, 200, "the server's ServerHello")
    t.eq(r.report["stage"], "handshake", "stage")


@each([("handshake-timeout", 20, "timeout"), ("max-time", 42, "max-time")])
def a_silent_client(t, status, origin):
    option = "--handshake-timeout" if status == 20 else "--max-time"
    server = t.serve(option, "300ms")
    t.tcp(server.address)
    r = server.wait()
    t.bad(r, status, origin, 300, "the client's ClientHello")
    t.eq(r.report["stage"], "handshake", "stage")


@each([("at once", b""), ("inside a record", b"\x16\x03\x01\x02\x00\x01")])
def a_client_that_leaves(t, sent):
    server = t.serve()
    c = t.tcp(server.address)
    c.sendall(sent)
    c.close()
    t.bad(server.wait(), 24, "tls", -0x7280, "the peer closed the connection")


@test
def a_server_that_leaves(t):
    s = t.listener()
    p = t.start("connect", "127.0.0.1:%d" % s.getsockname()[1])
    c = t.accept(s)
    while c.recv(4096)[-1:] == b"":
        pass
    c.close()
    r = p.wait()
    t.bad(r, 24, r.error["origin"], r.error["code"], "the peer")


@each([("a web server", b"HTTP/1.0 400 Bad Request\r\n\r\n",
        "not TLS", "HTTP/1.0 400"),
       ("a mail server", b"220 mail ESMTP\r\n", "not TLS", "220 mail"),
       ("control bytes", b"\x1b[31m\x07x\r\n", "not TLS", "\\x1b[31m"),
       ("newlines", b"\n" * 10, "not TLS", "`\\x0a`")])
def a_plaintext_server(t, sent, *say):
    s = t.listener()
    p = t.start("connect", "127.0.0.1:%d" % s.getsockname()[1])
    c = t.accept(s)
    c.sendall(sent)
    t.bad(p.wait(), 23, "tls", -0x7200, *say)


@test
def a_plaintext_client(t):
    server = t.serve()
    c = t.tcp(server.address)
    c.sendall(b"GET / HTTP/1.0\r\n\r\n")
    t.bad(server.wait(), 23, "tls", -0x7200, "not TLS", "GET / HTTP")


@test
def a_client_of_sslv2(t):
    server = t.serve()
    c = t.tcp(server.address)
    c.sendall(bytes.fromhex("802e0100020015000000100100800200800600400400800700"
                            "c0080080000000") + bytes(16))
    t.bad(server.wait(), 23, "tls", -0x7200, "an SSLv2 hello")


@test
def a_message_split_within_its_header(t):
    """RFC 8446 5.1 allows it, and the library does not take it."""
    s = t.listener()
    p = t.start("connect", "127.0.0.1:%d" % s.getsockname()[1])
    c = t.accept(s)
    c.sendall(bytes.fromhex("160303000102" "16030300040000260303"))
    t.bad(p.wait(), 4, "tls", -0x7080, "within its header")


@test
def a_server_that_compresses(t):
    """It breaks the protocol, rather than asking for what we lack."""
    s = t.listener()
    p = t.start("connect", "127.0.0.1:%d" % s.getsockname()[1])
    c = t.accept(s)
    c.sendall(bytes.fromhex("160303002a020000260303" + "11" * 32 +
                            "00c02b01"))
    t.bad(p.wait(), 23, "tls", -0x6600, "a compression")


@test
def no_socket_to_be_had_is_our_own_failure(t):
    seen = set()
    for n in range(5, 20):
        r = t.run("connect", "127.0.0.1:1", report=False, wrap=(
            "sh", "-c", 'ulimit -n %d; exec "$@"' % n, "sh"),
            env={"ASAN_OPTIONS": "detect_leaks=0"})  # it wants descriptors
        seen.add(r.status)
        t.eq("Too many open files" in r.err, r.status == 1,
             "who is to blame with %d descriptors, %s" % (n, r.err))
        t.eq("make a socket" in r.err and r.status != 1, False, "a socket")
    t.eq(seen, {1, 11}, "the statuses")


@test
def an_address_in_use(t):
    s = t.listener()
    where = "127.0.0.1:%d" % s.getsockname()[1]
    r = t.run("serve", *PAIR, where)
    t.bad(r, 14, "net", errno.EADDRINUSE, where)
    t.eq((r.report["stage"], r.listening), ("listen", []), "stage, listening")
    no_tls(t, r)


@test
def an_address_of_another_machine(t):
    r = t.run("serve", *PAIR, "192.0.2.1:0")
    t.bad(r, 14, "net", errno.EADDRNOTAVAIL, "192.0.2.1:0")


@test
def an_unresolvable_address_to_serve(t):
    r = t.run("serve", *PAIR, "host.invalid:0")
    t.bad(r, 10, "dns", r.error["code"], "host.invalid")


def talk(t, server, *args):
    r = t.connect(server, *args).wait()
    t.ok(r, b"hello")
    t.ok(server.wait())
    return r


@test
def ipv6(t):
    if not socket.has_ipv6:
        raise Skipped("no IPv6")
    try:
        s = socket.socket(socket.AF_INET6)
        s.bind(("::1", 0))
        s.close()
    except OSError:
        raise Skipped("no IPv6 loopback")
    server = t.serve(where="[::1]:0", stdin=b"hello")
    t.has(server.address, "[::1]:")
    r = talk(t, server)
    t.eq(r.report["peer"], server.address, "the peer")
    t.eq(r.report["verify"]["name"], "::1", "the name verified")


@each([(":0", ":0"), ("0", "0"), ("localhost:0", "localhost:0"),
       ("0.0.0.0:0", "0.0.0.0:0")])
def port_zero_picks_a_port(t, where):
    server = t.serve(where=where, stdin=b"hello")
    port = server.address.rsplit(":", 1)[1]
    t.has(server.stderr(), "mptls: listening on ", ":" + port + "\n")
    server.address = "localhost:" + port
    talk(t, server)


@test
def ready_fd_that_cannot_be_written(t):
    r = t.run("serve", *PAIR, "--ready-fd", "97", "127.0.0.1:0")
    t.bad(r, 2, "usage", 0, "--ready-fd 97: Bad file descriptor")


@test
def ready_fd_may_be_stdout(t):
    r, w = t.pipe()
    p = t.start("serve", *PAIR, "--ready-fd", "1", "127.0.0.1:0", stdout=w)
    t.close_pipe(w)
    line = read_some(r).decode()
    t.has(line, "127.0.0.1:", "\n")
    p.address = line.strip()
    t.ok(t.connect(p, stdin=b"data").wait())
    t.eq(read_some(r), b"data", "stdout")
    t.eq(p.wait().status, 0, "status")


@test
def nothing_in_common(t):
    server = t.serve("--max-version", "1.2")
    r = t.connect(server, "--min-version", "1.3").wait()
    t.bad(r, r.status, r.error["origin"], r.error["code"])
    s = server.wait()
    if {r.status, s.status} - {21, 22} or 21 not in (r.status, s.status):
        raise Failed("exit %d and %d; 21 is who sees it, 22 who is told"
                     % (r.status, s.status))

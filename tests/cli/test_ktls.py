"""--ktls: the kernel encrypts where it can, else Mbed TLS does, and nothing
else is different. In tests/ktls there is a kernel that can."""
import os
import signal
import socket
import ssl
import threading

from harness import DEADLINE, ROOT, Failed, cert, each, test, wait_until
from test_accel import ACCELERATED, OTHERS
from test_tunnel import exchange, stopped, tunnel

DATA = bytes(range(251)) * 8000  # 2 MB
TCP_ULP = 31
NO_MODULE = "this kernel has no TLS, or has not loaded its module tls"
NOT_TCP = "this socket is none of TCP's"
NO_AEAD = "the cipher suite is none of AES-GCM or ChaCha20-Poly1305"
BAD_MAC = -0x7180


def kernel_has_it():
    with socket.create_server(("127.0.0.1", 0)) as s, \
            socket.create_connection(s.getsockname()) as c:
        try:
            c.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")
            return True
        except OSError:
            return False


def used(t, r, lack=None):
    """Is it as this kernel allows, or are there other reasons?"""
    lack = lack or (None if kernel_has_it() else NO_MODULE)
    tls, counts = r.report["tls"], r.report["bytes"]
    t.eq((tls["ktls"], tls["ktls_lack"]),
         ("none" if lack else "both", lack), "ktls")
    t.eq(tls["encrypted_by"] == "Linux", not lack, "Linux encrypted")
    t.eq([x is None for x in (counts["wire_in"], counts["wire_out"],
                              r.report["handshake"]["in"]["records"],
                              r.report["handshake"]["out"]["largest_record"])],
         [not lack] * 4, "what is not counted")
    return r


def spoken(t, at_server, at_client, *args):
    """@return the reports of both, after DATA went both ways"""
    server = t.serve(*at_server, stdin=t.file("in", DATA))
    c = t.connect(server, *at_client, *args, stdin=t.file("in", DATA)).wait()
    s = server.wait()
    t.ok(c, DATA)
    t.ok(s, DATA)
    t.eq([r.report["tls"]["close_notify_" + x] for r in (c, s)
          for x in ("sent", "received")], [True] * 4, "close_notify")
    return c, s


@each([("%s, %s" % (x, name), x, at_server, at_client)
       for x in ACCELERATED
       for name, at_server, at_client in (
           ("both", ["--ktls"], ["--ktls"]), ("the client", [], ["--ktls"]),
           ("the server", ["--ktls"], []))])
def ktls_suites(t, suite, at_server, at_client):
    c, s = spoken(t, at_server, at_client, "--ciphers", suite)
    t.eq(c.report["tls"]["cipher"], suite, "the suite")
    for r, wanted in ((c, at_client), (s, at_server)):
        if wanted:
            used(t, r)
        else:
            t.eq((r.report["tls"]["ktls"], r.report["tls"]["ktls_lack"]),
                 (None, None), "ktls where it is not wanted")


@each([(x, x) for x in OTHERS])
def ktls_of_other_suites(t, suite):
    for r in spoken(t, ["--ktls"], ["--ktls"], "--ciphers", suite):
        used(t, r, NO_AEAD)


@each([("1.2", "1.2"), ("1.3", "1.3")])
def ktls_with_a_certificate_of_ours(t, version):
    """In TLS 1.3 the client waits for the server's first record."""
    server = t.serve("--ktls", "--verify", "required", "--cafile",
                     cert("root.pem"), stdin=t.file("in", DATA))
    r, w = t.pipe()
    c = t.connect(server, "--ktls", "--max-version", version, "--cert",
                  cert("client-ec256.pem"), "--key",
                  cert("client-ec256-key.pem"), stdin=r)
    wait_until("the server's data", lambda: os.path.getsize(
        c.out_file.name) == len(DATA))
    os.write(w, b"bye")
    t.close_pipe(w)
    used(t, t.ok(c.wait(), DATA))
    used(t, t.ok(server.wait(), b"bye"))


@each([("1.2", "1.2"), ("1.3", "1.3")])
def ktls_and_a_certificate_that_is_refused(t, version):
    """By an alert that comes when the client is done with the handshake."""
    server = t.serve("--ktls", "--verify", "required", "--cafile",
                     cert("root.pem"))
    c = t.connect(server, "--ktls", "--max-version", version).wait()
    t.eq(c.status, 37, "status")
    t.eq(server.wait().status, 36, "the server's status")


@each([("echo", "--echo", b"hello"), ("discard", "--discard", b""),
       ("http", "--http", None)])
def ktls_in_a_mode(t, mode, answer):
    server = t.serve("--ktls", "--keep-open", mode)
    for _ in range(2):
        c = t.connect(server, "--ktls", stdin=b"hello").wait()
        t.eq((c.status, c.report["bytes"]["out"]), (0, 5), "what became of it")
        t.eq(c.out == answer or (answer is None and c.out != b""), True,
             "the answer")
        used(t, c)
    server.signal(signal.SIGINT)
    reports = [x for x in server.wait().reports if x["peer"]]
    t.eq([x["tls"]["ktls"] for x in reports],
         ["both" if kernel_has_it() else "none"] * 2, "ktls of the server")


@test
def ktls_says_so_with_v(t):
    server = t.serve("--ktls", "-v", stdin=b"")
    c = t.ok(t.connect(server, "--ktls", "-v", stdin=b"").wait())
    t.ok(server.wait())
    t.has(c.err, "mptls: kernel TLS: in use\n" if kernel_has_it()
          else "mptls: kernel TLS: not in use: %s\n" % NO_MODULE)


@test
def ktls_over_a_unix_socket(t):
    path = t.path("socket")
    server = t.serve("--ktls", where="unix:" + path, stdin=b"hello")
    raw = socket.socket(socket.AF_UNIX)
    t.on_exit(raw.close)
    raw.settimeout(DEADLINE)
    raw.connect(path)
    ctx = ssl.create_default_context(cafile=os.path.join(ROOT,
                                                         cert("root.pem")))
    with ctx.wrap_socket(raw, server_hostname="localhost") as s:
        t.eq(s.recv(5), b"hello", "what came")
        s.unwrap()
    r = t.ok(server.wait())
    used(t, r, r.report["tls"]["ktls_lack"])
    if r.report["tls"]["ktls_lack"] not in (NOT_TCP, NO_MODULE):
        raise Failed("it lacks %r" % r.report["tls"]["ktls_lack"])


@test
def ktls_in_a_tunnel(t):
    server = t.serve("--ktls", "--keep-open", "--echo")
    p = tunnel(t, server.address, "--ktls")
    exchange(t, p, DATA)
    r = stopped(t, p)
    (report,) = [x for x in r.reports if x["peer"]]
    t.eq(report["tls"]["ktls"], "both" if kernel_has_it() else "none", "ktls")
    stopped(t, server)


@each([(name, name, args) for name, *args in (
    ("--as", "--as", "esp-idf"), ("--max-in-record", "--max-in-record", "4k"),
    ("--max-out-record", "--max-out-record", "4k"),
    ("--heap-limit", "--heap-limit", "64k"),
    ("--heap-fail-at", "--heap-fail-at", "3"), ("--trace", "--trace"))])
def ktls_is_not_for_devices(t, name, args):
    for command, *more in (("connect",), ("serve", "--self-signed")):
        t.usage([command, *more, "--ktls", *args, "127.0.0.1:1"],
                "--ktls does not go with " + name, command=command)


# What a peer does, which comes to the same.

def peer(t, talk, version):
    """A server of Python's."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(cert("server-ec256.pem"), cert("server-ec256-key.pem"))
    ctx.minimum_version = ctx.maximum_version = version
    listener = t.listener()

    def run():
        raw = listener.accept()[0]
        raw.settimeout(DEADLINE)
        with ctx.wrap_socket(raw, server_side=True) as s:
            s.recv(1)  # the client is done with the handshake
            talk(s)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    t.on_exit(lambda: thread.join(DEADLINE))
    return "127.0.0.1:%d" % listener.getsockname()[1]


def cut(s):
    s.sendall(b"hello")
    s.shutdown(socket.SHUT_WR)  # of TCP, without close_notify


def forge(s):
    """After a record that is good, one that is not; by its length it is."""
    s.sendall(b"hello")
    with socket.socket(fileno=socket.dup(s.fileno())) as raw:
        raw.sendall(bytes((23, 3, 3, 0, 40)) + bytes(40))
        s.setblocking(True)
        try:
            s.recv(1)
        except OSError:
            pass


def shout(s):
    """What is no record."""
    s.sendall(b"hello")
    with socket.socket(fileno=socket.dup(s.fileno())) as raw:
        raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
        try:
            s.recv(1)
        except OSError:
            pass


@each([("%s, %s" % (talk.__name__, version.name), talk, version, *wanted)
       for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
       for talk, *wanted in ((cut, 40, "truncated", 0),
                             (forge, 23, "tls", BAD_MAC),
                             (shout, 23, "tls", -0x7200))])
def ktls_fails_as_without(t, talk, version, status, origin, code):
    for option in ([], ["--ktls"]):
        r, w = t.pipe()
        os.write(w, b"x")
        c = t.run("connect", *option, "--cafile", cert("root.pem"),
                  "--server-hostname", "localhost", peer(t, talk, version),
                  stdin=r)
        t.bad(c, status, origin, code, out=b"hello")
        if option:
            used(t, c)

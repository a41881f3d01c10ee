"""Every peer, on both versions, in both directions; and mutual TLS."""
import functools

import peers
from harness import VERSIONS, cert, same

HELLO, WORLD = b"hello\n", b"world\n"


def only(version):
    return "--min-version", version, "--max-version", version


# mptls connect: printf 'hello\n' | mptls connect.

# name, server, what `hello` comes back as
SERVERS = (
    ("openssl s_server", peers.openssl_rev, b"olleh\n"),
    ("gnutls-serv", peers.gnutls_server, HELLO),
    ("socat", peers.socat_server, HELLO),
    ("stunnel", peers.stunnel_server, HELLO),
    ("Python ssl", peers.python_server, HELLO),
)


def connect_to(start, version, reply, test):
    p = test.connect(start(test), *only(version)).feed(HELLO, end=True)
    p.done(out=reply, version=version, notified=True)


def in_turn(start, version, test):
    """Both talk in turn, and our end comes last."""
    s = start(test)
    port = peers.listening_port(s)
    p = test.connect(port, *only(version)).feed(HELLO)
    s.expect(HELLO)
    s.feed(WORLD)
    p.expect(WORLD)
    p.end()
    p.done(out=WORLD, version=version, notified=True)


def rsa_of_12(test):
    """Mbed-TLS/mbedtls#10668: offering both versions."""
    port = peers.openssl_rev(test, "-tls1_2", name="server-rsa2048")
    p = test.connect(port).feed(HELLO, end=True)
    p.done(out=b"olleh\n", version="1.2")


def to_micropython(status, test, *options):
    port = peers.micropython_server(test)
    p = test.connect(port, *options).feed(HELLO, end=True)
    p.done(status, "truncated" if status else None, out=HELLO, version="1.2",
           notified=False)


# mptls serve.

CLIENTS = (
    ("openssl s_client", peers.openssl_client),
    ("gnutls-cli", peers.gnutls_client),
    ("socat", peers.socat_client),
    ("stunnel", peers.stunnel_client),
)


def talk(test, s, relay, c):
    """The client has said hello; answer, and let it end first."""
    s.expect(HELLO)
    s.feed(WORLD)
    c.expect(WORLD)
    before = relay.up.total
    c.end()
    relay.up.wait_past(before)
    s.end()
    same("the client's exit status", c.wait(), 0)
    same("the client's stdout", c.out.all(test.left()), WORLD)


def serve_to(start, version, test):
    s, port = test.serve(*only(version))
    relay = peers.Relay(test, port)
    c = start(test, relay.port).feed(HELLO)
    talk(test, s, relay, c)
    s.done(out=HELLO, version=version, notified=True)


def serve_ncat(version, test):
    """It ends with a FIN and no close_notify."""
    s, port = test.serve(*only(version))
    c = peers.ncat_client(test, port).feed(HELLO)
    s.expect(HELLO)
    s.feed(WORLD)
    c.expect(WORLD)
    c.end()
    s.done(40, "truncated", out=HELLO, version=version, notified=False)


def serve_curl(version, test):
    s, port = test.serve(*only(version))
    c = peers.curl_client(test, port)
    request = s.expect(rb"GET / HTTP/1\.1\r\n(.*\r\n)*\r\n")
    s.feed(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\n" + WORLD, end=True)
    same("curl's exit status", c.wait(), 0)
    same("curl's stdout", c.out.all(test.left()), WORLD)
    s.done(out=request.group(0), version=version)


def serve_python(version, test):
    s, port = test.serve(*only(version))
    with peers.dial_tls(test, port) as sock:
        sock.sendall(HELLO)
        s.expect(HELLO)
        s.feed(WORLD, end=True)
        same("what the client got", peers.read_to_end(sock), WORLD)
        sock.unwrap()
    s.done(out=HELLO, version=version, notified=True)


def serve_micropython(status, test, *options):
    s, port = test.serve(*options)
    c = peers.micropython_client(test, port).feed(HELLO, end=True)
    s.expect(HELLO)
    s.feed(WORLD, end=True)
    s.done(status, "truncated" if status else None, out=HELLO, version="1.2",
           notified=False)
    same("the client's exit status", c.wait(), 0)
    same("the client's stdout", c.out.all(test.left()), WORLD)


# Mutual TLS.

def ours(name):
    return "--cert", cert(name + ".pem"), "--key", cert(name + "-key.pem")


def openssl_demands(test):
    return peers.openssl_rev(test, "-Verify", 1, "-verify_return_error",
                             "-CAfile", peers.ROOT_CA)


def gnutls_demands(test):
    return peers.gnutls_server(test, "--require-client-cert",
                               "--verify-client-cert", "--x509cafile",
                               peers.ROOT_CA)


def connect_with(start, version, name, test):
    """Show a good certificate, none, or one that the server refuses."""
    options = only(version) + (ours(name) if name else ())
    port = start(test)
    if name == "client-ec256":
        p = test.connect(port, *options).feed(HELLO, end=True)
        r = p.done(version=version)
        same("bytes in", r["bytes"]["in"], len(HELLO))
        return
    # stdin stays open: it is the server that ends this. GnuTLS closes while
    # our flight is under way, so its alert has to be looked for; and to no
    # certificate on TLS 1.2 it says decode_error, which need not be about one.
    gnutls = start is gnutls_demands
    vague = gnutls and name is None and version == "1.2"
    for _ in range(8 if gnutls else 1):
        p = test.connect(port, *options)
        p.done((22, 37) if vague else 37, "alert", 50 if vague else None)


def openssl_shows(test, port, name):
    options = ("-cert", cert(name + ".pem"), "-key",
               cert(name + "-key.pem")) if name else ()
    return peers.openssl_client(test, port, *options)


def gnutls_shows(test, port, name):
    options = ("--x509certfile", cert(name + ".pem"), "--x509keyfile",
               cert(name + "-key.pem")) if name else ()
    return peers.gnutls_client(test, port, *options)


def serve_demands(start, version, name, test):
    s, port = test.serve("--verify", "required", "--cadata",
                         cert("root.der"), *only(version))
    relay = peers.Relay(test, port)
    c = start(test, relay.port, name).feed(HELLO)
    if name == "client-ec256":
        talk(test, s, relay, c)
        s.done(out=HELLO, version=version, notified=True)
    elif name:
        s.done(30, "verify", out=b"", flags=["untrusted"])
    else:
        s.done(36, "tls", -0x7480, out=b"")


def mutual():
    part = functools.partial
    for v in VERSIONS:
        for name in ("client-ec256", None, "client-other"):
            end = "TLS %s, our certificate: %s" % (v, name)
            yield ("mutual, to openssl, " + end,
                   part(connect_with, openssl_demands, v, name))
            yield ("mutual, to gnutls, " + end,
                   part(connect_with, gnutls_demands, v, name))
            end = "TLS %s, its certificate: %s" % (v, name)
            yield ("mutual, from openssl, " + end,
                   part(serve_demands, openssl_shows, v, name))
            yield ("mutual, from gnutls, " + end,
                   part(serve_demands, gnutls_shows, v, name))


def tests():
    part = functools.partial
    for v in VERSIONS:
        for name, start, reply in SERVERS:
            yield ("to %s, TLS %s" % (name, v),
                   part(connect_to, start, v, reply))
        for name, start in CLIENTS:
            yield ("from %s, TLS %s" % (name, v),
                   part(serve_to, start, v))
        yield ("to openssl s_server in turn, TLS " + v,
               part(in_turn, peers.openssl_quiet, v))
        yield "to ncat, TLS " + v, part(in_turn, peers.ncat_server, v)
        yield "from ncat, TLS " + v, part(serve_ncat, v)
        yield "from curl, TLS " + v, part(serve_curl, v)
        yield "from Python ssl, TLS " + v, part(serve_python, v)
    yield "to openssl s_server, TLS 1.2 only, RSA (mbedtls#10668)", rsa_of_12
    yield "to MicroPython", part(to_micropython, 40)
    yield ("to MicroPython --allow-truncation",
           lambda t: to_micropython(0, t, "--allow-truncation"))
    yield "from MicroPython", part(serve_micropython, 40)
    yield ("from MicroPython --allow-truncation",
           lambda t: serve_micropython(0, t, "--allow-truncation"))
    yield from mutual()

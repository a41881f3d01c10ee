"""serve's own certificates, as its clients see them."""
import base64
import json
import ssl

import peers
from harness import cert, same

HELLO, WORLD = b"hello, server\n", b"hello, client\n"


# --self-signed: what it prints is all that a client needs.

def printed(s):
    """The DER that a server says is its certificate."""
    for line in s.err.data.decode().splitlines():
        event = json.loads(line)
        if event["event"] == "self-signed":
            return base64.b64decode(event["cadata"][len("base64:"):])
    raise AssertionError("no event self-signed")


def as_pem(test, der):
    return test.file("made.pem", ssl.DER_cert_to_PEM_cert(der))


def answered(s, c):
    """A client that has said hello gets its answer, and verified it is."""
    s.expect(HELLO)
    s.feed(WORLD, end=True)
    c.expect(WORLD)
    c.end()
    s.wait()
    c.wait()


def self_signed_openssl(version, test):
    s, port = test.serve("--self-signed", name=None)
    c = test.spawn("openssl", "s_client", "-connect", "127.0.0.1:%d" % port,
                   "-CAfile", as_pem(test, printed(s)),
                   "-verify_return_error", "-verify_hostname", "localhost",
                   "-quiet", "-no_ign_eof", "-tls" + version.replace(".", "_"))
    answered(s, c.feed(HELLO))
    same("version", s.reports()[-1]["tls"]["version"], "TLSv" + version)


def self_signed_gnutls(test):
    s, port = test.serve("--self-signed", name=None)
    c = test.spawn("gnutls-cli", "127.0.0.1", "--port", port, "--x509cafile",
                   as_pem(test, printed(s)), "--verify-hostname", "localhost",
                   "--logfile", "/dev/null")
    answered(s, c.feed(HELLO))


def self_signed_python(test):
    s, port = test.serve("--self-signed=localhost", name=None)
    ctx = ssl.create_default_context(cadata=printed(s))
    with peers.dial_tls(test, port, ctx) as sock:
        sock.sendall(HELLO)
        s.expect(HELLO)
        s.feed(WORLD, end=True)
        same("what the client got", peers.read_to_end(sock), WORLD)
        sock.unwrap()
    s.done(out=HELLO)


def self_signed_micropython(test):
    s, port = test.serve("--self-signed=localhost", "--allow-truncation",
                         name=None)
    made = test.file("made.der", "")
    with open(made, "wb") as f:
        f.write(printed(s))
    c = peers.micropython_client(test, port, made).feed(HELLO, end=True)
    s.expect(HELLO)
    s.feed(WORLD, end=True)
    s.done(out=HELLO, version="1.2")
    same("the client's exit status", c.wait(), 0)
    same("the client's stdout", c.out.all(test.left()), WORLD)


def self_signed_micropython_other(test):
    """Another CA is not enough: the board refuses."""
    s, port = test.serve("--self-signed=localhost", name=None)
    c = peers.micropython_client(test, port, cert("root.der"))
    c.end()
    same("the client's exit status", c.wait(), 1)
    s.done(37, "alert", 48)


def tests():
    for version in ("1.2", "1.3"):
        yield ("self-signed, openssl s_client, TLS " + version,
               lambda t, v=version: self_signed_openssl(v, t))
    yield "self-signed, gnutls-cli", self_signed_gnutls
    yield "self-signed, Python", self_signed_python
    yield "self-signed, MicroPython", self_signed_micropython
    yield ("self-signed, MicroPython with another CA",
           self_signed_micropython_other)

"""serve's own certificates, as its clients see them."""
import base64
import functools
import hashlib
import json
import os
import ssl

import peers
from harness import HERE, cert, same

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


# Several pairs: which of them another TLS library is shown.

EC, RSA, OTHER, WILD = ("server-ec256", "server-rsa2048", "server-wrong-host",
                        "server-wildcard")


def serve_all(test, *options):
    words = [w for name in (EC, RSA, OTHER, WILD)
             for w in ("--cert", cert(name + ".pem"),
                       "--key", cert(name + "-key.pem"))]
    return test.serve(*words, *options, name=None)


def told(s, name):
    """The server says that it was this certificate."""
    with open(cert(name + ".pem"), encoding="ascii") as f:
        pem = f.read()
    end = "-----END CERTIFICATE-----"
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN"):
                                       pem.index(end) + len(end)])
    r = s.done(out=HELLO)
    same("the certificate", r["tls"]["certificate"]["sha256"],
         hashlib.sha256(der).hexdigest())


def chosen_openssl(wanted, name, options, test):
    """It verifies the chain and the name itself."""
    s, port = serve_all(test, "--allow-truncation")
    sni = ("-servername", name) if name else ("-noservername",)
    match = ("-verify_hostname", name) if name else ()
    c = test.spawn("openssl", "s_client", "-connect", "127.0.0.1:%d" % port,
                   "-CAfile", cert("root.pem"), "-verify_return_error", *sni,
                   *match, "-quiet", "-no_ign_eof", *options)
    answered(s, c.feed(HELLO))
    told(s, wanted)


def chosen_gnutls(wanted, priority, test):
    s, port = serve_all(test, "--allow-truncation")
    c = test.spawn("gnutls-cli", "127.0.0.1", "--port", port, "--x509cafile",
                   cert("root.pem"), "--sni-hostname", "localhost",
                   "--verify-hostname", "localhost", "--priority", priority,
                   "--logfile", "/dev/null")
    answered(s, c.feed(HELLO))
    told(s, wanted)


def chosen_micropython(wanted, name, ciphers, test):
    s, port = serve_all(test, "--allow-truncation")
    c = test.spawn(peers.micropython(), os.path.join(HERE, "mp_client.py"),
                   "127.0.0.1", port, cert("root.der"), name, "30", *ciphers)
    c.feed(HELLO, end=True)
    s.expect(HELLO)
    s.feed(WORLD, end=True)
    told(s, wanted)
    same("the client's exit status", c.wait(), 0)


def tests():
    for title, wanted, name, options in (
            ("by name", OTHER, "other.example", ()),
            ("by wildcard", WILD, "x.example.test", ()),
            ("no name", EC, None, ("-sigalgs", "ECDSA+SHA256")),
            ("RSA in TLS 1.2", RSA, "localhost",
             ("-tls1_2", "-sigalgs", "RSA+SHA256", "-cipher", "aRSA")),
            ("RSA in TLS 1.3", RSA, "localhost",
             ("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256:RSA+SHA256:"
              "ECDSA+SHA384")),
            ("ECDSA in TLS 1.2", EC, "localhost",
             ("-tls1_2", "-sigalgs", "ECDSA+SHA256", "-cipher", "aECDSA")),
            ("ECDSA in TLS 1.3", EC, "localhost",
             ("-tls1_3", "-sigalgs", "ECDSA+SHA256"))):
        yield ("chosen, openssl s_client, " + title, functools.partial(
            chosen_openssl, wanted, name, options))
    for title, wanted, priority in (
            ("RSA", RSA, "NORMAL:-SIGN-ALL:+SIGN-RSA-SHA256:"
             "+SIGN-RSA-PSS-RSAE-SHA256"),
            ("ECDSA", EC, "NORMAL:-SIGN-ALL:+SIGN-ECDSA-SHA256:"
             "+SIGN-ECDSA-SECP256R1-SHA256")):
        yield "chosen, gnutls-cli, " + title, functools.partial(
            chosen_gnutls, wanted, priority)
    for title, wanted, name, ciphers in (
            ("by name", OTHER, "other.example", ()),
            ("RSA", RSA, "localhost",
             ("TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256",)),
            ("ECDSA", EC, "localhost",
             ("TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256",))):
        yield "chosen, MicroPython, " + title, functools.partial(
            chosen_micropython, wanted, name, ciphers)
    for version in ("1.2", "1.3"):
        yield ("self-signed, openssl s_client, TLS " + version,
               lambda t, v=version: self_signed_openssl(v, t))
    yield "self-signed, gnutls-cli", self_signed_gnutls
    yield "self-signed, Python", self_signed_python
    yield "self-signed, MicroPython", self_signed_micropython
    yield ("self-signed, MicroPython with another CA",
           self_signed_micropython_other)

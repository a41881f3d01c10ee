"""Every certificate with a defect, and the name it is asked for by."""
import functools

import peers
from harness import cert, same

# certificate, --server-hostname, status, flags (None: not looked at)
CASES = (
    ("server-ec256", "localhost", 0, []),
    ("server-ec384", "localhost", 0, []),
    ("server-rsa2048", "localhost", 0, []),
    ("server-chain", "localhost", 0, []),
    ("server-expired", "localhost", 31, ["expired"]),
    ("server-not-yet-valid", "localhost", 31, ["not-yet-valid"]),
    ("server-wrong-host", "localhost", 32, ["name-mismatch"]),
    ("server-self-signed", "localhost", 30, ["untrusted"]),
    ("server-missing-intermediate", "localhost", 30, ["untrusted"]),
    ("server-reversed-chain", "localhost", 0, []),
    ("server-no-san", "localhost", 32, ["name-mismatch"]),
    ("server-ip-san", "127.0.0.1", 0, []),
    ("server-ip-san", "::1", 0, []),
    ("server-ip-san", "127.0.0.2", 32, ["name-mismatch"]),
    ("server-ip-san", "localhost", 32, ["name-mismatch"]),
    ("server-ip-in-dns", "127.0.0.1", 32, ["name-mismatch"]),
    ("server-wildcard", "foo.example.test", 0, []),
    ("server-wildcard", "a.b.example.test", 32, ["name-mismatch"]),
    ("server-wildcard", "example.test", 32, ["name-mismatch"]),
    ("server-wrong-eku", "localhost", 30, ["ext-key-usage"]),
    ("server-sha1", "localhost", 34, ["weak-hash"]),
    ("server-rsa1024", "localhost", 34, ["weak-key"]),
    ("server-expired-untrusted", "localhost", 30, ["untrusted", "expired"]),
    ("server-idn", "xn--bcher-kva.example", 0, []),
)


def openssl(test, name, _):
    """s_server sends the first certificate, and the chain it is given."""
    with open(cert(name + ".pem"), encoding="ascii") as f:
        chain = f.read().split("-----BEGIN")[2:]
    options = ["-rev"]
    if chain:
        path = test.file("chain.pem", "".join("-----BEGIN" + c for c in chain))
        options += ["-cert_chain", path]
    return peers.listening_port(peers.openssl_server(
        test, *options, "-cipher", "DEFAULT@SECLEVEL=0", name=name)), None


def mptls(test, name, version):
    s, port = test.serve("--max-version", version, name=name)
    return port, s


def one(start, name, asked, status, flags, version, test):
    port, server = start(test, name, version)
    p = test.connect(port, "--min-version", version, "--max-version", version,
                     name=asked)
    p.feed(b"hello\n", end=True)
    if server:
        server.end()
    p.done(status, "verify" if status else None, flags=flags,
           out=b"" if server or status else b"olleh\n",
           version=None if status else version)
    if server and status:
        server.done((22, 37), "alert", out=b"")
    elif server:
        server.done(out=b"hello\n", notified=True)


def huge(version, test):
    """Mbed TLS takes 16 KB in one message: our limit, not the peer's fault."""
    port, _ = openssl(test, "server-huge-chain", version)
    p = test.connect(port, "--min-version", version, "--max-version", version)
    p.done((4, 51), "tls", out=b"")


def huge_of_ours(version, test):
    """Nor the client's."""
    s = test.run_mptls("serve", "127.0.0.1:0", "--max-version", version,
                       "--cert", cert("server-huge-chain.pem"),
                       "--key", cert("server-huge-chain-key.pem"))
    for port in s.ports():
        test.connect(port).wait()
    s.done((3, 4, 51), "tls", out=b"")


def wrong_eku_of_ours(test):
    """Mbed TLS never picks it, so that it is refused at once."""
    s = test.run_mptls("serve", "127.0.0.1:0",
                       "--cert", cert("server-wrong-eku.pem"),
                       "--key", cert("server-wrong-eku-key.pem"))
    s.done(3, "tls", out=b"", text="extKeyUsage")


def unicode_name(test):
    """Refused before anything is sent."""
    _, port = test.listen()
    test.connect(port, name="b\u00fccher.example").done(2, "usage")


def optional(test):
    """Reports what it found, and goes on."""
    port = peers.openssl_rev(test, name="server-expired-untrusted")
    p = test.run_mptls("connect", "127.0.0.1:%d" % port, "--cadata",
                       cert("root.der"), "--server-hostname", "localhost",
                       "--verify", "optional").feed(b"hello\n", end=True)
    r = p.done(out=b"olleh\n", flags=["untrusted", "expired"])
    same("verified", r["verify"]["verified"], False)


def tests():
    for version in ("1.2", "1.3"):
        for name, asked, status, flags in CASES:
            end = "%s as %s, TLS %s" % (name, asked, version)
            case = name, asked, status, flags, version
            yield "s_server, " + end, functools.partial(one, openssl, *case)
            if name != "server-wrong-eku":
                yield "serve, " + end, functools.partial(one, mptls, *case)
        end = "server-huge-chain, TLS " + version
        yield "s_server, " + end, functools.partial(huge, version)
        yield "serve, " + end, functools.partial(huge_of_ours, version)
    yield "serve, server-wrong-eku", wrong_eku_of_ours
    yield "bücher.example", unicode_name
    yield "--verify optional", optional

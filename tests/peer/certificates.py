"""Every certificate with a defect, and the name it is asked for by."""
import functools

import peers
from harness import Failed, cert, same

# Judged with root as the only trusted one: certificate, --server-hostname,
# status, flags, findings, words of the first finding
CASES = (
    ("server-ec256", "localhost", 0, [], [], ""),
    ("server-ec384", "localhost", 0, [], [], ""),
    ("server-rsa2048", "localhost", 0, [], [], ""),
    ("server-chain", "localhost", 0, [], [], ""),
    ("server-extra", "localhost", 0, [], ["unnecessary"],
     "730 of the 1599 bytes sent are not needed: certificates 2 (CN=mptls "
     "test root, 364 bytes), 3 (CN=mptls other root, 366 bytes)"),
    ("server-expired", "localhost", 31, ["expired"], ["clock-late"],
     "days late; the chain is valid from 2020-01-01T00:00:00Z to "
     "2021-01-01T00:00:00Z"),
    ("server-not-yet-valid", "localhost", 31, ["not-yet-valid"],
     ["clock-early"],
     "days early; the chain is valid from 2059-01-01T00:00:00Z to "
     "2060-01-01T00:00:00Z"),
    ("server-expired-untrusted", "localhost", 30, ["untrusted", "expired"],
     ["unknown-root"], "leads to CN=mptls other root, which is not trusted"),
    ("server-wrong-host", "localhost", 32, ["name-mismatch"],
     ["name-mismatch"], "not for localhost but for DNS:other.example"),
    ("server-no-san", "localhost", 32, ["name-mismatch"],
     ["name-only-in-cn"], "localhost only as its common name"),
    ("server-ip-san", "127.0.0.1", 0, [], [], ""),
    ("server-ip-san", "::1", 0, [], [], ""),
    ("server-ip-san", "127.0.0.2", 32, ["name-mismatch"], ["name-mismatch"],
     "IP:127.0.0.1, IP:::1"),
    ("server-ip-san", "localhost", 32, ["name-mismatch"], ["name-mismatch"],
     "IP:127.0.0.1, IP:::1"),
    ("server-ip-in-dns", "127.0.0.1", 32, ["name-mismatch"],
     ["address-as-name"], "counts only as an iPAddress"),
    ("server-wildcard", "foo.example.test", 0, [], [], ""),
    ("server-wildcard", "a.b.example.test", 32, ["name-mismatch"],
     ["name-mismatch"], "DNS:*.example.test; a * stands for one label"),
    ("server-wildcard", "example.test", 32, ["name-mismatch"],
     ["name-mismatch"], "DNS:*.example.test; a * stands for one label"),
    ("server-wildcard-mid", "foo.bar.example.test", 32, ["name-mismatch"],
     ["name-mismatch"], "a * stands for one label, the whole first one"),
    ("server-wildcard-mid", "board.test", 32, ["name-mismatch"],
     ["name-mismatch"], "the whole first one, before two more"),
    ("server-idn", "xn--bcher-kva.example", 0, [], [], ""),
    ("server-reversed-chain", "localhost", 0, [],
     ["wrong-order", "unnecessary"],
     "certificate 2 (CN=mptls test intermediate) is signed by certificate 1"),
    ("server-self-signed", "localhost", 30, ["untrusted"], ["self-signed"],
     "certificate 0 (CN=localhost) is signed by its own key"),
    ("server-ca-same-name", "localhost", 30, ["untrusted"],
     ["ca-other-key"], "named CN=mptls test root has another key"),
    ("server-path-too-long", "localhost", 30, ["untrusted"],
     ["path-too-long"], "CN=mptls test intermediate does not allow as many"),
    ("server-from-leaf", "localhost", 30, ["untrusted"], ["issuer-not-ca"],
     "CN=other.example signed certificate 0 (CN=localhost), and is not a CA"),
    ("server-issuer-same-name", "localhost", 30, ["untrusted"],
     ["issuer-other-key"],
     "the CN=mptls test intermediate that was sent has another key"),
    ("server-missing-intermediate", "localhost", 30, ["untrusted"],
     ["missing-intermediate"],
     "CN=mptls test intermediate, which signed certificate 0 (CN=localhost), "
     "was not sent"),
    ("server-aia", "localhost", 30, ["untrusted"], ["missing-intermediate"],
     "it is at http://ca.example/intermediate.der"),
    ("server-unknown-root", "localhost", 30, ["untrusted"], ["unknown-root"],
     "leads to CN=mptls other root, which is not trusted"),
    ("server-wrong-eku", "localhost", 30, ["ext-key-usage"],
     ["wrong-purpose"], "is for clientAuth (extKeyUsage), and a server's "
     "needs serverAuth"),
    ("server-wrong-ku", "localhost", 30, ["key-usage"], ["wrong-purpose"],
     "is for keyCertSign (keyUsage), and a server's needs digitalSignature"),
    ("server-wrong-eku-ca", "localhost", 30, ["ext-key-usage"],
     ["wrong-purpose"], "certificate 1 (CN=mptls test for clients) is for "
     "clientAuth"),
    ("server-sha1", "localhost", 34, ["weak-hash"], ["weak"],
     "is signed with a weak hash, ECDSA with SHA1: SHA-256"),
    ("server-rsa1024", "localhost", 34, ["weak-key"], ["weak"],
     "certificate 0 (CN=localhost) has a weak key, RSA 1024: RSA of 2048"),
    ("server-weak-ca", "localhost", 34, ["weak-key"], ["weak"],
     "certificate 1 (CN=mptls test weak) has a weak key, RSA 1024"),
)

# The same of clients: certificate, status, flags, findings, words
CLIENTS = (
    ("client-ec256", 0, [], [], ""),
    ("client-rsa2048", 0, [], [], ""),
    ("client-expired", 31, ["expired"], ["clock-late"], "days late"),
    ("client-other", 30, ["untrusted"], ["unknown-root"],
     "leads to CN=mptls other root"),
    ("client-self-signed", 30, ["untrusted"], ["self-signed"],
     "certificate 0 (CN=mptls test client) is signed by its own key"),
    ("client-missing-intermediate", 30, ["untrusted"],
     ["missing-intermediate"], "CN=mptls test intermediate, which signed"),
    ("client-sha1", 34, ["weak-hash"], ["weak"], "ECDSA with SHA1"),
    ("server-ec256", 30, ["ext-key-usage"], ["wrong-purpose"],
     "is for serverAuth (extKeyUsage), and a client's needs clientAuth"),
)

# Mbed TLS never picks them for a server.
NOT_FOR_SERVERS = "server-wrong-eku", "server-wrong-ku"


def found(report, findings, words):
    """The findings; what the first says, and that it is told as the cause."""
    same("findings", [f["name"] for f in report["findings"]], findings)
    if findings and words not in report["findings"][0]["text"]:
        raise Failed("no %r in %r" % (words, report["findings"][0]["text"]))
    if report["error"]:
        same("the cause", report["error"]["cause"]["what"],
             report["findings"][0]["text"])


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


def one(start, version, name, asked, status, flags, findings, words, test):
    port, server = start(test, name, version)
    p = test.connect(port, "--min-version", version, "--max-version", version,
                     name=asked)
    p.feed(b"hello\n", end=True)
    if server:
        server.end()
    r = p.done(status, "verify" if status else None, flags=flags,
               out=b"" if server or status else b"olleh\n",
               version=None if status else version)
    found(r, findings, words)
    if server and status:
        server.done((22, 37), "alert", out=b"")
    elif server:
        server.done(out=b"hello\n", notified=True)


def client(version, ours, name, status, flags, findings, words, test):
    """serve judges one."""
    s, port = test.serve("--verify", "required", "--cadata", cert("root.der"),
                         "--max-version", version)
    pair = cert(name + ".pem"), cert(name + "-key.pem")
    if ours:
        c = test.connect(port, "--cert", pair[0], "--key", pair[1])
    else:
        # Not told of the root, s_client does not send it along.
        c = test.spawn("openssl", "s_client", "-connect",
                       "127.0.0.1:%d" % port, "-quiet", "-no_ign_eof",
                       "-cert", pair[0], "-key", pair[1],
                       "-cipher", "DEFAULT@SECLEVEL=0")
    c.feed(b"hello\n", end=True)
    s.end()
    r = s.done(status, "verify" if status else None, flags=flags,
               out=b"" if status else b"hello\n")
    found(r, findings, words)
    c.wait()


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
        for case in CASES:
            end = "%s as %s, TLS %s" % (*case[:2], version)
            yield ("s_server, " + end,
                   functools.partial(one, openssl, version, *case))
            if case[0] not in NOT_FOR_SERVERS:
                yield ("serve, " + end,
                       functools.partial(one, mptls, version, *case))
        for case in CLIENTS:
            end = "%s, TLS %s" % (case[0], version)
            yield ("s_client, " + end,
                   functools.partial(client, version, False, *case))
            yield ("connect, " + end,
                   functools.partial(client, version, True, *case))
        end = "server-huge-chain, TLS " + version
        yield "s_server, " + end, functools.partial(huge, version)
        yield "serve, " + end, functools.partial(huge_of_ours, version)
    yield "serve, server-wrong-eku", wrong_eku_of_ours
    yield "bücher.example", unicode_name
    yield "--verify optional", optional

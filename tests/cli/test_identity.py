"""serve with several certificates: which of them a client is shown."""
import signal

from harness import cert, each, test

EC = "server-ec256"          # localhost and its addresses
RSA = "server-rsa2048"       # the same
P384 = "server-ec384"        # the same
WILD = "server-wildcard"     # *.example.test
OTHER = "server-wrong-host"  # other.example

SUBJECT = {EC: "CN=localhost", RSA: "CN=localhost", P384: "CN=localhost",
           WILD: "CN=*.example.test", OTHER: "CN=other.example"}
KEY = {EC: "EC 256", RSA: "RSA 2048", P384: "EC 384", WILD: "EC 256",
       OTHER: "EC 256"}
ONLY_RSA = ("--ciphers", "ECDHE-RSA-AES128-GCM-SHA256")
ONLY_EC = ("--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256")


def pairs(*names):
    return [word for name in names
            for word in ("--cert", cert(name + ".pem"),
                         "--key", cert(name + "-key.pem"))]


def shown(t, server, name, *args):
    """Subject and key of what a client meets that asks for this name."""
    r = t.check(server, "--verify", "none", "--server-hostname", name, *args,
                ca=None)
    t.eq(r.status, 0, "status of " + r.err)
    sent = r.report["verify"]["sent"][0]
    return sent["subject"], sent["key"], sent["sha256"]


# name, the server's pairs, name asked for, client's options, pair that is shown
ROWS = [
    ("the second by its name", (EC, OTHER), "other.example", (), OTHER),
    ("the first by its name", (EC, OTHER), "localhost", (), EC),
    ("in the other order", (OTHER, EC), "localhost", (), EC),
    ("a wildcard", (EC, WILD), "a.example.test", (), WILD),
    ("no wildcard for two labels", (EC, WILD), "a.b.example.test", (), EC),
    ("case", (EC, OTHER), "OTHER.Example", (), OTHER),
    ("the first for nobody's name", (WILD, OTHER), "nobody.example", (), WILD),
    ("the first for no name", (WILD, OTHER), "", (), WILD),
    ("the first for an address", (WILD, EC), "127.0.0.1", (), WILD),
    ("RSA where only that will do", (EC, RSA), "localhost", ONLY_RSA, RSA),
    ("EC where only that will do", (RSA, EC), "localhost", ONLY_EC, EC),
    ("the suite's type where both do in TLS 1.2", (EC, RSA), "localhost",
     ("--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305,"
      "ECDHE-RSA-CHACHA20-POLY1305"), RSA),
    ("the signature's where both do in TLS 1.3", (RSA, P384, EC), "localhost",
     ("--min-version", "1.3"), EC),
    ("RSA for no name", (WILD, OTHER, RSA), "", ONLY_RSA, RSA),
    ("by name and type", (OTHER, EC, WILD, RSA), "localhost", ONLY_RSA, RSA),
    ("the first of two of a kind", (P384, EC), "localhost",
     ("--max-version", "1.2"), P384),
    ("the name's in TLS 1.2", (EC, OTHER), "other.example",
     ("--max-version", "1.2"), OTHER),
    ("the name's in TLS 1.3", (EC, OTHER), "other.example",
     ("--min-version", "1.3"), OTHER),
]


@each(ROWS)
def identity_chosen(t, given, name, options, wanted):
    server = t.serve("-v", *pairs(*given), name=None)
    subject, key, sha256 = shown(t, server, name, *options)
    t.eq((subject, key), (SUBJECT[wanted], KEY[wanted]), "what is shown")
    r = t.ok(server.wait())
    own = r.report["tls"]["certificate"]
    t.eq((own["subject"], own["sha256"]), (subject, sha256), "what is told")
    t.has(r.err, "mptls: our certificate: %s (%s), names " % (subject, key))


@test
def identity_of_the_name_only(t):
    """A name has a certificate, but of the wrong kind: another's is no help."""
    server = t.serve(*pairs(WILD, RSA), name=None)
    r = t.check(server, "--server-hostname", "a.example.test", *ONLY_RSA)
    t.eq(r.status, 22, "the client's status")
    r = server.wait()
    t.bad(r, 21, "tls", -0x6E00)
    t.eq(r.report["findings"][0]["name"], "cipher-wants-other-key", "finding")
    t.has(r.report["findings"][0]["text"], "ours has an EC key")
    t.eq(r.report["tls"]["certificate"], None, "certificate")
    t.eq([x for x in r.report["offers"]["ours"]["ciphers"] if "_RSA_" in x],
         [], "suites with RSA")


@test
def identity_of_a_client_is_told(t):
    pair = ("--cert", cert("client-ec256.pem"),
            "--key", cert("client-ec256-key.pem"))
    server = t.serve("--verify", "required", "--cafile", cert("root.pem"),
                     "--keep-open")
    own = t.check(server, *pair).report["tls"]["certificate"]
    t.eq(own["subject"], "CN=mptls test client", "the client's")
    server.signal(signal.SIGTERM)
    r = server.wait()
    t.eq(r.reports[0]["verify"]["sent"][0]["sha256"], own["sha256"], "hash")
    server = t.serve("--keep-open")
    t.eq(t.check(server, *pair).report["tls"]["certificate"], None,
         "of a client that was not asked")
    server.signal(signal.SIGTERM)
    server.wait()


@test
def identity_is_read_again(t):
    """All pairs are."""
    server = t.serve(*pairs(EC, OTHER), "--keep-open", name=None)
    before = shown(t, server, "other.example")
    server.signal(signal.SIGHUP)
    t.eq(shown(t, server, "other.example"), before, "what is shown")
    server.signal(signal.SIGTERM)
    t.has(server.wait().err, "mptls: reloaded: ")


BAD = [
    ("two certs and a key", pairs(EC) + ["--cert", cert("server-ec384.pem")],
     "each --cert wants a --key: there are 2 and 1"),
    ("a cert and two keys", pairs(EC) + ["--key", cert("root-key.pem")],
     "each --cert wants a --key: there are 1 and 2"),
    ("two certs and no key", pairs(EC)[:2] * 2, "--cert wants --key beside it"),
]


@each(BAD)
def identity_refused(t, words, said):
    t.usage(["serve", *words, "127.0.0.1:0"], said, command="serve")


@each([("connect", "connect"), ("check", "check")])
def identity_one_for(t, command):
    t.usage([command, *pairs(EC, RSA), "localhost:1"],
            "only serve takes more than one --cert and --key", command=command)


@test
def identity_that_is_bad_is_named(t):
    """The pair that it is, and no other."""
    r = t.run("serve", *pairs(EC), "--cert", cert(P384 + ".pem"), "--key",
              cert(RSA + "-key.pem"), "127.0.0.1:0")
    t.bad(r, 3, "tls", -0x3F00, "the key is not that of the certificate "
          "(--cert certs/server-ec384.pem, --key certs/server-rsa2048-key.pem)")
    r = t.run("serve", *pairs(EC), "--cert", cert("none.pem"), "--key",
              cert(RSA + "-key.pem"), "127.0.0.1:0")
    t.bad(r, 3, "file", 2, "--cert: read certs/none.pem")

"""Who the peer is: what connect and serve accept, and what they call a
refusal."""
import os
import shutil

from harness import Failed, cert, each, read_file, test

# MBEDTLS_X509_BADCERT_* bits
EXPIRED, CN_MISMATCH, NOT_TRUSTED, FUTURE = 0x01, 0x04, 0x08, 0x0200
BAD_MD, BAD_KEY = 0x4000, 0x10000

# name, server's certificate, --server-hostname, status, the bits
REFUSED = [
    ("another root", "server-expired-untrusted", "localhost", 30,
     NOT_TRUSTED | EXPIRED),
    ("self-signed", "server-self-signed", "localhost", 30, NOT_TRUSTED),
    ("a missing intermediate", "server-missing-intermediate", "localhost", 30,
     NOT_TRUSTED),
    ("expired", "server-expired", "localhost", 31, EXPIRED),
    ("not yet valid", "server-not-yet-valid", "localhost", 31, FUTURE),
    ("wrong host", "server-wrong-host", "localhost", 32, CN_MISMATCH),
    ("only a CN", "server-no-san", "localhost", 32, CN_MISMATCH),
    ("SHA-1", "server-sha1", "localhost", 34, BAD_MD),
    ("RSA-1024", "server-rsa1024", "localhost", 34, BAD_KEY),
    ("an address as a name", "server-ip-in-dns", "127.0.0.1", 32,
     CN_MISMATCH),
    ("a wildcard too high", "server-wildcard", "example.test", 32,
     CN_MISMATCH),
    ("a wildcard too deep", "server-wildcard", "a.b.example.test", 32,
     CN_MISMATCH),
]


@each(REFUSED)
def refused(t, name, hostname, status, bits):
    server = t.serve(name=name)
    r = t.connect(server, "--server-hostname", hostname,
                  stdin=b"secret").wait()
    t.bad(r, status, "verify", bits)
    t.eq((r.report["verify"]["verified"], r.report["bytes"]["out"]),
         (False, 0), "verified and bytes out")
    s = server.wait()
    if s.status not in (22, 37):  # told by an alert, not left to guess
        raise Failed("the server exits %d: %s" % (s.status, s.err))
    t.eq(s.error["origin"], "alert", "the server's origin")


@each([("a wildcard", "server-wildcard", "a.example.test"),
       ("a chain", "server-chain", "localhost"),
       ("a reversed chain", "server-reversed-chain", "localhost"),
       ("an address", "server-ip-san", "127.0.0.1"),
       ("a trailing dot", "server-ec256", "localhost."),
       ("upper case", "server-ec256", "LOCALHOST"),
       ("an A-label", "server-idn", "xn--bcher-kva.example")])
def accepted(t, name, hostname):
    server = t.serve(name=name, stdin=b"x")
    r = t.ok(t.connect(server, "--server-hostname", hostname).wait(), b"x")
    t.eq((r.report["verify"]["verified"], r.report["verify"]["name"]),
         (True, hostname), "verified and name")
    t.ok(server.wait())


@test
def optional_reports_and_goes_on(t):
    server = t.serve(name="server-self-signed", stdin=b"x")
    r = t.connect(server, "--verify", "optional").wait()
    t.ok(r, b"x")
    verify = r.report["verify"]
    t.eq((verify["mode"], verify["verified"], verify["flags"]),
         ("optional", False, ["untrusted"]), "the verification")
    t.eq(verify["chain"][0]["flags"], ["untrusted"], "the leaf's flags")
    t.ok(server.wait())


@test
def none_goes_on_with_one_warning(t):
    server = t.serve(name="server-wrong-host", stdin=b"x")
    r = t.connect(server, "--verify", "none", ca=None).wait()
    t.ok(r, b"x")
    t.eq(r.err, "mptls: not verifying the peer: it could be anyone\n",
         "stderr")
    t.eq(r.report["verify"]["verified"], False, "verified")
    t.ok(server.wait())


@test
def an_empty_server_hostname_waives_the_name(t):
    server = t.serve(name="server-wrong-host", stdin=b"x")
    r = t.connect(server, "--server-hostname", "").wait()
    t.ok(r, b"x")
    t.eq(r.err, "mptls: not verifying the peer's name\n", "stderr")
    t.eq((r.report["verify"]["verified"], r.report["verify"]["name"]),
         (True, None), "verified and name")
    t.ok(server.wait())
    server = t.serve(name="server-self-signed")
    r = t.connect(server, "--server-hostname", "").wait()
    t.bad(r, 30, "verify", NOT_TRUSTED)


@test
def the_host_is_the_name_unless_another_is_given(t):
    server = t.serve(name="server-ip-san", stdin=b"x")
    t.ok(t.connect(server).wait(), b"x")
    server.wait()
    server = t.serve(name="server-ip-san")
    r = t.connect(server, "--server-hostname", "localhost").wait()
    t.bad(r, 32, "verify", CN_MISMATCH, "localhost")


@test
def the_system_store_by_file(t):
    server = t.serve(stdin=b"x")
    r = t.connect(server, ca=None,
                  env={"SSL_CERT_FILE": cert("root.pem")}).wait()
    t.ok(r, b"x")
    t.has(r.report["verify"]["trust"], cert("root.pem"))
    t.ok(server.wait())


@test
def the_system_store_by_directory(t):
    store = t.dir + "/store"
    os.mkdir(store)
    os.mkdir(store + "/directory")
    for name in ("root.pem", "other-root.pem"):
        shutil.copy(os.path.join(os.path.dirname(__file__), "..", "..",
                                 cert(name)), store)
    with open(store + "/README", "w") as f:
        f.write("not a certificate\n")
    os.symlink("nowhere", store + "/dangling")
    for env in ({"SSL_CERT_DIR": store},
                {"SSL_CERT_DIR": store,
                 "SSL_CERT_FILE": cert("other-root.pem")}):
        server = t.serve(stdin=b"x")
        r = t.connect(server, ca=None, env=env).wait()
        t.ok(r, b"x")
        t.has(r.report["verify"]["trust"], store)
        t.ok(server.wait())


@test
def a_store_of_links_is_read_through_them(t):
    store = t.dir + "/links"
    os.mkdir(store)
    top = os.path.join(os.path.dirname(__file__), "..", "..")
    for name, file in (("0.pem", "other-root.pem"), ("1.pem", "root.pem"),
                       ("0123abcd.0", "other-root.pem"),
                       ("89abcdef.0", "root.pem")):
        os.symlink(os.path.abspath(os.path.join(top, cert(file))),
                   store + "/" + name)
    for env in ({"SSL_CERT_DIR": store},
                {"SSL_CERT_DIR": store, "SSL_CERT_FILE": store + "/0.pem"},
                {"SSL_CERT_DIR": store, "SSL_CERT_FILE": store + "/1.pem"}):
        server = t.serve(stdin=b"x")
        t.ok(t.connect(server, ca=None, env=env).wait(), b"x")
        t.ok(server.wait())


@test
def a_store_without_the_root_trusts_nobody(t):
    server = t.serve()
    r = t.connect(server, ca=None,
                  env={"SSL_CERT_FILE": cert("other-root.pem")}).wait()
    t.bad(r, 30, "verify", NOT_TRUSTED)


@test
def cafile_is_in_place_of_the_store(t):
    server = t.serve()
    r = t.connect(server, ca="other-root.pem",
                  env={"SSL_CERT_FILE": cert("root.pem")}).wait()
    t.bad(r, 30, "verify", NOT_TRUSTED)


@test
def a_bundle_is_trusted_whole(t):
    bundle = t.named(read_file(cert("other-root.pem")) +
                     read_file(cert("root.pem")))
    server = t.serve(stdin=b"x")
    r = t.connect(server, "--cafile", bundle, ca=None).wait()
    t.ok(r, b"x")


# name, version, connect's options, serve's status, origin, code; connect's
# status, origin, code
CLIENTS = [
    ("none, TLS 1.3", "1.3", [], 36, "tls", -0x7480, 37, "alert", 41),
    ("none, TLS 1.2", "1.2", [], 36, "tls", -0x7480, None, "alert", None),
    ("of another root, TLS 1.3", "1.3", ["client-other"],
     30, "verify", NOT_TRUSTED, 37, "alert", 48),
    ("of another root, TLS 1.2", "1.2", ["client-other"],
     30, "verify", NOT_TRUSTED, 37, "alert", 48),
]


def client_pair(names):
    return [w for n in names for w in ("--cert", cert(n + ".pem"),
                                       "--key", cert(n + "-key.pem"))]


@each(CLIENTS)
def client_certificate(t, version, names, s_status, s_origin, s_code,
                       c_status, c_origin, c_code):
    server = t.serve("--verify", "required", "--cafile", cert("root.pem"),
                     "--max-version", version)
    r, w = t.pipe()
    client = t.connect(server, *client_pair(names), stdin=r)
    c = client.wait()
    t.bad(server.wait(), s_status, s_origin, s_code)
    t.bad(c, c_status or c.status, c_origin,
          c.error["code"] if c_code is None else c_code)
    if c.status not in (22, 37):
        raise Failed("the client exits %d: %s" % (c.status, c.err))


@each([("TLS 1.2", "1.2"), ("TLS 1.3", "1.3")])
def client_certificate_accepted(t, version):
    server = t.serve("--verify", "required", "--cafile", cert("root.pem"),
                     "--max-version", version, "-v", stdin=b"x")
    r = t.connect(server, *client_pair(["client-ec256"])).wait()
    t.ok(r, b"x")
    s = t.ok(server.wait())
    t.eq((s.report["verify"]["mode"], s.report["verify"]["verified"]),
         ("required", True), "the server's verification")
    t.has(s.report["verify"]["chain"][0]["subject"], "mptls test client")


@test
def mp_defaults_verify_nothing(t):
    server = t.serve(name="server-self-signed", stdin=b"x")
    r = t.connect(server, "--mp-defaults", ca=None,
                  env={"SSL_CERT_FILE": "none/none.pem"}).wait()
    t.ok(r, b"x")  # the store is not even looked for
    t.eq(r.err, "mptls: not verifying the peer: it could be anyone\n",
         "stderr")
    t.eq((r.report["verify"]["mode"], r.report["verify"]["name"],
          r.report["verify"]["trust"]), ("none", None, None), "verification")
    t.eq(r.report["tls"]["close_notify_sent"], False, "close_notify sent")


@test
def mp_defaults_with_required_verify(t):
    server = t.serve(name="server-self-signed")
    r = t.connect(server, "--mp-defaults", "--verify", "required",
                  "--server-hostname", "localhost").wait()
    t.bad(r, 30, "verify", NOT_TRUSTED)


def hello_of(t, *args):
    """The ClientHello that connect sends to localhost."""
    s = t.listener()
    p = t.start("connect", *args, "localhost:%d" % s.getsockname()[1])
    c = t.accept(s)
    head = c.recv(5)
    hello = b""
    while len(hello) < head[3] * 256 + head[4]:
        hello += c.recv(4096)
    p.end()
    return hello


@each([("sent for a name", [], True),
       ("not with mp-defaults", ["--mp-defaults"], False),
       ("with mp-defaults and a name",
        ["--mp-defaults", "--server-hostname", "localhost"], True),
       ("not for an empty name", ["--server-hostname", ""], False),
       ("not for an address", ["--server-hostname", "127.0.0.1"], False)])
def sni(t, args, sent):
    hello = hello_of(t, *args)
    t.eq(b"localhost" in hello, sent, "the name in the hello")
    t.eq(b"127.0.0.1" in hello, False, "the address in the hello")

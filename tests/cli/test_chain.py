"""What verify says of a chain: the same as connect, without a connection."""
import ast
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading

from harness import (DEADLINE, ROOT, Failed, Skipped, cert, check_shape, each,
                     read_file, test)

ROOTS = ("--cafile", cert("root.pem"))
LOCALHOST = ("--server-hostname", "localhost")
# MBEDTLS_ERR_X509_INVALID_EXTENSIONS with MBEDTLS_ERR_ASN1_UNEXPECTED_TAG,
# and MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE
UNPROCESSED, POLICY = -9570, -8320


def peer_cases(name):
    """The tables of tests/peer, where connect and serve are held to them."""
    source = read_file("tests/peer/certificates.py")
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise Failed("tests/peer/certificates.py has no " + name)


def report_of(t, *args, **kw):
    """The Result of verify --json, and its report."""
    r = t.run("verify", "--json", *args, **kw)
    t.eq(r.err.count("{"), 0, "JSON on stderr")
    lines = r.out.decode().splitlines()
    t.eq(len(lines), 1, "the number of lines")
    report = json.loads(lines[0])
    check_shape(report)
    t.eq((report["v"], report["event"], report["command"], report["status"],
          report["ok"]), (1, "verify", "verify", r.status, r.status == 0),
         "v, event, command, status and ok")
    return r, report


def agree(t, report, r, status, flags, findings, words):
    """JSON and text tell the same: status, flags, findings, the change."""
    t.eq((report["status"], report["verify"]["flags"],
          [f["name"] for f in report["findings"]]),
         (status, flags, findings), "status, flags and findings")
    t.eq(r.status, status, "status beside text")
    said = " ".join(x.split(":", 1)[1].strip() for x in r.err.splitlines())
    for f in report["findings"] if status else []:
        t.has(said, *(x for x in (f["text"], f["here"], f["there"]) if x))
    t.has(report["findings"][0]["text"] if findings else "", words)


@each([("%s as %s" % row[:2],) + tuple(row) for row in peer_cases("CASES")])
def verify_as_connect_says(t, name, hostname, *said):
    args = (cert(name + ".pem"), "--server-hostname", hostname, "--cadata",
            cert("root.der"))
    _, report = report_of(t, *args)
    agree(t, report, t.run("verify", *args), *said)
    t.eq((report["verify"]["verified"], report["verify"]["name"],
          report["verify"]["trust"], report["verify"]["mode"]),
         (said[0] == 0, hostname, "--cadata", "required"), "verify")


@each([("%s as %s" % row[:2],) + tuple(row) for row in peer_cases("CASES")
       if row[0] not in peer_cases("NOT_FOR_SERVERS")])
def check_as_connect_says(t, name, hostname, *said):
    server = t.serve(name=name)
    r = t.check(server, "--server-hostname", hostname, "--cadata",
                cert("root.der"), ca=None)
    server.wait()
    agree(t, r.report, r, *said)


@each([row[:1] + tuple(row) for row in peer_cases("CLIENTS")])
def verify_as_serve_says(t, name, *said):
    args = (cert(name + ".pem"), "--purpose", "client", "--cadata",
            cert("root.der"))
    _, report = report_of(t, *args)
    agree(t, report, t.run("verify", *args), *said)
    t.eq((report["verify"]["verified"], report["verify"]["name"]),
         (said[0] == 0, None), "verify")


@test
def every_certificate_there_is_has_a_case(t):
    files = {f[:-4] for f in os.listdir(os.path.join(ROOT, "certs"))
             if f.startswith("server-") and f.endswith(".pem")
             and "-key" not in f}
    t.eq(files - {row[0] for row in peer_cases("CASES")},
         {"server-huge-chain", "server-revoked", "server-name-constraints",
          "server-rsa4096"},
         "those without a case")


@test
def a_revoked_server(t):
    args = (cert("server-revoked.pem"), *LOCALHOST, "--cadata",
            cert("root.der"), "--crl", cert("crl.pem"))
    _, report = report_of(t, *args)
    agree(t, report, t.run("verify", *args), 33, ["revoked"], ["revoked"],
          "serial number 1011) was revoked at 2020-06-01T00:00:00Z, by the "
          "CRL of CN=mptls test root")


@each([("not checked for a CRL", "server-revoked", 0, None),
       ("over one message", "server-huge-chain", 4, -0x6a00),
       ("constrained", "server-name-constraints", 23, UNPROCESSED)])
def other_servers(t, name, status, code):
    _, report = report_of(t, cert(name + ".pem"), *ROOTS, *LOCALHOST)
    t.eq((report["status"], report["error"] and report["error"]["code"]),
         (status, code), "status and code")


@each([("a client", "client-ec256", "client", 0, []),
       ("an RSA client", "client-rsa2048", "client", 0, []),
       ("of another root", "client-other", "client", 30, ["untrusted"]),
       ("a server", "server-ec256", "client", 30, ["ext-key-usage"]),
       ("a client for a server", "client-ec256", "server", 30,
        ["ext-key-usage"]),
       ("a server without the name", "server-wrong-host", "server", 0, [])])
def purpose(t, name, whose, status, flags):
    _, report = report_of(t, cert(name + ".pem"), *ROOTS, "--purpose", whose)
    t.eq((report["status"], report["verify"]["flags"],
          report["verify"]["name"]), (status, flags, None), "what is said")


# name, chain, --time, status, words
TIMES = [
    ("the day before", "server-ec256", "2019-12-31", 31,
     "certificate 0 (CN=localhost) is not valid yet (2020-01-01T00:00:00Z): "
     "the clock says 2019-12-31, 1 day early; certificate 1 "),
    ("a board's clock", "server-ec256", "2000-01-01T00:00:00Z", 31,
     "(2020-01-01T00:00:00Z): the clock says 2000-01-01, 7305 days early"),
    ("the first second", "server-ec256", "2020-01-01", 0, None),
    ("a second early", "server-ec256", "2019-12-31T23:59:59Z", 31,
     "the clock says 2019-12-31T23:59:59Z, 1 second early"),
    ("hours early", "server-ec256", "2019-12-31T21:59:59Z", 31,
     "the clock says 2019-12-31T21:59:59Z, 2 hours early"),
    ("now", "server-ec256", "now", 0, None),
    ("the past", "server-expired", "2020-06-01", 0, None),
    ("the last second", "server-expired", "2021-01-01T00:00:00Z", 0, None),
    ("a second late", "server-expired", "2021-01-01T00:00:01Z", 31,
     "has expired (2021-01-01T00:00:00Z): the clock says "
     "2021-01-01T00:00:01Z, 1 second late"),
    ("a leap day", "server-expired", "2024-02-29", 31, "1154 days late"),
    ("the future", "server-not-yet-valid", "2059-06-01", 0, None),
    ("the year 9999", "server-ec256", "9999-12-31T23:59:59Z", 31,
     "days late"),
    ("the year 0", "server-ec256", "0000-01-01", 31, "days early"),
    ("not only time", "server-expired-untrusted", "2030-01-01", 30,
     "has expired (2021-01-01T00:00:00Z)"),
]


@each(TIMES)
def time(t, name, when, status, words):
    args = (cert(name + ".pem"), *ROOTS, *LOCALHOST, "--time", when)
    r = t.run("verify", *args)
    t.eq(r.status, status, "status")
    t.has(r.err, words or "")
    if status == 30:
        t.eq("the clock says" in r.err, False, "the clock is blamed")
    _, report = report_of(t, *args)
    t.eq(report["status"], status, "status in JSON")


@each([(w, w) for w in (
    "", "yesterday", "2000", "2000-13-01", "2000-00-01", "2001-02-29",
    "1900-02-29", "2000-01-32", "2000-01-00", "2000-01-01T24:00:00Z",
    "2000-01-01T00:60:00Z", "2000-01-01T00:00:60Z", "2000-01-01T00:00:00",
    "2000-01-01T00:00:00+01:00", "2000-01-01T", "2000-1-1", "2000-01-01 ",
    "20000-01-01", "Now")])
def a_time_that_is_none(t, word):
    t.usage(["verify", cert("server-ec256.pem"), *ROOTS, "--time", word],
            "--time: '%s' is no time" % word, "2000-01-01T00:00:00Z",
            command="verify")


@test
def one_line_on_success(t):
    t.ok(t.run("verify", cert("server-ec256.pem"), *ROOTS),
         b"trusted: CN=localhost, by --cafile, until 2060-01-01\n")
    r = t.ok(t.run("verify", cert("server-expired.pem"), "--cadata",
                   cert("root.der"), "--time", "2020-06-01"),
             b"trusted: CN=localhost, by --cadata, until 2021-01-01\n")
    t.eq(r.err, "", "stderr")
    r = t.run("verify", cert("server-ec256.pem"),
              env={"SSL_CERT_FILE": cert("root.pem")})
    t.ok(r, b"trusted: CN=localhost, by the system's certs/root.pem, until "
         b"2060-01-01\n")


@test
def verbose_lists_what_was_checked(t):
    r = t.run("verify", "-v", cert("server-chain.pem"), *ROOTS, "--time",
              "2030-01-01")
    t.eq((r.status, r.err), (0, ""), "status and stderr")
    lines = r.out.decode().splitlines()
    t.has(lines.pop(), "note: what is trusted was given in PEM")
    t.eq(lines[1:4], ["purpose: server", "clock: 2030-01-01T00:00:00Z",
                      "name: not checked, no --server-hostname is given"],
         "what was checked")
    t.eq([x[:35] for x in lines[4:]],
         ["certificate 0: CN=localhost (EC 256",
          "certificate 1: CN=mptls test interm",
          "certificate 2: CN=mptls test root ("], "the chain")
    r = t.run("verify", "-v", cert("server-wrong-host.pem"), *ROOTS,
              *LOCALHOST)
    t.has(r.out.decode(), "name: localhost\n", "certificate 0: ",
          "DNS:other.example")
    t.has(r.err, "does not bear the name localhost", "micropython: ValueError")
    t.eq((r.status, b"trusted" in r.out), (32, False), "status and verdict")


@test
def every_form_of_a_chain(t):
    pem, der = (read_file(cert("server-ec256." + x)) for x in ("pem", "der"))
    said = b"trusted: CN=localhost, by --cafile, until 2060-01-01\n"
    both = t.named(der + read_file(cert("intermediate.pem")))
    for args, data in ((["-"], pem), (["-"], der),
                       ([cert("server-ec256.der")], None),
                       (["hex:" + der.hex()], None),
                       (["pem:" + pem.decode()], None),
                       (["fd:0"], pem), (["--", "-"], der)):
        r = t.run("verify", *ROOTS, *args,
                  **({"stdin": data} if data else {}))
        t.ok(r, said)
    r = t.run("verify", *ROOTS, both)  # DER before PEM is neither
    t.eq(r.status, 3, "status of DER with PEM behind it")
    bundle = t.named(b"text\n" + read_file(cert("server-ec256-key.pem")) + pem)
    t.ok(t.run("verify", *ROOTS, bundle), said)
    chain = der + read_file(cert("root.der"))
    t.ok(t.run("verify", *ROOTS, "-", stdin=chain), said)


@test
def a_bundle_in_the_wrong_order(t):
    leaf = read_file(cert("server-missing-intermediate.pem"))
    ca = read_file(cert("intermediate.pem"))
    r = t.run("verify", t.named(ca + leaf), *ROOTS, *LOCALHOST)
    t.eq((r.status, r.out), (30, b""), "status and stdout")
    t.has(r.err, "why: certificate 0 (CN=mptls test intermediate) is a CA's",
          "there: send CN=localhost first",
          "has a keyUsage that does not allow this")
    r = t.ok(t.run("verify", t.named(leaf + ca), *ROOTS, *LOCALHOST),
             b"trusted: CN=localhost, by --cafile, until 2060-01-01\n")
    t.eq(r.err, "", "stderr")


@test
def json_into_a_file(t):
    name = t.path("json")
    r = t.run("verify", "--json=" + name, cert("server-expired.pem"), *ROOTS)
    t.eq((r.status, r.out), (31, b""), "status and stdout")
    t.has(r.err, "has expired")
    report = json.loads(read_file(name))
    check_shape(report)
    t.eq((report["class"], report["stage"], report["target"],
          report["verify"]["chain"][0]["flags"]),
         ("expired", "handshake", cert("server-expired.pem"), ["expired"]),
         "the report")


# name, arguments, status, what stderr has
BAD = [
    ("no file", ["none/none.pem"], 3, "none/none.pem"),
    ("a folder", ["certs"], 3, "certs"),
    ("a key", [cert("server-ec256-key.pem")], 3,
     "certs/server-ec256-key.pem: there is no certificate"),
    ("a DER key", [cert("server-ec256-key.der")], 3,
     "certs/server-ec256-key.der: certificate 0"),
    ("a CRL", [cert("crl.pem")], 3, "certs/crl.pem"),
    ("a text", ["README.md"], 3, "README.md"),
    ("half a certificate", ["hex:3082"], 3, "hex:: certificate 0 is neither"),
    ("not base64", ["base64:!"], 2, "base64: not a base64 digit"),
    ("a descriptor that is none", ["fd:x"], 2, "fd"),
    ("nothing on stdin", ["-"], 3, "stdin: there is no certificate"),
    ("no chain", [], 2, "verify wants CHAIN"),
    ("two chains", ["a", "b"], 2, "b"),
    ("a purpose", [cert("root.pem"), "--purpose", "sever"], 2,
     "'sever' is not one of server, client; did you mean server?"),
    ("both kinds of CA", [cert("root.pem"), "--cadata", "x"], 2,
     "--cafile and --cadata"),
    ("a client's name", [cert("root.pem"), "--purpose", "client",
                         "--server-hostname", "x"], 2, "--purpose server"),
    ("a name", [cert("root.pem"), "--server-hostname", "b\u00fccher"], 2,
     "b"),
]


@each(BAD)
def bad_input(t, args, status, words):
    r = t.run("verify", *ROOTS, *args)
    t.eq((r.status, r.out), (status, b""), "status and stdout")
    t.has(r.err, words)
    _, report = report_of(t, *ROOTS, *args)
    t.eq((report["status"], report["stage"], report["verify"]["chain"]),
         (status, "setup", []), "the report")


@test
def a_bad_ca(t):
    chain = cert("server-ec256.pem")
    r = t.run("verify", chain, "--cafile", "none.pem")
    t.eq(r.status, 3, "status")
    t.has(r.err, "--cafile: ", "none.pem")
    r = t.run("verify", chain, "--cadata", cert("crl.pem"))
    t.eq(r.status, 3, "status")
    r = t.run("verify", chain, env={"SSL_CERT_FILE": cert("other-root.pem")})
    t.eq(r.status, 30, "status with another store")


@test
def a_report_that_cannot_be_written(t):
    for args in ([], ["--json"], ["-v"]):
        with open("/dev/full", "wb") as full:
            r = t.run("verify", cert("server-ec256.pem"), *ROOTS, *args,
                      stdout=full, report=False)
        t.eq(r.status, 1, "status")


# Odd certificates, made here.

CA = "basicConstraints=critical,CA:TRUE%s\nkeyUsage=critical,keyCertSign"
LEAF = "subjectAltName=DNS:localhost"
GOOD = CA % ""
NARROW = "nameConstraints=%spermitted;DNS:.example.org"


def issue(t, subject, extensions, issuer=None, key="P-256"):
    """(certificate, key), signed by another such pair or by itself."""
    if shutil.which("openssl") is None:
        raise Skipped("no openssl here")
    config = t.named(b"[req]\ndistinguished_name=dn\n[dn]\n[e]\n" +
                     extensions.encode() + b"\n", "cnf")
    made, made_key = t.path("pem"), t.path("key")
    signer = ("-CA", issuer[0], "-CAkey", issuer[1]) if issuer else ()
    p = subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:" + key, "-subj", "/CN=" + subject, "-days",
         "3650", "-config", config, "-extensions", "e", "-keyout", made_key,
         "-out", made, *signer], stdin=subprocess.DEVNULL,
        capture_output=True, timeout=DEADLINE, check=False)
    if p.returncode != 0:
        raise Failed("openssl: %s" % p.stderr.decode())
    return made, made_key


def bundle(t, *pairs):
    data = b""
    for name, _ in pairs:
        with open(name, "rb") as f:
            data += f.read()
    return t.named(data, "pem")


def connect_to(t, chain, key, ca):
    """connect's report on a server with this chain."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listener = t.listener()

    def serve():
        try:
            s = listener.accept()[0]
            s.settimeout(DEADLINE)
            with context.wrap_socket(s, server_side=True) as c:
                c.recv(1)
                c.unwrap()
        except (OSError, ssl.SSLError, socket.timeout):
            pass  # what connect says is looked at

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    r = t.run("connect", "--cafile", ca, *LOCALHOST,
              "127.0.0.1:%d" % listener.getsockname()[1])
    thread.join(DEADLINE)
    return r.report


# name, the intermediates' extensions from the top, the leaf's, status, flags
ODD = [
    ("a good CA", [GOOD], LEAF, 0, []),
    ("CA:FALSE", ["basicConstraints=CA:FALSE\nkeyUsage=keyCertSign"], LEAF,
     30, ["untrusted"]),
    ("no basicConstraints", ["keyUsage=keyCertSign"], LEAF, 30,
     ["untrusted"]),
    ("no keyCertSign", ["basicConstraints=critical,CA:TRUE\n"
                        "keyUsage=digitalSignature,cRLSign"], LEAF, 30,
     ["untrusted"]),
    ("no keyUsage", ["basicConstraints=critical,CA:TRUE"], LEAF, 0, []),
    ("a path too long", [CA % ",pathlen:0", GOOD], LEAF, 30, ["untrusted"]),
    ("a path just right", [CA % ",pathlen:1", CA % ",pathlen:0"], LEAF, 0,
     []),
    ("name constraints, ignored", [GOOD + "\n" + NARROW % ""], LEAF, 0, []),
    ("policies, ignored", [GOOD + "\ncertificatePolicies=1.2.3.4"], LEAF, 0,
     []),
    ("no digitalSignature", [GOOD], LEAF + "\nkeyUsage=keyEncipherment", 30,
     ["key-usage"]),
    ("digitalSignature", [GOOD], LEAF + "\nkeyUsage=digitalSignature", 0, []),
    ("for mail", [GOOD], LEAF + "\nextendedKeyUsage=emailProtection", 30,
     ["ext-key-usage"]),
    ("for anything", [GOOD], LEAF + "\nextendedKeyUsage=anyExtendedKeyUsage",
     0, []),
    ("a CA for clients", [GOOD + "\nextendedKeyUsage=clientAuth"], LEAF, 30,
     ["ext-key-usage"]),
    ("a CA for both", [GOOD + "\nextendedKeyUsage=clientAuth,serverAuth"],
     LEAF, 0, []),
    ("a CA for anything", [GOOD + "\nextendedKeyUsage=anyExtendedKeyUsage"],
     LEAF, 0, []),
    ("a CA as leaf", [GOOD], LEAF + "\nbasicConstraints=critical,CA:TRUE", 0,
     []),
]


def odd_chain(t, intermediates, leaf, key="P-256"):
    """The root's file, the chain's, and the leaf's key."""
    root = issuer = issue(t, "odd root", GOOD)
    path = []
    for i, extensions in enumerate(intermediates):
        issuer = issue(t, "odd CA %d" % i, extensions, issuer)
        path.insert(0, issuer)
    end = issue(t, "odd leaf", leaf, issuer, key)
    return root[0], bundle(t, end, *path), end[1]


@each(ODD)
def odd(t, intermediates, leaf, status, flags):
    root, chain, key = odd_chain(t, intermediates, leaf)
    _, here = report_of(t, chain, "--cafile", root, *LOCALHOST)
    t.eq((here["status"], here["verify"]["flags"]), (status, flags),
         "status and flags")
    there = connect_to(t, chain, key, root)
    for report in there, here:  # a day may end between the two
        for c in report["verify"]["chain"] + report["verify"]["sent"]:
            del c["days_left"]
    t.eq(there["verify"], here["verify"], "connect's verification")
    t.eq((there["status"], there["error"]), (here["status"], here["error"]),
         "connect's failure")


@each([("name constraints", GOOD + "\n" + NARROW % "critical,", UNPROCESSED,
        "2.5.29.30 (nameConstraints)"),
       ("policies", GOOD + "\ncertificatePolicies=critical,1.2.3.4", POLICY,
        "2.5.29.32 (certificatePolicies)"),
       ("an unknown one", GOOD + "\n1.2.3.4=critical,DER:0500", UNPROCESSED,
        "process: 1.2.3.4")])
def a_critical_extension(t, extensions, code, words):
    root, chain, key = odd_chain(t, [extensions], LEAF)
    _, here = report_of(t, chain, "--cafile", root, *LOCALHOST)
    t.eq((here["error"]["origin"], here["error"]["code"]), ("tls", code),
         "the error")
    t.has(here["error"]["text"], "certificate 1 (CN=odd CA 0) has a critical "
          "extension that Mbed TLS does not process: ", words)
    there = connect_to(t, chain, key, root)
    t.eq((there["status"], there["error"]["code"],
          there["error"]["micropython"]),
         (here["status"], code, here["error"]["micropython"]),
         "connect's failure")


@test
def a_leaf_that_is_a_ca_is_noted(t):
    root, chain, _ = odd_chain(t, [], LEAF + "\n" + GOOD.split("\n")[0])
    r = t.run("verify", "-v", chain, "--cafile", root, *LOCALHOST)
    t.eq((r.status, r.err), (0, ""), "status and stderr")
    t.has(r.out.decode(), "note: certificate 0 is a CA's\n")


@test
def a_weak_curve(t):
    root, chain, _ = odd_chain(t, [], LEAF, "secp256k1")
    _, report = report_of(t, chain, "--cafile", root, *LOCALHOST)
    t.eq((report["status"], report["verify"]["flags"]), (34, ["weak-key"]),
         "status and flags")


@test
def the_right_name_and_another_key(t):
    issuer = issue(t, "same name", GOOD)
    other = issue(t, "same name", GOOD)
    leaf = issue(t, "leaf", LEAF, issuer)
    _, report = report_of(t, leaf[0], "--cafile", other[0], *LOCALHOST)
    t.eq((report["status"], report["verify"]["flags"]), (30, ["untrusted"]),
         "status and flags")


@test
def an_intermediate_that_is_trusted_is_enough(t):
    leaf = cert("server-missing-intermediate.pem")
    t.ok(t.run("verify", leaf, "--cafile", cert("intermediate.pem")),
         b"trusted: CN=localhost, by --cafile, until 2060-01-01\n")


@each([("as many as there may be", 8, 0), ("one too many", 9, 23)])
def intermediates(t, n, status):
    root, chain, key = odd_chain(t, [GOOD] * n, LEAF)
    _, here = report_of(t, chain, "--cafile", root, *LOCALHOST)
    t.eq(here["status"], status, "status")
    there = connect_to(t, chain, key, root)
    t.eq((there["status"], there["error"] and there["error"]["code"]),
         (status, here["error"] and here["error"]["code"]), "connect's end")


@test
def a_self_signed_certificate_that_is_trusted(t):
    alone = cert("server-self-signed.pem")
    r = t.run("verify", "-v", alone, "--cafile", alone, *LOCALHOST)
    t.eq((r.status, r.out.count(b"\ncertificate ")), (0, 1),
         "status and certificates")

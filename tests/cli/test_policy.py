"""What makes a peer's certificate a good one beyond its chain: the clock, the
pins."""
import base64
import hashlib
import subprocess

from harness import Failed, cert, each, read_file, test

EXPIRED, CN_MISMATCH, NOT_TRUSTED, FUTURE = 0x01, 0x04, 0x08, 0x0200
PIN = 0x01000000
ROOT = ("--cafile", cert("root.pem"))


def client(name):
    return ("--cert", cert(name + ".pem"), "--key", cert(name + "-key.pem"))


# name, the server's certificate, --time, status, bits, words
CLOCKS = [
    ("a board's clock", "server-ec256", "2000-01-01", 31, FUTURE,
     "is not valid yet (2020-01-01T00:00:00Z): the clock says 2000-01-01, "
     "7305 days early"),
    ("late", "server-ec256", "2060-01-01T00:00:01Z", 31, EXPIRED,
     "the clock says 2060-01-01T00:00:01Z, 1 second late"),
    ("in the past", "server-expired", "2020-06-01", 0, None, None),
    ("in the future", "server-not-yet-valid", "2059-06-01", 0, None, None),
    ("now, expired", "server-expired", "now", 31, EXPIRED, "the clock says 2"),
    ("not said, expired", "server-expired", None, 31, EXPIRED,
     "the clock says 2"),
]


@each(CLOCKS)
def connect_goes_by_the_clock(t, name, when, status, bits, words):
    server = t.serve(name=name)
    time = ("--time", when) if when else ()
    r = t.connect(server, "--server-hostname", "localhost", *time).wait()
    if status == 0:
        t.ok(r)
    else:
        t.bad(r, status, "verify", bits, words)


@each([("early", "2000-01-01", FUTURE, "days early"),
       ("late", "2061-01-01", EXPIRED, "days late")])
def serve_goes_by_the_clock(t, when, bits, words):
    server = t.serve("--verify", "required", *ROOT, "--time", when)
    t.connect(server, *client("client-ec256")).wait()
    t.bad(server.wait(), 31, "verify", bits, "the clock says " + when, words)


@each([(c, c) for c in ("connect", "serve")])
def a_time_that_is_none_for(t, command):
    t.usage([command, *client("server-ec256"), "--time", "noon", "h:1"],
            "--time: 'noon' is no time", "2000-01-01", command=command)


@test
def every_client_is_judged_by_it(t):
    server = t.serve("--verify", "required", *ROOT, "--keep-open",
                     "--time", "2020-06-01")
    for _ in range(2):
        t.ok(t.connect(server, *client("client-ec256")).wait())


def spki_pin(name):
    """sha256/BASE64, as openssl and Python compute it."""
    der = subprocess.run(
        ["openssl", "x509", "-noout", "-pubkey"],
        input=read_file(cert(name + ".pem")), capture_output=True,
        check=True).stdout
    body = b"".join(line for line in der.splitlines()
                    if not line.startswith(b"-"))
    digest = hashlib.sha256(base64.b64decode(body)).digest()
    return "sha256/" + base64.b64encode(digest).decode()


MODES = [(m + ", TLS " + v, m, v) for m in ("none", "optional", "required")
         for v in ("1.2", "1.3")]


@each(MODES)
def the_pinned_key_is_taken(t, mode, version):
    server = t.serve(stdin=b"x", name="server-ec256")
    r = t.connect(server, "--verify", mode, "--max-version", version,
                  "--pin", spki_pin("server-rsa2048"),
                  "--pin", spki_pin("server-ec256")).wait()
    t.ok(r, b"x")
    t.eq(r.err, "", "stderr")  # that it is not verified is not warned of
    t.ok(server.wait())


@each(MODES)
def another_key_is_refused(t, mode, version):
    server = t.serve(stdin=b"x", name="server-ec256")
    r = t.connect(server, "--verify", mode, "--max-version", version,
                  "--pin", spki_pin("server-rsa2048"), stdin=b"secret").wait()
    t.bad(r, 35, "verify", PIN, "has a key that is not pinned",
          spki_pin("server-ec256"))
    t.eq((r.report["class"], r.report["verify"]["flags"],
          r.report["error"]["micropython"], r.report["bytes"]["out"]),
         ("pin", ["pin-mismatch"], None, 0), "the report")
    t.eq(r.report["verify"]["chain"][0]["flags"], ["pin-mismatch"],
         "the leaf's flags")
    s = server.wait()  # told by an alert, and sent nothing
    t.eq((s.status, s.error["origin"], s.error["code"], s.out),
         (37, "alert", 46, b""), "the server")


@test
def a_pin_is_in_addition_to_what_is_verified(t):
    """The lowest number is the status; the flags are all there."""
    server = t.serve(name="server-self-signed")
    r = t.connect(server, "--server-hostname", "localhost",
                  "--pin", spki_pin("server-ec256")).wait()
    t.bad(r, 30, "verify", NOT_TRUSTED | PIN, "is not signed by a trusted CA",
          "not pinned")
    t.has(r.report["error"]["micropython"], "ValueError(")
    server = t.serve(name="server-self-signed")
    r = t.connect(server, "--server-hostname", "localhost",
                  "--pin", spki_pin("server-self-signed")).wait()
    t.bad(r, 30, "verify", NOT_TRUSTED)


@test
def optional_forgives_all_but_the_pin(t):
    server = t.serve(name="server-self-signed", stdin=b"x")
    r = t.connect(server, "--verify", "optional",
                  "--pin", spki_pin("server-self-signed")).wait()
    t.ok(r, b"x")
    t.eq(r.report["verify"]["flags"], ["untrusted"], "flags")
    server = t.serve(name="server-self-signed")
    r = t.connect(server, "--verify", "optional",
                  "--pin", spki_pin("server-ec256")).wait()
    t.bad(r, 35, "verify", PIN)
    t.eq(r.report["verify"]["flags"], ["untrusted", "pin-mismatch"], "flags")


@each(MODES)
def serve_takes_the_pinned_client(t, mode, version):
    server = t.serve("--verify", mode, "--max-version", version, *ROOT,
                     "--pin", spki_pin("client-ec256"), stdin=b"x")
    r = t.connect(server, *client("client-ec256")).wait()
    t.ok(r, b"x")
    s = t.ok(server.wait())
    t.eq((s.report["verify"]["mode"], s.report["verify"]["flags"],
          s.report["verify"]["verified"], len(s.report["verify"]["chain"]) > 0),
         (mode, [], mode != "none", True), "the server's verification")


@each(MODES)
def serve_refuses_another_client(t, mode, version):
    server = t.serve("--verify", mode, "--max-version", version, *ROOT,
                     "--pin", spki_pin("client-ec256"), stdin=b"x")
    r = t.connect(server, *client("client-rsa2048")).wait()
    s = server.wait()
    t.bad(s, 35, "verify", PIN, spki_pin("client-rsa2048"))
    t.eq(s.report["verify"]["flags"], ["pin-mismatch"], "flags")
    t.eq(r.out, b"", "what the client got")
    if r.status not in (23, 37):
        raise Failed("the client exits %d: %s" % (r.status, r.err))


@each([row for row in MODES if row[1] != "required"])
def a_client_without_a_certificate_has_no_key(t, mode, version):
    server = t.serve("--verify", mode, "--max-version", version, *ROOT,
                     "--pin", spki_pin("client-ec256"), stdin=b"x")
    r = t.connect(server).wait()
    s = server.wait()
    t.bad(s, 35, "verify", PIN, "the peer sent no certificate")
    t.eq((s.report["verify"]["chain"], r.out, r.status), ([], b"", 22),
         "the chain, and what the client got")


@test
def a_required_client_certificate_goes_first(t):
    server = t.serve("--verify", "required", *ROOT,
                     "--pin", spki_pin("client-ec256"))
    t.connect(server).wait()
    t.bad(server.wait(), 36, "tls", -0x7480)


@each([("its key", "server-ec256", 0, []),
       ("another", "client-ec256", 35, ["pin-mismatch"])])
def verify_judges_the_pin(t, name, status, flags):
    r = t.run("verify", cert("server-ec256.pem"), *ROOT, "--json",
              "--pin", spki_pin(name))
    t.eq(r.status, status, "status")
    t.has(r.out.decode(), '"flags":["pin-mismatch"]' if flags else
          '"flags":[]')


@test
def curl_writes_two_slashes(t):
    server = t.serve(stdin=b"x")
    pin = spki_pin("server-ec256").replace("/", "//", 1)
    t.ok(t.connect(server, "--pin", pin).wait(), b"x")


@each([(repr(p), p) for p in (
    "", "sha256/", "sha1/" + "A" * 27 + "=", "A" * 43 + "=",
    "sha256/" + "A" * 43, "sha256/" + "A" * 44, "sha256/" + "A" * 42 + "==",
    "sha256/" + "A" * 44 + "=", "sha256///" + "A" * 43 + "=",
    "SHA256/" + "A" * 43 + "=", "sha256/" + "A" * 41 + " A=",
    "sha256/" + "-" * 43 + "=")])
def what_is_no_pin(t, pin):
    t.usage(["connect", "--pin", pin, "h:1"],
            "--pin: '%s' is not sha256/ and 44 digits of base64" % pin,
            command="connect")


@test
def verbose_says_that_the_key_is_pinned(t):
    server = t.serve(stdin=b"x")
    r = t.connect(server, "-v", "--verify", "none", "--pin",
                  spki_pin("server-ec256"), ca=None).wait()
    t.ok(r, b"x")
    t.has(r.err, "not verified, but its key is pinned")

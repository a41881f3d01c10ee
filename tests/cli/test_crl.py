"""Revocation: what --crl refuses, on connect, serve and verify."""
import json
import os
import subprocess

from harness import ROOT as TREE, cert, each, read_file, test

REVOKED, NOT_TRUSTED = 0x02, 0x08
CRL_UNTRUSTED, CRL_EXPIRED, CRL_FUTURE, CRL_BAD_MD = 0x10, 0x20, 0x400, 0x20000
ROOT = ("--cafile", cert("root.pem"))
CRL = ("--crl", cert("crl.pem"))
NAME = ("--server-hostname", "localhost")
UNUSED = "no CRL is of a CA in the peer's path"

CONFIG = """[ca]
default_ca = d
[d]
database = index.txt
crlnumber = number
default_md = %s
"""


def openssl(where, *args):
    subprocess.run(("openssl",) + args, cwd=where, check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)


def make_crl(t, ca, key, dates=("20200101000000Z", "20600101000000Z"),
             digest="sha256", form="PEM"):
    """A list of nothing, signed by the CA; its file."""
    where = t.path("ca")
    os.mkdir(where)
    for name, text in (("index.txt", ""), ("number", "01\n"),
                       ("ca.cnf", CONFIG % digest)):
        with open(os.path.join(where, name), "w") as f:
            f.write(text)
    openssl(where, "ca", "-gencrl", "-config", "ca.cnf",
            "-cert", os.path.join(TREE, ca), "-keyfile",
            os.path.join(TREE, key), "-crl_lastupdate", dates[0],
            "-crl_nextupdate", dates[1], "-out", "crl.pem")
    openssl(where, "crl", "-in", "crl.pem", "-outform", form, "-out", "crl")
    return os.path.join(where, "crl")


def crl_of(t, ca="root", **kw):
    return make_crl(t, cert(ca + ".pem"), cert(ca + "-key.pem"), **kw)


def impostor(t):
    """A list by the root's name and another key."""
    where = t.path("ca")
    os.mkdir(where)
    openssl(where, "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-subj", "/CN=mptls test root",
            "-keyout", "key.pem", "-out", "ca.pem")
    return make_crl(t, os.path.join(where, "ca.pem"),
                    os.path.join(where, "key.pem"))


def verify(t, name, crl, *args):
    """Text and JSON of `mptls verify` say the same; the report."""
    words = ("verify", cert(name + ".pem"), *ROOT, "--crl", crl, *args)
    r = t.run(*words)
    report = json.loads(t.run(*words, "--json").out)
    t.eq(report["status"], r.status, "status in JSON")
    if report["error"] is not None:
        t.has(r.err, report["error"]["text"])
    return r, report


@test
def connect_refuses_the_revoked(t):
    server = t.serve(name="server-revoked")
    r = t.connect(server, *NAME, *CRL, stdin=b"secret").wait()
    t.bad(r, 33, "verify", REVOKED, "certificate 0 (CN=localhost) has been "
          "revoked")
    t.eq((r.report["class"], r.report["verify"]["flags"]),
         ("revoked", ["revoked"]), "class and flags")
    s = server.wait()
    t.eq((s.error["origin"], s.error["code"]), ("alert", 44), "the server's")


@test
def connect_takes_what_is_not_revoked(t):
    server = t.serve(stdin=b"x")
    r = t.connect(server, *NAME, *CRL).wait()
    t.ok(r, b"x")
    t.eq(r.err, "", "stderr")


@test
def optional_reports_the_revoked(t):
    server = t.serve(name="server-revoked", stdin=b"x")
    r = t.connect(server, *NAME, *CRL, "--verify", "optional").wait()
    t.ok(r, b"x")
    t.eq(r.report["verify"]["flags"], ["revoked"], "flags")


@test
def serve_refuses_the_revoked_client(t):
    """Any certificate will do for a client's here: its CA revoked it."""
    server = t.serve("--verify", "required", *ROOT, *CRL)
    t.connect(server, "--cert", cert("server-revoked.pem"),
              "--key", cert("server-revoked-key.pem")).wait()
    s = server.wait()
    t.eq(s.error["origin"], "verify", "origin")
    t.has(s.error["text"], "has been revoked")
    t.has(s.report["verify"]["flags"], "revoked")


@test
def serve_takes_a_client_that_is_not_revoked(t):
    server = t.serve("--verify", "required", *ROOT, *CRL, stdin=b"x")
    r = t.connect(server, "--cert", cert("client-ec256.pem"),
                  "--key", cert("client-ec256-key.pem")).wait()
    t.ok(r, b"x")
    t.ok(server.wait())


@test
def without_the_list_nothing_is_revoked(t):
    server = t.serve(name="server-revoked", stdin=b"x")
    t.ok(t.connect(server, *NAME).wait(), b"x")


# name, chain, how to make the list, more options, status, flags
JUDGED = [
    ("revoked", "server-revoked", lambda t: cert("crl.pem"), [], 33,
     ["revoked"]),
    ("not revoked", "server-ec256", lambda t: cert("crl.pem"), [], 0, []),
    ("an empty list", "server-revoked", crl_of, [], 0, []),
    ("expired", "server-ec256",
     lambda t: crl_of(t, dates=("20200101000000Z", "20210101000000Z")), [], 33,
     ["crl-expired"]),
    ("expired, at its time", "server-ec256",
     lambda t: crl_of(t, dates=("20200101000000Z", "20210101000000Z")),
     ["--time", "2020-06-01"], 0, []),
    ("its last second", "server-ec256",
     lambda t: crl_of(t, dates=("20200101000000Z", "20210101000000Z")),
     ["--time", "2021-01-01"], 0, []),
    ("a second later", "server-ec256",
     lambda t: crl_of(t, dates=("20200101000000Z", "20210101000000Z")),
     ["--time", "2021-01-01T00:00:01Z"], 33, ["crl-expired"]),
    ("in date now, expired by the clock", "server-ec256",
     lambda t: crl_of(t, dates=("20200101000000Z", "20580101000000Z")),
     ["--time", "2059-01-01"], 33, ["crl-expired"]),
    ("not yet valid", "server-ec256",
     lambda t: crl_of(t, dates=("20580101000000Z", "20590101000000Z")), [], 33,
     ["crl-not-yet-valid"]),
    ("not yet valid, at its time", "server-ec256",
     lambda t: crl_of(t, dates=("20580101000000Z", "20590101000000Z")),
     ["--time", "2058-06-01"], 0, []),
    ("another key's", "server-ec256", impostor, [], 33, ["crl-untrusted"]),
    ("SHA-1", "server-ec256", lambda t: crl_of(t, digest="sha1"), [], 33,
     ["crl-bad-hash"]),
    ("revoked, by an expired list", "server-revoked", lambda t: cert("crl.pem"),
     ["--time", "2060-01-01T00:00:01Z"], 31,
     ["expired", "revoked", "crl-expired"]),
    ("of the root, for an intermediate", "server-chain",
     lambda t: cert("crl.pem"), [], 0, []),
]


@each(JUDGED)
def judged(t, name, make, more, status, flags):
    r, report = verify(t, name, make(t), *more)
    t.eq((report["status"], report["verify"]["flags"], UNUSED in r.err),
         (status, flags, False), "the verdict")


@test
def a_list_of_another_ca_is_warned_of(t):
    other = crl_of(t, "other-root")
    r, report = verify(t, "server-revoked", other)
    t.eq(report["status"], 0, "status")
    t.has(r.err, UNUSED)
    server = t.serve(stdin=b"x")
    r = t.connect(server, *NAME, "--crl", other).wait()
    t.ok(r, b"x")
    t.has(r.err, UNUSED)


@each([("PEM", "PEM", b""), ("PEM with text between", "PEM", b"text\n"),
       ("DER", "DER", b"")])
def several_lists(t, form, between):
    data = [open(crl_of(t, "other-root", form=form), "rb").read(),
            read_file(cert("crl.pem"))]
    if form == "DER":
        data[1] = subprocess.run(
            ["openssl", "crl", "-outform", "DER"], input=data[1],
            capture_output=True, check=True).stdout
    r, report = verify(t, "server-revoked", t.named(between.join(data)))
    t.eq((report["status"], UNUSED in r.err), (33, False), "the verdict")


@each([("text", b"no list\n"), ("nothing", b""),
       ("a certificate", read_file(cert("root.pem"))),
       ("half a list", read_file(cert("crl.pem"))[:200]),
       ("DER cut short", b"\x30\x82\x01\x00\x30")])
def what_is_no_list(t, data):
    file = t.named(data)
    for words in (("verify", cert("server-ec256.pem")), ("connect", "h:1")):
        r = t.run(*words, *ROOT, "--crl", file)
        t.eq(r.status, 3, "status")
        t.has(r.err, "--crl " + file[:60], "the CRL")
        t.eq("micropython" in r.err, False, "what MicroPython has no word for")
        if r.reports:
            t.bad(r, 3, "file", 0)


@test
def a_list_that_is_not_there(t):
    r = t.run("connect", *ROOT, "--crl", "none/crl.pem", "h:1")
    t.bad(r, 3, "file", 2, "--crl: read none/crl.pem")


@each([("no verification", ["--verify", "none", *ROOT],
        "--crl wants --verify required or optional"),
       ("MicroPython's defaults", ["--mp-defaults", *ROOT],
        "--crl wants --verify required or optional"),
       ("no CA", [], "--crl wants --cafile or --cadata")])
def usage_of_crl(t, args, said):
    t.usage(["connect", *args, *CRL, "h:1"], said, command="connect")


@test
def usage_of_crl_on_serve(t):
    t.usage(["serve", "--cert", cert("server-ec256.pem"), "--key",
             cert("server-ec256-key.pem"), *ROOT, *CRL],
            "--crl wants --verify required or optional", command="serve")

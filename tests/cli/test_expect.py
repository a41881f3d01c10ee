"""--expect: a bug report as a line of CI; --save-chain and --save-peer."""
import json
import os
import re
import signal
import stat

from harness import ROOT as TREE, Failed, cert, each, read_file, test

ROOT = ("--cafile", cert("root.pem"))
NAME = ("--server-hostname", "localhost")


def expects(*facts):
    return [w for fact in facts for w in ("--expect", fact)]


def said(t, r, status, *unmet):
    """Exit status, its class, and a line for each that does not hold."""
    t.eq((r.status, r.report["status"], r.report["class"], r.report["ok"]),
         (status, status, {0: "ok", 50: "expect"}[status], status == 0),
         "status and class")
    t.eq([line[7:] for line in r.lines if line.startswith("mptls: expected")],
         list(unmet), "what is not met")
    t.eq([e["met"] for e in r.report["expect"]].count(False), len(unmet),
         "what is not met in JSON")


# name, the server, its options, the client's, facts, status, lines
RUNS = [
    ("a success", "server-ec256", [], [],
     ["version=1.3", "verify=ok", "exit=0", "alert=none", "group=x25519",
      "sigalg=ecdsa_secp256r1_sha256", "peer-subject=CN=localhost",
      "peer-issuer=CN=mptls test root", "peer-name=localhost", "stage=stream",
      "server-hostname=localhost", "origin=none", "code=0", "alpn=none"],
     0, []),
    ("another version", "server-ec256", ["--max-version", "1.2"], [],
     ["version=1.3"], 50, ["expected version=1.3, but it is TLSv1.2"]),
    ("another suite", "server-ec256", ["--ciphers", "0xC02C"], [],
     ["cipher=ECDHE-RSA-AES128-GCM-SHA256", "version=1.2"], 50,
     ["expected cipher=ECDHE-RSA-AES128-GCM-SHA256, but it is "
      "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]),
    ("the failure that is meant", "server-expired", [], [],
     ["verify=expired", "exit=31"], 0, []),
    ("its class", "server-expired", [], [], ["exit=expired"], 0, []),
    ("the same, and another", "server-expired", [], [],
     ["verify=expired", "verify=untrusted", "exit=30"], 50,
     ["expected verify=untrusted, but it is expired",
      "expected exit=30, but it is 31 (expired)"]),
    ("a failure that is not meant", "server-expired", [], ["--pin=sha256/" +
     "A" * 43 + "="], ["verify=ok"], 50,
     ["expected verify=ok, but it is expired, pin-mismatch"]),
    ("what optional lets pass", "server-expired", [], ["--verify", "optional"],
     ["verify=expired", "exit=0", "stage=stream"], 0, []),
    ("the peer's alert", "server-ec256", ["--min-version", "1.3"],
     ["--max-version", "1.2"], ["alert=protocol_version", "exit=22"], 0, []),
    ("the peer's alert by its number", "server-ec256",
     ["--min-version", "1.3"], ["--max-version", "1.2"],
     ["alert=70", "code=70", "origin=alert", "stage=handshake"], 0, []),
    ("no alert", "server-ec256", ["--min-version", "1.3"],
     ["--max-version", "1.2"], ["alert=none"], 50,
     ["expected alert=none, but it is 70 (protocol_version)"]),
    ("what is not known", "server-expired", [], [], ["alpn=none"], 50,
     ["expected alpn=none, but it is unknown"]),
]


@each(RUNS)
def connect_expects(t, name, theirs, ours, facts, status, lines):
    server = t.serve(*theirs, name=name)
    r = t.connect(server, *NAME, *ours, *expects(*facts)).wait()
    said(t, r, status, *lines)
    if r.error is not None:  # is told all the same
        t.has(r.err, r.error["text"])


@each(RUNS)
def check_expects(t, name, theirs, ours, facts, status, lines):
    server = t.serve(*theirs, name=name)
    r = t.run("check", *ROOT, *NAME, *ours, *expects(*facts), server.address)
    said(t, r, status, *lines)


@test
def serve_expects_of_its_client(t):
    facts = expects("version=1.2", "server-hostname=localhost",
                    "peer-subject=CN=mptls test client", "verify=ok")
    args = ("--verify", "required", *ROOT, *facts)
    pair = ("--cert", cert("client-ec256.pem"),
            "--key", cert("client-ec256-key.pem"))
    server = t.serve(*args)
    t.connect(server, *NAME, "--max-version", "1.2", *pair).wait()
    said(t, server.wait(), 0)
    server = t.serve(*args)
    t.connect(server, *NAME, *pair).wait()
    said(t, server.wait(), 50, "expected version=1.2, but it is TLSv1.3")


@test
def serve_judges_each_client(t):
    server = t.serve("--keep-open", *expects("version=1.2"))
    for version in ("1.2", "1.3", "1.2"):
        t.ok(t.connect(server, *NAME, "--max-version", version).wait())
    server.signal(signal.SIGTERM)
    r = server.wait()
    t.eq([e["status"] for e in r.reports], [0, 50, 0, 143], "statuses")
    t.eq(r.status, 143, "exit status")


@each([("holds", ["verify=expired", "exit=31"], 0, None),
       ("does not hold", ["verify=ok"], 50,
        "mptls: expected verify=ok, but it is expired"),
       ("a handshake's", ["version=1.3"], 50,
        "mptls: expected version=1.3, but it is unknown")])
def verify_expects(t, facts, status, line):
    args = ("verify", cert("server-expired.pem"), *ROOT, *expects(*facts))
    r = t.run(*args)
    t.eq((r.status, line is None or line in r.lines), (status, True), "verdict")
    report = json.loads(t.run(*args, "--json").out)
    t.eq((report["status"], report["ok"]), (status, status == 0), "JSON")


@test
def check_judges_each_target(t):
    one = t.serve("--max-version", "1.2")
    two = t.serve()
    r = t.run("check", *ROOT, *NAME, *expects("version=1.2", "verify=ok"),
              one.address, two.address, report=False)
    t.eq(r.status, 50, "status")
    t.has(r.err, "expected version=1.2, but it is TLSv1.3")
    one, two = (t.serve("--max-version", "1.2") for _ in range(2))
    r = t.run("check", *ROOT, *NAME, *expects("version=1.2", "verify=ok"),
              one.address, two.address, report=False)
    t.eq(r.status, 0, "status")


@test
def a_refused_connection_can_be_meant(t):
    s = t.listener()
    port = s.getsockname()[1]
    s.close()
    r = t.run("connect", *expects("exit=11", "stage=connect", "origin=net"),
              "127.0.0.1:%d" % port)
    said(t, r, 0)


# name, options, status
SETUP = [
    ("exit says so", ["--cafile", "none.pem", "--expect", "exit=3"], 0),
    ("another exit", ["--cafile", "none.pem", "--expect", "exit=30"], 50),
    ("its origin", ["--cafile", "none.pem", "--expect", "origin=file"], 50),
    ("nothing of it", ["--cafile", "none.pem", "--expect", "verify=ok"], 50),
]


@each(SETUP)
def before_the_connection(t, args, status):
    r = t.run("connect", *args, "127.0.0.1:1")
    t.eq((r.status, r.error["origin"]), (status, "file"), "status and origin")


@test
def a_signal_keeps_its_status(t):
    server = t.serve(stdin=t.pipe()[0])
    client = t.connect(server, *NAME, *expects("exit=143", "version=1.3"),
                       "-v", stdin=t.pipe()[0])
    while "connected to" not in client.stderr():
        if client.popen.poll() is not None:
            raise Failed(client.stderr())
    client.signal(signal.SIGTERM)
    r = client.wait()
    t.eq((r.status, r.report["class"]), (143, "signal"), "status")


@test
def a_failure_of_ours_keeps_its_status(t):
    for facts, status in ((["version=1.3"], 1), (["exit=1"], 0)):
        server = t.serve(stdin=b"x")
        r = t.connect(server, *NAME, *expects(*facts),
                      redirect=">/dev/full").wait()
        t.eq((r.status, r.error["origin"]), (status, "os"), "status")


@each([("an unknown key", "verison=1.3", "did you mean version?"),
       ("no value", "version=", "version= has no value"),
       ("no equals sign", "version", "'version' is no KEY=VALUE"),
       ("an impossible value", "verify=expird", "did you mean expired?")])
def usage_of_expect(t, fact, line):
    for command in ("connect", "serve", "verify", "check"):
        operand = [] if command == "serve" else [cert("server-ec256.pem")]
        t.usage([command, "--expect", fact, *operand], line, command=command)


@test
def a_usage_error_is_never_met(t):
    r = t.run("connect", "--expect", "exit=2", "--nonsense", "h:1")
    t.eq(r.status, 2, "status")


@test
def one_too_many(t):
    t.usage(["connect", *["--expect=exit=0"] * 33, "h:1"],
            "option --expect is given more than 32 times", command="connect")


@test
def the_man_page_has_each_key(t):
    """And no other."""
    man = read_file("man/mptls.1").decode()
    part = man[man.index(".Ss Options of expectation"):]
    part = part[part.index("The keys are"):part.index(".Ss Options that save")]
    listed = {w for line in re.findall(r"^\.It Li (.*)$", part, re.M)
              for w in line.split(" , ")}
    source = read_file("src/cli/expect.c").decode()
    table = source[source.index("expect_key keys[] = {"):]
    table = table[:table.index("};")]
    t.eq(listed, set(re.findall(r"\{ *\"([a-z-]+)\"", table)), "the keys")


# The peer's certificates as files.

def pem_blocks(data):
    return re.findall(b"-----BEGIN CERTIFICATE-----\n.*?"
                      b"-----END CERTIFICATE-----\n", data, re.S)


def saved(name):
    with open(name, "rb") as f:
        return f.read()


SAVERS = [("connect, TLS 1.2", "connect", "1.2"),
          ("connect, TLS 1.3", "connect", "1.3"),
          ("check, TLS 1.2", "check", "1.2"), ("check, TLS 1.3", "check", "1.3")]


def save(t, command, server, *args):
    return t.run(command, *NAME, *args, server.address)


@each(SAVERS)
def saves(t, command, version):
    """What came, in its order; it can be verified as it is."""
    server = t.serve(name="server-chain")
    chain, peer = t.path("pem"), t.path("pem")
    r = save(t, command, server, *ROOT, "--max-version", version,
             "--save-chain", chain, "--save-peer", peer)
    t.eq(r.status, 0, "status")
    sent = read_file(cert("server-chain.pem"))
    t.eq(pem_blocks(saved(chain)), pem_blocks(sent), "the chain")
    t.eq(saved(chain), b"".join(pem_blocks(sent)), "what is beside it")
    t.eq(saved(peer), pem_blocks(sent)[0], "the peer's own")
    t.ok(t.run("verify", chain, *ROOT, "--json"), t.run(
        "verify", cert("server-chain.pem"), *ROOT, "--json").out.replace(
            cert("server-chain.pem").encode(), chain.encode()))


@each(SAVERS)
def saves_a_chain_that_is_refused(t, command, version):
    server = t.serve(name="server-reversed-chain")
    chain = t.path("pem")
    r = save(t, command, server, "--cafile", cert("other-root.pem"),
             "--max-version", version, "--save-chain", chain)
    t.eq(r.status, 30, "status")
    t.eq(saved(chain), b"".join(pem_blocks(
        read_file(cert("server-reversed-chain.pem")))), "the chain")


@test
def serve_saves_its_clients(t):
    chain = t.path("pem")
    server = t.serve("--verify", "optional", *ROOT, "--keep-open",
                     "--save-chain", chain)
    for name in ("client-ec256", "client-rsa2048"):
        t.ok(t.connect(server, *NAME, "--cert", cert(name + ".pem"),
                       "--key", cert(name + "-key.pem")).wait())
        t.eq(saved(chain), b"".join(pem_blocks(
            read_file(cert(name + ".pem")))), "the client's")
    t.ok(t.connect(server, *NAME).wait())
    server.signal(signal.SIGTERM)
    r = server.wait()
    t.has(r.err, "is not written, the peer sent no certificate")
    t.eq(len(pem_blocks(saved(chain))), 1, "what was there")


@test
def a_file_keeps_its_mode_and_a_link_stays_one(t):
    file, link = t.named(b"old"), t.path("link")
    os.chmod(file, 0o640)
    os.symlink(file, link)
    server = t.serve()
    t.eq(save(t, "check", server, *ROOT, "--save-peer", link).status, 0,
         "status")
    t.eq((len(pem_blocks(saved(file))), stat.S_IMODE(os.stat(file).st_mode),
          os.path.islink(link)), (1, 0o640, True), "the file")
    t.eq([f for f in os.listdir(t.dir) if ".tmp" in f], [], "what is left")


@test
def what_is_no_file_is_written_to(t):
    server = t.serve(stdin=b"data")
    r = save(t, "connect", server, *ROOT, "--save-peer", "/dev/stdout",
             "--json=" + t.path("json"))
    t.eq(r.status, 0, "status")
    t.eq(r.out.endswith(b"-----END CERTIFICATE-----\ndata"), True, "stdout")


@each([("no folder", "none/x.pem", 0, 1, 2), ("a folder", "certs", 0, 1, 21),
       ("full", "/dev/full", 0, 1, 28),
       ("beside another failure", "none/x.pem", 31, 31, None)])
def what_cannot_be_written(t, name, status, wanted, code):
    server = t.serve(name="server-expired" if status else "server-ec256")
    r = save(t, "connect", server, *ROOT, "--save-chain", name)
    t.eq(r.status, wanted, "status")
    if code is not None:
        t.bad(r, 1, "os", code, "--save-chain: write " + name)


@test
def a_failure_before_the_chain_leaves_the_file(t):
    chain = t.named(b"old")
    server = t.serve("--min-version", "1.3")
    r = save(t, "connect", server, *ROOT, "--max-version", "1.2",
             "--save-chain", chain)
    t.eq((r.status, saved(chain), len(r.err.split("is not written"))),
         (22, b"old", 1), "what is left")

"""What a second attack found: what check does with many targets, what a peer
sends that no good one would, and what a list of targets may hold."""
import json
import os
import signal
import socket
import ssl
import subprocess
import threading

from harness import ROOT, Failed, Peer, cert, each, test
from test_connect import free_port

TRUST = ("--cafile", cert("root.pem"))
CCS = b"\x14\x03\x03\x00\x01\x01"


def tls_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(ROOT, cert("server-ec256.pem")),
                            os.path.join(ROOT, cert("server-ec256-key.pem")))
    return context


def polite(c):
    with tls_context().wrap_socket(c, server_side=True) as s:
        s.recv(1)


def chatty(c):
    """Says more, in records large and small, than is kept of one target: two
    hexadecimal digits for a byte are over 9 MB."""
    with tls_context().wrap_socket(c, server_side=True) as s:
        for _ in range(300):
            s.sendall(bytes(16000))
            s.sendall(b"x")
        s.unwrap()


def refusing(c):
    c.recv(4096)
    c.sendall(b"\x15\x03\x03\x00\x02\x02\x28")


def bytes_of(wire):
    def talk(c):
        c.recv(4096)
        c.sendall(wire)
        c.recv(4096)
    return talk


# Many targets.

@test
def a_status_is_known_though_sigchld_is_ignored(t):
    """Where it is inherited ignored, no process's end can be asked for."""
    nobody = "127.0.0.1:%d" % free_port(t)
    r = t.run("check", nobody, nobody, report=False,
              preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    t.eq(r.status, 11, "status")
    t.has(r.err, "mptls: 2 targets: 2 connect\n")


@test
def a_peer_that_says_too_much_spoils_no_line(t):
    """What is left out of its messages is whole lines, and not its report."""
    talker, good = Peer(t, chatty), Peer(t, polite)
    r = t.run("check", *TRUST, "--json", "--trace=hex", "--settle", "9",
              "--jobs", "1", talker.address, good.address)
    t.eq(3 << 20 < len(r.out) < 5 << 20, True, "that much was cut")
    t.eq([x["target"] for x in r.reports], [talker.address, good.address],
         "the targets")
    t.eq(r.status, 0, "status")


@test
def what_ends_the_run_is_told_in_json_only(t):
    """With --json there is no text on stderr, whatever ends the run."""
    silent = "127.0.0.1:%d" % t.listener().getsockname()[1]
    r = t.run("check", "--json", "--max-time", "300ms", silent, silent)
    t.eq((r.status, r.err), (42, ""), "status and stderr")


# What a list of targets may hold.

@test
def a_name_that_cannot_be_asked_for_has_the_number_of_its_line(t):
    path = t.named("# one\n\nh\u00e4user.example:443\n".encode())
    r = t.run("check", "--targets", path)
    t.bad(r, 2, "usage", 0, path + ":3: ")


@each([("C1", b"a\xc2\x9b31mb"), ("a lone byte", b"a\x9b31mb")])
def no_control_byte_of_a_list_is_printed(t, host):
    path = t.named(host + b":443\n127.0.0.1:%d\n" % free_port(t))
    for args in ((), ("--json",)):
        r = t.run("check", "--targets", path, *args, report=False)
        t.eq(r.status, 11, "status")
        text = r.out.decode() + r.err
        bad = [c for c in text if c != "\n" and (
            c < " " or "\x7f" <= c <= "\x9f")]
        t.eq(bad, [], "control characters")


# What a peer sends.

def relayed_behind_ccs(t):
    """A TLS 1.3 server whose ServerHello comes behind a ChangeCipherSpec."""
    server = Peer(t, polite)

    def talk(c):
        with socket.create_connection(("127.0.0.1", server.port), 10) as up:
            up.sendall(c.recv(4096))
            c.sendall(CCS + up.recv(65536))
            threading.Thread(target=copy, args=(c, up), daemon=True).start()
            copy(up, c)
    return Peer(t, talk)


def copy(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@test
def a_change_cipher_spec_before_the_server_hello_hides_nothing(t):
    """RFC 8446 5 has it dropped; in TLS 1.2 nothing is encrypted yet."""
    r = t.run("check", *TRUST, "--json", relayed_behind_ccs(t).address)
    t.eq(r.status, 0, "status")
    tls = r.report["tls"]
    t.eq((tls["version"], tls["sig_alg"], tls["group"] is None),
         ("TLSv1.3", "ecdsa_secp256r1_sha256", False), "what was agreed on")
    t.eq(len(r.report["verify"]["sent"]), 1, "certificates seen")


def server_hello(suite):
    body = b"\x03\x03" + bytes(32) + b"\0" + suite + b"\0"
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message


@test
def a_peer_that_breaks_the_protocol_is_to_blame(t):
    """Mbed TLS calls an unknown suite bad input, as it does a mistake of the
    caller's."""
    r = t.run("check", Peer(t, bytes_of(server_hello(b"\x0a\x0a"))).address)
    if r.status != 23:
        raise Failed(r.err)
    t.eq((r.error["origin"], r.error["code"]), ("tls", -0x7100), "the error")
    t.eq(r.error["cause"]["step"], "at the message just exchanged, mostly in "
         "the handshake", "the step")


@each([("0", b"\x00", "level 0 handshake_failure (40)"),
       ("255", b"\xff", "level 255 handshake_failure (40)"),
       ("1", b"\x01", "warning handshake_failure (40)"),
       ("2", b"\x02", "fatal handshake_failure (40)")])
def an_alert_of_no_level_is_told_as_it_is(t, level, told):
    p = Peer(t, bytes_of(b"\x15\x03\x03\x00\x02" + level + b"\x28"))
    r = t.run("check", "--trace", "--handshake-timeout", "300ms", p.address)
    t.has(r.err, "<- alert, 2 bytes: " + told)


# What is known of a certificate.

def many_names(t, *more):
    """A server whose certificate has 30 names, and then these."""
    names = ["host-%d.a-long-domain.example" % i for i in range(30)]
    key, crt = t.path("key"), t.path("crt")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-subj", "/CN=x", "-days", "9", "-keyout",
         key, "-out", crt, "-addext", "subjectAltName=" + ",".join(
             "DNS:" + n for n in names + list(more))], capture_output=True)
    t.eq(made.returncode, 0, made.stderr)
    return crt, t.serve("--cert", crt, "--key", key, name=None)


@test
def the_last_of_many_names_can_be_expected(t):
    crt, server = many_names(t, "localhost")
    t.ok(t.run("connect", "--cafile", crt, "--server-hostname", "localhost",
               "--expect", "peer-name=localhost", server.address))


@test
def names_that_are_not_all_told_end_in_dots(t):
    crt, server = many_names(t, *("n%d.%s.example" % (i, 40 * "x")
                                  for i in range(99)))
    r = t.run("connect", "--cafile", crt, "--server-hostname",
              "n98.%s.example" % (40 * "x"), server.address)
    names = t.ok(r).report["verify"]["chain"][0]["names"]
    t.eq((names[-14:], names.count("DNS:") > 70), ("x.example, ...", True),
         "the names")


@test
def secrets_are_shown_with_a_warning(t):
    s = t.serve("-vvv")
    c = t.connect(s, "-vvv").wait()
    for r in (c, s.wait()):
        t.has(r.err, "secret' (", "mptls: -vvv shows the secrets of the "
              "connection, too: who reads it reads all\n")


# Files.

@test
def a_fifo_that_nobody_reads_does_not_stop_the_run(t):
    path = t.path("fifo")
    os.mkfifo(path)
    r = t.check(t.serve(), "--save-chain", path, report=False)
    t.eq(r.status, 1, "status")
    t.has(r.err, "--save-chain: write " + path)


@test
def one_file_does_not_keep_a_chain_and_a_certificate(t):
    path = t.path("pem")
    t.usage(["check", "--save-chain", path, "--save-peer", path,
             "127.0.0.1:1"], "--save-chain and --save-peer both write " + path,
            command="check")

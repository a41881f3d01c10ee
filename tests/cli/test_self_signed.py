"""serve --self-signed: a certificate made on the spot, and how it is told."""
import base64
import hashlib
import json
import re
import signal
import socket

from harness import each, read_file, test, wait_until


def told(server):
    """What the text says of the certificate: names, sha256, pin, cadata."""
    found = re.match(r"mptls: self-signed: (.*)\n"
                     r"mptls: sha256: ([0-9a-f]{64})\n"
                     r"mptls: pin: (sha256/\S{44})\n"
                     r"mptls: cadata: (base64:\S+)\n"
                     r"mptls: listening on ", server.stderr())
    server.t.eq(found is not None, True, "the lines in " + server.stderr())
    return found.groups()


def event(server):
    events = [json.loads(line)
              for line in read_file(server.json_name).decode().splitlines()]
    return [x for x in events if x["event"] == "self-signed"]


@each([("its cadata", 3, "--cadata"), ("its pin", 2, "--pin")])
def self_signed_is_trusted_by(t, which, option):
    """And by that only; the client knows it by each of its names."""
    for name in ("localhost", "127.0.0.1", "::1"):
        server = t.serve("--self-signed", name=None)
        what = told(server)[which]
        # The pin does not stand for the chain.
        more = ("--verify", "none") if option == "--pin" else ()
        client = t.connect(server, option, what, *more, "--server-hostname",
                           name, ca=None, stdin=b"hello")
        t.ok(client.wait())
        t.ok(server.wait(), out=b"hello")


@test
def self_signed_is_another_each_time(t):
    first = t.serve("--self-signed", name=None)
    other = t.serve("--self-signed", name=None)
    r = t.connect(first, "--cadata", told(other)[3], ca=None).wait()
    t.bad(r, 30, "verify", 8, "is not signed by a trusted CA")
    r = t.connect(other, "--pin", told(first)[2], "--verify", "none",
                  ca=None).wait()
    t.eq((r.status, r.report["class"]), (35, "pin"), "status and class")
    for server in (first, other):
        t.eq(server.wait().status, 37, "the server's status")


@test
def self_signed_says_the_same_in_json(t):
    server = t.serve("--self-signed=a.example,192.0.2.1", "--keep-open",
                     name=None)
    names, sha256, pin, cadata = told(server)
    t.eq(names, "DNS:a.example, IP:192.0.2.1", "names")
    events = event(server)
    t.eq(len(events), 1, "events")
    c = events[0]["certificate"]
    t.eq((c["names"], c["sha256"], c["spki_sha256"], events[0]["cadata"]),
         (names, sha256, pin, cadata), "the event")
    t.eq((c["not_before"], c["not_after"], c["ca"], c["key"]),
         ("1970-01-01T00:00:00Z", "2049-12-31T23:59:59Z", False, "EC 256"),
         "the certificate")
    der = base64.b64decode(cadata[len("base64:"):], validate=True)
    t.eq(hashlib.sha256(der).hexdigest(), sha256, "the hash of the DER")
    server.signal(signal.SIGTERM)
    t.eq(server.wait().status, 143, "status")


@test
def self_signed_alone_in_json(t):
    server = t.serve("--self-signed=a.example", "--json", name=None)
    t.eq([json.loads(x)["event"] for x in server.stderr().splitlines()],
         ["self-signed", "listening"], "events")
    server.signal(signal.SIGTERM)
    server.wait()


@test
def self_signed_bears_the_machines_name(t):
    host = socket.gethostname()
    server = t.serve("--self-signed", name=None)
    wanted = "DNS:localhost, IP:127.0.0.1, IP:::1"
    if re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.?)+", host) and \
            host != "localhost" and not host.endswith("."):
        wanted += ", DNS:" + host
    t.eq(told(server)[0], wanted, "names")
    server.signal(signal.SIGTERM)
    server.wait()


@each([("%s with %s" % (clock, version), clock, version)
       for clock in ("1970-01-01", "2000-01-01", "now", "2049-12-31")
       for version in ("1.2", "1.3")])
def self_signed_is_in_date_for_a_clock_of(t, clock, version):
    server = t.serve("--self-signed=localhost", "--time", clock, name=None)
    client = t.connect(server, "--cadata", told(server)[3], "--time", clock,
                       "--server-hostname", "localhost", "--max-version",
                       version, ca=None)
    t.ok(client.wait())
    t.ok(server.wait())


@test
def self_signed_does_not_name_what_it_cannot_listen_for(t):
    """A failure to listen is reported as ever, and once."""
    s = t.listener()
    r = t.run("serve", "--self-signed",
              "127.0.0.1:%d" % s.getsockname()[1])
    t.eq((r.status, r.report["class"]), (14, "listen"), "status and class")


@test
def self_signed_stays_the_same_at_sighup(t):
    """Its key is not kept beside the context, but has to be in the next."""
    server = t.serve("--self-signed", "--keep-open", "--echo", name=None)
    cadata = told(server)[3]
    for n in (1, 2):
        server.signal(signal.SIGHUP)
        wait_until("a line more", lambda n=n:
                   server.stderr().count("mptls: reloaded: ") == n)
        t.ok(t.connect(server, "--cadata", cadata, ca=None,
                       stdin=b"hello").wait(), b"hello")

"""check: a handshake, its report on stdout, and nothing of stdin."""
import errno
import os
import re
import ssl
import threading

from harness import Failed, ROOT, cert, each, test
from test_connect import free_port

NAME_MISMATCH = 0x04


def rows(t, r):
    """The text report: from a name to its values, in their order."""
    found, name = {}, None
    for line in r.out.decode().splitlines():
        if not line.startswith(" "):
            name, line = line.split(":", 1)
        found.setdefault(name, []).append(line.strip())
    return found


def good(t, r):
    """Success, and the text report of it."""
    t.eq((r.status, r.report["class"]), (0, "ok"), "status and class")
    t.eq((r.report["command"], r.report["stage"]), ("check", "stream"),
         "command and stage")
    return rows(t, r)


@each([("TLS 1.2", "1.2", "TLSv1.2"), ("TLS 1.3", "1.3", "TLSv1.3")])
def it_tells_what_was_agreed_on(t, most, version):
    server = t.serve("--max-version", most, name="server-chain")
    r = t.check(server, "--server-hostname", "localhost")
    text, report = good(t, r), r.report
    t.eq(r.err, "", "stderr")
    t.eq(text["target"], [server.address], "target")
    t.has(text["address"][0], server.address + ", connected in ")
    t.eq(text["version"], [version], "version")
    t.eq(text["cipher"], [report["tls"]["cipher"]], "cipher")
    t.eq(text["group"], [report["tls"]["group"]], "group")
    t.eq(text["signature"], [report["tls"]["sig_alg"]], "signature")
    t.eq(text["verdict"], ["ok"], "verdict")
    t.eq(text["verified"], ["yes, is localhost"], "verified")
    t.has(text["received"][0], "(Certificate)")
    t.has(text["sent"][0], "(ClientHello)")
    t.eq(("extended_master_secret yes, encrypt_then_mac no"
          in text["extensions"]), most == "1.2", "extensions of 1.2")
    leaf = (report["verify"]["sent"] or report["verify"]["chain"])[0]
    t.eq(text["chain 0"][0], leaf["subject"], "subject")
    t.has(" ".join(text["chain 0"]), "issuer " + leaf["issuer"],
          "names " + leaf["names"], leaf["key"], leaf["signature"],
          "%d bytes" % leaf["der_bytes"], "%d days left" % leaf["days_left"],
          "SHA-256 " + leaf["sha256"], "pin " + leaf["spki_sha256"])
    t.ok(server.wait())


@test
def a_refusal_is_a_verdict_on_stdout_and_explained_on_stderr(t):
    server = t.serve(name="server-wrong-host")
    r = t.check(server, "--server-hostname", "localhost")
    t.bad(r, 32, "verify", NAME_MISMATCH, "does not bear the name", out=r.out)
    text = rows(t, r)
    t.eq(text["verified"], ["no: name-mismatch"], "verified")
    t.has(text["verdict"][0], "32 name-mismatch: " + r.error["text"])
    t.has(r.err, "mptls: micropython: ValueError(")
    server.wait()


@test
def all_addresses_failed(t):
    where = "127.0.0.1:%d" % free_port(t)
    r = t.run("check", where)
    t.bad(r, 11, "net", errno.ECONNREFUSED, "Connection refused", out=r.out)
    text = rows(t, r)
    t.has(text["address"][0], where, "failed in", "Connection refused")
    t.eq([(a["address"], a["error"]) for a in r.report["addresses"]],
         [(where, "Connection refused")], "addresses")
    if "version" in text or "chain 0" in text:
        raise Failed("there was no handshake: %s" % text)


@test
def connect_tells_the_addresses_too(t):
    where = "127.0.0.1:%d" % free_port(t)
    r = t.run("connect", where)
    t.bad(r, 11, "net", errno.ECONNREFUSED)
    (address,) = r.report["addresses"]
    t.eq((address["address"], address["error"]),
         (where, "Connection refused"), "address")
    if not address["ms"] >= 0:
        raise Failed("it took %r ms" % address["ms"])


@test
def stdin_that_would_block_is_not_waited_for(t):
    r_end, _ = t.pipe()
    server = t.serve()
    good(t, t.check(server, "--server-hostname", "localhost", stdin=r_end))
    t.ok(server.wait())


@test
def what_stdin_has_stays_there(t):
    f = t.file("input", b"not for mptls")
    server = t.serve()
    good(t, t.check(server, "--server-hostname", "localhost", stdin=f))
    t.eq(os.lseek(f.fileno(), 0, os.SEEK_CUR), 0, "the place in stdin")
    s = server.wait()
    t.eq(s.report["bytes"]["in"], 0, "bytes that the server got")


@test
def a_closed_stdin_is_no_failure(t):
    server = t.serve()
    good(t, t.check(server, "--server-hostname", "localhost",
                    redirect="<&-"))


@test
def json_is_on_stdout(t):
    server = t.serve()
    r = t.check(server, "--json", "--server-hostname", "localhost")
    t.eq((r.status, r.err, r.report["ok"]), (0, "", True), "status")
    t.eq(len(r.reports), 1, "reports")


@test
def json_tells_a_failure_on_stdout_alone(t):
    r = t.run("check", "--json", "127.0.0.1:%d" % free_port(t))
    t.eq((r.status, r.err, r.report["class"]), (11, "", "connect"), "status")


class Late:
    """A TLS 1.3 server that wants a client certificate, and says no or
    nothing after the handshake."""

    def __init__(self, t, refuse, close=True):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(
            os.path.join(ROOT, cert("server-ec256.pem")),
            os.path.join(ROOT, cert("server-ec256-key.pem")))
        ca = "root.pem" if not refuse else "other-root.pem"
        self.context.load_verify_locations(os.path.join(ROOT, cert(ca)))
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = t.listener()
        self.address = "localhost:%d" % self.listener.getsockname()[1]
        self.hold = threading.Event()
        self.close = close
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        t.on_exit(self.thread.join)
        t.on_exit(self.hold.set)

    def run(self):
        with self.listener.accept()[0] as c:
            c.settimeout(10)
            try:
                tls = self.context.wrap_socket(c, server_side=True)
                if self.close:
                    tls.recv(1)
                    tls.close()
                else:
                    self.hold.wait(10)
            except (ssl.SSLError, OSError):
                pass


PAIR = ("--cert", cert("client-ec256.pem"),
        "--key", cert("client-ec256-key.pem"))


@test
def a_late_refusal_of_our_certificate_is_heard(t):
    r = t.check(Late(t, refuse=True), *PAIR)
    if r.status != 37:
        raise Failed("exit status %d: %s" % (r.status, r.err))
    t.eq((r.error["origin"], r.error["code"]), ("alert", 48), "the error")


@test
def that_we_have_no_certificate_is_heard(t):
    r = t.check(Late(t, refuse=True))
    t.eq((r.status, r.error["origin"], r.error["code"]),
         (37, "alert", 116), "status and error")


@test
def a_certificate_that_is_taken_is_a_success_and_tickets_are_counted(t):
    r = t.check(Late(t, refuse=False), *PAIR)
    good(t, r)
    if not r.report["tls"]["tickets"] > 0:
        raise Failed("no ticket was counted")


@each([("the default", 200), ("0", 0), ("50 ms", 50)])
def a_server_that_says_nothing_more_is_left(t, ms):
    words = () if ms == 200 else ("--settle", "%dms" % ms)
    server = Late(t, refuse=False, close=False)
    r = t.check(server, *PAIR, *words)
    good(t, r)
    took = r.report["times_ms"]["total"]
    if not ms <= took < ms + 2000:
        raise Failed("it took %g ms" % took)


@each([("no target", (), "check wants HOST:PORT"),
       ("no port", ("localhost",), "localhost"),
       ("a pipe's option", ("--on-eof", "wait", "h:1"), "--on-eof"),
       ("both CAs", ("--cafile", "x", "--cadata", "y", "h:1"), "--cadata")])
def check_usage(t, words, say):
    r = t.usage(("check", *words), say, command="check")
    if re.search(r"^verdict", r.out.decode()):
        raise Failed("a verdict: %s" % r.out)


@test
def a_closed_stdout_fails(t):
    server = t.serve()
    r = t.check(server, "--server-hostname", "localhost", report=False,
                redirect=">&-")
    t.eq(r.status, 1, "status")
    t.has(r.err, "mptls: write to stdout: ")

"""Every class of the exit status, each brought about by some peer."""
import errno
import functools
import json
import os
import re
import signal
import socket

import odd
import peers
from harness import ROOT, Proc, cert, same

HELLO, WORLD = b"hello\n", b"world\n"
OTHER_PIN = "sha256/" + "A" * 43 + "="


def only(version):
    return "--min-version", version, "--max-version", version


def pair(name="server-ec256"):
    return "--cert", cert(name + ".pem"), "--key", cert(name + "-key.pem")


def plain(test, *args, **more):
    """mptls without the report that the other tests ask for."""
    return test.start(Proc, [test.mptls, *args], **more)


def ended(test, p, status, out=b""):
    """What a Proc wrote to stderr, after its end as it should be."""
    err = p.err.all(test.left()).decode(errors="replace")
    same("exit status (%s)" % err.strip(), p.wait(), status)
    same("stdout", p.out.all(test.left()), out)
    return err


# Each starts a mptls that is going to fail, and returns it.

def local_io(test):
    with open("/dev/full", "wb") as full:
        listener, port = test.listen()
        p = test.connect(port, stdout=full)
        peers.accept_tls(test, listener).sendall(WORLD)
        return p


def usage(test):
    return test.run_mptls("connect")


def local_file(test):
    return test.connect(1, "--cert", "/nonexistent", "--key", "/nonexistent")


def too_large(test):
    """A chain that a small input buffer does not hold."""
    server = peers.openssl_server(test, name="server-rsa2048")
    return test.connect(peers.listening_port(server), "--max-in-record", "512")


def key_update(test):
    server = peers.openssl_server(test, "-tls1_3")
    p = test.connect(peers.listening_port(server)).feed(HELLO)
    server.expect(HELLO)
    server.feed(b"k\n")
    return p


def unresolved(test):
    return test.run_mptls("connect", "host.invalid:1")


def refused(test):
    sock = test.keep(socket.socket())
    sock.bind((peers.LOCALHOST, 0))  # and nobody listens
    return test.connect(sock.getsockname()[1])


def unanswered(test, *options):
    """A listener whose queue is full takes no further connection."""
    listener = test.keep(socket.socket())
    listener.bind((peers.LOCALHOST, 0))
    listener.listen(0)
    for _ in range(4):
        sock = test.keep(socket.socket())
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
    return test.connect(listener.getsockname()[1], *options)


def in_use(test):
    _, port = test.listen()
    return test.run_mptls("serve", "127.0.0.1:%d" % port,
                          *pair())


def silent(test):
    _, port = test.listen()
    return test.connect(port, "--handshake-timeout", "300ms")


def no_version(test):
    s, port = test.serve(*only("1.3"))
    peers.openssl_client(test, port, "-tls1_2")
    return s


def no_suite(test):
    s, port = test.serve(*only("1.2"))
    peers.openssl_client(test, port, "-tls1_2", "-cipher", "aRSA")
    return s


def alert(test):
    return test.connect(peers.openssl_rev(test, "-tls1_2"), *only("1.3"))


def not_tls(test):
    s, port = test.serve()
    test.dial(port).sendall(b"GET / HTTP/1.0\r\n\r\n")
    return s


def closes(test):
    listener, port = test.listen()
    p = test.connect(port)
    with test.accept(listener) as raw:
        raw.recv(4096)
    return p


def certificate(name, test, *options):
    port = peers.openssl_rev(test, "-cipher", "DEFAULT@SECLEVEL=0", name=name)
    return test.connect(port, *options)


def unexpected(test):
    """All went well, and yet not as it should."""
    p = certificate("server-ec256", test, "--expect", "version=TLSv1.2",
                    *only("1.3"))
    p.end()
    return p


def no_certificate(test):
    s, port = test.serve("--verify", "required", "--cafile", peers.ROOT_CA)
    peers.openssl_client(test, port)
    return s


def ours_refused(test):
    port = peers.openssl_rev(test, "-Verify", 1, "-verify_return_error",
                             "-CAfile", peers.ROOT_CA)
    return test.connect(port, *pair("client-other"))


def truncated(test):
    s, port = test.serve()
    peers.ncat_client(test, port).end()
    return s


def idle(test):
    return test.connect(peers.openssl_rev(test), "--idle-timeout", "300ms")


def endless(test):
    return test.connect(peers.openssl_rev(test), "--max-time", "300ms")


def reset(test):
    s, port = test.serve()
    odd.reset(peers.dial_tls(test, port))
    return s


def signalled(test):
    s, _ = test.serve()
    s.p.send_signal(signal.SIGTERM)
    return s


# those of connect's that have nothing to do with a stream
CHECKED = {3, 11, 12, 20, 22, 24, 30, 31, 32, 33, 34, 35, 37, 50, 51}

# exit status, class, origin, code, who fails
part = functools.partial
CLASSES = (
    (1, "local-io", "os", errno.ENOSPC, local_io),
    (2, "usage", "usage", 0, usage),
    (3, "local-file", "file", errno.ENOENT, local_file),
    (4, "not-in-build", "tls", -0x7080, key_update),
    (10, "resolve", "dns", (-2, -3), unresolved),
    (11, "connect", "net", errno.ECONNREFUSED, refused),
    (12, "connect-timeout", "timeout", 300,
     lambda test: unanswered(test, "--connect-timeout", "300ms")),
    (14, "listen", "net", errno.EADDRINUSE, in_use),
    (20, "handshake-timeout", "timeout", 300, silent),
    (21, "nothing-in-common", "tls", -0x6E80, no_version),
    (21, "nothing-in-common", "tls", -0x6E00, no_suite),
    (22, "peer-alert", "alert", 70, alert),
    (23, "protocol-error", "tls", -0x7200, not_tls),
    (24, "closed-in-handshake", "tls", -0x7280, closes),
    (30, "untrusted", "verify", 8,
     part(certificate, "server-self-signed")),
    (31, "expired", "verify", 1,
     part(certificate, "server-expired")),
    (32, "name-mismatch", "verify", 4,
     part(certificate, "server-wrong-host")),
    (33, "revoked", "verify", 2,
     lambda test: certificate("server-revoked", test, "--crl",
                              cert("crl.pem"))),
    (34, "weak", "verify", 1 << 16,
     part(certificate, "server-rsa1024")),
    (35, "pin", "verify", 1 << 24,
     lambda test: certificate("server-ec256", test, "--pin", OTHER_PIN)),
    (36, "no-peer-certificate", "tls", -0x7480, no_certificate),
    (37, "our-certificate-refused", "alert", 48, ours_refused),
    (40, "truncated", "truncated", 0, truncated),
    (41, "idle-timeout", "timeout", 300, idle),
    (42, "max-time", "max-time", 300, endless),
    (43, "reset", "net", errno.ECONNRESET, reset),
    (50, "expect", None, None, unexpected),
    (51, "device-limit", "device", -0x7100, too_large),
    (128 + signal.SIGTERM, "signal", "signal", signal.SIGTERM, signalled),
)


def one(status, name, origin, code, start, test):
    """The exit status, the report and `mptls explain` say the same."""
    p = start(test)
    r = p.done(status, origin, code)
    same("class", r["class"], name)
    if status < 128:
        same("explain", explained(test, status), name)


def explained(test, status):
    p = test.start(Proc, [test.mptls, "explain", "exit %d" % status])
    same("explain's exit status", p.wait(), 0)
    text = p.out.all(test.left()).decode()
    return re.match(r"exit \d+: exit status \d+, (.*)\n", text).group(1)


def manual(test):
    """What the man page does not reserve has a row here, and no other."""
    with open(os.path.join(ROOT, "man/mptls.1"), encoding="utf-8") as f:
        section = f.read().split(".Sh EXIT STATUS")[1].split(".Sh ")[0]
    found = {int(n) for n, text in re.findall(
        r"^\.It (\d+)\n((?:(?!\.It|\.El).*\n)*)", section, re.M)
             if "reserved" not in text}
    same("what %s has" % test.name, found,
         {0} | {row[0] for row in CLASSES if row[0] < 128})


def checked(status, name, origin, code, start, test):
    """`mptls check`, of what fails for connect, says the same."""
    def run_mptls(command, *words, **more):
        same("the command", command, "connect")
        return plain(test, "check", *words, "--json", **more)
    test.run_mptls = run_mptls
    p = start(test)
    same("exit status", p.wait(), status)
    r = json.loads(p.out.all(test.left()))
    same("status", (r["status"], r["class"], r["ok"]), (status, name, False))
    why = r["error"] or {"origin": None, "code": None}
    same("error", (why["origin"], why["code"]), (origin, code))


def tests():
    for row in CLASSES:
        yield ("%d is %s, %s" % (row[0], row[1], row[2]), part(one, *row))
        if row[0] in CHECKED:
            yield ("%d is %s for check" % (row[0], row[1]),
                   part(checked, *row))
    yield "the man page's exit statuses", manual

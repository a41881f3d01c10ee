"""A run that nobody asks for more than its status and its words is quicker, and
says the same of what goes wrong."""
import re

from harness import cert, each, test

GARBAGE = b"HTTP/1.0 400 Bad Request\r\n\r\n"


def words(result):
    """Without what differs from run to run."""
    return re.sub(r"localhost:\d+|127\.0\.0\.1:\d+|\d+ ms", "?", result.err)


def both_say_the_same(t, server_args, client_args, status, origin, ca, name):
    """What the client says, and its server."""
    said = []
    for report in (True, False):
        server = t.serve(*server_args, name=name, report=report)
        c = t.connect(server, *client_args, ca=ca, report=report,
                      stdin=b"hello").wait()
        t.eq(c.status, status, "exit status: " + c.err)
        if report:
            t.eq(c.error["origin"], origin, "the origin")
        s = server.wait()
        said.append((words(c), s.status, words(s)))
    t.eq(said[1], said[0], "what is said without a report")


CLIENT = ("--cert", cert("client-ec256.pem"), "--key",
          cert("client-ec256-key.pem"))


@each([
    ("%s, TLS %s" % (row[0], version), version, *row[1:])
    for version in ("1.2", "1.3") for row in (
        ("untrusted", (), (), 30, "verify", "other-root.pem", "server-ec256"),
        ("expired", (), (), 31, "verify", "root.pem", "server-expired"),
        ("another name", (), ("--server-hostname", "a.example"), 32, "verify",
         "root.pem", "server-ec256"),
        ("a pin", (), ("--pin", "sha256/" + 43 * "A" + "="), 35, "verify",
         "root.pem", "server-ec256"),
        ("no certificate of ours", ("--verify", "required", "--cafile",
                                    cert("root.pem")), (), 37, "alert",
         "root.pem", "server-ec256"),
        ("ours refused", ("--verify", "required", "--cafile",
                          cert("other-root.pem")), CLIENT, 37, "alert",
         "root.pem", "server-ec256"),
        ("no close_notify", ("--mp-defaults",), (), 40, "truncated",
         "root.pem", "server-ec256"),
        ("no protocol in common", ("--alpn", "a"), ("--alpn", "b"), 22,
         "alert", "root.pem", "server-ec256"))])
def a_failure(t, version, server_args, client_args, status, origin, ca, name):
    limits = ("--min-version", version, "--max-version", version)
    both_say_the_same(t, (*server_args, *limits), (*client_args, *limits),
                      status, origin, ca, name)


@test
def what_is_no_tls(t):
    said = []
    for report in (True, False):
        listener = t.listener()
        c = t.start("connect", "--cafile", cert("root.pem"), "localhost:%d" %
                    listener.getsockname()[1], report=report)
        peer = t.accept(listener)
        peer.sendall(GARBAGE)
        peer.close()
        r = c.wait()
        t.eq(r.status, 23, "exit status: " + r.err)
        if report:
            t.bad(r, 23, "tls", r.error["code"])
        said.append(words(r))
    t.eq(said[1], said[0], "what is said without a report")


@test
def a_success_says_nothing(t):
    server = t.serve("--echo", report=False)
    c = t.connect(server, stdin=b"hello", report=False).wait()
    t.eq((c.status, c.out, c.err), (0, b"hello", ""), "the client")
    t.eq(server.wait().status, 0, "the server")
